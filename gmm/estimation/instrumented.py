"""Moments that are products of a residual and instruments."""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from gmm.data.arrays import Array, Rows
from gmm.data.instruments import Columns, products, some
from gmm.estimation.problem import Problem


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
        return self.error_variance(theta)[:, np.newaxis, np.newaxis] * self.of_rows(self.zz)

    def error_variance(self, theta: Array) -> Array:
        """u'u / n (R,)."""
        s2 = np.empty(len(theta))
        for span, index in self.pieces():
            s2[span] = np.square(self.residuals(theta[span], index)).mean(axis=1)
        return s2

    def instrument_products(self) -> Array:
        """Z'Z / n (R, q, q)."""
        return self.of_rows(self.zz)

    def of_rows(self, products: Array) -> Array:
        """Those of the samples meant."""
        chosen = products if self.rows is None else some(products, self.rows)
        return np.broadcast_to(chosen, (self.samples, *products.shape[1:]))
