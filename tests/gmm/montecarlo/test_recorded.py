"""montecarlo/recorded.py and columns.py: what a study records besides its estimates."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import gmm
from gmm import Status
from gmm.montecarlo.measures import bootstrapped, median

from ..studies import normal, three_moments

SEED = 3
TRUTH = {"const": 1.0, "beta": 2.0}


def weak(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    z, v = rng.standard_normal((*size, 3)), rng.standard_normal(size)
    u = 0.8 * v + 0.6 * rng.standard_normal(size)
    w = 0.15 * z.sum(axis=-1) + v
    return {"y": 1 + 2 * w + u, "w": w, "z": z}


def parts(data: Any) -> Any:
    return data["y"], np.ones((data["y"].shape[-1], 1)), data["w"], data["z"]


def tsls(data: Any) -> Any:
    return gmm.IV(*parts(data)).fit(steps=1)


def liml(data: Any) -> Any:
    return gmm.KClass(*parts(data))


def anderson_rubin(result: Any) -> Any:
    return result.anderson_rubin(2.0)


def clr_set(result: Any) -> Any:
    return result.confidence_set("clr")


def strengths(result: Any) -> Any:
    f = result.first_stage()["endog0"].statistic
    return {"F": f, "F > 10": f > 10}


def noise(result: Any, data: Any, rng: np.random.Generator) -> Any:
    return rng.standard_normal((len(data["y"]) if data["y"].ndim == 2 else 1, 2))


RECORD = {"AR": anderson_rubin, "set": clr_set, "stage": strengths, "noise": noise}


def study(**options: Any) -> gmm.MonteCarlo:
    given = {"record": RECORD, "block": 40, "chunk": 15, **options}
    return gmm.MonteCarlo({"2SLS": tsls, "LIML": liml}, weak, TRUTH, n=60, **given)


def samples(block: int, chunk: int = 15, size: int = 40) -> Any:
    """The chunks of a block, from its stream, without the engine."""
    from gmm.montecarlo.blocks import generator

    rng = generator(SEED, 0, block)
    return [weak(rng, (min(chunk, size - first), 60)) for first in range(0, size, chunk)]


def test_everything_is_recorded_as_it_is_computed_without_the_engine() -> None:
    out = study().run(80, seed=SEED)
    data = [one for block in range(2) for one in samples(block)]
    fits = [tsls(one) for one in data]
    others = [liml(one).fit() for one in data]

    def joined(values: Any) -> Any:
        return np.concatenate(list(values))

    np.testing.assert_array_equal(out.estimates, joined(fit.params for fit in fits))
    p = joined(fit.anderson_rubin(2.0).pvalue for fit in fits)
    np.testing.assert_array_equal(out.recorded["AR"], p)
    np.testing.assert_array_equal(
        out.recorded["set"].intervals, joined(clr_set(fit).intervals for fit in fits)
    )
    f = joined(strengths(fit)["F"] for fit in fits)
    np.testing.assert_array_equal(out.recorded["stage: F"], f)
    np.testing.assert_array_equal(out.recorded["stage: F > 10"], f > 10)
    second = out.estimators["LIML"]
    np.testing.assert_array_equal(second.estimates, joined(fit.params for fit in others))
    np.testing.assert_array_equal(second.bse, joined(fit.bse for fit in others))
    assert list(out.estimators) == ["2SLS", "LIML"]
    assert out.estimators["2SLS"] is out


def test_random_numbers_of_a_statistic_are_its_own_and_the_same_each_time() -> None:
    out = study().run(80, seed=SEED)
    drawn = out.recorded["noise"]
    assert len(np.unique(drawn)) == drawn.size
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.001
    fewer = study(record={"noise": noise}).run(80, seed=SEED)
    np.testing.assert_array_equal(fewer.recorded["noise"], drawn)
    np.testing.assert_array_equal(fewer.estimates, out.estimates)


def test_workers_checkpoints_and_prefixes_change_no_bit(tmp_path: Path) -> None:
    whole = study().run(120, seed=SEED).records.tobytes()
    assert study().run(120, seed=SEED, workers=2).records.tobytes() == whole
    study().run(50, seed=SEED, checkpoint=tmp_path)
    again = study().run(120, seed=SEED, checkpoint=tmp_path)
    assert again.blocks_reused == 2
    assert again.records.tobytes() == whole
    loaded = gmm.MonteCarloResult.load(tmp_path)
    assert loaded.records.tobytes() == whole
    assert (loaded.columns, loaded.label) == (again.columns, "2SLS")
    assert str(loaded.compare()) == str(again.compare())
    assert json.dumps(loaded.to_dict()) == json.dumps(
        {**again.to_dict(), "blocks_reused": loaded.blocks_reused}
    )
    pickled = pickle.loads(pickle.dumps(again))
    assert str(pickled.summary()) == str(again.summary())


def test_processes_give_the_same() -> None:
    """Of functions that no worker can import, as in a notebook."""
    pytest.importorskip("cloudpickle")

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal(size)

    def model(data: Any) -> Any:
        return gmm.GaussianMeanSD(data)

    def jittered(result: Any, data: Any, rng: np.random.Generator) -> Any:
        return result.params[:, 0] + rng.standard_normal(len(data))

    record = {"jittered": jittered, "t": lambda result: result.wald_test([1, 0], 0.0)}
    truth = {"mu": 0.0, "sigma": 1.0}
    own = gmm.MonteCarlo(model, sampler, truth, n=20, record=record, block=40)
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        out = own.run(80, seed=SEED, executor=pool)
    assert out.records.tobytes() == own.run(80, seed=SEED).records.tobytes()


def test_another_statistic_is_another_experiment(tmp_path: Path) -> None:
    study().run(40, seed=SEED, checkpoint=tmp_path)
    with pytest.raises(gmm.CheckpointError, match="another experiment"):
        study(record={"AR": anderson_rubin}).run(40, seed=SEED, checkpoint=tmp_path)
    changed = {**RECORD, "AR": lambda result: result.anderson_rubin(2.5)}
    with pytest.raises(gmm.CheckpointError, match="another experiment"):
        study(record=changed).run(40, seed=SEED, checkpoint=tmp_path)


def test_a_replay_has_what_was_recorded() -> None:
    out = study().run(80, seed=SEED)
    for i in (0, 14, 15, 39, 40, 79):
        again = study().replay(i, seed=SEED)
        assert again.recorded["AR"] == out.recorded["AR"][i]
        assert (again.recorded["noise"] == out.recorded["noise"][i]).all()
        there = out.recorded["set"].intervals[i]
        np.testing.assert_array_equal(
            again.recorded["set"].intervals, there[~np.isnan(there[:, 0])]
        )
        np.testing.assert_array_equal(
            again.recorded["LIML"]["estimates"], out.estimators["LIML"].estimates[i]
        )
        alone = anderson_rubin(again.result).pvalue
        np.testing.assert_allclose(alone, out.recorded["AR"][i], rtol=1e-9)


def test_a_test_of_ones_own_has_the_size_that_theory_gives_it() -> None:
    """Anderson and Rubin's is exact with normal errors, whatever the instruments."""
    out = study(record={"AR": anderson_rubin, "set": clr_set}, block=1000, chunk=None).run(
        4000, seed=SEED
    )
    assert stats.kstest(out.recorded["AR"], "uniform").pvalue > 0.001
    row = out.summary(level=[0.9, 0.95, 0.99])["AR"]
    for size in (10, 5, 1):
        measure = row[f"rejection at {size} %"]
        assert abs(measure.value - size / 100) < 4 * measure.mcse
    coverage = out.summary()["set"]["coverage"]
    assert coverage.theory is not None
    assert coverage.theory.value == 0.95
    assert abs(coverage.value - 0.95) < 4 * coverage.mcse + 0.005


