"""Trends and powers: what products of nearly collinear columns would lose is kept."""

from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm

N = 300
YEAR = np.repeat(np.arange(1950.0, 2010.0), 5)


def system() -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(7)
    x = np.column_stack([np.ones(N), YEAR, YEAR**2])
    z, u = rng.standard_normal((N, 3)), rng.standard_normal(N)
    w = z.sum(axis=1) + u + rng.standard_normal(N)
    y = 1 + 0.01 * (YEAR - 1980) + w + u * (1 + 0.1 * rng.random(N))
    return y, x, w, z


def eighty_digits(y: Any, x: Any, w: Any, z: Any, steps: int) -> tuple[Any, Any, float]:
    """Estimates, robust standard errors and n g'Wg by the textbook's formulas."""
    with mpmath.workdps(80):
        both = mpmath.matrix(np.column_stack([x, w]).tolist())
        instruments = mpmath.matrix(np.column_stack([x, z]).tolist())
        left = mpmath.matrix(y.tolist())
        n, q = len(y), instruments.cols
        zx, zy = instruments.T * both / n, instruments.T * left / n

        def estimate(weights: Any) -> Any:
            return mpmath.lu_solve(zx.T * weights * zx, zx.T * weights * zy)

        def covariance(theta: Any) -> Any:
            u = left - both * theta
            scores = mpmath.matrix(n, q)
            for i in range(n):
                for j in range(q):
                    scores[i, j] = instruments[i, j] * u[i]
            return scores.T * scores / n

        weights = (instruments.T * instruments / n) ** -1
        theta = estimate(weights)
        for _ in range(steps - 1):
            weights = covariance(theta) ** -1
            theta = estimate(weights)
        bread = (zx.T * weights * zx) ** -1
        variance = bread * (zx.T * weights * covariance(theta) * weights * zx) * bread / n
        mean = instruments.T * (left - both * theta) / n
        j = float((mean.T * weights * mean)[0] * n)
        errors = [float(mpmath.sqrt(variance[i, i])) for i in range(variance.rows)]
        return np.array([float(value) for value in theta]), np.array(errors), j


@pytest.mark.parametrize("steps", [1, 2])
def test_years_and_their_squares(steps: int) -> None:
    y, x, w, z = system()
    params, errors, j = eighty_digits(y, x, w, z, steps)
    result = gmm.IV(y, x, w, z).fit(steps=steps)
    assert_allclose(result.params, params, rtol=1e-10)
    assert_allclose(result.bse, errors, rtol=1e-10)
    if steps == 2:
        assert_allclose(result.j, j, rtol=1e-9)


def test_least_squares() -> None:
    y, x, w, _ = system()
    centred = np.column_stack([np.ones(N), (YEAR - 1980) / 30, ((YEAR - 1980) / 30) ** 2])
    one, other = gmm.IV(y, np.column_stack([x, w])), gmm.IV(y, np.column_stack([centred, w]))
    assert_allclose(one.fit().bse[3], other.fit().bse[3], rtol=1e-11)


def test_samples_of_a_stack_are_as_they_are_alone() -> None:
    y, x, w, z = system()
    plain = np.column_stack([np.ones(N), np.random.default_rng(8).standard_normal((N, 2))])
    stack = gmm.IV(np.stack([y, y]), np.stack([x, plain]), w, z).fit()
    for row, exog in enumerate([x, plain]):
        alone = gmm.IV(y, exog, w, z).fit()
        assert_allclose(stack.params[row], alone.params, rtol=1e-10)
        assert_allclose(stack.bse[row], alone.bse, rtol=1e-10)
        assert_allclose(stack.j[row], alone.j, rtol=1e-9)
    shared = gmm.IV(np.stack([y, y + 1]), x, w, z).fit()
    assert_allclose(shared.bse[0], stack.bse[0], rtol=1e-10)


def test_other_coordinates_change_no_meaning() -> None:
    """Given weights, given S, tests and HAC mean what they mean for columns as they came."""
    y, _, w, z = system()
    near = np.column_stack([np.ones(N), 60 + np.random.default_rng(9).standard_normal(N)])
    model = gmm.IV(y, near, w, z)
    problem, _ = model.problem(None)
    assert model.coordinates(problem) is not None
    shifted = gmm.IV(y, near - [0.0, 60.0], w, z)
    move = np.eye(5)
    move[1, 0] = -60.0  # the moments of the shifted model from those of the other
    weights = np.diag([1.0, 2.0, 3.0, 4.0, 5.0])
    for one, other in [
        ({"weights": weights}, {"weights": np.linalg.inv(move).T @ weights @ np.linalg.inv(move)}),
        ({"cov": weights}, {"cov": move @ weights @ move.T}),
        ({"weights": gmm.HAC("bartlett", 2)}, {"weights": gmm.HAC("bartlett", 2)}),
    ]:
        first, second = model.fit(**one), shifted.fit(**other)
        assert_allclose(first.params[1:], second.params[1:], rtol=1e-9)
        assert_allclose(first.bse[1:], second.bse[1:], rtol=1e-9)
        restriction = np.array([[0.0, 1.0, -1.0]])
        if "weights" in one and first.j_test.reason == "":
            assert_allclose(
                first.distance_test(restriction).statistic,
                second.distance_test(restriction).statistic,
                rtol=1e-6,
            )
