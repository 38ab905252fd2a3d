"""Every method is backward stable, for every dtype, layout, number of right-hand sides and size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import _core

from .accuracy import FACTOR, assert_same_solution, assert_solves, backward_error, eps
from .matrices import (
    DTYPES,
    KINDS,
    ORDERS,
    arranged,
    dtypes_of,
    growth,
    kinds_and_dtypes,
    random_matrix,
    random_rhs,
    random_stack,
)

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)
NRHS = (None, 1, 3)  # None: b is a vector


def rhs_shape(n: int, nrhs: int | None) -> tuple[int, ...]:
    return (n,) if nrhs is None else (n, nrhs)


def solve_and_check(a: np.ndarray, b: np.ndarray, transposed: bool) -> np.ndarray:
    """Solve; the answer is backward stable and the arguments are as before, bit for bit."""
    a_before, b_before = a.tobytes(), b.tobytes()
    x = smartsolve.solve(a, b, transposed=transposed)
    assert a.tobytes() == a_before
    assert b.tobytes() == b_before
    assert x.shape == b.shape
    assert x.dtype == a.dtype.newbyteorder("=")
    assert not np.shares_memory(x, a)
    assert not np.shares_memory(x, b)
    assert_solves(a, x, b, transposed)
    return x


@pytest.mark.parametrize("order", ORDERS)
@every_kind_and_dtype
def test_every_layout(kind: str, dtype: np.dtype, order: str) -> None:
    rng = np.random.default_rng(11)
    for n, nrhs, transposed in itertools.product((2, 3, 9, 21), NRHS, (False, True)):
        a = random_matrix(kind, n, dtype, order, rng)
        b = arranged(random_rhs(rhs_shape(n, nrhs), dtype, rng), order)
        solve_and_check(a, b, transposed)


@pytest.mark.parametrize("kind", ["general", "positive definite"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_earlier_calls_left_in_memory_is_not_seen(kind: str, dtype: str) -> None:
    """Factors are read by whole registers, with what lies above a diagonal and in the padding."""
    rng = np.random.default_rng(19)
    for n, nrhs in itertools.product(range(1, 19), (1, 2, 9)):
        a = random_matrix(kind, n, np.dtype(dtype), "C", rng)
        b = random_rhs((n, nrhs), dtype, rng)
        smartsolve.solve(np.full((n, n), np.nan, dtype), np.full((n, 9), np.nan, dtype))
        solve_and_check(a, b, False)


@every_kind_and_dtype
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    n=st.integers(1, 40),
    orders=st.tuples(st.sampled_from(ORDERS), st.sampled_from(ORDERS)),
    nrhs=st.sampled_from(NRHS),
    transposed=st.booleans(),
    exponent=st.integers(-12, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_error(
    kind: str,
    dtype: np.dtype,
    n: int,
    orders: tuple[str, str],
    nrhs: int | None,
    transposed: bool,
    exponent: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    a = random_matrix(kind, n, dtype, "C", rng) * dtype.type(2.0**exponent)
    b = random_rhs(rhs_shape(n, nrhs), dtype, rng)
    solve_and_check(arranged(a, orders[0]), arranged(b, orders[1]), transposed)


@pytest.mark.parametrize("n", [64, 100, 130, 300])
@every_kind_and_dtype
def test_larger_sizes(kind: str, dtype: np.dtype, n: int) -> None:
    rng = np.random.default_rng(12)
    a = random_matrix(kind, n, dtype, "C", rng)
    for order, nrhs in (("C", None), ("F", 3)):
        b = random_rhs(rhs_shape(n, nrhs), dtype, rng)
        solve_and_check(arranged(a, order), arranged(b, order), transposed=False)
    solve_and_check(a, random_rhs(n, dtype, rng), transposed=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_small_size(dtype: str) -> None:
    """Unrolled kernels, blocks and remainders: no size between them is forgotten."""
    rng = np.random.default_rng(13)
    for kind in ("general", "positive definite", "symmetric", "banded", "upper triangular"):
        for n in range(1, 72):
            a = random_matrix(kind, n, dtype, "CF"[n % 2], rng)
            solve_and_check(a, random_rhs(rhs_shape(n, (None, 2, 9)[n % 3]), dtype, rng), False)


@every_kind_and_dtype
def test_structured_equals_generic(kind: str, dtype: np.dtype) -> None:
    """NumPy's LU knows no structure."""
    rng = np.random.default_rng(14)
    for n, nrhs, transposed in itertools.product((1, 2, 5, 16, 37, 100), NRHS, (False, True)):
        a = random_matrix(kind, n, dtype, "C", rng)
        b = random_rhs(rhs_shape(n, nrhs), dtype, rng)
        generic = np.linalg.solve(a.T if transposed else a, b)
        structured = smartsolve.solve(a, b, transposed=transposed)
        assert_same_solution(a.T if transposed else a, structured, generic)


