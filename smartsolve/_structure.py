"""What `inspect` gives: the structure of a matrix, or of each of a stack."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._report import html_table
from ._types import MaybeNone, PerSystem

__all__ = ["Structure"]


@dataclass(frozen=True, eq=False)
class Structure:
    """What the scan finds in a matrix; for a stack, arrays over its leading axes.

    Attributes
    ----------
    kind : str or ndarray of str
        "diagonal", "upper triangular", "lower triangular", "permuted
        triangular", "spd tridiagonal", "tridiagonal", "spd banded", "banded",
        "upper hessenberg", "lower hessenberg", "circulant", "block diagonal",
        "block triangular" (both with rows and columns in an order of their
        own), "sparse" (these four from order 128 on, and if it pays), "permuted
        banded" (rows and columns alike in an order that makes a band; from
        order 256 on, and if it pays), "positive definite", "symmetric",
        "hermitian" or "general". The three definite kinds ("spd") by Cholesky's
        factorization.
    n : int
        Order of the matrix.
    dtype : numpy.dtype
        The type in which it would be solved.
    lower_bandwidth, upper_bandwidth : int or ndarray of int
        Distance of the farthest nonzero element below and above the diagonal.
    symmetric, hermitian : bool or ndarray of bool
        Whether ``a == a.T`` and ``a == a.conj().T``, exactly.
    row_permutation, column_permutation : ndarray of int or None
        ``a[row_permutation][:, column_permutation]`` is lower triangular, block
        diagonal, block lower triangular or banded; None if the matrix is not
        permuted triangular, of blocks or permuted banded (in a stack, rows of
        -1).
    block_sizes : ndarray of int or None
        Orders of the diagonal blocks in that order; None if there are none (in
        a stack, filled up with zeros).
    permuted_bandwidths : tuple of int, ndarray of int or None
        The lower and the upper bandwidth in that order; None if the matrix is
        not permuted banded (in a stack, an axis of two, -1 for none).
    factor_flops : float or ndarray of float64
        Flops of the factorization where only the pattern of zeros tells them,
        of a sparse matrix at most; else 0.
    nnz : int or None
        Of a matrix in sparse storage its nonzeros, duplicates summed and
        explicit zeros left out; else None.
    """

    kind: PerSystem
    n: int
    dtype: np.dtype[np.generic]
    lower_bandwidth: PerSystem
    upper_bandwidth: PerSystem
    symmetric: PerSystem
    hermitian: PerSystem
    row_permutation: npt.NDArray[np.intp] | MaybeNone
    column_permutation: npt.NDArray[np.intp] | MaybeNone
    block_sizes: npt.NDArray[np.intp] | MaybeNone
    permuted_bandwidths: tuple[int, int] | npt.NDArray[np.intp] | MaybeNone
    factor_flops: PerSystem
    nnz: int | None = None

    def _rows(self) -> Iterator[tuple[str, str]]:
        size = f"{self.n} x {self.n}, {self.dtype}"
        if isinstance(self.kind, np.ndarray):
            yield "stack", f"{' x '.join(map(str, self.kind.shape))} matrices, {size}"
            for kind, count in zip(*np.unique(self.kind, return_counts=True), strict=True):
                yield "1 slice" if count == 1 else f"{count} slices", str(kind)
            return
        yield "structure", f"{self.kind}, {size}"
        yield "bandwidths", f"{self.lower_bandwidth} below, {self.upper_bandwidth} above"
        equal = [name for name in ("symmetric", "hermitian") if getattr(self, name)]
        yield "symmetry", " and ".join(equal) or "none"
        if self.block_sizes is not None:
            sizes = ", ".join(map(str, self.block_sizes[:8])) + ", ..." * (
                len(self.block_sizes) > 8
            )
            yield "blocks", f"{len(self.block_sizes)}, of order {sizes}"
        if isinstance(self.permuted_bandwidths, tuple):
            below, above = self.permuted_bandwidths
            yield "in its order", f"{below} below, {above} above"
        if self.nnz is not None:
            yield "elements", f"{self.nnz:,} stored"

    def _repr_html_(self) -> str:
        return html_table(self._rows())
