"""The ready-made models: derivatives, batches, other roads to the same estimate, mistakes."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import gmm
from gmm.estimation.jacobian import central_differences
from gmm.estimation.model import Model
from gmm.models.euler import Lognormal

from ..datasets import doctor_visits


def economy(samples: tuple[int, ...] = (), n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    return Lognormal().sample(np.random.default_rng(1), (*samples, n))


def counts(samples: tuple[int, ...] = (), n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = np.stack([np.ones((*samples, n)), rng.standard_normal((*samples, n))], axis=-1)
    return rng.poisson(np.exp(x @ [0.5, 0.3])).astype(float), x


def arrays(samples: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    y, x = counts(samples)
    growth, returns = economy(samples)
    second = returns * np.exp(0.1 * np.random.default_rng(3).standard_normal(returns.shape) - 0.005)
    return {
        "y": y,
        "x": x,
        "growth": growth,
        "returns": np.stack([returns, second], axis=-1),
        "noise": np.random.default_rng(4).standard_normal((*y.shape, 2)),
        "durations": np.random.default_rng(5).gamma(3.0, 2.0, (*samples, 150)),
    }


def models(a: dict[str, np.ndarray]) -> dict[str, Model]:
    y, x, noise = a["y"], a["x"], a["noise"]
    return {
        "multiplicative": gmm.ExponentialRegression(y, x, instruments=noise),
        "additive": gmm.ExponentialRegression(y, x, instruments=noise, error="additive"),
        "gamma": gmm.Gamma(a["durations"], moments=("mean", "log", "square", "inverse")),
        "euler": gmm.EulerEquation(a["growth"], a["returns"][..., 0]),
        "two assets": gmm.EulerEquation(a["growth"], a["returns"], lags=2),
        "iv": gmm.IV(y, x[..., :1], x[..., 1], noise),
    }


NAMES = list(models(arrays()))


@pytest.mark.parametrize("name", NAMES)
def test_the_jacobian_is_the_derivative(name: str) -> None:
    problem, start = models(arrays((4,)))[name].problem(None)
    theta = start + 0.1
    expected = central_differences(problem.moments, theta)
    scale = np.abs(expected).max()
    assert_allclose(problem.jacobian(theta), expected, atol=1e-7 * scale)
    few = problem.take(np.array([3, 1]))
    assert_allclose(few.jacobian(theta[[3, 1]]), problem.jacobian(theta)[[3, 1]], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_moments_and_their_covariance_are_those_of_the_contributions(name: str) -> None:
    problem, start = models(arrays((3,)))[name].problem(None)
    theta = start + 0.1
    g = problem.contributions(theta, slice(None))
    assert g.shape == (3, problem.n, problem.q)
    assert_allclose(problem.moments(theta), g.mean(axis=1), rtol=1e-9, atol=1e-10)
    for center in (False, True):
        d = g - center * g.mean(axis=1, keepdims=True)
        expected = d.swapaxes(1, 2) @ d / problem.n
        assert_allclose(problem.robust(theta, center), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 2, "iterated", "cue"])
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_single_fits(name: str, steps: int | str) -> None:
    data = arrays((2, 2))
    batch = models(data)[name].fit(steps=steps)
    assert batch.params.shape == (2, 2, 2)
    assert batch.converged.all()
    for index in np.ndindex(2, 2):
        single = models({key: array[index] for key, array in data.items()})[name].fit(steps=steps)
        assert_allclose(single.params, batch.params[index], rtol=1e-6, atol=1e-8)
        assert_allclose(single.bse, batch.bse[index], rtol=1e-6)


def test_additive_errors_are_poisson_regression() -> None:
    """The same first-order conditions; the sandwich is its HC0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as sm
    data = doctor_visits()
    x = data[["private", "aget", "educyr", "totchr", "const"]]
    peer = sm.GLM(data["docvis"], x, family=sm.families.Poisson()).fit(cov_type="HC0", tol=1e-12)
    ours = gmm.ExponentialRegression(data["docvis"], x, error="additive").fit()
    assert_allclose(ours.params, peer.params, rtol=1e-8)
    assert_allclose(ours.bse, peer.bse, rtol=1e-7)
    formula = "docvis ~ private + aget + educyr + totchr"
    again = gmm.ExponentialRegression.from_formula(formula, data, error="additive").fit()
    assert_allclose(again.params["private"], ours.params["private"], rtol=1e-9)


