"""Cross products of a linear model with instruments, which all its instrument tests share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmm import _core
from gmm.data.arrays import Array, Rows, flattened
from gmm.data.collinearity import rounding
from gmm.estimation.linear import inverse_each, root_each, solve_each
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


def residuals(y: Array, *x: Array) -> Array:
    """Of the columns of y (..., n, p) on those of all x (..., n, k), by least squares.

    A second pass takes out what rounding of the cross products has left of x in the first. NaN if
    the columns of x are collinear: what rounding has left of them would be taken for regressors.
    """
    groups = [a for a in x if a.shape[-1]]
    if not groups:
        return y
    own = np.broadcast_shapes(*(a.shape[:-2] for a in groups))
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
_CACHE_BYTES = 2**18


@dataclass(frozen=True)
class Projections:
    """Y'PY and Y'MY (R, 1 + k2, 1 + k2) of Y = [y W], the exogenous regressors partialled out.

    P projects on the excluded instruments, M off them; `df` is n - k1 - l for l instruments.
    """

    on: Array
    off: Array
    count: int
    df: int

    @classmethod
    def of(cls, model: LinearModel) -> "Projections":
        """Those of every sample of a model."""
        k1, count = len(model.exog_names), len(model.instrument_names)
        groups = [model.exog, model.instruments, model.y[..., np.newaxis], model.endog]
        groups = [a for a in groups if a.shape[-1]]
        lead = np.broadcast_shapes(*(a.shape[:-2] for a in groups))
        p = 1 + len(model.endog_names)
        with np.errstate(all="ignore"):
            on, off, pivot = _eliminated(_products(groups, lead), k1, count)
            hard = np.flatnonzero(~(pivot > _SAFE_PIVOT))
            if hard.size:
                on[hard], off[hard] = _by_residuals(_chosen(groups, lead, hard), k1, count)
        on, off = (
            np.broadcast_to(a.reshape(*lead, p, p), (*model.shape, p, p)).reshape(-1, p, p)
            for a in (on, off)
        )
        return cls(on, off, count, model.n - k1 - count)

    def unknown(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) regressors and instruments are collinear, or something is not finite."""
        return np.asarray(~np.isfinite(self.on[:, 0, 0] + self.off[:, 0, 0]))

    def eigenvalues(self) -> Array:
        """Of (Y'MY)^-1 Y'PY (R, 1 + k2), ascending; NaN where there are none."""
        return relative_eigenvalues(self.on, self.off)

    def quadratic(self, b: Array) -> tuple[Array, Array]:
        """b'Y'PYb and b'Y'MYb (R,) of b (1 + k2,) or (R, 1 + k2)."""
        b = np.broadcast_to(b, self.on.shape[:2])
        values = [np.einsum("ri,rij,rj->r", b, a, b, optimize=False) for a in (self.on, self.off)]
        return values[0], values[1]


def _products(groups: Sequence[Array], lead: tuple[int, ...]) -> Array:
    """A'A (R, p, p) of all columns side by side, for as many samples at a time as stay in cache."""
    n, width = groups[0].shape[-2], sum(a.shape[-1] for a in groups)
    samples = math.prod(lead)
    parts = [flattened(a, 2, lead) for a in groups]
    size = max(1, _CACHE_BYTES // (8 * n * width))
    together = np.empty((min(size, samples), width, n))
    result = np.empty((samples, width, width))
    for first in range(0, samples, size):
        span = slice(first, min(first + size, samples))
        stack = together[: span.stop - first]
        last = 0
        for a in parts:
            begin, last = last, last + a.shape[2]
            stack[:, begin:last] = (a if len(a) == 1 else a[span]).swapaxes(1, 2)
        _core.cross_products(stack, result[span])
    return result


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
    both = residuals(both, x)
    off = residuals(both, residuals(z, x))
    on = both - off
    return on.swapaxes(1, 2) @ on, off.swapaxes(1, 2) @ off


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
    with np.errstate(all="ignore"):
        root = root_each(b)
        half = solve_each(root, a)
        c = solve_each(root, half.swapaxes(1, 2))
    c = (c + c.swapaxes(1, 2)) / 2
    bad = ~np.isfinite(c).all(axis=(1, 2))
    c[bad] = 0.0
    two = c.shape[-1] == 2
    values: Array = eigenvalues_of_two(c) if two else np.asarray(np.linalg.eigvalsh(c), np.float64)
    values[bad] = np.nan
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
