"""SciPy's SuperLU: the general method where many flops fall on each entry of the factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .factors import PythonFactors
from .operands import SparseMatrix

__all__ = ["SuperLUFactors"]

Array = npt.NDArray[Any]


class SuperLUFactors(PythonFactors):
    """Of ``Pr A Pc = L U``, with partial pivoting and columns ordered by COLAMD."""

    def __init__(self, matrix: SparseMatrix) -> None:
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        super().__init__(matrix.dtype, matrix.shape[0], matrix.norm1())
        a = csc_array(matrix.csc(), shape=matrix.shape)
        a.has_canonical_format = True  # it is, and SciPy would sort what may not be written
        if self._n == 0:
            return
        try:
            # With an option it is SciPy's own, also where patch_numpy() leads the name elsewhere.
            self._lu = splu(a, permc_spec="COLAMD")
        except RuntimeError as error:
            # A dependent pattern may also give "failed to factorize matrix at line ...".
            self.index = _unmatched_column(a)
            self.exact = self.index >= 0
            if not self.exact and "singular" not in str(error):
                raise
            self.status = "singular"
            return
        self.entries = int(self._lu.nnz)
        self.bytes = self.entries * (matrix.dtype.itemsize + 4)

    def _diagonal(self) -> Array:
        diagonal: Array = self._lu.U.diagonal()
        return diagonal

    def _solve(self, b: Array, trans: str) -> Array:
        x: Array = self._lu.solve(b, trans)
        return x

    def determinant(self) -> tuple[Any, int]:
        """From the diagonal of U and the signs of both permutations."""
        if self.status != "ok":
            return self._dtype.type(0), 0
        if self._n == 0:
            return self._dtype.type(1), 0
        return product(self._diagonal(), parity(self._lu.perm_r) * parity(self._lu.perm_c))


def _unmatched_column(a: Any) -> int:
    """A column that no maximum matching of rows and columns reaches, or -1."""
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rows = maximum_bipartite_matching(a, perm_type="row")
    unmatched = np.flatnonzero(rows < 0)
    return int(unmatched[0]) if unmatched.size else -1


def product(factors: Array, sign: int) -> tuple[Any, int]:
    """Mantissa and exponent of a product, which may be far out of range."""
    size, exponent = np.abs(factors), 0
    phases = factors / size
    mantissas, exponents = np.frexp(size)
    exponent = int(exponents.sum(dtype=np.int64))
    value: Any = sign
    for start in range(0, len(factors), 512):  # 2^-512 is in range, in double precision
        part = mantissas[start : start + 512].astype(np.float64)
        mantissa, shift = np.frexp(part.prod())
        phase = phases[start : start + 512].prod(dtype=np.result_type(phases.dtype, np.float64))
        value = value * phase * mantissa
        exponent += int(shift)
    return factors.dtype.type(value), exponent


def parity(permutation: Array) -> int:
    """Its sign: every cycle of even length turns it."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(permutation)
    graph = csr_array(
        (np.ones(n, np.int8), np.asarray(permutation), np.arange(n + 1)), shape=(n, n)
    )
    cycles = connected_components(graph, directed=False, return_labels=False)
    return -1 if (n - cycles) % 2 else 1
