"""Random sparse matrices, and what the native core makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

from smartsolve import _core

Array = np.ndarray
DTYPES = ("f", "d", "F", "D")


def native(a: Any, index: str = "i4") -> _core.SparseMatrix:
    """The native matrix of a CSC or CSR one, its arrays read-only as they lie."""
    arrays = [a.data, a.indices.astype(index), a.indptr.astype(index)]
    for array in arrays:
        array.flags.writeable = False
    return _core.SparseMatrix(*arrays, a.shape, a.format == "csr")


def draw(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> Array:
    values = rng.standard_normal(shape)
    if dtype in "FD":
        return (values + 1j * rng.standard_normal(shape)).astype(dtype)
    return values.astype(dtype)


def backward_error(a: Array, x: Array, b: Array) -> float:
    """The normwise one of the worst column, in units of the roundoff."""
    if x.size == 0 or b.size == 0:
        return 0.0
    eps = np.finfo(x.dtype).eps
    wide = np.result_type(a, x, np.float64)
    a, x, b = a.astype(wide), x.astype(wide), b.astype(wide)
    norm = np.abs(a).sum(axis=1).max()
    scale = norm * np.abs(x).max(axis=0) + np.abs(b).max(axis=0)
    error = np.abs(b - a @ x).max(axis=0) / np.where(scale > 0, scale, 1)
    return float(np.max(error)) / float(eps)


def pattern(n: int, entries: int, rng: np.random.Generator) -> Array:
    """A dense mask with so many entries at random places."""
    mask = np.zeros((n, n), bool)
    if n > 0:
        mask[rng.integers(0, n, entries), rng.integers(0, n, entries)] = True
    return mask


@st.composite
def arrays_with_faults(draw_from: Any) -> tuple[tuple[Array, Array, Array], tuple[int, int]]:
    """CSC arrays, unsorted, with duplicates, explicit zeros, NaN and empty columns."""
    rows, columns = draw_from(st.integers(0, 6)), draw_from(st.integers(0, 6))
    lengths = draw_from(
        st.lists(st.integers(0, 6 if rows else 0), min_size=columns, max_size=columns)
    )
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    stored = int(indptr[-1])
    place = st.integers(0, max(rows - 1, 0))
    indices = np.array(draw_from(st.lists(place, min_size=stored, max_size=stored)), dtype=int)
    value = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, -0.0, float("nan"), float("inf")])
    data = np.array(draw_from(st.lists(value, min_size=stored, max_size=stored)), dtype=float)
    return (data, indices, indptr), (rows, columns)


def banded(n: int, kl: int, ku: int, dtype: str, rng: np.random.Generator) -> Array:
    a = draw((n, n), dtype, rng)
    return np.asarray(np.triu(np.tril(a, ku), -kl))


def definite(mask: Array, dtype: str, rng: np.random.Generator) -> Array:
    """Hermitian, diagonally dominant, with entries where the mask or its transpose has some."""
    a = np.where(mask, draw(mask.shape, dtype, rng), 0)
    a = a + a.conj().T
    np.fill_diagonal(a, np.abs(a).sum(axis=1) + 1)
    return np.asarray(a.astype(dtype))


def grid(*sizes: int) -> Any:
    """The second differences on a grid."""
    total = scipy.sparse.csc_array((1, 1))
    for k in sizes:
        d = scipy.sparse.diags_array(
            [-np.ones(k - 1), 2 * np.ones(k), -np.ones(k - 1)], offsets=[-1, 0, 1]
        )
        total = scipy.sparse.kron(total, scipy.sparse.eye_array(k)) + scipy.sparse.kron(
            scipy.sparse.eye_array(total.shape[0]), d
        )
    return scipy.sparse.csc_array(total)
