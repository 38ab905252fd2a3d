"""_weights.py: inverses, and what cannot be inverted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmm import Status
from gmm.estimation.weights import efficient_weights


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.integers(1, 14), spread=st.integers(0, 60))
def test_weights_invert_whatever_the_units_of_the_moments(seed: int, q: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, q, q + 3))
    units = 10.0 ** rng.integers(-spread, spread + 1, q)
    s = root @ root.swapaxes(1, 2) * units[:, np.newaxis] * units
    weights, status = efficient_weights(s)
    assert (status == Status.OK).all()
    unit_free = weights * units[:, np.newaxis] * units
    expected = np.linalg.inv(root @ root.swapaxes(1, 2))
    np.testing.assert_allclose(unit_free, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_array_equal(weights, weights.swapaxes(1, 2))


@pytest.mark.parametrize(
    ("s", "status"),
    [
        ([[1.0, 0.5], [0.5, 1.0]], Status.OK),
        ([[1.0, 1.0], [1.0, 1.0]], Status.SINGULAR),
        ([[1.0, 0.0], [0.0, 0.0]], Status.SINGULAR),
        ([[1.0, 2.0], [2.0, 1.0]], Status.NOT_POSITIVE_DEFINITE),
        ([[-1.0, 0.0], [0.0, 1.0]], Status.NOT_POSITIVE_DEFINITE),
        ([[np.inf, 0.0], [0.0, 1.0]], Status.NON_FINITE),
        ([[np.nan, 0.0], [0.0, 1.0]], Status.NON_FINITE),
    ],
)
def test_each_failure_has_its_status(s: list, status: Status) -> None:
    with np.errstate(all="ignore"):
        assert efficient_weights(np.array([s]))[1].tolist() == [status]
        _, beside = efficient_weights(np.array([np.eye(2), s, np.eye(2)]))
    assert beside.tolist() == [Status.OK, status, Status.OK]
