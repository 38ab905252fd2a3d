"""Sampling distributions that theory gives, exactly or in the limit, against simulation.

Every comparison with a simulated figure is within four Monte Carlo standard errors.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

import gmm
from gmm.models import exponential, gamma
from gmm.models.euler import Lognormal

from ..gaussian_moments import g, jacobian, sample_moments, samples, three, two

CRITICAL = 3.8414588206941285


def assert_rate(hits: np.ndarray, expected: float) -> None:
    """A share is within four standard errors of what is expected."""
    error = np.sqrt(expected * (1 - expected) / hits.size)
    assert abs(hits.mean() - expected) < 4 * error, (hits.mean(), expected, error)


def assert_variance(errors: np.ndarray, expected: float, slack: float = 0.0) -> None:
    """So is a mean square, up to `slack`, a relative distance of the sample size from the limit."""
    squares = errors**2
    error = squares.std() / np.sqrt(squares.size)
    assert abs(squares.mean() - expected) < 4 * error + slack * expected, (squares.mean(), expected)


def common_mean(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Two means, one parameter."""
    return data - theta[..., None, :]


@pytest.mark.parametrize(
    ("n", "centered", "uncentered"),
    [
        (20, 0.07130141804967868, 0.04689715387383348),
        (50, 0.05811332534655027, 0.04893416834286673),
        (100, 0.05398781420697521, 0.0494932488111664),
        (500, 0.050786473468095235, 0.04990263940311377),
    ],
)
def test_two_means_with_a_common_parameter(n: int, centered: float, uncentered: float) -> None:
    """J_c = n / (n - 1) t(n - 1)^2 exactly, and J_u = J_c / (1 + J_c / n)."""
    replications = 10_000 if n < 500 else 2_000
    data = np.random.default_rng(n).standard_normal((replications, n, 2))
    model = gmm.Moments(common_mean, data)
    j_c = model.fit([0.0], center=True).j
    j_u = model.fit([0.0]).j
    # The difference d of the two has J_c = mean(d)^2 / (var(d) / n): W of any first step.
    d = data[..., 0] - data[..., 1]
    assert_allclose(j_c, n * d.mean(axis=1) ** 2 / d.var(axis=1), rtol=1e-7, atol=1e-12)
    assert_allclose(j_u, j_c / (1 + j_c / n), rtol=1e-7, atol=1e-12)
    assert_rate(j_c > CRITICAL, centered)
    assert_rate(j_u > CRITICAL, uncentered)
    t = np.sqrt(CRITICAL * (n - 1) / n)
    assert_allclose(2 * special.stdtr(n - 1, -t), centered, rtol=1e-12)


def test_known_weights_make_j_exactly_chi_squared() -> None:
    data = np.random.default_rng(1).standard_normal((8_000, 10, 2))
    result = gmm.Moments(common_mean, data).fit([0.0], weights=np.eye(2))
    assert result.j_test.reason == ""
    assert_rate(result.j_test.pvalue < 0.05, 0.05)
    assert_rate(result.j_test.pvalue < 0.5, 0.5)
    assert_variance(result.params[:, 0], 1 / 20)


def test_coverage_of_the_mean_is_students() -> None:
    """P(|t(n - 1)| < 1.96 sqrt((n - 1) / n)) for n = 50, from exactly identified moments."""
    result = gmm.Moments(two, samples(10_000, 50, seed=5)).fit([0.0, 1.0])
    covered = np.abs(result.params[:, 0]) < 1.96 * result.bse[:, 0]
    assert_rate(covered, 0.9418911224185447)
    v = result.params[:, 1]
    assert_variance(v - 49 / 50, 2 * 49 / 50**2)


@pytest.mark.parametrize(
    ("q", "weights", "expected"),
    [
        (3, "efficient", (1.0, 2.0)),
        (4, "efficient", (1.0, 2.0)),
        (3, "identity", (1.54, 2.0)),
        (4, "identity", (1.54, 2.6311176040905773)),
        (3, "diagonal", (1.09375, 2.0)),
        (4, "diagonal", (1.09375, 2.1224489795918364)),
    ],
)
def test_sandwich_with_weights_that_are_not_efficient(
    q: int, weights: str, expected: tuple[float, float]
) -> None:
    """n V tends to (G'WG)^-1 G'WSWG (G'WG)^-1; an efficient-weights formula misses it by far.

    One sample of 100 000 quantiles stands for the distribution itself.
    """
    n = 100_000
    data = special.ndtri((np.arange(n) + 0.5) / n)[:, None]
    s = np.array([[1, 0, 3, 0], [0, 2, 0, 12], [3, 0, 15, 0], [0, 12, 0, 96.0]])[:q, :q]
    w = {
        "efficient": np.linalg.inv(s),
        "identity": np.eye(q),
        "diagonal": np.diag(1 / np.diag(s)),
    }[weights]
    function = {3: three, 4: g}[q]
    derivative = {3: lambda theta, data: jacobian(theta, data)[..., :3, :], 4: jacobian}[q]
    result = gmm.Moments(function, data, derivative).fit([0.0, 1.0], weights=w)
    assert_allclose(result.params, [0, 1], atol=1e-3)
    # The quantiles cut the tails off: an eighth moment of 105 is short by two percent.
    assert_allclose(n * np.diag(result.cov), expected, rtol=0.03)


