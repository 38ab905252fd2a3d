"""A search that is said to have converged has found the solution, wherever it began."""

import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gmm
from gmm.models.euler import Lognormal
from smartsolve import _core

Y = np.array([0.0, 1.0, 2.0, 3.0, 1.0, 2.0, 0.0, 4.0])
STEPS = [1, 2, "iterated", "cue"]
LINE = np.concatenate([np.linspace(-20, 20, 41), [30, 60, 100, 150, 250]])[:, None]


def mean(theta: Any, data: Any) -> Any:
    """y - exp(theta), whose root is the logarithm of the mean."""
    return data - np.exp(theta[..., None, :])


def two(theta: Any, data: Any) -> Any:
    """The second moment of a Poisson variable besides."""
    m = np.exp(theta[..., None, :])
    return np.concatenate([data - m, data**2 - m - m**2], axis=-1)


def copies(sample: Any, count: int) -> Any:
    return np.broadcast_to(sample, (count, *sample.shape))


def all_at_the_solution(result: gmm.GMMResult, least: int) -> None:
    """Of those said to have converged, all; and that is no small number."""
    ok = result.converged
    assert ok.sum() >= least
    params = result.params[ok]
    j = result.j[ok] if result.j_test.df and not result.j_test.reason else np.zeros(ok.sum())
    best = int(np.argmin(j))
    assert (np.abs(params - params[best]) <= 1e-6 * result.bse[ok][best]).all()


@pytest.mark.parametrize("start", [-20.0, 0.0, 10.0, 20.0, 30.0, 60.0, 150.0])
def test_the_root_from_far(start: float) -> None:
    result = gmm.Moments(mean, Y[:, None]).fit([start])
    assert result.converged
    assert_allclose(result.params, [np.log(Y.mean())], rtol=1e-13)


@pytest.mark.parametrize("steps", STEPS)
def test_every_step_from_far(steps: Any) -> None:
    model = gmm.Moments(two, copies(Y[:, None], len(LINE)))
    result = model.fit(LINE, steps=steps)
    all_at_the_solution(result, len(LINE) - 1)
    near = gmm.Moments(two, Y[:, None]).fit([0.5], steps=steps)
    assert_allclose(result.params[0], near.params, rtol=1e-8)
    # What overflows from the start on has failed, and shows no number.
    failed = ~result.converged
    assert np.isnan(result.params[failed]).all()
    assert np.isnan(result.bse[failed]).all()


@pytest.mark.parametrize("steps", STEPS)
def test_batches_end_as_single_samples_do(steps: Any) -> None:
    stack = gmm.Moments(two, copies(Y[:, None], len(LINE))).fit(LINE, steps=steps)
    for row in range(0, len(LINE), 5):
        alone = gmm.Moments(two, Y[:, None]).fit(LINE[row], steps=steps)
        assert alone.status == stack.status[row]
        assert alone.iterations == stack.iterations[row]
        assert_allclose(alone.params, stack.params[row], rtol=1e-10)
        assert_allclose(alone.bse, stack.bse[row], rtol=1e-9)


def regression(error: str, instruments: bool) -> tuple[Any, Any, int]:
    rng = np.random.default_rng(15)
    x = np.column_stack([np.ones(300), rng.standard_normal((300, 2))])
    z = rng.standard_normal((300, 2)) if instruments else None
    y = rng.poisson(np.exp(x @ [0.5, 0.3, -0.2]))
    starts = np.array(list(itertools.product([-20.0, -1.0, 0.0, 5.0, 20.0], repeat=3)))
    stacked = copies(y, len(starts))
    model = gmm.ExponentialRegression(stacked, x, instruments=z, error=error)
    return model, starts, len(starts) - 3


def gamma(names: tuple[str, ...]) -> tuple[Any, Any, int]:
    sample = np.random.default_rng(15).gamma(2.0, 3.0, 200)
    starts = np.array(list(itertools.product([1e-3, 0.1, 1.0, 2.0, 10.0, 1e4], repeat=2)))
    return gmm.Gamma(copies(sample, len(starts)), moments=names), starts, len(starts) // 2


def euler() -> tuple[Any, Any, int]:
    growth, returns = Lognormal().sample(np.random.default_rng(15), (401,))
    starts = np.array(list(itertools.product([-50.0, -10.0, -2.0, 0.0, 50.0], [0.1, 0.95, 3.0])))
    many = (copies(data, len(starts)) for data in (growth, returns))
    return gmm.EulerEquation(*many), starts, len(starts) - 3


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(
    ("model", "starts", "least"),
    [
        pytest.param(*regression("additive", False), id="additive, exactly identified"),
        pytest.param(*regression("additive", True), id="additive, over-identified"),
        pytest.param(*regression("multiplicative", False), id="multiplicative, exactly"),
        pytest.param(*regression("multiplicative", True), id="multiplicative, over-identified"),
        pytest.param(*gamma(("mean", "log")), id="gamma, exactly identified"),
        pytest.param(*gamma(("mean", "log", "inverse")), id="gamma, over-identified"),
        pytest.param(*euler(), id="Euler equation"),
    ],
)
def test_all_models_from_far(model: Any, starts: Any, least: int, steps: Any) -> None:
    # Gamma's own first weights depend on the start, and with them its first step.
    initial = "identity" if isinstance(model, gmm.Gamma) else None
    all_at_the_solution(model.fit(starts, steps=steps, initial=initial), least)


