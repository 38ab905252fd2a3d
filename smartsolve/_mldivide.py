"""MATLAB's ``\\`` and ``/``: any shape has an answer, and a doubtful one a warning."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from . import _condition, _core, _errors, _operands
from ._factored import FactoredMatrix
from ._report import SolveInfo
from ._scan import inspect
from ._sparse import is_sparse

if TYPE_CHECKING:
    from ._types import Accuracy, Align, DivideOptions, Engine, Named, Plain, SparseLike

    Operand = Plain | SparseLike | FactoredMatrix

__all__ = ["mldivide", "mrdivide"]

_OPTIONS = ("minimum_norm", "tol", "return_info", "accuracy", "engine", "sparse_x", "dtype")


@overload
def mldivide(
    a: Named, b: Any, *, return_info: bool = False, **options: Unpack[DivideOptions]
) -> Any: ...
@overload
def mldivide(
    a: Operand, b: Operand, *, return_info: Literal[False] = False, **options: Unpack[DivideOptions]
) -> npt.NDArray[Any]: ...
@overload
def mldivide(
    a: Operand, b: Operand, *, return_info: Literal[True], **options: Unpack[DivideOptions]
) -> tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def mldivide(
    a: Operand, b: Operand, *, return_info: bool, **options: Unpack[DivideOptions]
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def mldivide(
    a: Any, b: Any, *, return_info: bool = False, **options: Unpack[DivideOptions]
) -> Any: ...
def mldivide(
    a: Any,
    b: Any,
    *,
    minimum_norm: bool = False,
    tol: float | None = None,
    return_info: bool = False,
    accuracy: Accuracy | None = None,
    engine: Engine | None = None,
    sparse_x: bool = False,
    align: Align | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any:
    r"""Solve ``a @ x = b`` as MATLAB's ``a \ b`` does, in the least-squares sense if need be.

    A square matrix goes the way of `solve`, but a singular one warns instead
    of raising. For any other, x minimizes ``norm(b - a @ x)``; if there are
    many such x, the answer is a basic one, with at most rank(a) nonzeros, or
    on request the shortest.

    Parameters
    ----------
    a : (..., m, n) array_like of float32, float64, complex64 or complex128
        A matrix of any shape, a stack of them, or a `Factorization`. Integers
        and bools count as float64. Or one sparse matrix of any shape.
    b : (m,) or (..., m, k) array_like of the same
        One right-hand side if it has one axis, else a stack of k of them; the
        leading axes are broadcast against those of `a`. It may be sparse.
    minimum_norm : bool, default False
        Return the solution of least 2-norm, MATLAB's ``lsqminnorm``, of a
        square matrix also.
    tol : float, optional
        Diagonal elements of R up to `tol` count as zero; by default
        ``max(m, n) * eps * abs(R[0, 0])``. A square matrix, too, is then
        solved by QR.
    return_info : bool, default False
        Also return what was done.
    accuracy : {"full", "certified"}, optional
        Of a square system, as in `solve`; it and `return_info` also of factors.
    engine, sparse_x
        As in `solve`, for sparse matrices; an engine takes square ones only.
    align, dtype
        As in `solve`.

    Returns
    -------
    x : (..., n) or (..., n, k) ndarray
        The solution, of the common dtype as in `solve`. For a singular square
        matrix what substitution through the zero pivot leaves: Inf and NaN.
        NaN if a rectangular matrix holds an Inf or a NaN.
    info : SolveInfo
        With ``return_info=True``; for least squares with `rank` and
        `tolerance`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `a` has less than two axes; instead of a warning under
        ``errstate(ill_conditioned="raise")``.
    ValueError
        If the shapes do not fit.
    TypeError
        For other dtypes.

    Warns
    -----
    SingularMatrixWarning
        If a square matrix is exactly singular.
    IllConditionedWarning
        If its rcond lies below the machine epsilon.
    RankDeficientWarning
        If a rectangular matrix has less than full rank and the shortest
        solution was not asked for. All three once a call, for a stack with
        the number of slices and the first; ``errstate(ill_conditioned=...)``
        decides about all three.

    See Also
    --------
    mrdivide : ``b / a``.
    numpy.linalg.lstsq, scipy.linalg.lstsq : Minimum norm, by singular values.

    Notes
    -----
    Least squares by Householder QR with column pivoting [1]_: an own kernel
    for few columns, LAPACK's geqp3 and ormqr beyond. The shortest solution
    needs a second QR, of the leading rows of R (complete orthogonal
    factorization). Columns are not scaled; neither does MATLAB. Cost
    2 n^2 (m - n / 3) flops for m >= n.

    References
    ----------
    .. [1] G. H. Golub and C. F. Van Loan, Matrix Computations, 4th ed.,
       section 5.5. The tolerance is that of MATLAB's mldivide.

    Examples
    --------
    A line through four points, and through four points in each of three
    samples:

    >>> import numpy as np
    >>> import smartsolve
    >>> t = np.arange(4.0)
    >>> a = np.stack([np.ones(4), t], axis=1)
    >>> smartsolve.mldivide(a, 1 + 2 * t)
    array([1., 2.])
    >>> samples = np.array([[[1.0]], [[2.0]], [[3.0]]]) * a
    >>> smartsolve.mldivide(samples, 6 + 6 * t).round(12)
    array([[6., 6.],
           [3., 3.],
           [2., 2.]])

    The trap: a rank-deficient matrix has many solutions of the same residual.

    >>> a = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    >>> b = np.array([5.0, 10.0, 15.0])
    >>> with smartsolve.errstate(ill_conditioned="ignore"):
    ...     smartsolve.mldivide(a, b)
    array([0. , 2.5])
    >>> smartsolve.mldivide(a, b, minimum_norm=True)
    array([1., 2.])
    """
    if isinstance(a, FactoredMatrix):
        _refuse_decided("mldivide", minimum_norm, tol, engine, dtype)
        return _core.solve(
            *(a, b), return_info=return_info, accuracy=accuracy, sparse_x=sparse_x, align=align
        )
    plain = type(a) is np.ndarray and type(b) is np.ndarray
    kind = None if plain else _operands.outermost(a, b)
    if kind is not None:
        options = _given(minimum_norm, tol, return_info, accuracy, engine, sparse_x, dtype)
        return kind.through(mldivide, a, b, "left", align=align, **options)
    if align is not None:
        raise TypeError(_errors.nothing_to_align(align))
    if is_sparse(a):
        _refuse_dense_options(a, accuracy, dtype)
        from ._sparse.mldivide import mldivide as divide

        return divide(a, b, minimum_norm, tol, return_info, engine, sparse_x, mldivide)
    _refuse_sparse_options(engine, sparse_x)
    matrix = _operands.matrix(a, "mldivide()")
    rhs = _operands.right_hand_side(b, "mldivide()")
    square = matrix.ndim > 1 and matrix.shape[-1] == matrix.shape[-2]
    if dtype is not None:
        options = _given(minimum_norm, tol, return_info, accuracy, engine, sparse_x, dtype)
        solved: Any = _operands.rounded(mldivide, matrix, rhs, **options)
        x, info = solved if return_info else (solved, None)
    elif accuracy is not None:
        if not square or minimum_norm or tol is not None:
            raise ValueError("accuracy is for square systems without minimum_norm and tol")
        solved = _core.solve(matrix, rhs, accuracy=accuracy, return_info=return_info)
        x, info = solved if isinstance(solved, tuple) else (solved, None)
    elif square and not minimum_norm and tol is None:
        x, info = _solve_square(matrix, rhs, return_info)
    else:
        x, info = _solve_least_squares(matrix, rhs, minimum_norm, tol, return_info)
    x = _operands.like(b, x)
    return (x, info) if return_info else x


@overload
def mrdivide(
    b: Any, a: Named, *, return_info: bool = False, **options: Unpack[DivideOptions]
) -> Any: ...
@overload
def mrdivide(
    b: Operand, a: Operand, *, return_info: Literal[False] = False, **options: Unpack[DivideOptions]
) -> npt.NDArray[Any]: ...
@overload
def mrdivide(
    b: Operand, a: Operand, *, return_info: Literal[True], **options: Unpack[DivideOptions]
) -> tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def mrdivide(
    b: Operand, a: Operand, *, return_info: bool, **options: Unpack[DivideOptions]
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def mrdivide(
    b: Any, a: Any, *, return_info: bool = False, **options: Unpack[DivideOptions]
) -> Any: ...
def mrdivide(
    b: Any,
    a: Any,
    *,
    minimum_norm: bool = False,
    tol: float | None = None,
    return_info: bool = False,
    accuracy: Accuracy | None = None,
    engine: Engine | None = None,
    sparse_x: bool = False,
    align: Align | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any:
    """Solve ``x @ a = b`` as MATLAB's ``b / a`` does: `mldivide` with both transposed.

    Parameters
    ----------
    b : (n,) or (..., k, n) array_like
        One row if it has one axis, else a stack of k of them.
    a : (..., m, n) array_like or Factorization
        A matrix of any shape, or a stack of them.
    minimum_norm, tol, return_info, accuracy, engine, sparse_x, align, dtype
        As in `mldivide`.

    Returns
    -------
    x : (..., m) or (..., k, m) ndarray
        The solution; in the least-squares sense if `a` is not square.
    info : SolveInfo
        With ``return_info=True``.

    Raises
    ------
    numpy.linalg.LinAlgError, ValueError, TypeError
        As `mldivide`.

    Warns
    -----
    SingularMatrixWarning, IllConditionedWarning, RankDeficientWarning
        As `mldivide`.

    See Also
    --------
    mldivide : ``a \\ b``, and all that is to be said of it.

    Examples
    --------
    The stationary distribution of a Markov chain, ``pi @ (P - I) = 0`` with
    ``sum(pi) = 1``:

    >>> import numpy as np
    >>> import smartsolve
    >>> P = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> a = np.column_stack([P - np.eye(2), np.ones(2)])
    >>> smartsolve.mrdivide([0.0, 0.0, 1.0], a).round(6)
    array([0.833333, 0.166667])
    """
    if isinstance(a, FactoredMatrix):
        _refuse_decided("mrdivide", minimum_norm, tol, engine, dtype)
        given: dict[str, Any] = {"return_info": return_info, "accuracy": accuracy}
        if isinstance(a, _operands.WrappedFactorization):
            return a.divide(mrdivide, b, align, **given, sparse_x=sparse_x)
        if (kind := _operands.kind_of(b)) is not None:
            given["sparse_x"] = sparse_x
            return kind.through(_exchanged(mrdivide), a, b, "right", align=align, **given)
        if align is not None:
            raise TypeError(_errors.nothing_to_align(align))
        if sparse_x:
            raise TypeError(
                "mrdivide() by a Factorization takes no sparse_x; solve(b.T, transposed=True, "
                "sparse_x=True) of sparse factors, transposed, is the same"
            )
        rhs = _operands.right_hand_side(b, "mrdivide()")
        _refuse_rows(rhs, a.shape)
        solved: Any = _core.solve(a, _transposed(rhs), transposed=True, **given)
        return _turned(solved, b, rhs.ndim, return_info)
    plain = type(a) is np.ndarray and type(b) is np.ndarray
    kind = None if plain else _operands.outermost(a, b)
    if kind is not None:
        options = _given(minimum_norm, tol, return_info, accuracy, engine, sparse_x, dtype)
        return kind.through(_exchanged(mrdivide), a, b, "right", align=align, **options)
    if align is not None:
        raise TypeError(_errors.nothing_to_align(align))
    if is_sparse(a):
        _refuse_dense_options(a, accuracy, dtype)
        from ._sparse.mldivide import mrdivide as divide

        return divide(b, a, minimum_norm, tol, return_info, engine, sparse_x, mldivide)
    _refuse_sparse_options(engine, sparse_x)
    matrix = _operands.matrix(a, "mrdivide()")
    rhs = _operands.right_hand_side(b, "mrdivide()")
    if matrix.ndim > 1:
        _refuse_rows(rhs, matrix.shape)
    solved = mldivide(
        _transposed(matrix),
        _transposed(rhs),
        minimum_norm=minimum_norm,
        tol=tol,
        return_info=return_info,
        accuracy=accuracy,
        dtype=dtype,
    )
    return _turned(solved, b, rhs.ndim, return_info)


def _exchanged(function: Any) -> Any:
    """mrdivide with the matrix first."""

    @functools.wraps(function)
    def exchanged(a: Any, b: Any, **options: Any) -> Any:
        return function(b, a, **options)

    return exchanged


def _given(*values: Any) -> dict[str, Any]:
    """The options that were given, for a call with what lies inside of the operands."""
    return {
        name: value
        for name, value in zip(_OPTIONS, values, strict=True)
        if value is not None and value is not False
    }


def _transposed(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return a if a.ndim < 2 else np.swapaxes(a, -1, -2)


def _turned(solved: Any, b: Any, ndim: int, return_info: bool) -> Any:
    """The solution of the transposed system as that of b, of so many axes, in its class."""
    x, info = solved if return_info else (solved, None)
    if ndim > 1:  # those of a stack for one vector are vectors, whose last axis is right already
        x = _transposed(x)
        if info is not None and info.error_bound is not None:
            info = replace(info, error_bound=_transposed(info.error_bound))
    x = _operands.like(b, x)
    return (x, info) if return_info else x


def _refuse_rows(b: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ``ValueError`` for a right-hand side of ``x @ a = b`` that does not fit."""
    if b.shape[-1:] != shape[-1:]:
        raise ValueError(_errors.misshapen_rows(b.shape, shape[-1], shape))


