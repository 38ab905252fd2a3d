"""Cases that have bitten other solvers, each with its source, and hard ones against mpmath."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath
import numpy as np
import pytest

import smartsolve
from smartsolve import IllConditionedWarning, errstate, inspect, solve

from .accuracy import FACTOR, assert_same_solution, assert_solves, eps
from .matrices import (
    DTYPES,
    KINDS,
    ORDERS,
    arranged,
    dtypes_of,
    graded,
    hilbert,
    kahan,
    kinds_and_dtypes,
    ones_triangular,
    random_matrix,
    random_rhs,
    random_stack,
    second_difference,
)

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)

# --- singular ------------------------------------------------------------------------------------


@pytest.mark.parametrize("assume_a", [None, "diagonal", "tridiagonal", "upper triangular", "gen"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_matrix_is_not_a_harmless_diagonal_one(dtype: str, assume_a: str | None) -> None:
    """scipy/scipy#22263: all zeros looked diagonal, and the answer was inf."""
    for n in (1, 2, 3, 10, 65):
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            solve(np.zeros((n, n), dtype), np.ones(n, dtype), assume_a=assume_a)


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, 0j, False, np.float32(0)])
def test_one_by_one_zero(zero: Any) -> None:
    """scipy/scipy#24355: the shortcut for a single element divided by it."""
    for b in ([1.0], [0.0], [[1.0, 2.0]]):
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            solve([[zero]], b)


