"""Data as they come: each gives a right number, or an error that names the cause."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm

N = 80


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    z, u = rng.standard_normal((N, 3)), rng.standard_normal(N)
    w, x = z.sum(axis=1) + u + rng.standard_normal(N), rng.standard_normal(N)
    columns = {"y": 1 + 2 * w + 0.5 * x + u, "x": x, "w": w, "const": 1.0}
    groups = {"g": np.arange(N) % 8, "day": pd.date_range("2000-01-01", periods=N)}
    return pd.DataFrame({**columns, **dict(zip(("z1", "z2", "z3"), z.T, strict=True)), **groups})


def model(d: pd.DataFrame, y: Any = None, kind: Any = gmm.IV, **options: Any) -> Any:
    y = d.y if y is None else y
    return kind(y, d[["x", "const"]], d.w, d[["z1", "z2", "z3"]], **options)


def test_dates_are_no_numbers() -> None:
    d = frame()
    exog = d[["x", "day"]]
    for given in exog, exog.day, exog.day.to_numpy(), (d[["day"]] - d.day[0]):
        with pytest.raises(TypeError, match=r"exog holds dates or durations.*give numbers"):
            gmm.IV(d.y, given)
    with pytest.raises(TypeError, match=r"part .*day.*columns of dates are day: give numbers"):
        gmm.IV.from_formula("y ~ day", d)
    assert model(d.set_index("day")).fit().status == gmm.Status.OK


def test_weights_are_columns_or_labelled_as_the_rows_are() -> None:
    d = frame().assign(weight=1 + np.arange(N) % 3)
    want = model(d, aweight=d.weight).fit()
    named = gmm.IV.from_formula("y ~ x + [w ~ z1 + z2 + z3]", d, aweight="weight").fit()
    assert_allclose(named.params["w"], want.params["w"], rtol=1e-12)
    counted = gmm.IV.from_formula("y ~ x + [w ~ z1 + z2 + z3]", d, fweight="weight").fit()
    assert counted.n == d.weight.sum()
    with pytest.raises(ValueError, match="'heft' is no column of the data"):
        model(d, aweight="heft")
    for name in "aweight", "fweight":
        with pytest.raises(ValueError, match=f"rows of {name} and y have different labels"):
            model(d, **{name: d.weight.sample(frac=1, random_state=1)})


@pytest.mark.parametrize("kind", ["iv", "steps", "unadjusted", "liml", "ols"])
@pytest.mark.parametrize("which", ["constant", "sum"])
def test_a_perfect_fit_has_estimates_and_nothing_else(which: str, kind: str) -> None:
    """Rounding gave J = 4.2, a Sargan statistic of -16 and t statistics without end."""
    d = frame()
    y = 3 * d.const if which == "constant" else 3 * d.x + d.const + 2 * d.w
    want = {"x": 0.0, "const": 3.0, "w": 0.0} if which == "constant" else dict(x=3.0, const=1, w=2)
    if kind == "liml":
        result = model(d, y, gmm.KClass).fit()
        assert result.status == gmm.Status.SINGULAR
        assert "a perfect fit, y = " in result.reason
        return
    if kind == "ols":
        result = gmm.IV(y, d[["x", "const", "w"]]).fit()
    else:
        options = {"unadjusted": {"steps": 1, "weights": "unadjusted"}, "steps": {"steps": 3}}
        result = model(d, y).fit(**options.get(kind, {}))
    assert_allclose([result.params[name] for name in want], list(want.values()), atol=1e-12)
    assert np.isnan(result.bse).all()
    assert "the fit is perfect" in result.reason
    if kind != "ols":
        assert "perfect" in str(result.j_test)
        for test in (result.sargan(), result.basmann(), result.durbin(),
                     result.anderson_rubin(want["w"]),
                     result.wild_bootstrap([0, 0, 1], want["w"], draws=99, seed=0),
                     result.confidence_set("ar")):  # fmt: skip
            assert "a perfect fit, y = " in str(test)
        assert result.anderson_rubin(want["w"] + 0.1).pvalue < 1e-6


def test_a_perfect_sample_spoils_no_other() -> None:
    d = frame()
    perfect = 3 * d.x + d.const + 2 * d.w
    arrays = d[["x", "const"]].to_numpy(), d.w.to_numpy(), d[["z1", "z2", "z3"]].to_numpy()
    many = gmm.IV(np.stack([d.y, perfect, d.y]), *arrays).fit()
    assert many.status.tolist() == [0, 0, 0]
    alone = model(d).fit()
    for i in 0, 2:
        assert_allclose(many.params[i], alone.params, rtol=1e-10)
        assert_allclose(many.bse[i], alone.bse, rtol=1e-10)
        assert_allclose(many.j[i], alone.j, rtol=1e-8)
    assert_allclose(many.params[1], [3, 1, 2], rtol=1e-12)
    assert np.isnan(many.j[1])
    # A small error is one: of 1e-9 of y there are seven digits left.
    noise = 1e-9 * (d.y - alone.params["w"] * d.w)
    near = model(d, perfect + noise).fit()
    assert_allclose(near.j, model(d, noise).fit().j, rtol=1e-5)


def test_no_more_observations_than_parameters() -> None:
    d = frame()[:2]
    result = gmm.IV(d.y, d[["x", "const"]]).fit()
    assert_allclose(result.fitted_values, d.y, rtol=1e-12)
    assert np.isnan(result.bse).all()
    assert "no more observations than parameters" in result.reason


def test_numbers_without_powers_are_named() -> None:
    d = frame()
    for scale in 1e-200, 1e200:
        result = model(d, d.y * scale).fit()
        assert result.status == gmm.Status.SINGULAR
        assert "the largest value of y is" in result.reason
    small = gmm.IV(d.y, d[["const"]], d.w, d[["z1"]] * 1e-180).fit()
    assert "the largest value of instruments is" in small.reason


def test_what_is_infinite_is_named() -> None:
    d = frame()
    d.loc[3, "z2"] = np.inf
    for missing in "raise", "drop":
        result = model(d, missing=missing).fit()
        assert result.status == gmm.Status.NON_FINITE
        assert result.reason.endswith("instruments has 1 infinite or missing values")


@pytest.mark.parametrize("gap", [np.nan, None, pd.NaT, pd.NA])
def test_groups_that_are_missing_are_no_group(gap: Any) -> None:
    d = frame()
    gaps = d.g.astype(object)
    gaps[5] = gap
    periods = np.arange(N) // 8
    with pytest.raises(ValueError, match="clusters has 1 missing"):
        model(d, clusters=gaps)
    with pytest.raises(ValueError, match="absorb has 1 missing"):
        gmm.FixedEffects(d.y, d.x, absorb=gaps)
    with pytest.raises(ValueError, match="entity has 1 missing"):
        gmm.FirstDifferences(d.y, d.x, entity=gaps, time=periods)
    later = pd.Series(periods, dtype=object)
    later[5] = gap
    with pytest.raises(ValueError, match="time has 1 missing"):
        gmm.FirstDifferences(d.y, d.x, entity=d.g, time=later)


def test_groups_of_numbers_and_texts_are_groups() -> None:
    d = frame()
    mixed = d.g.astype(object).replace({3: "three", 5: "five"})
    clustered = [model(d, clusters=c).fit(cov="cluster").bse for c in (mixed, d.g)]
    assert_allclose(*clustered, rtol=1e-12)
    absorbed = [gmm.FixedEffects(d.y, d.x, absorb=a).fit().params["x"] for a in (mixed, d.g)]
    assert_allclose(*absorbed, rtol=1e-12)


def test_groups_are_labelled_as_the_rows_are() -> None:
    d = frame()
    shuffled = d.g.sample(frac=1, random_state=1)
    with pytest.raises(ValueError, match="rows of absorb and y have different labels"):
        gmm.FixedEffects(d.y, d.x, absorb=shuffled)
    with pytest.raises(ValueError, match="rows of entity and y have different labels"):
        gmm.FirstDifferences(d.y, d.x, entity=shuffled, time=d.g)


def test_panels_that_are_too_short_say_so() -> None:
    d = frame()
    firm, year = np.indices((N // 2, 2)).reshape(2, -1)
    with pytest.raises(ValueError, match="no entity has 3 periods in a row"):
        gmm.DynamicPanel(d.y, entity=firm, time=year)
    for effects in False, True:
        with pytest.raises(ValueError, match="no entity has 22 periods in a row"):
            gmm.DynamicPanel(d.y, entity=firm, time=year, lags=20, time_effects=effects)
    with pytest.raises(ValueError, match="no entity has two periods"):
        gmm.FirstDifferences(d.y, d.x, entity=np.arange(N), time=np.zeros(N))
    with pytest.raises(ValueError, match="does not vary within the groups"):
        gmm.FixedEffects(d.y, d.x, absorb=np.arange(N))
    firm, year = np.indices((N // 4, 4)).reshape(2, -1)
    with pytest.raises(ValueError, match="0 instruments cannot identify 1 parameters"):
        gmm.DynamicPanel(d.y, entity=firm, time=year, gmm_lags=(5, 6)).fit()
    shuffled = pd.Series(firm).sample(frac=1, random_state=1)
    with pytest.raises(ValueError, match="rows of entity and y have different labels"):
        gmm.DynamicPanel(d.y, entity=shuffled, time=year)


def test_lags_and_orders_are_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    firm, year = np.indices((40, 6)).reshape(2, -1)
    y = rng.standard_normal(240)
    for limits in 2, (2,), (2, 3.5), "24", (1, 4), (3, 2), None:
        with pytest.raises(ValueError, match=r"gmm_lags is .*\(first, last\)"):
            gmm.DynamicPanel(y, entity=firm, time=year, gmm_lags=limits)
    for lags in 0, 1.5, "1":
        with pytest.raises(ValueError, match=r"lags is .*whole number"):
            gmm.DynamicPanel(y, entity=firm, time=year, lags=lags)
    result = gmm.DynamicPanel(y, entity=firm, time=year, gmm_lags=(2, 3), collapse=True).fit()
    for order in 0, 1.5, "2", [1, 2]:
        with pytest.raises(ValueError, match="order is"):
            result.serial_correlation(order)
    assert np.isfinite(result.serial_correlation(3).statistic)
    for order in 4, 9:
        test = result.serial_correlation(order)
        assert np.isnan(test.statistic)
        assert test.reason == f"no entity has differenced errors {order} periods apart"
