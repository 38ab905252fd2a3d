"""models/k_class.py: gretl, linearmodels and ivmodels on the sample of the peers; stacks."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm
from gmm.models.k_class import Jackknife

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from linearmodels.iv import IVLIML


def sample(samples: tuple[int, ...] = (), n: int = 80) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(8)
    z, u = rng.standard_normal((*samples, n, 4)), rng.standard_normal((*samples, n))
    x = np.stack([np.ones((*samples, n)), rng.standard_normal((*samples, n))], axis=-1)
    w = 0.3 * z.sum(axis=-1) + x[..., 1] + u + rng.standard_normal((*samples, n))
    return w + x[..., 1] + u, x, w, z


DATA = sample()
GROUPS = np.arange(80) // 5


@pytest.mark.parametrize("fuller", [0, 1, 4])
@pytest.mark.parametrize("cov", ["unadjusted", "robust", "clustered"])
def test_liml_and_fuller_are_those_of_linearmodels(fuller: int, cov: str) -> None:
    config = {"clusters": GROUPS} if cov == "clustered" else {}
    theirs = IVLIML(*DATA, fuller=fuller).fit(cov_type=cov, **config)
    kappa = "fuller" if fuller else "liml"
    model = gmm.KClass(*DATA, clusters=GROUPS, kappa=kappa, fuller=fuller, scores="fitted")
    ours = model.fit(cov="cluster" if cov == "clustered" else cov)
    assert_allclose(ours.params, theirs.params, rtol=1e-10)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-9)
    assert_allclose(model.kappa, theirs.kappa, rtol=1e-10)


def test_a_number_and_its_two_names() -> None:
    for name, kappa in (("2sls", 1.0), ("ols", 0.0)):
        ours, same = (gmm.KClass(*DATA, kappa=k).fit(cov="unadjusted") for k in (name, kappa))
        assert_allclose(ours.params, same.params)
    y, x, w, _ = DATA
    two_stage = gmm.IV(*DATA).fit(steps=1, cov="unadjusted")
    assert_allclose(gmm.KClass(*DATA, kappa="2sls").fit(cov="unadjusted").cov, two_stage.cov)
    least = gmm.IV(y, np.column_stack([x, w])).fit(cov="unadjusted")
    assert_allclose(gmm.KClass(*DATA, kappa="ols").fit(cov="unadjusted").cov, least.cov)


def test_liml_is_the_continuously_updated_estimate() -> None:
    """With homoskedastic weights, whose covariance matrix it does not share."""
    updated = gmm.IV(*DATA).fit(steps="cue", weights="unadjusted")
    assert_allclose(gmm.KClass(*DATA).fit().params, updated.params, rtol=1e-6)


@pytest.mark.parametrize("kind", ["jive1", "jive2"])
def test_jackknife_instruments_leave_out_each_observation(kind: Jackknife) -> None:
    y, x, w, z = DATA
    everything, n = np.column_stack([x, z]), len(y)
    left_out = np.array([
        everything[i]
        @ np.linalg.lstsq(np.delete(everything, i, 0), np.delete(w, i))[0]
        for i in range(n)
    ])  # fmt: skip
    if kind == "jive2":
        hat = everything @ np.linalg.solve(everything.T @ everything, everything.T)
        left_out = left_out * (1 - np.diag(hat))
    instruments, regressors = np.column_stack([x, left_out]), np.column_stack([x, w])
    expected = np.linalg.solve(instruments.T @ regressors, instruments.T @ y)
    assert_allclose(gmm.JIVE(*DATA, kind=kind).fit().params, expected, rtol=1e-9)


def test_jackknife_instruments_are_those_of_linearmodels() -> None:
    iv = pytest.importorskip("linearmodels.iv")
    if not hasattr(iv, "IVJIVE"):
        pytest.skip("linearmodels has IVJIVE from version 7.1 on")
    assert_allclose(gmm.JIVE(*DATA).fit().params, iv.IVJIVE(*DATA).fit().params, rtol=1e-9)


@pytest.mark.parametrize("make", [gmm.KClass, gmm.JIVE])
def test_a_stack_is_its_samples(make: type[gmm.IV]) -> None:
    y, x, w, z = sample((5,))
    many = make(y, x, w, z).fit()
    for r in range(5):
        one = make(y[r], x[r], w[r], z[r]).fit()
        assert_allclose(many.params[r], one.params, rtol=1e-9)
        assert_allclose(many.cov[r], one.cov, rtol=1e-8)


def test_bad_options_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="kappa is 'lml'; it must be a number, 'liml'"):
        gmm.KClass(*DATA, kappa="lml")
    with pytest.raises(ValueError, match="scores is"):
        gmm.KClass(*DATA, scores="both")
    with pytest.raises(ValueError, match="kind is 'jive3'"):
        gmm.JIVE(*DATA, kind="jive3")


def test_ujive_is_kolesars_formula() -> None:
    """By hand: predictions without each observation, on all exogenous columns and on X alone."""
    rng = np.random.default_rng(4)
    n = 150
    x = np.column_stack([np.ones(n), rng.standard_normal((n, 4))])
    z, u = rng.standard_normal((n, 8)), rng.standard_normal(n)
    w = 0.3 * z.sum(axis=1) + x.sum(axis=1) + 0.7 * u + rng.standard_normal(n)
    y = x @ np.arange(5.0) + 2 * w + u

    def without(a: np.ndarray) -> np.ndarray:
        predictions = np.empty(n)
        for i in range(n):
            rest = np.delete(np.arange(n), i)
            predictions[i] = a[i] @ np.linalg.lstsq(a[rest], w[rest])[0]
        return predictions

    instrument = without(np.column_stack([x, z])) - without(x)
    beta = instrument @ y / (instrument @ w)
    result = gmm.JIVE(y, x, w, z, kind="ujive").fit()
    np.testing.assert_allclose(result.params[5], beta, rtol=1e-10)
    gamma = np.linalg.lstsq(x, y - w * beta)[0]
    np.testing.assert_allclose(result.params[:5], gamma, rtol=1e-9)
    residual = y - w * beta - x @ gamma
    error = np.sqrt((residual**2 * instrument**2).sum()) / abs(instrument @ w)
    np.testing.assert_allclose(result.bse[5], error, rtol=1e-9)
    stack = gmm.JIVE(np.stack([y, -y]), x, w, z, kind="ujive").fit()
    np.testing.assert_allclose(stack.params[:, 5], [beta, -beta], rtol=1e-9)
    assert "UJIVE" in str(result.summary())


def test_ujive_is_not_biased_by_many_exogenous_regressors() -> None:
    """40 dummies and 10 instruments: JIVE is off, as Kolesar (2013) says, UJIVE is not."""
    rng = np.random.default_rng(6)
    n, samples = 200, 1500
    x = (np.arange(n)[:, np.newaxis] % 40 == np.arange(40)).astype(float)
    z = rng.standard_normal((samples, n, 10))
    u = rng.standard_normal((samples, n))
    w = 0.25 * z.sum(axis=2) + 0.8 * u + 0.6 * rng.standard_normal((samples, n))
    y = w + u
    off = {
        kind: abs(np.median(gmm.JIVE(y, x, w, z, kind=kind).fit().params[:, -1]) - 1)
        for kind in ("jive1", "ujive")
    }
    assert off["ujive"] < 0.025
    assert off["jive1"] > 2 * off["ujive"]
