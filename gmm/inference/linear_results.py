"""What a linear regression answers besides its estimates: fit, residuals, and tests by name."""

from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, beside, columns, is_whole
from gmm.data.labelled import Labelled, PerSample
from gmm.data.labels import is_pandas, need_pandas
from gmm.estimation.model import SmallSampleName
from gmm.estimation.moment_covariance import Kind
from gmm.inference import exogeneity, specification
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.projections import LinearModel, collinear
from gmm.inference.results import GMMResult
from gmm.inference.weak_instruments import explained, null_values, why_unknown
from gmm.inference.wild_bootstrap import SIGNS, Null, Signs, wild_bootstrap

SmallSample = SmallSampleName | Literal["auto"] | None


class LinearResult(GMMResult):
    """A `GMMResult` of a linear model with instruments, or without."""

    @property
    def dropped_columns(self) -> tuple[str, ...]:
        """Names of the columns that ``collinear="drop"`` has left out."""
        return tuple(getattr(self.model, "dropped_columns", ()))

    @property
    def fitted_values(self) -> Labelled:
        """x'theta (..., n), of all regressors as they are."""
        model = cast("LinearModel", self.model)
        return self._by_row(_combined(model.exog, model.endog, self.estimates))

    @property
    def residuals(self) -> Labelled:
        """y - x'theta (..., n)."""
        model = cast("LinearModel", self.model)
        return self._by_row(model.y - _combined(model.exog, model.endog, self.estimates))

    def predict(self, exog: Any = None, endog: Any = None) -> Labelled:
        """x'theta (..., m) of new regressors, in the order or by the names of the model's.

        Parameters
        ----------
        exog, endog : (..., m, k1) and (..., m, k2) array_like or DataFrame, optional
            As in the model; by default its own.
        """
        model = cast("LinearModel", self.model)
        if exog is None and endog is None:
            return self.fitted_values
        given = {"exog": exog, "endog": endog}
        names = {"exog": model.exog_names, "endog": model.endog_names}
        rows = next(len(x) if is_pandas(x) else np.shape(x)[-2] if np.ndim(x) > 1 else len(x)
                    for x in given.values() if x is not None)  # fmt: skip
        arrays = {}
        for name, x in given.items():
            if x is not None and is_pandas(x) and x.ndim == 2:
                missing = [label for label in names[name] if label not in x.columns]
                if missing:
                    raise ValueError(f"{name} has no column {', '.join(missing)}")
                x = x[list(names[name])]
            arrays[name] = columns(x, name, (rows,))
            if arrays[name].shape[-1] != len(names[name]):
                raise ValueError(
                    f"{name} has {arrays[name].shape[-1]} columns; the model has "
                    f"{', '.join(names[name]) or 'none'}"
                )
        values = _combined(arrays["exog"], arrays["endog"], self.estimates)
        frame = next((x for x in given.values() if x is not None and is_pandas(x)), None)
        if frame is None or values.ndim > 1:
            return cast(Labelled, values)
        pandas = need_pandas("a labelled result")
        labelled: Labelled = pandas.Series(values, index=frame.index, name="predicted")
        return labelled

    @property
    def rsquared(self) -> PerSample:
        """1 - u'u / y'y (...), y less its mean if the exogenous regressors span a constant.

        With endogenous regressors it may be negative, and says nothing of the fit.
        """
        with np.errstate(invalid="ignore"):  # a constant y has none
            return 1 - self._sums[0] / self._sums[1]

    @property
    def rsquared_adj(self) -> PerSample:
        """1 - (1 - R^2) (n - c) / (n - k) (...), c = 1 with a constant, else 0."""
        residual, total, constant = self._sums
        n, k = self.n, len(self.parameters)
        with np.errstate(all="ignore"):
            return 1 - residual / total * np.float64(n - constant) / (n - k)

    @property
    def _sums(self) -> tuple[Any, Any, int]:
        """u'u, y'y or of the deviations, and whether there is a constant."""
        model = cast("LinearModel", self.model)
        u = model.y - _combined(model.exog, model.endog, self.estimates)
        roots = getattr(model, "roots", None)
        one = np.ones(model.n) if roots is None else roots
        constant, y = int(spans(model.exog, one)), model.y
        if constant:  # with weights, less the weighted mean
            y = y - (y @ one / (one @ one))[..., np.newaxis] * one
        return (u * u).sum(axis=-1), (y * y).sum(axis=-1), constant

    def _by_row(self, values: Array) -> Labelled:
        """With the labels of y's rows, if it had any."""
        roots = getattr(self.model, "roots", None)
        first = getattr(self.model, "first_rows", None)
        values = values if roots is None else values / roots
        values = values if first is None else values[..., first]
        index = getattr(self.model, "index", None)
        if index is None or values.ndim > 1:
            return cast(Labelled, values)
        labelled: Labelled = need_pandas("a labelled result").Series(values, index=index)
        return labelled

    def sargan(self) -> HypothesisTest:
        """Sargan's test of the overidentifying restrictions, for homoskedastic errors.

        n times the R-squared of the residuals on all instruments; after
        ``fit(steps=1, weights="unadjusted")`` it is `j_test`. Of linearmodels ``sargan``, of
        Stata ``estat overid``.
        """
        model = cast("LinearModel", self.model)
        return explained(model, exogeneity.sargan(self, model))

    def basmann(self, f: bool = False) -> HypothesisTest:
        """Basmann's test of the overidentifying restrictions, chi-squared or with `f` an F."""
        model = cast("LinearModel", self.model)
        return explained(model, exogeneity.basmann(self, model, f))

    def wu_hausman(
        self, cov: Kind = "unadjusted", small_sample: SmallSample = "auto"
    ) -> HypothesisTest:
        """Test whether the endogenous regressors are exogenous, by a regression.

        Parameters
        ----------
        cov, small_sample
            As for `IVResult.first_stage`. With "unadjusted" and "auto" the F of R's ``ivreg``,
            linearmodels' ``wu_hausman`` and Stata; with "robust" and None linearmodels'
            ``wooldridge_regression``; with "unadjusted" and None gretl's Hausman test.

        See Also
        --------
        durbin, c_test
        """
        model = cast("LinearModel", self.model)
        test = exogeneity.wu_hausman(model, cov, chosen_factor(cov, small_sample))
        return replace(test, reason=why_unknown(model, test.statistic, cov) or test.reason)

    def durbin(self) -> HypothesisTest:
        """Durbin's test of the same, chi-squared: linearmodels' ``durbin``, Stata's."""
        model = cast("LinearModel", self.model)
        return explained(model, exogeneity.durbin(model))

    def wild_bootstrap(
        self,
        R: Any,
        q: npt.ArrayLike | None = None,
        *,
        draws: int = 9999,
        signs: Signs = "rademacher",
        seed: Any = None,
        cov: Literal["auto", "robust", "cluster"] = "auto",
    ) -> HypothesisTest:
        """Wald's test of R theta = q with the wild (cluster) bootstrap's p-value.

        Parameters
        ----------
        R, q
            As for `wald_test`.
        draws : int
            How many samples to draw; with fewer different Rademacher draws than that each is
            taken once.
        signs : {"rademacher", "mammen", "webb", "normal"}
            What multiplies the residuals.
        seed : optional
            As for `numpy.random.default_rng`.
        cov : {"auto", "robust", "cluster"}
            "auto" is "cluster" if the model has clusters.

        Returns
        -------
        HypothesisTest

        Notes
        -----
        The estimates are those of one step, with the restrictions imposed on what is drawn. With
        endogenous regressors these are drawn, too, from the first stages with the restricted
        residuals beside the instruments: the restricted efficient bootstrap of Davidson and
        MacKinnon (2010, J. Business and Economic Statistics 28, 128-144). Without, it is that of
        Cameron, Gelbach and Miller (2008, Review of Economics and Statistics 90, 414-427).
        """
        model = cast("LinearModel", self.model)
        matrix, values = specification.restrictions(R, q, self.parameters)
        null = specification.describe(matrix, values, self.parameters)
        codes = _groups(model, cov)
        x, w, z = model.exog, model.endog, model.instruments
        return _bootstrapped(
            "Wald test", null, model, (model.y, x, w, z), matrix, values, codes, draws, signs, seed
        )

    def anderson_rubin_bootstrap(
        self,
        values: npt.ArrayLike = 0.0,
        *,
        draws: int = 9999,
        signs: Signs = "rademacher",
        seed: Any = None,
        cov: Literal["auto", "robust", "cluster"] = "auto",
    ) -> HypothesisTest:
        """The Anderson-Rubin test with the wild (cluster) bootstrap's p-value.

        Parameters
        ----------
        values
            As for `IVResult.anderson_rubin`.
        draws, signs, seed, cov
            As for `wild_bootstrap`.
        """
        model = cast("LinearModel", self.model)
        null, text = null_values(model, values)
        both = model.reduced_form(model.y - model.endog @ null)
        k1, count = len(model.exog_names), len(model.instrument_names)
        matrix = np.eye(k1 + count)[k1:]
        empty = np.empty((model.n, 0))
        return _bootstrapped(
            "Anderson-Rubin test", text, model, (both.y, both.exog, empty, empty), matrix,
            np.zeros(count), _groups(model, cov), draws, signs, seed,
        )  # fmt: skip


