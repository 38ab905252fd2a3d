"""Factors of a matrix that is more than numbers: its unit, its labels, or its class."""

from __future__ import annotations

from typing import Any

from . import _operands
from ._factorization import FactoredMatrix
from ._mldivide import mrdivide
from ._types import Align, Side

__all__ = ["WrappedFactorization"]


class WrappedFactorization(FactoredMatrix):
    """What `factorize` gives for the arrays of other libraries.

    It does what the factors of the numbers do, and puts the meaning of `a` on each answer.
    """

    def __init__(self, kind: _operands.Kind, shell: Any, factors: Any) -> None:
        self._kind, self._shell, self.factors = kind, shell, factors

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.factors.shape)

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

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "factors":
            raise AttributeError(name)
        return getattr(self.factors, name)

    def __repr__(self) -> str:
        return f"{self.factors!r}"

    def _repr_html_(self) -> str:
        return str(self.factors._repr_html_())
