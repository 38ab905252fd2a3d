"""montecarlo/study.py and experiment.py: what a study is, does, and says when it cannot."""

import pickle
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import gmm
from gmm import Status
from gmm.montecarlo import blocks, engine

from ..studies import normal, normal_study, three_moments, two_moments

SEED = 11


def within(value: float, expected: float, mcse: float) -> bool:
    return abs(value - expected) < 4 * mcse


# --- what it computes ----------------------------------------------------------------------------


def test_a_study_estimates_what_the_model_does() -> None:
    """Every replication once more, from the block's stream, without the engine."""
    study = normal_study(block=20)
    out = study.run(50, seed=SEED)
    for block in range(3):
        x = blocks.generator(SEED, 0, block).standard_normal((20, 50, 1))
        model = gmm.Moments(three_moments, x, names=["mu", "v"])
        fit = model.fit(start=[0.0, 1.0], initial="start", center=True)
        rows = slice(20 * block, 20 * block + 20)
        count = len(out.estimates[rows])
        np.testing.assert_array_equal(out.estimates[rows], fit.params[:count])
        np.testing.assert_array_equal(out.bse[rows], fit.bse[:count])
        np.testing.assert_array_equal(out.j[rows], fit.j_test.statistic[:count])
        np.testing.assert_array_equal(out.j_pvalues[rows], fit.j_test.pvalue[:count])
    assert out.df == 1


def test_the_2010_experiment_is_one_study() -> None:
    """The sampler of the general engine draws what the cache-sized one of GMMGaussianMC draws."""

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal(size)

    truth = {"mu": 0.0, "sigma": 1.0}
    study = gmm.MonteCarlo(gmm.GaussianMeanSD, sampler, truth, n=60, chunk=1000)
    out, special_case = study.run(1_500, seed=2010), gmm.GMMGaussianMC(1_500, n=60)
    assert out.records.tobytes() == special_case.records.tobytes()


def test_a_chunk_is_part_of_the_identity_and_a_prefix_is_not() -> None:
    long = normal_study().run(170, seed=SEED)
    for replications in (1, 49, 50, 51, 120):
        short = normal_study().run(replications, seed=SEED)
        assert short.records.tobytes() == long.records[:replications].tobytes()
    other = normal_study(chunk=7).run(170, seed=SEED)
    # One variable is drawn in the same order; the estimates differ by rounding alone.
    np.testing.assert_allclose(other.estimates, long.estimates, atol=1e-7)


def test_designs_and_seeds_have_streams_of_their_own() -> None:
    first = normal_study().run(10, seed=1).estimates
    assert not np.any(first == normal_study(design=1).run(10, seed=1).estimates)
    assert not np.any(first == normal_study().run(10, seed=2).estimates)


Pair = namedtuple("Pair", ["y", "w"])


@pytest.mark.parametrize("form", [dict, tuple, Pair])
def test_samples_may_be_several_arrays(form: Any) -> None:
    """Least squares of y on a constant and w; pieces are found by whatever names they have."""

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        w = rng.standard_normal(size)
        y = 1 + 2 * w + rng.standard_normal(size)
        return {"y": y, "w": w} if form is dict else (y, w) if form is tuple else Pair(y, w)

    def model(data: Any) -> gmm.IV:
        y, w = data.values() if form is dict else data
        return gmm.IV(y, exog=np.stack([np.ones_like(w), w], axis=-1))

    study = gmm.MonteCarlo(model, sampler, {"const": 1, "slope": 2}, n=40, block=100, chunk=30)
    out = study.run(100, seed=SEED)
    again = study.replay(64, seed=SEED)
    y, w = again.data.values() if form is dict else again.data
    assert y.shape == (40,)
    fitted = np.polynomial.polynomial.polyfit(w, y, 1)
    np.testing.assert_allclose(out.estimates[64], fitted, rtol=1e-10)


def test_a_replay_has_the_runs_bits_and_the_whole_result() -> None:
    study = normal_study(chunk=20)
    out = study.run(150, seed=SEED)
    for i in (0, 19, 20, 49, 50, 149):
        again = study.replay(i, seed=SEED)
        assert again.estimates.tobytes() == out.estimates[i].tobytes()
        assert again.bse.tobytes() == out.bse[i].tobytes()
        assert (again.j, again.status, again.iterations) == (
            out.j[i],
            out.status[i],
            out.iterations[i],
        )
        assert again.data.shape == (50, 1)
        np.testing.assert_allclose(again.result.params, out.estimates[i], atol=1e-7)
    assert "mu" in str(again.result.summary())
    with pytest.raises(ValueError, match="replication is -1"):
        study.replay(-1, seed=SEED)


