"""Factor once, solve often: `factorize` and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, overload

import numpy as np
import numpy.typing as npt

from . import _errors, _operands
from ._condition import errstate
from ._core import Factors, methods
from ._report import html_table
from ._sparse import is_sparse

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

    from ._sparse.factorization import SparseFactorization
    from ._types import Engine, Named, PerSystem, Plain, SparseLike, StructureName

__all__ = ["FactoredMatrix", "Factorization", "factorize"]

_FORMAT = 2  # of pickles


class SlogdetResult(NamedTuple):
    """As of `numpy.linalg.slogdet`: the determinant is ``sign * exp(logabsdet)``."""

    sign: PerSystem
    logabsdet: PerSystem


@overload
def factorize(
    a: Named,
    structure: StructureName | None = None,
    *,
    lower: bool = False,
    engine: Engine | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any: ...
@overload
def factorize(
    a: Plain,
    structure: StructureName | None = None,
    *,
    lower: bool = False,
    engine: Engine | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Factorization: ...
@overload
def factorize(
    a: SparseLike,
    structure: StructureName | None = None,
    *,
    lower: bool = False,
    engine: Engine | None = None,
    dtype: npt.DTypeLike | None = None,
) -> SparseFactorization: ...
@overload
def factorize(
    a: Any,
    structure: StructureName | None = None,
    *,
    lower: bool = False,
    engine: Engine | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any: ...
def factorize(
    a: Any,
    structure: str | None = None,
    *,
    lower: bool = False,
    engine: str | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any:
    """Factor a matrix by the method that fits it, to solve with it many times.

    MATLAB's ``decomposition``: the same table chooses as in `solve`.

    Parameters
    ----------
    a : (..., n, n) array_like of float32, float64, complex64 or complex128
        A square matrix or a stack of them, each looked at by itself. It is
        copied; changing it later changes nothing.
    structure : str, optional
        Take this structure for granted; the names are those of ``assume_a``
        in `solve`.
    lower : bool, default False
        Which triangle stands for a symmetric, Hermitian or positive definite
        matrix that `structure` declares: the upper one, or with True the lower
        one.
    dtype : dtype, optional
        Factor in this type, and solve in it whatever the type of the right-hand
        side, as in `solve`; in float16 and bfloat16 solutions are rounded, and
        the factors are of float32.

    Returns
    -------
    Factorization
        The factors, and what can be asked of them.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is exactly singular, not square, or declared positive
        definite and is not. Under ``errstate(singular="nan")`` a singular
        slice is kept, and its solutions are NaN.
    ValueError
        If the structure is unknown.
    TypeError
        For other dtypes.

    Warns
    -----
    IllConditionedWarning
        As in `solve`, once, when the matrix is factored; never when it is
        solved with.

    See Also
    --------
    solve : For one right-hand side, or all at once.
    scipy.linalg.lu_factor, scipy.linalg.cho_factor : The peers' single methods.

    Notes
    -----
    A solution has the backward error of the one that `solve` gives; it is the
    same bit for bit where both run the same kernel with the same number of
    right-hand sides.

    Examples
    --------
    Four implicit steps of the heat equation, the matrix factored once:

    >>> import numpy as np
    >>> import smartsolve
    >>> n = 5
    >>> a = 3 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    >>> f = smartsolve.factorize(a)
    >>> f
    Factorization(5 x 5 float64: spd tridiagonal, small Cholesky)
    >>> heat = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    >>> for _ in range(4):
    ...     heat = f.solve(heat)
    >>> heat.round(4)
    array([0.0607, 0.1111, 0.1337, 0.1111, 0.0607])
    >>> f.det()
    144.0
    """
    kind = _operands.kind_of(a)
    if kind is not None:
        if engine is not None:
            raise TypeError(_errors.only_for_sparse("engine"))
        given = {} if dtype is None else {"dtype": dtype}
        return kind.factored(factorize, a, structure, lower=lower, **given)
    if is_sparse(a):
        if dtype is not None:
            raise TypeError(_errors.only_for_dense("dtype"))
        from ._sparse.factorization import factorize as factorize_sparse

        return factorize_sparse(a, structure, lower, engine)
    if engine is not None:
        raise TypeError(_errors.only_for_sparse("engine"))
    matrix = _operands.matrix(a, "factorize()")
    if dtype is None:
        return Factorization(matrix, structure, lower)
    wanted, working = _operands.types(dtype)
    factors = Factorization(_operands.converted(matrix, "a", working, dtype), structure, lower)
    if wanted == working and np.can_cast(matrix.dtype, working):
        return factors
    from ._wrapped import RoundedFactorization

    return RoundedFactorization(wanted, factors)


class FactoredMatrix:
    """What the factors of dense and of sparse matrices have in common."""

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def dtype(self) -> np.dtype[Any]: ...
        def solve(
            self, b: Any, *, transposed: bool = False, conjugate: bool = False
        ) -> npt.NDArray[Any]: ...
        def _determinants(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]: ...

    def det(self) -> Any:
        """Return the determinant, from the factors.

        It may overflow to Inf or underflow to zero where the solution does
        not; `slogdet` does neither.

        Returns
        -------
        scalar or (...) ndarray of the factorization's dtype

        Examples
        --------
        >>> smartsolve.factorize([[0.0, 1.0], [1.0, 0.0]]).det()
        -1.0
        """
        mantissas, exponents = self._determinants()
        # Beyond these exponents the result is Inf or 0 anyway; in two steps, for half of 2^e may
        # be out of range where the product is not.
        half = np.clip(exponents, -4000, 4000) // 2
        rest = np.clip(exponents, -4000, 4000) - half
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if mantissas.dtype.kind == "c":
                det = np.empty_like(mantissas)
                det.real = np.ldexp(np.ldexp(mantissas.real, half), rest)
                det.imag = np.ldexp(np.ldexp(mantissas.imag, half), rest)
            else:
                det = np.ldexp(np.ldexp(mantissas, half), rest)
        return _plain(det)

    def slogdet(self) -> SlogdetResult:
        """Return sign and logarithm of the absolute value of the determinant.

        Returns
        -------
        sign : scalar or (...) ndarray
            1 or -1, or a complex number of modulus 1; 0 for a singular slice.
        logabsdet : float or (...) ndarray
            Logarithm of the modulus; -inf for a singular slice.

        See Also
        --------
        numpy.linalg.slogdet : The same, factoring anew.

        Examples
        --------
        The determinant of 10 I of order 400 is beyond float64:

        >>> f = smartsolve.factorize(10 * np.eye(400))
        >>> f.det()
        inf
        >>> sign, logabsdet = f.slogdet()
        >>> print(f"{sign} * 10^{logabsdet / np.log(10):.8f}")
        1.0 * 10^400.00000000
        """
        mantissas, exponents = self._determinants()
        modulus = np.abs(mantissas)
        with np.errstate(divide="ignore", invalid="ignore"):
            sign = np.where(modulus == 0, modulus, mantissas / modulus).astype(mantissas.dtype)
            log = (np.log(modulus) + exponents * np.log(2.0)).astype(modulus.dtype)
        return SlogdetResult(_plain(sign), _plain(log))

    def inv(self) -> npt.NDArray[Any]:
        """Return the inverse, column by column a solution.

        To solve a system, use `solve`: it is faster and more accurate than
        multiplying by the inverse.

        Returns
        -------
        (..., n, n) ndarray

        Examples
        --------
        >>> smartsolve.factorize([[1.0, 2.0], [3.0, 5.0]]).inv()
        array([[-5.,  2.],
               [ 3., -1.]])
        """
        return self.solve(np.eye(self.shape[-1], dtype=self.dtype))

    def as_linear_operator(self) -> LinearOperator:
        """Return the inverse of A as a SciPy ``LinearOperator``.

        What iterative solvers take as the preconditioner ``M`` and
        `scipy.sparse.linalg.eigs` as ``OPinv``: ``matvec(b)`` is ``solve(b)``,
        and ``rmatvec(b)`` solves with the adjoint.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Of shape (n, n).

        Raises
        ------
        ValueError
            For a stack: SciPy's operators have two axes.

        Examples
        --------
        >>> f = smartsolve.factorize(np.diag([1.0, 2.0, 4.0]))
        >>> f.as_linear_operator() @ np.ones(3)
        array([1.  , 0.5 , 0.25])
        """
        from scipy.sparse.linalg import LinearOperator

        if len(self.shape) > 2:
            raise ValueError(
                f"a stack of shape {self.shape} is not one linear operator; factorize its "
                "slices one by one"
            )

        def adjoint(b: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return self.solve(b, transposed=True, conjugate=True)

        return LinearOperator(
            self.shape,
            matvec=self.solve,
            rmatvec=adjoint,
            matmat=self.solve,
            rmatmat=adjoint,
            dtype=self.dtype,
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Factorization(Factors, FactoredMatrix):
    """A factored matrix, or stack of matrices; made by `factorize`.

    Immutable, and may be solved with from several threads at once. It can be
    pickled: the pickle holds the matrix and what was declared, and the matrix
    is factored again when it is read.

    Attributes
    ----------
    shape : tuple of int
        Shape of the matrix or stack.
    dtype : numpy.dtype
        Its type, and the precision of the solutions.
    structure : str or ndarray of str
        The structure found or declared; for a stack an array over its leading
        axes, as are the following.
    method : str or ndarray of str
        The method, a name of the table of methods.
    rcond : float or ndarray of float64
        Reciprocal condition number in the 1-norm, estimated when it is first
        asked for; 0 for a singular slice, NaN if the matrix holds an Inf or a
        NaN. For a diagonal matrix exact, and in the 2-norm.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> f = smartsolve.factorize([[4.0, 2.0], [2.0, 5.0]])
    >>> f.structure, f.method
    ('positive definite', 'small Cholesky')
    >>> f.solve([8.0, 12.0])
    array([1., 2.])
    >>> smartsolve.solve(f, [8.0, 12.0])
    array([1., 2.])
    """

    _rcond: float | npt.NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._matrix.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._matrix.dtype

    @property
    def structure(self) -> PerSystem:
        return self._from_table("kind")

    @property
    def method(self) -> PerSystem:
        return self._from_table("method")

    @property
    def rcond(self) -> PerSystem:
        if self._rcond is None:
            self._rcond = _plain(self._rconds())
        return self._rcond

    def _from_table(self, column: Literal["kind", "method"]) -> str | npt.NDArray[np.str_]:
        names = np.array([row[column] for row in methods()])[self._rows()]
        return names if names.ndim > 0 else str(names)

    def __repr__(self) -> str:
        *batch, n, _ = self.shape
        stack = " x ".join(map(str, batch))
        of = f"{stack} matrices of " if batch else ""
        kinds = np.unique(np.asarray(self.structure))
        found = f"{self.structure}, {self.method}" if not batch else ", ".join(kinds)
        return f"Factorization({of}{n} x {n} {self.dtype}: {found})"

    def _repr_html_(self) -> str:
        *batch, n, _ = self.shape
        size = f"{n} x {n}, {self.dtype}"
        rows = [
            ("factors of", f"{' x '.join(map(str, batch))} matrices, {size}" if batch else size)
        ]
        names = np.stack([np.ravel(self.structure), np.ravel(self.method)])
        pairs, counts = np.unique(names, axis=1, return_counts=True)
        for structure, method, count in zip(*pairs, counts, strict=True):
            slices = "structure" if not batch else "1 slice" if count == 1 else f"{count} slices"
            rows.append((slices, f"{structure}: {method}"))
        if not batch:
            rows.append(("rcond", f"{self.rcond:.3g}"))
        return html_table(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        # Axes in the order of their strides: arrays are pickled in C or in Fortran order, and in
        # another order of memory the factors would have other last bits.
        axes = sorted(range(self._matrix.ndim), key=lambda axis: -self._matrix.strides[axis])
        return _restore, (_FORMAT, self._matrix.transpose(axes), self._declared, self._lower, axes)


def _restore(
    version: int,
    matrix: npt.NDArray[Any],
    structure: str | None,
    lower: bool,
    axes: list[int] | None = None,
) -> Factorization:
    """Factor again what a pickle holds; who pickled it has seen the warnings."""
    if version not in (1, _FORMAT):
        raise ValueError(
            f"this pickle of a Factorization has format {version}; this version of smartsolve "
            f"reads formats 1 and {_FORMAT}"
        )
    if axes is not None:
        matrix = matrix.transpose(np.argsort(axes))
    with errstate(ill_conditioned="ignore", singular="nan"):
        return Factorization(matrix, structure, lower)


def _plain(values: npt.NDArray[Any]) -> Any:
    """A single system's value as a plain scalar, a stack's as the array."""
    return values.item() if values.ndim == 0 else values


def solve_other(f: Factorization, b: Any, transposed: bool, conjugate: bool) -> Any:
    """Solve for a right-hand side that the native entry leaves to Python."""
    if isinstance(b, np.ndarray) and type(b) is np.ndarray:
        # A real matrix: two real solutions.
        real = f.solve(b.real, transposed=transposed, conjugate=conjugate)
        x = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
        x.real = real
        x.imag = f.solve(b.imag, transposed=transposed, conjugate=conjugate)
        return x
    kind = _operands.kind_of(b)
    if kind is not None:
        side: Any = "transposed" if transposed else "left"
        options: dict[str, Any] = {"transposed": transposed, "conjugate": conjugate}
        return kind.through(_solve_with, f, b, side, **options)
    rhs = _operands.right_hand_side(b, "a Factorization")
    return _operands.like(b, f.solve(rhs, transposed=transposed, conjugate=conjugate))


def _solve_with(f: Factorization, b: Any, **options: Any) -> Any:
    return f.solve(b, **options)
