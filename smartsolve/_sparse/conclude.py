"""After the solution: is it to be trusted, and what is said of it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _condition, _errors
from .choose import Factored
from .operands import SparseMatrix

__all__ = [
    "backward_error",
    "judge",
    "say_ill_conditioned",
    "say_singular",
]

Array = npt.NDArray[Any]


def judge(factored: Factored, wanted: bool) -> float:
    """The estimate of rcond; NaN where the matrix passes the screen and nobody asks."""
    factors = factored.factors
    if factors is None:
        return np.nan if factored.singular is None else 0.0
    if factored.method.condition == "exact" or wanted or not factors.passes_screen():
        return factors.rcond()
    return np.nan


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


def say_ill_conditioned(method: str, rcond: float, dtype: np.dtype[Any]) -> None:
    """Warn, raise or pass, as `errstate` says, if rcond lies below eps."""
    eps = float(np.finfo(dtype).eps)
    if rcond < eps:
        text = _errors.ill_conditioned(method, rcond, eps, "", 1, dense=False)
        _condition.doubt(text, "IllConditionedWarning", rcond=rcond)


def say_singular(where: str, policy: str) -> None:
    """Raise, warn or pass."""
    if policy == "raise":
        raise LinAlgError(_errors.sparse_singular(where))
    if policy == "warn":
        _condition.doubt(_errors.sparse_singular_warning(where), "SingularMatrixWarning")
