"""Block diagonal and block triangular matrices: shapes of blocks, hard blocks, singular blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import smartsolve
from smartsolve import inspect, solve

from .accuracy import FACTOR, assert_same_solution, assert_solves, backward_error, eps
from .matrices import DTYPES, arranged, graded, hilbert, random_matrix, random_rhs

N = 160


def assemble(
    blocks: list[np.ndarray], rng: np.random.Generator, coupled: bool = True, shuffled: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A block lower triangle, and the rows and columns into which its own were moved."""
    n = sum(map(len, blocks))
    dtype = blocks[0].dtype
    a = np.zeros((n, n), dtype)
    start = 0
    for block in blocks:
        end = start + len(block)
        if coupled:
            a[start:end, :start] = random_rhs((end - start, start), dtype, rng) / n
        a[start:end, start:end] = block
        start = end
    rows, columns = (rng.permutation(n) if shuffled else np.arange(n) for _ in range(2))
    moved = np.empty_like(a)
    moved[np.ix_(rows, columns)] = a
    return moved, rows, columns


def well_conditioned(
    sizes: list[int], rng: np.random.Generator, dtype: str = "float64"
) -> list[np.ndarray]:
    return [random_matrix("general", size, dtype, "C", rng) for size in sizes]


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize(
    "sizes",
    [
        [80, 80],
        [1] * 80 + [80],
        [80] + [1] * 80,
        [40, 1, 1, 70, 1, 47],
        [100] + [2] * 30,
        [50, *[3, 5, 7, 7] * 5],
    ],
    ids=lambda sizes: f"{sizes[0]}-{sizes[-1]}",
)
def test_blocks_of_any_shape(sizes: list[int], coupled: bool, shuffled: bool) -> None:
    rng = np.random.default_rng(101)
    for dtype, order in zip(DTYPES, "CFFC", strict=True):
        blocks = well_conditioned(sizes, rng, dtype)
        a = arranged(assemble(blocks, rng, coupled, shuffled)[0], order)
        structure = inspect(a)
        assert structure.kind == ("block triangular" if coupled else "block diagonal")
        found = structure.block_sizes
        assert found is not None
        assert sorted(found.tolist()) == sorted(sizes)
        for nrhs, transposed in itertools.product((None, 8), (False, True)):
            b = random_rhs((N,) if nrhs is None else (N, nrhs), dtype, rng)
            x, info = solve(a, b, transposed=transposed, return_info=True)
            assert info.method == "LU of blocks"
            assert_solves(a, x, b, transposed)
            generic = solve(a, b, assume_a="general", transposed=transposed)
            assert_same_solution(a.T if transposed else a, x, generic)


def test_one_large_block_does_not_pay() -> None:
    rng = np.random.default_rng(102)
    for sizes in ([N - 20] + [1] * 20, [120, 40], [N]):
        a = assemble(well_conditioned(sizes, rng), rng)[0]
        assert inspect(a).kind == "general"
        _, info = solve(a, np.ones(N), assume_a="block triangular", return_info=True)
        assert info.structure == ("block triangular" if len(sizes) > 1 else "general")


def test_declared_blocks_are_searched_for_at_every_order() -> None:
    rng = np.random.default_rng(103)
    for sizes in ([1, 1], [2, 1], [2, 3, 1], [4, 4, 7]):
        a, b = assemble(well_conditioned(sizes, rng), rng)[0], np.ones(sum(sizes))
        x, info = solve(a, b, assume_a="block triangular", return_info=True)
        assert info.method == "LU of blocks"
        assert_solves(a, x, b)
    whole = [[1.0, 2.0], [3.0, 4.0]]
    x, info = solve(whole, [1.0, 1.0], assume_a="block diagonal", return_info=True)
    assert info.structure == "general"


@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_blocks_are_solved_as_well_as_by_the_generic_lu(dtype: str) -> None:
    """Graded and nearly singular blocks, large ones beside tiny ones: pivots are sought inside a
    block alone, and the backward error stays below the generic bound."""
    rng = np.random.default_rng(104)
    tiny, order_of_hilbert = (1e-3, 4) if np.finfo(dtype).bits == 32 else (1e-12, 8)
    hard = [hilbert(order_of_hilbert), tiny * hilbert(5), np.array([[tiny, 1.0], [1.0, 1.0]])]
    hard += [graded(9, order_of_hilbert / 2)]
    hard += [np.array([[0.0, 1.0], [tiny, 1.0]]), np.array([[tiny]]), np.eye(3) + 1 / tiny]
    for coupled, order, transposed in itertools.product((False, True), "CF", (False, True)):
        blocks = [h.astype(dtype) for h in hard]
        blocks += well_conditioned([N - sum(map(len, blocks)) - 60, 60], rng, dtype)
        a = arranged(assemble(blocks, rng, coupled)[0], order)
        b = random_rhs((N, 2), dtype, rng)
        with smartsolve.errstate(ill_conditioned="ignore"):
            x, info = solve(a, b, transposed=transposed, return_info=True)
        assert info.method == "LU of blocks"
        assert backward_error(a, x, b, transposed) <= FACTOR * N * eps(dtype)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("coupled", [False, True])
