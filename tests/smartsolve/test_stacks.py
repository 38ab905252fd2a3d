"""Stacks of small systems, one in each lane of a register: `lanes/systems.hpp`, `stack.hpp`.

The scalar twin of the lanes is the single call. Both are backward stable, so the lanes are held to
the single call's bounds; where the lanes must not matter (neighbours, position, strides, workers)
results are compared bit for bit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import _core

from .accuracy import assert_same_solution, assert_solves, eps
from .matrices import DTYPES, KINDS, Array, dtypes_of, random_matrix, random_rhs, random_stack

# Below, at and above every change of method: unrolled orders, loops, slice by slice.
ORDERS_TO_TRY = (1, 2, 3, 4, 5, 8, 9, 12, 17, 32, 33, 46, 56, 77)

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def mixed_stack(count: int, n: int, dtype: str, rng: np.random.Generator) -> Array:
    kinds = [kind for kind in KINDS if np.dtype(dtype) in dtypes_of(kind)]
    chosen = rng.choice(len(kinds), size=count)
    matrices = [random_matrix(kinds[i], n, dtype, "C", rng) for i in chosen]
    return np.array(matrices, dtype).reshape(count, n, n)


def bits(x: Array) -> bytes:
    return np.ascontiguousarray(x).tobytes()


@every_dtype
@given(seed=st.integers(0, 2**32 - 1), n=st.sampled_from(ORDERS_TO_TRY), count=st.integers(2, 70))
@settings(max_examples=25, deadline=None)
def test_a_mixed_stack_is_solved_as_its_slices_alone(
    dtype: str, seed: int, n: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    a = mixed_stack(count, n, dtype, rng)
    for nrhs in (1, int(rng.integers(2, 20))):
        b = random_rhs((count, n, nrhs), dtype, rng)
        before = bits(a), bits(b)
        x = smartsolve.solve(a, b)
        assert (bits(a), bits(b)) == before
        assert_solves(a, x, b)
        alone = np.array([smartsolve.solve(ai, bi) for ai, bi in zip(a, b, strict=True)])
        assert_same_solution(a, x, alone)


@every_dtype
@pytest.mark.parametrize("kind", ["general", "positive definite", "tridiagonal", "diagonal"])
@pytest.mark.parametrize("n", [2, 4, 8, 9, 16])
def test_a_slice_knows_nothing_of_its_position_or_the_length_of_the_stack(
    n: int, kind: str, dtype: str
) -> None:
    rng = np.random.default_rng(7)
    a, b = random_stack(kind, 90, n, dtype, rng), random_rhs((90, n, 1), dtype, rng)
    x = smartsolve.solve(a, b)
    order = rng.permutation(90)
    assert bits(smartsolve.solve(a[order], b[order])) == bits(x[order])
    for length in (16, 17, 31, 33, 64, 65):
        assert bits(smartsolve.solve(a[:length], b[:length])) == bits(x[:length])


def bad_slices(n: int, dtype: str, rng: np.random.Generator) -> dict[str, Array]:
    """Matrices that no lane may finish, or that test the range of the numbers."""
    good = random_matrix("general", n, dtype, "C", rng)
    tiny = np.finfo(np.dtype(dtype)).tiny
    singular = good.copy()
    singular[-1] = singular[0]
    ill = good.copy()
    # rcond is at most the distance to a singular matrix over the norm: here a quarter of eps. The
    # factor is a power of two, so that no rounding decides whether a pivot is zero.
    ill[-1] *= eps(dtype) / 4
    indefinite = -np.abs(np.real(good + good.T)).astype(dtype)
    np.fill_diagonal(indefinite, 1)
    infinite, nan = good.copy(), good.copy()
    infinite[0, n - 1] = np.inf
    nan[n - 1, 0] = np.nan
    return {
        "zero": np.zeros_like(good),
        "singular": singular,
        "ill-conditioned": ill,
        "indefinite, with a positive diagonal": indefinite,
        "Inf": infinite,
        "NaN": nan,
        "subnormal": good * (tiny / 4),
        "huge": good / np.abs(good).max() * (np.finfo(np.dtype(dtype)).max / 8),
    }


@every_dtype
@pytest.mark.parametrize("n", [2, 3, 4, 6, 9, 16])
def test_bad_slices_do_not_disturb_their_neighbours(n: int, dtype: str) -> None:
    rng = np.random.default_rng([8, n])
    a, b = mixed_stack(61, n, dtype, rng), random_rhs((61, n, 2), dtype, rng)
    undisturbed = smartsolve.solve(a, b)
    for matrix in bad_slices(n, dtype, rng).values():
        at = np.sort(rng.choice(62, size=rng.integers(1, 9)))
        more = np.insert(a, at, matrix, axis=0)
        rhs = np.insert(b, at, 1.0, axis=0)
        good = np.ones(len(more), bool)
        good[at + np.arange(len(at))] = False
        with (
            smartsolve.errstate(ill_conditioned="ignore", singular="nan"),
            np.errstate(all="ignore"),
        ):
            x = smartsolve.solve(more, rhs)
            alone = smartsolve.solve(matrix, np.ones((n, 2), dtype))
        assert bits(x[good]) == bits(undisturbed)
        for found in x[~good]:
            assert np.array_equal(np.isfinite(found), np.isfinite(alone))
            if np.isfinite(alone).all() and np.isfinite(matrix).all():
                scale = np.abs(alone).max()
                condition = np.linalg.cond((matrix / np.abs(matrix).max()).astype(complex))
                assert np.abs(found - alone).max() <= 16 * n * eps(dtype) * condition * scale


@every_dtype
@pytest.mark.parametrize("n", [2, 4, 6, 12])
def test_the_verdicts_on_slices_are_those_of_single_calls(n: int, dtype: str) -> None:
    rng = np.random.default_rng([9, n])
    a, b = mixed_stack(40, n, dtype, rng), np.ones((40, n, 1), dtype)
    bad = bad_slices(n, dtype, rng)
    with pytest.raises(np.linalg.LinAlgError) as alone:
        smartsolve.solve(bad["zero"], b[0])
    a[[13, 29]] = bad["zero"]
    with pytest.raises(np.linalg.LinAlgError) as stacked:
        smartsolve.solve(a, b)
    place = "slice 13 (the first of 2 among 40)"
    assert str(stacked.value) == str(alone.value).replace(": ", f": {place}: ", 1)

    a[[13, 29]] = bad["ill-conditioned"]
    with pytest.warns(smartsolve.IllConditionedWarning) as warned:
        smartsolve.solve(bad["ill-conditioned"], b[0])
    with pytest.warns(smartsolve.IllConditionedWarning) as of_stack:
        smartsolve.solve(a, b)
    rcond = str(warned[0].message).partition("rcond = ")[2]
    assert str(of_stack[0].message) == f"Ill-conditioned matrix: {place}: worst rcond = {rcond}"


@every_dtype
@pytest.mark.parametrize("n", [2, 3, 5, 9, 16])
def test_workers_do_not_change_a_bit(n: int, dtype: str) -> None:
    rng = np.random.default_rng([10, n])
    count = 3 * (1 << 17) // (n * n) + 5  # enough for three threads
    a = mixed_stack(64, n, dtype, rng)[rng.integers(64, size=count)]
    b = random_rhs((count, n, 1), dtype, rng)
    x = smartsolve.solve(a, b)
    for workers in (2, 3, 7, -1):
        assert bits(smartsolve.solve(a, b, workers=workers)) == bits(x)


@every_dtype
@pytest.mark.parametrize("nrhs", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11])
def test_layouts_do_not_change_a_bit(n: int, nrhs: int, dtype: str) -> None:
    """Fortran order, negative, odd and zero strides, sub-blocks of larger matrices."""
    rng = np.random.default_rng([11, n])
    a, b = mixed_stack(45, n, dtype, rng), random_rhs((45, n, nrhs), dtype, rng)
    x = smartsolve.solve(a, b)
    inside = np.full((45, n + 3, n + 2), np.nan, dtype)
    inside[:, 1 : n + 1, 2:] = a
    odd = np.full((90, 3 * n, 2 * n), np.nan, dtype)[::-2, ::3, ::-2]
    odd[...] = a
    for layout in (np.swapaxes(np.swapaxes(a, 1, 2).copy(), 1, 2), inside[:, 1 : n + 1, 2:], odd):
        assert bits(smartsolve.solve(layout, b)) == bits(x)
        assert bits(smartsolve.solve(layout[::-1], b[::-1])) == bits(x[::-1])
    b_odd = np.full((45, 2 * n, 3 * nrhs), np.nan, dtype)[:, ::-2, ::3]
    b_odd[...] = b
    assert bits(smartsolve.solve(a, b_odd)) == bits(x)
    same = np.broadcast_to(b[0], b.shape)
    assert bits(smartsolve.solve(a, same)) == bits(smartsolve.solve(a, same.copy()))
    turned = smartsolve.solve(np.swapaxes(a, 1, 2), b, transposed=True)
    assert bits(turned) == bits(x)


@every_dtype
@pytest.mark.parametrize("triangular", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 10, 17])
def test_layouts_of_right_hand_sides_do_not_change_a_bit(
    n: int, triangular: bool, dtype: str
) -> None:
    rng = np.random.default_rng([12, n])
    a = random_rhs((n, n), dtype, rng) + 2 * n * np.eye(n, dtype=dtype)
    if triangular:
        a = np.tril(a)
    for nrhs in (2, 3, 4, 8, 13):
        b = random_rhs((n, nrhs), dtype, rng)
        wider = np.full((n, nrhs + 3), np.nan, dtype)
        wider[:, 1:-2] = b
        x = smartsolve.solve(a, b)
        for layout in (np.asfortranarray(b), wider[:, 1:-2], np.repeat(b, 2, axis=1)[:, ::2]):
            assert bits(smartsolve.solve(a, layout)) == bits(x)


@every_dtype
@pytest.mark.parametrize("n", [2, 4, 6, 12])
def test_axes_are_broadcast_and_may_lie_in_any_order(n: int, dtype: str) -> None:
    rng = np.random.default_rng([12, n])
    a, b = mixed_stack(60, n, dtype, rng), random_rhs((60, n, 1), dtype, rng)
    x = smartsolve.solve(a, b)
    grid, rhs = a.reshape(3, 4, 5, n, n), b.reshape(3, 4, 5, n, 1)
    assert bits(smartsolve.solve(grid, rhs)) == bits(x)
    axes = (2, 0, 1, 3, 4)
    turned = smartsolve.solve(grid.transpose(axes), rhs.transpose(axes))
    assert bits(turned) == bits(x.reshape(rhs.shape).transpose(axes))
    # One right-hand side of each plane for all of its matrices, and the other way round.
    one_b = smartsolve.solve(grid, rhs[:, :1])
    assert_solves(grid, one_b, np.broadcast_to(rhs[:, :1], rhs.shape))
    some_a = smartsolve.solve(grid[:, :, :1], rhs)
    assert_solves(np.broadcast_to(grid[:, :, :1], grid.shape), some_a, rhs)
    vector = rhs[0, 0, 0, :, 0]
    of_vector = smartsolve.solve(grid, vector)
    assert of_vector.shape == (3, 4, 5, n)
    assert_solves(grid, of_vector[..., None], np.broadcast_to(vector[:, None], rhs.shape))


@pytest.mark.parametrize("n", [5, 9, 12, 16])
@every_dtype
def test_a_cholesky_that_fails_in_one_lane_goes_on_as_lu_there(n: int, dtype: str) -> None:
    """|a_ij|^2 <= a_ii a_jj lets an indefinite matrix pass for a candidate."""
    rng = np.random.default_rng([13, n])
    a = random_stack("positive definite", 40, n, dtype, rng)
    indefinite = np.full((n, n), -0.9, dtype)
    np.fill_diagonal(indefinite, 1)
    b = random_rhs((40, n, 2), dtype, rng)
    x = smartsolve.solve(a, b)
    mixed = a.copy()
    mixed[[3, 4, 22]] = indefinite
    solved = smartsolve.solve(mixed, b)
    assert_solves(mixed, solved, b)
    healthy = np.setdiff1d(np.arange(40), [3, 4, 22])
    assert bits(solved[healthy]) == bits(x[healthy])


@every_dtype
@pytest.mark.parametrize("n", [2, 5, 16])
def test_details_are_of_the_solution_that_is_returned(n: int, dtype: str) -> None:
    rng = np.random.default_rng([14, n])
    a, b = mixed_stack(40, n, dtype, rng), random_rhs((40, n, 1), dtype, rng)
    x, info = smartsolve.solve(a, b, return_info=True)
    assert bits(x) == bits(smartsolve.solve(a, b))
    assert info.structure.tolist() == smartsolve.inspect(a).kind.tolist()
    residual = np.abs(b - a @ x).max(axis=(1, 2))
    scale = np.abs(a).sum(axis=2).max(axis=1) * np.abs(x).max(axis=(1, 2))
    scale += np.abs(b).max(axis=(1, 2))
    # Each is computed with a rounding error of some n eps of the scale.
    assert np.abs(info.backward_error - residual / scale).max() <= 4 * n * eps(dtype)


def test_declared_general_is_not_looked_at() -> None:
    rng = np.random.default_rng(15)
    for n in (2, 6, 12):
        a, b = mixed_stack(30, n, "float64", rng), random_rhs((30, n, 1), "float64", rng)
        assert_solves(a, smartsolve.solve(a, b, assume_a="general"), b)


CHECK_BITS = """
import sys
import numpy as np
import smartsolve
given = np.load(sys.argv[1])
for name in given.files:
    if name.startswith("a "):
        a, b = given[name], given["b " + name[2:]]
        x = smartsolve.solve(a, b)
        assert x.tobytes() == smartsolve.solve(a, b, workers=2).tobytes(), name
        half = smartsolve.solve(a[:64], b[:64])
        assert half.tobytes() == x[:64].tobytes(), name
        turned = smartsolve.solve(a[::-1], b[::-1])
        assert turned[::-1].tobytes() == x.tobytes(), name
        for ai, bi, xi in zip(a, b, x):
            r = np.abs(bi - ai @ xi).max()
            scale = np.abs(ai).sum(axis=1).max() * np.abs(xi).max() + np.abs(bi).max()
            assert r <= 9 * len(ai) * np.finfo(x.dtype).eps * scale, name
"""


@pytest.mark.parametrize("name", _core.instruction_sets())
def test_every_instruction_set(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(16)
    given_arrays = {}
    for dtype in DTYPES:
        for n in ORDERS_TO_TRY:
            a = mixed_stack(150, n, dtype, rng)
            given_arrays[f"a {dtype} {n}"] = a
            given_arrays[f"b {dtype} {n}"] = random_rhs((150, n, 1), dtype, rng)
    np.savez(tmp_path / "given.npz", **given_arrays)
    command = [sys.executable, "-P", "-c", CHECK_BITS, "given.npz"]
    environment = {**os.environ, "SMARTSOLVE_ISA": name}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
