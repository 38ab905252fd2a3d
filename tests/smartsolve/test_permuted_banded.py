"""Bands whose rows and columns were shuffled alike: their order is found, or they fall on."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import reverse_cuthill_mckee

import smartsolve
from smartsolve import _core, explain, factorize, inspect, solve

from .accuracy import assert_same_solution, assert_solves, eps
from .matrices import (
    DTYPES,
    ORDERS,
    arranged,
    block_core,
    pattern,
    perturbed,
    positive_definite_within,
    random_matrix,
    random_rhs,
    second_difference,
)

Array = np.ndarray
KIND, METHOD = "permuted banded", "permuted banded LU"


def band(n: int, kl: int, ku: int, rng: np.random.Generator, dtype: str = "float64") -> Array:
    scalar = np.dtype(dtype)
    return perturbed(block_core(n, scalar, rng), pattern(n, kl, ku), scalar, rng)


def shuffled(a: Array, rng: np.random.Generator) -> Array:
    order = rng.permutation(len(a))
    return a[np.ix_(order, order)]


def bandwidths_found(a: Array) -> tuple[int, int]:
    """What `inspect` tells, after a look at the matrix in that order."""
    structure = inspect(a)
    assert structure.kind == KIND
    order, found = structure.row_permutation, structure.permuted_bandwidths
    assert order is not None
    assert isinstance(found, tuple)
    inside = pattern(len(a), *found)
    assert not a[np.ix_(order, order)][~inside].any()
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kl", "ku"), [(20, 20), (25, 7), (7, 25), (2, 48), (48, 2), (9, 8)])
def test_a_full_band_is_found_as_it_was(kl: int, ku: int, dtype: str) -> None:
    """Either way round; of the transposed and of the other memory order, too."""
    rng = np.random.default_rng(141)
    a = shuffled(band(257, kl, ku, rng, dtype), rng)
    for matrix in (a, np.asfortranarray(a), a.T):
        assert sorted(bandwidths_found(matrix)) == sorted((kl, ku))
    b = random_rhs((257, 3), dtype, rng)
    for order, transposed in itertools.product("CF", (False, True)):
        x, info = solve(arranged(a, order), b, transposed=transposed, return_info=True)
        assert (info.structure, info.method, info.routine) == (KIND, METHOD, "gbtrf, gbtrs")
        assert_solves(a, x, b, transposed)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    n=st.integers(256, 340),
    part=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    share=st.sampled_from((1.0, 0.8, 0.4)),
    dtype=st.sampled_from(DTYPES),
    order=st.sampled_from(ORDERS),
    nrhs=st.sampled_from((None, 1, 5)),
    transposed=st.booleans(),
    exponent=st.integers(-12, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_error(
    n: int,
    part: tuple[int, int],
    share: float,
    dtype: str,
    order: str,
    nrhs: int | None,
    transposed: bool,
    exponent: int,
    seed: int,
) -> None:
    """With zeros in the band, as well; of what is seen only a full band is sure."""
    rng = np.random.default_rng(seed)
    scalar = np.dtype(dtype)
    kl, ku = n // part[0], n // part[1]
    inside = pattern(n, kl, ku) & (rng.random((n, n)) < share)
    a = shuffled(perturbed(block_core(n, scalar, rng), inside, scalar, rng), rng)
    a = arranged(a * scalar.type(2.0**exponent), order)
    b = random_rhs((n,) if nrhs is None else (n, nrhs), dtype, rng)
    before = a.tobytes(), b.tobytes()
    x, info = solve(a, b, transposed=transposed, return_info=True)
    assert (a.tobytes(), b.tobytes()) == before
    assert_solves(a, x, b, transposed)
    if share == 1.0 and kl + ku > 8 and 4 * (kl + ku) <= n:
        assert info.structure == KIND


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 1.0])
def test_the_order_is_as_good_as_scipys(share: float) -> None:
    """Both are heuristics that differ in where they start: not much wider, then."""
    rng = np.random.default_rng(157)
    for n, width in ((300, 15), (500, 25), (500, 16)):
        inside = pattern(n, width, width) & (rng.random((n, n)) < share) | np.eye(n, dtype=bool)
        a = shuffled(np.where(inside, random_rhs((n, n), "float64", rng), 0), rng)
        theirs = reverse_cuthill_mckee(scipy.sparse.csr_array((a + a.T) != 0), symmetric_mode=True)
        i, j = np.nonzero(a[np.ix_(theirs, theirs)])
        assert max(bandwidths_found(a)) <= 1.25 * abs(i - j).max()


def test_the_same_as_the_band_in_its_own_order() -> None:
    rng = np.random.default_rng(142)
    a = band(300, 14, 22, rng)
    order = rng.permutation(300)
    b = random_rhs(300, "float64", rng)
    x = solve(a[np.ix_(order, order)], b[order])
    assert_same_solution(a, x, solve(a, b)[order])


def test_rows_and_columns_each_in_an_order_of_their_own_are_no_band() -> None:
    rng = np.random.default_rng(143)
    a = band(256, 20, 20, rng)
    moved = a[np.ix_(rng.permutation(256), rng.permutation(256))]
    assert inspect(moved).kind == "general"
    b = random_rhs(256, "float64", rng)
    assert_solves(moved, solve(moved, b), b)


@pytest.mark.parametrize(("width", "kind"), [(10, "sparse"), (20, "general")])
def test_one_element_far_from_the_band_doubles_its_width(width: int, kind: str) -> None:
    """And leaves half of it empty: the sparse LU is cheaper, or the dense one."""
    rng = np.random.default_rng(144)
    a = band(256, width, width, rng)
    assert inspect(shuffled(a, rng)).kind == KIND
    a[0, 255] = 0.125
    a = shuffled(a, rng)
    assert inspect(a).kind == kind
    b = random_rhs(256, "float64", rng)
    assert_solves(a, solve(a, b), b)


def test_a_band_around_the_end_is_folded() -> None:
    """Periodic: of twice the width in the best order, and of four times at most in that of levels,
    each of which has its nodes on both sides."""
    rng = np.random.default_rng(156)
    n, width = 256, 7
    i, j = np.indices((n, n))
    inside = np.minimum((i - j) % n, (j - i) % n) <= width
    a = shuffled(perturbed(block_core(n, np.dtype(float), rng), inside, np.dtype(float), rng), rng)
    assert max(bandwidths_found(a)) < 4 * width
    b = random_rhs(n, "float64", rng)
    assert_solves(a, solve(a, b), b)


def test_a_full_row_or_column_is_the_end_of_it() -> None:
    rng = np.random.default_rng(145)
    for line in (np.s_[100], np.s_[:, 100]):
        a = band(256, 20, 20, rng)
        a[line] = 0.125
        assert inspect(shuffled(a, rng)).kind == "general"


def test_the_cheapest_of_band_blocks_and_sparse_is_taken() -> None:
    rng = np.random.default_rng(146)
    n = 400
    several = np.zeros((n, n))
    for start in range(0, n, 200):  # two bands: cheaper than two blocks
        several[start : start + 200, start : start + 200] = band(200, 10, 10, rng)
    assert sorted(bandwidths_found(shuffled(several, rng))) == [10, 10]
    blocks = np.kron(np.eye(10), np.ones((40, 40))) * random_rhs((n, n), "float64", rng)
    assert inspect(shuffled(blocks, rng)).kind == "block diagonal"
    second = second_difference(20)
    grid = np.kron(second, np.eye(20)) + np.kron(np.eye(20), second)  # diagonal by diagonal
    assert bandwidths_found(shuffled(grid, rng)) == (20, 20)
    ring = second_difference(n)  # and far connections: no narrow band, and little fill
    ring[rng.integers(n, size=40), rng.integers(n, size=40)] = 1
    assert inspect(shuffled(ring, rng)).kind == "sparse"
    first_alone = band(n, 20, 20, rng)  # a block of its own, which does not pay
    first_alone[0, 1:] = 0
    bandwidths_found(shuffled(first_alone, rng))


def test_too_small_and_too_wide() -> None:
    rng = np.random.default_rng(147)
    least = _core.crossovers()["permuted_band_from"]
    for n, width, kind in (
        (least - 1, least // 12, "general"),
        (least, least // 12, KIND),
        (400, 50, KIND),
        (400, 51, "general"),
    ):
        a = shuffled(band(n, width, width, rng), rng)
        assert inspect(a).kind == kind
        b = random_rhs(n, "float64", rng)
        assert_solves(a, solve(a, b), b)
    x, info = solve(a, b, assume_a=KIND, return_info=True)  # declared, any band will do
    assert info.structure == KIND
    assert_solves(a, x, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kept_factors(dtype: str) -> None:
    """Solutions, determinant, inverse and pickle; the sign is that of the band."""
    rng = np.random.default_rng(148)
    for n in (260, 261):
        a = band(n, 12, 9, rng, dtype)
        moved = shuffled(a, rng)
        f = factorize(moved)
        assert (f.structure, f.method) == (KIND, METHOD)
        in_place = factorize(a)
        bound = 16 * n**2 * eps(dtype)
        assert abs(f.slogdet()[0] - in_place.slogdet()[0]) <= bound
        assert abs(f.slogdet()[1] - in_place.slogdet()[1]) <= bound
        b = random_rhs((n, 2), dtype, rng)
        assert_same_solution(moved, f.inv() @ b, f.solve(b))
        again = pickle.loads(pickle.dumps(f))
        assert again.structure == KIND
        assert np.array_equal(again.solve(b), f.solve(b))
        assert_solves(moved.conj(), f.solve(b, transposed=True, conjugate=True), b, True)


def test_overwriting() -> None:
    rng = np.random.default_rng(149)
    a = shuffled(band(260, 10, 10, rng), rng)
    b = random_rhs((260, 3), "float64", rng)
    target = np.asfortranarray(b)
    x = solve(a.copy(), target, overwrite_a=True, overwrite_b=True)
    assert x is target
    assert_solves(a, x, b)


def test_stacks_and_workers() -> None:
    rng = np.random.default_rng(150)
    kinds = [KIND, "general", "sparse", KIND, "banded", "block triangular"]
    stack = np.array([random_matrix(kind, 262, "float64", "C", rng) for kind in kinds])
    structure = inspect(stack)
    assert structure.kind.tolist() == kinds
    assert structure.permuted_bandwidths.shape == (6, 2)
    assert np.array_equal((structure.permuted_bandwidths >= 0).all(-1), structure.kind == KIND)
    b = random_rhs((6, 262, 2), "float64", rng)
    alone = np.array([solve(a, rhs) for a, rhs in zip(stack, b, strict=True)])
    for workers in (1, 2):
        assert np.array_equal(solve(stack, b, workers=workers), alone)
    assert_solves(stack, alone, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_positive_definite_bands_take_the_same_way(dtype: str) -> None:
    rng = np.random.default_rng(151)
    a = shuffled(positive_definite_within(pattern(260, 11, 11), np.dtype(dtype), rng), rng)
    structure = inspect(a)
    assert (structure.kind, structure.hermitian) == (KIND, True)
    b = random_rhs(260, dtype, rng)
    assert_solves(a, solve(a, b), b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_singular(dtype: str, order: str) -> None:
    """A line of zeros is named by its own index; two rows with one column between them are not."""
    rng = np.random.default_rng(152)
    a = shuffled(band(260, 10, 10, rng, dtype), rng)
    a[(17, slice(None)) if order == "C" else (slice(None), 17)] = 0
    with pytest.raises(np.linalg.LinAlgError, match=f"^Singular matrix.* pivot 17 of the {METHOD}"):
        solve(arranged(a, order), np.ones(260, dtype))
    a = band(260, 10, 10, rng, dtype)
    a[101:103] = 0
    a[101:103, 101] = 1
    a = arranged(shuffled(a, rng), order)
    assert inspect(a).kind == KIND
    with pytest.raises(np.linalg.LinAlgError, match=f"^Singular matrix.* of the {METHOD}"):
        solve(a, np.ones(260, dtype))
    x = solve(np.array([a, np.eye(260)]), np.ones(260, dtype), on_singular="nan")
    assert np.isnan(x[0]).all()
    assert np.array_equal(x[1], np.ones(260))


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_ill_conditioned_is_told(dtype: str) -> None:
    rng = np.random.default_rng(153)
    a = shuffled(band(260, 10, 10, rng, dtype), rng)
    _, info = solve(a, np.ones(260), return_info=True)
    exact = 1 / (np.linalg.norm(a, 1) * np.linalg.norm(np.linalg.inv(a), 1))
    assert exact / 2 <= info.rcond <= 3 * exact
    a[:, 7] *= 1e-20
    with pytest.warns(smartsolve.IllConditionedWarning, match=METHOD):
        solve(a, np.ones(260))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_travel_into_the_solution(bad: float) -> None:
    rng = np.random.default_rng(154)
    for order in "CF":
        a = shuffled(band(260, 10, 10, rng), rng)
        i, j = np.argwhere(a)[1000]
        a[i, j] = bad
        x, info = solve(arranged(a, order), np.ones(260), return_info=True)
        assert info.structure == KIND
        assert np.isnan(x).any() or bad == np.inf
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            solve(a, np.ones(260), check_finite=True)


def test_explained() -> None:
    rng = np.random.default_rng(155)
    a = shuffled(band(256, 20, 18, rng), rng)
    plan = explain(a)
    (part,) = plan.parts
    kl, ku = bandwidths_found(a)
    assert (plan.structure, plan.method) == (KIND, METHOD)
    lower = min(kl, ku)
    assert part.flops == 2 * 256 * (lower * (kl + ku + 1) + lower + kl + ku + 1)
    assert f"in that order kl = {kl} and ku = {ku}" in part.crossovers[0]
    assert part.not_taken["sparse"].endswith(f"makes it cheaper than {KIND}")
    disproof = explain(a[np.ix_(rng.permutation(256), np.arange(256))]).parts[0].not_taken[KIND]
    assert disproof.endswith("no order of rows and columns makes it pay")
    least = _core.crossovers()["permuted_band_from"]
    small = explain(second_difference(least - 1) + np.ones((least - 1, least - 1)))
    assert small.parts[0].not_taken[KIND] == f"the order is below {least}"
