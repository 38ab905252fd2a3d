"""`mldivide` and `mrdivide` of sparse matrices: least squares, rank, and both transposed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from smartsolve import RankDeficientWarning, errstate, mldivide, mrdivide

from ..accuracy import eps


def rectangular(m: int, n: int, dtype: str, seed: int = 3) -> sparse.csc_array:
    rng = np.random.default_rng([m, n, seed])
    a = sparse.random_array((m, n), density=4 / min(m, n), rng=rng, format="csc")
    if dtype.startswith("complex"):
        a = a * (1 + 0.5j)
    return (a + 2 * sparse.eye_array(m, n)).tocsc().astype(dtype)


def is_least_squares(a: Any, x: np.ndarray, b: np.ndarray) -> None:
    """The residual is orthogonal to the columns, to rounding."""
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    dense, b = a.toarray().astype(wide), b.astype(wide)
    gradient = dense.conj().T @ (b - dense @ x)
    size = np.linalg.norm(dense) * (np.linalg.norm(dense) * np.linalg.norm(x) + np.linalg.norm(b))
    assert np.linalg.norm(gradient) <= 50 * max(dense.shape) * eps(x.dtype) * size


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (700, 400), (400, 700)])
def test_least_squares(shape: tuple[int, int], dtype: str) -> None:
    a = rectangular(*shape, dtype)
    for given in (a, a.tocsr()):
        for columns in ((), (1,), (3,), (0,)):
            b = np.random.default_rng(1).standard_normal((shape[0], *columns)).astype(dtype)
            x, info = mldivide(given, b, return_info=True)
            assert x.shape == (shape[1], *columns)
            assert x.dtype == dtype
            assert info.rank == min(shape)
            assert info.backward_error < 1e3 * eps(dtype)
            if x.size:
                is_least_squares(a, x, b)
            if shape[0] < shape[1]:
                assert np.count_nonzero(np.any(x.reshape(shape[1], -1), axis=1)) <= min(shape)


@pytest.mark.parametrize("shape", [(20, 40), (400, 700), (700, 400)])
def test_the_shortest_solution(shape: tuple[int, int]) -> None:
    for dtype in ("float64", "complex128"):
        a = rectangular(*shape, dtype)
        b = np.ones(shape[0], dtype)
        x = mldivide(a, b, minimum_norm=True)
        assert np.allclose(x, np.linalg.lstsq(a.toarray(), b)[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("n", [30, 500])
def test_a_rank_that_is_not_full_is_said(n: int) -> None:
    dense = rectangular(n + 50, n, "float64").toarray()
    dense[:, 7] = dense[:, 5]
    a = sparse.csc_array(dense)
    b = np.ones(n + 50)
    with pytest.warns(RankDeficientWarning, match=f"rank = {n - 1} of {n}") as caught:
        x, info = mldivide(a, b, return_info=True)
    assert caught[0].filename == __file__
    assert info.rank == n - 1
    is_least_squares(a, x, b)
    shortest = mldivide(a, b, minimum_norm=True)
    is_least_squares(a, shortest, b)
    assert np.linalg.norm(shortest) <= np.linalg.norm(x)
    with errstate(ill_conditioned="raise"), pytest.raises(np.linalg.LinAlgError, match="rank"):
        mldivide(a, b)


def test_tolerances() -> None:
    a = sparse.block_diag([rectangular(600, 400, "float64"), [[1e-9]]], format="csc")
    assert mldivide(a, np.ones(601), return_info=True)[1].rank == 401
    with pytest.warns(RankDeficientWarning):
        assert mldivide(a, np.ones(601), tol=1e-6, return_info=True)[1].rank == 400
    with pytest.raises(ValueError, match="tol is -1"):
        mldivide(a, np.ones(601), tol=-1)


def test_sparse_right_hand_sides_and_solutions() -> None:
    a = rectangular(700, 400, "float64")
    b = sparse.eye_array(700, format="csr")[:, :5]
    x = mldivide(a, b)
    assert x.shape == (400, 5)
    assert np.allclose(mldivide(a, b, sparse_x=True).toarray(), x)


def test_nan() -> None:
    for shape in ((40, 20), (700, 400)):
        a = rectangular(*shape, "float64")
        a.data[3] = np.nan
        x, info = mldivide(a, np.ones(shape[0]), return_info=True)
        assert np.isnan(x).all()
        assert info.rank == -1


def test_mrdivide_is_the_transpose() -> None:
    for shape in ((20, 20), (500, 500), (400, 700)):
        a = rectangular(*shape, "complex128")
        for b in (np.ones(shape[1]), np.ones((3, shape[1]))):
            x = mrdivide(b, a)
            assert x.shape == (*b.shape[:-1], shape[0])
            assert np.allclose(x, mldivide(a.T, b.T).T)
        sides = sparse.csr_array(np.ones((2, shape[1])))
        assert np.allclose(mrdivide(sides, a), mrdivide(sides.toarray(), a))
    with pytest.raises(ValueError, match="its last axis must be 700"):
        mrdivide(np.ones(3), a)
