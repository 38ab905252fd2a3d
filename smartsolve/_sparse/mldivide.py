"""MATLAB's backslash for a sparse matrix of any shape."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _condition, _errors
from .._report import SolveInfo
from . import DENSE_BELOW, is_sparse
from .operands import RightHandSide, SparseMatrix, matrix, result_type
from .solve import Options, solve_square

__all__ = ["mldivide", "mrdivide"]

Array = npt.NDArray[Any]
Divide = Callable[..., Any]


def mldivide(
    a: Any,
    b: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    engine: str | None,
    sparse_x: bool,
    dense: Divide,
) -> Any:
    """As `smartsolve.mldivide`, which is `dense`, where it is faster; `a` is sparse."""
    m = matrix(a)
    square = m.shape[0] == m.shape[1]
    small = max(m.shape) <= DENSE_BELOW and engine is None
    if small and (not square or m.norm1() < np.inf):
        return _by_dense(m, b, minimum_norm, tol, return_info, sparse_x, dense)
    if square and not minimum_norm and tol is None:
        options = Options(
            on_singular="warn", return_info=return_info, engine=engine, sparse_x=sparse_x
        )
        return solve_square(m, b, options, through_zero=True)
    if engine is not None:
        raise TypeError("mldivide() takes an engine for square matrices only, without options")
    return _least_squares(m, b, minimum_norm, tol, return_info, sparse_x, dense)


def mrdivide(
    b: Any,
    a: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    engine: str | None,
    sparse_x: bool,
    dense: Divide,
) -> Any:
    """As `smartsolve.mrdivide`; `a` is sparse."""
    if not is_sparse(b):
        b = np.asarray(b)
    if len(a.shape) == 2 and b.shape[-1:] != a.shape[-1:]:
        raise ValueError(_errors.misshapen_rows(b.shape, a.shape[-1], a.shape))
    result = mldivide(
        *(a.T, _transposed(b), minimum_norm, tol, return_info, engine, sparse_x, dense),
    )
    x, info = result if return_info else (result, None)
    x = _transposed(x)
    return (x, info) if return_info else x


def _transposed(b: Any) -> Any:
    if is_sparse(b):
        return b.T
    return b if b.ndim < 2 else np.swapaxes(b, -1, -2)


def _by_dense(
    m: SparseMatrix,
    b: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    sparse_x: bool,
    dense: Divide,
) -> Any:
    rhs = RightHandSide(b, m.shape[0], m.shape)
    dtype, _ = result_type(m.dtype, rhs.dtype)
    stored, pieces, info = m.dense(), [], None
    for piece, columns in rhs.blocks(dtype):
        solved: Any = dense(
            stored, columns, minimum_norm=minimum_norm, tol=tol, return_info=return_info
        )
        x, info = solved if return_info else (solved, None)
        pieces.append((piece, x))
    x = rhs.assembled(pieces, m.shape[1], dtype, sparse_x)
    return (x, info) if return_info else x


def _least_squares(
    m: SparseMatrix,
    b: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    sparse: bool,
    dense: Divide,
) -> Any:
    _errors.refuse_tolerance(tol)
    rhs = RightHandSide(b, m.shape[0], m.shape)
    dtype, factors_dtype = result_type(m.dtype, rhs.dtype)
    m = m.astype(factors_dtype)
    if not np.isfinite(m.arrays()[0]).all():
        x, info = _nothing(m, rhs, dtype, sparse)
        return (x, info) if return_info else x
    full = min(m.shape)
    wide = minimum_norm and m.shape[0] < m.shape[1]
    factors = (_adjoint(m) if wide else m).factor("qr", tolerance=tol)
    if factors.rank < full and minimum_norm:
        # The shortest needs a second factorization, which is made for dense matrices alone.
        _errors.refuse_filling_up(m.shape, m.dtype)
        return _by_dense(m, b, minimum_norm, tol, return_info, sparse, dense)
    if factors.rank < full:
        text = _errors.rank_deficient(factors.rank, full, factors.tolerance, "", "sparse QR")
        _condition.doubt(text, "RankDeficientWarning")
    error = 0.0

    def pieces() -> Iterator[tuple[slice, Array]]:
        nonlocal error
        for piece, columns in rhs.blocks(dtype):
            x = factors.solve(columns, transposed=wide, conjugate=wide)
            if return_info:
                error = max(error, _backward_error(m, columns, x))
            yield piece, x

    x = rhs.assembled(pieces(), m.shape[1], dtype, sparse)
    if not return_info:
        return x
    found = (factors.rcond(), error, 0, factors.rank, factors.tolerance)
    return x, SolveInfo(_structure(m), "sparse QR", "own", *found)


def _structure(m: SparseMatrix) -> str:
    return "general" if m.shape[0] == m.shape[1] else "rectangular"


def _nothing(
    m: SparseMatrix, rhs: RightHandSide, dtype: np.dtype[Any], sparse: bool
) -> tuple[Any, SolveInfo]:
    """NaN, for a matrix with an Inf or a NaN."""
    n = m.shape[1]
    blocks = ((piece, np.full((n, *b.shape[1:]), np.nan, dtype)) for piece, b in rhs.blocks(dtype))
    x = rhs.assembled(blocks, n, dtype, sparse)
    return x, SolveInfo(_structure(m), "none: x is NaN", "none", np.nan, np.nan, 0, -1, np.nan)


def _adjoint(m: SparseMatrix) -> SparseMatrix:
    data, indices, indptr = m.arrays()
    return SparseMatrix(data.conj(), indices, indptr, m.shape[::-1], not m.csr)


def _backward_error(m: SparseMatrix, b: Array, x: Array) -> float:
    """The smaller of Stewart's two perturbations, as of dense least squares."""
    if x.size == 0 or m.nnz == 0:
        return 0.0
    norm = functools.partial(np.linalg.norm, axis=0)
    with np.errstate(all="ignore"):
        r = b - m.dot(x)
        size = norm(r)
        gradient = norm(m.dot(r, transposed=True, conjugate=True)) / size
        error = np.fmin(gradient, size / norm(x)) / np.linalg.norm(m.arrays()[0])
    return float(np.max(np.where(size == 0, 0.0, error)))
