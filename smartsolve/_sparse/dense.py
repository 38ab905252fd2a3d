"""Small matrices, filled up with their zeros and given to the dense product."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .. import _core
from .operands import SparseMatrix

__all__ = ["DenseFactors"]

Array = npt.NDArray[Any]


class DenseFactors:
    """The dense factorization of a sparse matrix.

    The native constructor raises and warns as `smartsolve.factorize` does; a singular matrix that
    is let pass is solved with NaN.
    """

    status = "ok"
    index, axis, exact = -1, "pivot", False

    def __init__(self, matrix: SparseMatrix) -> None:
        self._factors = _core.Factors(matrix.dense())
        row = _core.methods()[int(self._factors._rows())]
        self.structure, self.method, self.routine = row["kind"], row["method"], row["routine"]
        n = matrix.shape[0]
        self.entries, self.bytes = n * n, n * n * matrix.dtype.itemsize
        self.flops = 2 * n**3 / 3

    def solve(
        self, b: Array, *, transposed: bool = False, conjugate: bool = False, workers: int = 1
    ) -> Array:
        """As the native ones."""
        x: Array = self._factors.solve(b, transposed=transposed, conjugate=conjugate)
        return x

    def passes_screen(self) -> bool:
        """The constructor has said what there is to say."""
        return True

    def rcond(self) -> float:
        """As the dense factorization estimates it."""
        return float(self._factors._rconds())

    def determinant(self) -> tuple[Any, int]:
        """Mantissa and exponent."""
        mantissa, exponent = self._factors._determinants()
        return mantissa.item(), int(exponent)
