"""What stands for NumPy's functions, where these take what they take."""

import functools
from typing import Any

import numpy as np

from .._condition import IllConditioned
from .._core import solve
from .._sparse import is_sparse
from .function import Function, Replacement, function

__all__ = ["numpy_inv", "numpy_solve"]


class _NumpySolve(Replacement):
    """`smartsolve.solve`, and NumPy's own for whatever that refuses.

    NumPy takes no sparse matrix, and says so.
    """

    __slots__ = ()

    def _call(self, a: Any, b: Any) -> Any:
        if is_sparse(a) or is_sparse(b):
            return self._original(a, b)
        try:
            return solve(a, b)
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, a, b)


class _NumpyInv(Replacement):
    """The inverse as `smartsolve.solve` of the identity, as NumPy has it, and NumPy's own as above.

    NumPy's own also for matrices and other subclasses, which it returns as what they are.
    """

    __slots__ = ()

    def _call(self, a: Any) -> Any:
        if type(a) not in (np.ndarray, list, tuple):
            return self._original(a)
        try:
            matrix = np.asarray(a)
            kind = matrix.dtype if matrix.dtype.char in "fdFD" else np.float64
            return solve(matrix, np.eye(matrix.shape[-1] if matrix.ndim else 0, dtype=kind))
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, a)


@functools.cache
def numpy_solve(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`numpy.linalg.solve`, and what stands for it."""
    solve = function("numpy.linalg", "solve")
    return solve, _NumpySolve(solve.original, ill_conditioned)


@functools.cache
def numpy_inv(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`numpy.linalg.inv`, and what stands for it."""
    inv = function("numpy.linalg", "inv")
    return inv, _NumpyInv(inv.original, ill_conditioned)
