"""models/gaussian.py: closed forms, other roads to the same estimate, failures."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import optimize

import gmm

EPS = np.finfo(np.float64).eps
MODELS = [(2, "centered"), (2, "raw"), (3, "centered"), (4, "centered")]


def samples(count: int, n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, n))


def raw_moments(x: np.ndarray, mu: float, v: float, q: int) -> np.ndarray:
    """g (n, q) of one sample, observation by observation: no power sums."""
    d = x - mu
    return np.stack([d, d**2 - v, d**3, d**4 - 3 * v**2], axis=1)[:, :q]


@pytest.mark.parametrize("form", ["centered", "raw"])
def test_two_moments_give_the_sample_moments(form: str) -> None:
    x = 3 + 2 * samples(50, 40)
    result = gmm.GaussianMeanSD(x, form=form).fit()
    np.testing.assert_allclose(result.params[:, 0], x.mean(axis=1), rtol=8 * EPS)
    np.testing.assert_allclose(result.params[:, 1], x.std(axis=1), rtol=8 * EPS)
    assert result.converged.all()
    assert not result.j.any()
    assert not result.iterations.any()


@pytest.mark.parametrize("form", ["centered", "raw"])
def test_standard_error_of_the_mean_is_sigma_over_root_n(form: str) -> None:
    result = gmm.GaussianMeanSD(samples(200, 30), form=form).fit()
    expected = result.params[:, 1] / np.sqrt(30)
    np.testing.assert_allclose(result.bse[:, 0], expected, rtol=1e3 * EPS)


@pytest.mark.parametrize("form", ["centered", "raw"])
def test_standard_error_of_sigma_comes_from_the_fourth_moment(form: str) -> None:
    x = samples(200, 30)
    d = x - x.mean(axis=1, keepdims=True)
    m2, m4 = (d**2).mean(axis=1), (d**4).mean(axis=1)
    result = gmm.GaussianMeanSD(x, form=form).fit()
    expected = np.sqrt((m4 - m2**2) / (4 * m2) / 30)
    np.testing.assert_allclose(result.bse[:, 1], expected, rtol=1e4 * EPS)


@pytest.mark.parametrize("q", [3, 4])
def test_two_step_agrees_with_a_direct_minimization(q: int) -> None:
    """Another road: raw observations, a derivative-free search, S and G by their definitions."""
    for x in samples(5, 60):
        g = raw_moments(x, x.mean(), x.var(), q)
        w = np.linalg.inv(np.cov(g.T, bias=True))

        def objective(theta: np.ndarray, x: np.ndarray = x, w: np.ndarray = w) -> float:
            mean = raw_moments(x, theta[0], np.exp(theta[1]), q).mean(axis=0)
            return float(mean @ w @ mean)

        found = optimize.minimize(
            objective,
            [x.mean(), np.log(x.var())],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-17, "maxiter": 2000},
        )
        mu, v = found.x[0], np.exp(found.x[1])
        result = gmm.GaussianMeanSD(x, moments=q).fit()
        np.testing.assert_allclose(result.params, [mu, np.sqrt(v)], atol=1e-7)
        np.testing.assert_allclose(result.j, 60 * found.fun, rtol=1e-9)

        mu, sigma = result.params
        d, v = x - mu, sigma**2
        s = np.cov(raw_moments(x, mu, v, q).T, bias=True)
        by_mu = [-1, -2 * d.mean(), -3 * (d**2).mean(), -4 * (d**3).mean()]
        by_sigma = [0, -2 * sigma, 0, -12 * sigma**3]
        jacobian = np.stack([by_mu, by_sigma], axis=1)[:q]
        cov = np.linalg.inv(jacobian.T @ np.linalg.inv(s) @ jacobian) / 60
        np.testing.assert_allclose(result.cov, cov, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("q", "form"), MODELS)
def test_a_batch_is_its_single_fits(q: int, form: str) -> None:
    x = samples(6, 50).reshape(2, 3, 50)
    batch = gmm.GaussianMeanSD(x, moments=q, form=form).fit()
    assert batch.params.shape == (2, 3, 2)
    assert batch.cov.shape == (2, 3, 2, 2)
    assert batch.status.shape == (2, 3)
    for index in np.ndindex(2, 3):
        single = gmm.GaussianMeanSD(x[index], moments=q, form=form).fit()
        assert single.params.shape == (2,)
        # The search stops within 1e-9; on the way there a rounding may go either way.
        np.testing.assert_allclose(single.params, batch.params[index], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(single.bse, batch.bse[index], rtol=1e-8)


@pytest.mark.parametrize(("q", "form"), MODELS)
def test_permuting_samples_permutes_results(q: int, form: str) -> None:
    x = samples(200, 50)
    order = np.random.default_rng(2).permutation(200)
    straight = gmm.GaussianMeanSD(x, moments=q, form=form).fit()
    permuted = gmm.GaussianMeanSD(x[order], moments=q, form=form).fit()
    np.testing.assert_allclose(permuted.params, straight.params[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(permuted.status, straight.status[order])


@settings(max_examples=30, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    location=st.floats(-100, 100),
    scale=st.floats(1e-3, 1e3),
    seed=st.integers(0, 2**32 - 1),
)
def test_estimates_follow_location_and_scale(
    model: tuple[int, str], location: float, scale: float, seed: int
) -> None:
    q, form = model
    x = samples(3, 60, seed)
    at_zero = gmm.GaussianMeanSD(x, moments=q, form=form).fit()
    moved = gmm.GaussianMeanSD(location + scale * x, moments=q, form=form).fit()
    # Raw moments lose the digits by which location exceeds scale, twice over.
    lost = (1 + abs(location) / scale) ** (4 if form == "raw" else 1)
    tolerance = 1e-8 + 1e3 * EPS * lost
    if tolerance > 1e-2:
        return
    expected = location + scale * at_zero.params[:, 0]
    np.testing.assert_allclose(moved.params[:, 0], expected, atol=tolerance * scale)
    np.testing.assert_allclose(moved.params[:, 1], scale * at_zero.params[:, 1], rtol=tolerance)
    np.testing.assert_allclose(moved.bse, scale * at_zero.bse, rtol=tolerance)


@pytest.mark.parametrize(("q", "form"), MODELS)
def test_a_failure_is_recorded_and_stops_nothing(q: int, form: str) -> None:
    x = samples(6, 50)
    whole = gmm.GaussianMeanSD(x, moments=q, form=form).fit()
    x[1] = 0.1
    x[2, 7] = np.nan
    x[3, 0] = np.inf
    x[4] *= 1e200
    result = gmm.GaussianMeanSD(x, moments=q, form=form).fit()
    status = gmm.Status
    expected = [status.OK, status.SINGULAR, *[status.NON_FINITE] * 3, status.OK]
    assert result.status.tolist() == expected
    failed = ~result.converged
    for values in (result.params, result.cov, result.bse, result.j):
        assert np.isnan(values[failed]).all()
    np.testing.assert_allclose(result.params[[0, 5]], whole.params[[0, 5]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("q", [3, 4])
def test_two_distinct_values_cannot_weight_three_moments(q: int) -> None:
    """Powers of a two-valued variable are linear functions of it: S has rank one."""
    result = gmm.GaussianMeanSD([0.0, 1.0] * 10, moments=q).fit()
    assert result.status in (gmm.Status.SINGULAR, gmm.Status.NOT_POSITIVE_DEFINITE)
    assert np.isnan(result.params).all()


def test_no_samples_give_no_results() -> None:
    for q in (2, 4):
        result = gmm.GaussianMeanSD(np.empty((0, 20)), moments=q).fit()
        assert result.params.shape == (0, 2)


def test_the_callers_data_are_not_changed() -> None:
    x = samples(3, 20)
    before = x.copy()
    gmm.GaussianMeanSD(x, moments=4).fit()
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (1.0, {}, "single number"),
        ([1.0, 2.0], {}, "at least 3 observations"),
        ([1.0, 2.0, 3.0, 4.0], {"moments": 4}, "at least 5 observations"),
        ([1.0] * 9, {"moments": 5}, "2, 3 or 4"),
        ([1.0] * 9, {"form": "other"}, "'centered' or 'raw'"),
        ([1.0] * 9, {"form": "raw", "moments": 3}, "moments=2"),
    ],
)
def test_bad_arguments_say_what_is_wrong(x: object, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gmm.GaussianMeanSD(x, **options)


def test_it_takes_data_as_all_models_do() -> None:
    import pandas

    values = [4.0, 7.0, 1.0, 4.0]
    plain = gmm.GaussianMeanSD(values).fit()
    for x in (pandas.Series(values, name="x"), pandas.DataFrame({"x": values})):
        result = gmm.GaussianMeanSD(x).fit()
        assert list(result.params.index) == ["mu", "sigma"]
        assert_array_equal(result.params.to_numpy(), plain.params)
    with pytest.raises(ValueError, match="x has 1 missing values"):
        gmm.GaussianMeanSD(pandas.Series([1.0, None, 3.0, 4.0]))
    with pytest.raises(ValueError, match="x has 1 masked values"):
        gmm.GaussianMeanSD(np.ma.masked_array(values, [0, 0, 1, 0]))
    with pytest.raises(TypeError, match="x is complex"):
        gmm.GaussianMeanSD(np.array([1 + 2j, 2, 3, 4]))
    with pytest.raises(ValueError, match="data frame of 2 columns"):
        gmm.GaussianMeanSD(pandas.DataFrame({"a": values, "b": values}))


@pytest.mark.parametrize("kind", ["list", "array", "object", "series", "string", "bytes"])
def test_digits_in_text_are_no_numbers(kind: str) -> None:
    import pandas

    text: Any = ["1", "2", "3", "4"]
    x = {
        "list": text,
        "array": np.array(text),
        "object": np.array([1.0, "2", 3.0, 4.0], dtype=object),
        "series": pandas.Series(text, dtype=object),
        "string": pandas.Series(text, dtype="string"),
        "bytes": np.array(text, dtype="S1"),
    }[kind]
    for model in (gmm.GaussianMeanSD, gmm.Gamma, gmm.IV):
        with pytest.raises(TypeError, match=r"not numeric: it holds the text ['\"b]"):
            model(x)