@every_kind_and_dtype
def test_declared_equals_detected(kind: str, dtype: np.dtype) -> None:
    name = {"spd tridiagonal": "tridiagonal", "spd banded": "banded"}.get(kind, kind)
    rng = np.random.default_rng(15)
    for n, transposed in itertools.product((2, 5, 24, 90), (False, True)):
        a = random_matrix(kind, n, dtype, "C", rng)
        b = random_rhs((n, 2), dtype, rng)
        detected = smartsolve.solve(a, b, transposed=transposed)
        for order in ("C", "F"):
            declared = smartsolve.solve(arranged(a, order), b, assume_a=name, transposed=transposed)
            assert_solves(a, declared, b, transposed)
            assert_same_solution(a.T if transposed else a, declared, detected)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13, 33])
@every_kind_and_dtype
def test_alone_in_a_small_stack_and_in_a_large_one(kind: str, dtype: np.dtype, n: int) -> None:
    """The bound: each is backward stable, so they differ by condition * FACTOR n eps at most."""
    rng = np.random.default_rng(16)
    few = random_stack(kind, 5, n, dtype, rng)
    many = np.tile(few, (41, 1, 1))
    b = random_rhs((5, n, 2), dtype, rng)
    alone = np.array([smartsolve.solve(ai, bi) for ai, bi in zip(few, b, strict=True)])
    small = smartsolve.solve(few, b)
    large = smartsolve.solve(many, np.tile(b, (41, 1, 1)))
    for x in (alone, small):
        assert_solves(few, x, b)
    assert_same_solution(few, small, alone)
    assert_same_solution(few, large[:5], alone)
    assert_same_solution(many, large, np.tile(large[:5], (41, 1, 1)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_each_slice_of_a_stack_is_looked_at_by_itself(dtype: str, transposed: bool) -> None:
    rng = np.random.default_rng(17)
    kinds = [kind for kind in KINDS if np.dtype(dtype) in dtypes_of(kind)]
    kinds = [kinds[i] for i in rng.permutation(len(kinds) * 5) % len(kinds)]
    for n in (2, 3, 8, 30):
        stack = np.array([random_matrix(kind, n, dtype, "C", rng) for kind in kinds])
        for nrhs in (None, 3):
            b = random_rhs((len(kinds), n, nrhs or 1), dtype, rng)
            if nrhs is None:
                b = b[0, :, 0]
            before = stack.tobytes(), b.tobytes()
            x = smartsolve.solve(stack, b, transposed=transposed)
            assert (stack.tobytes(), b.tobytes()) == before
            assert_solves(stack, x, b, transposed)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_stacks_in_every_layout(dtype: str, order: str) -> None:
    rng = np.random.default_rng(18)
    for kind, n, transposed in itertools.product(
        ("general", "diagonal", "upper triangular", "positive definite"), (2, 6), (False, True)
    ):
        a = random_stack(kind, 12, n, dtype, rng).reshape(4, 3, n, n)
        b = random_rhs((4, 3, n, 2), dtype, rng)
        a, b = arranged(a, order), arranged(b, order)
        before = a.tobytes(), b.tobytes()
        for steps in (slice(None), slice(None, None, -1), slice(None, None, 2)):
            x = smartsolve.solve(a[steps, steps], b[steps, steps], transposed=transposed)
            assert_solves(a[steps, steps], x, b[steps, steps], transposed)
        assert (a.tobytes(), b.tobytes()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_one_matrix_for_many_right_hand_sides(kind: str) -> None:
    """Stride 0 or a leading axis of length 1: the answer is that of the matrix spelled out."""
    rng = np.random.default_rng(19)
    dtype = dtypes_of(kind)[-1]
    for n in (2, 7, 40):
        a = random_matrix(kind, n, dtype, "C", rng)
        b = random_rhs((6, n, 2), dtype, rng)
        spelled_out = np.array([a] * 6)
        expected = smartsolve.solve(spelled_out, b)
        for same in (a, a[None], np.broadcast_to(a, (6, n, n))):
            x = smartsolve.solve(same, b)
            assert_solves(spelled_out, x, b)
            assert_same_solution(spelled_out, x, expected)
        b = random_rhs((6, 1, n, 1), dtype, rng)
        x = smartsolve.solve(np.array([a, 2 * a]), b)
        assert x.shape == (6, 2, n, 1)
        assert_solves(np.array([a, 2 * a]), x, b)


def test_partial_pivoting_pays_for_growth_and_for_nothing_else() -> None:
    """Wilkinson's matrix: the bound of partial pivoting grows by 2^(n-1), and so may the error."""
    n = 20
    a, b = growth(n), random_rhs(n, np.dtype(float), np.random.default_rng(20))
    x = smartsolve.solve(a, b)
    assert backward_error(a, x, b) <= FACTOR * n * eps(float) * 2 ** (n - 1)


def test_rows_must_be_exchanged() -> None:
    """Without pivoting the first answer is [0, 1] (Forsythe & Moler 1967; ASNA, section 1.12)."""
    for tiny in (1e-20, 1e-300):
        a = np.array([[tiny, 1.0], [1.0, 1.0]])
        for matrix in (a, np.array([a] * 9), a.astype(complex)):
            x = smartsolve.solve(matrix, np.array([1.0, 2.0]))
            assert np.abs(x - 1.0).max() <= 4 * eps(float)


@pytest.mark.parametrize("row", range(len(_core.methods())))
def test_every_row_at_small_orders(row: int) -> None:
    """A row's kernel is right from order 1 on, wherever another one is preferred."""
    rng = np.random.default_rng([51, row])
    kind = _core.methods()[row]["kind"]
    for dtype, order, n in itertools.product(dtypes_of(kind), "CF", (6, 17, 40, 160)):
        a = random_matrix(kind, n, dtype, order, rng)
        if smartsolve.inspect(a).kind != kind:
            continue  # patterns, and bands, are not looked for at every order
        b = random_rhs((n, 3), dtype, rng)
        assert_solves(a, _core.solve_with_row(row, a, b), b)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_permuted_triangles_carry_inf_alike(dtype: str, order: str) -> None:
    """With or without gathering, an Inf reaches the unknowns that follow, and none before."""
    rows = [i for i, r in enumerate(_core.methods()) if "permuted substitution" in r["method"]]
    rng = np.random.default_rng(52)
    n, first = 30, 20
    columns = rng.permutation(n)
    triangle = np.tril(random_matrix("lower triangular", n, np.dtype(dtype), "C", rng))
    a = arranged(triangle[:, columns], order)
    b = np.ones(n, dtype)
    b[first] = np.inf
    for row in rows:
        x = _core.solve_with_row(row, a, b)
        np.testing.assert_array_equal(np.isfinite(x), columns < first)
