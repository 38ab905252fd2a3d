"""No test answers with what rounding has left of collinear instruments; each names them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gmm

TESTS: dict[str, Callable[[Any], Any]] = {
    "first stage": lambda r: r.first_stage()["endog0"],
    "first stage, robust": lambda r: r.first_stage("robust")["endog0"],
    "Kleibergen-Paap": lambda r: r.kleibergen_paap(),
    "Kleibergen-Paap, LM": lambda r: r.kleibergen_paap("unadjusted", "lm"),
    "effective F": lambda r: r.effective_f(),
    "Stock-Yogo": lambda r: r.stock_yogo(),
    "Wu-Hausman": lambda r: r.wu_hausman(),
    "Durbin": lambda r: r.durbin(),
    "Sargan": lambda r: r.sargan(),
    "Basmann": lambda r: r.basmann(),
    "C": lambda r: r.c_test(),
    "Wald": lambda r: r.wald_test([0, 1]),
    "bootstrap": lambda r: r.wild_bootstrap([0, 1], draws=99, seed=1),
    "AR bootstrap": lambda r: r.anderson_rubin_bootstrap(2.0, draws=99, seed=1),
    "Anderson-Rubin": lambda r: r.anderson_rubin(2.0),
    "Anderson-Rubin, robust": lambda r: r.anderson_rubin(2.0, "robust"),
    "K": lambda r: r.k_test(2.0),
    "CLR, robust": lambda r: r.clr_test(2.0, "robust"),
}


def data(samples: int = 3) -> Any:
    """The second sample's third instrument is the difference of the others, to rounding."""
    rng = np.random.default_rng(0)
    z, v = rng.standard_normal((samples, 100, 3)), rng.standard_normal((samples, 100))
    w = 0.5 * z.sum(axis=-1) + v
    y = 1 + 2 * w + 0.8 * v + rng.standard_normal((samples, 100))
    z[1, :, 2] = z[1, :, 0] - z[1, :, 1]
    return y, np.ones((100, 1)), w, z


@pytest.mark.parametrize("name", TESTS)
def test_a_bad_slice_is_nan_and_alone_says_why(name: str) -> None:
    y, x, w, z = data()
    many = TESTS[name](gmm.IV(y, x, w, z).fit(steps=1))
    np.testing.assert_array_equal(np.isnan(many.statistic), [False, True, False])
    alone = TESTS[name](gmm.IV(y[1], x, w[1], z[1]).fit(steps=1))
    assert np.isnan(alone.statistic)
    assert "instr2 = instr0 - instr1" in str(alone)


@pytest.mark.parametrize("name", TESTS)
def test_data_that_are_not_finite_are_named(name: str) -> None:
    y, x, w, z = data()
    y[0, 3] = np.nan
    w[0, 3] = np.nan
    alone = TESTS[name](gmm.IV(y[0], x, w[0], z[0]).fit(steps=1))
    assert np.isnan(alone.statistic)
    assert "none, " in str(alone)


@pytest.mark.parametrize("kind", [gmm.KClass, gmm.JIVE])
def test_estimators_that_make_instruments_fail_as_all_do(kind: Any) -> None:
    y, x, w, z = data()
    many = kind(y, x, w, z).fit()
    assert many.status.tolist() == [gmm.Status.OK, gmm.Status.SINGULAR, gmm.Status.OK]
    y[2, 5] = np.inf
    status = kind(y, x, w, z).fit().status.tolist()
    assert status == [gmm.Status.OK, gmm.Status.SINGULAR, gmm.Status.NON_FINITE]
