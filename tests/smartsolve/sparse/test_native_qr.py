"""Own sparse QR: least squares, basic and minimum-norm solutions, rank."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from .native import DTYPES, Array, draw, grid, native


def drawn(m: int, n: int, density: float, dtype: str, rng: np.random.Generator) -> Array:
    a = np.where(rng.random((m, n)) < density, draw((m, n), dtype, rng), 0)
    return np.asarray(a.astype(dtype))


def is_least_squares(a: Array, x: Array, b: Array) -> bool:
    """A^H r is as small as rounding leaves it."""
    wide = np.result_type(a, np.float64)
    residual = b.astype(wide) - a.astype(wide) @ x.astype(wide)
    norm = np.linalg.norm(a)
    scale = norm * (norm * np.linalg.norm(x) + np.linalg.norm(b))
    eps = float(np.finfo(a.dtype).eps)
    return bool(np.linalg.norm(a.conj().T @ residual) <= 100 * eps * scale)


@given(
    m=st.integers(0, 25),
    n=st.integers(0, 25),
    density=st.sampled_from([0.05, 0.2, 0.6]),
    dtype=st.sampled_from(DTYPES),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_least_squares_and_minimum_norm(
    m: int, n: int, density: float, dtype: str, form: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = drawn(m, n, density, dtype, rng)
    f = native(scipy.sparse.csc_array(a).asformat(form)).factor("qr")
    assert f.status == "ok"
    rank = int(np.linalg.matrix_rank(a.astype("D"))) if a.size else 0
    singular = np.linalg.svd(a.astype("D"), compute_uv=False) if a.size else np.zeros(0)
    if rank and singular[rank - 1] < 1e-3 * singular[0]:
        return  # too near the tolerance to say what is right
    assert f.rank == rank
    for shape in (m,), (m, 3), (m, 0):
        b = draw(shape, dtype, rng)
        x = f.solve(b)
        assert x.shape == (n, *shape[1:])
        assert x.dtype == b.dtype
        assert is_least_squares(a, x, b)
        assert (np.count_nonzero(np.atleast_2d(x.T).any(axis=0)) if x.size else 0) <= rank
    for conjugate in {True, dtype in "FD"}:
        adjoint = a.conj().T if conjugate else a.T
        b = adjoint @ draw((m,), dtype, rng)
        x = f.solve(b, transposed=True, conjugate=conjugate)
        expected = np.linalg.pinv(adjoint.astype("D"), rcond=1e-6) @ b if a.size else np.zeros(m)
        np.testing.assert_allclose(x, expected, rtol=0, atol=2e-3 if dtype in "fF" else 1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_ones_have_determinants(dtype: str) -> None:
    rng = np.random.default_rng(8)
    for n in 1, 2, 7, 20:
        a = drawn(n, n, 0.4, dtype, rng) + 2 * np.eye(n, dtype=dtype)
        f = native(scipy.sparse.csr_array(a)).factor("qr")
        mantissa, exponent = f.determinant()
        expected = np.linalg.det(a.astype("D"))
        assert mantissa * 2.0**exponent == pytest.approx(expected, rel=1e-3)
        assert 0 < f.rcond() <= 1


def test_dependent_columns_are_left_out() -> None:
    rng = np.random.default_rng(9)
    a = drawn(60, 30, 0.2, "d", rng)
    a[:, 7] = a[:, 3] + a[:, 5]
    a[:, 20] = 2 * a[:, 21]
    a[:, 11] = 0
    f = native(scipy.sparse.csc_array(a)).factor("qr")
    assert f.rank == np.linalg.matrix_rank(a)
    b = draw((60,), "d", rng)
    x = f.solve(b)
    assert is_least_squares(a, x, b)
    assert np.count_nonzero(x) == f.rank
    assert f.rcond() == 0
    assert native(scipy.sparse.csc_array(a)).factor("qr", tolerance=1e300).rank == 0


def test_magic_of_order_eight() -> None:
    # MATLAB's documented example of rank deficiency: magic(8)[:, :6] has rank 3.
    i, j = np.divmod(np.arange(64), 8)
    keep = (i % 4 == j % 4) | ((i % 4) + (j % 4) == 3)
    magic = np.where(keep, 64 - np.arange(64), np.arange(64) + 1).reshape(8, 8)[:, :6]
    f = native(scipy.sparse.csc_array(magic.astype(float))).factor("qr")
    assert f.rank == 3
    x = f.solve(np.full(8, 260.0))
    np.testing.assert_allclose(magic @ x, 260)


def test_the_range_is_no_limit() -> None:
    for scale in 1e-300, 1e300:
        a = scale * np.array([[3.0, 1], [4, 2], [0, 2]])
        f = native(scipy.sparse.csc_array(a)).factor("qr")
        np.testing.assert_allclose(f.solve(a @ [1.0, 2.0]), [1, 2], rtol=1e-13)


def test_a_tall_grid() -> None:
    a = scipy.sparse.vstack([grid(20, 20), scipy.sparse.eye_array(400)]).tocsc()
    m = native(a)
    f = m.factor("qr")
    assert f.rank == 400
    b = np.random.default_rng(10).standard_normal(800)
    expected = np.linalg.lstsq(a.toarray(), b, rcond=None)[0]
    np.testing.assert_allclose(f.solve(b), expected, atol=1e-12)
    assert f.entries < 3 * m.plan("qr")["entries"]
