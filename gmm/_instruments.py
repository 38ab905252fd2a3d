"""Moments that are products of a residual and instruments."""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from gmm._linear import Array
from gmm._problem import Problem, Rows


@dataclass(frozen=True, kw_only=True)
class InstrumentedMoments(Problem):
    """E z u(theta) = 0. Arrays have a leading axis of R, or of 1 if all samples share them.

    `zz` is Z'Z / n.
    """

    z: Array
    zz: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zz", self.z.swapaxes(1, 2) @ self.z / self.n)

    @abstractmethod
    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """u (r, n)."""

    def slopes(self, theta: Array, index: Rows | slice) -> Array:
        """du / dtheta (r, n, k)."""
        raise NotImplementedError

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """z u (r, n, q)."""
        return some(self.z, index) * self.residuals(theta, index)[..., np.newaxis]

    def moments(self, theta: Array) -> Array:
        """Z'u / n (R, q), without the products of every observation."""
        parts = [
            (self.residuals(theta[span], index)[:, np.newaxis] @ some(self.z, index))[:, 0]
            for span, index in self.pieces()
        ]
        return np.concatenate([np.empty((0, self.q)), *parts]) / self.n

    def jacobian(self, theta: Array) -> Array:
        """Z' du / n (R, q, k)."""
        parts = [
            some(self.z, index).swapaxes(1, 2) @ self.slopes(theta[span], index)
            for span, index in self.pieces()
        ]
        return np.concatenate([np.empty((0, self.q, self.k)), *parts]) / self.n

    def unadjusted(self, theta: Array) -> Array:
        """u'u / n times Z'Z / n."""
        variance = [
            np.square(self.residuals(theta[span], index)).mean(axis=1)
            for span, index in self.pieces()
        ]
        s2 = np.concatenate([np.empty(0), *variance])
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
