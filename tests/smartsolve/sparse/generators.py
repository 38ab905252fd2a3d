"""Sparse matrices of every structure, for the tests and the benchmarks.

    >>> a = grid(2, 300)  # the Laplacian of a square of 300 x 300 points
    >>> a = STRUCTURES["lower triangular"](1000, np.dtype(float), np.random.default_rng(1))

All but the Laplacians are diagonally dominant, or of blocks or orders that are, so that their
condition does not grow with n and solutions may be compared. Benchmarks import this file by its
path.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]
DType = np.dtype[Any]
Generator = Callable[[int, DType, np.random.Generator], Any]

FORMATS = ("csc", "csr", "coo", "lil", "dok", "bsr", "dia")


def numbers(count: int, dtype: DType, rng: np.random.Generator) -> Array:
    """From -1 to 1, in both parts, and none of them tiny."""
    real = rng.uniform(0.2, 1, count) * rng.choice([-1, 1], count)
    if dtype.kind != "c":
        return real.astype(dtype)
    return (real + 1j * rng.uniform(-1, 1, count)).astype(dtype)


def assembled(
    rows: Array, columns: Array, values: Array, n: int, dominant: bool = True
) -> sparse.csc_array:
    """The entries off the diagonal, and a diagonal that dominates rows and columns."""
    off = sparse.coo_array((values, (rows, columns)), shape=(n, n)).tocsc()
    off.setdiag(0)
    off.eliminate_zeros()
    size = abs(off)
    diagonal = 1 + np.maximum(size.sum(axis=0), size.sum(axis=1)) if dominant else np.ones(n)
    return (off + sparse.diags_array(diagonal.astype(values.dtype))).tocsc()


# --- the structures ------------------------------------------------------------------------------


def diagonal(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """Nothing but a diagonal."""
    return sparse.diags_array(numbers(n, dtype, rng)).tocsc()


def band(
    n: int, dtype: DType, rng: np.random.Generator, kl: int = 10, ku: int = 10
) -> sparse.csc_array:
    """A full band."""
    offsets = [k for k in range(-kl, ku + 1) if k and abs(k) < n]
    diagonals = [numbers(n - abs(k), dtype, rng) for k in offsets]
    diagonals.append((1.0 + kl + ku + np.zeros(n)).astype(dtype) * (2 if dtype.kind == "c" else 1))
    return sparse.diags_array(diagonals, offsets=[*offsets, 0], shape=(n, n)).tocsc()


def tridiagonal(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """Three diagonals."""
    return band(n, dtype, rng, 1, 1)


def hermitian(make: Generator) -> Generator:
    """The Hermitian part; a dominant positive diagonal makes it positive definite."""

    def made(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
        a = make(n, dtype, rng)
        return ((a + a.T.conj()) / 2).tocsc().astype(dtype)

    return made


def lower_triangular(
    n: int, dtype: DType, rng: np.random.Generator, per_column: int = 4
) -> sparse.csc_array:
    """A triangle with so many entries below the diagonal in each column, at random places."""
    columns = np.repeat(np.arange(n), per_column)
    rows = columns + rng.integers(1, np.maximum(2, n - columns), endpoint=False)
    inside = rows < n
    values = numbers(len(rows), dtype, rng)
    return assembled(rows[inside], columns[inside], values[inside], n)


def upper_triangular(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """The transpose of one."""
    return lower_triangular(n, dtype, rng).T.tocsc()


def shuffled(a: Any, rng: np.random.Generator, alike: bool = False) -> sparse.csc_array:
    """Rows and columns in other orders, or both in the same."""
    rows = rng.permutation(a.shape[0])
    columns = rows if alike else rng.permutation(a.shape[1])
    return a.tocsr()[rows].tocsc()[:, columns]


def permuted_triangular(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """A triangle whose rows and columns were shuffled."""
    return shuffled(lower_triangular(n, dtype, rng), rng)


def block_diagonal(
    n: int, dtype: DType, rng: np.random.Generator, size: int = 5
) -> sparse.csc_array:
    """Full blocks on the diagonal."""
    rows, columns, _ = _places_of_blocks(n, size)
    return assembled(rows, columns, numbers(len(rows), dtype, rng), n)


def permuted_block_diagonal(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """Full blocks whose rows and columns were shuffled."""
    return shuffled(block_diagonal(n, dtype, rng), rng)


def block_triangular(
    n: int, dtype: DType, rng: np.random.Generator, size: int = 5
) -> sparse.csc_array:
    """Full blocks on the diagonal, some entries above them, and all of it shuffled."""
    rows, columns, block = _places_of_blocks(n, size)
    i, j = rng.integers(0, n, (2, 2 * n))
    above = block[i] < block[j]
    rows, columns = np.concatenate([rows, i[above]]), np.concatenate([columns, j[above]])
    return shuffled(assembled(rows, columns, numbers(len(rows), dtype, rng), n), rng)


def _places_of_blocks(n: int, size: int) -> tuple[Array, Array, Array]:
    """Rows and columns of their entries, and which block each row is in."""
    block = np.minimum(np.arange(n) // size, max(1, n // size) - 1)
    first = np.searchsorted(block, block)
    width = np.bincount(block)[block]
    rows = np.repeat(np.arange(n), width)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(width) - width, width)
    return rows, columns + np.repeat(first, width), block


def permuted_band(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """A band whose rows and columns were shuffled alike."""
    return shuffled(band(n, dtype, rng), rng, alike=True)


def grid(
    dimensions: int, points: int, dtype: npt.DTypeLike = np.float64, convection: float = 0.0
) -> sparse.csc_array:
    """Minus the Laplacian of a cube, by second differences; with convection not symmetric."""
    line = sparse.diags_array(
        [-1.0 - convection, 2.0, -1.0 + convection], offsets=[-1, 0, 1], shape=(points, points)
    )
    eye = sparse.eye_array(points)
    parts = []
    for axis in range(dimensions):
        factors = [line if axis == i else eye for i in range(dimensions)]
        parts.append(functools.reduce(sparse.kron, factors))
    return functools.reduce(operator.add, parts).tocsc().astype(dtype)


def some_grid(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """A square grid of at most n points, shifted to be well-conditioned; complex if asked."""
    a = grid(2, max(1, int(np.sqrt(n)))).astype(dtype)
    if dtype.kind == "c":
        upper = sparse.triu(a, 1) * np.exp(0.3j)
        a = (upper + upper.T.conj() + sparse.diags_array(a.diagonal())).tocsc()
    return (a + sparse.eye_array(a.shape[0])).tocsc().astype(dtype)


def circuit(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """A chain of nodes with branches to near ones, some controlled, and some tied to few rails."""
    i = np.arange(1, n)
    near = np.maximum(0, i - rng.geometric(0.2, n - 1))
    some = rng.random(n - 1) < 0.1
    rail = rng.integers(0, max(1, n // 5000), n - 1)
    controlled = rng.random(n - 1) < 0.1
    far = np.maximum(0, i - rng.geometric(0.02, n - 1))
    rows = np.concatenate([i, near, i[some], i[controlled]])
    columns = np.concatenate([near, i, rail[some], far[controlled]])
    return assembled(rows, columns, numbers(len(rows), dtype, rng), n)


def saddle_point(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """The KKT matrix of a program with n variables in all, a quarter of them multipliers."""
    m = n // 4
    k = n - m
    i = np.arange(k - 1)
    h = hermitian(lambda n, dtype, rng: assembled(i, i + 1, numbers(k - 1, dtype, rng), k))
    near = 2 * np.repeat(np.arange(m), 2) + rng.geometric(0.02, 2 * m) + m
    columns = np.concatenate([np.arange(m), np.where(near < k, near, m + near % (k - m))])
    rows = np.concatenate([np.arange(m), np.repeat(np.arange(m), 2)])
    values = np.concatenate([np.full(m, 3), numbers(2 * m, dtype, rng)])
    b = sparse.coo_array((values, (rows, columns)), shape=(m, k)).tocsc()
    return sparse.block_array([[h(k, dtype, rng), b.T.conj()], [b, None]]).tocsc().astype(dtype)


def scattered(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """Entries anywhere."""
    i, j = rng.integers(0, n, (2, 4 * n))
    return assembled(i, j, numbers(4 * n, dtype, rng), n)


def indefinite(n: int, dtype: DType, rng: np.random.Generator) -> sparse.csc_array:
    """Hermitian, with both signs on its diagonal."""
    a = hermitian(scattered)(n, dtype, rng)
    signs = np.where(rng.random(n) < 0.5, -2, 0) * a.diagonal().real
    return (a + sparse.diags_array(signs)).tocsc().astype(dtype)


STRUCTURES: dict[str, Generator] = {
    "diagonal": diagonal,
    "spd tridiagonal": hermitian(tridiagonal),
    "tridiagonal": tridiagonal,
    "spd banded": hermitian(band),
    "banded": band,
    "upper triangular": upper_triangular,
    "lower triangular": lower_triangular,
    "permuted triangular": permuted_triangular,
    "block diagonal": permuted_block_diagonal,
    "block triangular": block_triangular,
    "permuted banded": permuted_band,
    "positive definite": some_grid,
    "symmetric": lambda n, dtype, rng: _symmetric(scattered(n, dtype, rng)),
    "hermitian": indefinite,
    "general": scattered,
    "circuit": circuit,
    "saddle point": saddle_point,
}


def _symmetric(a: sparse.csc_array) -> sparse.csc_array:
    return (-(a + a.T) / 2).tocsc().astype(a.dtype)


def untidy(a: Any, rng: np.random.Generator) -> sparse.csc_array:
    """The same matrix with duplicates, explicit zeros and unsorted indices."""
    c = a.tocoo()
    n = max(1, a.shape[0])
    split = rng.random(c.nnz) < 0.3
    zeros = min(5, c.nnz)
    at = rng.integers(0, n, (2, zeros))
    rows = np.concatenate([c.row, c.row[split], at[0]])
    columns = np.concatenate([c.col, c.col[split], at[1]])
    # A half and a half: the sum is exact.
    data = np.concatenate([np.where(split, c.data / 2, c.data), c.data[split] / 2, np.zeros(zeros)])
    order = rng.permutation(len(data))
    order = order[np.argsort(columns[order], kind="stable")]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=n))])
    made = sparse.csc_array((data[order].astype(a.dtype), rows[order], indptr), shape=a.shape)
    return made
