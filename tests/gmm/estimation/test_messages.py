"""What is wrong is named, and what was meant."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm

N = 40
rng = np.random.default_rng(2)
X = np.column_stack([np.ones(N), rng.standard_normal(N)])
Y = rng.standard_normal(N)
MODEL = gmm.IV(Y, X)


def deviation(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
    return data - theta[..., None, :]


def numbers(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return rng.standard_normal(size)


@pytest.mark.parametrize("weights", [np.ones(N), np.ones((N, 1))])
def test_weights_of_observations_are_arguments_of_the_model(weights: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"one for each observation.*aweight=.* or fweight="):
        MODEL.fit(weights=weights)


@pytest.mark.parametrize(
    ("option", "meant"),
    [("cov_type", "cov"), ("strat", "start"), ("maxiter", "max_iterations"), ("stepz", "steps")],
)
def test_options_that_do_not_exist(option: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"no option '{option}'; do you mean '{meant}'"):
        MODEL.fit(**{option: "robust"})
    with pytest.raises(TypeError, match=f"no option '{option}'; do you mean '{meant}'"):
        gmm.MonteCarlo(deviation, numbers, {"m": 0.0}, 10, fit={option: [0.0]})
    with pytest.raises(TypeError, match=f"GaussianMeanSD.fit has no option '{option}'"):
        gmm.MonteCarlo(gmm.GaussianMeanSD, numbers, {"mu": 0.0}, 10, fit={option: 0.0})


def test_a_sampler_without_a_last_axis() -> None:
    study = gmm.MonteCarlo(deviation, numbers, {"m": 0.0}, 10, fit={"start": [0.0]})
    with pytest.raises(ValueError, match=r"\(R, n, d\), so give it a last axis"):
        study.run(20, seed=1)


def test_a_summary_is_no_table_of_numbers() -> None:
    with pytest.raises(TypeError, match=r"the numbers of 'exog1' are in the result: params"):
        MODEL.fit().summary()["exog1"]


def two_ways(seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.column_stack([draw.integers(0, 3, N), draw.integers(0, 3, N)])


def test_a_negative_variance_of_two_ways() -> None:
    """With three groups each way, S_1 + S_2 - S_12 is often indefinite."""
    plain = MODEL.fit()
    seen = set()
    for seed in range(60):
        model = gmm.IV(Y, X, clusters=two_ways(seed))
        result = model.fit(cov="cluster")
        nearest = model.fit(cov="cluster", indefinite="nearest")
        assert result.converged
        assert nearest.converged
        assert_allclose(result.params, plain.params, rtol=1e-12)
        s = sum(
            sign * one.fit(cov="cluster").cov
            for sign, one in (
                (1, gmm.IV(Y, X, clusters=model.clusters[:, 0])),
                (1, gmm.IV(Y, X, clusters=model.clusters[:, 1])),
                (-1, gmm.IV(Y, X, clusters=model.clusters @ [3, 1])),
            )
        )
        lacking = np.diagonal(s) < 0
        seen.add(tuple(lacking))
        assert np.isnan(result.bse).tolist() == lacking.tolist()
        assert_allclose(result.bse[~lacking] ** 2, np.diagonal(s)[~lacking], rtol=1e-9)
        values, vectors = np.linalg.eigh(s)
        expected = (vectors * np.maximum(values, 0)) @ vectors.T
        assert_allclose(nearest.cov, expected, rtol=1e-9, atol=1e-12 * np.abs(s).max())
        assert nearest.reason == ""
        for name, gone in zip(result.parameters, lacking, strict=True):
            assert (name in result.reason) == gone
        assert (result.reason in str(result.summary())) or not lacking.any()
    assert {(False, False), (True, False), (False, True)} <= seen
    assert gmm.IV(np.stack([Y, 2 * Y]), X, clusters=two_ways(2)).fit(cov="cluster").converged.all()
    with pytest.raises(ValueError, match="indefinite is 'zero'"):
        MODEL.fit(indefinite="zero")


def test_replications_without_a_standard_error_are_not_counted_as_converged() -> None:
    groups = two_ways(2)

    def regression(y: np.ndarray) -> gmm.IV:
        return gmm.IV(y, X, clusters=groups)

    truth = {"exog0": 0.0, "exog1": 0.0}
    out = gmm.MonteCarlo(regression, numbers, truth, N, {"cov": "cluster"}).run(200, seed=1)
    assert set(out.status) == {gmm.Status.OK, gmm.Status.NOT_POSITIVE_DEFINITE}
    assert np.isfinite(out.summary()["exog0"]["mean_se"].value)


def test_pandas_and_the_summary_of_many() -> None:
    frame = pd.DataFrame(X, columns=["const", "x"])
    result = gmm.IV(pd.Series(Y), frame, clusters=two_ways(2)).fit(cov="cluster")
    assert result.bse.isna().sum() == 1
    assert np.isfinite(result.wald_test([[1.0, 0.0]]).statistic)
    lacking = result.wald_test([[0.0, 1.0]])
    assert np.isnan(lacking.statistic)
    assert lacking.reason.startswith("no standard error of x")
    assert np.isnan(result.conf_int().loc["x"]).all()
    many = gmm.IV(np.stack([Y, Y]), X, clusters=two_ways(2)).fit(cov="cluster")
    assert "2 of 2 lack a standard error" in str(many.summary())