# --- exact theory --------------------------------------------------------------------------------


def common_mean(theta: Any, data: Any) -> Any:
    return data - theta[..., np.newaxis, :]


def two_variables(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    return rng.standard_normal((*size, 2))


def test_known_s_makes_estimate_and_j_exactly_normal_and_chi_squared() -> None:
    """g = (x1 - t, x2 - t) with S = I known: t ~ N(0, 1 / 2n), J ~ chi2(1), for every n."""
    fit = {"start": [0.0], "weights": np.eye(2), "cov": np.eye(2)}
    study = gmm.MonteCarlo(common_mean, two_variables, {"t": 0.0}, n=5, fit=fit)
    out = study.run(4_000, seed=SEED)
    assert out.df == 1
    np.testing.assert_allclose(out.bse, 10**-0.5, rtol=1e-12)
    assert stats.kstest(out.estimates[:, 0] * 10**0.5, "norm").pvalue > 0.001
    assert stats.kstest(out.j, stats.chi2(1).cdf).pvalue > 0.001
    size = out.summary()["J"]["size"]
    assert within(size.value, 0.05, size.mcse)


# n, and the exact probabilities that J with S centred, or not, exceeds 3.8414588206941285: with
# T ~ t(n - 1), J_c = n / (n - 1) T^2 and J_u = J_c / (1 + J_c / n).
EXACT_SIZES = [
    (20, 0.07130141804967868, 0.04689715387383348),
    (50, 0.05811332534655027, 0.04893416834286673),
    (100, 0.05398781420697521, 0.0494932488111664),
]


@pytest.mark.parametrize(("n", "centered", "uncentered"), EXACT_SIZES)
def test_exact_size_of_j_with_estimated_s(n: int, centered: float, uncentered: float) -> None:
    rates = {}
    for center, expected in ((True, centered), (False, uncentered)):
        fit = {"start": [0.0], "steps": 2, "center": center}
        study = gmm.MonteCarlo(common_mean, two_variables, {"t": 0.0}, n=n, fit=fit)
        rates[center] = study.run(5_000, seed=SEED)
        size = rates[center].summary()["J"]["size"]
        assert within(size.value, expected, size.mcse)
    j_c, j_u = rates[True].j, rates[False].j
    assert j_u.max() < n
    # The same samples; the first steps are the same: the identity holds for each.
    np.testing.assert_allclose(j_u, j_c / (1 + j_c / n), rtol=1e-6)


def test_exactly_identified_variance() -> None:
    """E v_hat = (n - 1) / n and var v_hat = 2 (n - 1) / n^2; J is zero, and is not reported."""
    fit = {"start": [0.0, 1.0]}
    study = gmm.MonteCarlo(two_moments, normal, {"mu": 0.0, "v": 1.0}, n=20, fit=fit)
    out = study.run(4_000, seed=SEED)
    summary = out.summary()
    bias, sd = summary["v"]["bias"], summary["v"]["sd"]
    assert within(bias.value, -1 / 20, bias.mcse)
    # The kurtosis of v_hat, not the normal's, decides how well its sd is known.
    squares = (out.estimates[:, 1] - out.estimates[:, 1].mean()) ** 2
    assert within(squares.mean(), 2 * 19 / 400, squares.std() / np.sqrt(len(squares)))
    assert sd.value == pytest.approx(squares.mean() ** 0.5, rel=1e-3)
    coverage = summary["mu"]["coverage"]
    exact = 1 - 2 * special.stdtr(19, -1.96 * np.sqrt(19 / 20))
    assert within(coverage.value, exact, coverage.mcse)
    assert out.df == 0
    assert "J" not in summary.measures
    assert np.isnan(out.j_pvalues).all()


def test_finite_samples_of_user_moments() -> None:
    """Three moments, n = 100, as simulated elsewhere with 4000 replications."""
    out = normal_study(n=100, block=500, avar=[1, 2]).run(3_000, seed=SEED)
    assert out.converged.all()
    summary = out.summary()
    measured = [summary["J"]["mean"], summary["J"]["size"]]
    measured += [summary[name]["coverage"] for name in ("mu", "v")]
    for measure, other in zip(measured, (1.058, 0.045, 0.929, 0.853), strict=True):
        error = measure.mcse * np.sqrt(1 + 3_000 / 4_000)
        assert within(measure.value, other, error + 0.005 / 4)
    assert summary["v"]["sd"].theory.value == pytest.approx((2 / 100) ** 0.5)


# --- failures ------------------------------------------------------------------------------------


class Fit:
    """Means, and what else a test wants a fit to say."""

    def __init__(self, data: Any, raise_below: float = -np.inf, **extra: Any) -> None:
        self.data, self.raise_below, self.extra = data, raise_below, extra

    def fit(self) -> "Fit":
        self.params = self.data.mean(axis=-2)
        self.bse = self.data.std(axis=-2) / self.data.shape[-2] ** 0.5
        if (self.params < self.raise_below).any():
            raise np.linalg.LinAlgError("this sample is beyond me")
        for name, value in self.extra.items():
            setattr(self, name, value)
        return self


def mean_study(**options: Any) -> gmm.MonteCarlo:
    def model(data: Any) -> Fit:
        return Fit(data, **options)

    return gmm.MonteCarlo(model, normal, {"mu": 0.0}, n=20, block=50)


def test_a_model_that_raises_for_some_samples_is_recorded_for_those() -> None:
    plain = mean_study().run(200, seed=SEED)
    out = mean_study(raise_below=-0.4).run(200, seed=SEED)
    beyond = plain.estimates[:, 0] < -0.4
    assert 0 < beyond.sum() < 20
    np.testing.assert_array_equal(out.status == Status.EXCEPTION, beyond)
    assert np.isnan(out.estimates[beyond]).all()
    np.testing.assert_allclose(out.estimates[~beyond], plain.estimates[~beyond], rtol=1e-13)
    assert list(out.errors) == np.flatnonzero(beyond).tolist()
    assert set(out.errors.values()) == {"LinAlgError: this sample is beyond me"}
    text = str(out.summary())
    assert f"{beyond.sum()} failed: the model raised an exception" in text
    # Replayed, the failure shows itself.
    again = mean_study(raise_below=-0.4).replay(int(np.flatnonzero(beyond)[0]), seed=SEED)
    assert again.status == Status.EXCEPTION
    with pytest.raises(np.linalg.LinAlgError):
        again.result  # noqa: B018


def test_errors_survive_a_checkpoint(tmp_path: Path) -> None:
    study = mean_study(raise_below=-0.4)
    out = study.run(200, seed=SEED, checkpoint=tmp_path)
    again = study.run(200, seed=SEED, checkpoint=tmp_path)
    assert again.blocks_reused == 4
    assert again.errors == out.errors != {}
    assert gmm.MonteCarloResult.load(tmp_path).errors == out.errors


def test_a_fit_without_a_status_has_failed_where_it_is_not_finite() -> None:
    out = mean_study().run(50, seed=SEED)
    assert out.converged.all()
    assert np.isnan(out.j).all()

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        x = rng.standard_normal((*size, 1))
        x[::7] = np.inf
        return x

    study = gmm.MonteCarlo(lambda data: Fit(data), sampler, {"mu": 0.0}, n=20, block=50)
    assert (study.run(50, seed=SEED).status[::7] == Status.NON_FINITE).all()


class Bug:
    """A sampler that works until it has been asked for so many chunks."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, rng: np.random.Generator, size: tuple[int, int]) -> Any:
        self.left -= 1
        if self.left < 0:
            raise KeyError("no such column")
        return rng.standard_normal((*size, 1))


def test_a_bug_in_the_sampler_names_the_block_and_keeps_the_others(tmp_path: Path) -> None:
    study = gmm.MonteCarlo(Fit, Bug(2 + 3), {"mu": 0.0}, n=20, block=50)  # two to try it out
    with pytest.raises(gmm.BlockError) as caught:
        study.run(500, seed=SEED, checkpoint=tmp_path)
    message = str(caught.value)
    assert message.startswith("block 3 (replications 150 to 199, seed 11): KeyError: 'no such")
    assert "in test_study.py, line" in message
    assert isinstance(caught.value.__cause__, KeyError)
    assert "keeps the finished blocks" in caught.value.__notes__[0]
    assert len(list(tmp_path.glob("block-*"))) == 3
    mended = gmm.MonteCarlo(Fit, Bug(10**6), {"mu": 0.0}, n=20, block=50)
    with pytest.raises(gmm.CheckpointError, match=r"its sampler\.left is"):
        mended.run(500, seed=SEED, checkpoint=tmp_path)


def test_a_model_that_always_raises_is_a_bug_from_some_block_on() -> None:
    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        x = rng.standard_normal((*size, 1))
        return x if size[0] == 2 else x - 100  # the trial is innocent

    study = gmm.MonteCarlo(
        lambda data: Fit(data, raise_below=-50.0), sampler, {"mu": 0.0}, n=20, block=50, chunk=5
    )
    with pytest.raises(gmm.BlockError, match=r"block 0 .* LinAlgError: this sample is beyond me"):
        study.run(500, seed=SEED)


def test_what_the_trial_raises_is_the_users_own_exception() -> None:
    def model(data: Any) -> Any:
        raise AttributeError("no such estimator")

    study = gmm.MonteCarlo(model, normal, {"mu": 0.0}, n=20)
    with pytest.raises(AttributeError, match="no such estimator"):
        study.run(100, seed=SEED)


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"model": 3}, TypeError, "model is 3; it must be callable"),
        ({"model": lambda: None}, TypeError, "takes 0 positional arguments"),
        ({"model": lambda a, b, c: None}, TypeError, "takes 3 positional arguments"),
        ({"sampler": None}, TypeError, "sampler is None"),
        ({"truth": {}}, TypeError, "truth is {}"),
        ({"truth": [0.0]}, TypeError, r"truth is \[0\.0\]"),
        ({"truth": {"mu": np.nan}}, ValueError, r"truth\['mu'\] is nan"),
        ({"truth": {1: 0.0}}, TypeError, "names are strings"),
        ({"n": 0}, ValueError, "n is 0"),
        ({"n": 2.5}, TypeError, "n is 2.5; it must be a whole number"),
        ({"block": 0}, ValueError, "block is 0"),
        ({"chunk": 51}, ValueError, "chunk is 51; it must be between 1 and 50"),
        ({"design": -1}, ValueError, "design is -1"),
        ({"avar": [1.0, 2.0]}, ValueError, r"avar has shape \(2,\)"),
        ({"avar": [-1.0]}, ValueError, "must be positive"),
    ],
)
def test_a_study_that_cannot_be_says_why(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    given = {"model": Fit, "sampler": normal, "truth": {"mu": 0.0}, "n": 20, "block": 50}
    with pytest.raises(error, match=words):
        gmm.MonteCarlo(**(given | options))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"replications": 0}, ValueError, "replications is 0"),
        ({"replications": 1.5}, TypeError, "replications is 1.5; it must be a whole number"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"workers": 0}, ValueError, "workers is 0"),
    ],
)
def test_a_run_that_cannot_be_says_why(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mean_study().run(**({"replications": 10, "seed": 1} | options))


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (lambda size: np.zeros(size[1]), r"asked for 2 samples of n = 20 .* shape \(20,\)"),
        (lambda size: (np.zeros(size), np.zeros(3)), r"shape \(3,\)"),
        (lambda size: np.array(1.0), r"shape \(\)"),
    ],
)
def test_samples_are_counted(drawn: Any, words: str) -> None:
    study = gmm.MonteCarlo(Fit, lambda rng, size: drawn(size), {"mu": 0.0}, n=20)
    with pytest.raises(ValueError, match=words):
        study.run(10, seed=1)


def test_a_fit_with_other_parameters_than_truth_is_refused() -> None:
    study = gmm.MonteCarlo(Fit, normal, {"mu": 0.0, "sigma": 1.0}, n=20)
    with pytest.raises(ValueError, match=r"params have shape \(2, 1\).*\(mu, sigma\)"):
        study.run(10, seed=1)


def test_parameters_in_another_order_than_truth_are_refused() -> None:
    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal(size)

    study = gmm.MonteCarlo(gmm.GaussianMeanSD, sampler, {"sigma": 1.0, "mu": 0.0}, n=20)
    with pytest.raises(ValueError, match=r"order sigma, mu; the fit has them in the order mu, sig"):
        study.run(10, seed=1)


# --- memory, and results -------------------------------------------------------------------------


def test_results_beyond_the_budget_are_kept_in_a_file() -> None:
    study = normal_study()
    usual = study.run(300, seed=SEED)
    small = study.run(300, seed=SEED, memory=1_000, workers=4)
    assert isinstance(small.records, np.memmap)
    assert small.records.tobytes() == usual.records.tobytes()
    assert str(small.summary()) == str(usual.summary())
    with pytest.raises(ValueError, match="read-only"):
        small.estimates[0, 0] = 0


HELD = """
import re
from gmm.montecarlo.gaussian import gaussian_study

def anonymous():
    with open("/proc/self/status") as status:
        return int(re.search(r"RssAnon:\\s+(\\d+) kB", status.read())[1]) * 1024

study = gaussian_study(5)
study.run(1_000, seed=1).summary()
before = anonymous()
out = study.run(1_500_000, seed=1, memory=4_000_000)
out.summary()
print(out.records.nbytes, anonymous() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux tells")
def test_memory_does_not_grow_with_the_replications() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", HELD], capture_output=True, text=True, check=True
    )
    results, grown = map(int, done.stdout.split())
    assert results > 60_000_000
    assert grown < 15_000_000


def test_threads_follow_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """50 samples of 50 doubles and their copies take 320 kB: so much for each thread."""
    sizes = []

    class Pool(engine.ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            sizes.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(engine, "ThreadPoolExecutor", Pool)
    for memory in (10**9, 2_000_000, 10_000):
        normal_study().run(600, seed=SEED, workers=8, memory=memory)
    assert sizes == [8, 3]  # and one worker needs no pool


def test_a_result_is_a_data_frame() -> None:
    pytest.importorskip("pandas")
    out = normal_study().run(60, seed=SEED)
    frame = out.to_frame()
    assert list(frame) == [
        *("mu", "v", "se(mu)", "se(v)", "J", "J p-value", "iterations", "status"),
    ]
    assert (frame["v"] == out.estimates[:, 1]).all()
    summary = out.summary(null={"mu": 0.5}).to_frame()
    assert (
        summary.loc[("mu", "power"), "estimate"]
        == out.summary(null={"mu": 0.5})["mu"]["power"].value
    )
    assert summary.loc[("J", "size"), "theory"] == 0.05


def test_a_study_can_be_pickled() -> None:
    study = pickle.loads(pickle.dumps(gmm.montecarlo.gaussian.gaussian_study(30, 3)))
    assert study.run(10, seed=1).records.tobytes() == (
        gmm.GMMGaussianMC(10, n=30, seed=1, moments=3).records.tobytes()
    )


def test_a_sampler_that_does_not_draw_from_its_generator_is_refused() -> None:
    own, truth = np.random.default_rng(1), {"mu": 0.0, "sigma": 1.0}
    study = gmm.MonteCarlo(gmm.GaussianMeanSD, lambda _, size: own.normal(size=size), truth, 10)
    with pytest.raises(ValueError, match="all its random numbers must come from rng"):
        study.run(10, seed=SEED)


def test_coverage_is_that_of_the_students_intervals_of_the_fit(tmp_path: Path) -> None:
    """The mean of four normal numbers, in its t(3) interval: exactly 95 %, where 1.96 has 85.5."""

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal(size)

    def mean(y: Any) -> gmm.IV:
        return gmm.IV(y, exog=np.ones((4, 1)))

    fit = {"cov": "unadjusted", "small_sample": "df"}
    study = gmm.MonteCarlo(mean, sampler, {"exog0": 0.0}, 4, fit)
    out = study.run(10_000, seed=SEED, checkpoint=tmp_path)
    assert out.df_t == 3
    for result in out, gmm.MonteCarloResult.load(tmp_path):
        for level in 0.95, 0.8:
            coverage = result.summary(level=level)["exog0"]["coverage"]
            assert within(coverage.value, level, coverage.mcse)


def test_options_that_no_fit_would_see_are_refused() -> None:
    def fitted(data: Any) -> Any:
        return gmm.GaussianMeanSD(data).fit()

    truth = {"mu": 0.0, "sigma": 1.0}
    study = gmm.MonteCarlo(fitted, lambda rng, size: rng.normal(size=size), truth, 20, {"steps": 1})
    with pytest.raises(TypeError, match=r"fit has options \(steps\), but .*answers with a fit"):
        study.run(10, seed=1)
    with pytest.raises(TypeError, match="fit is 5; it must be a dict"):
        gmm.MonteCarlo(fitted, normal, truth, 20, 5)