def chosen_factor(cov: Any, small_sample: SmallSample) -> SmallSampleName | None:
    """What "auto" means: "cluster" with clusters, else "df"."""
    if small_sample != "auto":
        return small_sample
    return "cluster" if isinstance(cov, str) and cov == "cluster" else "df"


def spans(x: Array, ones: Array) -> bool:
    """Whether a column, in the first sample, is a combination of those of x (..., n, k)."""
    if not x.shape[-1]:
        return False
    first = x.reshape(-1, *x.shape[-2:])[0]
    gap = ones - first @ np.linalg.lstsq(first, ones)[0]
    return bool(np.abs(gap).max() < 1e-8)


def _combined(exog: Array, endog: Array, theta: Array) -> Array:
    k1 = exog.shape[-1]
    fitted: Array = (exog @ theta[..., :k1, np.newaxis])[..., 0]
    return fitted + (endog @ theta[..., k1:, np.newaxis])[..., 0]


def _groups(model: LinearModel, cov: str) -> npt.NDArray[np.intp] | None:
    if cov not in ("auto", "robust", "cluster"):
        raise ValueError(f"cov is {cov!r}; it must be 'auto', 'robust' or 'cluster'")
    if cov == "robust" or (cov == "auto" and model.clusters is None):
        return None
    if model.clusters is None:
        raise ValueError("'cluster' needs the model's argument clusters, the groups")
    if model.clusters.shape[1] > 1:
        raise ValueError("the wild bootstrap is for one way of clustering")
    codes: npt.NDArray[np.intp] = model.clusters[:, 0]
    return codes


