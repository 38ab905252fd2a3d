"""Matrices for the tests and the benchmarks: one generator for every kind of the native table.

    >>> rng = np.random.default_rng(1)
    >>> a = random_matrix("spd banded", 6, np.float64, "F", rng)

Every generator keeps the condition of its matrices below a bound that does not depend on n
(2-norm, at most 16), so a test may compare solutions and not only residuals. Two constructions
do that:

- dense kinds are Q diag(s) Q' with unitary Q and the |s| drawn from [1, 10];
- kinds with a pattern of zeros are a core whose singular values lie in [1, 2], plus a
  perturbation inside the pattern with Frobenius norm 1/2. The core of a banded or Hessenberg
  matrix is made of blocks of order 1 and 2; a block of order 2 has a zero diagonal, so
  elimination without row exchanges fails on it.

NumPy is all that this file needs: benchmarks import it by its path.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Generator = Callable[[int, np.dtype[Any], np.random.Generator], Array]

DTYPES = ("float32", "float64", "complex64", "complex128")
ORDERS = ("C", "F", "strided", "reversed", "readonly", "unaligned", "swapped")
CONDITION = 16.0  # of every matrix that `random_matrix` makes
# Orders from which a kind is looked for; below, the matrix passes for one of another kind.
FOUND_FROM = {
    "banded": 24,
    "spd banded": 24,
    "circulant": 128,
    "block diagonal": 128,
    "block triangular": 128,
    "sparse": 128,
    "permuted banded": 256,
}


def random_matrix(
    kind: str, n: int, dtype: npt.DTypeLike, order: str, rng: np.random.Generator
) -> Array:
    """A well-conditioned n x n matrix of a kind of the native table, in the given layout."""
    dtype = np.dtype(dtype)
    if dtype not in dtypes_of(kind):
        raise ValueError(f"a {kind} matrix has no dtype {dtype}")
    return arranged(KINDS[kind](n, dtype, rng), order)


def random_stack(
    kind: str, count: int, n: int, dtype: npt.DTypeLike, rng: np.random.Generator
) -> Array:
    """`count` matrices of one kind: an array of shape (count, n, n)."""
    matrices = [random_matrix(kind, n, dtype, "C", rng) for _ in range(count)]
    return np.array(matrices, dtype).reshape(count, n, n)


def random_rhs(
    shape: int | tuple[int, ...], dtype: npt.DTypeLike, rng: np.random.Generator
) -> Array:
    """A right-hand side without a zero."""
    return entries(shape, np.dtype(dtype), rng)


def kinds_and_dtypes() -> list[tuple[str, np.dtype[Any]]]:
    """Every combination that exists, to parametrise a test."""
    return [(kind, dtype) for kind in KINDS for dtype in dtypes_of(kind)]


def dtypes_of(kind: str) -> tuple[np.dtype[Any], ...]:
    """A Hermitian matrix that is not symmetric is complex; all other kinds have all four dtypes."""
    names = DTYPES[2:] if kind == "hermitian" else DTYPES
    return tuple(np.dtype(name) for name in names)


def arranged(a: Array, order: str) -> Array:
    """A copy of `a` in another layout; the last two axes are the matrix, a single one a vector."""
    if order == "C" or (order == "F" and a.ndim == 1):
        return np.array(a, order="C")
    if order == "F":
        return np.array(np.swapaxes(a, -1, -2), order="C").swapaxes(-1, -2)
    if order == "readonly":
        a = np.array(a, order="C")
        a.flags.writeable = False
        return a
    if order == "swapped":
        return a.astype(a.dtype.newbyteorder("S"))
    if order == "unaligned":
        memory = np.zeros(a.nbytes + 1, np.uint8)
        out = memory[1:].view(a.dtype).reshape(a.shape)
    elif order == "reversed":
        out = np.zeros_like(a, order="C")[..., ::-1, ::-1] if a.ndim > 1 else np.zeros_like(a)[::-1]
    elif order == "strided":
        larger = tuple(2 * length for length in a.shape[-2:])
        memory = np.full(a.shape[:-2] + larger, math.nan, a.dtype)
        out = memory[..., ::2, ::2] if a.ndim > 1 else memory[::2]
    else:
        raise ValueError(f"unknown order {order!r}; the orders are {', '.join(ORDERS)}")
    out[...] = a
    return out


# --- entries, unitary matrices, patterns ---------------------------------------------------------


def is_complex(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "c"


def entries(shape: int | tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Numbers of modulus in [1/2, 1] and random sign or phase: none is zero, none is real."""
    modulus = rng.uniform(0.5, 1.0, shape)
    if is_complex(dtype):
        angle = rng.uniform(0.1, math.pi - 0.1, shape) * rng.choice([-1.0, 1.0], shape)
        return np.asarray(modulus * np.exp(1j * angle)).astype(dtype)
    return np.asarray(modulus * rng.choice([-1.0, 1.0], shape)).astype(dtype)


