"""SciPy's sparse direct solvers, led to this package where their contract holds."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from .._condition import IllConditioned
from .._core import solve
from .._factorization import factorize
from .._patch.function import Function, Replacement, function

__all__ = ["sparse_solvers"]

Array = npt.NDArray[Any]

_ORDERINGS = (None, "NATURAL", "MMD_ATA", "MMD_AT_PLUS_A", "COLAMD")


@functools.cache
def sparse_solvers(
    ill_conditioned: IllConditioned | None = None,
) -> tuple[tuple[Function, Replacement], ...]:
    """`spsolve`, `factorized` and `splu`, and what stands for them."""
    pairs = []
    for name, kind in (("spsolve", _Spsolve), ("factorized", _Factorized), ("splu", _Splu)):
        solver = function("scipy.sparse.linalg", name)
        pairs.append((solver, kind(solver.original, ill_conditioned)))
    return tuple(pairs)


def _is_scipys(a: Any) -> bool:
    from scipy.sparse import issparse

    return bool(issparse(a)) and len(a.shape) == 2 and a.shape[0] == a.shape[1]


class _Spsolve(Replacement):
    """A column is a vector, a sparse right-hand side of several columns has a sparse solution."""

    __slots__ = ()

    def _call(self, A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
        from scipy.sparse import csc_array, issparse

        options = (permc_spec, use_umfpack)
        sparse = issparse(b)
        if not _is_scipys(A) or permc_spec not in _ORDERINGS or not (sparse or _is_plain(b)):
            return self._original(A, b, *options)
        if sparse and (len(b.shape) == 1 or b.shape[1] == 1):
            b, sparse = b.toarray(), False
        elif not sparse:
            b = np.asarray(b)
        try:
            x = solve(A, b, sparse_x=sparse)
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, A, b, *options)
        if sparse:
            return (type(A) if A.format in ("csc", "csr") else csc_array)(x)
        x = x.astype(np.promote_types(A.dtype, b.dtype), copy=False) if _narrows(A, b) else x
        return x.ravel() if b.ndim == 2 and b.shape[1] == 1 else x


def _is_plain(b: Any) -> bool:
    """Whether SciPy has the same rules for it."""
    return np.ndim(b) in (1, 2)


def _narrows(a: Any, b: Array) -> bool:
    """Whether SciPy's promotion of integers beside single precision gives single precision."""
    return np.promote_types(a.dtype, b.dtype).char in "fF"


class _Factorized(Replacement):
    """A function that solves."""

    __slots__ = ()

    def _call(self, A: Any) -> Any:
        if not _is_scipys(A):
            return self._original(A)
        try:
            return _FactoredLikeScipy(A, self._original).solve
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, A)


class _Splu(Replacement):
    """Without options an object that solves; who chooses the pivots himself gets SuperLU's own."""

    __slots__ = ()

    def _call(self, A: Any, *args: Any, **options: Any) -> Any:
        if not _is_scipys(A) or args or any(value is not None for value in options.values()):
            return self._original(A, *args, **options)
        try:
            return _LikeSuperLU(A, self._original)
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, A)


class _FactoredLikeScipy:
    """Solves with this package's factors what SciPy's would solve; the rest is left to SciPy's.

    Those are made when they are first asked for, of a copy of the matrix.
    """

    def __init__(self, a: Any, original: Any) -> None:
        self._factors = factorize(a)
        self._matrix = a.copy()
        self._factor = original

    @functools.cached_property
    def _scipys(self) -> Any:
        return self._factor(self._matrix)

    def _solve_originally(self, *args: Any) -> Any:
        return self._scipys(*args)

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """As `scipy.sparse.linalg.SuperLU.solve`, which takes what casts safely."""
        b = rhs if type(rhs) is np.ndarray else None
        fits = b is not None and b.ndim in (1, 2) and b.shape[0] == self._factors.shape[0]
        if b is None or not fits or not np.can_cast(b.dtype, self._factors.dtype):
            return self._solve_originally(rhs, *([] if trans == "N" else [trans]))
        if trans not in ("N", "T", "H"):
            return self._solve_originally(rhs, trans)
        return self._factors.solve(b, transposed=trans != "N", conjugate=trans == "H")


class _LikeSuperLU(_FactoredLikeScipy):
    """Passes for SuperLU's object; its factors are SuperLU's own."""

    def _solve_originally(self, *args: Any) -> Any:
        return self._scipys.solve(*args)

    @property
    def __class__(self) -> type:
        from scipy.sparse.linalg import SuperLU

        kind: type = SuperLU
        return kind

    @__class__.setter
    def __class__(self, other: type) -> None:
        raise TypeError("the class of this object cannot be changed")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the matrix."""
        shape: tuple[int, ...] = self._factors.shape
        return shape

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._scipys, name)