def _bootstrapped(
    name: str,
    null: str,
    model: LinearModel,
    data: tuple[Array, ...],
    r: Array,
    q: Array,
    codes: npt.NDArray[np.intp] | None,
    draws: int,
    signs: Signs,
    seed: Any,
) -> HypothesisTest:
    """Each sample of a stack with draws of its own."""
    if signs not in SIGNS:
        raise ValueError(f"signs is {signs!r}; it must be one of {', '.join(map(repr, SIGNS))}")
    if not is_whole(draws) or draws < 1:
        raise ValueError(f"draws is {draws!r}; it must be a whole number, 1 or more")
    count = int(np.prod(model.shape))
    y = np.broadcast_to(data[0], (*model.shape, model.n)).reshape(count, model.n)
    x, w, z = (np.broadcast_to(a, (*model.shape, *a.shape[-2:])).reshape(count, *a.shape[-2:])
               for a in data[1:])  # fmt: skip
    rng = np.random.default_rng(seed)
    regressors = beside(x, w)
    gone = collinear(beside(x, z)) | collinear(regressors) | ~np.isfinite(y).all(axis=1)
    gone |= collinear(beside(regressors, y[..., np.newaxis]))  # a perfect fit
    found = [
        (np.nan, np.nan)
        if gone[i]
        else wild_bootstrap(Null.of(y[i], x[i], w[i], z[i], r, q, codes), draws, signs, rng)
        for i in range(count)
    ]
    statistic, p = (np.array([one[j] for one in found]).reshape(model.shape)[()] for j in (0, 1))
    return HypothesisTest(
        f"{name}, wild {'cluster ' if codes is not None else ''}bootstrap",
        null,
        statistic,
        len(r),
        reason=why_unknown(model, statistic, None),
        given_pvalue=p,
        given_distribution=f"W of {draws:,} draws",
    )