# --- failures ------------------------------------------------------------------------------------


def sometimes(result: Any, data: Any) -> Any:
    """Raises where the first observation of a sample is large: one in six."""
    if np.any(data[..., 0, 0] > 1):
        raise ZeroDivisionError("no such luck")
    return {"one": np.ones(data.shape[:-2]), "sign": data[..., 0, 0] > 0}


def failing_study(**options: Any) -> gmm.MonteCarlo:
    fit = {"start": [0.0, 1.0]}
    given = {"record": {"luck": sometimes}, "fit": fit, "block": 50, **options}
    return gmm.MonteCarlo(three_moments, normal, {"mu": 0.0, "v": 1.0}, n=50, **given)


@pytest.mark.parametrize("chunk", [None, 7, 1])
def test_what_raises_is_missing_counted_and_named(chunk: int | None) -> None:
    out = failing_study(chunk=chunk).run(200, seed=SEED)
    unlucky = np.isnan(out.recorded["luck: one"])
    assert 10 < unlucky.sum() < 70
    assert out.converged.all()
    assert sorted(out.errors) == np.flatnonzero(unlucky).tolist()
    assert set(out.errors.values()) == {"luck: ZeroDivisionError: no such luck"}
    measure = out.summary()["luck: sign"]["rate"]
    assert measure.missing == unlucky.sum()
    of_all = out.summary()["luck: sign"]["rate_of_all"]
    assert of_all.value * 200 == pytest.approx(measure.value * (200 - unlucky.sum()))
    assert f"without luck: one: {unlucky.sum()}" in str(out.summary())
    assert "of all" in str(out.summary())
    assert out.measure(np.mean, "luck: one").missing == unlucky.sum()