def _refuse_decided(
    call: str, minimum_norm: bool, tol: float | None, engine: str | None, dtype: Any
) -> None:
    """Raise ``TypeError`` for what factors cannot be asked for any more."""
    options = _given(minimum_norm, tol, False, None, engine, False, dtype)
    if options:
        raise TypeError(_errors.decided(call, list(options)))


def _refuse_dense_options(a: Any, accuracy: Accuracy | None, dtype: Any) -> None:
    if is_sparse(a) and (accuracy is not None or dtype is not None):
        raise TypeError(_errors.only_for_dense("dtype" if accuracy is None else "accuracy"))


def _refuse_sparse_options(engine: str | None, sparse_x: bool) -> None:
    if engine is not None or sparse_x:
        raise TypeError(_errors.only_for_sparse("sparse_x" if engine is None else "engine"))


def _solve_square(
    a: npt.NDArray[Any], b: npt.NDArray[Any], return_info: bool
) -> tuple[npt.NDArray[Any], SolveInfo | None]:
    try:
        solved = _core.solve(a, b, on_singular="raise", return_info=return_info)
    except np.linalg.LinAlgError:
        pass  # singular; or wrong in another way, which the next call says again
    else:
        return solved if isinstance(solved, tuple) else (solved, None)
    solved = _core.solve(a, b, on_singular="warn", return_info=return_info)
    x, info = solved if isinstance(solved, tuple) else (solved, None)
    with _condition.errstate(ill_conditioned="ignore", singular="nan"):
        singular = _core.Factors(a)._rconds() == 0
    batch = x.shape[:-1] if b.ndim == 1 else x.shape[:-2]
    slices = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    rhs = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    for index in np.argwhere(np.broadcast_to(singular, batch)):
        at = tuple(index)
        if np.isnan(x[at]).any():  # else it is solved, with an rcond beyond the range
            x[at] = _through_zero_pivots(slices[at], rhs[at], x.dtype)
    return x, info


