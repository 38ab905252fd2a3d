"""What is this matrix? Facts, each found when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .operands import SparseMatrix

__all__ = ["Facts"]

Array = npt.NDArray[Any]


class Facts:
    """What can be known of a matrix before it is factored."""

    def __init__(self, matrix: SparseMatrix) -> None:
        self.matrix = matrix
        self.shape = matrix.shape
        self.n = matrix.shape[1]
        self.nnz = matrix.nnz
        self._plans: dict[str, dict[str, Any]] = {}
        self._least_band: int | None = None
        self.is_square = matrix.shape[0] == matrix.shape[1]

    @cached_property
    def scan(self) -> dict[str, Any]:
        """Bandwidths, symmetry, the diagonal, finiteness: one pass, with early exits."""
        return self.matrix.scan()

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

    def least_band(self, density: float) -> int:
        """What kl + ku + 1 is at least in any order; more than enough for bands less filled."""
        if self._least_band is None:
            enough = int(2 * self.nnz / (density * max(1, self.n))) + 1
            self._least_band = self.matrix.least_band(enough)
        return self._least_band

    def most_filled(self, width: int) -> float:
        """The share of a band with kl + ku + 1 = `width` that is filled at most."""
        return self.nnz / max(1, self.n * width - width * (width - 1) // 2)

    @cached_property
    def band_order(self) -> Array:
        """Reverse Cuthill and McKee's order."""
        return self.matrix.order("rcm")

    @cached_property
    def ordered_band(self) -> tuple[int, int]:
        """Bandwidths in that order."""
        return self.matrix.band(self.band_order)

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
