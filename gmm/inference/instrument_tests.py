"""What can be tested after a linear regression with instruments, weak ones included."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import Array, beside
from gmm.data.labels import check_names
from gmm.estimation.linear import solve_each
from gmm.estimation.model import SmallSampleName
from gmm.estimation.moment_covariance import Kind
from gmm.inference import specification
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.results import GMMResult

__all__ = ["IVResult"]


class LinearModel(Protocol):
    """What these tests need of a linear model: its data, and models that differ from it."""

    n: int
    y: Array
    exog: Array
    endog: Array
    instruments: Array
    exog_names: tuple[str, ...]
    endog_names: tuple[str, ...]
    instrument_names: tuple[str, ...]

    def fit(self, **options: Any) -> GMMResult:
        """Estimate it."""

    def with_instruments(self, columns: Array, names: Sequence[str]) -> "LinearModel":
        """The same model, with more instruments."""

    def reduced_form(self, y: Array) -> "LinearModel":
        """The regression of y on the exogenous regressors and the instruments."""


class IVResult(GMMResult):
    """A `GMMResult` with the tests that linear models with instruments have besides.

    Examples
    --------
    A weak instrument. The Anderson-Rubin test keeps its level, whatever the instrument is worth:

    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(7)
    >>> z, u = rng.standard_normal((2, 1000, 100))  # 1000 samples
    >>> w = 0.1 * z + 0.9 * u + 0.4 * rng.standard_normal((1000, 100))
    >>> result = gmm.IV(w + u, endog=w, instruments=z).fit()
    >>> wald = result.wald_test([[1.0]], 1.0)  # the true value is 1
    >>> ar = result.anderson_rubin(1.0)
    >>> [float((test.pvalue < 0.05).mean()) for test in (wald, ar)]
    [0.164, 0.05]
    >>> round(float(np.median(result.first_stage()["endog0"].statistic)), 1)
    1.3
    """

    def c_test(self, names: Sequence[str] | None = None) -> HypothesisTest:
        """Test whether some moments hold, given that the others do.

        Parameters
        ----------
        names : sequence of str, optional
            Endogenous regressors: are they exogenous? Or instruments and exogenous regressors:
            are they valid? By default all endogenous regressors.

        Returns
        -------
        HypothesisTest

        Notes
        -----
        The difference of J with the moments in doubt and J without, both with the S of the
        former, which cannot be negative. For endogenous regressors this is the ``c_stat`` of
        linearmodels.
        """
        model = cast(LinearModel, self.model)
        chosen = list(model.endog_names) if names is None else names
        chosen = [chosen] if isinstance(chosen, str) else list(chosen)
        if not chosen:
            raise ValueError("names is empty, and there are no endogenous regressors to test")
        doubtful = [name for name in chosen if name in model.endog_names]
        if not doubtful:
            return super().c_test(chosen)
        if len(doubtful) < len(chosen):
            raise ValueError(
                f"names are {', '.join(chosen)}: endogenous regressors and instruments are "
                "tested one kind at a time"
            )
        name, null = "C test", f"{', '.join(chosen)} exogenous"
        if self.fit is None or self.fit.weighting is None:
            nothing = np.full(self.status.shape, np.nan)[()]
            reason = "the weights do not estimate S; fit with weights='robust', for example"
            return HypothesisTest(name, null, nothing, len(chosen), reason=reason)
        weighting = self.fit.weighting
        columns = model.endog[..., check_names(model.endog_names, chosen, "endogenous regressor")]
        fuller = model.with_instruments(columns, chosen)
        result = fuller.fit(weights=weighting.kind, center=weighting.center)
        assert result.fit is not None
        keep = np.arange(self.fit.problem.q)
        statistic = specification.difference_in_j(result.fit, keep)
        return HypothesisTest(name, null, statistic.reshape(self.status.shape)[()], len(chosen))

    def anderson_rubin(
        self,
        values: npt.ArrayLike = 0.0,
        cov: Kind = "unadjusted",
        small_sample: SmallSampleName | Literal["auto"] | None = "auto",
    ) -> HypothesisTest:
        """Test the coefficients of all endogenous regressors, however weak the instruments.

        Parameters
        ----------
        values : float or (k2,) array_like
            Their values under the null.
        cov : like the `cov` of `fit`
            With "unadjusted" the test is exact for normal errors.
        small_sample : like that of `fit`, or "auto"
            "auto" is "cluster" if `cov` is, else "df".

        Returns
        -------
        HypothesisTest
            F(l, n - k1 - l) for l instruments, with G clusters F(l, G - 1).

        Notes
        -----
        Under the null y - W values is explained by X alone, so the coefficients of Z in its
        regression on X and Z are zero (Anderson and Rubin 1949, Annals of Mathematical
        Statistics 20, 46-63).
        """
        model = cast(LinearModel, self.model)
        names, given = model.endog_names, np.asarray(values, dtype=np.float64)
        if not names:
            raise ValueError("there are no endogenous regressors to test")
        if given.shape not in ((), (1,), (len(names),)):
            raise ValueError(
                f"values has shape {given.shape}; the endogenous regressors are {', '.join(names)}"
            )
        null = np.broadcast_to(given, len(names))
        text = ", ".join(f"{n} = {v:g}" for n, v in zip(model.endog_names, null, strict=True))
        test = _excluded(model, model.y - model.endog @ null, cov, small_sample)
        return replace(test, name="Anderson-Rubin test", null=text)

    def anderson_rubin_set(self, level: float = 0.95) -> Any:
        """The values of a single endogenous regressor's coefficient that its test accepts.

        Parameters
        ----------
        level : float
            Coverage, exact for normal errors however weak the instruments.

        Returns
        -------
        (..., 2) ndarray
            Lower and upper end. Where instruments are weak the set may be the whole line,
            (-inf, inf), or all but an interval: the ends then come as (upper, lower), the first
            above the second. NaN if no value is accepted, as the instruments are not valid.

        Notes
        -----
        F <= c is e'Pe - c l / (n - k1 - l) e'Me <= 0 with e = y - w beta, P the projection on
        the instruments and M off them, X partialled out: a quadratic inequality in beta.
        """
        model = cast(LinearModel, self.model)
        if len(model.endog_names) != 1:
            raise ValueError(
                f"there are {len(model.endog_names)} endogenous regressors; the set is for one"
            )
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; it must be between 0 and 1")
        count = len(model.instrument_names)
        df = model.n - len(model.exog_names) - count
        bound = count / df * special.fdtri(count, df, level)
        with np.errstate(all="ignore"):
            both = beside(model.y[..., np.newaxis], model.endog)
            off = _residuals(both, model.exog)
            left = _residuals(off, _residuals(model.instruments, model.exog))
            total, rest = off.swapaxes(-1, -2) @ off, left.swapaxes(-1, -2) @ left
            form = total - (1 + bound) * rest
            a, b, c = form[..., 1, 1], form[..., 0, 1], form[..., 0, 0]
            root = np.sqrt(b**2 - a * c)
            ends = np.stack([(b - root) / a, (b + root) / a], axis=-1)
        everything = (a < 0) & (b**2 < a * c)
        ends[everything] = -np.inf, np.inf
        return ends

    def first_stage(
        self,
        cov: Kind = "unadjusted",
        small_sample: SmallSampleName | Literal["auto"] | None = "auto",
    ) -> dict[str, HypothesisTest]:
        """F tests of the excluded instruments, in the regression of each endogenous regressor.

        Parameters
        ----------
        cov : like the `cov` of `fit`
        small_sample : like that of `fit`, or "auto"
            "auto" is "cluster" if `cov` is, else "df"; with none the test is chi-squared, as in
            linearmodels, and with l instruments l times the F of gretl or R's sandwich.

        Returns
        -------
        dict of str to HypothesisTest
        """
        model = cast(LinearModel, self.model)
        return {
            name: replace(
                _excluded(model, model.endog[..., i], cov, small_sample),
                name=f"first-stage F of {name}",
                null=f"the instruments do not explain {name}",
            )
            for i, name in enumerate(model.endog_names)
        }

    def cragg_donald(self) -> Any:
        """The smallest eigenvalue (...) of the first stages together, as an F statistic.

        For one endogenous regressor its first-stage F. Its critical values are those of Stock
        and Yogo (2005), and depend on what is to be bounded.
        """
        model = cast(LinearModel, self.model)
        n, (x, w, z) = model.n, (model.exog, model.endog, model.instruments)
        with np.errstate(all="ignore"):
            w, z = _residuals(w, x), _residuals(z, x)
            left = _residuals(w, z)
            explained = w - left
            inner = explained.swapaxes(-1, -2) @ explained
            noise = left.swapaxes(-1, -2) @ left
            count = z.shape[-1]
            scale = (n - x.shape[-1] - count) / count
            # Eigenvalues of noise^-1 inner, whose entries may be NaN in failed samples.
            product = solve_each(
                *(np.atleast_3d(a).reshape(-1, *a.shape[-2:]) for a in (noise, inner))
            )
        bad = ~np.isfinite(product).all(axis=(1, 2))
        product[bad] = 0.0
        smallest = np.linalg.eigvals(product).real.min(axis=1) * scale
        smallest[bad] = np.nan
        return smallest.reshape(noise.shape[:-2])[()]


def _excluded(model: LinearModel, y: Array, cov: Kind, small_sample: str | None) -> HypothesisTest:
    """The F test of Z in the least-squares regression of y on X and Z."""
    k1, count = len(model.exog_names), len(model.instrument_names)
    if small_sample == "auto":
        small_sample = "cluster" if isinstance(cov, str) and cov == "cluster" else "df"
    result = model.reduced_form(y).fit(cov=cov, small_sample=small_sample)
    return result.wald_test(np.eye(k1 + count)[k1:])


def _residuals(y: Array, x: Array) -> Array:
    """Of the columns of y on those of x, by least squares."""
    if not x.shape[-1]:
        return y
    products = x.swapaxes(-1, -2) @ x
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    right = np.broadcast_to(x.swapaxes(-1, -2) @ y, (*lead, x.shape[-1], y.shape[-1]))
    return y - x @ solve_each(np.broadcast_to(products, (*lead, *products.shape[-2:])), right)
