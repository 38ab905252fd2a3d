"""Tests and sets for weak instruments: ivmodels 0.10.0, ivreg2, pyfixest 0.60.0, by integration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, linalg, special

import gmm
from gmm.inference import weak_instruments
from gmm.inference.projections import relative_eigenvalues
from gmm.inference.weak_instruments import chi2_tail, clr_pvalue

DATA = pd.read_csv(Path(__file__).parents[1] / "peers" / "sixty.csv")
Y, W = DATA.y.to_numpy(), DATA.w.to_numpy()
X = np.column_stack([np.ones(60), DATA.x])
Z = DATA[["z1", "z2", "z3"]].to_numpy()
RESULT = gmm.IV(Y, X, W, Z, clusters=DATA.c1).fit(steps=1, weights="unadjusted")


@pytest.mark.parametrize(
    ("value", "k", "clr", "p"),
    [
        (0.0, 71.80157865156885, 79.17933012112059, None),  # ivmodels' p-value has lost its digits
        (0.5, 54.10165153665734, 58.1299721103672, 4.22e-14),
        (1.0, 27.67198605244437, 29.16623900817344, 8.459444522657122e-08),
    ],
)
def test_k_and_clr_are_those_of_ivmodels(value: float, k: float, clr: float, p: float) -> None:
    assert_allclose(RESULT.k_test(value).statistic, k, rtol=1e-10)
    test = RESULT.clr_test(value)
    assert_allclose(test.statistic, clr, rtol=1e-10)
    if p is not None:
        assert_allclose(test.pvalue, p, rtol=2e-8 if p > 1e-10 else 2e-2)


def test_two_regressors_are_those_of_ivmodels() -> None:
    result = gmm.IV(Y, np.ones(60), DATA[["w", "x"]], Z).fit(steps=1)
    assert_allclose(result.k_test([0.5, 1.0]).statistic, 55.02613971421685, rtol=1e-10)
    assert_allclose(result.clr_test([0.5, 1.0]).statistic, 59.00985585245036, rtol=1e-10)


def test_sets_are_those_of_ivmodels() -> None:
    sets = {name: RESULT.confidence_set(name).intervals for name in ("ar", "k", "clr")}
    assert_allclose(sets["ar"], [[1.5182809479154717, 1.8750512081804307]], rtol=1e-9)
    kleibergen = [[1.473802801249, 1.917007698711], [11.610905410008, 23.895807865528]]
    assert_allclose(sets["k"], kleibergen, rtol=1e-7)
    assert_allclose(sets["clr"], [[1.477085460809, 1.913929147669]], rtol=1e-8)


def weak(samples: int = 300, strength: float = 0.15) -> gmm.IVResult:
    rng = np.random.default_rng(0)
    z, u = rng.standard_normal((samples, 100, 3)), rng.standard_normal((samples, 100))
    w = strength * z.sum(axis=-1) + u + rng.standard_normal((samples, 100))
    return gmm.IV(w + u, np.ones((100, 1)), w, z).fit(steps=1)


@pytest.mark.parametrize("test", ["ar", "k", "clr"])
def test_a_set_holds_what_its_test_accepts(test: str) -> None:
    """Bounded, unbounded and empty sets of weak instruments."""
    result = weak()
    found = result.confidence_set(test, 0.9)
    tests = {"ar": result.anderson_rubin, "k": result.k_test, "clr": result.clr_test}
    for value in (-30.0, -1.0, 0.0, 0.7, 1.0, 1.5, 5.0, 300.0):
        accepted = tests[test](value).pvalue >= 0.1
        assert (found.contains(value) == accepted).all()
    assert 0 < np.count_nonzero(found.bounded) < 300
    kept = ~np.isnan(found.intervals[..., 0])
    assert (np.diff(found.intervals[..., 0], axis=1)[kept[:, 1:]] > 0).all()


def test_coverage_however_weak_the_instruments() -> None:
    result = weak(4000, 0.05)
    for test in ("ar", "k", "clr"):
        coverage = result.confidence_set(test).contains(1.0).mean()
        assert abs(coverage - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000) + 0.008


@pytest.mark.parametrize("count", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("m", [0.01, 0.5, 4.0, 40.0])
@pytest.mark.parametrize("q", [1e-6, 1.0, 50.0, 1e8])
def test_the_conditional_distribution_is_the_integral(count: int, m: float, q: float) -> None:
    def density(angle: float) -> float:
        tail = special.chdtrc(count, (q + m) / (1 + q * np.sin(angle) ** 2 / m))
        return float(np.cos(angle) ** (count - 2) * tail)

    scale = np.sqrt(m / count)
    points = [x * scale for x in (0.1, 0.5, 1.0, 2.0) if x * scale < 1.5]
    value = integrate.quad(density, 0, np.pi / 2, points=points, epsrel=1e-12, limit=400)[0]
    value *= 2 / special.beta(0.5, (count - 1) / 2)
    assert_allclose(clr_pvalue(np.array([m]), np.array([q]), count), value, rtol=1e-7)


@pytest.mark.parametrize(
    ("count", "error"), [(2, 1e-10), (4, 1e-10), (7, 1e-9), (10, 2e-9), (20, 1e-11)]
)
def test_more_nodes_do_not_change_the_conditional_distribution(
    count: int, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    m, q = (
        a.ravel() for a in np.meshgrid(np.geomspace(1e-3, 200, 40), np.geomspace(1e-6, 1e6, 40))
    )
    found = clr_pvalue(m, q, count)
    x, weights = np.polynomial.legendre.leggauss(400)
    monkeypatch.setattr(weak_instruments, "_nodes", lambda _: ((1 + x) / 2, weights / 2))
    assert_allclose(found, clr_pvalue(m, q, count), rtol=0, atol=error)


def test_the_conditional_distribution_at_its_ends() -> None:
    m = np.array([0.0, 3.0, 5.0])
    strong = clr_pvalue(m, np.full(3, 1e14), 4)
    assert_allclose(strong, [1.0, *special.chdtrc(1, m[1:])], rtol=1e-6)
    none = clr_pvalue(m, np.full(3, 1e-14), 4)
    assert_allclose(none, [1.0, *special.chdtrc(4, m[1:])], rtol=1e-10)


@pytest.mark.parametrize("df", [1, 2, 3, 8, 31, 60])
def test_tail_of_chi_squared(df: int) -> None:
    x = np.array([1e-9, 0.1, 1.0, 5.0, 30.0, 400.0])
    assert_allclose(chi2_tail(df, x), special.chdtrc(df, x), rtol=1e-12)


def test_robust_versions_have_their_level_and_tend_to_the_others() -> None:
    rng = np.random.default_rng(1)
    z, u = rng.standard_normal((2000, 150, 3)), rng.standard_normal((2000, 150))
    w = 0.15 * z.sum(axis=-1) + u + rng.standard_normal((2000, 150))
    e = u * np.sqrt(0.3 + z[..., 0] ** 2)
    result = gmm.IV(w + e, np.ones((150, 1)), w, z).fit(steps=1)
    for test in (result.k_test, result.clr_test):
        assert (test(1.0, "robust").pvalue < 0.05).mean() < 0.075
        assert (test(1.0).pvalue < 0.05).mean() > 0.09
    large = rng.standard_normal((20_000, 3))
    u = rng.standard_normal(20_000)
    w = 0.05 * large.sum(axis=-1) + u + rng.standard_normal(20_000)
    result = gmm.IV(w + u, np.ones(20_000), w, large).fit(steps=1)
    for test in (result.k_test, result.clr_test):
        assert_allclose(test(0.8, "robust").statistic, test(0.8).statistic, rtol=0.05)


def test_effective_f() -> None:
    """Without heteroskedasticity the F; pyfixest 0.60.0 has 41.1949 with HC1."""
    f = RESULT.first_stage()["endog0"].statistic
    assert_allclose(RESULT.effective_f("unadjusted").statistic, f, rtol=1e-10)
    test = RESULT.effective_f("robust")
    z = Z - X @ np.linalg.lstsq(X, Z)[0]
    w = W - X @ np.linalg.lstsq(X, W)[0]
    v = w - z @ np.linalg.lstsq(z, w)[0]
    s = (z * v[:, None]).T @ (z * v[:, None]) * 60 / 55
    expected = w @ z @ np.linalg.solve(z.T @ z, z.T @ w) / np.trace(np.linalg.solve(z.T @ z, s))
    assert_allclose(test.statistic, expected, rtol=1e-10)
    # Montiel Olea and Pflueger's table 1: with K_eff = 1, 23.1 for tau = 10 %.
    one = gmm.IV(Y, X, W, Z[:, :1]).fit().effective_f("unadjusted")
    assert_allclose(one.critical_values["5 %"], 23.1, atol=0.05)


def test_kleibergen_paap_of_one_regressor_is_the_robust_first_stage() -> None:
    f = RESULT.first_stage("robust")["endog0"].statistic
    assert_allclose(RESULT.kleibergen_paap().statistic, f, rtol=1e-10)
    cluster = RESULT.first_stage("cluster")["endog0"].statistic
    assert_allclose(RESULT.kleibergen_paap("cluster").statistic, cluster, rtol=1e-10)


def test_stock_yogo() -> None:
    """Their tables 1 and 2, as Stata and gretl print them."""
    assert RESULT.stock_yogo().critical_values["2sls bias 5 %"] == 13.91
    assert RESULT.stock_yogo("2sls size").critical_values["2sls size 10 %"] == 22.30
    assert RESULT.stock_yogo("liml size").critical_values["liml size 10 %"] == 6.46
    assert "13.91" in str(RESULT.stock_yogo())
    assert "nan" not in RESULT.stock_yogo().to_latex()


def test_bad_options_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="'ar', 'k', 'clr'"):
        RESULT.confidence_set("lr")
    with pytest.raises(ValueError, match="the set is for one"):
        gmm.IV(Y, None, DATA[["w", "x"]], Z).fit().confidence_set()
    with pytest.raises(ValueError, match="worst is"):
        RESULT.stock_yogo("ols")


def test_sets_show_themselves() -> None:
    kleibergen = RESULT.confidence_set("k")
    assert str(kleibergen) == "95 % K set of endog0: [1.4738, 1.91701] or [11.6109, 23.8958]"
    assert "cup" in kleibergen.to_latex()
    assert "300 samples" in str(weak().confidence_set())


def test_two_relative_eigenvalues_are_those_of_lapack() -> None:
    half = np.random.default_rng(1).standard_normal((2, 50, 2, 3))
    a, b = half @ half.swapaxes(-1, -2)
    expected = [linalg.eigvalsh(*pair) for pair in zip(a, b, strict=True)]
    assert_allclose(relative_eigenvalues(a, b), expected, rtol=1e-10, atol=1e-12)


def test_collinear_errors_of_the_reduced_forms_have_no_k_and_no_likelihood_ratio() -> None:
    """y - 5 w lies in the span of the instruments; only Anderson and Rubin's test is left."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((200, 3))
    e = rng.standard_normal(200)
    w = z.sum(axis=1) + e
    for y in (1 + 2 * w + 3 * e, 0.1 + 2 * w):
        r = gmm.IV(y, exog=np.ones((200, 1)), endog=w, instruments=z).fit()
        for test in (r.k_test(1.9), r.clr_test(1.9)):
            assert np.isnan(test.statistic)
            assert np.isnan(test.pvalue)
            assert "collinear" in test.reason or "perfect fit" in test.reason
