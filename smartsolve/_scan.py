"""What is this matrix? `inspect` shows what the scan sees."""

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _operands
from ._condition import errstate
from ._core import Factors, choose, kinds, methods, scan
from ._sparse import is_sparse
from ._structure import Structure

__all__ = ["DEFINITE", "Structure", "decided", "inspect"]

DEFINITE = ("spd tridiagonal", "spd banded", "positive definite")


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

        return inspect_sparse(a, inspect)
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
