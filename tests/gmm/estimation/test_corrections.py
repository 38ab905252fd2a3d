"""estimation/corrections.py: against the definition, by moving the weight of each observation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm

rng = np.random.default_rng(11)
N = 60
Z, U = rng.standard_normal((N, 3)), rng.standard_normal(N)
X = np.column_stack([np.ones(N), rng.standard_normal(N)])
W = Z @ [0.6, 0.5, 0.4] + U
# The third instrument is not valid: the moment conditions cannot all hold.
Y = 1 + 0.5 * W + U + 0.8 * Z[:, 2] + 0.5 * rng.standard_normal(N)
GROUPS = np.arange(N) // 5


def weighted(weights: np.ndarray, groups: np.ndarray | None, steps: int | None) -> np.ndarray:
    """GMM with observations that count so much; iterated if `steps` is None."""
    everything, regressors = np.column_stack([X, Z]), np.column_stack([X, W])
    codes = np.arange(N) if groups is None else groups
    zx = (everything * weights[:, None]).T @ regressors
    zy = (everything * weights[:, None]).T @ Y
    w = np.linalg.inv((everything * weights[:, None]).T @ everything)
    for _ in range(steps or 500):
        theta = np.linalg.solve(zx.T @ w @ zx, zx.T @ w @ zy)
        g = everything * (Y - regressors @ theta)[:, None]
        sums = np.zeros((codes.max() + 1, 5))
        np.add.at(sums, codes, g)
        counts = np.zeros(codes.max() + 1)
        counts[codes] = weights
        w = np.linalg.inv((sums * counts[:, None]).T @ sums)
    return theta


@pytest.mark.parametrize("kind", ["robust", "cluster"])
def test_misspecification_is_the_infinitesimal_jackknife(kind: str) -> None:
    """Hansen and Lee (2021): the variance that moving each observation's weight has."""
    groups = GROUPS if kind == "cluster" else None
    model = gmm.IV(Y, X, W, Z, clusters=groups)
    result = model.fit(steps="iterated", weights=kind, cov_formula="misspecification")
    codes, h, influences = np.arange(N) if groups is None else groups, 1e-4, []
    for c in range(codes.max() + 1):
        up, down = (np.where(codes == c, 1 + sign * h, 1.0) for sign in (1, -1))
        moved = weighted(up, groups, None) - weighted(down, groups, None)
        influences.append(moved / (2 * h))
    assert_allclose(result.cov, np.transpose(influences) @ influences, rtol=1e-5, atol=1e-10)
    plain = model.fit(steps="iterated", weights=kind)
    assert result.bse[2] > 1.1 * plain.bse[2]


def test_windmeijer_corrects_by_the_derivative_of_the_second_step() -> None:
    """Windmeijer (2005), with that derivative by differences of the estimates themselves."""
    everything, regressors = np.column_stack([X, Z]), np.column_stack([X, W])
    zx, zy = everything.T @ regressors / N, everything.T @ Y / N

    def second(first: np.ndarray) -> np.ndarray:
        g = everything * (Y - regressors @ first)[:, None]
        w = np.linalg.inv(g.T @ g / N)
        return np.linalg.solve(zx.T @ w @ zx, zx.T @ w @ zy)

    one = gmm.IV(Y, X, W, Z).fit(steps=1)
    h = 1e-6
    d = np.stack([(second(one.params + e) - second(one.params - e)) / (2 * h)
                  for e in h * np.eye(3)], axis=1)  # fmt: skip
    g = everything * (Y - regressors @ one.params)[:, None]
    v2 = np.linalg.inv(zx.T @ np.linalg.solve(g.T @ g / N, zx)) / N
    expected = v2 + d @ v2 + v2 @ d.T + d @ one.cov @ d.T
    result = gmm.IV(Y, X, W, Z).fit(cov_formula="windmeijer")
    assert_allclose(result.cov, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["robust", "cluster", "unadjusted"])
def test_scores_give_the_sandwich_where_nothing_is_chosen(kind: str) -> None:
    model = gmm.IV(Y, X, W, Z, clusters=GROUPS)
    scores = model.fit(cov=kind, cov_formula="scores")
    assert_allclose(scores.cov, model.fit(cov=kind).cov, rtol=1e-9)


def test_corrections_say_when_they_do_not_apply() -> None:
    model = gmm.IV(Y, X, W, Z)
    with pytest.raises(ValueError, match="two-step estimates"):
        model.fit(steps=1, cov_formula="windmeijer")
    with pytest.raises(ValueError, match="iterated estimates"):
        model.fit(cov_formula="misspecification")
    with pytest.raises(ValueError, match="'robust' or 'cluster'"):
        model.fit(steps="iterated", weights="unadjusted", cov_formula="misspecification")
    with pytest.raises(ValueError, match="linear models"):
        gmm.Gamma([1.0, 2.0, 4.0, 3.0]).fit(cov="hc3")
