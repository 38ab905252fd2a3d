"""Tests of restrictions and of moments, and the tables that show results."""

import html.parser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

import gmm

from ..gaussian_moments import g, sample_moments, samples, three, two
from ..models.test_linear_iv import IVGMM, W, X, Y, Z, frame, system

R = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, -2.0]])
Q = np.array([1.0, 0.0])


def test_wald_is_its_formula() -> None:
    result = gmm.IV(Y, X, W, Z).fit()
    gap = R @ result.params - Q
    expected = gap @ np.linalg.solve(R @ result.cov @ R.T, gap)
    test = result.wald_test(R, Q)
    assert_allclose(test.statistic, expected, rtol=1e-10)
    assert_allclose(test.pvalue, stats.chi2.sf(expected, 2), rtol=1e-12)
    assert test.null == "exog1 = 1, exog0 - 2 endog0 = 0"
    small = gmm.IV(Y, X, W, Z).fit(small_sample="df")
    assert_allclose(small.wald_test(R, Q).statistic, expected * 197 / 200 / 2, rtol=1e-10)
    assert small.wald_test(R, Q).df_denom == 197


def test_restrictions_as_text() -> None:
    data = frame()
    result = gmm.IV(data["y"], data[["const", "x"]], data["w"], data[["z0", "z1", "z2"]]).fit()
    expected = result.wald_test(R, Q).statistic
    assert_allclose(result.wald_test("x = 1, const = 2 * w").statistic, expected, rtol=1e-12)
    assert_allclose(result.wald_test(["x = 1", "const = 2 * w"]).statistic, expected, rtol=1e-12)


def test_three_tests_are_one_in_linear_models() -> None:
    """Newey and West (1987): W, D and LM agree where g is linear and W is the same in all."""
    y, x, w, z = system(2, (4,))
    result = gmm.IV(y, x, w, z).fit(cov_formula="weights")
    wald, distance, lm = (
        getattr(result, name)(R, Q) for name in ("wald_test", "distance_test", "lm_test")
    )
    assert wald.statistic.shape == (4,)
    assert_allclose(distance.statistic, wald.statistic, rtol=1e-6)
    assert_allclose(lm.statistic, wald.statistic, rtol=1e-6)
    assert distance.df == lm.df == 2


@pytest.mark.parametrize("steps", [1, 2])
def test_three_tests_are_one_in_regressions(steps: int) -> None:
    """Exactly identified: restrictions still meet S^-1 as weights, not those of the first step."""
    result = gmm.IV(Y, np.column_stack([X, W])).fit(steps=steps)
    wald = result.wald_test(R, Q).statistic
    assert_allclose(result.distance_test(R, Q).statistic, wald, rtol=1e-8)
    assert_allclose(result.lm_test(R, Q).statistic, wald, rtol=1e-8)
    moments = gmm.Moments(two, samples(1, 300)[0]).fit([0.0, 1.0], steps=steps)
    wald = moments.wald_test([[1.0, 0.0]], 0.02).statistic
    assert_allclose(moments.distance_test([[1.0, 0.0]], 0.02).statistic, wald, rtol=0.05)


def test_three_tests_agree_in_the_limit_and_keep_their_level() -> None:
    data = samples(1000, 400, seed=8)
    result = gmm.Moments(three, data, names=["mu", "v"]).fit(
        sample_moments(data), steps=1, initial="start"
    )
    rates = {}
    for name in ("wald_test", "distance_test", "lm_test"):
        test = getattr(result, name)([[1.0, 0.0]])
        assert (test.statistic >= 0).all()
        rates[name] = (test.pvalue < 0.05).mean()
    # In samples of 400 with three moments: 0.05, and four standard errors, and a little.
    assert all(0.025 < rate < 0.085 for rate in rates.values()), rates