def test_the_error_names_slice_1_of_identity_zero_identity() -> None:
    """Most peers say only that some matrix of the stack is singular."""
    stack = np.array([np.eye(3), np.zeros((3, 3)), np.eye(3)])
    with pytest.raises(np.linalg.LinAlgError, match=r"slice 1\b"):
        solve(stack, np.ones(3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_last_row(dtype: str) -> None:
    """[[1, 2], [0, 0]]: triangular with a zero on the diagonal (MATLAB answers [-Inf; Inf])."""
    a = np.array([[1, 2], [0, 0]], dtype)
    for matrix in (a, a.T, a[::-1], a[:, ::-1], np.array([a] * 20)):
        with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
            solve(matrix, np.ones(2, dtype))


# --- factorizations that fail half way -----------------------------------------------------------


def late_failure(n: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Passes the cheap test of a positive definite matrix; only the last pivot is negative."""
    a = random_matrix("positive definite", n, dtype, "C", rng)
    schur = 1 / np.linalg.inv(a)[-1, -1].real
    a[-1, -1] -= 1.5 * schur
    return a


@pytest.mark.parametrize("overwrite_a", [False, True])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_cholesky_that_fails_does_not_spoil_the_matrix(
    dtype: str, order: str, overwrite_a: bool
) -> None:
    """SciML/LinearSolve.jl#887: the fallback went on with what Cholesky had left in a."""
    rng = np.random.default_rng(81)
    for n, transposed in itertools.product((3, 4, 5, 12, 33, 64, 130, 200), (False, True)):
        a = late_failure(n, np.dtype(dtype), rng)
        assert np.linalg.eigvalsh(a).min() < 0
        b = random_rhs((n, 2), dtype, rng)
        given = arranged(a, order)
        x = solve(given, b, overwrite_a=overwrite_a, transposed=transposed)
        assert_solves(a, x, b, transposed)
        assert overwrite_a or np.array_equal(given, a)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cholesky_that_fails_inside_a_stack(dtype: str) -> None:
    rng = np.random.default_rng(82)
    for n in (3, 8, 40):
        a = random_stack("positive definite", 7, n, dtype, rng)
        a[[2, 5]] = [late_failure(n, np.dtype(dtype), rng) for _ in range(2)]
        b = random_rhs((7, n, 1), dtype, rng)
        assert_solves(a, solve(a, b), b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_symmetric_factorization_that_fails_does_not_spoil_the_arguments(dtype: str) -> None:
    """SciML/LinearSolve.jl#887, for LDL: singular, but not before the last pivot."""
    for n in (3, 6, 40):
        a = np.zeros((n, n), dtype)
        a[0, 1:] = a[1:, 0] = 1
        for order in "CF":
            given, b = arranged(a, order), np.ones(n, dtype)
            with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
                solve(given, b)
            assert np.array_equal(given, a)
            assert np.array_equal(b, np.ones(n))


@pytest.mark.parametrize("kind", ["symmetric", "hermitian"])
@pytest.mark.parametrize("declared", [False, True])
def test_fortran_ordered_symmetric_indefinite_with_overwrite_a(kind: str, declared: bool) -> None:
    """SciPy 1.17 wrote beyond its workspace here and crashed."""
    rng = np.random.default_rng(83)
    for dtype, n in itertools.product(dtypes_of(kind), (1, 2, 3, 10, 64, 150)):
        a, b = random_matrix(kind, n, dtype, "F", rng), random_rhs((n, 3), dtype, rng)
        given = arranged(a, "F")
        x = solve(given, b, overwrite_a=True, assume_a=kind if declared else None)
        assert_solves(a, x, b)
        given = arranged(a, "F")
        x = solve(given, arranged(b, "F"), overwrite_a=True, overwrite_b=True)
        assert_solves(a, x, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_symmetric_tridiagonal_with_a_zero_pivot(dtype: str) -> None:
    """JuliaLang/julia#38026: LDL^T without pivoting divides by zero; the matrix is regular."""
    examples = [
        np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]]),
        np.array([[0, 1], [1, 0]]),
        np.array([[0, 1, 0, 0], [1, 0, 2, 0], [0, 2, 0, 3], [0, 0, 3, 0]]),
        np.diag(np.ones(5), 1) + np.diag(np.ones(5), -1),
        np.eye(10) + np.eye(10, k=1) + np.eye(10, k=-1),
    ]
    for example in examples:
        a = example.astype(dtype)
        n = len(a)
        for assume_a in (None, "tridiagonal", "symmetric"):
            b = np.arange(1, n + 1).astype(dtype)
            assert_solves(a, solve(a, b, assume_a=assume_a), b)


# --- structures at their edges -------------------------------------------------------------------


def test_scaling_by_a_reciprocal_would_overflow() -> None:
    """diag([1e-310, 1]): 1 / 1e-310 is inf, b / 1e-310 need not be."""
    with errstate(ill_conditioned="ignore"):
        for d, b, x in (
            ([1e-310, 1.0], [1e-310, 1.0], [1.0, 1.0]),
            ([1e-310, 1.0], [1e-5, 1.0], [1e-5 / 1e-310, 1.0]),
            ([1e-200, 1e200], [1.0, 1.0], [1e200, 1e-200]),
            ([5e-324, 1.0], [5e-324, 1.0], [1.0, 1.0]),
        ):
            for a in (np.diag(d), np.diag(d).astype(complex), np.array([np.diag(d)] * 9)):
                assert np.array_equal(np.broadcast_to(x, a.shape[:-1]), solve(a, b))
    with pytest.warns(IllConditionedWarning):
        solve(np.diag([1e-310, 1.0]), [1e-310, 1.0])
    with pytest.warns(IllConditionedWarning):
        solve(np.diag([1e-200, 1e200]), [1.0, 1.0])


def test_division_is_correctly_rounded() -> None:
    """49 * (1 / 49) is not 1: a diagonal system is divided, never multiplied."""
    d = np.arange(1.0, 200.0)
    b = np.random.default_rng(84).standard_normal(len(d))
    assert np.array_equal(solve(np.diag(d), d), np.ones_like(d))
    assert np.array_equal(solve(np.diag(d), b), b / d)
    for n in (1, 2, 3, 4, 8):
        a = np.array([np.eye(n)] * len(d)) * d[:, None, None]
        assert np.array_equal(solve(a, np.ones(n)), np.repeat(1 / d, n).reshape(-1, n))
        small = solve(a.astype(np.float32), np.ones(n, np.float32))
        assert np.array_equal(small[:, 0], np.float32(1) / d.astype(np.float32))


def test_hermitian_by_pairs_and_not_as_a_whole() -> None:
    """The 3 x 3 matrix whose elements are mirrored, some with and some without conjugation."""
    hermitian = np.array([[1, 1j, 2], [-1j, 0, 3], [2, 3, 0]])
    neither = np.array([[1, 1j, 2j], [-1j, 0, 3], [2j, 3, 0]])
    assert inspect(hermitian).hermitian
    assert inspect(neither).kind == "general"
    for a in (hermitian, neither, hermitian.T, neither.T, 1j * hermitian):
        for order in "CF":
            for transposed in (False, True):
                b = np.array([1, 2j, 3 - 1j])
                x = solve(arranged(a, order), b, transposed=transposed)
                assert_solves(a, x, b, transposed)


@pytest.mark.parametrize("n", [2, 3, 5, 20, 70])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bidiagonal(dtype: str, n: int) -> None:
    rng = np.random.default_rng(85)
    for k in (-1, 1):
        a = np.diag(2 * random_rhs(n, dtype, rng)) + np.diag(random_rhs(n - 1, dtype, rng), k) / 4
        assert inspect(a).kind == ("upper triangular" if k == 1 else "lower triangular")
        b = random_rhs((n, 2), dtype, rng)
        for transposed in (False, True):
            assert_solves(a, solve(a, b, transposed=transposed), b, transposed)


@pytest.mark.parametrize("n", [2, 3, 5, 20, 70])
@pytest.mark.parametrize("dtype", DTYPES)
def test_antidiagonal(dtype: str, n: int) -> None:
    rng = np.random.default_rng(86)
    a = np.diag(random_rhs(n, dtype, rng))[::-1]
    assert inspect(a).kind == "permuted triangular"
    b = random_rhs((n, 2), dtype, rng)
    for order, transposed in itertools.product(ORDERS, (False, True)):
        assert_solves(a, solve(arranged(a, order), b, transposed=transposed), b, transposed)


@pytest.mark.parametrize("n", [2, 3, 4, 7, 40, 128])
@pytest.mark.parametrize("dtype", DTYPES)
def test_permutation_matrix_is_solved_without_an_error(dtype: str, n: int) -> None:
    rng = np.random.default_rng(87)
    for _ in range(10):
        p = rng.permutation(n)
        a, b = np.eye(n, dtype=dtype)[p], random_rhs((n, 2), dtype, rng)
        expected = np.zeros_like(b)
        expected[p] = b
        assert np.array_equal(solve(a, b), expected)
        assert np.array_equal(solve(a, b, transposed=True), b[p])
        assert np.array_equal(solve(a, np.eye(n, dtype=dtype)), a.T)


# --- empty, and nearly so ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_to_solve(dtype: str) -> None:
    """n = 0, k = 0, a stack of length 0: an empty answer of the right shape and dtype."""
    for a_shape, b_shape, shape in (
        ((0, 0), (0,), (0,)),
        ((0, 0), (0, 4), (0, 4)),
        ((3, 0, 0), (0,), (3, 0)),
        ((3, 0, 0), (3, 0, 2), (3, 0, 2)),
        ((0, 2, 2), (2,), (0, 2)),
        ((0, 2, 2), (0, 2, 3), (0, 2, 3)),
        ((0, 2, 2), (1, 2, 3), (0, 2, 3)),
        ((5, 0, 2, 2), (2, 1), (5, 0, 2, 1)),
    ):
        a, b = np.zeros(a_shape, dtype), np.zeros(b_shape, dtype)
        for options in ({}, {"transposed": True}, {"assume_a": "sym"}, {"workers": 2}):
            x = solve(a, b, **options)
            assert x.shape == shape
            assert x.dtype == np.dtype(dtype)
    x = solve(np.eye(3, dtype=dtype), np.zeros((3, 0), dtype))
    assert x.shape == (3, 0)
    assert x.dtype == np.dtype(dtype)


def test_one_row_is_not_a_vector() -> None:
    """NumPy 2: b of shape (1, 2) against a of shape (2, 2, 2) is a stack that does not fit."""
    a = np.array([2 * np.eye(2)] * 2)
    with pytest.raises(ValueError, match=r"\(1, 2\)") as raised:
        solve(a, np.ones((1, 2)))
    assert type(raised.value) is ValueError
    assert solve(a, np.ones((1, 2, 1))).shape == (2, 2, 1)


def test_one_by_one_does_not_broadcast_over_rows() -> None:
    """SciPy lets a 1 x 1 matrix divide a longer b; NumPy does not."""
    for b in (np.ones(2), np.ones((2, 1)), np.ones((3, 2)), np.ones((4, 2, 1))):
        with pytest.raises(ValueError, match=r"\(1, 1\)"):
            solve([[2.0]], b)
    assert np.array_equal(solve([[2.0]], np.ones((1, 3))), np.full((1, 3), 0.5))


# --- kinds of arrays -----------------------------------------------------------------------------


def test_subclass() -> None:
    class Subclass(np.ndarray):
        pass

    a, b = 2 * np.eye(2), np.ones(2)
    assert type(solve(a.view(Subclass), b)) is np.ndarray
    assert type(solve(a, b.view(Subclass))) is Subclass
    assert type(solve(np.array([a] * 9), b.view(Subclass))) is Subclass
    assert type(solve(a[:0, :0], b[:0].view(Subclass))) is Subclass


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.clongdouble, object, "S4", "U4"])
def test_unsupported_dtype(dtype: Any) -> None:
    bad = np.eye(2).astype(dtype)
    for args in ((bad, np.ones(2)), (np.eye(2), bad), (bad, bad), (bad[:0, :0], bad[:0])):
        with pytest.raises(TypeError):
            solve(*args)


