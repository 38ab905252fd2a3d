"""What is this matrix? `inspect` shows what the scan sees."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _operands
from ._condition import errstate
from ._core import Factors, choose, kinds, methods, scan
from ._report import html_table
from ._sparse import is_sparse
from ._types import MaybeNone, PerSystem

__all__ = ["DEFINITE", "Structure", "decided", "inspect"]

DEFINITE = ("spd tridiagonal", "spd banded", "positive definite")


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


def inspect(a: Any) -> Structure:
    """Tell the structure of a matrix, as `solve` sees it.

    Parameters
    ----------
    a : (..., n, n) array_like of float32, float64, complex64 or complex128
        A square matrix or a stack of them, or a sparse matrix; integers and
        bools count as float64.

    Returns
    -------
    Structure
        Kind, bandwidths, symmetry and permutation.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `a` is not square.
    TypeError
        If the dtype is none of the above.

    Notes
    -----
    Zeros and equality are exact: there is no tolerance, -0.0 is zero, and NaN
    is neither zero nor equal to itself, so that a matrix with a NaN off the
    diagonal falls to "general". `solve` stops reading at the first proof to
    the contrary; `inspect` reads on for exact bandwidths, and where `solve`
    would try Cholesky's factorization, or a circulant matrix may be singular,
    it factors, for only that decides.

    See Also
    --------
    scipy.linalg.bandwidth, scipy.linalg.issymmetric : Each one of the questions.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> s = smartsolve.inspect(np.diag([2.0, 2.0, 2.0]) - np.eye(3, k=1) - np.eye(3, k=-1))
    >>> s.kind, s.lower_bandwidth, s.upper_bandwidth
    ('spd tridiagonal', 1, 1)

    A triangle whose rows were shuffled:

    >>> a = np.array([[3.0, 1.0, 2.0], [1.0, 0.0, 0.0], [4.0, 1.0, 0.0]])
    >>> s = smartsolve.inspect(a)
    >>> s.kind, s.row_permutation, s.column_permutation
    ('permuted triangular', array([1, 2, 0]), array([0, 1, 2]))

    A band whose rows and columns were shuffled alike:

    >>> i, j = np.indices((300, 300))
    >>> shuffle = np.random.default_rng(5).permutation(300)
    >>> a = np.where((i - j <= 9) & (j - i <= 5), 1.0 + i + j, 0.0)[shuffle][:, shuffle]
    >>> s = smartsolve.inspect(a)
    >>> s.kind, s.lower_bandwidth, s.upper_bandwidth, sorted(s.permuted_bandwidths)
    ('permuted banded', 292, 292, [5, 9])
    """
    if is_sparse(a):
        from ._sparse.explain import inspect_sparse

        return inspect_sparse(a)
    a = _operands.numbers(a, "a")
    found, kl, ku, symmetric, hermitian, rows, columns, blocks, band, work = scan(a)
    in_table, _ = decided(a, found)
    dtype = a.dtype.newbyteorder("=") if a.dtype.kind in "fc" else np.dtype(np.float64)
    names = np.array([row["kind"] for row in methods()])[in_table]
    if names.ndim > 0:
        return Structure(
            *(names, a.shape[-1], dtype, kl, ku, symmetric, hermitian),
            *(rows, columns, blocks, band, work),
        )
    permuted = (rows >= 0).any()
    return Structure(
        kind=str(names),
        n=a.shape[-1],
        dtype=dtype,
        lower_bandwidth=int(kl),
        upper_bandwidth=int(ku),
        symmetric=bool(symmetric),
        hermitian=bool(hermitian),
        row_permutation=rows if permuted else None,
        column_permutation=columns if permuted else None,
        block_sizes=blocks[blocks > 0] if blocks.any() else None,
        permuted_bandwidths=(int(band[0]), int(band[1])) if (band >= 0).all() else None,
        factor_flops=float(work),
    )


def decided(
    a: npt.NDArray[Any], found: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Of each slice, whose kind the scan found, the row of the table of methods that takes it.

    Whether a matrix is positive definite, has eigenvalues that can be told from zero, or LDL can
    carry its Inf, the factorization tells. Beside the row the last index of the leading minor at
    which Cholesky's declined, or -1.
    """
    table, names, n = methods(), kinds(), a.shape[-1]
    chosen = [choose(kind, n) for kind in range(len(names))]
    rows = np.asarray(np.array(chosen)[found])
    declined = np.full(rows.shape, -1)
    asks = np.array([name in (*DEFINITE, "circulant") for name in names])
    may_fail = np.array([table[row]["next"] is not None for row in chosen])
    candidates = np.asarray(asks[found])
    if may_fail[found].any():
        candidates = candidates | (may_fail[found] & ~np.isfinite(a).all(axis=(-2, -1)))
    if n > 0 and candidates.any():
        with errstate(ill_conditioned="ignore", singular="nan"):
            factors = Factors(a[candidates] if a.ndim > 2 else a)
        rows[candidates] = factors._rows()
        declined[candidates] = factors._declined()
    return rows, declined
