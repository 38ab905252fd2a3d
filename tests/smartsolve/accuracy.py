"""How good is a solution? The bounds that the tests hold solutions to.

Residuals are computed in a wider type than the solution's, so that what is measured is the
solver's error and not the measurement's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# ||b - A x|| <= FACTOR n eps (||A|| ||x|| + ||b||). Theory allows every method of the table
# about 3 n u with u = eps / 2, times the growth of the elements, which partial pivoting keeps
# small on the matrices of `random_matrix` (Higham, ASNA, theorems 8.5, 9.4, 10.3, 11.3).
FACTOR = 8.0


def eps(dtype: npt.DTypeLike) -> float:
    return float(np.finfo(np.dtype(dtype)).eps)


def wider(a: Array) -> Array:
    """The same values in a type with more digits where the platform has one."""
    if np.finfo(a.dtype).bits == 32:
        return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    return a.astype(np.clongdouble if a.dtype.kind == "c" else np.longdouble)


def backward_error(a: Array, x: Array, b: Array, transposed: bool = False) -> float:
    """The largest ||b - A x|| / (||A|| ||x|| + ||b||) over slices and columns, in the max norm.

    All that broadcasts in `solve` broadcasts here; 0 for systems without elements.
    """
    a, x, rhs = wider(a), wider(x), wider(b)
    if transposed:
        a = np.swapaxes(a, -1, -2)
    if b.ndim == 1:
        x, rhs = x[..., None], rhs[:, None]
    if x.size == 0:
        return 0.0
    residual = np.abs(rhs - a @ x).max(axis=-2)
    norm = np.abs(a).sum(axis=-1).max(axis=-1)[..., None]
    scale = norm * np.abs(x).max(axis=-2) + np.abs(rhs).max(axis=-2)
    return float(np.max(residual / np.where(scale == 0, 1, scale)))


def assert_solves(a: Array, x: Array, b: Array, transposed: bool = False) -> None:
    """`x` is the solution of a nearby system: the backward error is within the bound."""
    n = a.shape[-1]
    assert np.isfinite(x).all()
    bound = FACTOR * max(n, 1) * eps(x.dtype)
    assert backward_error(a, x, b, transposed) <= bound


def assert_same_solution(a: Array, x: Array, y: Array) -> None:
    """Two backward stable solutions of one well-conditioned system, or of a stack of them.

    Each is within condition * backward error of the true one.
    """
    assert x.shape == y.shape
    assert x.dtype == y.dtype
    if x.size:
        condition = float(np.linalg.cond(a, np.inf).max())
        bound = 2 * FACTOR * a.shape[-1] * eps(x.dtype) * condition
        assert np.abs(wider(x) - wider(y)).max() <= bound * np.abs(y).max()