@pytest.mark.parametrize("dtype", DTYPES)
def test_strides_of_every_kind(dtype: str) -> None:
    """Zero, negative, and odd: a field of a record has a stride that its size does not divide."""
    rng = np.random.default_rng(88)
    for kind in ("general", "diagonal", "lower triangular", "positive definite", "banded"):
        if np.dtype(dtype) not in dtypes_of(kind):
            continue
        for n in (2, 3, 8, 30):
            a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs(n, dtype, rng)
            records = np.zeros((n, n), [("pad", "u1"), ("value", dtype), ("more", "u2")])
            records["value"] = a
            column = np.zeros(n, [("value", dtype), ("pad", "u1")])
            column["value"] = b
            expected = solve(a, b)
            for odd in (records["value"], records["value"][::-1, ::-1][::-1, ::-1]):
                assert_same_solution(a, solve(odd, column["value"]), expected)
            assert_same_solution(a, solve(a[::-1], b[::-1]), expected)
            assert_same_solution(a, solve(a[:, ::-1], b)[::-1], expected)
            constant = np.broadcast_to(b[:1], (n,))
            assert_solves(a, solve(a, constant), constant)
            wide = np.broadcast_to(b[:, None], (n, 5))
            assert_solves(a, solve(a, wide), wide)
            stack = np.broadcast_to(a, (4, n, n))
            assert_solves(stack, solve(stack, b), b)
    ones = np.broadcast_to(np.ones(1, dtype), (3, 3))
    with pytest.raises(np.linalg.LinAlgError):
        solve(ones, np.ones(3, dtype))


