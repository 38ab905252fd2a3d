"""Linear regression with instruments."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from gmm._formulas import instrumental
from gmm._gauss_newton import Minimum
from gmm._labels import clusters_of, column_names, float_array, is_pandas
from gmm._linear import Array, quadratic_each, solve_each
from gmm._model import Model
from gmm._problem import Problem, Rows, Search
from gmm._results import GMMResult
from gmm._status import Status
from gmm._weights import smallest_pivot
from gmm.models.linear_iv_tests import IVResult

__all__ = ["IV"]


class IV(Model):
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
    clusters : (n,) or (n, 2) array_like, optional
        Groups of observations, one way or two, for ``"cluster"``.

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

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
    ) -> None:
        self.y = _dependent(y)
        self.n = self.y.shape[-1]
        columns = {"exog": exog, "endog": endog, "instruments": instruments}
        given = [x for x in (y, *columns.values()) if x is not None]
        self.labelled = any(is_pandas(x) for x in given)
        arrays = {name: _columns(x, name, self.y.shape) for name, x in columns.items()}
        self.exog, self.endog, self.instruments = arrays.values()
        self.exog_names, self.endog_names, self.instrument_names = (
            column_names(x, prefix, arrays[name].shape[-1])
            for (name, x), prefix in zip(columns.items(), ("exog", "endog", "instr"), strict=True)
        )
        k2, count = len(self.endog_names), len(self.instrument_names)
        if not self.exog_names and not k2:
            raise ValueError("there are no regressors: give exog, endog or both")
        if count < k2:
            raise ValueError(f"{count} instruments cannot identify {k2} endogenous regressors")
        self.shape = np.broadcast_shapes(
            self.y.shape[:-1], *(array.shape[:-2] for array in arrays.values())
        )
        self.names = (*self.exog_names, *self.endog_names)
        self.moment_names = (*self.exog_names, *self.instrument_names)
        everything = (*self.names, *self.instrument_names)
        if len(set(everything)) < len(everything):
            twice = next(name for name in everything if everything.count(name) > 1)
            raise ValueError(f"the name {twice!r} occurs twice among the columns")
        self.clusters = clusters_of(clusters, self.n)

    @classmethod
    def from_formula(cls, formula: str, data: Any, clusters: npt.ArrayLike | None = None) -> Self:
        """The model of a formula over the columns of a data frame; needs formulaic.

        Parameters
        ----------
        formula : str
            ``"y ~ x1 + x2 + [w ~ z1 + z2]"``: endogenous regressors and their instruments stand
            in brackets. A constant is included unless ``0`` or ``-1`` says otherwise.
        data : DataFrame
            Rows with missing values must be dropped before.
        clusters : optional
            As for the class.
        """
        return cls(**instrumental(formula, data), clusters=clusters)

    def with_instruments(self, columns: Array, names: Sequence[str]) -> Self:
        """The same model, with more instruments."""
        model = copy(self)
        model.instruments = _beside(self.instruments, columns)
        model.instrument_names = (*self.instrument_names, *names)
        model.moment_names = (*self.exog_names, *model.instrument_names)
        return model

    def problem(self, start: Array | None) -> tuple["LinearMoments", Array]:
        """What is estimated; a closed form needs no start."""
        y = self.y.reshape(-1, self.n)
        x = _beside(self.exog, self.endog)
        z = _beside(self.exog, self.instruments)
        y, x, z = (
            _flattened(a, a.ndim - tail, self.shape) for a, tail in ((self.y, 1), (x, 2), (z, 2))
        )
        k, q = x.shape[-1], z.shape[-1]
        samples = int(np.prod(self.shape))
        transposed = z.swapaxes(1, 2)
        problem = LinearMoments(
            samples=samples,
            n=self.n,
            q=q,
            k=k,
            clusters=self.clusters,
            y=y,
            x=x,
            z=z,
            zx=transposed @ x / self.n,
            zy=(transposed @ y[..., np.newaxis])[..., 0] / self.n,
            zz=transposed @ z / self.n,
        )
        return problem, np.zeros((samples, k)) if start is None else start


@dataclass(frozen=True, kw_only=True)
class LinearMoments(Problem):
    """E z (y - x'theta) = 0. Arrays have a leading axis of R, or of 1 if all samples share them.

    `zx`, `zy` and `zz` are the cross products over n.
    """

    y: Array
    x: Array
    z: Array
    zx: Array
    zy: Array
    zz: Array

    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """y - x'theta (r, n)."""
        fitted = _some(self.x, index) @ theta[..., np.newaxis]
        return _some(self.y, index) - fitted[..., 0]

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """z u (r, n, q)."""
        return _some(self.z, index) * self.residuals(theta, index)[..., np.newaxis]

    def moments(self, theta: Array) -> Array:
        """Z'u / n (R, q), from residuals: the cross products alone would cancel."""
        parts = [
            (self.residuals(theta[span], index)[:, np.newaxis] @ _some(self.z, index))[:, 0]
            for span, index in self.pieces()
        ]
        return np.concatenate([np.empty((0, self.q)), *parts]) / self.n

    def jacobian(self, theta: Array) -> Array:
        """-Z'X / n (R, q, k)."""
        return -self._of_rows(self.zx)

    def unadjusted(self, theta: Array) -> Array:
        """u'u / n times Z'Z / n."""
        variance = [
            np.square(self.residuals(theta[span], index)).mean(axis=1)
            for span, index in self.pieces()
        ]
        s2 = np.concatenate([np.empty(0), *variance])
        return s2[:, np.newaxis, np.newaxis] * self._of_rows(self.zz)

    def instrument_products(self) -> Array:
        """Z'Z / n (R, q, q)."""
        return self._of_rows(self.zz)

    def minimize(self, weights: Array, start: Array, search: Search) -> Minimum:
        """(X'Z W Z'X)^-1 X'Z W Z'y, and one step of refinement.

        The refinement takes its right-hand side from the residuals, which gives back the digits
        that the cross products have lost (Björck 1996, section 2.9.3).
        """
        zx, zy = self._of_rows(self.zx), self._of_rows(self.zy)
        if self.q == self.k:
            theta = solve_each(zx, zy[..., np.newaxis])[..., 0]
            g = self.moments(theta)
            step = solve_each(zx, g[..., np.newaxis])[..., 0]
            pivot = smallest_pivot(zx.swapaxes(1, 2) @ zx)
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
        return Minimum(theta, quadratic_each(g, weights), status, np.zeros(len(theta), np.int16))

    def _of_rows(self, products: Array) -> Array:
        """For each of the rows."""
        chosen = products if self.rows is None else _some(products, self.rows)
        return np.broadcast_to(chosen, (self.samples, *products.shape[1:]))


def _some(a: Array, index: Rows | slice) -> Array:
    return a if len(a) == 1 else a[index]


def _dependent(y: Any) -> Array:
    values = float_array(y, "y")
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(
            f"y has shape {values.shape}; it must be (n,), or (..., n) for many samples"
        )
    return values


def _columns(x: Any, argument: str, shape: tuple[int, ...]) -> Array:
    """The array (..., n, columns); one variable may lack its last axis."""
    n = shape[-1]
    if x is None:
        return np.empty((n, 0))
    values = float_array(x, argument)
    if values.ndim == 1 or values.shape == shape:
        values = values[..., np.newaxis]
    if values.ndim < 2 or values.shape[-2] != n:
        raise ValueError(
            f"{argument} has shape {np.shape(x)}; it must be (..., {n}, columns) to match "
            f"y of shape {shape}"
        )
    try:
        np.broadcast_shapes(values.shape[:-2], shape[:-1])
    except ValueError:
        raise ValueError(
            f"{argument} has leading axes {values.shape[:-2]}, y has {shape[:-1]}; they must agree"
        ) from None
    return values


def _beside(first: Array, second: Array) -> Array:
    """Columns of both, for each sample."""
    lead = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    return np.concatenate(
        [np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in (first, second)], axis=-1
    )


def _flattened(a: Array, leading: int, shape: tuple[int, ...]) -> Array:
    """With one leading axis: of length 1 if the array has none, else of all samples."""
    if leading == 0:
        return a[np.newaxis]
    tail = a.shape[leading:]
    return np.broadcast_to(a, (*shape, *tail)).reshape(-1, *tail)
