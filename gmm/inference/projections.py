"""Cross products of a linear model with instruments, which all its instrument tests share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmm import _core
from gmm.data.arrays import ROUNDING, Array, Rows, flattened
from gmm.data.collinearity import rounding
from gmm.data.instruments import are_few, cross_products, some
from gmm.estimation.linear import inverse_each, quadratic_each, root_each, solve_each
from gmm.estimation.weights import smallest_pivot


class LinearModel(Protocol):
    """What these functions need to know of `gmm.IV`."""

    n: int
    shape: tuple[int, ...]
    y: Array
    exog: Array
    endog: Array
    instruments: Array
    exog_names: tuple[str, ...]
    endog_names: tuple[str, ...]
    instrument_names: tuple[str, ...]
    clusters: Any

    @property
    def fit(self) -> Callable[..., Any]:
        """What estimates it: a `GMMResult` comes out."""

    def with_instruments(self, columns: Array, names: Sequence[str]) -> Any:
        """The same model, with more instruments."""

    def regression(self, y: Array, x: Array) -> Any:
        """The least-squares regression of y on x, with the same clusters."""

    def cause_of_singularity(self, sample: int = 0) -> str:
        """Collinear columns of one sample, by their names; empty if there are none."""

    def reduced_form(self, y: Array) -> Any:
        """The regression of y on the exogenous regressors and the instruments."""


def residuals(y: Array, *x: Array, kappa: Array | None = None) -> Array:
    """Of the columns of y (..., n, p) on those of all x (..., n, k), by least squares.

    With `kappa` (...) y less so much of them.

    A second pass takes out what rounding of the cross products has left of x in the first. NaN if
    the columns of x are collinear: what rounding has left of them would be taken for regressors.
    """
    groups = [a for a in x if a.shape[-1]]
    if not groups:
        return y
    own = np.broadcast_shapes(*(a.shape[:-2] for a in groups))
    if are_few((y, *groups)):
        return _few_residuals(y, groups, own, kappa)
    return _less(y, kappa, _many_residuals(y, groups, own))


def _less(y: Array, kappa: Array | None, rest: Array) -> Array:
    """The residuals, or y less so much of them."""
    return rest if kappa is None else y - kappa[..., np.newaxis, np.newaxis] * rest


def _few_residuals(
    y: Array, groups: Sequence[Array], own: tuple[int, ...], kappa: Array | None
) -> Array:
    """By the native core; those with small pivots once more, by what can tell."""
    lead = np.broadcast_shapes(own, y.shape[:-2])
    x = tuple(flattened(a, 2, lead) for a in groups)
    width = sum(a.shape[-1] for a in x)
    both = flattened(y, 2, lead)
    result, pivots = np.empty((math.prod(lead), *y.shape[-2:])), np.empty(math.prod(lead))
    weights = np.empty(0) if kappa is None else np.broadcast_to(kappa, lead).reshape(-1)
    _core.projection_residuals((both,), x, np.ascontiguousarray(weights), result, pivots)
    doubtful = np.flatnonzero(~(pivots > 64 * width * np.finfo(np.float64).eps))
    if doubtful.size:
        left = some(both, doubtful)
        rest = _many_residuals(left, [some(a, doubtful) for a in x], (len(doubtful),))
        result[doubtful] = _less(left, None if kappa is None else weights[doubtful], rest)
    return result.reshape(*lead, *y.shape[-2:])


def _many_residuals(y: Array, groups: Sequence[Array], own: tuple[int, ...]) -> Array:
    """By products of matrices."""
    width = sum(a.shape[-1] for a in groups)
    products = _products(groups, own).reshape(*own, width, width)
    scale = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
    scale = np.where(scale > 0, scale, 1.0)[..., np.newaxis]
    products = products / (scale * scale.swapaxes(-1, -2))
    gone = rounding_decides(groups, products)
    if gone.any():
        y = np.where(gone[..., np.newaxis, np.newaxis], np.nan, y)
    lead = np.broadcast_shapes(own, y.shape[:-2])
    products = np.broadcast_to(products, (*lead, width, width))
    places = np.cumsum([a.shape[-1] for a in groups])[:-1]
    for _ in range(2):
        parts = [a.swapaxes(-1, -2) @ y for a in groups]
        parts = [np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in parts]
        coefficients = solve_each(products, np.concatenate(parts, axis=-2) / scale) / scale
        for a, b in zip(groups, np.split(coefficients, places, axis=-2), strict=True):
            y = y - a * b if a.shape[-1] == 1 else y - a @ b
    return y


def rounding_decides(groups: Sequence[Array], products: Array) -> npt.NDArray[np.bool_]:
    """Whether (...) the columns of all are collinear; their products tell where that may be."""
    p = products.shape[-1]
    lead = products.shape[:-2]
    with np.errstate(all="ignore"):
        pivot = smallest_pivot(products.reshape(-1, p, p))
    gone = np.zeros(len(pivot), bool)
    doubtful = np.flatnonzero(~(pivot > 64 * p * np.finfo(np.float64).eps))
    if doubtful.size:
        gone[doubtful] = collinear(_chosen(groups, lead, doubtful))
    return gone.reshape(lead)


def _chosen(groups: Sequence[Array], lead: tuple[int, ...], rows: Rows) -> Array:
    """All columns (r, n, .) of some samples side by side."""
    parts = [flattened(a, 2, lead) for a in groups]
    parts = [a[rows] if len(a) > 1 else np.repeat(a, len(rows), axis=0) for a in parts]
    return np.concatenate(parts, axis=2)


# A pivot is 1 - R^2 of a column on those before it; cross products lose as many digits as it has
# zeros. Below this the residuals themselves are formed.
_SAFE_PIVOT = 1e-3


@dataclass(frozen=True)
class Projections:
    """Y'PY and Y'MY (R, 1 + k2, 1 + k2) of Y = [y W], the exogenous regressors partialled out.

    P projects on the excluded instruments, M off them; `df` is n - k1 - l for l instruments, and
    `size` (R, 1 + k2) are the roots of the diagonal of Y'Y before all that.
    """

    on: Array
    off: Array
    count: int
    df: int
    size: Array

    @classmethod
    def of(cls, model: LinearModel) -> "Projections":
        """Those of every sample of a model."""
        k1, count = len(model.exog_names), len(model.instrument_names)
        groups = [model.exog, model.instruments, model.y[..., np.newaxis], model.endog]
        groups = [a for a in groups if a.shape[-1]]
        lead = np.broadcast_shapes(*(a.shape[:-2] for a in groups))
        p = 1 + len(model.endog_names)
        with np.errstate(all="ignore"):
            products = _products(groups, lead)
            size = np.sqrt(np.einsum("rii->ri", products)[:, k1 + count :])
            on, off, pivot = _eliminated(products, k1, count)
            hard = np.flatnonzero(~(pivot > _SAFE_PIVOT))
            if hard.size:
                on[hard], off[hard] = _by_residuals(_chosen(groups, lead, hard), k1, count)
        on, off = (
            np.broadcast_to(a.reshape(*lead, p, p), (*model.shape, p, p)).reshape(-1, p, p)
            for a in (on, off)
        )
        size = np.broadcast_to(size.reshape(*lead, p), (*model.shape, p)).reshape(-1, p)
        return cls(on, off, count, model.n - k1 - count, size)

    def unknown(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) regressors and instruments are collinear, or something is not finite."""
        return np.asarray(~np.isfinite(self.on[:, 0, 0] + self.off[:, 0, 0]))

    def eigenvalues(self) -> Array:
        """Of (Y'MY)^-1 Y'PY (R, 1 + k2), ascending; NaN where there are none."""
        return relative_eigenvalues(self.on, self.off)

    def quadratic(self, b: Array) -> tuple[Array, Array]:
        """b'Y'PYb and b'Y'MYb (R,) of b (1 + k2,) or (R, 1 + k2)."""
        b = np.broadcast_to(b, self.on.shape[:2])
        on, off = (quadratic_each(b, a) for a in (self.on, self.off))
        # Residuals that are rounding have no size, to which another could be compared.
        least = ROUNDING * quadratic_each(np.abs(b), np.abs(self.on) + np.abs(self.off))
        least = np.maximum(least, (ROUNDING * (np.abs(b) * self.size).sum(axis=1)) ** 2)
        off = np.where(off > least, off, np.nan)
        return np.maximum(on, 0.0), off