@pytest.mark.parametrize("order", ["readonly", "unaligned", "swapped"])
@every_kind_and_dtype
def test_read_only_unaligned_and_byte_swapped(kind: str, dtype: np.dtype, order: str) -> None:
    rng = np.random.default_rng(89)
    for n, overwrite in itertools.product((2, 3, 9), (False, True)):
        a = random_matrix(kind, n, dtype, order, rng)
        b = arranged(random_rhs((n, 2), dtype, rng), order)
        a0, b0 = a.astype(dtype), b.astype(dtype)
        x = solve(a, b, overwrite_a=overwrite, overwrite_b=overwrite)
        assert x.dtype == dtype
        assert x.flags.writeable
        assert x.flags.aligned
        assert_solves(a0, x, b0)
        if order == "readonly" or not overwrite:
            assert np.array_equal(a, a0)
            assert np.array_equal(b, b0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_answer_alone_and_in_stacks_of_every_length(dtype: str) -> None:
    """jax-ml/jax#20047: answers depended on the length of the stack. The bound: both are backward
    stable."""
    rng = np.random.default_rng(90)
    for n in (1, 2, 3, 4, 6, 8, 16):
        a, b = random_stack("general", 70, n, dtype, rng), random_rhs((70, n, 1), dtype, rng)
        alone = np.array([solve(ai, bi) for ai, bi in zip(a, b, strict=True)])
        for length in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70):
            assert_same_solution(a[:length], solve(a[:length], b[:length]), alone[:length])


# --- what users of the peers ask for -------------------------------------------------------------


def test_nan_and_a_status_for_a_singular_slice() -> None:
    """numpy/numpy#6027."""
    a = np.array([np.eye(2), np.ones((2, 2)), 4 * np.eye(2)])
    x, info = solve(a, np.ones(2), on_singular="nan", return_info=True)
    assert np.array_equal(x, [[1, 1], [np.nan, np.nan], [0.25, 0.25]], equal_nan=True)
    assert (info.rcond == 0).tolist() == [False, True, False]


