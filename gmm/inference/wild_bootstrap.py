"""The wild bootstrap of tests in linear models, for observations or for clusters of them.

Draws are taken many at a time: everything that a draw needs of the n observations is linear in
its n random signs, a matrix product for all draws together, but for the squared residuals of
heteroskedasticity, which are formed for a block of draws that stays in cache.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.linear import inverse_each, quadratic_each

Signs = Literal["rademacher", "mammen", "webb", "normal"]

_BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Null:
    """A linear model with the restrictions R theta = q imposed, its instruments orthonormal.

    `z` (n, q) spans exogenous regressors and instruments, x = z `front`, and the endogenous are
    z `first` plus `noise` (n, k2); `errors` (n,) are the restricted residuals. `clusters` (n,)
    are codes from zero, or None.
    """

    z: Array
    front: Array
    first: Array
    errors: Array
    noise: Array
    r: Array
    clusters: npt.NDArray[np.intp] | None

    @classmethod
    def of(
        cls,
        y: Array,
        x: Array,
        w: Array,
        z: Array,
        r: Array,
        q: Array,
        clusters: npt.NDArray[np.intp] | None,
    ) -> "Null":
        """The restricted efficient residuals of Davidson and MacKinnon (2010)."""
        basis = np.linalg.qr(np.column_stack([x, z]))[0]
        regressors = np.column_stack([x, w])
        projected = basis.T @ regressors
        origin = np.linalg.lstsq(r, q)[0]
        free = np.linalg.svd(r)[2][len(r) :].T
        theta = origin
        if free.size:
            target = basis.T @ y - projected @ origin
            theta = origin + free @ np.linalg.lstsq(projected @ free, target)[0]
        errors = y - regressors @ theta
        # The first stages with the restricted residuals beside the instruments.
        first = np.linalg.lstsq(np.column_stack([basis, errors]), w)[0][:-1]
        return cls(basis, projected[:, : x.shape[1]], first, errors, w - basis @ first, r, clusters)

    def statistics(self, signs: Array) -> Array:
        """Wald statistics (B,) of draws (B, n), or (B, G) with clusters."""
        sums, spread = self._sums(signs)
        count, k1 = len(signs), self.front.shape[1]
        a = np.empty((count, self.z.shape[1], k1 + self.noise.shape[1]))
        a[:, :, :k1] = self.front
        a[:, :, k1:] = self.first + spread
        bread = inverse_each(a.swapaxes(1, 2) @ a)
        delta = (bread @ (a.swapaxes(1, 2) @ sums[..., np.newaxis]))[..., 0]
        shift = delta[:, :k1] @ self.front.T + delta[:, k1:] @ self.first.T
        meat = self._meat(signs, delta[:, k1:], shift)
        half = self.r @ bread @ a.swapaxes(1, 2)
        return quadratic_each(delta @ self.r.T, inverse_each(half @ meat @ half.swapaxes(1, 2)))

    def _sums(self, signs: Array) -> tuple[Array, Array]:
        """z'u* (B, q) and z'V* (B, q, k2)."""
        u, v = self._products
        return signs @ u, (signs @ v).reshape(len(signs), *self.first.shape)

    @cached_property
    def _products(self) -> tuple[Array, Array]:
        """z u (n, q) and z V (n, q k2), summed over each cluster if there are any."""
        u = self.z * self.errors[:, np.newaxis]
        v = self.z[:, :, np.newaxis] * self.noise[:, np.newaxis, :]
        v = v.reshape(len(u), self.first.size)
        return (u, v) if self.clusters is None else (self._by_group(u), self._by_group(v))

    @cached_property
    def _squares(self) -> Array:
        """z z' of each cluster (G, q, q), or its lower triangle (n, q (q + 1) / 2) for each i."""
        q = self.z.shape[1]
        if self.clusters is None:
            rows, columns = np.tril_indices(q)
            return np.asarray(self.z[:, rows] * self.z[:, columns])
        every = self.z[:, :, np.newaxis] * self.z[:, np.newaxis]
        return self._by_group(every.reshape(-1, q * q)).reshape(-1, q, q)

    def _by_group(self, a: Array) -> Array:
        assert self.clusters is not None
        result = np.zeros((self.clusters.max() + 1, a.shape[1]))
        np.add.at(result, self.clusters, a)
        return result

    def _meat(self, signs: Array, slope: Array, shift: Array) -> Array:
        """The sum of squares of z e* (B, q, q), e* = (u - V slope) signs - z shift."""
        q, k2 = self.first.shape
        if self.clusters is not None:
            u, v = self._products
            scores = u - (slope @ v.reshape(u.size, k2).T).reshape(len(signs), -1, q)
            scores *= signs[..., np.newaxis]
            scores -= (shift @ self._squares.reshape(-1, q).T).reshape(len(signs), -1, q)
            return scores.swapaxes(1, 2) @ scores
        if k2:
            e = slope @ -self.noise.T
            e += self.errors
            e *= signs
        else:
            e = signs * self.errors
        e -= shift @ self.z.T
        np.square(e, out=e)
        rows, columns = np.tril_indices(q)
        meat = np.empty((len(signs), q, q))
        meat[:, rows, columns] = meat[:, columns, rows] = e @ self._squares
        return meat


