"""models/gaussian_theory.py against published values and integrals."""

import numpy as np
import pytest
from scipy import stats

from gmm.models.gaussian_theory import (
    _gamma_ratio,
    coverage_of_mean,
    sigma_bias,
    sigma_variance,
    theory,
)


@pytest.mark.parametrize(
    ("n", "coverage"),
    [
        (50, 0.9418911224185447),
        (100, 0.946016516872403),
        (500, 0.9492177608882222),
        (1000, 0.9496116807498901),
    ],
)
def test_coverage_of_the_mean_is_a_students_t_probability(n: int, coverage: float) -> None:
    assert coverage_of_mean(n) == pytest.approx(coverage, rel=1e-14)
    t = stats.t(n - 1)
    assert coverage_of_mean(n) == pytest.approx(1 - 2 * t.sf(1.96 * np.sqrt((n - 1) / n)))


@pytest.mark.parametrize("n", [3, 10, 100, 300, 302, 500])
def test_moments_of_sigma_are_those_of_a_scaled_chi(n: int) -> None:
    chi = stats.chi(n - 1, scale=n**-0.5)
    assert 1 + sigma_bias(n) == pytest.approx(chi.mean(), rel=1e-12)
    assert sigma_variance(n) == pytest.approx(chi.var(), rel=1e-8)


@pytest.mark.parametrize("n", [3, 50, 500, 10**6, 10**9])
def test_mean_square_of_sigma_is_exact(n: int) -> None:
    """E sigma_hat^2 = E v_hat = (n - 1) / n."""
    assert sigma_variance(n) + (1 + sigma_bias(n)) ** 2 == pytest.approx((n - 1) / n, rel=1e-15)


def test_large_samples_keep_their_digits() -> None:
    """bias -> -3 / (4 n), variance -> 1 / (2 n): a difference of lgamma would have lost them."""
    n = 10**9
    assert sigma_bias(n) == pytest.approx(-0.75 / n, rel=1e-8)
    assert sigma_variance(n) == pytest.approx(0.5 / n, rel=1e-8)


def test_the_two_formulas_for_the_gamma_ratio_meet() -> None:
    below, above = _gamma_ratio(150 - 1e-9), _gamma_ratio(150.0)
    assert below == pytest.approx(above, rel=1e-9)


def test_rmse_joins_bias_and_sd() -> None:
    for name in ("mu", "sigma"):
        row = {key: reference.value for key, reference in theory(2, 40)[name].items()}
        assert row["rmse"] ** 2 == pytest.approx(row["sd"] ** 2 + row["bias"] ** 2)
