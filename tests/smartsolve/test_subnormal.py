"""Matrices so small that the reciprocals of their pivots, which LAPACK multiplies by, overflow."""

import warnings

import numpy as np
import numpy.typing as npt
import pytest

import smartsolve
from smartsolve import IllConditionedWarning


def matrix(kind: str, n: int) -> npt.NDArray[np.float64]:
    a = np.random.default_rng(63).standard_normal((n, n))
    if kind == "positive definite":
        return a @ a.T / n + np.eye(n)
    return np.triu(np.tril(a, 3), -2) if kind == "banded" else a


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("dtype", "scale"), [("f8", 1e-310), ("c16", 1e-310), ("f4", 1e-40)])
@pytest.mark.parametrize(
    ("kind", "n"), [("banded", 60), ("general", 400), ("positive definite", 100)]
)
def test_a_wrong_solution_of_a_subnormal_matrix_warns(
    kind: str, n: int, dtype: str, scale: float, order: str
) -> None:
    a = np.array(matrix(kind, n) * scale, dtype=dtype, order=order)
    b = a @ np.ones(n, dtype)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = smartsolve.solve(a, b)
    with np.errstate(all="ignore"):
        wrong = not np.abs(x - 1).max() < 1e-2
    assert not wrong or any(w.category is IllConditionedWarning for w in caught)


@pytest.mark.parametrize("count", [1, 64])
@pytest.mark.parametrize("n", [10, 12, 24, 100])
@pytest.mark.parametrize(("dtype", "scale"), [("f8", 1e-310), ("c16", 1e-310), ("f4", 1e-40)])
def test_a_well_conditioned_definite_matrix_is_solved_however_small(
    dtype: str, scale: float, n: int, count: int
) -> None:
    a = np.array(matrix("positive definite", n) * scale, dtype)
    x = smartsolve.solve(np.array([a] * count), a @ np.ones((n, 1), dtype))
    tiny = np.finfo(dtype).smallest_subnormal
    assert np.abs(x - 1).max() < 50 * n * tiny / scale