def test_a_warning_for_bad_conditioning() -> None:
    """numpy/numpy#3755, scipy/scipy#7847."""
    with pytest.warns(IllConditionedWarning):
        solve(hilbert(14), np.ones(14))


def test_to_be_told_which_algorithm_ran() -> None:
    """MATLAB Answers 85847 and 251343."""
    _, info = solve(second_difference(50), np.ones(50), return_info=True)
    assert info.structure == "spd tridiagonal"
    assert info.method in repr(info)
    assert info.routine in repr(info)


# --- NaN and Inf ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["on", "above", "below", "mirrored"])
@every_kind_and_dtype
def test_nan_and_inf_travel_through(kind: str, dtype: np.dtype, where: str, value: float) -> None:
    """Where NumPy gives no error there is none. A finite answer, which an Inf permits, is the
    limit: the unknowns that it multiplies are 0, and all other equations hold."""
    rng = np.random.default_rng(91)
    for n, order in itertools.product((1, 2, 3, 4, 9, 40), "CF"):
        i, j = n - 1, n // 2 - (n > 1)
        places = {"on": [(j, j)], "above": [(j, i)], "below": [(i, j)]}.get(where, [(i, j), (j, i)])
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs(n, dtype, rng)
        for place in places:
            a[place] = value
        with np.errstate(all="ignore"), errstate(ill_conditioned="ignore"):
            expected = solution_or_none(np.linalg.solve, a, b)
            alone = solution_or_none(solve, arranged(a, order), b)
            in_a_stack = solve(np.array([np.eye(n), a, np.eye(n)]), b, on_singular="nan")
        assert alone is not None or expected is None
        assert np.array_equal(in_a_stack[[0, 2]], [b, b])
        for x in (alone, in_a_stack[1]):
            if x is None or not np.isfinite(x).all():
                continue
            rows, columns = np.nonzero(~np.isfinite(a))
            assert not np.isnan(value)
            assert not x[columns].any()
            others = np.setdiff1d(np.arange(n), rows)
            limit = np.where(np.isfinite(a), a, 0)[others]
            residual = np.abs(b[others] - limit @ x).max(initial=0)
            # The limit's condition is not under control: hence the factor.
            assert residual <= 100 * FACTOR * n * eps(dtype) * np.abs(x).max() * n


def solution_or_none(solve: Any, a: np.ndarray, b: np.ndarray) -> Any:
    """None for a matrix that is called singular."""
    try:
        return solve(a, b)
    except np.linalg.LinAlgError:
        return None


@pytest.mark.parametrize("value", [np.nan, np.inf])
@every_kind_and_dtype
def test_nan_and_inf_in_b_stay_in_their_column(kind: str, dtype: np.dtype, value: float) -> None:
    rng = np.random.default_rng(92)
    for n in (1, 2, 5, 30):
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs((n, 3), dtype, rng)
        b[n // 2, 1] = value
        with np.errstate(all="ignore"):
            x = solve(a, b)
        assert not np.isfinite(x[:, 1]).all()
        assert_solves(a, x[:, ::2], b[:, ::2])


@pytest.mark.parametrize(
    ("a", "poisoned"),
    [
        ([[2, 0], [0, np.nan]], 1),
        ([[2, np.nan], [0, 2]], 0),
        ([[2, 0], [np.nan, 2]], 1),
        ([[2, np.inf], [0, 2]], 0),
        ([[2, 0], [np.inf, 2]], 1),
    ],
)
def test_nan_or_inf_on_above_and_below_the_diagonal_by_hand(a: Any, poisoned: int) -> None:
    """The unknown that it reaches has no value; the other has the right one or none."""
    with errstate(ill_conditioned="ignore"), np.errstate(all="ignore"):
        x = solve(a, [2, 2])
    assert not np.isfinite(x[poisoned])
    assert x[1 - poisoned] == 1 or np.isnan(x[1 - poisoned])


def test_infinity_on_the_diagonal_of_a_diagonal_matrix() -> None:
    with errstate(ill_conditioned="ignore"):
        assert np.array_equal(solve([[2, 0], [0, np.inf]], [2, 2]), [1, 0])


# --- against extended precision ------------------------------------------------------------------


DIGITS = 300  # more than any of the conditions below takes


def exact(values: np.ndarray) -> Any:
    """An mpmath matrix with the very values."""
    values = values.reshape(len(values), -1)
    convert = mpmath.mpc if values.dtype.kind == "c" else mpmath.mpf
    return mpmath.matrix([[convert(v.item()) for v in row] for row in values])


def exact_solution(a: np.ndarray, b: np.ndarray) -> Any:
    with mpmath.workdps(DIGITS):
        return mpmath.lu_solve(exact(a), exact(b))


def relative_error(x: np.ndarray, true: Any) -> float:
    """In the max norm."""
    with mpmath.workdps(DIGITS):
        difference = exact(x) - true
        return float(mpmath.norm(difference, mpmath.inf) / mpmath.norm(true, mpmath.inf))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 10])