def test_all_parameters_restricted() -> None:
    result = gmm.IV(Y, X, W, Z).fit(cov_formula="weights")
    null = [1.0, 1.0, 0.5]
    wald = result.wald_test(np.eye(3), null).statistic
    assert_allclose(result.distance_test(np.eye(3), null).statistic, wald, rtol=1e-8)
    assert_allclose(result.lm_test(np.eye(3), null).statistic, wald, rtol=1e-8)


def test_c_of_regressors_is_that_of_linearmodels() -> None:
    theirs = IVGMM(Y, X, W, Z).fit()
    ours = gmm.IV(Y, X, W, Z).fit()
    assert_allclose(ours.c_test().statistic, theirs.c_stat().stat, rtol=1e-9)
    assert_allclose(ours.c_test(["endog0"]).pvalue, theirs.c_stat().pval, rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_c_is_never_negative(seed: int) -> None:
    y, x, w, z = system(seed, (3,))
    result = gmm.IV(y, x, w, z).fit()
    for names in (["endog0"], ["instr0"], ["instr0", "instr2"], ["exog1"]):
        test = result.c_test(names)
        assert (test.statistic >= 0).all()
        assert test.df == len(names)


def test_c_of_all_that_is_superfluous_is_j() -> None:
    """What remains identifies exactly, so its J is zero."""
    result = gmm.IV(Y, X, W, Z).fit()
    assert_allclose(result.c_test(["instr0", "instr1"]).statistic, result.j, rtol=1e-8)
    data = samples(5, 200)
    result = gmm.Moments(g, data, moment_names=["m1", "m2", "m3", "m4"]).fit([0.0, 1.0])
    assert_allclose(result.c_test(["m3", "m4"]).statistic, result.j, rtol=1e-6)


def test_c_finds_the_bad_instrument() -> None:
    rng = np.random.default_rng(4)
    u, z = rng.standard_normal(2000), rng.standard_normal((2000, 3))
    z[:, 2] += 0.3 * u
    w = z.sum(axis=1) + rng.standard_normal(2000)
    result = gmm.IV(w + u, endog=w, instruments=z).fit()
    assert result.c_test(["instr2"]).pvalue < 1e-6
    assert result.c_test(["instr0"]).df == 1


def test_anderson_rubin_is_an_f_test() -> None:
    """Of Z in the regression of y - w beta on X and Z: by residual sums of squares."""
    result = gmm.IV(Y, X, W, Z).fit()
    y = Y - 0.4 * W

    def rss(x: np.ndarray) -> float:
        return float(np.sum((y - x @ np.linalg.lstsq(x, y)[0]) ** 2))

    both = np.column_stack([X, Z])
    f = (rss(X) - rss(both)) / 3 / (rss(both) / (200 - 5))
    test = result.anderson_rubin(0.4)
    assert_allclose(test.statistic, f, rtol=1e-9)
    assert_allclose(test.pvalue, stats.f.sf(f, 3, 195), rtol=1e-10)
    assert test.null == "endog0 = 0.4"
    assert result.anderson_rubin(0.4, cov="robust").statistic > 0


def test_anderson_rubin_keeps_its_level_with_useless_instruments() -> None:
    rng = np.random.default_rng(9)
    z, (u, v) = rng.standard_normal((4000, 30, 2)), rng.standard_normal((2, 4000, 30))
    w = 0.9 * u + 0.4 * v
    result = gmm.IV(0.5 * w + u, endog=w, instruments=z).fit()
    rate = (result.anderson_rubin(0.5).pvalue < 0.05).mean()
    assert abs(rate - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 4000)
    assert (result.wald_test([[1.0]], 0.5).pvalue < 0.05).mean() > 0.3
    assert np.median(result.first_stage()["endog0"].statistic) < 2


def test_the_anderson_rubin_set_is_what_its_test_accepts() -> None:
    """Strong, weak and useless instruments, valid and not: interval, complement, line, nothing."""
    rng = np.random.default_rng(10)
    z, (u, v) = rng.standard_normal((400, 60, 2)), rng.standard_normal((2, 400, 60))
    strength = np.repeat([0.0, 0.1, 0.3, 1.0], 100)[:, None]
    w = strength * z.sum(axis=-1) + 0.8 * u + 0.6 * v
    u[::5] += z[::5, :, 0] - z[::5, :, 1]
    result = gmm.IV(w + u, np.ones((60, 1)), w, z).fit()
    low, high = result.anderson_rubin_set(0.9).T
    for value in np.linspace(-40, 40, 161):
        accepted = result.anderson_rubin(value).pvalue >= 0.1
        inside = np.where(low <= high, (low <= value) & (value <= high), True)
        inside = np.where(low > high, (value <= high) | (value >= low), inside)
        inside &= ~np.isnan(low)
        np.testing.assert_array_equal(inside, accepted)
    kinds = {"none": np.isnan(low), "line": np.isinf(low), "outside": low > high}
    assert all(kind.any() for kind in kinds.values())
    assert (low < high)[300:].mean() > 0.5


def test_first_stage_of_one_regressor_is_cragg_and_donalds() -> None:
    y, x, w, z = system(6, (3,))
    result = gmm.IV(y, x, w, z).fit()
    f = result.first_stage()["endog0"]
    assert_allclose(result.cragg_donald(), f.statistic, rtol=1e-9)
    assert (f.df, f.df_denom) == (3, 195)


def test_p_values_keep_their_digits_far_out() -> None:
    """chi2(2) has the tail exp(-x / 2)."""
    assert_allclose(gmm.HypothesisTest("J", "", 700.0, 2).pvalue, np.exp(-350.0), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "test", "words"),
    [
        ({"weights": "identity"}, "distance_test", "not efficient"),
        ({"steps": 1}, "lm_test", "steps=2 or more"),
        ({"steps": 1}, "c_test", "steps=2 or more"),
    ],
)
def test_what_cannot_be_computed_says_why(options: dict, test: str, words: str) -> None:
    data = samples(3, 100)
    result = gmm.Moments(three, data).fit([0.0, 1.0], **options)
    argument = ["moment2"] if test == "c_test" else [[1.0, 0.0]]
    answer = getattr(result, test)(argument)
    assert np.isnan(answer.statistic).all()
    assert words in answer.reason
    assert words in str(answer)
    assert np.isnan(result.j).all()
    assert words in result.j_test.reason