def _products(groups: Sequence[Array], lead: tuple[int, ...]) -> Array:
    """A'A (R, p, p) of all columns side by side."""
    return cross_products(tuple(flattened(a, 2, lead) for a in groups))


def _eliminated(products: Array, k1: int, count: int) -> tuple[Array, Array, Array]:
    """Y'PY, Y'MY of cross products (R, p, p) of [X Z Y], and the smallest pivot relative to 1."""
    # The samples last: they are many, and a column at a time is taken out of all of them.
    rest = products.transpose(1, 2, 0).copy()
    size, smallest = np.einsum("iir->ir", rest).copy(), np.ones(len(products))
    last = k1 + count
    for j in range(last):
        if j == k1:
            before = rest[last:, last:].copy()
        np.minimum(smallest, rest[j, j] / size[j], out=smallest)
        row = rest[j, j + 1 :]
        rest[j + 1 :, j + 1 :] -= row[:, np.newaxis] * (row / rest[j, j])
    off = rest[last:, last:]
    left = (np.einsum("iir->ir", off) / size[last:]).min(axis=0)
    on, off = (np.ascontiguousarray(a.transpose(2, 0, 1)) for a in (before - off, off))
    return on, off, np.minimum(smallest, left)


def _by_residuals(stack: Array, k1: int, count: int) -> tuple[Array, Array]:
    x, z, both = np.split(stack, [k1, k1 + count], axis=2)
    both[collinear(stack[..., : k1 + count])] = np.nan
    both = _beyond_rounding(residuals(both, x), both)
    off = _beyond_rounding(residuals(both, residuals(z, x)), both)
    on = both - off
    return on.swapaxes(1, 2) @ on, off.swapaxes(1, 2) @ off


