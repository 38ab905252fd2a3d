"""Mostly zero matrices in dense storage: order of elimination, pivots, fill, what falls back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

import smartsolve
from smartsolve import inspect, solve

from .accuracy import FACTOR, assert_same_solution, assert_solves, backward_error, eps
from .matrices import DTYPES, arranged, random_matrix, random_rhs, second_difference

Array = np.ndarray


def shuffled(a: Array, rng: np.random.Generator) -> Array:
    return a[np.ix_(rng.permutation(len(a)), rng.permutation(len(a)))]


def grid(k: int, dtype: str, rng: np.random.Generator) -> Array:
    """Five points on a k x k grid, values drawn: LU needs row exchanges."""
    d = second_difference(k)
    laplacian = np.kron(d, np.eye(k)) + np.kron(np.eye(k), d)
    return np.where(laplacian != 0, random_rhs(laplacian.shape, dtype, rng), 0).astype(dtype)


def arrowhead(n: int, dtype: str, rng: np.random.Generator) -> Array:
    a = np.diag(2 * random_rhs(n, dtype, rng))
    a[0, 1:], a[1:, 0] = random_rhs((2, n - 1), dtype, rng) / n
    return a


@pytest.mark.parametrize("dtype", DTYPES)
def test_grids_and_arrowheads(dtype: str) -> None:
    rng = np.random.default_rng(121)
    for make, order, transposed in itertools.product(
        (lambda: grid(17, dtype, rng), lambda: arrowhead(200, dtype, rng)), "CF", (False, True)
    ):
        a = arranged(shuffled(make(), rng), order)
        n = len(a)
        assert inspect(a).kind == "sparse"
        for nrhs in (None, 8):
            b = random_rhs((n,) if nrhs is None else (n, nrhs), dtype, rng)
            x, info = solve(a, b, transposed=transposed, return_info=True)
            assert (info.structure, info.method) == ("sparse", "sparse LU")
            assert backward_error(a, x, b, transposed) <= FACTOR * n * eps(dtype)


def test_as_good_as_superlu_and_as_the_dense_lu() -> None:
    rng = np.random.default_rng(122)
    for k in (16, 20, 24):
        a, b = shuffled(grid(k, "float64", rng), rng), random_rhs(k * k, "float64", rng)
        x = solve(a, b)
        theirs = scipy.sparse.linalg.spsolve(scipy.sparse.csc_array(a), b)
        for other in (theirs, solve(a, b, assume_a="general")):
            assert_same_solution(a, x, other)


def test_pivots_are_sought_in_the_whole_column() -> None:
    """Tiny diagonal elements must not become pivots, whatever the order of the columns."""
    rng = np.random.default_rng(123)
    n = 256
    ring = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), 5, axis=1)
    for tiny in (1e-20, 1e-300):
        a = ring * random_rhs((n, n), "float64", rng) + tiny * np.eye(n)
        b = random_rhs(n, "float64", rng)
        for order in "CF":
            x, info = solve(arranged(a, order), b, return_info=True)
            assert info.structure == "sparse"
            assert_solves(a, x, b)


def test_the_predicted_work_is_an_upper_bound_and_decides() -> None:
    """Random elements, a few in each row, fill the factors: no longer sparse."""
    rng = np.random.default_rng(124)
    n = 300
    for per_row, kind in ((1, "sparse"), (6, "general")):
        a = 3 * np.eye(n)[rng.permutation(n)]
        a[np.arange(n), (np.arange(n) + 1) % n] += 1.0
        extra = rng.integers(n, size=(2, (per_row - 1) * n))
        a[extra[0], extra[1]] += 1.0
        structure = inspect(a)
        assert structure.kind == kind
        if kind == "sparse":
            factors = scipy.sparse.linalg.splu(scipy.sparse.csc_array(a))
            assert structure.factor_flops >= factors.L.nnz - n


def test_dense_blocks_in_a_mostly_zero_matrix_stay_blocks() -> None:
    rng = np.random.default_rng(125)
    blocks = [random_matrix("general", 40, "float64", "C", rng) for _ in range(10)]
    a = np.zeros((400, 400))
    for k, block in enumerate(blocks):
        a[40 * k : 40 * k + 40, 40 * k : 40 * k + 40] = block
    assert inspect(shuffled(a, rng)).kind == "block diagonal"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_singular(dtype: str, order: str) -> None:
    """Exactly: two equal rows of integers. Structurally: no pivots, in whatever order."""
    rng = np.random.default_rng(126)
    a = np.round(4 * random_matrix("sparse", 130, dtype, "C", rng).real).astype(dtype)
    a[40] = a[41]
    a[:, 40] = a[:, 41]
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(arranged(a, order), np.ones(130, dtype))
    a = random_matrix("sparse", 130, dtype, "C", rng)
    a[5] = 0
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(arranged(a, order), np.ones(130, dtype))
    x = solve(np.array([a, np.eye(130)]), np.ones(130, dtype), on_singular="nan")
    assert np.isnan(x[0]).all()
    assert np.array_equal(x[1], np.ones(130))


def test_ill_conditioned_is_told() -> None:
    rng = np.random.default_rng(127)
    a = shuffled(grid(16, "float64", rng), rng)
    _, info = solve(a, np.ones(256), return_info=True)
    exact = 1 / (np.linalg.norm(a, 1) * np.linalg.norm(np.linalg.inv(a), 1))
    assert exact / 2 <= info.rcond <= 3 * exact
    a[:, 7] *= 1e-20
    with pytest.warns(smartsolve.IllConditionedWarning, match="sparse LU"):
        solve(a, np.ones(256))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_fall_to_the_dense_lu(bad: float) -> None:
    """No pivot is chosen among NaNs; the dense LU lets them travel into x."""
    a = random_matrix("sparse", 200, "float64", "C", np.random.default_rng(128))
    row, column = np.argwhere(a)[100]
    a[row, column] = bad
    x, info = solve(a, np.ones(200), return_info=True)
    assert info.structure == "general"
    assert np.isnan(x).any() or bad == np.inf


def test_stacks_and_workers() -> None:
    rng = np.random.default_rng(129)
    kinds = ["sparse", "general", "sparse", "block triangular", "diagonal", "sparse"]
    stack = np.array([random_matrix(kind, 150, "float64", "C", rng) for kind in kinds])
    assert inspect(stack).kind.tolist() == kinds
    b = random_rhs((len(kinds), 150, 3), "float64", rng)
    alone = np.array([solve(a, rhs) for a, rhs in zip(stack, b, strict=True)])
    for workers in (1, 2):
        assert np.array_equal(solve(stack, b, workers=workers), alone)
    assert_solves(stack, alone, b)