def _through_zero_pivots(
    a: npt.NDArray[Any], b: npt.NDArray[Any], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """The Inf and NaN that substitution with the factors of a singular matrix leaves."""
    if inspect(a).kind == "diagonal":
        with np.errstate(all="ignore"):
            quotient: npt.NDArray[Any] = (b.T / np.diagonal(a)).T.astype(dtype)
        return quotient
    from scipy.linalg import get_lapack_funcs

    getrf, getrs = get_lapack_funcs(("getrf", "getrs"), dtype=dtype)
    lu, pivots, _ = getrf(a)
    with np.errstate(all="ignore"):
        x: npt.NDArray[Any] = getrs(lu, pivots, b)[0]
    return x


def _solve_least_squares(
    a: npt.NDArray[Any],
    b: npt.NDArray[Any],
    minimum_norm: bool,
    tol: float | None,
    return_info: bool,
) -> tuple[npt.NDArray[Any], SolveInfo | None]:
    _errors.refuse_tolerance(tol)
    default = -1.0  # MATLAB's
    x, rank, tolerance, ratio, deficient = _core.least_squares(
        a, b, minimum_norm, default if tol is None else tol
    )
    if deficient and not minimum_norm:
        full = min(a.shape[-2:])
        first = int(np.argmax((rank >= 0) & (rank < full)))
        place = _errors.where(first, deficient, rank.shape)
        text = _errors.rank_deficient(
            int(rank.flat[first]), full, float(tolerance.flat[first]), place
        )
        _condition.doubt(text, "RankDeficientWarning")
    if not return_info:
        return x, None
    info = SolveInfo.of_least_squares(
        a.shape[-2:], minimum_norm, ratio, _backward_error(a, b, x), rank, tolerance
    )
    return x, info


def _backward_error(
    a: npt.NDArray[Any], b: npt.NDArray[Any], x: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """How far A is from a matrix for which x is a least-squares solution, relative to norm(A).

    The smaller of the perturbations r r^H A / (r^H r) and r x^H / (x^H x) (Stewart 1977; Higham,
    *Accuracy and Stability of Numerical Algorithms*, section 20.7), in the Frobenius norm; of
    several right-hand sides the worst.
    """
    if b.ndim == 1:
        x, b = x[..., None], b[:, None]
    if a.size == 0 or x.size == 0:
        return np.zeros(x.shape[:-2])
    norm = np.linalg.norm
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        r = b - a @ x
        size = norm(r, axis=-2)
        anorm = norm(a, axis=(-2, -1))[..., None]
        gradient = norm(np.swapaxes(a, -1, -2).conj() @ r, axis=-2) / size
        error = np.fmin(gradient, size / norm(x, axis=-2)) / anorm
    error = np.where(size == 0, 0.0, error)
    return np.asarray(error.max(axis=-1), np.float64)
