"""Residuals, tests by their names, restricted and transformed estimates, tables, bootstraps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS, IVLIML
from numpy.testing import assert_allclose

import gmm
from gmm.inference.wild_bootstrap import SIGNS, Null, signs_of

DATA = pd.read_csv(Path(__file__).parents[1] / "peers" / "sixty.csv").assign(const=1.0)
X, Z = DATA[["const", "x"]], DATA[["z1", "z2", "z3"]]
MODEL = gmm.IV(DATA.y, X, DATA.w, Z, clusters=DATA.c1)
RESULT = MODEL.fit(steps=1, weights="unadjusted")
PEER = IV2SLS(DATA.y, X, DATA.w, Z).fit(cov_type="unadjusted")


def test_residuals_and_fit_are_those_of_linearmodels() -> None:
    assert_allclose(RESULT.residuals, PEER.resids, atol=1e-12)
    assert_allclose(RESULT.fitted_values, PEER.fitted_values.iloc[:, 0], atol=1e-12)
    assert_allclose(RESULT.rsquared, PEER.rsquared, rtol=1e-12)
    assert_allclose(RESULT.rsquared_adj, PEER.rsquared_adj, rtol=1e-12)
    assert RESULT.nobs == PEER.nobs == 60
    assert RESULT.residuals.index.equals(DATA.index)


def test_prediction_of_new_rows_by_name() -> None:
    new = DATA[["w", "x", "const"]].iloc[:7]  # in another order
    predicted = RESULT.predict(new, new)
    assert_allclose(predicted, RESULT.fitted_values[:7], rtol=1e-12)
    assert predicted.index.equals(new.index)
    assert_allclose(RESULT.predict(X.to_numpy()[:7], DATA.w.to_numpy()[:7]), predicted)
    with pytest.raises(ValueError, match="exog has no column const"):
        RESULT.predict(new[["x"]], new)


def test_tests_are_those_of_linearmodels() -> None:
    assert_allclose(RESULT.sargan().statistic, PEER.sargan.stat, rtol=1e-10)
    assert_allclose(RESULT.sargan().statistic, RESULT.j, rtol=1e-10)
    assert_allclose(RESULT.basmann().statistic, PEER.basmann.stat, rtol=1e-10)
    durbin, hausman = PEER.durbin(), PEER.wu_hausman()
    assert_allclose(RESULT.durbin().statistic, durbin.stat, rtol=1e-9)
    ours = RESULT.wu_hausman()
    assert_allclose(ours.statistic, hausman.stat, rtol=1e-9)
    assert_allclose(ours.pvalue, hausman.pval, rtol=1e-9)
    robust = IV2SLS(DATA.y, X, DATA.w, Z).fit(cov_type="robust").wooldridge_regression
    assert_allclose(RESULT.wu_hausman("robust", None).statistic, robust.stat, rtol=1e-9)
    assert_allclose(RESULT.wu_hausman("unadjusted", None).statistic, 0.304864, rtol=2e-6)  # gretl


def test_basmann_f_of_linearmodels_is_that_of_liml() -> None:
    """Which it prints after two-stage least squares, too."""
    liml = gmm.KClass(DATA.y, X, DATA.w, Z).fit()
    assert_allclose(liml.basmann(f=True).statistic, PEER.basmann_f.stat, rtol=1e-9)
    peer = IVLIML(DATA.y, X, DATA.w, Z).fit()
    assert_allclose(liml.sargan().statistic, peer.sargan.stat, rtol=1e-9)
    exact = gmm.IV(DATA.y, X, DATA.w, Z[["z1"]]).fit()
    assert "as many instruments" in exact.sargan().reason


def test_restricted_estimates_are_those_of_the_shorter_model() -> None:
    """A coefficient of zero is a regressor left out; its instrument stays."""
    result = MODEL.fit()
    restricted = result.restricted("x = 0")
    weights = result.fit.weights[0]
    z = np.column_stack([X, Z])
    zx, zy = z.T @ np.column_stack([X[["const"]], DATA.w]), z.T @ DATA.y
    expected = np.linalg.solve(zx.T @ weights @ zx, zx.T @ weights @ zy)
    assert_allclose(restricted.params[["const", "w"]], expected, rtol=1e-10)
    assert restricted.params["x"] == 0
    assert restricted.bse["x"] == pytest.approx(0, abs=1e-12)
    assert restricted.j_test.df == result.j_test.df + 1
    distance = result.distance_test("x = 0").statistic
    assert_allclose(restricted.j - result.j, distance, rtol=1e-9)
    everything = result.restricted("const = 1, x = 0.5, w = 1.5")
    assert_allclose(everything.params, [1, 0.5, 1.5])


def test_delta_method() -> None:
    ratio = RESULT.transform(lambda theta: theta[..., 2] / theta[..., 1], ["ratio"])
    _, b, c = RESULT.params
    slope = np.array([0, -c / b**2, 1 / b])
    assert_allclose(ratio.params, [c / b])
    assert_allclose(ratio.bse, np.sqrt(slope @ RESULT.cov.to_numpy() @ slope), rtol=1e-8)
    test = RESULT.nonlinear_wald_test(lambda theta: theta[..., 2] / theta[..., 1], 3.0)
    assert_allclose(test.statistic, ((c / b - 3) / ratio.bse.iloc[0]) ** 2, rtol=1e-8)
    same = RESULT.transform(lambda theta: theta)
    assert_allclose(same.cov, RESULT.cov, rtol=1e-8)
    with pytest.raises(ValueError, match="leading axes of the data"):
        gmm.IV(np.zeros((3, 9)), np.ones(9)).fit().transform(lambda theta: np.zeros(7))


def test_wild_cluster_bootstrap_of_least_squares_is_that_of_wildboottest() -> None:
    """wildboottest 0.3.2, all 4096 draws of 12 clusters: t = 4.723531, p = 6 / 4096."""
    result = gmm.IV(DATA.y - 1.3 * DATA.w, DATA[["const", "x", "w"]], clusters=DATA.c1).fit()
    test = result.wild_bootstrap("w = 0")
    assert_allclose(test.statistic, 4.723531**2, rtol=1e-6)
    assert test.pvalue == 6 / 4096


def naive(null: tuple, signs: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """The restricted efficient bootstrap as its paper says it, draw by draw."""
    y, x, w, z, r, q = null
    both, k1 = np.column_stack([x, z]), x.shape[1]

    def fit(y: np.ndarray, regressors: np.ndarray) -> float:
        hat = both @ np.linalg.lstsq(both, regressors)[0]
        bread = np.linalg.inv(hat.T @ hat)
        theta = bread @ hat.T @ y
        scores = hat * (y - regressors @ theta)[:, None]
        if codes is not None:
            scores = np.array([scores[codes == g].sum(axis=0) for g in np.unique(codes)])
        gap = r @ theta - q
        return float(gap @ np.linalg.solve(r @ bread @ scores.T @ scores @ bread @ r.T, gap))

    assert r.shape == (1, k1 + 1)
    assert (r[0, :k1] == 0).all()  # the endogenous regressor's coefficient is q
    gamma = np.linalg.lstsq(x, y - w[:, 0] * q[0])[0]
    u = y - w[:, 0] * q[0] - x @ gamma
    pi = np.linalg.lstsq(np.column_stack([both, u]), w)[0][:-1]
    found = []
    for draw in signs:
        v = draw if codes is None else draw[codes]
        drawn = both @ pi + (w - both @ pi) * v[:, None]
        found.append(fit(drawn[:, 0] * q[0] + x @ gamma + u * v, np.column_stack([x, drawn])))
    return np.array(found)


@pytest.mark.parametrize("signs", sorted(SIGNS))
@pytest.mark.parametrize("clustered", [False, True])
def test_wild_bootstrap_is_the_one_of_its_paper(signs: str, clustered: bool) -> None:
    """Davidson and MacKinnon (2010)."""
    codes = np.unique(DATA.c1, return_inverse=True)[1] if clustered else None
    null = (DATA.y.to_numpy(), X.to_numpy(), DATA[["w"]].to_numpy(), Z.to_numpy(),
            np.array([[0, 0, 1.0]]), np.array([1.3]))  # fmt: skip
    draws = SIGNS[signs](np.random.default_rng(1), (20, 12 if clustered else 60))
    assert_allclose(Null.of(*null, codes).statistics(draws), naive(null, draws, codes), rtol=1e-10)


@pytest.mark.parametrize("endogenous", [True, False])
@pytest.mark.parametrize("n", [60, 53])
def test_draws_from_bits_are_those_of_signs(endogenous: bool, n: int) -> None:
    """The polynomial in the signs, and the squared residuals themselves."""
    y, x, w, z = (a.to_numpy()[:n] for a in (DATA.y, X, DATA[["w"]], Z))
    if not endogenous:
        x, w, z = np.column_stack([x, w]), np.empty((n, 0)), np.empty((n, 0))
    null = Null.of(y, x, w, z, np.array([[0, 0, 1.0]]), np.array([1.3]), None)
    bits = np.random.default_rng(3).bytes(40 * -(-n // 8))
    expected = null.statistics(signs_of(bits, (40, n)))
    assert_allclose(null.statistics_of_bits(bits, 40), expected, rtol=1e-9)


def test_wild_bootstrap_keeps_its_level_with_few_clusters() -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(8), 5)
    common, own = rng.standard_normal((300, 8, 2))[:, codes], rng.standard_normal((300, 40, 2))
    x, u = np.moveaxis(common + own, -1, 0)
    result = gmm.IV(u, np.stack([np.ones_like(x), x], axis=-1), clusters=codes).fit(cov="cluster")
    wald = (result.wald_test([0, 1]).pvalue < 0.05).mean()
    wild = (result.wild_bootstrap([0, 1], draws=399).pvalue < 0.05).mean()
    assert wild < 0.09 < wald
    again = gmm.IV(DATA.y, X, DATA.w, Z).fit().anderson_rubin_bootstrap(1.7, draws=99, seed=1)
    same = gmm.IV(DATA.y, X, DATA.w, Z).fit().anderson_rubin_bootstrap(1.7, draws=99, seed=1)
    assert again.pvalue == same.pvalue


def test_a_table_of_several_models() -> None:
    results = {"2SLS": RESULT, "GMM": MODEL.fit(), "LIML": gmm.KClass(DATA.y, X, DATA.w, Z).fit()}
    table = gmm.compare(results)
    assert table.columns == ["2SLS", "GMM", "LIML"]
    assert "*" not in str(table)
    assert "1.7037***" in str(gmm.compare(results, stars=True))
    assert "(0.1073)" in table._repr_html_()
    assert r"\begin{tabular}{lrrr}" in table.to_latex()
    assert [row[0] for row in gmm.compare([RESULT], omit=["const"]).rows][:2] == ["x", ""]
    for options, message in (
        ({"omit": ["w", "nobody"]}, "omit has 'nobody'; there are const, x, w"),
        ({"names": {"W": "wage"}}, "names has 'W'; there are const, x, w"),
        ({"names": {"x": "w"}}, "two parameters of result 'GMM' below one label, 'w'"),
    ):
        with pytest.raises(ValueError, match=message):
            gmm.compare({"GMM": RESULT}, **options)
    with pytest.raises(ValueError, match="compare takes one"):
        gmm.compare([gmm.IV(np.zeros((3, 9)), np.ones(9)).fit()])
    with pytest.raises(ValueError, match="below is"):
        gmm.compare([RESULT], below="sd")


def test_intervals_of_any_level_stand_in_tables() -> None:
    assert RESULT.summary().columns[-2:] == ["2.5 %", "97.5 %"]
    table = RESULT.summary(level=0.9)
    assert table.columns[-2:] == ["5 %", "95 %"]
    low, high = np.asarray(RESULT.conf_int(0.9))[2]
    assert np.allclose([float(cell) for cell in dict(table.rows)["w"][-2:]], [low, high], rtol=1e-4)
    assert RESULT.to_latex(level=0.9) == table.to_latex()
    side = gmm.compare([RESULT], below="interval", level=0.9)
    assert side.notes == ["In parentheses: 90 % intervals."]
    assert ", ".join(dict(table.rows)["w"][-2:]) in str(side)
    for call in (RESULT.summary, RESULT.to_latex, lambda level: gmm.compare([RESULT], level=level)):
        with pytest.raises(ValueError, match="level is 95"):
            call(level=95)


def test_results_and_tests_show_themselves() -> None:
    assert str(RESULT) == str(RESULT.summary())
    assert RESULT._repr_html_().startswith("<div>")
    assert RESULT.to_latex() == RESULT.summary().to_latex()
    test = RESULT.wald_test("w = 1")
    assert "<strong>Wald test</strong>" in test._repr_html_()
    assert test.to_latex().startswith(r"$\chi^2(1) = ")


def test_arguments_that_are_none_are_named() -> None:
    for call, message in (
        (lambda: RESULT.wild_bootstrap("w = 1", signs="coin"), "signs is 'coin'.*'rademacher'"),
        (lambda: RESULT.wild_bootstrap("w = 1", draws=0), "draws is 0; .*1 or more"),
        (lambda: RESULT.wild_bootstrap("w = 1", draws=99.5), r"draws is 99\.5"),
        (lambda: RESULT.anderson_rubin_bootstrap(1.0, signs="coin"), "signs is 'coin'"),
        (lambda: RESULT.confidence_set("clr", level=95), "level is 95; .*between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    for call, message in (
        (lambda: RESULT.conf_int([0.9, 0.95]), r"level is \[0\.9, 0\.95\]; .*one number"),
        (lambda: RESULT.confidence_set("ar", "95%"), "level is '95%'"),
        (lambda: RESULT.nonlinear_wald_test("w**2 = 1"), r"function is 'w\*\*2 = 1'.*lambda"),
        (lambda: gmm.compare({"a": 5}), "'a' is a int; it must be a fit"),
    ):
        with pytest.raises(TypeError, match=message):
            call()
    with pytest.raises(ValueError, match="level is 5"):
        gmm.compare([RESULT], stars=[5, 1])
    with pytest.raises(ValueError, match="level is 1;"):
        gmm.compare([RESULT], stars=1)
    assert str(gmm.compare(RESULT, stars=0.05)) == str(gmm.compare([RESULT], stars=[0.05]))


def test_a_restriction_without_a_value_says_so() -> None:
    test = RESULT.nonlinear_wald_test(lambda theta: np.nan * theta[..., 0])
    assert np.isnan(test.statistic)
    assert test.reason == "a restriction has no finite value at the estimate"
