"""What SciPy's sparse containers hold, as native matrices; nothing of the caller's is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors, _operands
from .._core import SparseMatrix
from . import is_sparse
from .indices import refuse_indices_outside

__all__ = ["RightHandSide", "SparseMatrix", "matrix", "result_type", "solving_type"]

Array = npt.NDArray[Any]

# A sparse right-hand side is made dense so many elements at a time.
_BLOCK = 1 << 22


def matrix(a: Any) -> SparseMatrix:
    """The canonical form: sorted, duplicates summed, without explicit zeros."""
    if len(a.shape) != 2:
        raise np.linalg.LinAlgError(
            f"a has shape {a.shape}; a sparse matrix must have two axes, (n, n)"
        )
    solving_type("a", a.dtype)
    a = _compressed(a)
    return SparseMatrix(a.data, a.indices, a.indptr, a.shape, a.format == "csr")


def _compressed(a: Any) -> Any:
    """The same by rows or by columns, which the native core looks at itself."""
    form = getattr(a, "format", None)
    if form in ("csc", "csr"):
        return a
    refuse_indices_outside(a)
    return a.tocsr() if form in ("bsr", "lil") else a.tocsc()


def solving_type(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which numbers of this type are solved with."""
    if dtype.char in "fdFD":
        return dtype.newbyteorder("=")
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    raise TypeError(_errors.unsolvable_type(name, dtype))


def result_type(a: np.dtype[Any], b: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The types of the solution and of the factors: a real matrix is never factored as complex."""
    result = np.result_type(solving_type("a", a), solving_type("b", b))
    return result, np.dtype(result.char.lower()) if a.kind != "c" else result


class RightHandSide:
    """Columns to solve for, and the way back from them to the shape of `b`."""

    def __init__(self, b: Any, rows: int, shape: tuple[int, ...]) -> None:
        self._given = b
        if is_sparse(b):
            refuse_indices_outside(b)
            if len(b.shape) == 1:
                b = b.toarray()
        self.is_sparse = is_sparse(b)
        self._b: Any = b if self.is_sparse else _operands.right_hand_side(b, "a sparse solve()")
        self.shape: tuple[int, ...] = tuple(self._b.shape)
        self.dtype: np.dtype[Any] = self._b.dtype
        solving_type("b", self.dtype)
        self._is_vector = len(self.shape) == 1
        if self.is_sparse and len(self.shape) > 2:
            raise ValueError(
                f"b has shape {self.shape}; a sparse right-hand side has two axes at most"
            )
        if not self.shape or self.shape[0 if self._is_vector else -2] != rows:
            raise ValueError(_errors.misshapen_rhs(self.shape, rows, shape))

    def stored(self) -> Array:
        """Its elements, or those that a sparse one stores."""
        return np.asarray(self._b.tocoo().data if self.is_sparse else self._b)

    def blocks(self, dtype: np.dtype[Any]) -> Iterator[tuple[slice, Array]]:
        """Dense columns, (m,) or (m, k); of a sparse right-hand side so many at a time."""
        if not self.is_sparse:
            b = self._b
            if b.ndim > 2:
                b = np.moveaxis(b, -2, 0).reshape(b.shape[-2], -1)
            yield slice(None), b.astype(dtype, copy=False)
            return
        columns = self._b.tocsc()
        m, k = columns.shape
        width = max(1, _BLOCK // max(1, m))
        for start in range(0, max(k, 1), width):
            piece = slice(start, min(start + width, k))
            yield piece, columns[:, piece].toarray(order="F").astype(dtype, copy=False)

    def assembled(
        self, pieces: Iterable[tuple[slice, Array]], rows: int, dtype: np.dtype[Any], sparse: bool
    ) -> Any:
        """Solutions in the shape and the class that `b` asks for, or as a sparse array."""
        if not self.is_sparse:
            ((_, x),) = pieces
            if len(self.shape) > 2:
                *batch, _, k = self.shape
                x = np.moveaxis(x.reshape(rows, *batch, k), 0, -2)
            x = x.astype(dtype, copy=False)
            return self._sparse(x, [x]) if sparse else _operands.like(self._given, x)
        if sparse:
            return self._sparse(None, [x.astype(dtype, copy=False) for _, x in pieces])
        whole = np.empty((rows, self.shape[1]), dtype, order="F")
        for piece, x in pieces:
            whole[:, piece] = x
        return whole

    def _sparse(self, x: Array | None, parts: Iterable[Array]) -> Any:
        from scipy import sparse

        if x is not None and x.ndim != 2:
            return sparse.coo_array(x) if x.ndim == 1 else _refuse_stack(x.shape)
        kind = sparse.csc_matrix if sparse.isspmatrix(self._given) else sparse.csc_array
        kept = [kind(part) for part in parts]
        return kept[0] if len(kept) == 1 else sparse.hstack(kept, format="csc")

    def kept(self, x: Any) -> Any:
        """The solution in the memory of `b`, where that can take it."""
        b = self._given
        if type(b) is not np.ndarray or type(x) is not np.ndarray or b.ndim > 2:
            return x
        if b.flags.writeable and b.flags.f_contiguous and (b.shape, b.dtype) == (x.shape, x.dtype):
            b[...] = x
            return b
        return x


def _refuse_stack(shape: tuple[int, ...]) -> Any:
    raise ValueError(f"x would have shape {shape}; a sparse x (sparse_x=True) has at most two axes")
