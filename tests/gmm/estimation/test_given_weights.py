"""Weights and S that are given: what cannot be one is refused, in a stack by a status."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gmm

INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])
OK, BAD = int(gmm.Status.OK), int(gmm.Status.NOT_POSITIVE_DEFINITE)


def g(theta: Any, data: Any) -> Any:
    return np.concatenate([data - theta[..., None, :], data**3 - theta[..., None, :]], axis=-1)


@pytest.fixture
def stack() -> Any:
    return np.random.default_rng(1).standard_normal((3, 50, 1))


@pytest.mark.parametrize("argument", ["weights", "initial", "cov"])
@pytest.mark.parametrize("matrix", [INDEFINITE, -np.eye(2), [[0.0, 1.0], [1.0, 0.0]]])
def test_not_semidefinite(stack: Any, argument: str, matrix: Any) -> None:
    for data in (stack, stack[0]):
        with pytest.raises(ValueError, match=f"{argument} is not positive semidefinite"):
            gmm.Moments(g, data).fit([0.0], **{argument: matrix})


@pytest.mark.parametrize("argument", ["weights", "initial", "cov"])
def test_in_a_stack_it_is_the_samples_failure(stack: Any, argument: str) -> None:
    matrices = np.stack([np.eye(2), INDEFINITE, np.eye(2)])
    result = gmm.Moments(g, stack).fit([0.0], **{argument: matrices})
    assert_array_equal(result.status, [OK, BAD, OK])
    assert np.isnan(result.params[1]).all()
    assert np.isnan(result.j[1])
    alone = gmm.Moments(g, stack[0]).fit([0.0], **{argument: np.eye(2)})
    np.testing.assert_allclose(result.params[0], alone.params, rtol=1e-12)


@pytest.mark.parametrize("matrix", [[[1.0, 0.0], [0.0, 0.0]], [[4.0, 2.0], [2.0, 1.0]]])
def test_semidefinite_is_enough(stack: Any, matrix: Any) -> None:
    result = gmm.Moments(g, stack[0]).fit([0.0], weights=matrix)
    assert result.converged
    assert np.isfinite(result.bse).all()


def test_linear_models_too(stack: Any) -> None:
    rng = np.random.default_rng(2)
    z = rng.standard_normal((50, 2))
    w = z.sum(axis=1) + rng.standard_normal(50)
    with pytest.raises(ValueError, match="weights is not positive semidefinite"):
        gmm.IV(w + rng.standard_normal(50), endog=w, instruments=z).fit(weights=INDEFINITE)
