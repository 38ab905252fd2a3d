"""Moments that are products of a residual and instruments."""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from gmm._linear import Array
from gmm._problem import Problem, Rows

Columns = tuple[Array, ...]


@dataclass(frozen=True, kw_only=True)
class InstrumentedMoments(Problem):
    """E z u(theta) = 0. Arrays have a leading axis of R, or of 1 if all samples share them.

    The instruments z are groups of columns (R or 1, n, .), which need not be copied to lie side by
    side. `zz` is Z'Z / n.
    """

    z: Columns
    zz: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zz", products(self.z, self.z) / self.n)

    @abstractmethod
    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """u (r, n)."""

    def slopes(self, theta: Array, index: Rows | slice) -> Array:
        """du / dtheta (r, n, k)."""
        raise NotImplementedError

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """z u (r, n, q)."""
        u = self.residuals(theta, index)[..., np.newaxis]
        result = np.empty((len(theta), self.n, self.q))
        last = 0
        for block in self.z:
            first, last = last, last + block.shape[-1]
            np.multiply(some(block, index), u, out=result[..., first:last])
        return result

    def moments(self, theta: Array) -> Array:
        """Z'u / n (R, q), without the products of every observation."""
        result = np.empty((len(theta), self.q))
        for span, index in self.pieces():
            u = self.residuals(theta[span], index)[:, np.newaxis]
            parts = [(u @ some(block, index))[:, 0] for block in self.z]
            np.concatenate(parts, axis=-1, out=result[span])
        return result / self.n

    def jacobian(self, theta: Array) -> Array:
        """Z' du / n (R, q, k)."""
        result = np.empty((len(theta), self.q, self.k))
        for span, index in self.pieces():
            slopes = self.slopes(theta[span], index)
            parts = [some(block, index).swapaxes(1, 2) @ slopes for block in self.z]
            np.concatenate(parts, axis=1, out=result[span])
        return result / self.n

    def unadjusted(self, theta: Array) -> Array:
        """u'u / n times Z'Z / n."""
        s2 = np.empty(len(theta))
        for span, index in self.pieces():
            s2[span] = np.square(self.residuals(theta[span], index)).mean(axis=1)
        return s2[:, np.newaxis, np.newaxis] * self.of_rows(self.zz)

    def instrument_products(self) -> Array:
        """Z'Z / n (R, q, q)."""
        return self.of_rows(self.zz)

    def of_rows(self, products: Array) -> Array:
        """Those of the samples meant."""
        chosen = products if self.rows is None else some(products, self.rows)
        return np.broadcast_to(chosen, (self.samples, *products.shape[1:]))


def some(a: Array, index: Rows | slice) -> Array:
    """Those of some samples, of an array that all may share."""
    return a if len(a) == 1 else a[index]


def products(left: Columns, right: Columns) -> Array:
    """Left' right (R or 1, ., .) of all columns."""
    rows = [[a.swapaxes(1, 2) @ b for b in right] for a in left]
    samples = max(len(product) for row in rows for product in row)
    return np.concatenate([_joined(row, samples, -1) for row in rows], axis=1)


def fitted(x: Columns, theta: Array, index: Rows | slice) -> Array:
    """x'theta (r, n)."""
    result, last = np.zeros(()), 0
    for block in x:
        first, last = last, last + block.shape[-1]
        part = (some(block, index) @ theta[:, first:last, np.newaxis])[..., 0]
        result = part if first == 0 else result + part
    return result


def joined(x: Columns, index: Rows | slice, samples: int) -> Array:
    """All columns (r, n, .) of some samples side by side."""
    return _joined([some(block, index) for block in x], samples, -1)


def _joined(parts: list[Array], samples: int, axis: int) -> Array:
    if len(parts) == 1:
        return np.broadcast_to(parts[0], (samples, *parts[0].shape[1:]))
    return np.concatenate([np.broadcast_to(a, (samples, *a.shape[1:])) for a in parts], axis=axis)
