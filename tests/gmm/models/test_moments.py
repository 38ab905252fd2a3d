"""Moments of a user: derivatives, bounds, many samples at once, and what goes wrong in one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import gmm

from ..gaussian_moments import g, jacobian, sample_moments, samples, three, two

STEPS = [1, 2, 3, "iterated", "cue"]
START = [0.1, 0.9]


@pytest.mark.parametrize("steps", STEPS)
def test_a_batch_is_its_single_fits(steps: int | str) -> None:
    data = samples(6, 80).reshape(2, 3, 80, 1)
    batch = gmm.Moments(g, data, names=["mu", "v"]).fit(START, steps=steps)
    assert batch.params.shape == (2, 3, 2)
    assert batch.cov.shape == (2, 3, 2, 2)
    assert batch.j_test.statistic.shape == batch.status.shape == batch.iterations.shape == (2, 3)
    assert batch.converged.all()
    for index in np.ndindex(2, 3):
        single = gmm.Moments(g, data[index], names=["mu", "v"]).fit(START, steps=steps)
        # A search ends within 1e-10; on the way there a rounding may go either way.
        assert_allclose(single.params, batch.params[index], atol=1e-8)
        assert_allclose(single.bse, batch.bse[index], rtol=1e-7)
        assert_allclose(single.j, batch.j[index], rtol=1e-7)


@pytest.mark.parametrize("steps", STEPS)
def test_permuting_samples_permutes_results(steps: int | str) -> None:
    data = samples(40, 50)
    order = np.random.default_rng(2).permutation(40)
    straight = gmm.Moments(g, data).fit(START, steps=steps)
    permuted = gmm.Moments(g, data[order]).fit(START, steps=steps)
    np.testing.assert_array_equal(permuted.status, straight.status[order])
    assert_allclose(permuted.params, straight.params[order], atol=1e-8)


def test_derivatives_given_by_complex_step_and_by_differences_agree() -> None:
    data = samples(20, 100)
    fits = [gmm.Moments(g, data, jac=jac).fit(START) for jac in (jacobian, "complex-step")]
    assert_allclose(fits[1].params, fits[0].params, atol=1e-8)
    assert_allclose(fits[1].cov, fits[0].cov, rtol=1e-7, atol=1e-12)
    differences = gmm.Moments(g, data, jac="central").fit(START)
    assert_allclose(differences.cov, fits[0].cov, rtol=1e-6, atol=1e-10)


def test_moments_that_are_not_analytic_are_differentiated_by_differences() -> None:
    """The complex step through abs is zero where the derivative is not; it must not be used."""
    data = np.random.default_rng(3).laplace(1, 2, size=(300, 1))

    def scale(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        d = data[..., 0] - theta[..., 0, None]
        return np.stack([d, np.abs(d) - theta[..., 1, None]], axis=-1)

    automatic = gmm.Moments(scale, data).fit([0.9, 1.9])
    central = gmm.Moments(scale, data, jac="central").fit([0.9, 1.9])
    np.testing.assert_array_equal(automatic.cov, central.cov)
    assert_allclose(automatic.params[1], np.abs(data - data.mean()).mean(), rtol=1e-9)


def test_a_function_of_one_sample_is_called_for_each() -> None:
    data = samples(7, 60)

    def single(theta: np.ndarray, sample: np.ndarray) -> np.ndarray:
        assert theta.shape == (2,)
        assert sample.shape == (60, 1)
        return g(theta, sample)

    looped = gmm.Moments(single, data, vectorized=False).fit(START)
    assert_allclose(looped.params, gmm.Moments(g, data).fit(START).params, atol=1e-9)


@pytest.mark.parametrize("weights", ["robust", "identity", np.diag([3.0, 0.1])])
@pytest.mark.parametrize("steps", STEPS)
def test_exactly_identified_moments_do_not_depend_on_weights(
    weights: object, steps: object
) -> None:
    """mu_hat = mean, v_hat = mean squared deviation, SE(mu) = sigma_hat / sqrt(n)."""
    data = samples(30, 50)
    result = gmm.Moments(two, data).fit(START, weights=weights, steps=steps)
    variance = sample_moments(data)[:, 1]
    assert_allclose(result.params, sample_moments(data), rtol=1e-9, atol=1e-12)
    assert_allclose(result.bse[:, 0], np.sqrt(variance / 50), rtol=1e-9)
    assert (result.j < 1e-15).all()
    assert np.isnan(result.j_test.pvalue).all()
    assert "as many moments" in result.j_test.reason


@pytest.mark.parametrize("steps", STEPS)
def test_bounds_change_the_road_and_not_the_end(steps: int | str) -> None:
    data = 3 + 2 * samples(50, 80)
    start = [2.5, 3.0]
    plain = gmm.Moments(three, data, names=["mu", "v"]).fit(start, steps=steps)
    for bounds in ({"v": (0, None)}, {"v": (0, 50), "mu": (None, 20)}):
        bounded = gmm.Moments(three, data, names=["mu", "v"], bounds=bounds).fit(start, steps=steps)
        assert_allclose(bounded.params, plain.params, rtol=1e-7)
        assert_allclose(bounded.cov, plain.cov, rtol=1e-6)


def test_logs_keep_a_variance_positive() -> None:
    """From a start far off, steps without bounds reach negative variances."""
    data = samples(200, 30)
    model = gmm.Moments(g, data, names=["mu", "v"], bounds={"v": (0, None)})
    result = model.fit([0.0, 30.0])
    assert (result.params[result.converged, 1] > 0).all()
    assert result.converged.mean() > 0.99


def test_a_failure_is_recorded_and_stops_nothing() -> None:
    data = samples(6, 50)
    whole = gmm.Moments(g, data).fit(START)
    data[1] = 0.1
    data[2, 7] = np.nan
    data[3, 0] = np.inf
    result = gmm.Moments(g, data).fit(START)
    assert result.converged.tolist() == [True, False, False, False, True, True]
    assert result.status[2] == result.status[3] == gmm.Status.NON_FINITE
    for values in (result.params, result.cov, result.bse, result.j, result.j_test.pvalue):
        assert np.isnan(values[~result.converged]).all()
    assert_allclose(result.params[[0, 4, 5]], whole.params[[0, 4, 5]], atol=1e-8)
    assert "2 of 6 failed: the moments of the data are not finite" in str(result.summary())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.sampled_from([1, 2, "iterated", "cue"]))
def test_linear_combinations_of_the_moments_change_nothing(seed: int, steps: int | str) -> None:
    """g -> A g: the weights follow, if the first ones do (A'^-1 W A^-1)."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((3, 3)) + 3 * np.eye(3)
    inverse = np.linalg.inv(a)
    data = samples(4, 60, seed)

    def mixed(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        return three(theta, data) @ a.T

    first = np.diag([1.0, 0.5, 0.1])
    plain = gmm.Moments(three, data).fit(START, steps=steps, initial=first)
    other = gmm.Moments(mixed, data).fit(START, steps=steps, initial=inverse.T @ first @ inverse)
    both = plain.converged & other.converged
    assert both.sum() >= 3
    assert_allclose(other.params[both], plain.params[both], atol=1e-6)
    assert_allclose(other.cov[both], plain.cov[both], rtol=1e-5, atol=1e-9)
    if steps != 1:
        assert_allclose(other.j[both], plain.j[both], rtol=1e-6)


def test_the_continuously_updated_objective_is_the_smallest() -> None:
    """J of CUE <= J of the iterated estimate, which uses S at itself as well."""
    data = samples(60, 80)
    model = gmm.Moments(g, data)
    cue, iterated = model.fit(START, steps="cue"), model.fit(START, steps="iterated")
    both = cue.converged & iterated.converged
    assert both.mean() > 0.9
    assert (cue.j[both] <= iterated.j[both] * (1 + 1e-7)).all()


def test_the_iterated_estimate_is_the_same_with_centered_weights() -> None:
    """Hansen and Lee 2021, Econometrica 89, theorem 1; and J_c = J / (1 - J / n)."""
    data = samples(40, 80)
    model = gmm.Moments(g, data)
    plain = model.fit(START, steps="iterated")
    centered = model.fit(START, steps="iterated", center=True)
    both = plain.converged & centered.converged
    assert both.mean() > 0.9
    assert_allclose(centered.params[both], plain.params[both], atol=1e-6)
    j = plain.j[both]
    assert_allclose(centered.j[both], j / (1 - j / 80), rtol=1e-6)


def test_a_start_out_of_bounds_is_the_failure_of_its_sample() -> None:
    data = samples(4, 50)
    data[1] = 2.0  # its variance, 0, is no start for a logarithm
    data[2, 0] = np.nan
    model = gmm.Moments(three, data, names=["mu", "v"], bounds={"v": (0, None)})
    result = model.fit(sample_moments(data), steps=1, initial="start")
    assert result.converged.tolist() == [True, False, False, True]


def test_each_sample_may_have_its_own_start() -> None:
    data = 5 + samples(10, 60)
    result = gmm.Moments(three, data).fit(sample_moments(data), steps=1, initial="start")
    assert result.converged.all()
    assert np.isfinite(result.j).all()
    assert result.j_test.reason == ""


def test_the_callers_data_are_not_changed() -> None:
    data, start = samples(3, 60), np.array(START)
    before = data.copy()
    gmm.Moments(g, data).fit(start, steps="iterated")
    np.testing.assert_array_equal(data, before)
    np.testing.assert_array_equal(start, START)


def test_moments_that_write_into_their_data_are_refused() -> None:
    def careless(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        data -= theta[..., None, :1]
        return data

    data = samples(1, 20)[0]
    before = data.copy()
    with pytest.raises(ValueError, match="read-only"):
        gmm.Moments(careless, data).fit([0.0])
    np.testing.assert_array_equal(data, before)
    data[0] = 1.0  # still the caller's to write


def test_a_start_may_name_its_parameters() -> None:
    model = gmm.Moments(three, samples(2, 60), names=["mu", "v"])
    named = model.fit({"v": 0.9, "mu": 0.1})
    np.testing.assert_array_equal(named.params, model.fit(START).params)


def test_one_parameter_and_no_samples() -> None:
    def mean(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        return data - theta[..., None, :]

    assert gmm.Moments(mean, np.arange(6.0)[:, None]).fit(0.0).params.tolist() == [2.5]
    assert gmm.Moments(mean, np.empty((0, 6, 1))).fit([0.0]).params.shape == (0, 1)


@pytest.mark.parametrize(
    ("construct", "options", "words"),
    [
        ({"data": [1.0, 2.0]}, {}, r"data has shape \(2,\).*data\[:, None\]"),
        ({"data": np.empty((0, 1))}, {}, "no observations"),
        ({"jac": "exact"}, {}, "'complex-step', 'central'"),
        ({"names": ["mu"]}, {}, "2 values for 1 parameters"),
        ({"names": ["mu", "v"], "bounds": {"sigma": (0, None)}}, {}, "'sigma'.*mu, v"),
        ({"names": ["mu", "v"], "bounds": {"v": (2, 1)}}, {}, "below the second"),
        ({"names": ["mu", "v"], "bounds": {"v": (0, 0.5)}}, {}, "strictly within"),
        ({"moment_names": ["a"]}, {}, "1 names for 4 moments"),
        ({"jac": lambda theta, data: np.zeros((2, 2))}, {}, r"jac gives shape \(2, 2\)"),
        ({}, {"start": None}, "start is missing"),
        ({}, {"start": {"mu": 0.0, "v": 1.0}}, "give the model names"),
        ({"names": ["mu", "v"]}, {"start": {"mu": 0.0}}, "start names mu; it must name mu, v"),
        ({}, {"start": np.zeros((3, 2))}, r"start has shape \(3, 2\)"),
        ({}, {"start": [0.0] * 5}, "cannot identify 5 parameters"),
        ({}, {"steps": 0}, "steps is 0"),
        ({}, {"steps": "twice"}, "'iterated', 'cue'"),
        ({}, {"weights": "optimal"}, "'identity', 'unadjusted', 'robust', 'cluster'"),
        ({}, {"weights": np.eye(3)}, r"weights has shape \(3, 3\); it must be \(4, 4\)"),
        ({}, {"weights": np.triu(np.ones((4, 4)))}, "not symmetric"),
        ({}, {"weights": "identity", "initial": "identity"}, "leave out initial"),
        ({}, {"weights": "unadjusted"}, "residual and instruments"),
        ({}, {"weights": "cluster"}, "clusters"),
        ({}, {"cov": "identity"}, "cov is 'identity'"),
        ({}, {"cov_formula": "best"}, "'sandwich', 'efficient', 'weights'"),
        ({}, {"small_sample": "hc3"}, "None, 'df', 'cluster'"),
        ({"clusters": [1, 2]}, {}, r"clusters has shape \(2,\)"),
    ],
)
def test_bad_arguments_say_what_is_wrong(construct: dict, options: dict, words: str) -> None:
    arguments = {"g": g, "data": samples(1, 20)[0]} | construct
    with pytest.raises(ValueError, match=words):
        gmm.Moments(**arguments).fit(**({"start": START} | options))


def test_moments_of_the_wrong_shape_are_shown() -> None:
    def means(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        return g(theta, data).mean(axis=-2)

    with pytest.raises(ValueError, match=r"g gives shape .*\(\.\.\., n, q\)"):
        gmm.Moments(means, samples(3, 20)).fit(START)


@pytest.mark.parametrize("argument", ["names", "moment_names"])
def test_a_name_may_not_occur_twice(argument: str) -> None:
    with pytest.raises(ValueError, match=f"^{argument} has a name twice: a, a"):
        gmm.Moments(lambda theta, data: data - theta, np.ones((5, 2)), **{argument: ["a", "a"]})
