"""Linear regression with instruments."""

import math
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from gmm import _core
from gmm.data.arrays import ROUNDING, Array, Rows, beside, blocks, columns, dependent, flattened
from gmm.data.collinearity import (
    Collinear,
    dependent_columns,
    described,
    listed,
    of_arguments,
    of_sample,
    settled,
)
from gmm.data.formulas import FromFormula
from gmm.data.instruments import (
    Columns,
    are_few,
    cross_products,
    fitted,
    joined,
    products,
    some,
)
from gmm.data.labels import check_rows, chosen_columns, clusters_of, column_names, is_pandas
from gmm.data.rows import analytic, complete, frequencies
from gmm.estimation.coordinates import NEARLY_COLLINEAR, Coordinates, orthonormal
from gmm.estimation.gauss_newton import Minimum
from gmm.estimation.instrumented import InstrumentedMoments
from gmm.estimation.linear import quadratic_each, solve_each
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem, Search
from gmm.estimation.status import Status
from gmm.estimation.weights import smallest_pivot
from gmm.inference.instrument_tests import IVResult
from gmm.inference.projections import leverages, projection
from gmm.inference.results import GMMResult

__all__ = ["IV"]

# Where the names of an argument's columns are kept.
_NAMES = {"exog": "exog_names", "endog": "endog_names", "instruments": "instrument_names"}

# From here on fourth powers, which S takes, or their inverses leave the range of numbers.
_SMALLEST = 1e-70
# From where on it is looked at whether residuals are rounding.
_NEAR = 1e-12


