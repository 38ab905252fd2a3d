"""precision="mixed": as good as double precision, or the same as without, bit for bit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.linalg import LinAlgError

import smartsolve
from smartsolve import _core

from .accuracy import Array, assert_solves, eps
from .matrices import KINDS, arranged, dtypes_of, random_matrix, random_rhs, random_stack

N = 514  # beyond the small kernels' orders
KINDS_AND_METHODS = (("general", "LU"), ("positive definite", "Cholesky"))
DOUBLE = ("float64", "complex128")

every_kind = pytest.mark.parametrize(("kind", "method"), KINDS_AND_METHODS)


def refined(method: str) -> str:
    return f"{method} in single precision, refined"


def outcome(a: Array, b: Array, **options: Any) -> tuple[Any, Any, list[str]]:
    """Solution or error, info, and the warnings' texts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            x, info = smartsolve.solve(a, b, return_info=True, **options)
        except LinAlgError as error:
            x, info = str(error), None
    return x, info, [str(warning.message) for warning in caught]


def assert_left_to_double(a: Array, b: Array, **options: Any) -> None:
    """Solution, info, errors and warnings are those of the call without precision="mixed"."""
    expected, expected_info, expected_texts = outcome(a, b, **options)
    x, info, texts = outcome(a, b, precision="mixed", **options)
    assert texts == expected_texts
    np.testing.assert_array_equal(x, expected, strict=not isinstance(x, str))
    if info is not None:
        assert np.array_equal(info.method, expected_info.method)
        assert np.array_equal(info.routine, expected_info.routine)
        assert np.array_equal(info.rcond, expected_info.rcond, equal_nan=True)
        assert np.all(np.equal(info.refinement_steps, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if info is not None:
            again = smartsolve.solve(a, b, precision="mixed", **options)
            np.testing.assert_array_equal(again, smartsolve.solve(a, b, **options))


@every_kind
@pytest.mark.parametrize("dtype", DOUBLE)
@pytest.mark.parametrize(("order", "transposed"), [("C", False), ("C", True), ("F", False)])
def test_as_good_as_double(
    kind: str, method: str, dtype: str, order: str, transposed: bool
) -> None:
    rng = np.random.default_rng(41)
    a = random_matrix(kind, N, np.dtype(dtype), order, rng)
    for nrhs in (None, 1, 3):
        b = arranged(random_rhs(N if nrhs is None else (N, nrhs), dtype, rng), order)
        before = a.tobytes(), b.tobytes()
        x, info = smartsolve.solve(a, b, transposed=transposed, precision="mixed", return_info=True)
        assert (a.tobytes(), b.tobytes()) == before
        _, double = smartsolve.solve(a, b, transposed=transposed, return_info=True)
        assert_solves(a, x, b, transposed)
        assert info.structure == kind
        assert info.routine == double.routine
        assert info.backward_error <= max(double.backward_error, eps(float))
        # Several columns of a positive definite system are solved sooner without.
        pays = kind == "general" or nrhs in (None, 1)
        assert info.method == (refined(method) if pays else method)
        # Two estimates of one number, each a lower bound that is seldom below a third of it.
        assert double.rcond / 3 <= info.rcond <= 3 * double.rcond


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    exponent=st.integers(0, 17),
    scale=st.integers(-900, 900),
    of_rhs=st.integers(-60, 60),
    definite=st.booleans(),
    consistent=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_as_good_or_the_same(
    exponent: int, scale: int, of_rhs: int, definite: bool, consistent: bool, seed: int
) -> None:
    """Condition 1 to 1e17 at scales from 2^-900 to 2^900; reflections keep the singular values."""
    rng = np.random.default_rng(seed)
    a = np.diag(10.0 ** np.linspace(0, -exponent, N))
    left, right = rng.standard_normal((2, N))
    for side in (left,) if definite else (left, right):
        v = side / np.linalg.norm(side)
        a = a - 2 * np.outer(v, v @ a)
        a = (a - 2 * np.outer(a @ v, v)) if definite else a.T
    a = (a + a.T) / 2 if definite else a
    b = a @ np.ones(N) if consistent else rng.standard_normal(N)
    a, b = np.ldexp(a, scale), np.ldexp(b, scale + of_rhs)
    x, info, texts = outcome(a, b, precision="mixed")
    expected, double, expected_texts = outcome(a, b)
    assert texts == expected_texts
    if "refined" not in info.method:
        assert np.array_equal(x, expected)
        return
    assert not texts
    assert double.rcond > 4 * eps(np.float32) / 3
    assert info.backward_error <= max(double.backward_error, eps(float))


@every_kind
def test_powers_of_two_pass_through(kind: str, method: str) -> None:
    """Neither the small nor the large scale reaches the limits of single precision."""
    rng = np.random.default_rng(42)
    a, b = random_matrix(kind, N, np.dtype(float), "C", rng), rng.standard_normal(N)
    x = smartsolve.solve(a, b, precision="mixed")
    for of_a, of_b in ((-900, 0), (900, 0), (0, -900), (0, 900), (-500, -500), (450, -450)):
        scaled, info = smartsolve.solve(
            np.ldexp(a, of_a), np.ldexp(b, of_b), precision="mixed", return_info=True
        )
        assert info.method == refined(method)
        assert np.array_equal(scaled, np.ldexp(x, of_b - of_a))


def test_convergence_is_told_where_norms_overflow() -> None:
    """|A| |x| is beyond 1e308, b is not: towards the smallest singular vector."""
    rng = np.random.default_rng(55)
    a = rng.standard_normal((N, N))
    x = np.linalg.svd(a)[2][-1]
    for of_a, of_x in ((990, 32), (32, 990)):
        big, expected = np.ldexp(a, of_a), np.ldexp(x, of_x)
        b = big @ expected
        assert np.isfinite(b).all()
        with np.errstate(over="ignore"):
            assert np.abs(big).sum(axis=1).max() * np.abs(expected).max() == np.inf
        found, info = smartsolve.solve(big, b, precision="mixed", return_info=True)
        assert info.method == refined("LU")
        assert 0 < info.backward_error < eps(float)
        # In a scale in which the test does not overflow; it passes through as powers of two do.
        same = smartsolve.solve(a, np.ldexp(b, -of_a - of_x), precision="mixed")
        assert np.array_equal(np.ldexp(found, -of_x), same)


@every_kind
@pytest.mark.parametrize("dtype", DOUBLE)
def test_every_small_order(kind: str, method: str, dtype: str) -> None:
    """It is not tried there, but would do: one column, and several at once."""
    rng = np.random.default_rng(43)
    row = next(
        i for i, r in enumerate(_core.methods()) if (r["kind"], r["method"]) == (kind, method)
    )
    for n in (1, 2, 3, 5, 17, 64, 130):
        a = random_matrix(kind, n, np.dtype(dtype), "CF"[n % 2], rng)
        for shape in (n, (n, 4)):
            b = random_rhs(shape, dtype, rng)
            assert_solves(a, _core.solve_with_row(row, a, b, True), b)


def doubtful() -> dict[str, Array]:
    """Matrices that single precision cannot be trusted with."""
    rng = np.random.default_rng(44)
    a = rng.standard_normal((N, N))
    i = np.arange(N)
    spread = 10.0 ** np.linspace(0, -12, N)
    found = {
        "hilbert": 1 / (i[:, None] + i + 1.0),
        "graded rows": a * spread[:, None],
        "graded columns": a * spread,
        "graded, definite": (a @ a.T / N + np.eye(N)) * spread[:, None] * spread,
        "gaussian kernel": np.exp(-((i[:, None] - i) ** 2) / 50.0),
        "vandermonde": np.vander(np.linspace(0.1, 1, N)),
        "one equation twice": np.vstack([a[:-1], a[:1]]),
        "laplacian of a full graph": N * np.eye(N) - 1,
        "NaN": np.where(i == 3, np.nan, a),
        "Inf": np.where(np.eye(N, k=2) > 0, np.inf, a),
        # Elements grow to 2^511 under partial pivoting, beyond the range of single precision.
        "growth": np.asfortranarray(
            np.eye(N) - np.tril(np.ones((N, N)), -1) + np.outer(i < N - 1, i == N - 1)
        ),
    }
    return found


@pytest.mark.parametrize("name", doubtful())
def test_doubtful_matrices_are_left_to_double(name: str) -> None:
    a = doubtful()[name]
    rng = np.random.default_rng(45)
    assert_left_to_double(a, rng.standard_normal(N))
    with np.errstate(all="ignore"):
        consistent = a @ np.ones(N)
    assert_left_to_double(a, consistent)
    assert_left_to_double(a, rng.standard_normal((N, 2)), transposed=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_right_hand_sides_that_are_not_finite(bad: float) -> None:
    rng = np.random.default_rng(46)
    a, b = rng.standard_normal((N, N)), rng.standard_normal((N, 2))
    b[7, 1] = bad
    assert_left_to_double(a, b)
    assert_left_to_double(a, b[:, 1])


def test_errors_are_those_of_double() -> None:
    rng = np.random.default_rng(47)
    a, b = rng.standard_normal((N, N)), rng.standard_normal(N)
    a[:, 5] = 0
    assert isinstance(outcome(a, b, precision="mixed")[0], str)
    assert_left_to_double(a, b)
    assert_left_to_double(a, b, on_singular="nan")
    assert_left_to_double(a, b, on_singular="warn")
    assert_left_to_double(-np.eye(N) + 1, b, assume_a="pos")
    a[0, 0] = np.nan
    assert_left_to_double(a, b)
    with pytest.raises(ValueError, match="a must not contain infs or NaNs"):
        smartsolve.solve(a, b, precision="mixed", check_finite=True)


@pytest.mark.parametrize("kind", KINDS)
def test_permission_is_no_order(kind: str) -> None:
    """Small matrices, other structures, and single precision itself."""
    rng = np.random.default_rng(48)
    for dtype in dtypes_of(kind):
        single = dtype.itemsize // (1 + (dtype.kind == "c")) == 4
        for n in (3, 40, N) if single or kind not in dict(KINDS_AND_METHODS) else (3, 40):
            a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs(n, dtype, rng)
            assert_left_to_double(a, b)


def test_no_right_hand_side_and_zeros() -> None:
    a = random_matrix("general", N, np.dtype(float), "C", np.random.default_rng(49))
    assert_left_to_double(a, np.empty((N, 0)))
    x = smartsolve.solve(a, np.zeros(N), precision="mixed")
    assert np.array_equal(x, np.zeros(N))
    assert_left_to_double(a[::2, ::2], np.ones(N // 2))
    twice = np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)[::2, ::2]  # no layout of LAPACK's
    assert_left_to_double(twice, np.ones(N))


@pytest.mark.parametrize("dtype", DOUBLE)
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_declared_triangle_is_all_that_is_read(dtype: str, lower: bool, order: str) -> None:
    rng = np.random.default_rng(50)
    a = random_matrix("positive definite", N, np.dtype(dtype), order, rng)
    b = random_rhs(N, dtype, rng)
    half = a.copy(order="K")
    half[np.triu_indices(N, 1) if lower else np.tril_indices(N, -1)] = np.nan
    options = {"assume_a": "pos", "lower": lower, "precision": "mixed", "return_info": True}
    for transposed in (False, True):
        x, info = smartsolve.solve(half, b, transposed=transposed, **options)
        assert info.method == refined("Cholesky")
        assert_solves(a, x, b, transposed)


def test_stacks() -> None:
    """Each slice by itself, the same bits for any number of workers."""
    rng = np.random.default_rng(51)
    a = random_stack("general", 4, N, np.dtype(float), rng)
    a[1] = random_matrix("positive definite", N, np.dtype(float), "C", rng)
    a[2] = doubtful()["hilbert"]
    a[3, :, 9] = 0
    b = rng.standard_normal((2, 4, N, 1))
    with smartsolve.errstate(ill_conditioned="ignore", singular="nan"):
        x, info = smartsolve.solve(a, b, precision="mixed", return_info=True)
        double = smartsolve.solve(a, b)
        for workers in (1, 2, 3):
            again = smartsolve.solve(a, b, precision="mixed", workers=workers)
            np.testing.assert_array_equal(again, x)
    assert info.method.tolist() == 2 * [[refined("LU"), "Cholesky", double_method(a[2]), "LU"]]
    assert (info.refinement_steps > 0).tolist() == 2 * [[True, False, False, False]]
    np.testing.assert_array_equal(x[:, 1:], double[:, 1:])
    assert_solves(a[:2], x[:, :2], b[:, :2])
    # One slice of each meets one column here.
    x, info = smartsolve.solve(a[:2], b[0, :2], precision="mixed", return_info=True)
    assert info.method.tolist() == [refined("LU"), refined("Cholesky")]
    assert_solves(a[:2], x, b[0, :2])


def double_method(a: Array) -> str:
    with smartsolve.errstate(ill_conditioned="ignore"):
        return str(smartsolve.solve(a, a[0], return_info=True)[1].method)


@pytest.mark.parametrize("name", ["general", "hilbert"])
def test_overwriting(name: str) -> None:
    """The answer stands in b's memory, whether it was refined or left to double."""
    rng = np.random.default_rng(52)
    found = doubtful() | {"general": random_matrix("general", N, np.dtype(float), "F", rng)}
    a = np.asfortranarray(found[name])
    for shape in (N, (N, 3)):
        b = arranged(random_rhs(shape, np.dtype(float), rng), "F")
        with smartsolve.errstate(ill_conditioned="ignore"):
            expected = smartsolve.solve(a, b, precision="mixed")
            given = b.copy(order="F")
            x = smartsolve.solve(
                a.copy(order="F"), given, precision="mixed", overwrite_a=True, overwrite_b=True
            )
        assert x is given
        np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("precision", ["single", "Mixed", "", b"mixed", 32, True, np.float32])
def test_other_precisions_are_refused(precision: Any) -> None:
    with pytest.raises(ValueError, match=r"precision is .*; expected None or 'mixed'"):
        smartsolve.solve(np.eye(2), np.ones(2), precision=precision)


def test_operands_that_are_not_plain_arrays() -> None:
    rng = np.random.default_rng(53)
    a, b = random_matrix("general", N, np.dtype(float), "C", rng), rng.standard_normal(N)
    x = smartsolve.solve(a.view(np.matrix), b, precision="mixed")
    np.testing.assert_array_equal(x, smartsolve.solve(a, b, precision="mixed"))
    assert np.array_equal(smartsolve.solve(np.eye(2), [1.0, 2.0], precision=None), [1.0, 2.0])
    with pytest.raises(TypeError, match="got precision"):
        smartsolve.solve(smartsolve.factorize(a), b, precision="mixed")


def test_the_report_counts_the_steps() -> None:
    a = random_matrix("general", N, np.dtype(float), "C", np.random.default_rng(54))
    _, info = smartsolve.solve(a, np.ones(N), precision="mixed", return_info=True)
    # Single precision gives seven digits a step at this condition; the last step is not measured.
    assert info.refinement_steps in (2, 3, 4)
    assert info.to_dict()["refinement_steps"] == info.refinement_steps
    assert f"refinement      {info.refinement_steps} steps" in str(info)
