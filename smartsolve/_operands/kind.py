"""What a kind of operand has to know."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors
from .._factored import Outer
from .._report import SolveInfo
from .._types import Align, Side

__all__ = ["Kind", "WrappedFactorization", "is_loaded_class", "with_rounding"]


class Kind:
    """A library's arrays: numbers, and a shell around them.

    A shell is what an operand is besides its numbers. That of a plain one is None.
    """

    def has(self, cls: type) -> bool:
        """Whether this is a class of its arrays."""
        raise NotImplementedError

    def knows(self, x: Any) -> bool:
        """Whether this is one of its arrays."""
        return self.has(type(x))

    def inside(self, x: Any, name: str) -> Any:
        """The numbers, or an array of another kind that holds them."""
        raise NotImplementedError

    def shell(self, x: Any) -> Any:
        """What is left without the numbers."""
        raise NotImplementedError

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        """The solution in the shell that follows from those of `a` and `b`."""
        raise NotImplementedError

    def inverse(self, a: Any, x: Any) -> Any:
        """The inverse in its shell."""
        return self.solution(a, None, x, "left")

    def determinant(self, a: Any, det: Any, n: int) -> Any:
        """The determinant of a matrix of order n in its shell."""
        return det

    def log_determinant(self, a: Any, result: Any) -> Any:
        """Sign and logarithm of the determinant, if they have a meaning."""
        return result

    def aligned(self, a: Any, b: Any, side: Side, align: Align | None) -> Any:
        """`b` as it fits the labels of `a`, of which a shell is given; others have none."""
        if align is not None:
            raise TypeError(_errors.nothing_to_align(align))
        return b

    def dtype(self, a: Any, factors: Any) -> Any:
        """The type of the solutions."""
        return factors.dtype

    def factored(
        self, factorize: Callable[..., Any], a: Any, structure: str | None, **options: Any
    ) -> Any:
        """The factors of a matrix, which remember its shell."""
        inner = factorize(self.inside(a, "a"), structure, **options)
        return WrappedFactorization(self, self.shell(a), inner)

    def through(
        self,
        function: Callable[..., Any],
        a: Any,
        b: Any,
        side: Side,
        *,
        align: Align | None = None,
        **options: Any,
    ) -> Any:
        """Call a function of a and b with their numbers, and give its answer their shell."""
        of_a = self.shell(a) if self.knows(a) else None
        b = self.aligned(of_a, b, side, align)
        of_b = self.shell(b) if self.knows(b) else None
        solved = function(
            a if of_a is None else self.inside(a, "a"),
            b if of_b is None else self.inside(b, "b"),
            **options,
        )
        if options.get("return_info"):
            x, info = solved
            return self.solution(of_a, of_b, x, side), info
        return self.solution(of_a, of_b, solved, side)


class WrappedFactorization(Outer):
    """What `factorize` gives for the arrays of other libraries.

    It does what the factors of the numbers do, and puts the meaning of `a` on each answer.
    """

    def __init__(self, kind: Kind, shell: Any, factors: Any) -> None:
        self._kind, self._shell, self.factors = kind, shell, factors

    @property
    def dtype(self) -> Any:
        return self._kind.dtype(self._shell, self.factors)

    def solve(
        self,
        b: Any,
        *,
        transposed: bool = False,
        align: Align | None = None,
        **options: Any,
    ) -> Any:
        """Solve with the factors; options as of the factors of plain numbers, and `align`."""
        side: Side = "transposed" if transposed else "left"
        return self._solved(
            self.factors.solve, b, side, align, {"transposed": transposed, **options}
        )

    def divide(
        self, mrdivide: Callable[..., Any], b: Any, align: Align | None = None, **options: Any
    ) -> Any:
        """``b / a``, as `mrdivide` does it."""

        def solve(b: Any, **options: Any) -> Any:
            return mrdivide(b, self.factors, **options)

        return self._solved(solve, b, "right", align, options)

    def _solved(
        self,
        solve: Callable[..., Any],
        b: Any,
        side: Side,
        align: Align | None,
        options: dict[str, Any],
    ) -> Any:
        kind = self._kind
        b = kind.aligned(self._shell, b, side, align)
        of_b = kind.shell(b) if kind.knows(b) else None
        inner = b if of_b is None else kind.inside(b, "b")
        solved = solve(inner, **options)
        if options.get("return_info"):
            x, info = solved
            return kind.solution(self._shell, of_b, x, side), info
        return kind.solution(self._shell, of_b, solved, side)

    def inv(self) -> Any:
        """The inverse, with the unit and the labels that belong to it."""
        return self._kind.inverse(self._shell, self.factors.inv())

    def det(self) -> Any:
        """The determinant, with its unit."""
        return self._kind.determinant(self._shell, self.factors.det(), self.shape[-1])

    def slogdet(self) -> Any:
        """Sign and logarithm of the determinant, if that has no unit."""
        return self._kind.log_determinant(self._shell, self.factors.slogdet())


def is_loaded_class(cls: type, module: str, *names: str) -> bool:
    """Whether it derives from a class of a module that is loaded; nothing is imported to ask."""
    loaded = sys.modules.get(module)
    return loaded is not None and issubclass(cls, tuple(getattr(loaded, name) for name in names))


def with_rounding(info: SolveInfo, x: npt.NDArray[Any], narrow: npt.NDArray[Any]) -> SolveInfo:
    """What is known of a solution, once that has been rounded: its bound grows."""
    if info.error_bound is None:
        return info
    wide = np.result_type(x, np.float64)
    with np.errstate(invalid="ignore"):
        off = np.abs(x.astype(wide) - narrow.astype(wide))
    return replace(info, error_bound=(info.error_bound + off) * (1 + 2.0**-50))