def test_a_study_from_far_is_the_study_from_near() -> None:
    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.poisson(1.6, size)[..., None]

    results = [
        gmm.MonteCarlo(
            mean, sampler, truth={"theta": np.log(1.6)}, n=50, fit={"start": [start]}
        ).run(1000, seed=3)
        for start in (0.5, 30.0)
    ]
    assert results[1].converged.all()
    assert_allclose(results[1].estimates, results[0].estimates, rtol=0, atol=1e-8)
    coverage = results[1].summary()["theta"]["coverage"]
    assert abs(coverage.value - 0.95) < 0.03


@pytest.mark.parametrize("start", [0.1, 3.0, 100.0])
def test_moments_without_a_root_have_not_converged(start: float) -> None:
    """x^2 + theta^2 + 1, and exp(-theta), which has none but at infinity."""
    data = np.random.default_rng(2).standard_normal((40, 1))
    for g in (
        lambda t, d: d**2 + t[..., None, :] ** 2 + 1,
        lambda t, d: np.exp(-t[..., None, :]) + 0 * d,
    ):
        result = gmm.Moments(g, data).fit([start])
        assert not result.converged
        assert np.isnan(result.params).all()
        assert "failed" in str(result.summary())


@pytest.mark.parametrize("jac", [None, "central"])
@pytest.mark.parametrize("q", [2, 3])
def test_what_is_not_identified_is_singular(jac: Any, q: int) -> None:
    """Only a + b enters, with as many moments as parameters and with more."""

    def g(theta: Any, data: Any) -> Any:
        both = theta[..., 0, None] + theta[..., 1, None]
        x = data[..., 0]
        moments = [x - both, x**2 - both**2 - 1, x**3 - both**3 - 3 * both]
        return np.stack(moments[:q], axis=-1)

    x = np.random.default_rng(0).normal(1.0, 1.0, (5, 50, 1))
    stack = gmm.Moments(g, x, jac=jac).fit([0.3, 0.4])
    if (jac, q) == ("central", 3):  # of moments that large, differences have too few digits
        assert not stack.converged.any()
        return
    assert_array_equal(stack.status, int(gmm.Status.SINGULAR))
    alone = gmm.Moments(g, x[0], jac=jac).fit([0.3, 0.4])
    assert alone.status == gmm.Status.SINGULAR
    assert np.isnan(alone.bse).all()


def test_a_perfect_fit_converges() -> None:
    """Where the residuals are rounding errors, there is nothing to rescale by."""
    x = np.random.default_rng(4).standard_normal((30, 1))

    def line(theta: Any, data: Any) -> Any:
        u = data[..., 1] - np.exp(theta[..., 0, None] + theta[..., 1, None] * data[..., 0])
        return np.stack([u, u * data[..., 0]], axis=-1)

    data = np.concatenate([x, np.exp(0.5 + 0.25 * x)], axis=1)
    result = gmm.Moments(line, data).fit([3.0, -1.0])
    assert_allclose(result.fit.theta[0], [0.5, 0.25], rtol=1e-12)
    assert result.converged


def test_a_false_model_keeps_its_minimum() -> None:
    """Two means that differ by many standard deviations: J is large, and that is the answer."""

    def g(theta: Any, data: Any) -> Any:
        return data - theta[..., None, :]

    x = np.random.default_rng(5).normal([0.0, 8.0], 1.0, (100, 2))
    result = gmm.Moments(g, x).fit([1.0])
    assert result.converged
    assert result.j_test.pvalue < 1e-12


def test_far_starts_end_alike_without_fused_products() -> None:
    """Where rounding made G'WG singular, and it does by the instruction set, searches stopped."""
    program = """
import itertools
import numpy as np
import gmm
rng = np.random.default_rng(15)
x = np.column_stack([np.ones(300), rng.standard_normal((300, 2))])
z = rng.standard_normal((300, 2))
y = rng.poisson(np.exp(x @ [0.5, 0.3, -0.2]))
starts = np.array(list(itertools.product([-20.0, 0.0, 20.0], repeat=3)))
stacked = np.broadcast_to(y, (len(starts), *y.shape))
result = gmm.ExponentialRegression(stacked, x, instruments=z, error="additive").fit(starts, steps=1)
print(int(result.converged.sum()), len(starts))
"""
    said = {
        subprocess.run(
            [sys.executable, "-P", "-c", program],
            env=os.environ | {"SMARTSOLVE_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in _core.instruction_sets()
    }
    assert said == {"27 27\n"}