class IV(FromFormula, Model[IVResult]):
    r"""Linear regression, some of whose regressors need instruments.

    .. math:: y = X \beta_1 + W \beta_2 + u, \qquad E\,[X\ Z]' u = 0

    Parameters
    ----------
    y : (..., n) array_like, Series or DataFrame
        The dependent variable, of one sample or of many with leading axes.
    exog : (..., n, k1) array_like or DataFrame, optional
        X, the exogenous regressors, a column of ones included if there is to be a constant.
    endog : (..., n, k2) array_like or DataFrame, optional
        W, the endogenous regressors.
    instruments : (..., n, l) array_like or DataFrame, optional
        Z, the excluded instruments, at least as many as W.
    clusters : (n,) or (n, 2) array_like, str or two str, optional
        Groups of observations, one way or two, for ``"cluster"``; or columns of the data frames
        that are given, by their names.
    fweight : (n,) array_like of int, or str, optional
        Frequencies, as Stata calls them: how often each row was seen. Everything is as if the
        rows stood there so often.
    aweight : (n,) array_like or str, optional
        Analytic weights, as Stata calls them: inverse to the variance of each row's error. Their
        mean is taken to be one; moments are weighted, and a robust covariance matrix allows for
        weights that are not quite right. Sampling weights are these with ``cov="robust"``.
    missing : {"raise", "drop"}
        Whether rows with missing values are an error, or left out; `dropped_rows` counts them,
        and the summary says so. Of one sample only.
    collinear : {"status", "raise", "drop"}
        What happens to columns that are sums of those before them: dummies beside a constant,
        copies, constants, categories that nobody is in. With "status" the fit's is ``SINGULAR``
        and its `reason` names them; "raise" is an error that does. "drop" leaves them out, as
        Stata and fixest do: exogenous regressors, then endogenous ones, then instruments, each
        if what stands before it spans it; `dropped_columns` and the summary name them. The last
        two of one sample only.

    See Also
    --------
    gmm.Moments : moments of any form.

    Notes
    -----
    Every step has a closed form, refined by the moments of its residuals. One step is two-stage
    least squares; with W and Z left out it is ordinary least squares. An array without leading
    axes is shared by all samples. Names of columns become names of parameters.

    References
    ----------
    .. [1] Hayashi (2000), Econometrics, chapter 3.

    Examples
    --------
    Two-stage least squares, then efficient GMM, of a regressor that shares the error's noise:

    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(5)
    >>> z, noise = rng.standard_normal((500, 3)), rng.standard_normal(500)
    >>> w = z.sum(axis=1) + noise + rng.standard_normal(500)
    >>> y = 1 + 2 * w + 3 * noise
    >>> ones = np.ones((500, 1))
    >>> gmm.IV(y, exog=np.column_stack([ones, w])).fit().params.round(2)  # least squares: biased
    array([1.06, 2.57])
    >>> model = gmm.IV(y, exog=ones, endog=w, instruments=z)
    >>> model.fit(steps=1, weights="unadjusted").params.round(2)
    array([1.12, 1.92])
    >>> result = model.fit()
    >>> result.params.round(2), result.bse.round(2)
    (array([1.13, 1.92]), array([0.14, 0.08]))
    >>> print(result.j_test)
    J test of overidentifying restrictions
    H0: all moment conditions hold
    chi2(2) = 1.29946, p = 0.5222
    """

    default_initial: ClassVar[str] = "unadjusted"
    result_type: ClassVar[type[GMMResult]] = IVResult
    dropped_rows: int = 0
    dropped_columns: tuple[str, ...] = ()
    # Square roots of the rows' weights, and where each row begins that stands there repeatedly.
    roots: Array | None = None
    first_rows: npt.NDArray[np.intp] | None = None

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
        *,
        fweight: npt.ArrayLike | None = None,
        aweight: npt.ArrayLike | None = None,
        missing: Literal["raise", "drop"] = "raise",
        collinear: Collinear = "status",
    ) -> None:
        if missing not in ("raise", "drop"):
            raise ValueError(f"missing is {missing!r}; it must be 'raise' or 'drop'")
        clusters, fweight, aweight = (
            chosen_columns(x, name, y, exog, endog, instruments)
            for name, x in (("clusters", clusters), ("fweight", fweight), ("aweight", aweight))
        )
        if missing == "drop":
            given = {"y": y, "exog": exog, "endog": endog, "instruments": instruments}
            weighed = {"clusters": clusters, "fweight": fweight, "aweight": aweight}
            rows, self.dropped_rows = complete({**given, **weighed})
            y, exog, endog, instruments, clusters, fweight, aweight = rows.values()
            if self.dropped_rows:
                self.facts = {"left out": f"{self.dropped_rows:,} rows with missing values"}
        data = {"y": y, "exog": exog, "endog": endog, "instruments": instruments}
        check_rows(**data, clusters=clusters, fweight=fweight, aweight=aweight)
        self.y = dependent(y)
        self.n = self.y.shape[-1]
        given = {"exog": exog, "endog": endog, "instruments": instruments}
        self.index: Any = y.index if is_pandas(y) else None
        self.labelled = any(is_pandas(x) for x in (y, *given.values()))
        arrays = {name: columns(x, name, self.y.shape) for name, x in given.items()}
        self.exog, self.endog, self.instruments = arrays.values()
        self.exog_names, self.endog_names, self.instrument_names = (
            column_names(x, prefix, arrays[name].shape[-1])
            for (name, x), prefix in zip(given.items(), ("exog", "endog", "instr"), strict=True)
        )
        self.shape = np.broadcast_shapes(
            self.y.shape[:-1], *(array.shape[:-2] for array in arrays.values())
        )
        self.collinear = collinear
        everything = (*self.exog_names, *self.endog_names, *self.instrument_names)
        if len(set(everything)) < len(everything):
            twice = next(name for name in everything if everything.count(name) > 1)
            raise ValueError(f"the name {twice!r} occurs twice among the columns")
        self._settle_columns()
        self.clusters = clusters_of(clusters, self.n)
        if fweight is not None:
            self._repeat(frequencies(fweight, self.n))
        if aweight is not None:
            if fweight is not None:
                raise ValueError("fweight and aweight are given; choose one")
            self._scale(analytic(aweight, self.n))

    def finite(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) all data of a sample are."""
        whole = np.ones(self.shape, bool)
        for a in (self.y[..., np.newaxis], self.exog, self.endog, self.instruments):
            whole = whole & np.isfinite(a).all(axis=(-2, -1))
        return whole.reshape(-1)

    def cause_of_singularity(self, sample: int = 0) -> str:
        """Collinear columns of one sample, by their names, or else what else stands in the way."""
        arrays, names = self._arguments()
        one = of_sample({**arrays, "y": self.y[..., np.newaxis]}, self.shape, sample)
        y = one.pop("y")
        if cause := described(of_arguments(one, names)):
            return cause
        for name, a in {"y": y, **one}.items():
            size = float(np.abs(a).max(initial=0.0))
            if size and not _SMALLEST < size < 1 / _SMALLEST:
                return (
                    f"the largest value of {name} is {size:.3g}, whose powers leave the range of "
                    "numbers; rescale it"
                )
        together = np.concatenate([one["exog"], one["endog"], y], axis=1)
        found = dependent_columns(together, (*self.exog_names, *self.endog_names, "y"))
        return f"a perfect fit, {found[0]}" if found else ""

    def cause_of_infinity(self, sample: int = 0) -> str:
        """Which arguments of one sample are not finite."""
        arrays = {"y": self.y[..., np.newaxis], **self._arguments()[0]}
        counts = {
            name: int(np.count_nonzero(~np.isfinite(a)))
            for name, a in of_sample(arrays, self.shape, sample).items()
        }
        return ", ".join(f"{name} has {count} infinite or missing values"
                         for name, count in counts.items() if count)  # fmt: skip

    def _arguments(self) -> tuple[dict[str, Array], dict[str, tuple[str, ...]]]:
        """Arrays and names of columns by argument."""
        arrays = {name: getattr(self, name) for name in _NAMES}
        return arrays, {name: getattr(self, names) for name, names in _NAMES.items()}

    def _settle_columns(self) -> None:
        """Refuse or leave out collinear columns, if that is wanted, and name what there is."""
        arrays, names, gone = settled(self.collinear, *self._arguments(), self.shape)
        for argument, attribute in _NAMES.items():
            setattr(self, argument, arrays[argument])
            setattr(self, attribute, names[argument])
        if gone:
            self.dropped_columns += tuple(column.name for column in gone)
            before = [self.facts["dropped"]] if "dropped" in self.facts else []
            self.facts = {**self.facts, "dropped": ", ".join([*before, listed(gone)])}
        k2, count = len(self.endog_names), len(self.instrument_names)
        if not self.exog_names and not k2:
            raise ValueError("there are no regressors: give exog, endog or both")
        if count < k2:
            instruments = f"{count} instrument{'s' * (count != 1)}"
            raise ValueError(f"{instruments} cannot identify {k2} endogenous regressors")
        self.names = (*self.exog_names, *self.endog_names)
        self.moment_names = (*self.exog_names, *self.instrument_names)

    def _repeat(self, counts: npt.NDArray[np.intp]) -> None:
        """Each row as often as it was seen."""
        rows = np.repeat(np.arange(self.n), counts)
        self.first_rows = np.cumsum(counts) - counts
        if not counts.all():
            raise ValueError("fweight is zero for some rows; leave them out")
        self.y = self.y[..., rows]
        for name in ("exog", "endog", "instruments"):
            setattr(self, name, getattr(self, name)[..., rows, :])
        self.clusters = None if self.clusters is None else self.clusters[rows]
        self.n = len(rows)
        self.facts = {**self.facts, "weighted by": "frequencies"}

    def _scale(self, roots: Array) -> None:
        """Each row times the square root of its weight, which all that follows respects."""
        self.roots = roots
        self.y = self.y * roots
        for name in ("exog", "endog", "instruments"):
            setattr(self, name, getattr(self, name) * roots[:, np.newaxis])
        self.facts = {**self.facts, "weighted by": "analytic weights"}

    def with_instruments(self, columns: Array, names: Sequence[str]) -> Self:
        """The same model, with more instruments."""
        model = copy(self)
        model.instruments = beside(self.instruments, columns)
        model.instrument_names = (*self.instrument_names, *names)
        model.moment_names = (*self.exog_names, *model.instrument_names)
        return model

    def regression(self, y: Array, x: Array) -> "IV":
        """The least-squares regression of y on x, with the same clusters."""
        return IV(y, exog=x, clusters=self.clusters)

    def reduced_form(self, y: Array) -> "IV":
        """The regression of y on the exogenous regressors and the instruments."""
        return self.regression(y, beside(self.exog, self.instruments))

    def problem(self, start: Array | None) -> tuple["LinearMoments", Array]:
        """What is estimated; a closed form needs no start."""
        problem = LinearMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=len(self.exog_names) + len(self.instrument_names),
            k=len(self.exog_names) + len(self.endog_names),
            clusters=self.clusters,
            y=flattened(self.y, 1, self.shape),
            x=blocks([self.exog, self.endog], self.shape),
            z=blocks([self.exog, self.instruments], self.shape),
        )
        start = np.zeros((problem.samples, problem.k)) if start is None else start
        return problem, start

    def coordinates(self, problem: Problem) -> Coordinates | None:
        """Those in which the columns are orthonormal, if the instruments are nearly collinear."""
        return problem.well_conditioned() if type(problem) is LinearMoments else None


@dataclass(frozen=True, kw_only=True)
class LinearMoments(InstrumentedMoments):
    """E z (y - x'theta) = 0, with the cross products Z'X / n and Z'y / n."""

    y: Array
    x: Columns
    zx: Array = field(init=False)
    zy: Array = field(init=False)

    def __post_init__(self) -> None:
        y = self.y[..., np.newaxis]
        if are_few(self.z, self.x, (y,)):
            together, q = cross_products((*self.z, *self.x, y)) / self.n, self.q
            found = (together[:, :q, :q], together[:, :q, q:-1], together[:, :q, -1])
        else:
            zz, zx = products(self.z, self.z) / self.n, products(self.z, self.x) / self.n
            found = (zz, zx, products(self.z, (y,))[..., 0] / self.n)
        for name, value in zip(("zz", "zx", "zy"), found, strict=True):
            object.__setattr__(self, name, np.ascontiguousarray(value))

    def well_conditioned(self) -> Coordinates | None:
        """The problem in orthonormal columns, if products of its columns would lose digits."""
        near = ~(smallest_pivot(self.zz) > NEARLY_COLLINEAR) & np.isfinite(self.zz.sum(axis=(1, 2)))
        if not near.any():
            return None
        parts, roots = [], []
        for group in (self.z, self.x):
            samples = max(len(near), *map(len, group))
            together = joined(group, slice(None), samples)
            part, root = orthonormal(together, np.broadcast_to(near, samples))
            parts.append((part,))
            roots.append(root)
        z, x = parts
        return Coordinates(replace(self, z=z, x=x), *roots)

    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """y - x'theta (r, n)."""
        return some(self.y, index) - fitted(self.x, theta, index)

    def moments(self, theta: Array) -> Array:
        """Z'u / n (R, q)."""
        few = self.residual_products(theta)
        return super().moments(theta) if few is None else few[0] / self.n

    def error_variance(self, theta: Array) -> Array:
        """u'u / n (R,)."""
        few = self.residual_products(theta)
        return super().error_variance(theta) if few is None else few[1] / self.n

    def residual_products(self, theta: Array) -> tuple[Array, Array] | None:
        """Z'u (R, q) and u'u (R,) by the native core, if it is for so many columns."""
        if not are_few(self.z, self.x, (self.y[..., np.newaxis],)):
            return None
        moments, squares = np.empty((len(theta), self.q)), np.empty(len(theta))
        for span, (y, x, z) in self._column_pieces():
            own = np.ascontiguousarray(theta[span])
            _core.residual_products(y, x, z, own, moments[span], squares[span])
        return moments, squares

    def robust(self, theta: Array, center: bool) -> Array:
        """The mean (R, q, q) of u^2 z z', of moments less their mean if `center`."""
        if center or not are_few(self.z, self.x, (self.y[..., np.newaxis],)):
            return super().robust(theta, center)
        result = np.empty((len(theta), self.q, self.q))
        for span, (y, x, z) in self._column_pieces():
            _core.score_products(y, x, z, np.ascontiguousarray(theta[span]), result[span])
        return result / self.n

    def _column_pieces(self) -> Iterator[tuple[slice, tuple[Columns, Columns, Columns]]]:
        """Groups of samples, and their y, x and z."""
        for span, index in self.pieces():
            y = (some(self.y, index)[..., np.newaxis],)
            x, z = (tuple(some(a, index) for a in group) for group in (self.x, self.z))
            yield span, (y, x, z)

    def leverages(self, index: Rows | slice) -> Array:
        """h (r or 1, n) of the regressors' projections on the instruments."""
        samples = 1 if max(map(len, (*self.x, *self.z))) == 1 else len(some(self.y, index))
        z = joined(self.z, index, samples)
        return leverages(projection(joined(self.x, index, samples), z))

    def jacobian(self, theta: Array) -> Array:
        """-Z'X / n (R, q, k)."""
        return -self.of_rows(self.zx)

    def perfect(self, theta: Array, s: Array) -> npt.NDArray[np.bool_]:
        """Whether (R,) the residuals are rounding, which S (R, q, q) shows first."""
        y2 = np.einsum("rn,rn->r", self.y, self.y) / self.n
        y2 = np.broadcast_to(y2 if self.rows is None else some(y2, self.rows), len(theta))
        sizes = [np.einsum("rii->r", a) for a in (s, self.of_rows(self.zz))]
        result: npt.NDArray[np.bool_] = np.isfinite(y2) & (sizes[0] <= _NEAR * y2 * sizes[1])
        if result.any():
            near = np.flatnonzero(result)
            part, own = self.take(near), theta[near]
            index = slice(None) if part.rows is None else part.rows
            x = joined(self.x, index, len(near))
            fitted2 = np.einsum("rj,rnj->r", own * own, x * x) / self.n
            result[near] = part.error_variance(own) <= ROUNDING**2 * (y2[near] + fitted2)
            result[near] &= (y2[near] > 0) | ~some(self.y, index).any(axis=1)  # no underflow
        return result

    def identified(self, jacobian: Array, s: Array) -> npt.NDArray[np.bool_]:
        """Whether (R,) the regressors are, which `minimize` finds out."""
        return np.ones(self.samples, dtype=bool)

    def minimize(
        self, weights: Array, start: Array, search: Search, s: Array | None = None
    ) -> Minimum:
        """(X'Z W Z'X)^-1 X'Z W Z'y, and one step of refinement.

        The refinement takes its right-hand side from the residuals, which gives back the digits
        that the cross products have lost (Björck 1996, section 2.9.3).
        """
        zx, zy = self.of_rows(self.zx), self.of_rows(self.zy)
        if self.q == self.k:
            theta = solve_each(zx, zy[..., np.newaxis])[..., 0]
            g = self.moments(theta)
            step = solve_each(zx, g[..., np.newaxis])[..., 0]
            pivot = smallest_pivot(zx.swapaxes(1, 2) @ solve_each(self.of_rows(self.zz), zx))
        else:
            weighted = zx.swapaxes(1, 2) @ weights
            hessian = weighted @ zx
            hessian = (hessian + hessian.swapaxes(1, 2)) / 2
            theta = solve_each(hessian, weighted @ zy[..., np.newaxis])[..., 0]
            g = self.moments(theta)
            step = solve_each(hessian, weighted @ g[..., np.newaxis])[..., 0]
            pivot = smallest_pivot(hessian)
        theta = theta + step
        g = g - (zx @ step[..., np.newaxis])[..., 0]
        status = np.full(len(theta), Status.OK, np.int8)
        # A pivot is 1 - R^2 of one regressor, seen through the instruments, on those before it.
        regular = pivot > 64 * self.k * np.finfo(np.float64).eps
        status[~(regular & np.isfinite(theta).all(axis=1))] = Status.SINGULAR
        status[~np.isfinite(zx.sum(axis=(1, 2)) + zy.sum(axis=1))] = Status.NON_FINITE
        zeros = np.zeros(len(theta))
        return Minimum(theta, quadratic_each(g, weights), status, zeros.astype(np.int16), zeros)
