// The docstrings of the native entries; their examples run in the tests.
#pragma once

namespace smartsolve {

inline constexpr const char solve_doc[] =
    R"(solve($module, a, b, *, assume_a=None, lower=False, transposed=False, overwrite_a=False, overwrite_b=False, check_finite=False, on_singular=None, workers=1, return_info=False, precision=None, accuracy=None, engine=None, sparse_x=False, align=None, dtype=None)
--

Solve the linear system ``a @ x = b``, by the method that fits `a`.

A replacement of `numpy.linalg.solve` with its rules of shapes, dtypes and
errors, which looks at the matrix first, as MATLAB's backslash does.

Parameters
----------
a : (..., n, n) array_like of float32, float64, complex64 or complex128
    A square matrix or a stack of them, each looked at by itself. Integers and
    bools count as float64. Or one sparse matrix or array of `scipy.sparse`, in
    any format; it is never changed. Or a `Factorization`, which leaves to be
    chosen `transposed`, `check_finite`, `accuracy`, `return_info` and `align`,
    of a sparse matrix `workers` and `sparse_x`; the rest was decided when it
    was made, and is a TypeError.
b : (n,) or (..., n, k) array_like of the same
    One right-hand side if it has one axis, else a stack of k of them. The
    leading axes are broadcast against those of `a`; a matrix that meets
    several right-hand sides is factored once. A sparse one is solved by blocks
    of columns.
assume_a : str, optional
    Take this structure for granted and read nothing else: "diagonal", "upper
    triangular", "lower triangular", "permuted triangular", "tridiagonal", "spd
    tridiagonal", "banded", "spd banded", "upper hessenberg", "lower hessenberg",
    "circulant", "block diagonal", "block triangular", "sparse", "permuted
    banded", "positive definite" or "pos", "symmetric" or "sym", "hermitian" or
    "her", "general" or "gen". Bandwidths, and the order of rows and columns of
    permuted, block and sparse matrices, are still searched for, and a circulant
    one is still compared with itself; what is none is solved as general.
lower : bool, default False
    Which triangle stands for a symmetric, Hermitian or positive definite
    matrix that `assume_a` declares: the upper one, or with True the lower one.
    Without effect otherwise.
transposed : bool, default False
    Solve ``a.T @ x = b``; not conjugated if `a` is complex.
overwrite_a, overwrite_b : bool, default False
    Permit writing into `a` or `b`, which may save a copy. Nothing is promised
    of what `a` then holds. A `b` that is writeable, Fortran-contiguous, of the
    solution's shape and dtype, of at most two axes and apart from `a` is
    returned, holding the solution; if the system is singular it is spoiled.
check_finite : bool, default False
    Refuse an Inf or NaN. By default they travel into the solution.
on_singular : {"raise", "warn", "nan"}, optional
    Raise for an exactly singular matrix, or leave NaN in its place in the
    solution and solve the rest of the stack, with a warning or without. By
    default what `errstate` says: raise.
workers : int, default 1
    Number of threads that share the slices of a stack; -1 for one per core.
    The solution does not depend on it, bit for bit. A single system is solved
    by the calling thread alone, and so is a stack too small to repay a thread:
    less than 262144 elements up to order 32, 32768 beyond. Up to order 96 no
    BLAS takes part; larger slices are factored by LAPACK, whose own threads
    come on top, so let one of the two have the cores (`threadpoolctl`). In a
    pool of processes leave it at 1.
return_info : bool, default False
    Also return what was seen and done, which costs an estimate of the
    condition number and a residual.
precision : {"mixed"}, optional
    Permit single precision to take part in a solution that is as good as double
    precision gives: a large general or positive definite matrix in double
    precision is factored in single, which takes half the time, and the solution
    refined until its backward error is at rounding level. Where that does not
    pay or is not safe, the call is the same as without, bit for bit: smaller
    orders, other structures, more than a few right-hand sides, matrices with
    rcond below 4.8e-7, Inf and NaN. By default all is done in the working
    precision.
accuracy : {"full", "certified"}, optional
    "full": the solution that is nearest to the exact one of the numbers given,
    to one unit in the last place and with its zeros, by refinement with
    residuals of twice the precision, by LU in it, or, up to order 100, in as
    many digits as the condition asks for; a warning where those end.
    "certified": beside the solution ``info.error_bound``, of each component a
    rigorous bound of its error; inf, and a warning, where none is proved.
    For dense matrices; `workers`, `precision` and the overwriting are without
    effect.
engine : {"cholmod", "umfpack", "klu", "pardiso"}, optional
    Factor a sparse matrix by this library, which an extra installs. None is
    ever imported unasked.
sparse_x : bool, default False
    Return the solution for a sparse matrix as a sparse array.
align : {"exact", "labels", "position"}, optional
    Of pandas and xarray objects: the rows of `b` must be labelled as those of
    `a` (the default), are put in their order, or are taken as they stand.
dtype : dtype, optional
    Compute in this type: float32, float64, complex64 or complex128; for float16
    and bfloat16 in float32, and round.

Returns
-------
x : (..., n) or (..., n, k) ndarray
    The solution, of the common dtype: single precision if both are, complex if
    either is. Dense, whatever `a` and `b` are, without `sparse_x`.
info : SolveInfo
    With ``return_info=True``: structure, method, routine, rcond and backward
    error, as arrays for a stack.

Raises
------
numpy.linalg.LinAlgError
    If a matrix is exactly singular (the message names the slice and the
    pivot), not square, or declared positive definite and is not.
ValueError
    If the shapes do not fit or an option is unknown.
TypeError
    For other dtypes: float16, longdouble, object, string.

Warns
-----
SingularMatrixWarning
    If a matrix is exactly singular and `on_singular` or `errstate` says "warn".
    It is an `IllConditionedWarning`, too: ``errstate(ill_conditioned=...)``
    silences it, or makes an error of it.
IllConditionedWarning
    If the reciprocal condition number of a matrix lies below the machine
    epsilon of its dtype; once a call, for a stack with the number of such
    slices, the worst rcond and the first index. See `errstate`.

See Also
--------
inspect : What the scan sees.
errstate : What ill-conditioned and singular matrices do.
numpy.linalg.solve, scipy.linalg.solve : The peers. In MATLAB, ``A \ b``.

Notes
-----
The scan stops at the first proof to the contrary: a full general matrix costs
O(n) reads, a diagonal one is read once. Zeros and equality are exact. Float32
is solved in float32, where NumPy computes in double precision.

Small matrices are factored by kernels of this package, larger ones by LAPACK
[1]_, reached through SciPy, which is imported at the first solve that needs it.
The condition number of a large dense matrix is always estimated by Higham's
method [2]_; a smaller one's if its pivots or a random probe look suspicious.

Mixed precision is refinement with residuals in double precision [3]_, as in
LAPACK's dsgesv and dsposv, but to a smaller backward error: ``eps |A| |x|`` in the
infinity norm, or less where more steps still gain. The matrix is scaled first, so
the narrower range of single precision is no limit. A matrix whose factors in
single precision turn out useless costs half as much again, or more.

References
----------
.. [1] E. Anderson et al., LAPACK Users' Guide, 3rd ed., SIAM 1999: getrf,
   potrf, sytrf, hetrf, gttrf, pttrf, gbtrf, pbtrf, trtrs.
.. [2] N. J. Higham, FORTRAN codes for estimating the one-norm of a real or
   complex matrix, ACM TOMS 14 (1988).
.. [3] N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
   SIAM 2002, chapter 12.

Examples
--------
>>> import numpy as np
>>> import smartsolve
>>> a = np.array([[1.0, 2.0], [3.0, 5.0]])
>>> smartsolve.solve(a, [1.0, 2.0])
array([-1.,  1.])

What was seen, and what was done about it:

>>> a = 2 * np.eye(100) - np.eye(100, k=1) - np.eye(100, k=-1)
>>> x, info = smartsolve.solve(a, np.ones(100), return_info=True)
>>> info.structure, info.method, info.routine
('spd tridiagonal', 'tridiagonal LDL', 'own, pttrf')

A stack whose second matrix is singular:

>>> stack = np.array([[[4.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]])
>>> smartsolve.solve(stack, np.array([4.0, 4.0]), on_singular="nan")
array([[ 1.,  2.],
       [nan, nan]])

The trap is NumPy 2's: a `b` of two axes is a matrix, never a stack of vectors.

>>> smartsolve.solve(np.ones((5, 2, 2)) + np.eye(2), np.ones((5, 2)))
Traceback (most recent call last):
    ...
ValueError: b has shape (5, 2); its second-to-last axis must be 2 to match a of shape (5, 2, 2)
)";

inline constexpr const char factors_solve_doc[] =
    R"(solve($self, b, *, transposed=False, conjugate=False, accuracy=None, return_info=False)
--

Solve ``A @ x = b`` with the factors.

Parameters
----------
b : (n,) or (..., n, k) array_like
    One right-hand side if it has one axis, else a stack of k of them; the
    leading axes are broadcast against the factorization's.
transposed : bool, default False
    Solve with the transpose of A.
conjugate : bool, default False
    Solve with the complex conjugate of A; with `transposed`, its adjoint.
accuracy : {"full", "certified"}, optional
    As in `solve`.
return_info : bool, default False
    Also return a `SolveInfo`, with the `error_bound` of a certified solution;
    its backward error is not computed, NaN.

Returns
-------
x : (..., n) or (..., n, k) ndarray
    The solution, in the precision of the factors whatever that of `b`; complex
    if either is. NaN for a singular slice, which only a stack that was
    factored under ``errstate(singular="nan")`` has.

Notes
-----
May be called from several threads at once.
)";

}  // namespace smartsolve