def test_mean_and_log_are_maximum_likelihood_of_gamma() -> None:
    x = np.random.default_rng(6).gamma(0.7, 3.0, 500)
    shape, _, scale = stats.gamma.fit(x, floc=0)
    assert_allclose(gmm.Gamma(x).fit().params, [shape, scale], rtol=1e-5)
    scaled = gmm.Gamma(pd.Series(1000 * x)).fit()
    assert_allclose(scaled.params["shape"], gmm.Gamma(x).fit().params[0], rtol=1e-8)


@pytest.mark.parametrize(("lags", "df"), [(1, 1), (2, 3), (4, 7), (6, 11)])
def test_hansen_and_singleton(lags: int, df: int) -> None:
    """Table I of 1982, nondurables and value-weighted returns: no data, so their like.

    239 months with the moments of monthly consumption growth and stock returns: degrees of
    freedom 1, 3, 7, 11, discount factors 0.9976 to 0.9985, and standard errors of alpha of 0.64
    to 0.78 there.
    """
    months = Lognormal(alpha=-0.95, beta=0.998, mean=0.0023, rho=-0.3, sigma=0.0042, noise=0.041)
    growth, returns = months.sample(np.random.default_rng(lags), (300, 239))
    result = gmm.EulerEquation(growth, returns, lags=lags).fit()
    assert result.converged.mean() > 0.99
    assert result.j_test.df == df
    alpha, beta = np.nanmedian(result.params, axis=0)
    assert abs(beta - 0.998) < 2e-3
    assert 0.5 < np.nanmedian(result.bse[:, 0]) / 0.7 < 5
    assert abs(alpha + 0.95) < 1.5
    rejected = np.nanmean(result.j_test.pvalue < 0.05)
    assert rejected < 0.15


def test_homoskedastic_weights_of_several_residuals_are_a_kronecker_product() -> None:
    growth, returns = economy()
    model = gmm.EulerEquation(growth, np.stack([returns, returns**0.5], axis=-1), lags=1)
    problem, start = model.problem(None)
    u = problem.residuals(start, slice(None))[0]
    z = problem.z[0]
    expected = np.kron(u.T @ u / problem.n, z.T @ z / problem.n)
    assert_allclose(problem.unadjusted(start)[0], expected, rtol=1e-12)
    assert model.moment_names[:2] == ("return0 x 1", "return0 x growth.L1")


def test_instruments_are_lags_and_nothing_later() -> None:
    growth, returns = economy(n=6)
    problem, _ = gmm.EulerEquation(growth, returns, lags=2).problem(None)
    np.testing.assert_array_equal(problem.growth[0], growth[2:])
    np.testing.assert_array_equal(problem.z[0, :, 1], growth[1:5])
    np.testing.assert_array_equal(problem.z[0, :, 3], growth[:4])
    np.testing.assert_array_equal(problem.z[0, :, 4], returns[:4])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gmm.Gamma([1.0, 2.0], moments=("mean",)), "two or more"),
        (lambda: gmm.Gamma([1.0, 2.0], moments=("mean", "cube")), "'mean', 'log', 'square'"),
        (lambda: gmm.EulerEquation([1.0, 1.1], [1.0, 1.0], lags=5), "from 0 to 0"),
        (lambda: gmm.EulerEquation([1.0] * 9, [1.0] * 9, lags=0), "one moment for two"),
        (lambda: gmm.EulerEquation([1.0] * 9, [1.0] * 8), "returns has shape"),
        (
            lambda: gmm.ExponentialRegression([1.0] * 9, np.ones((9, 1)), error="other"),
            "'additive'",
        ),
        (lambda: gmm.ExponentialRegression([1.0] * 9), "no regressors"),
        (lambda: gmm.ExponentialRegression([1.0] * 9, endog=np.ones(9)), "0 instruments"),
    ],
)
def test_bad_arguments_say_what_is_wrong(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_values_outside_the_model_are_recorded() -> None:
    """log of a negative duration, growth of zero: a status, not an exception or a warning."""
    x = np.random.default_rng(7).gamma(2.0, 1.0, (2, 50))
    x[0, 3] = -1.0
    assert gmm.Gamma(x).fit().converged.tolist() == [False, True]
    growth, returns = economy((2,))
    growth[1, 10] = 0.0
    assert gmm.EulerEquation(growth, returns).fit().converged.tolist() == [True, False]
