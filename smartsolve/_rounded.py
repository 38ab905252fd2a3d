"""Factors in another type than that of the matrix."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _operands
from ._factored import FactoredMatrix, Outer
from ._types import Side

__all__ = ["RoundedFactorization"]


class RoundedFactorization(Outer):
    """What `factorize` gives for a type that the matrix is rounded to, or that is not computed in.

    It solves in the type of its factors, whatever that of the right-hand side is, and rounds the
    solutions. Determinants are not rounded: half precision ends at 65504.
    """

    def __init__(self, dtype: np.dtype[Any], factors: FactoredMatrix) -> None:
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

    def _posed(self) -> tuple[npt.NDArray[Any], Callable[..., RoundedFactorization]]:
        matrix, factor = self.factors._posed()
        return matrix, partial(_factored, self._dtype, self.factors.dtype, factor)

    def det(self) -> Any:
        return self.factors.det()

    def slogdet(self) -> Any:
        return self.factors.slogdet()

    def __repr__(self) -> str:
        return f"{self.factors!r} for {self._dtype}"


def _factored(
    wanted: np.dtype[Any], working: np.dtype[Any], factor: Callable[..., Any], matrix: Any
) -> RoundedFactorization:
    converted = _operands.converted(matrix, "a", working, str(wanted))
    return RoundedFactorization(wanted, factor(converted))


def _solve_with(factors: Any, b: Any, **options: Any) -> Any:
    return factors.solve(b, **options)