def test_a_failed_fit_says_why_in_its_tests() -> None:
    result = gmm.IV(np.full(len(Y), np.nan), X, W, Z).fit()
    r = [[0.0, 0.0, 1.0]]
    tests = result.j_test, result.wald_test(r), result.lm_test(r), result.c_test(["instr0"])
    for test in tests:
        assert np.isnan(test.statistic)
        assert "the moments of the data are not finite" in str(test)


def test_more_restrictions_than_groups_have_no_wald_test() -> None:
    """S is a sum over two groups, so of rank two at most, and V with it."""
    result = gmm.IV(Y, X, W, Z, clusters=np.arange(len(Y)) % 2).fit(cov="cluster")
    assert np.isfinite(result.wald_test([[0.0, 0.0, 1.0]]).pvalue)
    all_three = result.wald_test(np.eye(3))
    assert np.isnan(all_three.statistic)
    assert "the covariance matrix of the restrictions is singular" in str(all_three)


def test_models_without_moments_to_minimize_again_say_so() -> None:
    result = gmm.GaussianMeanSD(samples(1, 30)[0, :, 0], moments=4).fit()
    assert np.isfinite(result.wald_test([[1.0, 0.0]]).statistic)
    assert "use the Wald test" in result.distance_test([[1.0, 0.0]]).reason


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: r.wald_test(np.eye(2)), r"R has shape \(2, 2\); it must be \(r, 3\)"),
        (lambda r: r.wald_test(np.ones((2, 3))), "linearly dependent"),
        (lambda r: r.wald_test(np.eye(3), [1.0, 2.0]), r"q has shape \(2,\); R has 3 rows"),
        (lambda r: r.wald_test("z9 = 1"), "R is 'z9 = 1'; it must be linear equations in exog0"),
        (lambda r: r.wald_test("z9 = 1"), "'z9' is none of them"),
        (lambda r: r.wald_test("exog0 = = 1"), r"Unknown operator '=='$"),
        (lambda r: r.wald_test("exog0 * exog1 = 1"), "it must be linear equations"),
        (lambda r: r.wald_test("exog0 = 1", 2.0), "R is 'exog0 = 1', which has its right-hand"),
        (lambda r: r.lm_test(["exog0", "exog1 = 1"], [0.0, 1.0]), "leave out q"),
        (lambda r: r.c_test(["z9"]), "'z9' is no moment; there are exog0, exog1, instr0"),
        (lambda r: r.wald_test([np.nan, 0.0, 1.0]), "R and q must be finite"),
        (lambda r: r.c_test(["endog0", "instr0"]), "one kind at a time"),
        (lambda r: r.c_test(["instr0", "instr0"]), "moment is named twice: instr0, instr0"),
        (lambda r: r.c_test(["endog0", "endog0"]), "named twice: endog0, endog0"),
        (lambda r: r.anderson_rubin([1.0, 2.0]), r"values has shape \(2,\)"),
        (lambda _: gmm.IV(Y, X).fit().anderson_rubin(), "no endogenous regressors"),
        (lambda _: gmm.IV(Y, X).fit(start=[1.0] * 5), "start has 5 values for 2 parameters"),
        (lambda r: r.conf_int(95), "between 0 and 1"),
    ],
)
def test_bad_arguments_say_what_is_wrong(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(gmm.IV(Y, X, W, Z).fit())


def test_summary_is_text_html_and_latex() -> None:
    data = frame().rename(columns={"x": "x_1", "w": "a & b <c>"})
    result = gmm.IV(data["y"], data[["const", "x_1"]], data["a & b <c>"], data[["z0", "z1"]]).fit(
        weights="robust", center=True, small_sample="df"
    )
    summary = result.summary()
    text = str(summary)
    assert "two-step" in text
    assert "robust, centered" in text
    assert "P>|t|" in text
    assert f"J test: chi2(1) = {result.j_test.statistic:.4f}" in text
    lines = text.splitlines()
    table = lines[lines.index(next(line for line in lines if line.startswith("---"))) :]
    assert len({len(line) for line in table if not line.startswith("J")}) == 1
    latex = summary.to_latex()
    assert r"a \& b \textless{}c\textgreater{}" in latex
    assert r"x\_1" in latex
    assert latex.count(r"\\") == 4
    shown = summary._repr_html_()
    assert "a &amp; b &lt;c&gt;" in shown

    class Balance(html.parser.HTMLParser):
        depth = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.depth += 1

        def handle_endtag(self, tag: str) -> None:
            self.depth -= 1

    parser = Balance()
    parser.feed(shown)
    assert parser.depth == 0


def test_summary_of_many_samples() -> None:
    data = samples(100, 50)
    data[3] = np.nan
    text = str(gmm.Moments(three, data, names=["mu", "v"]).fit([0.0, 1.0]).summary())
    assert "samples       100" in text
    assert "1 of 100 failed: the moments of the data are not finite" in text
    assert "99 statistics" in text


def test_a_failed_sample_is_shown_with_its_reason() -> None:
    text = str(gmm.Moments(two, np.full((20, 1), np.inf)).fit([1.0, 1.0]).summary())
    assert "failed: the moments of the data are not finite" in text
    assert "nan" in text


def test_missing_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "formulaic", None)
    monkeypatch.setitem(sys.modules, "formulaic.utils.constraints", None)
    with pytest.raises(ModuleNotFoundError, match=r"smartsolve\[formula\]"):
        gmm.IV.from_formula("y ~ x", frame())
    with pytest.raises(ModuleNotFoundError, match=r"smartsolve\[formula\]"):
        gmm.IV(Y, X).fit().wald_test("exog0 = 1")
