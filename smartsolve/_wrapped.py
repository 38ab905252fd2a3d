"""Factors of a matrix that is more than numbers: its unit, its labels, its class, or its type."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _operands
from ._factorization import FactoredMatrix, Factorization
from ._mldivide import mrdivide
from ._types import Align, Side

__all__ = ["RoundedFactorization", "WrappedFactorization"]


class _Outer(FactoredMatrix):
    """What is around factors: they do what is not done here."""

    factors: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.factors.shape)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "factors":
            raise AttributeError(name)
        return getattr(self.factors, name)

    def __repr__(self) -> str:
        return f"{self.factors!r}"

    def _repr_html_(self) -> str:
        return str(self.factors._repr_html_())


class RoundedFactorization(_Outer):
    """What `factorize` gives for a type that the matrix is rounded to, or that is not computed in.

    It solves in the type of its factors, whatever that of the right-hand side is, and rounds the
    solutions. Determinants are not rounded: half precision ends at 65504.
    """

    def __init__(self, dtype: np.dtype[Any], factors: Factorization) -> None:
        self._dtype, self.factors = dtype, factors

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def solve(
        self, b: Any, *, transposed: bool = False, conjugate: bool = False, **options: Any
    ) -> Any:
        """Solve with the factors; options as theirs, but for an `accuracy`."""
        if options.get("accuracy") is not None:
            raise TypeError(
                "accuracy is of the numbers as they were given, which factors with a dtype do not "
                f"keep; solve(a, b, dtype={str(self._dtype)!r}, accuracy=...) does"
            )
        given = {"transposed": transposed, "conjugate": conjugate, **options}
        kind = _operands.kind_of(b)
        if kind is not None:
            side: Side = "transposed" if transposed else "left"
            return kind.through(_solve_with, self, b, side, **given)
        rhs = _operands.right_hand_side(b, "a Factorization")
        rhs = _operands.converted(rhs, "b", self.factors.dtype, str(self._dtype))
        solved = self.factors.solve(rhs, **given)
        if options.get("return_info"):
            x, info = solved
            narrow = x.astype(self._dtype, copy=False)
            return _operands.like(b, narrow), _operands.with_rounding(info, x, narrow)
        return _operands.like(b, solved.astype(self._dtype, copy=False))

    def det(self) -> Any:
        return self.factors.det()

    def slogdet(self) -> Any:
        return self.factors.slogdet()

    def __repr__(self) -> str:
        return f"{self.factors!r} for {self._dtype}"


def _solve_with(factors: Any, b: Any, **options: Any) -> Any:
    return factors.solve(b, **options)


class WrappedFactorization(_Outer):
    """What `factorize` gives for the arrays of other libraries.

    It does what the factors of the numbers do, and puts the meaning of `a` on each answer.
    """

    def __init__(self, kind: _operands.Kind, shell: Any, factors: Any) -> None:
        self._kind, self._shell, self.factors = kind, shell, factors

    def solve(
        self,
        b: Any,
        *,
        transposed: bool = False,
        align: Align | None = None,
        **options: Any,
    ) -> Any:
        """Solve with the factors; options as of the factors of plain numbers, and `align`."""
        return self._solve(b, "transposed" if transposed else "left", align, options)

    def divide(self, b: Any, align: Align | None = None) -> Any:
        """``b / a``, as `mrdivide` does it."""
        return self._solve(b, "right", align, {})

    def _solve(self, b: Any, side: Side, align: Align | None, options: dict[str, Any]) -> Any:
        kind = self._kind
        b = kind.aligned(self._shell, b, side, align)
        of_b = kind.shell(b) if kind.knows(b) else None
        inner = b if of_b is None else kind.inside(b, "b")
        if side == "right":
            solved = mrdivide(inner, self.factors)
        else:
            solved = self.factors.solve(inner, transposed=side == "transposed", **options)
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
