"""MATLAB's backslash and slash: least squares, ranks, singular matrices, and the words for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import (
    IllConditionedWarning,
    RankDeficientWarning,
    SingularMatrixWarning,
    errstate,
    factorize,
    mldivide,
    mrdivide,
)

from .accuracy import assert_solves, eps
from .matrices import DTYPES, ORDERS, arranged, hilbert, magic4, random_matrix, random_rhs, unitary

Array = np.ndarray


def magic(n: int) -> Array:
    """MATLAB's magic(n) for n divisible by 4."""
    outer = np.isin(np.arange(n) % 4, (0, 3))
    counting = np.arange(1.0, n * n + 1).reshape(n, n)
    return np.where(outer[:, None] == outer, n * n + 1 - counting, counting)


def matrix_of_rank(
    rank: int, m: int, n: int, dtype: Any, rng: np.random.Generator, scale: float = 1.0
) -> Array:
    """m x n with `rank` singular values from 1 to 10, times scale."""
    dtype = np.dtype(dtype)
    values = rng.uniform(1, 10, rank) * scale
    u, v = unitary(m, dtype, rng)[:, :rank], unitary(n, dtype, rng)[:rank]
    return np.asarray((u * values) @ v).astype(dtype)


def same(x: Array, y: Array, dtype: Any, condition: float = 10.0, n: int = 1) -> bool:
    """Two least-squares solutions of small residual differ by cond * eps (ASNA, theorem 20.1).

    The residual's part, cond^2 |r| eps, is covered by the condition squared.
    """
    bound = 64 * n * eps(dtype) * condition**2
    return bool(np.abs(x - y).max(initial=0) <= bound * max(np.abs(y).max(initial=0), 1e-300))


shapes = pytest.mark.parametrize(
    ("m", "n"),
    [
        (1, 1),
        (5, 1),
        (1, 5),
        (7, 3),
        (3, 7),
        (50, 3),
        (40, 32),
        (40, 33),
        (33, 40),
        (130, 100),
        (100, 130),
    ],
)


