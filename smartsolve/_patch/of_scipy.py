"""What stands for SciPy's solvers, where these take what they take."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._condition import IllConditioned
from .._core import solve
from .._sparse.patch import sparse_solvers
from .._types import StructureName
from .function import Function, Replacement, function

__all__ = ["replacements", "scipy_solve"]


class _ScipySolve(Replacement):
    """The same for SciPy's signature.

    `overwrite_a` and `overwrite_b` are not passed on: what `smartsolve.solve` refuses must reach
    SciPy intact.
    """

    __slots__ = ()

    def _call(
        self,
        a: Any,
        b: Any,
        lower: bool = False,
        overwrite_a: bool = False,
        overwrite_b: bool = False,
        check_finite: bool = True,
        assume_a: StructureName | None = None,
        transposed: bool = False,
    ) -> Any:
        options = (lower, overwrite_a, overwrite_b, check_finite, assume_a, transposed)
        if _is_plain(a) and _is_plain(b):
            try:
                x = solve(
                    a,
                    b,
                    assume_a=assume_a,
                    lower=lower,
                    transposed=transposed,
                    check_finite=check_finite,
                )
                return _kept_in(b, x) if overwrite_b else x
            except (TypeError, ValueError, Warning) as refusal:
                return self._instead(refusal, a, b, *options)
        return self._original(a, b, *options)


def _is_plain(array: Any) -> bool:
    """Whether SciPy has the same rules for it: it has others for subclasses and integers."""
    return type(array) is np.ndarray and array.dtype.char in "fdFD"


def _kept_in(b: Any, x: Any) -> Any:
    """The solution in the memory of b, where SciPy puts it there."""
    if b.flags.writeable and b.flags.f_contiguous and (b.shape, b.dtype) == (x.shape, x.dtype):
        b[...] = x
        return b
    return x


@functools.cache
def scipy_solve(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`scipy.linalg.solve`, and what stands for it."""
    solve = function("scipy.linalg", "solve")
    return solve, _ScipySolve(solve.original, ill_conditioned)


def replacements(
    ill_conditioned: IllConditioned | None = None,
) -> Iterator[tuple[Function, Replacement]]:
    """The dense and the sparse direct solvers."""
    yield scipy_solve(ill_conditioned)
    yield from sparse_solvers(ill_conditioned)
