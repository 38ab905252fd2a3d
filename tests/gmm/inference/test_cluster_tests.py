"""First stages and Anderson-Rubin with clusters: Stata's factor, and F(l, G - 1)."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from scipy import special

import gmm


def clustered(rng: np.random.Generator, samples: int, groups: int, size: int) -> dict[str, Any]:
    """Instruments and errors that groups share, and regressors that instruments explain."""
    shape, codes = (samples, groups * size), np.repeat(np.arange(groups), size)
    common = rng.standard_normal((samples, groups, 4))[:, codes]
    z = common[..., :3] + 0.3 * rng.standard_normal((*shape, 3))
    u = common[..., 3] + 0.3 * rng.standard_normal(shape)
    w = z.sum(axis=-1) + u
    return {"y": u, "w": w, "z": z, "clusters": codes}


def test_the_test_is_that_of_the_regression() -> None:
    """y - W values on X and Z by least squares, and a Wald test of Z in it."""
    data = clustered(np.random.default_rng(1), 1, 12, 5)
    y, w, z = data["y"][0], data["w"][0], data["z"][0]
    ones = np.ones((60, 1))
    model = gmm.IV(y, ones, w, z, clusters=data["clusters"])
    regression = gmm.IV(w, np.column_stack([ones, z]), clusters=data["clusters"])
    fit = regression.fit(cov="cluster", small_sample="cluster")
    own = fit.wald_test(np.eye(4)[1:])
    test = model.fit().first_stage("cluster")["endog0"]
    assert_allclose(test.statistic, own.statistic, rtol=1e-12)
    assert (test.df, test.df_denom) == (3, 11)
    ar = model.fit().anderson_rubin(0.0, cov="cluster")
    assert (ar.df, ar.df_denom) == (3, 11)
    # The factor against the plain one: G / (G - 1) (n - 1) / (n - k).
    plain = regression.fit(cov="cluster").wald_test(np.eye(4)[1:])
    assert_allclose(plain.statistic / 3 / (12 / 11 * 59 / 56), test.statistic, rtol=1e-12)
    robust = model.fit().first_stage("robust")["endog0"]
    assert (robust.df, robust.df_denom) == (3, 56)


def test_two_ways_take_the_coarser() -> None:
    data = clustered(np.random.default_rng(2), 1, 12, 5)
    both = np.column_stack([data["clusters"], np.arange(60) % 7])
    model = gmm.IV(data["y"][0], np.ones((60, 1)), data["w"][0], data["z"][0], clusters=both)
    assert model.fit(steps=1).first_stage("cluster")["endog0"].df_denom == 6


def test_size_with_few_clusters() -> None:
    """F(l, G - 1) rejects less than F(l, n - k) would; with many clusters it has its level."""
    rates = {}
    for groups in (12, 200):
        data = clustered(np.random.default_rng(3), 1000, groups, 5)
        ones = np.ones((groups * 5, 1))
        model = gmm.IV(data["y"], ones, data["w"], data["z"], clusters=data["clusters"])
        test = model.fit(steps=1).anderson_rubin(0.0, cov="cluster")
        rates[groups] = float((test.pvalue < 0.05).mean())
        factor = groups / (groups - 1) * (groups * 5 - 1) / (groups * 5 - 4)
        without = special.fdtrc(3, groups * 5 - 4, np.asarray(test.statistic) * factor)
        rates[-groups] = float((without < 0.05).mean())
    assert 0.03 < rates[200] < 0.08
    assert rates[12] < 0.75 * rates[-12]