# --- least squares -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@shapes
def test_full_rank_agrees_with_lstsq(m: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(50)
    a = matrix_of_rank(min(m, n), m, n, dtype, rng)
    for b in (random_rhs(m, dtype, rng), random_rhs((m, 4), dtype, rng)):
        before = a.tobytes(), b.tobytes()
        shortest = mldivide(a, b, minimum_norm=True)
        x = mldivide(a, b, tol=None if m != n else 0.0)
        assert (a.tobytes(), b.tobytes()) == before
        assert x.dtype == shortest.dtype == np.dtype(dtype)
        assert x.shape == (n, *b.shape[1:])
        reference = np.linalg.lstsq(a.astype("c16"), b.astype("c16"), rcond=None)[0]
        assert same(shortest, reference, dtype, n=max(m, n))
        if m >= n:
            assert same(x, reference, dtype, n=max(m, n))
        else:  # basic: a solution with m nonzeros at most
            assert (np.count_nonzero(x, axis=0) <= m).all()
            assert np.abs(a @ x - b).max() <= 64 * n * eps(dtype) * np.abs(a).max() * (
                np.abs(x).sum(axis=0).max() + 1
            )


@pytest.mark.parametrize("minimum_norm", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("m", "n", "rank"), [(9, 6, 3), (6, 9, 3), (6, 6, 4), (130, 100, 20), (100, 130, 20), (5, 4, 0)]
)
def test_rank_deficient(m: int, n: int, rank: int, dtype: str, minimum_norm: bool) -> None:
    rng = np.random.default_rng(51)
    a = matrix_of_rank(rank, m, n, dtype, rng)
    b = random_rhs((m, 2), dtype, rng)
    tol = float(100 * max(m, n) * eps(dtype))  # also sends the square one to QR
    with errstate(ill_conditioned="ignore"):
        x, info = mldivide(a, b, tol=tol, minimum_norm=minimum_norm, return_info=True)
    assert info.rank == rank
    assert info.tolerance == pytest.approx(tol)
    wide = a.astype("c16")
    reference = np.linalg.lstsq(wide, b.astype("c16"), rcond=1e-4)[0]
    residual = np.linalg.norm(b - wide @ x, axis=0)
    least = np.linalg.norm(b - wide @ reference, axis=0)
    assert (residual <= least + 1e3 * max(m, n) * eps(dtype) * np.linalg.norm(b)).all()
    if minimum_norm:
        assert same(x, reference, dtype, n=max(m, n))
    else:
        assert (np.count_nonzero(x, axis=0) <= rank).all()


def test_agrees_with_scipys_gelsy() -> None:
    """The other complete orthogonal factorization, LAPACK's own driver."""
    rng = np.random.default_rng(52)
    a = matrix_of_rank(4, 30, 9, np.float64, rng)
    b = random_rhs((30, 3), np.float64, rng)
    reference = scipy.linalg.lstsq(a, b, cond=1e-10, lapack_driver="gelsy")[0]
    assert same(mldivide(a, b, minimum_norm=True, tol=1e-10), reference, np.float64, n=30)


def test_matlabs_documented_example() -> None:
    """A = magic(8)(:, 1:6); A \\ (260 * ones(8, 1)): rank 3, tol = 1.882938e-13.

    Octave's [q, r, p] = qr(A) gives the same max(size(A)) * eps * abs(r(1, 1)). The shortest
    solution has the closed form below: a row of magic(8) sums to 260.
    """
    a = magic(8)[:, :6]
    b = 260 * np.ones(8)
    with pytest.warns(RankDeficientWarning, match=r"rank = 3 of 6, tol = 1\.8829e-13") as caught:
        x, info = mldivide(a, b, return_info=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert info.rank == 3
    assert info.tolerance == pytest.approx(1.882938e-13, rel=1e-6)
    assert x == pytest.approx([3, 4, 0, 0, 1, 0], abs=1e-13)
    shortest = np.array([15, 19, 18, 18, 19, 15]) / 13
    assert mldivide(a, b, minimum_norm=True) == pytest.approx(shortest, rel=1e-13)


@given(
    m=st.integers(0, 9),
    n=st.integers(0, 9),
    batch=st.lists(st.integers(0, 3), max_size=2).map(tuple),
    other=st.lists(st.integers(0, 2), max_size=2).map(tuple),
    nrhs=st.sampled_from((None, 0, 1, 3)),
    dtype=st.sampled_from(DTYPES),
    orders=st.tuples(st.sampled_from(ORDERS), st.sampled_from(ORDERS)),
    minimum_norm=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_a_stack_is_its_slices(
    m: int,
    n: int,
    batch: tuple[int, ...],
    other: tuple[int, ...],
    nrhs: int | None,
    dtype: str,
    orders: tuple[str, str],
    minimum_norm: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    a = arranged(random_rhs((*batch, m, n), dtype, rng), orders[0])
    b = arranged(random_rhs((m,) if nrhs is None else (*other, m, nrhs), dtype, rng), orders[1])
    try:
        shape = np.broadcast_shapes(batch, b.shape[:-2])
    except ValueError:
        with pytest.raises(ValueError, match="leading axes cannot be broadcast"):
            mldivide(a, b)
        return
    with errstate(ill_conditioned="ignore"):
        x, info = mldivide(a, b, minimum_norm=minimum_norm, return_info=True)
        assert x.shape == (*shape, n) if nrhs is None else (*shape, n, nrhs)
        assert np.shape(info.rcond) == np.shape(info.backward_error) == shape
        assert np.isfinite(x).all()
        every_a = np.broadcast_to(a, (*shape, m, n))
        every_b = b if nrhs is None else np.broadcast_to(b, (*shape, m, nrhs))
        for index in np.ndindex(shape):
            alone = mldivide(
                np.array(every_a[index]),
                np.array(every_b if nrhs is None else every_b[index]),
                minimum_norm=minimum_norm,
            )
            condition = min(np.linalg.cond(every_a[index]), 1e3) if m and n else 1
            assert same(x[index], alone, dtype, condition=condition, n=9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(6, 1), (9, 4), (50, 3), (17, 17)])
def test_a_long_stack_holds_all_sorts(m: int, n: int, dtype: str) -> None:
    """Healthy, deficient, huge, tiny and infinite slices side by side, each as it is alone."""
    rng = np.random.default_rng(59)
    a = np.stack([matrix_of_rank(n, m, n, dtype, rng) for _ in range(37)])
    b = random_rhs((37, m, 2), dtype, rng)
    a[3, :, 0] = a[3, :, -1] if n > 1 else 0
    a[9] *= np.finfo(dtype).max / 100
    a[10] *= np.finfo(dtype).tiny * 2**20
    a[18, m // 2, 0] = np.nan
    a[19, 0, n - 1] = np.inf
    a[25] = 0
    with errstate(ill_conditioned="ignore"):
        x, info = mldivide(a, b, tol=None if m > n else 0, return_info=True)
        for k in range(37):
            alone, its = mldivide(a[k], b[k], tol=None if m > n else 0, return_info=True)
            assert info.rank[k] == its.rank
            assert info.tolerance[k] == pytest.approx(its.tolerance, rel=64 * m * eps(dtype))
            assert info.rcond[k] == pytest.approx(
                its.rcond, rel=1e3 * m * eps(dtype), abs=eps(dtype)
            )
            if k in (18, 19):
                assert np.isnan(x[k]).all()
            elif k != 3 or n == 1:
                assert same(x[k], alone, dtype, n=m)


REGRESSIONS = """
import numpy as np
from smartsolve import mldivide
rng = np.random.default_rng(1)
for dtype in (np.float32, np.float64, np.complex64, np.complex128):
    for m, n in ((5, 2), (50, 3), (33, 16), (40, 20)):
        a = rng.standard_normal((21, m, n)).astype(dtype)
        b = rng.standard_normal((21, m, 2)).astype(dtype)
        x = mldivide(a, b)
        for k in range(21):
            best = np.linalg.lstsq(a[k], b[k], rcond=None)[0]
            bound = 64 * m * np.finfo(dtype).eps * np.linalg.cond(a[k]) ** 2 * abs(best).max()
            assert abs(x[k] - best).max() <= bound
            assert abs(mldivide(a[k], b[k]) - best).max() <= bound
"""


@pytest.mark.parametrize("name", smartsolve._core.instruction_sets())
def test_instruction_set(name: str) -> None:
    environment = {**os.environ, "SMARTSOLVE_ISA": name}
    subprocess.run([sys.executable, "-P", "-c", REGRESSIONS], env=environment, check=True)


def test_a_broadcast_matrix_is_factored_once_and_reported_for_all() -> None:
    a = np.broadcast_to(magic(8)[:, :6], (4, 8, 6))
    with pytest.warns(RankDeficientWarning, match=r"slice 0 \(the first of 4 among 4\)"):
        x, info = mldivide(a, np.ones(8), return_info=True)
    assert x.shape == (4, 6)
    assert info.rank.tolist() == [3] * 4


def test_backward_errors_are_small() -> None:
    rng = np.random.default_rng(53)
    for m, n in ((20, 5), (5, 20), (120, 100)):
        a = matrix_of_rank(min(m, n), m, n, np.float64, rng)
        _, info = mldivide(a, random_rhs((m, 3), np.float64, rng), return_info=True)
        assert info.backward_error <= 8 * max(m, n) * eps(np.float64)
        assert 1 / 200 <= info.rcond <= 1
        assert "rank" in str(info)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_extreme_scales(dtype: str) -> None:
    """Where the squares of the elements leave the range of their type."""
    rng = np.random.default_rng(54)
    a = matrix_of_rank(4, 12, 4, dtype, rng)
    x = random_rhs(4, dtype, rng)
    info = np.finfo(dtype)
    for scale in (info.max / 100, info.tiny * 2**20, info.max**0.5, info.tiny**0.5):
        a_scaled = (a * scale).astype(dtype)
        assert same(mldivide(a_scaled, a_scaled @ x), x, dtype, n=12)
    bad_column = a.copy()
    bad_column[:, 2] *= info.tiny * 100
    with pytest.warns(RankDeficientWarning, match="rank = 3 of 4"):
        mldivide(bad_column, a @ x)


def test_nan_and_inf_travel() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    stack = np.stack([a, a, a])
    stack[1, 2, 0] = np.nan
    stack[2, 0, 0] = np.inf
    x, info = mldivide(stack, np.ones(3), return_info=True)
    assert np.isfinite(x[0]).all()
    assert np.isnan(x[1:]).all()
    assert info.rank.tolist() == [2, -1, -1]
    assert not np.isfinite(mldivide(a, np.array([1.0, np.inf, 1.0]))).any()


def test_empty_shapes() -> None:
    assert mldivide(np.empty((0, 3)), np.empty(0)).tolist() == [0, 0, 0]
    assert mldivide(np.empty((3, 0)), np.ones(3)).shape == (0,)
    assert mldivide(np.empty((0, 0)), np.empty((0, 2))).shape == (0, 2)
    assert mldivide(np.ones((3, 2)) + np.eye(3, 2), np.empty((3, 0))).shape == (2, 0)
    assert mldivide(np.empty((0, 4, 2)), np.ones(4)).shape == (0, 2)
    assert mrdivide(np.ones(4), np.empty((0, 4))).shape == (0,)


# --- square --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_is_solve(dtype: str) -> None:
    rng = np.random.default_rng(55)
    for n in (1, 4, 40):
        a = random_matrix("general", n, dtype, "C", rng)
        b = random_rhs((n, 2), dtype, rng)
        assert (mldivide(a, b) == smartsolve.solve(a, b)).all()
        x, info = mldivide(a, b, return_info=True)
        assert info.rank is None
        assert_solves(a, x, b)


@pytest.mark.parametrize(
    ("a", "b", "x"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0], [-np.inf, np.inf]),  # MATLAB prints the same
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], [1.0, np.inf]),
        ([[0.0, 0.0], [0.0, 0.0]], [1.0, 0.0], [np.nan, np.nan]),
        ([[0.0]], [2.0], [np.inf]),
        ([[1.0, 1.0], [0.0, 0.0]], [1.0, -1.0], [np.inf, -np.inf]),
    ],
)
def test_singular_warns_and_returns_inf_and_nan(
    a: list[list[float]], b: list[float], x: list[float]
) -> None:
    with pytest.warns(SingularMatrixWarning, match=r"^Singular matrix: pivot \d of the ") as w:
        found = mldivide(a, b)
    assert len(w) == 1
    assert w[0].filename == __file__
    if np.isnan(x).any():
        assert not np.isfinite(found).any()
    else:
        assert found.tolist() == x


