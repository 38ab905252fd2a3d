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

from gmm import _core
from gmm.data.arrays import Array
from gmm.estimation.linear import inverse_each

Signs = Literal["rademacher", "mammen", "webb", "normal"]

_BLOCK_BYTES = 2**20
# Beyond so many the cubes of the instruments are more work than the residuals themselves.
_MOST_COLUMNS = 256
# Beyond so many columns a system at a time is faster.
_MOST_EXCHANGED = 4


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
        u, v = self._products

        def meat(slope: Array, shift: Array) -> Array:
            return self._meat(signs, slope.T, shift.T).transpose(1, 2, 0)

        spread = (v.T @ signs.T).reshape(*self.first.shape, len(signs))
        return self._wald(u.T @ signs.T, spread, meat)

    def _wald(self, sums: Array, spread: Array, meat_of: Callable[[Array, Array], Array]) -> Array:
        """Wald statistics (B,) from z'u* (q, B), z'V* (q, k2, B) and the meat (q, q, B).

        The draws are the last axis: they are many and the others few, so that sums over these are
        sums of long rows. The meat is one of estimates (k2, B) and (q, B).
        """
        k1 = self.front.shape[1]
        a = np.empty((len(sums), k1 + spread.shape[1], sums.shape[1]))
        a[:, :k1] = self.front[..., np.newaxis]
        np.add(self.first[..., np.newaxis], spread, out=a[:, k1:])
        bread = _inverses(np.einsum("qib,qjb->ijb", a, a))
        delta = np.einsum("ijb,jb->ib", bread, np.einsum("qib,qb->ib", a, sums))
        meat = meat_of(delta[k1:], self.front @ delta[:k1] + self.first @ delta[k1:])
        half = np.einsum("rib,qib->rqb", np.einsum("ri,ijb->rjb", self.r, bread), a)
        covariance = np.einsum("rpb,spb->rsb", np.einsum("rqb,qpb->rpb", half, meat), half)
        beyond = self.r @ delta
        return np.asarray(np.einsum("rb,rsb,sb->b", beyond, _inverses(covariance), beyond))

    @cached_property
    def _cubes(self) -> "Cubes | None":
        """What all draws with signs of one size share, if it is not too much."""
        q, k2 = self.first.shape
        columns = (1 + k2) * (q + q * (q + 1) * (q + 2) // 6)
        if self.clusters is not None or columns > _MOST_COLUMNS:
            return None
        return Cubes.of(self)

    def statistics_of_bits(self, bits: bytes, count: int) -> Array:
        """Those of `count` draws of n signs, each beginning with a byte of its own."""
        assert self._cubes is not None
        cubes, (q, k2) = self._cubes, self.first.shape
        sums = np.empty((cubes.columns.shape[1], count))
        _core.signed_sums(bits, cubes.columns, sums)
        linear, u, v = np.split(sums, [q * (1 + k2), q * (1 + k2) + cubes.size])
        v = v[: k2 * cubes.size].reshape(k2, cubes.size, count)

        def meat(slope: Array, shift: Array) -> Array:
            return cubes.meat(u, v, slope, shift)

        return self._wald(linear[:q], linear[q:].reshape(q, k2, count), meat)

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


@dataclass(frozen=True)
class Cubes:
    """Sums of products of three instruments with the residuals, and what no sign changes.

    e* = (u - V slope) sign - z shift, and signs have squares of one: the sum of z z' e*^2 is a
    polynomial in slope and shift whose coefficients are linear in the signs.
    """

    columns: Array
    size: int
    place: npt.NDArray[np.intp]
    squares: Array
    crossed: Array
    rows: npt.NDArray[np.intp]
    across: npt.NDArray[np.intp]

    @classmethod
    def of(cls, null: Null) -> "Cubes":
        """Columns (n, m), up to multiples of 8: z u, z V, z z z u and z z z V; and the rest."""
        z, n = null.z, len(null.z)
        q, k2 = null.first.shape
        rows, across = np.tril_indices(q)
        pairs = z[:, rows] * z[:, across]
        triples = [(a, b, c) for a in range(q) for b in range(a + 1) for c in range(b + 1)]
        number = {triple: i for i, triple in enumerate(triples)}
        cubes = np.stack([z[:, a] * z[:, b] * z[:, c] for a, b, c in triples], axis=1)
        place = np.array([
            [number[tuple(sorted((a, b, c), reverse=True))] for c in range(q)]  # type: ignore[index]
            for a, b in zip(rows, across, strict=True)
        ])  # fmt: skip
        both = np.column_stack([null.errors, -null.noise])
        linear = (z[:, :, np.newaxis] * null.noise[:, np.newaxis]).reshape(n, q * k2)
        parts = [z * null.errors[:, np.newaxis], linear, cubes * null.errors[:, np.newaxis]]
        parts += [cubes * noise[:, np.newaxis] for noise in null.noise.T]
        together = np.column_stack(parts)
        columns = np.zeros([-(-size // 8) * 8 for size in together.shape])
        columns[:n, : together.shape[1]] = together
        # By pair: of u and -V with each other, and of z with z.
        squares = pairs.T @ (both[:, :, np.newaxis] * both[:, np.newaxis]).reshape(n, -1)
        crossed = pairs.T @ (z[:, :, np.newaxis] * z[:, np.newaxis]).reshape(n, -1)
        return cls(columns, len(triples), place, squares, crossed, rows, across)

    def meat(self, u: Array, v: Array, slope: Array, shift: Array) -> Array:
        """The sum of squares of z e* (q, q, B)."""
        q, count = shift.shape
        full = np.concatenate([np.ones((1, count)), slope])
        sums = self.squares @ (full[:, np.newaxis] * full).reshape(-1, count)
        sums += self.crossed @ (shift[:, np.newaxis] * shift).reshape(-1, count)
        cubes = 2 * (u - np.einsum("kb,ktb->tb", slope, v))
        for place, own in zip(self.place.T, shift, strict=True):
            sums -= cubes[place] * own
        meat = np.empty((q, q, count))
        meat[self.rows, self.across] = meat[self.across, self.rows] = sums
        return meat


def _inverses(a: Array) -> Array:
    """Of the positive definite matrices a[..., b] (k, k, B), NaN where they are singular.

    Few columns are exchanged one after the other in all matrices at once (Gauss and Jordan), which
    needs no pivots here.
    """
    k = len(a)
    if k > _MOST_EXCHANGED:
        return np.ascontiguousarray(inverse_each(a.transpose(2, 0, 1)).transpose(1, 2, 0))
    least = 64 * k * np.finfo(np.float64).eps * np.einsum("iib->ib", a)
    a = a.copy()
    for j in range(k):
        pivot = np.where(a[j, j] > least[j], a[j, j], np.nan)
        row, column = a[j] / pivot, a[:, j].copy()
        a -= column[:, np.newaxis] * row
        a[j] = row
        a[:, j] = -column / pivot
        a[j, j] = 1 / pivot
    return a


def wild_bootstrap(null: Null, draws: int, signs: Signs, seed: Any) -> tuple[float, float, Array]:
    """Statistic, p-value, and the draws' statistics.

    The p-value counts the sample itself among the draws. Where there are no more different
    Rademacher draws than are asked for, each is taken once.
    """
    count = len(null.z) if null.clusters is None else int(null.clusters.max()) + 1
    with np.errstate(all="ignore"):
        statistic = float(null.statistics(np.ones((1, count)))[0])
        every = signs == "rademacher" and count < 60 and 2**count <= draws
        if every:
            drawn = np.concatenate([null.statistics(block) for block in _every_sign(count)])
        elif signs == "rademacher" and null._cubes is not None:
            blocks = _random_bits(count, draws, seed)
            drawn = np.concatenate([null.statistics_of_bits(*block) for block in blocks])
        else:
            every_block = _random(count, draws, signs, seed)
            drawn = np.concatenate([null.statistics(block) for block in every_block])
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


def _random_bits(count: int, draws: int, seed: Any) -> Iterator[tuple[bytes, int]]:
    """Blocks of draws, each of whole bytes."""
    rng, size, width = np.random.default_rng(seed), 1024, -(-count // 8)
    for first in range(0, draws, size):
        block = min(size, draws - first)
        yield rng.bytes(block * width), block


def signs_of(bits: bytes, shape: tuple[int, int]) -> Array:
    """1, or -1 where the bit is set, (draws, n) of draws that begin with a byte of their own."""
    table = np.frombuffer(bits, np.uint8).reshape(shape[0], -1)
    result: Array = np.unpackbits(table, axis=1, count=shape[1], bitorder="little").astype(
        np.float64
    )
    result *= -2.0
    result += 1.0
    return result


def _rademacher(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return signs_of(rng.bytes(shape[0] * -(-shape[1] // 8)), shape)


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
