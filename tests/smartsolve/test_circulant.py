"""Circulant matrices: any length of the transform, scales, singular ones, near misses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg

import smartsolve
from smartsolve import inspect, solve

from .accuracy import FACTOR, assert_same_solution, assert_solves, backward_error, eps
from .matrices import DTYPES, arranged, entries, random_matrix, random_rhs

LENGTHS = (128, 129, 131, 144, 255, 256, 257, 343)  # powers, primes, and neighbours of powers


def circulant(column: np.ndarray) -> np.ndarray:
    return scipy.linalg.circulant(column).astype(column.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_length_of_the_transform(dtype: str) -> None:
    rng = np.random.default_rng(141)
    for n, order, transposed in itertools.product(LENGTHS, "CF", (False, True)):
        a = arranged(random_matrix("circulant", n, dtype, "C", rng), order)
        b = random_rhs((n, 3), dtype, rng)
        x, info = solve(a, b, transposed=transposed, return_info=True)
        assert (info.structure, info.method) == ("circulant", "Fourier transform")
        assert_solves(a, x, b, transposed)
        assert_same_solution(a, x, np.linalg.solve(a.T if transposed else a, b))


def test_agrees_with_solve_circulant() -> None:
    rng = np.random.default_rng(142)
    column, b = rng.standard_normal(200), rng.standard_normal(200)
    a = circulant(column)
    assert_same_solution(a, solve(a, b), scipy.linalg.solve_circulant(column, b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_condition_has_the_backward_error_of_lu(dtype: str) -> None:
    """Eigenvalues over all decades that the precision has."""
    rng = np.random.default_rng(143)
    n = 160
    for decades in (2, 5, 7, 12, 15):
        values = 10.0 ** -rng.uniform(0, decades, n) * np.exp(2j * np.pi * rng.random(n))
        if dtype[0] == "f":  # of a real matrix they come in conjugate pairs
            values[0], values[n // 2] = abs(values[0]), abs(values[n // 2])
            values[n // 2 + 1 :] = values[1 : n // 2][::-1].conj()
        column = np.fft.ifft(values)
        a = circulant(np.asarray(column.real if dtype[0] == "f" else column, dtype))
        b = random_rhs((n, 2), dtype, rng)
        for transposed in (False, True):
            with smartsolve.errstate(ill_conditioned="ignore"):
                x = solve(a, b, transposed=transposed)
            assert backward_error(a, x, b, transposed) <= FACTOR * n * eps(dtype)


def test_rcond_is_that_of_the_2_norm() -> None:
    a = random_matrix("circulant", 150, np.float64, "C", np.random.default_rng(144))
    _, info = solve(a, np.ones(150), return_info=True)
    assert info.rcond == pytest.approx(1 / np.linalg.cond(a), rel=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
def test_singular_and_nearly_singular(dtype: str) -> None:
    """An eigenvalue within its rounding of zero is left to LU, which finds the exact zero pivot."""
    n = 128
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(np.ones((n, n), dtype), np.ones(n, dtype))
    column = np.zeros(n, dtype)
    column[0], column[1] = 1, 1  # the eigenvalue of (1, -1, 1, ...) is 0
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(circulant(column), np.ones(n, dtype))
    column[0] += 8 * eps(dtype)
    column[0] -= 7 * eps(dtype)
    with pytest.warns(smartsolve.IllConditionedWarning):
        solve(circulant(column), random_rhs(n, dtype, np.random.default_rng(145)))


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_neither_sums_nor_products_overflow(scale: float) -> None:
    rng = np.random.default_rng(146)
    n = 130
    base = random_matrix("circulant", n, np.float64, "C", rng)
    a = base / 2.0 * scale
    for b_scale in (1.0, scale):
        b = random_rhs(n, np.float64, rng) * b_scale
        expected = solve(base / 2.0, b / scale) if b_scale == scale else None
        with np.errstate(over="ignore"):
            x = solve(a, b)
        if expected is not None:
            assert_same_solution(base, x, expected)
        else:
            assert np.isfinite(x).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_missed_by_one_element(dtype: str) -> None:
    rng = np.random.default_rng(147)
    n = 140
    for i, j in ((0, 0), (n - 1, n - 1), (0, n - 1), (n - 1, 0), (70, 3), (1, 0)):
        for order in "CF":
            a = arranged(random_matrix("circulant", n, dtype, "C", rng), order)
            a[i, j] *= 1 + 2 * eps(dtype)
            assert inspect(a).kind == "general"
    toeplitz = scipy.linalg.toeplitz(
        entries(n, np.dtype(dtype), rng), entries(n, np.dtype(dtype), rng)
    )
    assert inspect(toeplitz).kind == "general"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_not_equal_to_itself_and_inf_falls_to_lu(bad: float) -> None:
    column = np.arange(1.0, 141.0)
    column[17] = bad
    a = circulant(column)
    assert inspect(a).kind == "general"  # what solve does, not what it tries first
    _, info = solve(a, np.ones(140), return_info=True)
    assert info.structure == "general"


def test_symmetric_ones_are_circulant_first_and_periodic_ones_too() -> None:
    n = 200
    periodic = 4 * np.eye(n) + np.roll(np.eye(n), 1, axis=0) + np.roll(np.eye(n), -1, axis=0)
    structure = inspect(periodic)
    assert structure.kind == "circulant"
    assert structure.symmetric
    assert_solves(periodic, solve(periodic, np.ones(n)), np.ones(n))


def test_declared_but_not_circulant_is_solved_as_general() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x, info = solve(a, np.ones(2), assume_a="circulant", return_info=True)
    assert info.structure == "general"
    for n in (1, 2, 3, 5, 16):
        c = random_matrix("circulant", n, np.float64, "C", np.random.default_rng(n))
        x, info = solve(c, np.ones(n), assume_a="circulant", return_info=True)
        assert info.structure == ("circulant" if n > 1 else "diagonal")
        assert_solves(c, x, np.ones(n))


def test_stack() -> None:
    rng = np.random.default_rng(148)
    kinds = ["circulant", "general", "circulant", "sparse"]
    stack = np.array([random_matrix(kind, 150, "complex64", "C", rng) for kind in kinds])
    b = random_rhs((4, 150, 2), "complex64", rng)
    alone = np.array([solve(a, rhs) for a, rhs in zip(stack, b, strict=True)])
    for workers in (1, 2):
        assert np.array_equal(solve(stack, b, workers=workers), alone)
    assert_solves(stack, alone, b)