def test_singular_slices_leave_the_others_alone() -> None:
    a = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2), np.zeros((2, 2))])
    message = r"slice 1 \(the first of 2 among 4\): pivot 1 of the"
    with pytest.warns(SingularMatrixWarning, match=message):
        x, info = mldivide(a, np.array([[1.0], [2.0]]), return_info=True)
    assert x[[0, 2], :, 0].tolist() == [[1, 2], [0.5, 1]]
    assert not np.isfinite(x[[1, 3]]).any()
    assert info.rcond.tolist() == [1, 0, 1, 0]
    with pytest.warns(SingularMatrixWarning):
        x = mldivide(a[1], np.ones((3, 2, 2)))
    assert x.shape == (3, 2, 2)
    assert not np.isfinite(x).all(axis=-2).any()


def test_matlabs_nearly_singular_examples() -> None:
    with pytest.warns(IllConditionedWarning, match="rcond = ") as caught:
        mldivide(magic4(), np.ones(4))
    rcond = float(re.search(r"rcond = (\S+)", str(caught[0].message))[1])
    assert rcond < 2**-52
    with pytest.warns(IllConditionedWarning):
        mldivide(hilbert(13), np.ones(13))


def test_errstate_decides() -> None:
    singular, deficient = np.ones((2, 2)), np.ones((3, 2))
    for a in (singular, deficient):
        with errstate(ill_conditioned="ignore"):
            mldivide(a, np.ones(len(a)))
        with (
            errstate(ill_conditioned="raise"),
            pytest.raises(np.linalg.LinAlgError, match=r"^(Singular|Rank-deficient) matrix"),
        ):
            mldivide(a, np.ones(len(a)))
    mldivide(deficient, np.ones(3), minimum_norm=True)  # unique, so no warning
    mldivide(singular, np.ones(2), minimum_norm=True)


