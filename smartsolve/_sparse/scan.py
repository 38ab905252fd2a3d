"""What is this matrix? Facts, each found when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .operands import SparseMatrix
from .range import in_range

__all__ = ["BAND_DENSITY", "Facts"]

Array = npt.NDArray[Any]

# A band is worth its storage if it holds so much of it: MATLAB's default, spparms('bandden').
BAND_DENSITY = 0.5


class Facts:
    """What can be known of a matrix before it is factored."""

    def __init__(self, matrix: SparseMatrix) -> None:
        self.matrix = matrix
        self.shape = matrix.shape
        self.n = matrix.shape[1]
        self.nnz = matrix.nnz
        self._plans: dict[str, dict[str, Any]] = {}
        self.is_square = matrix.shape[0] == matrix.shape[1]

    @cached_property
    def scan(self) -> dict[str, Any]:
        """Bandwidths, symmetry, the diagonal, finiteness: one pass, with early exits."""
        return self.matrix.scan()

    @cached_property
    def in_range(self) -> tuple[Facts, int]:
        """Those of the matrix brought into range, and the exponent of its scale."""
        matrix, exponent = in_range(self.matrix)
        return (Facts(matrix), exponent) if exponent else (self, 0)

    @property
    def kl(self) -> int:
        """The lower bandwidth."""
        return int(self.scan["kl"])

    @property
    def ku(self) -> int:
        """The upper bandwidth."""
        return int(self.scan["ku"])

    @property
    def is_definite_candidate(self) -> bool:
        """Hermitian with a positive diagonal: Cholesky's factorization decides."""
        return bool(self.scan["hermitian"] and self.scan["positive_diagonal"])

    @cached_property
    def peeled(self) -> tuple[Array, Array] | None:
        """The orders of rows and columns that make it lower triangular."""
        return self.matrix.peel()

    @cached_property
    def blocks(self) -> dict[str, Any]:
        """Maximum matching and strong components: block upper triangular form."""
        return self.matrix.blocks()

    @cached_property
    def block_sizes(self) -> Array:
        """Orders of the diagonal blocks."""
        sizes: Array = np.diff(self.blocks["starts"])
        return sizes

    def has_blocks(self, *, neighbouring: bool) -> bool:
        """Whether it is of small blocks that nothing joins, as it lies or in any order."""
        return self.matrix.has_independent_blocks(neighbouring)

    @cached_property
    def independent_blocks(self) -> dict[str, Any]:
        """Those blocks, as `blocks`."""
        found = self.matrix.independent_blocks()
        assert found is not None
        return found

    @cached_property
    def narrow(self) -> tuple[int, tuple[Array, int, int] | None]:
        """The least kl + ku + 1; reverse Cuthill and McKee's order and its band, if it can pay."""
        # A band of that width fills less than its share, whatever its corners.
        most = int(2 * self.nnz / (BAND_DENSITY * max(1, self.n)))
        return self.matrix.narrow(most)

    @property
    def band_order(self) -> Array:
        """Reverse Cuthill and McKee's order, or that of the matrix where none is narrow."""
        found = self.narrow[1]
        return np.arange(self.n) if found is None else found[0]

    @property
    def ordered_band(self) -> tuple[int, int]:
        """Bandwidths in that order."""
        found = self.narrow[1]
        return (self.kl, self.ku) if found is None else found[1:]

    @property
    def ordered_band_density(self) -> float:
        """The share of that band that is filled."""
        kl, ku = self.ordered_band
        places = self.n * (kl + ku + 1) - kl * (kl + 1) // 2 - ku * (ku + 1) // 2
        return self.nnz / places

    def plan(self, method: str) -> dict[str, Any]:
        """Flops, entries and bytes that a native method would take."""
        if method not in self._plans:
            self._plans[method] = self.matrix.plan(method)
        return self._plans[method]

    def nonzero_off(self, lower: int, upper: int) -> str:
        """Name an entry below the `lower`-th or above the `upper`-th diagonal."""
        data, lines, columns = self._triplets()
        distance = lines - columns
        at = np.flatnonzero((distance > lower) | (-distance > upper))[0]
        return f"{self._entry(lines[at], columns[at], data[at])} is not zero"

    def asymmetry(self, hermitian: bool) -> str:
        """Name an entry that differs from the one across the diagonal."""
        if self.shape[0] != self.shape[1]:
            return f"the matrix is {self.shape[0]} x {self.shape[1]}, not square"
        from scipy.sparse import csc_array

        a = csc_array(self.matrix.csc(), shape=self.shape)
        other = a.T.conj() if hermitian else a.T
        differs = (a != other.tocsc()).tocoo()
        if not differs.nnz:
            return "it is not"
        i, j = int(max(differs.row[0], differs.col[0])), int(min(differs.row[0], differs.col[0]))
        if i == j:
            return f"{self._entry(i, i, a[i, i])} is not real"
        conjugate = "the conjugate of " if hermitian and a.dtype.kind == "c" else ""
        return f"{self._entry(i, j, a[i, j])} differs from {conjugate}{self._entry(j, i, a[j, i])}"

    def not_positive(self) -> str:
        """Name a diagonal entry that is not positive."""
        from scipy.sparse import csc_array

        diagonal = csc_array(self.matrix.csc(), shape=self.shape).diagonal()
        i = int(np.flatnonzero(~((diagonal.real > 0) & (diagonal.imag == 0)))[0])
        return f"{self._entry(i, i, diagonal[i])} is not positive"

    def _triplets(self) -> tuple[Array, Array, Array]:
        data, indices, indptr = self.matrix.arrays()
        lines = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        inner = indices.astype(np.intp)
        return (data, lines, inner) if self.matrix.csr else (data, inner, lines)

    def _entry(self, i: Any, j: Any, value: Any) -> str:
        return f"a[{i}, {j}] = {value:.6g}"
