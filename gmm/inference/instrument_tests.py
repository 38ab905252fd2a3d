"""What can be tested after a linear regression with instruments, weak ones included."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.labelled import PerSample
from gmm.data.labels import check_names
from gmm.estimation.model import SmallSampleName
from gmm.estimation.moment_covariance import Kind
from gmm.inference import specification
from gmm.inference.confidence_sets import ConfidenceSet
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.instrument_strength import effective_f, kleibergen_paap
from gmm.inference.linear_results import LinearResult, chosen_factor
from gmm.inference.projections import LinearModel, Projections, relative_eigenvalues
from gmm.inference.stock_yogo import BOUNDS, Worst, critical_values
from gmm.inference.weak_instruments import (
    clr_test,
    confidence_set,
    explained,
    k_test,
    null_values,
    why_unknown,
)

__all__ = ["IVResult"]


class IVResult(LinearResult):
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
        model = cast("LinearModel", self.model)
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
        values = statistic.reshape(self.status.shape)[()]
        return explained(model, HypothesisTest(name, null, values, len(chosen)))

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
        model = cast("LinearModel", self.model)
        null, text = null_values(model, values)
        factor = chosen_factor(cov, small_sample)
        if isinstance(cov, str) and cov == "unadjusted" and factor == "df":
            test = _exact(model, null)
        else:
            test = _excluded(model, model.y - model.endog @ null, cov, factor)
        reason = why_unknown(model, test.statistic, cov) or test.reason
        return replace(test, name="Anderson-Rubin test", null=text, reason=reason)

    def anderson_rubin_set(self, level: float = 0.95) -> Array:
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
        found = self.confidence_set("ar", level).intervals
        if self.status.ndim == 0:
            found = np.concatenate([found, np.full((2, 2), np.nan)])
        first, second = found[..., 0, :], found[..., 1, :]
        two = ~np.isnan(second[..., 0])
        # All but an interval comes as its upper end and its lower one.
        turned = np.stack([second[..., 0], first[..., 1]], axis=-1)
        return np.where(two[..., np.newaxis], turned, first)

    def k_test(self, values: npt.ArrayLike = 0.0, cov: Kind = "unadjusted") -> HypothesisTest:
        """Kleibergen's K test of the coefficients of all endogenous regressors.

        Parameters
        ----------
        values : float or (k2,) array_like
            Their values under the null.
        cov : like the `cov` of `fit`
            With "unadjusted" that of the linear model with homoskedastic errors (Kleibergen
            2002, Econometrica 70, 1781-1803), else that of GMM (2005, same journal 73,
            1103-1123).

        Returns
        -------
        HypothesisTest
            Chi-squared with k2 degrees of freedom, however weak the instruments.
        """
        return k_test(cast("LinearModel", self.model), values, cov)

    def clr_test(self, values: npt.ArrayLike = 0.0, cov: Kind = "unadjusted") -> HypothesisTest:
        """Moreira's conditional likelihood ratio test of the same.

        Parameters and levels as in `k_test`, and more power with few strong and many weak
        instruments. With several endogenous regressors the conditional distribution is
        Kleibergen's (2007) approximation; another `cov` than "unadjusted" is for one.
        """
        return clr_test(cast("LinearModel", self.model), values, cov)

    def confidence_set(
        self,
        test: Literal["ar", "k", "clr"] = "clr",
        level: float = 0.95,
        cov: Kind = "unadjusted",
        small_sample: SmallSampleName | Literal["auto"] | None = "auto",
    ) -> ConfidenceSet:
        """The values of a single endogenous regressor's coefficient that a test accepts.

        Parameters
        ----------
        test : {"ar", "k", "clr"}
            Anderson-Rubin, K or conditional likelihood ratio.
        level : float
            Coverage, however weak the instruments.
        cov : {"unadjusted", "robust", "cluster"} or HAC with a bandwidth
            As for the tests.
        small_sample
            As for `anderson_rubin`; the other two have none.

        Returns
        -------
        ConfidenceSet
            Intervals that need be neither bounded nor connected: the values that
            `anderson_rubin`, `k_test` or `clr_test` with the same options does not reject.

        Notes
        -----
        Homoskedastic sets have a closed form. Other Anderson-Rubin sets end at the real
        eigenvalues of a quadratic matrix polynomial; for K and the likelihood ratio all
        directions (1, -beta) are searched, infinity among them.
        """
        model = cast("LinearModel", self.model)
        return confidence_set(model, test, level, cov, chosen_factor(cov, small_sample))

    def effective_f(
        self,
        cov: Kind = "robust",
        small_sample: SmallSampleName | Literal["auto"] | None = "auto",
        tau: float = 0.1,
    ) -> HypothesisTest:
        """Montiel Olea and Pflueger's effective F of a single endogenous regressor.

        Parameters
        ----------
        cov, small_sample
            As for `first_stage`; with "unadjusted" it is the first-stage F.
        tau : float
            The bias that is to be excluded, as a share of its worst case.

        Returns
        -------
        HypothesisTest
            With its critical value at 5 %, the simplified one of their paper.
        """
        model = cast("LinearModel", self.model)
        return explained(model, effective_f(model, cov, chosen_factor(cov, small_sample), tau), cov)

    def kleibergen_paap(
        self, cov: Kind = "robust", form: Literal["wald", "lm"] = "wald"
    ) -> HypothesisTest:
        """Kleibergen and Paap's test that the instruments identify all endogenous regressors.

        Parameters
        ----------
        cov : like the `cov` of `fit`
        form : {"wald", "lm"}
            The F statistic beside the critical values of Stock and Yogo, ivreg2's ``widstat``;
            or the chi-squared of underidentification, its ``idstat``.
        """
        model = cast("LinearModel", self.model)
        return explained(model, kleibergen_paap(model, cov, form), cov)

    def stock_yogo(self, worst: Worst = "2sls bias") -> HypothesisTest:
        """Cragg and Donald's F with the critical values of Stock and Yogo (2005), at 5 %.

        Parameters
        ----------
        worst : {"2sls bias", "2sls size", "liml size"}
            What is bounded: bias relative to least squares, or the level of a nominal 5 % test.
        """
        model = cast("LinearModel", self.model)
        if worst not in BOUNDS:
            raise ValueError(f"worst is {worst!r}; it must be one of {', '.join(BOUNDS)}")
        k2, count = len(model.endog_names), len(model.instrument_names)
        table = critical_values(worst, k2, count)
        test = HypothesisTest(
            "Cragg-Donald F",
            "the instruments are weak",
            self.cragg_donald(),
            count,
            reason="" if table else "no critical values are tabulated for so many",
            given_pvalue=np.full(self.status.shape, np.nan)[()],
            given_distribution="F",
            critical_values={f"{worst} {100 * bound:g} %": value for bound, value in table.items()},
        )
        return explained(model, test)

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
        model = cast("LinearModel", self.model)
        factor = chosen_factor(cov, small_sample)
        found = {}
        for i, name in enumerate(model.endog_names):
            test = _excluded(model, model.endog[..., i], cov, factor)
            found[name] = replace(
                test,
                name=f"first-stage F of {name}",
                null=f"the instruments do not explain {name}",
                reason=why_unknown(model, test.statistic, cov) or test.reason,
            )
        return found

    def cragg_donald(self) -> PerSample:
        """The smallest eigenvalue (...) of the first stages together, as an F statistic.

        For one endogenous regressor its first-stage F. Its critical values are those of Stock
        and Yogo (2005), and depend on what is to be bounded.
        """
        model = cast("LinearModel", self.model)
        if not model.endog_names:
            raise ValueError("there are no endogenous regressors")
        parts = Projections.of(model)
        smallest = relative_eigenvalues(parts.on[:, 1:, 1:], parts.off[:, 1:, 1:])[:, 0]
        return (smallest * parts.df / parts.count).reshape(model.shape)[()]


def _exact(model: LinearModel, null: Array) -> HypothesisTest:
    """F = (e'Pe / l) / (e'Me / (n - k1 - l)), from the cross products."""
    parts = Projections.of(model)
    on, off = parts.quadratic(np.concatenate([[1.0], -null]))
    statistic = ((on / parts.count) / (off / parts.df)).reshape(model.shape)[()]
    reason = why_unknown(model, statistic, "unadjusted")
    return HypothesisTest("", "", statistic, parts.count, float(parts.df), reason)


def _excluded(
    model: LinearModel, y: Array, cov: Kind, small_sample: SmallSampleName | None
) -> HypothesisTest:
    """The F test of Z in the least-squares regression of y on X and Z."""
    k1, count = len(model.exog_names), len(model.instrument_names)
    result = model.reduced_form(y).fit(cov=cov, small_sample=small_sample)
    test: HypothesisTest = result.wald_test(np.eye(k1 + count)[k1:])
    return test