@pytest.mark.parametrize(
    ("q", "n", "replications", "reference"),
    [
        (
            3,
            100,
            4000,
            {"j": 1.058, "size": 0.045, "coverage": (0.929, 0.853), "nvar": (1.04, 2.04)},
        ),
        (
            3,
            400,
            2000,
            {"j": 1.032, "size": 0.049, "coverage": (0.940, 0.918), "nvar": (1.06, 2.07)},
        ),
        (
            4,
            400,
            1000,
            {"j": 2.68, "size": 0.111, "coverage": (0.940, 0.869), "nvar": (1.04, 2.20)},
        ),
    ],
)
def test_finite_samples(q: int, n: int, replications: int, reference: dict) -> None:
    """Two-step with centered S at the sample moments; the reference comes from 4000 replications

    of another program, whose own Monte Carlo errors add to ours.
    """
    data = samples(replications, n, seed=12345)
    derivative = {3: lambda theta, data: jacobian(theta, data)[..., :3, :], 4: jacobian}[q]
    model = gmm.Moments({3: three, 4: g}[q], data, derivative, names=["mu", "v"])
    result = model.fit(
        sample_moments(data), steps=1, initial="start", center=True, cov_formula="efficient"
    )
    ok = result.converged
    assert ok.mean() > 0.998
    widen = np.sqrt(1 + replications / 4000)

    def near(values: np.ndarray, expected: float, rounded: float) -> None:
        error = widen * values.std() / np.sqrt(values.size)
        assert abs(values.mean() - expected) < 4 * error + rounded

    near(result.j[ok], reference["j"], 5e-3)
    near(result.j_test.pvalue[ok] < 0.05, reference["size"], 5e-4)
    errors = result.params[ok] - [0.0, 1.0]
    for i in range(2):
        near(np.abs(errors[:, i]) < 1.96 * result.bse[ok, i], reference["coverage"][i], 5e-4)
        near(n * (errors[:, i] - errors[:, i].mean()) ** 2, reference["nvar"][i], 0.03)


def test_damped_steps_lose_no_replication() -> None:
    """With four moments and n = 100, undamped Gauss-Newton loses 12 %."""
    data = samples(1000, 100, seed=7)
    bounds = {"v": (0, None)}
    model = gmm.Moments(g, data, jacobian, names=["mu", "v"], bounds=bounds)
    result = model.fit(sample_moments(data), steps=1, initial="start", center=True)
    assert result.converged.all()


GAMMA = [("mean", "log"), ("mean", "square"), ("mean", "log", "square")]


@pytest.mark.parametrize("moments", GAMMA, ids="-".join)
def test_gamma_reaches_its_limit(moments: tuple[str, ...]) -> None:
    n = 2000
    x = np.random.default_rng(2).gamma(3.0, 2.0, size=(1000, n))
    result = gmm.Gamma(x, moments=moments).fit()
    limit = gamma.asymptotic_cov(3.0, 2.0, moments)
    assert result.converged.all()
    for i, truth in enumerate((3.0, 2.0)):
        assert_variance(np.sqrt(n) * (result.params[:, i] - truth), limit[i, i], slack=0.03)
    assert_allclose(n * result.cov.mean(axis=0), limit, rtol=0.05)


def test_moments_beyond_the_score_add_nothing_to_gamma() -> None:
    """The limit is maximum likelihood's inverse information."""
    information = np.array([[special.polygamma(1, 3.0), 0.5], [0.5, 3.0 / 4.0]])
    for moments in (GAMMA[0], GAMMA[2], ("mean", "log", "square", "inverse")):
        limit = gamma.asymptotic_cov(3.0, 2.0, moments)
        assert_allclose(limit, np.linalg.inv(information), rtol=1e-8)
    worse = gamma.asymptotic_cov(3.0, 2.0, GAMMA[1]) - np.linalg.inv(information)
    eigenvalues = np.linalg.eigvalsh(worse)
    assert eigenvalues[0] > -1e-12
    assert eigenvalues[1] > 1


@pytest.mark.parametrize("error", ["multiplicative", "additive"])
def test_exponential_regression_reaches_its_limit(error: str) -> None:
    n, theta, rng = 1000, np.array([0.5, 0.4]), np.random.default_rng(3)
    x = rng.standard_normal((800, n))
    x = np.stack([np.ones_like(x), x], axis=-1)
    mean = np.exp(x @ theta)
    if error == "additive":
        y, variance = rng.poisson(mean).astype(float), 1.0
    else:
        y, variance = mean * rng.gamma(4.0, 0.25, size=mean.shape), 0.25
    result = gmm.ExponentialRegression(y, x, error=error).fit()
    assert result.converged.all()
    limit = exponential.asymptotic_cov(theta, error, variance)
    for i in range(2):
        assert_variance(np.sqrt(n) * (result.params[:, i] - theta[i]), limit[i, i], slack=0.02)
    assert_allclose(n * result.cov.mean(axis=0), limit, rtol=0.05, atol=0.01)


def test_euler_equation_reaches_its_limit() -> None:
    n, economy = 1000, Lognormal()
    growth, returns = economy.sample(np.random.default_rng(4), (800, n))
    result = gmm.EulerEquation(growth, returns).fit()
    assert result.converged.all()
    limit = economy.asymptotic_cov()
    for i, truth in enumerate((economy.alpha, economy.beta)):
        assert_variance(np.sqrt(n) * (result.params[:, i] - truth), limit[i, i], slack=0.03)
    assert_rate(result.j_test.pvalue < 0.05, 0.05)


def test_two_stage_least_squares_reaches_its_limit() -> None:
    """sigma^2 / (n pi' Szz pi), and the size of J, with strong instruments."""
    n, rng = 400, np.random.default_rng(6)
    z, u = rng.standard_normal((2000, n, 3)), rng.standard_normal((2000, n))
    w = z.sum(axis=-1) + u + rng.standard_normal((2000, n))
    result = gmm.IV(0.5 * w + u, endog=w, instruments=z).fit(weights="unadjusted")
    assert_variance(np.sqrt(n) * (result.params[:, 0] - 0.5), 1 / 3, slack=0.02)
    assert_rate(result.j_test.pvalue < 0.05, 0.05)