def weights(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Numbers of modulus in [1, 2]: the singular values of a core."""
    return 2 * entries(n, dtype, rng)


def unitary(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """From n = 33 on one matrix is kept, and its rows, columns and their phases are drawn."""
    if n <= 32:
        return orthonormal(n, is_complex(dtype), rng)
    q = kept_unitary(n, is_complex(dtype))
    phases = entries((2, n), np.result_type(dtype, np.float64), rng)
    left, right = phases / np.abs(phases)
    return left[:, None] * q[rng.permutation(n)][:, rng.permutation(n)] * right


def orthonormal(n: int, is_complex: bool, rng: np.random.Generator) -> Array:
    z = rng.standard_normal((n, n))
    if is_complex:
        z = z + 1j * rng.standard_normal((n, n))
    return np.linalg.qr(z)[0]


@functools.lru_cache(maxsize=8)
def kept_unitary(n: int, is_complex: bool) -> Array:
    return orthonormal(n, is_complex, np.random.default_rng(n))


def singular_values(n: int, rng: np.random.Generator) -> Array:
    return 10.0 ** rng.uniform(0.0, 1.0, n)


def pattern(n: int, kl: int, ku: int) -> npt.NDArray[np.bool_]:
    """True where a matrix with kl subdiagonals and ku superdiagonals may be non-zero."""
    i, j = np.indices((n, n))
    return (i - j <= kl) & (j - i <= ku)


def perturbed(
    core: Array, inside: npt.NDArray[np.bool_], dtype: np.dtype[Any], rng: np.random.Generator
) -> Array:
    """The core plus a perturbation of norm 1/2 that leaves no zero inside the pattern."""
    noise = np.where(inside, entries(core.shape, dtype, rng), 0)
    norm = np.linalg.norm(noise)
    return np.asarray(core + noise * (0.5 / norm if norm else 1.0)).astype(dtype)


def block_core(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Blocks (w) and [[0, w], [w', 0]] along the diagonal."""
    core = np.diag(weights(n, dtype, rng))
    i = 0
    while i + 1 < n:
        if rng.random() < 0.5:
            core[i : i + 2, i : i + 2] = core[i : i + 2, i : i + 2][::-1]
            i += 1
        i += 1
    return core


def hermitian_part(a: Array) -> Array:
    """Exactly Hermitian: the sum of two numbers does not depend on their order."""
    return (a + a.conj().T) / 2


# --- one generator for each kind -----------------------------------------------------------------


def diagonal(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return np.diag(weights(n, dtype, rng))


def upper_triangular(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return perturbed(diagonal(n, dtype, rng), pattern(n, 0, n), dtype, rng)


def lower_triangular(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return np.ascontiguousarray(upper_triangular(n, dtype, rng).T)


def permuted_triangular(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Rows, columns or both exchanged; from n = 2 on, the result is not itself triangular."""
    triangular = upper_triangular(n, dtype, rng)
    for attempt in itertools.count():
        which = rng.integers(3) if attempt < 8 else 2
        rows = rng.permutation(n) if which != 0 else np.arange(n)
        columns = rng.permutation(n) if which != 1 else np.arange(n)
        a = triangular[np.ix_(rows, columns)]
        if n < 2 or (np.triu(a, 1).any() and np.tril(a, -1).any()):
            return a
        if n == 2:  # the only one: anti-triangular
            return np.ascontiguousarray(triangular[:, ::-1])
    raise AssertionError("unreachable")


def tridiagonal(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return perturbed(block_core(n, dtype, rng), pattern(n, 1, 1), dtype, rng)


def spd_tridiagonal(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return positive_definite_within(pattern(n, 1, 1), dtype, rng)


def bandwidths(n: int, rng: np.random.Generator) -> tuple[int, int]:
    """Narrow, and wider than a tridiagonal matrix where n permits."""
    kl, ku = (int(width) for width in rng.integers(1, 4, 2))
    return (kl, ku) if kl + ku > 2 else (2, 1)


def banded(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return perturbed(block_core(n, dtype, rng), pattern(n, *bandwidths(n, rng)), dtype, rng)


def spd_banded(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    width = max(bandwidths(n, rng))
    return positive_definite_within(pattern(n, width, width), dtype, rng)


def positive_definite_within(
    inside: npt.NDArray[np.bool_], dtype: np.dtype[Any], rng: np.random.Generator
) -> Array:
    core = np.diag(np.abs(weights(len(inside), dtype, rng)))
    return hermitian_part(perturbed(core, inside, dtype, rng))


def upper_hessenberg(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return perturbed(block_core(n, dtype, rng), pattern(n, 1, n), dtype, rng)


def lower_hessenberg(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return np.ascontiguousarray(upper_hessenberg(n, dtype, rng).T)


def circulant(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """One column, moved on by one row for each further column."""
    column = entries(n, dtype, rng) / (2 * n)
    column[0] = 2.0
    i, j = np.indices((n, n))
    return column.astype(dtype)[(i - j) % n]


def block_sizes(n: int, rng: np.random.Generator) -> list[int]:
    """About sqrt(n) / 2 blocks of similar orders, so that they pay wherever they are looked for."""
    count = max(1, round(math.sqrt(n) / 2))
    cuts = (np.arange(1, count) * n / count + rng.uniform(-0.2, 0.2, count - 1) * n / count).round()
    return np.diff([0, *cuts.astype(int), n]).tolist()


def blocks_within(coupled: bool, n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Dense blocks, singular values in [1, 2], and what couples them; rows and columns drawn."""
    core = np.zeros((n, n), np.result_type(dtype, np.float64))
    inside = np.zeros((n, n), np.bool_)
    start = 0
    for size in block_sizes(n, rng):
        block = slice(start, start + size)
        u, v = orthonormal(size, is_complex(dtype), rng), orthonormal(size, is_complex(dtype), rng)
        core[block, block] = (u * weights(size, dtype, rng)) @ v
        inside[block, : start + size if coupled else 0] = True
        start += size
    rows, columns = rng.permutation(n), rng.permutation(n)
    return perturbed(core, inside, dtype, rng)[np.ix_(rows, columns)]


def block_diagonal(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return blocks_within(False, n, dtype, rng)


def block_triangular(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    return blocks_within(True, n, dtype, rng)


def sparse(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """A diagonal, a ring, so that no block triangle is left, and a few elements between them."""
    i, few = np.arange(n), rng.integers(n, size=(2, n // 8))
    inside = np.eye(n, dtype=bool)
    inside[i, (i + 1) % n] = inside[few[0], few[1]] = True
    a = perturbed(diagonal(n, dtype, rng), inside, dtype, rng)
    return a[np.ix_(rng.permutation(n), rng.permutation(n))]


def permuted_banded(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """About a twentieth of n on either side; rows and columns shuffled alike."""
    kl, ku = (max(1, n // 20 + int(width)) for width in rng.integers(0, 3, 2))
    a = perturbed(block_core(n, dtype, rng), pattern(n, kl, ku), dtype, rng)
    order = rng.permutation(n)
    return a[np.ix_(order, order)]


def positive_definite(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    q = unitary(n, dtype, rng)
    return hermitian_part(((q * singular_values(n, rng)) @ q.conj().T).astype(dtype))


def indefinite_values(n: int, rng: np.random.Generator) -> Array:
    s = singular_values(n, rng) * rng.choice([-1.0, 1.0], n)
    s[: n // 2 + 1] = -np.abs(s[: n // 2 + 1])  # the trace is not left to chance, see below
    s[0] *= -1 if n > 1 else 1
    return s


def with_a_negative_diagonal_element(make: Callable[[], Array]) -> Array:
    """Draw until the diagonal shows that no Cholesky factorization exists."""
    while True:
        a = make()
        if (a.diagonal().real < 0).any():
            return a


def symmetric(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """Real: eigenvalues of both signs. Complex: U diag(s) U^T, symmetric and not Hermitian."""

    def make() -> Array:
        q = unitary(n, dtype, rng)
        s = singular_values(n, rng) if is_complex(dtype) else indefinite_values(n, rng)
        a = ((q * s) @ q.T).astype(dtype)
        return (a + a.T) / 2

    return with_a_negative_diagonal_element(make)


def hermitian(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    def make() -> Array:
        q = unitary(n, dtype, rng)
        return hermitian_part(((q * indefinite_values(n, rng)) @ q.conj().T).astype(dtype))

    return with_a_negative_diagonal_element(make)


def general(n: int, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    u, v = unitary(n, dtype, rng), unitary(n, dtype, rng)
    return ((u * singular_values(n, rng)) @ v).astype(dtype)


KINDS: dict[str, Generator] = {
    "diagonal": diagonal,
    "upper triangular": upper_triangular,
    "lower triangular": lower_triangular,
    "permuted triangular": permuted_triangular,
    "tridiagonal": tridiagonal,
    "spd tridiagonal": spd_tridiagonal,
    "banded": banded,
    "spd banded": spd_banded,
    "upper hessenberg": upper_hessenberg,
    "lower hessenberg": lower_hessenberg,
    "circulant": circulant,
    "block diagonal": block_diagonal,
    "block triangular": block_triangular,
    "sparse": sparse,
    "permuted banded": permuted_banded,
    "positive definite": positive_definite,
    "symmetric": symmetric,
    "hermitian": hermitian,
    "general": general,
}


# --- hard ones, each with its source -------------------------------------------------------------


def hilbert(n: int) -> Array:
    """1 / (i + j + 1): condition about e^(3.5 n) (Higham, ASNA, section 28.1)."""
    i, j = np.indices((n, n))
    return 1.0 / (i + j + 1)


def lotkin(n: int) -> Array:
    """Hilbert's matrix with a first row of ones: as ill-conditioned, and not symmetric."""
    a = hilbert(n)
    a[0] = 1.0
    return a


def magic4() -> Array:
    """MATLAB's magic(4): singular, though rounding usually leaves a tiny last pivot."""
    return np.array([[16, 2, 3, 13], [5, 11, 10, 8], [9, 7, 6, 12], [4, 14, 15, 1]], float)


def growth(n: int) -> Array:
    """Wilkinson's matrix: partial pivoting lets an element grow to 2^(n-1) (ASNA, section 9.3)."""
    a = np.eye(n) - np.tril(np.ones((n, n)), -1)
    a[:, -1] = 1.0
    return a


def kahan(n: int, theta: float = 1.2) -> Array:
    """Triangular, ill-conditioned, and no diagonal element is small (ASNA, section 8.3)."""
    c, s = math.cos(theta), math.sin(theta)
    return np.asarray(s ** np.arange(n)[:, None] * (np.eye(n) - c * np.triu(np.ones((n, n)), 1)))


def ones_triangular(n: int) -> Array:
    """1 on the diagonal and -1 above it: the inverse holds 2^(n-2) (ASNA, section 8.3)."""
    return np.eye(n) - np.triu(np.ones((n, n)), 1)


def frank(n: int) -> Array:
    """Upper Hessenberg, determinant 1, ill-conditioned (Frank 1958)."""
    i, j = np.indices((n, n))
    return np.where(j >= i - 1, n - np.maximum(i, j), 0).astype(float)


def graded(n: int, decades: float = 12.0) -> Array:
    """D A D with D from 1 down to 10^-decades: ill-conditioned only by its scaling."""
    d = 10.0 ** np.linspace(0.0, -decades, n)
    i, j = np.indices((n, n))
    return np.asarray(d[:, None] * (np.eye(n) * 2 + 0.5 ** (abs(i - j) + 1)) * d)


def second_difference(n: int) -> Array:
    """-1, 2, -1: positive definite and tridiagonal; the condition is about 0.4 n^2."""
    return np.asarray(2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1))


HARD: dict[str, Array] = {
    "hilbert 12": hilbert(12),
    "lotkin 12": lotkin(12),
    "magic 4": magic4(),
    "growth 40": growth(40),
    "kahan 40": kahan(40),
    "ones triangular 60": ones_triangular(60),
    "frank 20": frank(20),
    "graded 8": graded(8),
    "second difference 100": second_difference(100),
}
