"""How well a solution solves: products with the matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .operands import SparseMatrix

__all__ = ["backward_error"]

Array = npt.NDArray[Any]


def backward_error(
    m: SparseMatrix, x: Array, b: Array, transposed: bool, conjugate: bool = False
) -> float:
    """The worst of max |b - A x| / (|A| max |x| + max |b|) over the columns, as of a dense one."""
    if x.size == 0:
        return 0.0
    if x.dtype.kind == "c" and m.dtype.kind != "c":
        m = m.astype(x.dtype)
    with np.errstate(all="ignore"):
        product = m.dot(x, transposed=transposed, conjugate=conjugate)
        residual = np.abs(b - product).max(axis=0)
        norm = m.norm1() if transposed else _norm_inf(m)
        scale = norm * np.abs(x).max(axis=0) + np.abs(b).max(axis=0)
        return float(np.max(np.where(residual == 0, 0, residual / scale)))


def _norm_inf(m: SparseMatrix) -> float:
    data, indices, indptr = m.arrays()
    lines: Array = indices
    if m.csr:
        lines = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return float(np.bincount(lines, np.abs(data), minlength=1).max())