def _beyond_rounding(left: Array, columns: Array) -> Array:
    """What is left of columns (r, n, p); zero where that is rounding."""
    sizes = [np.sqrt((a * a).sum(axis=1, keepdims=True)) for a in (left, columns)]
    return np.where(sizes[0] <= ROUNDING * sizes[1], 0.0, left)


def collinear(x: Array) -> npt.NDArray[np.bool_]:
    """Whether (R,) some column of x (R, n, c) is a sum of others, to rounding."""
    r, n, c = x.shape
    if not c or n < c:
        return np.full(r, n < c)
    scale = np.abs(x).max(axis=1, keepdims=True)
    x = x / np.where(scale > 0, scale, 1.0)
    bad = np.asarray(~np.isfinite(x.reshape(r, -1)).all(axis=1))
    x[bad] = 0.0
    triangle = np.asarray(np.linalg.qr(x, mode="r"), dtype=np.float64)
    left = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    size = np.sqrt((triangle**2).sum(axis=1))
    gone: npt.NDArray[np.bool_] = bad | (left <= rounding(n, c) * size).any(axis=1)
    return gone


def relative_eigenvalues(a: Array, b: Array) -> Array:
    """Of b^-1 a (R, p), ascending, for symmetric a and positive definite b; NaN elsewhere."""
    if a.shape[-1] == 2:
        return _relative_eigenvalues_of_two(a, b)
    with np.errstate(all="ignore"):
        root = root_each(b)
        half = solve_each(root, a)
        c = solve_each(root, half.swapaxes(1, 2))
    c = (c + c.swapaxes(1, 2)) / 2
    bad = ~np.isfinite(c).all(axis=(1, 2))
    c[bad] = 0.0
    values: Array = np.asarray(np.linalg.eigvalsh(c), np.float64)
    values[bad] = np.nan
    return values


def _relative_eigenvalues_of_two(a: Array, b: Array) -> Array:
    """The same by the formula for L^-1 a L'^-1, L L' = b, of all matrices at once."""
    with np.errstate(all="ignore"):
        first = np.sqrt(b[:, 0, 0])
        below = b[:, 1, 0] / first
        last = np.sqrt(b[:, 1, 1] - below * below)
        c = np.empty((len(a), 2, 2))
        half = (a[:, 1, 0] - below / first * a[:, 0, 0]) / last
        c[:, 0, 0] = a[:, 0, 0] / b[:, 0, 0]
        c[:, 1, 0] = c[:, 0, 1] = half / first
        c[:, 1, 1] = (a[:, 1, 1] - below / first * a[:, 0, 1]) / last
        c[:, 1, 1] = (c[:, 1, 1] - below / first * half) / last
        values = eigenvalues_of_two(c)
    values[~np.isfinite(values).all(axis=1)] = np.nan
    return values


def eigenvalues_of_two(c: Array) -> Array:
    """Of symmetric matrices (R, 2, 2), ascending, without a call of LAPACK for each."""
    middle = (c[:, 0, 0] + c[:, 1, 1]) / 2
    radius = np.hypot((c[:, 0, 0] - c[:, 1, 1]) / 2, c[:, 1, 0])
    return np.stack([middle - radius, middle + radius], axis=1)


def projection(y: Array, x: Array) -> Array:
    """The columns of y on those of x."""
    return y - residuals(y, x)


def leverages(x: Array) -> Array:
    """The diagonal (..., n) of x (x'x)^-1 x'."""
    if not x.shape[-1]:
        return np.zeros(x.shape[:-1])
    products = x.swapaxes(-1, -2) @ x
    inverse = inverse_each(products.reshape(-1, *products.shape[-2:])).reshape(products.shape)
    result: Array = ((x @ inverse) * x).sum(axis=-1)
    return result