def test_an_estimator_that_fails_does_not_take_the_others_along() -> None:
    def careful(data: Any) -> Any:
        return gmm.Moments(three_moments, data).fit(start=[0.0, 1.0])

    def careless(data: Any) -> Any:
        if np.any(data[..., 0, 0] > 1):
            raise ValueError("too large")
        return careful(data)

    both = gmm.MonteCarlo(
        {"careful": careful, "careless": careless}, normal, {"mu": 0.0, "v": 1.0}, 50, block=50
    )
    out = both.run(100, seed=SEED)
    failed = out.estimators["careless"].status == Status.EXCEPTION
    assert out.converged.all()
    assert 5 < failed.sum() < 35
    assert np.isnan(out.estimators["careless"].estimates[failed]).all()
    assert set(out.errors.values()) == {"careless: ValueError: too large"}
    # One by one as in the stack, up to rounding.
    np.testing.assert_allclose(
        out.estimators["careless"].estimates[~failed], out.estimates[~failed], atol=1e-7
    )
    table = str(out.compare("bias"))
    assert "careful" in table
    assert f"{failed.sum()}" in table.splitlines()[-2]


def test_numbers_of_a_failed_fit_are_missing() -> None:
    """An estimate that is not there is neither above nor below anything."""

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        x = rng.standard_normal((*size, 1))
        x[x[:, 0, 0] > 1] = 1.0  # constant samples
        return x

    fit = {"start": [0.0, 1.0]}
    record = {"above": lambda result: result.params[..., 0] > 0}
    out = gmm.MonteCarlo(
        three_moments, sampler, {"mu": 0.0, "v": 1.0}, n=30, fit=fit, record=record, block=50
    ).run(100, seed=SEED)
    assert 0 < (~out.converged).sum() < 50
    np.testing.assert_array_equal(np.isnan(out.recorded["above"]), ~out.converged)


