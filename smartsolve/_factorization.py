"""Factor once, solve often: `factorize` and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from . import _errors, _operands
from ._condition import errstate
from ._core import Factors, methods
from ._factored import FactoredMatrix, SlogdetResult, plain
from ._report import html_table
from ._rounded import RoundedFactorization
from ._sparse import is_sparse

if TYPE_CHECKING:
    from ._sparse.factorization import SparseFactorization
    from ._types import Engine, Named, PerSystem, Plain, SparseLike, StructureName

__all__ = ["FactoredMatrix", "Factorization", "SlogdetResult", "factorize"]

_FORMAT = 2  # of pickles


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
    **elsewhere: Any,
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
        For other dtypes, and for options that belong to other calls: the
        message says where, as `accuracy` to ``.solve``.

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
    for name in elsewhere:
        raise TypeError(_errors.not_of_factorize(name))
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
    return RoundedFactorization(wanted, factors)


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
            self._rcond = plain(self._rconds())
        return self._rcond

    def _from_table(self, column: Literal["kind", "method"]) -> str | npt.NDArray[np.str_]:
        names = np.array([row[column] for row in methods()])[self._rows()]
        return names if names.ndim > 0 else str(names)

    def _posed(self) -> tuple[npt.NDArray[Any], Callable[..., Factorization]]:
        factor = partial(Factorization, structure=self._declared, lower=self._lower)
        return self._matrix, factor

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