def test_the_warnings_are_scipys_and_numpys() -> None:
    assert issubclass(SingularMatrixWarning, scipy.linalg.LinAlgWarning)
    assert issubclass(RankDeficientWarning, IllConditionedWarning)
    assert issubclass(RankDeficientWarning, np.exceptions.RankWarning)


def test_solve_warns_on_request() -> None:
    stack = np.stack([np.eye(2), np.ones((2, 2))])
    with pytest.warns(SingularMatrixWarning, match="slice 1 of 2"):
        x = smartsolve.solve(stack, np.ones(2), on_singular="warn")
    assert np.isnan(x[1]).all()
    with errstate(singular="warn"), pytest.warns(SingularMatrixWarning):
        smartsolve.solve(stack, np.ones(2))
    with errstate(ill_conditioned="ignore"):  # it is an IllConditionedWarning, too
        assert np.isnan(smartsolve.solve(stack, np.ones(2), on_singular="warn")[1]).all()
    with errstate(ill_conditioned="raise"), pytest.raises(np.linalg.LinAlgError, match="slice 1"):
        smartsolve.solve(stack, np.ones(2), on_singular="warn")


# --- mrdivide, operands, errors ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(4, 4), (3, 5), (5, 3)])
def test_mrdivide_is_the_transpose_of_mldivide(m: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(56)
    a = matrix_of_rank(min(m, n), m, n, dtype, rng)
    for b in (random_rhs(n, dtype, rng), random_rhs((2, 6, n), dtype, rng)):
        x = mrdivide(b, a)
        assert x.shape == (*b.shape[:-1], m)
        transposed = b if b.ndim == 1 else b.swapaxes(-1, -2)
        y = mldivide(a.T, transposed)
        assert (x == (y if b.ndim == 1 else y.swapaxes(-1, -2))).all()
        if m <= n:
            reference = np.linalg.lstsq(a.T, b.reshape(-1, n).T, rcond=None)[0].T
            assert same(x.reshape(-1, m), reference, dtype, n=n)


def test_factorizations_divide() -> None:
    rng = np.random.default_rng(57)
    a = random_matrix("general", 5, np.complex128, "C", rng)
    b = random_rhs((5, 2), np.complex128, rng)
    f = factorize(a)
    assert (mldivide(f, b) == f.solve(b)).all()
    assert_solves(a.T, mrdivide(b.T, f).T, b)
    for divide in (lambda **k: mldivide(f, b, **k), lambda **k: mrdivide(b.T, f, **k)):
        with pytest.raises(TypeError, match=r"got minimum_norm; .* decided about by factorize"):
            divide(minimum_norm=True)


def test_lists_integers_and_subclasses() -> None:
    class Tagged(np.ndarray):
        pass

    assert mldivide([[1, 0], [0, 1], [0, 0]], [1, 2, 3]).tolist() == [1, 2]
    b = np.ones(3).view(Tagged)
    assert type(mldivide(np.eye(3, 2), b)) is Tagged
    assert type(mrdivide(b, np.eye(2, 3))) is Tagged
    assert type(mldivide(np.eye(3).view(Tagged), np.ones(3))) is np.ndarray


def test_clear_errors() -> None:
    a = np.ones((4, 3))
    with pytest.raises(ValueError, match=r"b has shape \(3,\); its only axis must be 4 to match a"):
        mldivide(a, np.ones(3))
    with pytest.raises(ValueError, match=r"b has shape \(4, 2\); its last axis must be 3 to match"):
        mrdivide(np.ones((4, 2)), a)
    with pytest.raises(np.linalg.LinAlgError, match=r"a has shape \(3,\); expected \(..., m, n\)"):
        mldivide(np.ones(3), np.ones(3))
    with pytest.raises(TypeError, match="a has dtype float16"):
        mldivide(a.astype("f2"), np.ones(4))
    with pytest.raises(TypeError, match="b has dtype object"):
        mldivide(a, np.array([None] * 4))
    with pytest.raises(ValueError, match="tol is -1"):
        mldivide(a, np.ones(4), tol=-1)
    with pytest.raises(ValueError, match="tol is nan"):
        mldivide(a, np.ones(4), tol=float("nan"))


def test_silence_of_healthy_regressions() -> None:
    rng = np.random.default_rng(58)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = rng.standard_normal((500, 50, 3))
        beta = np.array([1.0, -2.0, 0.5])
        assert np.allclose(mldivide(x, (x @ beta)[..., None])[..., 0], beta)


def test_a_vector_divided_by_a_stack_is_a_stack_of_vectors() -> None:
    """As ``v @ inv(a)``: one row for each matrix, square, rectangular and factored."""
    rng = np.random.default_rng(4)
    a, v = rng.random((5, 3, 3)) + 2 * np.eye(3), rng.random(3)
    expected = v @ np.linalg.inv(a)
    for x in (smartsolve.mrdivide(v, a), smartsolve.mrdivide(v, smartsolve.factorize(a))):
        assert x.shape == (5, 3)
        assert np.allclose(x, expected)
    wide = rng.random((5, 2, 3))
    x = smartsolve.mrdivide(v, wide)
    assert x.shape == (5, 2)
    assert np.allclose(x, v @ np.linalg.pinv(wide))