def test_a_statistic_that_always_raises_is_a_bug() -> None:
    def broken(result: Any) -> Any:
        return result.no_such_thing

    with pytest.raises(AttributeError, match="no_such_thing"):
        study(record={"broken": broken}).run(40, seed=SEED)

    def late(result: Any, data: Any) -> Any:
        if len(data["y"]) != 2:
            raise KeyError("late")
        return data["y"][:, 0]

    with pytest.raises(gmm.BlockError, match=r"KeyError: 'late', in test_recorded\.py, line"):
        study(record={"late": late}, chunk=40).run(40, seed=SEED)


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ([], TypeError, "must be a dict of names and functions"),
        ({"a": 3}, TypeError, r"record\['a'\] is 3"),
        ({"a": lambda: 3}, TypeError, "takes 0 positional"),
        ({"": anderson_rubin}, TypeError, "names are strings"),
        ({"beta": anderson_rubin}, ValueError, "'beta' is the name of what every study keeps"),
        ({"LIML": anderson_rubin}, ValueError, "'LIML' is recorded twice"),
        ({"a": lambda result: None}, TypeError, "a answers with None; it must be a test"),
        ({"a": lambda result: "x"}, TypeError, "a answers with 'x'"),
        ({"a": lambda result: 3.0}, ValueError, r"a answers with an array of shape \(\)"),
        ({"a": lambda result: np.ones(3)}, ValueError, r"shape \(3,\); its first axis .* 2"),
    ],
)
def test_a_record_that_means_nothing_is_refused(record: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        study(record=record).run(40, seed=SEED)


def test_models_are_functions_of_one_kind() -> None:
    with pytest.raises(TypeError, match="model is an empty dict"):
        gmm.MonteCarlo({}, weak, TRUTH, n=60)
    with pytest.raises(TypeError, match="not both"):
        gmm.MonteCarlo({"a": tsls, "b": three_moments}, weak, TRUTH, n=60)


# --- summaries -----------------------------------------------------------------------------------


def test_the_standard_error_of_a_median_is_that_of_the_normal_distribution() -> None:
    """pi / 2 times the variance of the mean."""
    x = np.random.default_rng(0).standard_normal(20_000)
    value, mcse = median(x)
    assert abs(value) < 4 * mcse
    assert mcse == pytest.approx((np.pi / 2 / len(x)) ** 0.5, rel=0.2)
    assert median(np.array([1.0, 2.0, np.inf, np.inf]))[0] == np.inf


def test_a_bootstrapped_mean_has_the_standard_error_of_the_mean() -> None:
    x = np.random.default_rng(0).standard_normal(2000)
    value, mcse = bootstrapped(np.mean, [x], 400)
    assert value == x.mean()
    assert mcse == pytest.approx(x.std() / len(x) ** 0.5, rel=0.12)


def test_the_same_draws_make_differences_sharper() -> None:
    out = study(record=None, chunk=None, block=500).run(1000, seed=SEED)

    def distance(a: Any) -> Any:
        return np.median(np.abs(a - 2))

    one, other = (out.measure(distance, name) for name in ("beta", "LIML: beta"))
    both = out.measure(lambda a, b: distance(a) - distance(b), "beta", "LIML: beta")
    assert both.value == pytest.approx(one.value - other.value)
    assert both.mcse < 0.8 * np.hypot(one.mcse, other.mcse)


def test_a_measure_of_nothing_is_refused() -> None:
    out = study().run(40, seed=SEED)
    with pytest.raises(ValueError, match="there is no 'gamma'; there are const, beta, se"):
        out.measure(np.mean, "gamma")
    with pytest.raises(ValueError, match="of what"):
        out.measure(np.mean)


def test_the_standard_error_of_a_standard_deviation_knows_heavy_tails() -> None:
    """Over 300 runs the sd of 200 t-distributed means of one spreads as each run says."""

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_t(9, (*size, 1))

    def mean(data: Any) -> Any:
        return gmm.Moments(lambda t, x: x - t[..., None, :], data).fit(start=[0.0])

    # n = 2: means of two have heavy tails still.
    out = gmm.MonteCarlo(mean, sampler, {"mu": 0.0}, n=2, block=5000).run(60_000, seed=SEED)
    runs = out.estimates[:, 0].reshape(300, 200)
    found = [
        gmm.MonteCarloResult(
            parameters=("mu",), truth={"mu": 0.0}, n=2, seed=0, df=0, df_t=None, theory={},
            records=out.records[200 * i : 200 * i + 200],
        ).summary()["mu"]["sd"]
        for i in range(300)
    ]  # fmt: skip
    np.testing.assert_allclose([one.value for one in found], runs.std(axis=1, ddof=1))
    spread = np.std([one.value for one in found], ddof=1)
    assert np.sqrt(np.mean([one.mcse**2 for one in found])) == pytest.approx(spread, rel=0.15)


def test_several_levels_stand_in_one_table() -> None:
    out = study(chunk=None).run(40, seed=SEED)
    both = out.summary(level=[0.9, 0.99])
    for level in (0.9, 0.99):
        alone = out.summary(level=level)
        percent, size = f"{100 * level:g} %", f"{100 - 100 * level:g} %"
        for name in TRUTH:
            assert both[name][f"coverage at {percent}"] == alone[name]["coverage"]
            assert both[name][f"size at {size}"] == alone[name]["size"]
        assert both["AR"][f"rejection at {size}"] == alone["AR"]["rejection"]
    assert "coverage at 90 %" in str(both)
    assert "rejected at 1 %" in str(both)
    assert "size" not in str(both)
    with pytest.raises(ValueError, match="different ones"):
        out.summary(level=[0.9, 0.9])
    with pytest.raises(ValueError, match="different ones"):
        out.summary(level=[])


def test_a_frame_has_a_column_for_everything() -> None:
    out = study().run(40, seed=SEED)
    frame = out.to_frame()
    for name in ("beta", "se(beta)", "LIML: beta", "LIML: se(const)", "AR", "set: covers",
                 "set: length", "stage: F", "noise[1]", "status"):  # fmt: skip
        assert name in frame.columns
    assert (frame["set: covers"] == out.recorded["set"].contains(2.0)).all()


def test_a_grid_shows_estimators_and_statistics() -> None:
    def make(n: int) -> gmm.MonteCarlo:
        return gmm.MonteCarlo(
            {"2SLS": tsls, "LIML": liml}, weak, TRUTH, n, record={"AR": anderson_rubin}, block=100
        )

    grid = gmm.MonteCarloGrid(make, n=[50, 100]).run(100, seed=SEED)
    table = str(grid.table("coverage", "rejection", level=[0.9, 0.95]))
    for text in ("n=50, 2SLS: beta", "n=100, LIML: beta", "n=50, 2SLS: AR", "coverage at 90 %",
                 "rejected at 5 %"):  # fmt: skip
        assert text in table
    assert "<table" in grid._repr_html_()
    assert set(grid.to_frame().index.get_level_values("parameter")) == {"const", "beta", "AR"}


# --- one sample at a time ------------------------------------------------------------------------


def test_estimators_of_statsmodels_and_linearmodels() -> None:
    """One by one; ours on the same samples gives what they give."""
    api = pytest.importorskip("statsmodels.api")
    iv = pytest.importorskip("linearmodels.iv")
    one = np.ones((60, 1))

    def theirs(data: Any) -> Any:
        return iv.IVGMM(data["y"], one, data["w"], data["z"])

    def ols(data: Any) -> Any:
        return api.OLS(data["y"], np.column_stack([one, data["w"]])).fit(use_t=True)

    def ours(data: Any) -> Any:
        return gmm.IV(data["y"], one, data["w"], data["z"]).fit()

    record = {
        "Wald": lambda result: result.wald_test(np.array([[0.0, 1.0]]), np.array([2.0])),
        "t test": lambda result, data: ols(data).t_test("x1 = 2"),
        "set": lambda result, data: ours(data).confidence_set("ar"),
        "both": lambda result: np.asarray(result.params),
    }
    both = gmm.MonteCarlo(
        {"IVGMM": theirs, "OLS": ols, "ours": ours},
        weak, TRUTH, n=60, vectorized=False, record=record, block=12,
    )  # fmt: skip
    out = both.run(12, seed=SEED)
    assert (out.df, out.df_t) == (2, None)
    assert out.estimators["OLS"].df_t == 58
    stack = both.draw(np.random.default_rng(0), 2)["y"].shape
    assert stack == (2, 60)
    np.testing.assert_allclose(out.estimators["ours"].estimates, out.estimates, rtol=1e-8)
    np.testing.assert_allclose(out.estimators["ours"].j, out.j, rtol=1e-7)
    np.testing.assert_allclose(out.recorded["both"], out.estimates, rtol=0)
    wald = ((out.estimates[:, 1] - 2) / out.bse[:, 1]) ** 2
    np.testing.assert_allclose(out.recorded["Wald"], stats.chi2.sf(wald, 1), rtol=1e-8)
    assert out.recorded["set"].intervals.shape == (12, 4, 2)
    assert np.isfinite(out.recorded["t test"]).all()
    again = both.replay(7, seed=SEED)
    assert again.recorded["Wald"] == out.recorded["Wald"][7]
    assert again.data["y"].shape == (60,)
    np.testing.assert_array_equal(again.result.params, out.estimates[7])


def test_one_sample_that_fails_alone() -> None:
    def model(data: Any) -> Any:
        if data[0] > 1:
            raise ArithmeticError("cannot")
        return gmm.GaussianMeanSD(data)

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal(size)

    truth = {"mu": 0.0, "sigma": 1.0}
    out = gmm.MonteCarlo(model, sampler, truth, n=20, vectorized=False, block=50).run(50, seed=SEED)
    failed = out.status == Status.EXCEPTION
    assert 0 < failed.sum() < 20
    assert sorted(out.errors) == np.flatnonzero(failed).tolist()
    assert set(out.errors.values()) == {"ArithmeticError: cannot"}


def test_an_optimizer_that_has_not_converged_is_a_failure() -> None:
    api = pytest.importorskip("statsmodels.api")

    def model(data: Any) -> Any:
        with np.errstate(all="ignore"):
            return api.Logit(data["y"], data["x"]).fit(disp=0, maxiter=2, warn_convergence=False)

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        x = rng.standard_normal((*size, 1))
        return {"y": (x[..., 0] + rng.logistic(size=size) > 0).astype(float), "x": x}

    out = gmm.MonteCarlo(model, sampler, {"b": 1.0}, n=40, vectorized=False, block=10).run(
        10, seed=SEED
    )
    assert (out.status == Status.MAX_ITERATIONS).all()
    assert np.isnan(out.estimates).all()


def test_what_is_no_answer_is_said_by_name() -> None:
    with pytest.raises(ValueError, match="stage answers with an empty dict"):
        study(record={"stage": lambda result: {}}).run(40, seed=SEED)
    out = study().run(40, seed=SEED)
    for function in (lambda b: b, lambda b: "far", lambda b: None, lambda b: 1j):
        with pytest.raises(TypeError, match=r"the function answers with .* one real number"):
            out.measure(function, "beta")
    assert out.measure(lambda b: b.mean(keepdims=True), "beta").value == pytest.approx(
        out.measure(np.mean, "beta").value
    )


def test_two_replications_do_not_tell_how_good_their_standard_deviation_is() -> None:
    record = {"at": lambda result: result.params[..., 1]}
    for replications, known in ((2, False), (3, True)):
        row = study(record=record).run(replications, seed=SEED).summary()
        for name in ("beta", "at"):
            assert np.isfinite(row[name]["sd"].value)
            assert np.isfinite(row[name]["sd"].mcse) == known