@every_kind_and_dtype
def test_forward_error(kind: str, dtype: np.dtype, n: int) -> None:
    rng = np.random.default_rng(93)
    a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs(n, dtype, rng)
    condition = np.linalg.cond(a.astype(np.complex128), np.inf)
    bound = 2 * FACTOR * n * eps(dtype) * condition
    assert relative_error(solve(a, b), exact_solution(a, b)) <= bound


@pytest.mark.parametrize("n", [3, 5, 8])
def test_hilbert_against_the_exact_solution(n: int) -> None:
    """Solvable in integers: the row sums of the inverse (Higham, ASNA, section 28.1)."""
    a, b = hilbert(n), np.ones(n)
    bound = 2 * FACTOR * n * eps(float) * np.linalg.cond(a, np.inf)
    assert bound < 1e-3
    assert relative_error(solve(a, b), exact_solution(a, b)) <= bound


@pytest.mark.parametrize("make", [kahan, ones_triangular])
def test_triangular_systems_are_solved_to_componentwise_accuracy(make: Any) -> None:
    """|x - y| <= n eps |inv(T)| |T| |x| (Higham, ASNA, theorem 8.5): far better than the condition
    promises."""
    n = 25
    b = np.random.default_rng(94).standard_normal(n)
    for a in (make(n), make(n)[::-1, ::-1], make(n)[::-1]):
        x = solve(a, b)
        with mpmath.workdps(DIGITS):
            true = exact_solution(a, b)
            magnitude = abs_matrix(exact(a) ** -1) * abs_matrix(exact(a)) * abs_matrix(true)
            for i in range(n):
                assert abs(mpmath.mpf(x[i]) - true[i]) <= n * eps(float) * magnitude[i]


def abs_matrix(m: Any) -> Any:
    return m.apply(abs)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("decades", [6.0, 12.0, 100.0])
def test_graded_positive_definite(decades: float, descending: bool) -> None:
    """D H D y = b: Cholesky's error in D y is that of the well-conditioned H (Higham, ASNA,
    theorem 10.5), though the condition of D H D may be 1e200."""
    a = graded(8, decades)
    if not descending:
        a = a[::-1, ::-1].copy()
    d = np.sqrt(np.diag(a))
    h = a / d[:, None] / d
    b = d * np.random.default_rng(95).standard_normal(8)
    with errstate(ill_conditioned="ignore"):
        x = solve(a, b)
    true = exact_solution(a, b)
    with mpmath.workdps(DIGITS):
        scaled = mpmath.matrix([mpmath.mpf(di) * ti for di, ti in zip(d, true, strict=True)])
        error = mpmath.matrix(
            [mpmath.mpf(di) * (mpmath.mpf(xi) - ti) for di, xi, ti in zip(d, x, true, strict=True)]
        )
        bound = 2 * FACTOR * 8 * eps(float) * np.linalg.cond(h, np.inf)
        assert mpmath.norm(error, mpmath.inf) <= bound * mpmath.norm(scaled, mpmath.inf)


