"""gmm._core.cross_products: the products of columns, whatever their number and length."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmm import _core


@pytest.mark.parametrize("p", range(1, 12))
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100, 131])
def test_products_are_those_of_numpy(p: int, n: int) -> None:
    columns = np.random.default_rng(p).standard_normal((3, p, n))
    found = np.full((3, p, p), np.nan)
    _core.cross_products(columns, found)
    assert_allclose(found, columns @ columns.swapaxes(1, 2), atol=1e-13 * max(n, 1))
    np.testing.assert_array_equal(found, found.swapaxes(1, 2))
    alone = np.empty((1, p, p))
    _core.cross_products(columns[1:2], alone)
    np.testing.assert_array_equal(alone[0], found[1])


def test_what_does_not_fit_is_refused() -> None:
    columns = np.ones((2, 3, 4))
    for products in np.empty((2, 3, 4)), np.empty((1, 3, 3)), np.empty((2, 3, 3), np.float32):
        with pytest.raises(ValueError, match=r"columns \(R, p, n\) and products"):
            _core.cross_products(columns, products)
    with pytest.raises(TypeError, match="cross_products"):
        _core.cross_products(columns)  # type: ignore[call-arg]
