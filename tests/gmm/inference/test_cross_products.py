"""gmm._core: products and projections of columns, whatever their number, length and place."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmm import _core

SIZES = pytest.mark.parametrize("n", [1, 7, 8, 9, 100, 131])


def columns(rng: np.random.Generator, samples: int, n: int, count: int) -> np.ndarray:
    """Columns with steps between rows, columns and samples, and in another order."""
    wide = rng.standard_normal((2 * samples, count + 1, 3 * n))
    return wide[::2, :count, ::-3].swapaxes(1, 2)


@pytest.mark.parametrize("p", range(1, 12))
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100, 131])
def test_products_are_those_of_numpy(p: int, n: int) -> None:
    rng = np.random.default_rng(p)
    blocks = columns(rng, 3, n, p), columns(rng, 1, n, 2)
    together = np.concatenate([blocks[0], np.repeat(blocks[1], 3, axis=0)], axis=2)
    found = np.full((3, p + 2, p + 2), np.nan)
    _core.cross_products(blocks, found)
    assert_allclose(found, together.swapaxes(1, 2) @ together, atol=1e-13 * max(n, 1))
    assert_array_equal(found, found.swapaxes(1, 2))
    alone = np.empty((1, p, p))
    _core.cross_products((blocks[0][1:2],), alone)
    assert_array_equal(alone[0], found[1, :p, :p])


@SIZES
@pytest.mark.parametrize("k", [1, 2, 5])
def test_products_of_residuals_are_those_of_numpy(n: int, k: int) -> None:
    rng = np.random.default_rng(k)
    y, theta = columns(rng, 3, n, 1), rng.standard_normal((3, k))
    x, z = (columns(rng, 1, n, 1), columns(rng, 3, n, k - 1)), (columns(rng, 3, n, k + 1),)
    moments, squares, s = np.empty((3, k + 1)), np.empty(3), np.empty((3, k + 1, k + 1))
    _core.residual_products((y,), x, z, theta, moments, squares)
    _core.score_products((y,), x, z, theta, s)
    both = np.concatenate([np.repeat(x[0], 3, axis=0), x[1]], axis=2)
    u = y - both @ theta[..., np.newaxis]
    assert_allclose(moments, (z[0].swapaxes(1, 2) @ u)[..., 0], atol=1e-13 * n)
    assert_allclose(squares, (u * u).sum(axis=(1, 2)), rtol=1e-13)
    assert_allclose(s, (z[0] * u).swapaxes(1, 2) @ (z[0] * u), atol=1e-13 * n)


@SIZES
def test_projections_are_those_of_qr(n: int) -> None:
    rng = np.random.default_rng(n)
    c, own = min(n, 4), columns(rng, 3, n, 2)
    x = columns(rng, 3, n, c) * 10.0 ** np.arange(c)
    rest, pivots = np.empty((3, n, 2)), np.empty(3)
    _core.projection_residuals((own,), (x,), np.empty(0), rest, pivots)
    q = np.linalg.qr(x)[0]
    wanted = own - q @ (q.swapaxes(1, 2) @ own)
    assert_allclose(rest, wanted, atol=1e-12 / pivots.min())
    assert ((pivots > 0) & (pivots <= 1)).all()
    kappa, part = np.array([0.0, 1.0, 1.5]), np.empty((3, n, 2))
    _core.projection_residuals((own,), (x,), kappa, part, pivots)
    assert_allclose(part, own - kappa[:, np.newaxis, np.newaxis] * rest, atol=1e-14)


def test_collinear_columns_have_no_pivot() -> None:
    x = np.ones((2, 9, 2))
    x[1, :, 1] = np.nan
    rest, pivots = np.empty((2, 9, 1)), np.empty(2)
    _core.projection_residuals((x[..., :1],), (x,), np.empty(0), rest, pivots)
    assert not (pivots > 1e-15).any()


def test_what_does_not_fit_is_refused() -> None:
    x = np.ones((2, 4, 3))
    for products in np.empty((2, 3, 4)), np.empty((1, 3, 3)), np.empty((2, 3, 3), np.float32):
        with pytest.raises(ValueError, match=r"products \(R, p, p\)"):
            _core.cross_products((x,), products)
    odd = np.frombuffer(bytearray(8 * 24 + 1), np.uint8)[1:].view(np.float64).reshape(2, 4, 3)
    crooked = np.zeros((2, 4, 3), [("a", "i4"), ("b", "f8")])["b"]  # steps of twelve bytes
    more, other = (x, np.ones((3, 4, 1))), (x, np.ones((2, 5, 1)))
    for blocks in (), x, (x[0],), more, other, (crooked,), (odd,):
        with pytest.raises(ValueError, match="columns must be a tuple"):
            _core.cross_products(blocks, np.empty((2, 3, 3)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cross_products"):
        _core.cross_products(x)  # type: ignore[call-arg, arg-type]
    y, theta, moments, squares = x[..., :1], np.ones((2, 3)), np.empty((2, 3)), np.empty(2)
    with pytest.raises(ValueError, match="do not match"):
        _core.residual_products((x,), (x,), (x,), theta, moments, squares)
    with pytest.raises(ValueError, match=r"moments \(R, q\)"):
        _core.residual_products((y,), (x,), (x,), theta, squares, moments)
    with pytest.raises(ValueError, match=r"products \(R, q, q\)"):
        _core.score_products((y,), (x,), (x,), theta, moments)
    with pytest.raises(ValueError, match=r"kappa \(R,\)"):
        _core.projection_residuals((y,), (x,), np.ones(1), np.empty((2, 4, 1)), squares)