@pytest.mark.parametrize("exponent", [-1000, -900, -520, -300, 300, 520, 900, 1000])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hermitian"])
def test_a_power_of_two_changes_nothing(kind: str, exponent: int) -> None:
    """Huge and tiny scales: no product of two elements may be needed to be representable."""
    rng = np.random.default_rng(96)
    for dtype, n in itertools.product((np.float64, np.complex128), (1, 2, 3, 4, 12, 40)):
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs(n, dtype, rng)
        scaled_a, scaled_b = a * 2.0**exponent, b * 2.0**exponent
        expected = solve(a, b)
        assert_same_solution(a, solve(scaled_a, scaled_b), expected)
        assert_same_solution(a, solve(np.array([scaled_a] * 5), scaled_b)[3], expected)
        for transposed in (False, True):
            x = solve(scaled_a, scaled_b, transposed=transposed)
            assert_solves(a, x, b, transposed)


@pytest.mark.parametrize("kind", ["diagonal", "upper triangular", "permuted triangular", "general"])
def test_subnormal_matrix(kind: str) -> None:
    """Elements of a few dozen bits near 1e-312: rounded there, but solved to full precision."""
    rng = np.random.default_rng(97)
    for n in (1, 2, 3, 8):
        a = random_matrix(kind, n, np.float64, "C", rng) * 2.0**-1038
        b = random_rhs(n, np.float64, rng) * 2.0**-1038
        assert 0 < np.abs(a).max() < np.finfo(float).tiny
        x = solve(a, b)
        # Each intermediate result is rounded to a multiple of the smallest number.
        condition = np.linalg.cond(a * 2.0**1000, np.inf)
        unit = max(eps(float), 5e-324 / np.abs(a).max())
        bound = 2 * FACTOR * n * unit * condition
        assert relative_error(x, exact_solution(a, b)) <= bound


@pytest.mark.parametrize(
    "element",
    [
        1e308 + 1e308j,
        1e-310 + 1e-310j,
        5e-324 + 5e-324j,
        1e300 + 1e-300j,
        1e-300 + 1e300j,
        1e160 + 1e160j,
        1e-170 - 1e-170j,
    ],
)
def test_complex_division_at_the_edge(element: complex) -> None:
    """Baudin & Smith (2012) collect such divisors: right wherever NumPy is right."""
    for rhs in (element, element.conjugate(), 2j * element if abs(element) < 1e300 else element):
        a, b = np.array([[element]]), np.array([rhs])
        true = exact_solution(a, b)
        theirs = np.linalg.solve(a, b)
        with np.errstate(all="ignore"):
            error = relative_error(theirs, true) if np.isfinite(theirs).all() else np.inf
        if error <= FACTOR * eps(float):
            assert relative_error(solve(a, b), true) <= FACTOR * eps(float)
            two = solve(np.diag([element, element]), np.array([rhs, rhs]))
            assert relative_error(two[1:], true) <= FACTOR * eps(float)


def test_a_solution_that_overflows_is_inf_as_in_numpy() -> None:
    with np.errstate(all="ignore"), errstate(ill_conditioned="ignore"):
        assert np.array_equal(solve([[1e-310]], [1.0]), [np.inf])
        assert np.array_equal(solve(np.diag([1e-310, 1.0]), [-1.0, 1.0]), [-np.inf, 1.0])
        assert np.array_equal(np.linalg.solve([[1e-310]], [1.0]), [np.inf])


@pytest.mark.parametrize("dtype", DTYPES)
def test_negative_zeros(dtype: str) -> None:
    a = np.array([[2, -0.0, -0.0], [-0.0, 4, -0.0], [-0.0, -0.0, 8]], dtype)
    assert np.array_equal(solve(a, np.array([2, 4, 8], dtype)), [1, 1, 1])
    assert not solve(a, np.full(3, -0.0, dtype)).any()
    a[1, 1] = -0.0
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(a, np.ones(3, dtype))


# --- size ----------------------------------------------------------------------------------------


def test_a_system_that_no_memory_can_hold_is_refused() -> None:
    """n * n is far beyond 32 bits, and beyond the addresses of today's processors in bytes."""
    n = 2**22
    row = np.arange(1.0, n + 1)
    a = np.broadcast_to(row, (n, n))
    for matrix in (a, a.T):
        with pytest.raises(MemoryError):
            solve(matrix, row)


def test_nothing_is_kept_from_one_call_to_the_next() -> None:
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.ones(2)
    first = smartsolve.solve(a, b)
    second = smartsolve.solve(a, 2 * b)
    assert not np.shares_memory(first, second)
    assert np.array_equal(second, 2 * first)