def wild_bootstrap(null: Null, draws: int, signs: Signs, seed: Any) -> tuple[float, float, Array]:
    """Statistic, p-value, and the draws' statistics.

    The p-value counts the sample itself among the draws. Where there are no more different
    Rademacher draws than are asked for, each is taken once.
    """
    count = len(null.z) if null.clusters is None else int(null.clusters.max()) + 1
    with np.errstate(all="ignore"):
        statistic = float(null.statistics(np.ones((1, count)))[0])
        every = signs == "rademacher" and count < 60 and 2**count <= draws
        blocks = _every_sign(count) if every else _random(count, draws, signs, seed)
        drawn = np.concatenate([null.statistics(block) for block in blocks])
    beyond = np.count_nonzero(drawn > statistic * (1 + 1e-10))
    ties = np.count_nonzero(drawn >= statistic * (1 - 1e-10)) - beyond
    if every:
        return statistic, (beyond + ties) / len(drawn), drawn
    return statistic, (1 + beyond + ties) / (1 + len(drawn)), drawn


def _every_sign(count: int) -> Iterator[Array]:
    numbers = np.arange(2**count)[:, np.newaxis] >> np.arange(count)
    table: Array = np.where(numbers & 1, -1.0, 1.0)
    size = max(1, _BLOCK_BYTES // (8 * count))
    for first in range(0, len(table), size):
        yield table[first : first + size]


def _random(count: int, draws: int, signs: Signs, seed: Any) -> Iterator[Array]:
    rng, size = np.random.default_rng(seed), max(1, _BLOCK_BYTES // (8 * count))
    for first in range(0, draws, size):
        yield SIGNS[signs](rng, (min(size, draws - first), count))


def _rademacher(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    bits = np.frombuffer(rng.bytes(-(-shape[0] * shape[1] // 8)), np.uint8)
    result: Array = np.unpackbits(bits, count=shape[0] * shape[1]).astype(np.float64)
    result *= 2.0
    result -= 1.0
    return result.reshape(shape)


def _mammen(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Two points with mean 0, variance 1 and third moment 1 (Mammen 1993)."""
    root = np.sqrt(5.0)
    low: npt.NDArray[np.bool_] = rng.random(shape) < (root + 1) / (2 * root)
    return np.asarray(np.where(low, (1 - root) / 2, (1 + root) / 2), dtype=np.float64)


def _webb(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Six points, for few clusters (Webb 2023)."""
    points = np.sqrt([0.5, 1.0, 1.5])
    result: Array = np.concatenate([-points, points])[rng.integers(0, 6, shape)]
    return result


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return rng.standard_normal(shape)


SIGNS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "rademacher": _rademacher,
    "mammen": _mammen,
    "webb": _webb,
    "normal": _normal,
}
