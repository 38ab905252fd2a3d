"""MATLAB's backslash for a sparse matrix of any shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors
from .._mldivide import mldivide as dense_mldivide
from . import is_sparse
from .methods import DENSE_BELOW
from .operands import RightHandSide, SparseMatrix, matrix, result_type
from .solve import Options, solve_square

__all__ = ["mldivide", "mrdivide"]

Array = npt.NDArray[Any]


def mldivide(
    a: Any,
    b: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    engine: str | None,
    sparse_x: bool,
) -> Any:
    """As `smartsolve.mldivide`; `a` is sparse."""
    m = matrix(a)
    square = m.shape[0] == m.shape[1]
    small = max(m.shape) <= DENSE_BELOW and engine is None
    if small and (not square or m.norm1() < np.inf):
        return _by_dense(m, b, minimum_norm, tol, return_info, sparse_x)
    if square and not minimum_norm and tol is None:
        options = Options(
            on_singular="warn", return_info=return_info, engine=engine, sparse_x=sparse_x
        )
        return solve_square(m, b, options, through_zero=True)
    if engine is not None:
        raise TypeError("mldivide() takes an engine for square matrices only, without options")
    return _least_squares(m, b, minimum_norm, tol, return_info, sparse_x)


def mrdivide(
    b: Any,
    a: Any,
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
    engine: str | None,
    sparse_x: bool,
) -> Any:
    """As `smartsolve.mrdivide`; `a` is sparse."""
    if not is_sparse(b):
        b = np.asarray(b)
    if len(a.shape) == 2 and len(b.shape) > 0 and b.shape[-1] != a.shape[-1]:
        raise ValueError(
            f"b has shape {b.shape}; its last axis must be {a.shape[-1]} to match a of shape "
            f"{a.shape}"
        )
    result = mldivide(
        *(a.T, _transposed(b), minimum_norm, tol, return_info, engine, sparse_x),
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
) -> Any:
    rhs = RightHandSide(b, m.shape[0], m.shape)
    dtype, _ = result_type(m.dtype, rhs.dtype)
    dense, pieces, info = m.dense(), [], None
    for piece, columns in rhs.blocks(dtype):
        solved = dense_mldivide(
            dense, columns, minimum_norm=minimum_norm, tol=tol, return_info=return_info
        )
        x, info = solved if return_info else (solved, None)
        pieces.append((piece, x))
    x = rhs.assembled(pieces, m.shape[1], dtype, sparse_x)
    return (x, info) if return_info else x


def _least_squares(
    m: SparseMatrix, b: Any, minimum_norm: bool, tol: float | None, return_info: bool, sparse: bool
) -> Any:
    _errors.refuse_filling_up(m.shape, m.dtype)
    return _by_dense(m, b, minimum_norm, tol, return_info, sparse)