def test_singular_block_names_the_pivot_in_the_matrix(coupled: bool, order: str) -> None:
    """LU takes the lines of memory one after the other; the pivot is the line that it stops at."""
    rng = np.random.default_rng(105)
    blocks = well_conditioned([70, 1, 60, 29], rng)
    blocks[2] = np.ones((60, 60))  # rows and columns 58 and 59 are equal, whatever the rounding
    blocks[2][:58, :58] += 4 * np.eye(58)
    a, rows, columns = assemble(blocks, rng, coupled)
    lines = (rows if order == "C" else columns)[71:131]
    with pytest.raises(np.linalg.LinAlgError, match="LU of blocks") as raised:
        solve(arranged(a, order), np.ones(N))
    pivot = int(str(raised.value).split("pivot ")[1].split()[0])
    assert pivot in lines
    x = solve(np.array([a, np.eye(N)]), np.ones(N), on_singular="nan")
    assert np.isnan(x[0]).all()
    assert np.array_equal(x[1], np.ones(N))


def test_nearly_singular_block_is_told() -> None:
    rng = np.random.default_rng(106)
    for coupled, order in itertools.product((False, True), "CF"):
        blocks = [*well_conditioned([70, 78], rng), hilbert(12)]
        a = arranged(assemble(blocks, rng, coupled)[0], order)
        with pytest.warns(smartsolve.IllConditionedWarning, match="LU of blocks"):
            solve(a, np.ones(N))
    a = assemble(well_conditioned([80, 80], rng), rng)[0]
    _, info = solve(a, np.ones(N), return_info=True)
    exact = 1 / (np.linalg.norm(a, 1) * np.linalg.norm(np.linalg.inv(a), 1))
    assert exact / 2 <= info.rcond <= 3 * exact


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_stay_where_they_lead(bad: float) -> None:
    """A NaN in a block reaches what depends on it, as in a triangle; nothing raises."""
    rng = np.random.default_rng(107)
    for order in "CF":
        blocks = well_conditioned([60, 50, 50], rng)
        blocks[1][3, 4] = bad
        a, _, columns = assemble(blocks, rng, coupled=False)
        x = solve(arranged(a, order), np.ones(N))
        assert np.isfinite(x[columns[:60]]).all()
        assert np.isfinite(x[columns[110:]]).all()
        assert np.isnan(x[columns[60:110]]).any() or bad == np.inf
        coupled, _, columns = assemble(blocks, rng, coupled=True)
        x = solve(arranged(coupled, order), np.ones(N))
        assert np.isfinite(x[columns[:60]]).all()
        assert bad == np.inf or np.isnan(x[columns[110:]]).all()


def test_structurally_singular_matrix_falls_to_general() -> None:
    """Three rows with two columns between them: no permutation fills the diagonal."""
    a = random_matrix("block diagonal", N, np.float64, "C", np.random.default_rng(108))
    a[:3] = 0
    a[:3, :2] = [[1, 2], [3, 4], [5, 6]]
    assert inspect(a).kind == "general"


def test_stack_of_different_structures() -> None:
    rng = np.random.default_rng(109)
    kinds = ["block triangular", "general", "block diagonal", "diagonal", "positive definite"]
    stack = np.array([random_matrix(kind, N, np.float64, "C", rng) for kind in kinds])
    assert inspect(stack).kind.tolist() == kinds
    b = random_rhs((len(kinds), N, 2), np.float64, rng)
    alone = np.array([solve(a, rhs) for a, rhs in zip(stack, b, strict=True)])
    for workers in (1, 2):
        assert np.array_equal(solve(stack, b, workers=workers), alone)
    assert_solves(stack, alone, b)


def test_transposition_and_order_of_memory_do_not_change_what_is_seen() -> None:
    rng = np.random.default_rng(110)
    for kind in ("block diagonal", "block triangular"):
        a = random_matrix(kind, N, np.float64, "C", rng)
        sizes = [inspect(m).block_sizes for m in (a, a.T, np.asfortranarray(a))]
        assert all(s is not None and np.array_equal(np.sort(s), np.sort(sizes[0])) for s in sizes)
