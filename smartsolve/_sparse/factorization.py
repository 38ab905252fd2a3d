"""`factorize` of a sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors
from .._condition import errstate, policy
from .._factored import FactoredMatrix
from .._report import SolveInfo
from .choose import Factored
from .conclude import judge, say_ill_conditioned, say_singular
from .declare import canonical_name, declared_matrix
from .operands import RightHandSide, SparseMatrix, matrix
from .solve import factored_matrix, thread_count

__all__ = ["SparseFactorization", "factorize"]

Array = npt.NDArray[Any]

_FORMAT = 1  # of pickles


def factorize(
    a: Any, structure: str | None, lower: bool, engine: str | None
) -> SparseFactorization:
    """Factor a sparse matrix; the arguments are those of `smartsolve.factorize`."""
    m = matrix(a)
    if m.shape[0] != m.shape[1]:
        raise np.linalg.LinAlgError(_errors.not_square(m.shape))
    return SparseFactorization(m, canonical_name("structure", structure), lower, engine)


class SparseFactorization(FactoredMatrix):
    """A factored sparse matrix; made by `factorize`.

    Immutable, and may be solved with from several threads at once. It can be
    pickled: the pickle holds the matrix and what was declared, and the matrix
    is factored again when it is read.

    Attributes
    ----------
    shape : tuple of int
        Shape of the matrix.
    dtype : numpy.dtype
        Its type, and the precision of the solutions.
    nnz : int
        Its nonzeros, duplicates summed and explicit zeros left out.
    entries : int
        What is stored of the factors.
    structure, method : str
        The structure found or declared, and the method; names of the table of
        methods.
    rcond : float
        Reciprocal condition number in the 1-norm, estimated when it is first
        asked for; 0 for a singular matrix, NaN if it holds an Inf or a NaN.
        For a diagonal matrix exact, and in the 2-norm.

    Examples
    --------
    The Laplacian of a grid of 40 x 40 points:

    >>> import numpy as np
    >>> import smartsolve
    >>> from scipy import sparse
    >>> line = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(40, 40))
    >>> eye = sparse.eye_array(40)
    >>> f = smartsolve.factorize(sparse.kron(line, eye) + sparse.kron(eye, line))
    >>> f.shape, f.nnz, f.structure
    ((1600, 1600), 7840, 'positive definite')
    >>> print(f.solve(np.ones(1600)).max().round(3))
    123.659
    """

    def __init__(
        self, m: SparseMatrix, structure: str | None, lower: bool, engine: str | None
    ) -> None:
        m = m.owned()
        self._matrix, self._declared, self._lower, self._engine = m, structure, lower, engine
        whole = declared_matrix(m, structure, lower)
        self._factored: Factored = factored_matrix(whole, structure, engine, 1)
        self._rcond: float | None = None
        if self._factored.singular is not None:
            say_singular(self._factored.singular, policy().singular)
        elif self._factored.factors is not None:
            say_ill_conditioned(self.method, judge(self._factored, False), m.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._matrix.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._matrix.dtype

    @property
    def is_sparse(self) -> bool:
        return True

    @property
    def nnz(self) -> int:
        return self._matrix.nnz

    @property
    def entries(self) -> int:
        return 0 if self._factored.factors is None else self._factored.factors.entries

    @property
    def structure(self) -> str:
        return getattr(self._factored.factors, "structure", self._factored.method.structure)

    @property
    def method(self) -> str:
        return self._factored.method.method

    @property
    def rcond(self) -> float:
        if self._rcond is None:
            self._rcond = judge(self._factored, True)
        return self._rcond

    def solve(
        self,
        b: Any,
        *,
        transposed: bool = False,
        conjugate: bool = False,
        workers: int = 1,
        sparse_x: bool = False,
        return_info: bool = False,
        accuracy: None = None,
    ) -> Any:
        """Solve ``A @ x = b`` with the factors.

        Parameters
        ----------
        b : (n,) or (..., n, k) array_like, or sparse
            One right-hand side if it has one axis, else a stack of k of them. A
            sparse one is solved by blocks of columns.
        transposed : bool, default False
            Solve with the transpose of A.
        conjugate : bool, default False
            Solve with the complex conjugate of A; with `transposed`, its
            adjoint.
        workers : int, default 1
            Threads that share the right-hand sides; -1 for one per core. The
            solution does not depend on it.
        sparse_x : bool, default False
            Return the solution as a sparse array.
        return_info : bool, default False
            Also return what was done, and how well. It takes a product with the
            matrix and, the first time, the estimate of `rcond`.
        accuracy : None
            An option of dense matrices alone: ``factorize(a.toarray())`` has it.

        Returns
        -------
        x : (n,) or (..., n, k) ndarray
            The solution, in the precision of the factors whatever that of `b`;
            complex if either is. NaN for a singular matrix, which is factored
            only under ``errstate(singular="nan")``.
        info : SolveInfo
            With ``return_info=True``.

        Examples
        --------
        >>> f = smartsolve.factorize(sparse.csc_array([[2.0, 0.0], [1.0, 4.0]]))
        >>> f.solve([2.0, 9.0])
        array([1., 2.])
        >>> x, info = f.solve([4.0, 8.0], transposed=True, return_info=True)
        >>> x, info.structure, info.backward_error
        (array([1., 2.]), 'lower triangular', 0.0)
        """
        if accuracy is not None:
            raise TypeError(_errors.only_for_dense("accuracy"))
        n = self.shape[0]
        rhs = RightHandSide(b, n, self.shape)
        dtype = self.dtype
        if rhs.dtype.kind == "c" and dtype.kind != "c":
            dtype = np.dtype(dtype.char.upper())
        worst = 0.0

        def pieces() -> Any:
            nonlocal worst
            for piece, columns in rhs.blocks(dtype):
                x, error = self._factored.solve(
                    columns,
                    transposed=transposed,
                    conjugate=conjugate,
                    workers=thread_count(workers),
                    with_error=return_info,
                )
                worst = float(np.maximum(worst, error))  # a NaN stays
                yield piece, x

        x = rhs.assembled(pieces(), n, dtype, sparse_x)
        if not return_info:
            return x
        routine = self._factored.method.routine
        return x, SolveInfo(self.structure, self.method, routine, self.rcond, worst)

    def inv(self) -> Array:
        """Return the inverse, which is dense, column by column a solution.

        To solve a system, use `solve`: it is faster and more accurate than
        multiplying by the inverse.

        Returns
        -------
        (n, n) ndarray

        Raises
        ------
        MemoryError
            If it would take more than half of this machine's memory.

        Examples
        --------
        >>> smartsolve.factorize(sparse.csc_array([[1.0, 2.0], [3.0, 5.0]])).inv()
        array([[-5.,  2.],
               [ 3., -1.]])
        """
        n = self.shape[0]
        _errors.refuse_dense_inverse(n, self.dtype)
        return np.asarray(self.solve(np.eye(n, dtype=self.dtype)))

    def _determinants(self) -> tuple[Array, npt.NDArray[np.int64]]:
        factors = self._factored.factors
        if factors is None:
            value = self.dtype.type(np.nan if self._factored.singular is None else 0)
            return np.asarray(value), np.asarray(0)
        mantissa, exponent = factors.determinant()
        exponent += self._factored.exponent * self.shape[0]
        return np.asarray(mantissa, self.dtype), np.asarray(exponent, np.int64)

    def __repr__(self) -> str:
        m, n = self.shape
        return (
            f"SparseFactorization({m} x {n} {self.dtype}, {self.nnz} nonzeros: {self.structure}, "
            f"{self.method})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        arrays = tuple(np.asarray(array) for array in self._matrix.arrays())
        options = (self._declared, self._lower, self._engine)
        return _restore, (_FORMAT, arrays, self.shape, self._matrix.csr, options)


def _restore(
    version: int,
    arrays: tuple[Array, Array, Array],
    shape: tuple[int, int],
    csr: bool,
    options: tuple[str | None, bool, str | None],
) -> SparseFactorization:
    """Factor again what a pickle holds; who pickled it has seen the warnings."""
    if version != _FORMAT:
        raise ValueError(
            f"this pickle of a SparseFactorization has format {version}; this version of "
            f"smartsolve reads format {_FORMAT}"
        )
    with errstate(ill_conditioned="ignore", singular="nan"):
        return SparseFactorization(SparseMatrix(*arrays, shape, csr), *options)
