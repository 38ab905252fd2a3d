"""_hac.py: kernels, bandwidths, prewhitening."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import lfilter

import gmm
from gmm.estimation.hac import KERNELS


def series(rho: float, n: int, count: int, q: int = 1, seed: int = 1) -> np.ndarray:
    """AR(1) moments (count, n, q) with unit shocks."""
    shocks = np.random.default_rng(seed).standard_normal((count, n + 100, q))
    return lfilter([1.0], [1.0, -rho], shocks, axis=1)[:, 100:]


def test_a_kernel_sum_is_its_definition() -> None:
    g = series(0.5, 40, 3, 2)
    m = 4
    s = gmm.HAC("bartlett", m).covariance(g)
    for sample, matrix in zip(g, s, strict=True):
        expected = np.zeros((2, 2))
        for i in range(40):
            for j in range(40):
                weight = max(0.0, 1 - abs(i - j) / (m + 1))
                expected += weight * np.outer(sample[i], sample[j]) / 40
        assert_allclose(matrix, expected, rtol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_weights_begin_at_one_and_fall(kernel: str) -> None:
    x = np.linspace(0, 0.99, 100)
    weights = KERNELS[kernel].weight(x)
    assert weights[0] == 1
    assert (np.diff(weights) < 0).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_positive_semidefinite_whatever_the_data(kernel: str) -> None:
    g = np.random.default_rng(3).standard_normal((200, 30, 3)) ** 3
    for bandwidth in (1, 4.5, 20, "auto", "andrews"):
        s = gmm.HAC(kernel, bandwidth).covariance(g)
        assert (np.linalg.eigvalsh(s) > -1e-10 * np.trace(s, axis1=1, axis2=2)[:, None]).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_bandwidth_zero_is_robust(kernel: str) -> None:
    g = series(0.5, 50, 2, 2)
    assert_allclose(gmm.HAC(kernel, 0).covariance(g), g.swapaxes(1, 2) @ g / 50, rtol=1e-14)


@pytest.mark.parametrize("bandwidth", ["newey-west", "andrews"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_automatic_bandwidths_are_chosen_for_each_sample(kernel: str, bandwidth: str) -> None:
    g = np.concatenate([series(rho, 300, 6) for rho in (0.2, 0.9)])
    hac = gmm.HAC(kernel, bandwidth)
    together = hac.covariance(g)
    for sample, matrix in zip(g, together, strict=True):
        assert_allclose(hac.covariance(sample[None])[0], matrix, rtol=1e-12)
    assert_allclose(hac.covariance(g, hac.widths(g)), together, rtol=1e-12)
    widths = hac.widths(g).reshape(2, 6).mean(axis=1)
    assert widths[0] < widths[1]


def test_andrews_bandwidth_by_hand() -> None:
    """His (6.4) for one AR(1): alpha(1) = 4 rho^2 / ((1 - rho)^2 (1 + rho)^2)."""
    g = series(0.6, 400, 1)
    x = g[0, :, 0]
    rho = x[1:] @ x[:-1] / (x[:-1] @ x[:-1])
    alpha1 = 4 * rho**2 / ((1 - rho) ** 2 * (1 + rho) ** 2)
    alpha2 = 4 * rho**2 / (1 - rho) ** 4
    bartlett = 1.1447 * (alpha1 * 400) ** (1 / 3)
    assert_allclose(gmm.HAC("bartlett", "andrews").widths(g), bartlett - 1, rtol=1e-12)
    spectral = 1.3221 * (alpha2 * 400) ** (1 / 5)
    assert_allclose(gmm.HAC("quadratic-spectral", "andrews").widths(g), spectral, rtol=1e-12)


@pytest.mark.parametrize("hac", [gmm.HAC("bartlett"), gmm.HAC("quadratic-spectral", "andrews")])
def test_prewhitening_removes_most_of_the_bias(hac: gmm.HAC) -> None:
    """The long-run variance of an AR(1) with coefficient 0.7 is 1 / 0.3^2."""
    g, truth = series(0.7, 400, 300), 1 / 0.09
    plain = hac.covariance(g).mean()
    white = gmm.HAC(hac.kernel, hac.bandwidth, prewhiten=True).covariance(g).mean()
    assert abs(white - truth) < abs(plain - truth) / 2


def test_prewhitening_survives_a_unit_root_and_a_missing_value() -> None:
    walk = np.random.default_rng(5).standard_normal((3, 200, 2)).cumsum(axis=1)
    walk[1, 5] = np.nan
    s = gmm.HAC("bartlett", 3, prewhiten=True).covariance(walk)
    assert np.isnan(s[1]).all()
    residual = np.diff(walk[[0, 2]], axis=1).var(axis=1)
    # The recoloring of a bounded root multiplies by at most 1 / 0.03^2.
    assert (np.diagonal(s[[0, 2]], axis1=1, axis2=2) < 10 * residual / 0.03**2).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kernel": "uniform"}, "'bartlett', 'parzen', 'quadratic-spectral'"),
        ({"bandwidth": "best"}, "'auto', 'newey-west', 'newey-west-lags'"),
        ({"bandwidth": -1}, "must not be negative"),
        ({"bandwidth": np.nan}, "must not be negative"),
    ],
)
def test_bad_options_say_what_is_wrong(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gmm.HAC(**options)
