"""models/system.py and models/factors.py: linearmodels 7.1, stacks, derivatives."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm
from gmm.estimation.jacobian import central_differences

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from linearmodels.asset_pricing import LinearFactorModelGMM
    from linearmodels.datasets import french
    from linearmodels.system import IV3SLS, SUR, IVSystemGMM


def market(samples: tuple[int, ...] = ()) -> dict[str, tuple[np.ndarray, ...]]:
    """Demand and supply of a good, overidentified."""
    rng = np.random.default_rng(4)
    income, cost, u, v = rng.standard_normal((4, *samples, 200))
    v = 0.6 * u + 0.8 * v
    price = (2 + income + cost + u - v) / 2
    quantity = 10 - price + income + u
    other = rng.standard_normal((*samples, 200, 2)) + cost[..., np.newaxis]
    ones = np.ones_like(income)

    def beside(*columns: np.ndarray) -> np.ndarray:
        parts = [c if c.ndim > income.ndim else c[..., np.newaxis] for c in columns]
        return np.concatenate(parts, axis=-1)

    return {
        "demand": (quantity, beside(ones, income), price, beside(cost, other)),
        "supply": (quantity, beside(ones, cost), price, beside(income, other)),
    }


EQUATIONS = market()
SYSTEM = gmm.System({name: gmm.IV(*data) for name, data in EQUATIONS.items()})
PEER = {
    name: dict(zip(("dependent", "exog", "endog", "instruments"), data, strict=True))
    for name, data in EQUATIONS.items()
}


@pytest.mark.parametrize("iterate", [False, True])
def test_three_stage_least_squares_is_that_of_linearmodels(iterate: bool) -> None:
    theirs = IV3SLS(PEER).fit(cov_type="unadjusted", iterate=iterate, tol=1e-12, iter_limit=1000)
    steps = "iterated" if iterate else 2
    ours = SYSTEM.fit(steps=steps, weights="unadjusted", cov_formula="weights")
    assert_allclose(ours.params, theirs.params, rtol=1e-8)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-8)


def test_system_gmm_is_that_of_linearmodels() -> None:
    theirs = IVSystemGMM(PEER).fit(cov_type="robust")
    ours = SYSTEM.fit()
    assert_allclose(ours.params, theirs.params, rtol=1e-10)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-10)
    assert_allclose(ours.j, theirs.j_stat.stat, rtol=1e-9)


def test_seemingly_unrelated_regressions_are_those_of_linearmodels() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 100, 2)), rng.standard_normal((100, 2)) @ [[1, 0.7], [0, 1]]
    theirs = SUR({"a": (y[:, 0], x[0]), "b": (y[:, 1], x[1])}).fit(cov_type="unadjusted")
    # As instruments of each equation, the regressors of both.
    system = gmm.System({
        "a": gmm.IV(y[:, 0], x[0], None, x[1]), "b": gmm.IV(y[:, 1], x[1], None, x[0])
    })  # fmt: skip
    ours = system.fit(weights="unadjusted", cov_formula="weights")
    assert_allclose(ours.params, theirs.params, rtol=1e-10)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-10)


def test_one_step_is_each_equation_alone() -> None:
    together = SYSTEM.fit(steps=1)
    apart = [gmm.IV(*data).fit(steps=1) for data in EQUATIONS.values()]
    assert_allclose(together.params, np.concatenate([one.params for one in apart]), rtol=1e-10)
    assert_allclose(together.bse, np.concatenate([one.bse for one in apart]), rtol=1e-9)


def test_a_stack_of_systems_is_its_samples() -> None:
    many = market((4,))
    together = gmm.System({name: gmm.IV(*data) for name, data in many.items()}).fit()
    for r in range(4):
        one = gmm.System({k: gmm.IV(*(a[r] for a in data)) for k, data in many.items()}).fit()
        assert_allclose(together.params[r], one.params, rtol=1e-9)


def test_restrictions_across_equations_are_named() -> None:
    difference = np.zeros(6)
    difference[2], difference[5] = 1, -1
    assert SYSTEM.fit().wald_test(difference).null == "demand: endog0 - supply: endog0 = 0"


def test_equations_must_fit_together() -> None:
    short = gmm.IV(*(a[:100] for a in EQUATIONS["demand"]))
    with pytest.raises(ValueError, match="'b' has 100 observations, the first one 200"):
        gmm.System({"a": gmm.IV(*EQUATIONS["demand"]), "b": short})
    with pytest.raises(ValueError, match="no equations"):
        gmm.System({})


@pytest.mark.parametrize("risk_free", [False, True])
def test_factor_model_is_that_of_linearmodels(risk_free: bool) -> None:
    """Whose search is general: it ends a little above our minimum."""
    data = french.load()
    portfolios, factors = data[["S1M1", "S1M5", "S3M3", "S5M1", "S5M5"]], data[["MktRF", "SMB"]]
    theirs = LinearFactorModelGMM(portfolios, factors, risk_free=risk_free).fit(
        disp=0, debiased=False, opt_options={"options": {"gtol": 1e-9}}
    )
    ours = gmm.LinearFactorModel(portfolios, factors, risk_free).fit(center=True)
    premia = ours.params.filter(like="premium"), ours.bse.filter(like="premium")
    assert_allclose(premia[0], theirs.risk_premia, rtol=1e-3)
    assert_allclose(premia[1], theirs.risk_premia_se, rtol=1e-3)
    assert_allclose(ours.j, theirs.j_statistic.stat, rtol=1e-5)
    assert ours.j < theirs.j_statistic.stat + 1e-9


@pytest.mark.parametrize("risk_free", [False, True])
def test_derivatives_of_factor_moments_and_stacks(risk_free: bool) -> None:
    rng = np.random.default_rng(6)
    factors = 1 + 2 * rng.standard_normal((3, 150, 2))
    returns = factors @ rng.uniform(0.5, 1.5, (2, 5)) + rng.standard_normal((3, 150, 5))
    model = gmm.LinearFactorModel(returns, factors, risk_free)
    problem, start = model.problem(None)
    numeric = central_differences(problem.moments, start)
    assert_allclose(problem.jacobian(start), numeric, atol=1e-8)
    many = model.fit()
    one = gmm.LinearFactorModel(returns[1], factors[1], risk_free).fit()
    assert many.converged.all()
    assert_allclose(many.params[1], one.params, rtol=1e-6)
