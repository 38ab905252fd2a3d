"""inference/robust_sets.py: sets are what their tests accept, whatever the covariance matrix."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm

CLUSTERS = np.arange(120) % 15


def data(samples: int, strength: float, count: int = 3, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((samples, 120, count))
    z += 0.7 * rng.standard_normal((samples, 15, count))[:, CLUSTERS]
    v = rng.standard_normal((samples, 120)) + rng.standard_normal((samples, 15))[:, CLUSTERS]
    u = 0.8 * v * np.exp(0.5 * z[..., 0]) + 0.6 * rng.standard_normal((samples, 120))
    w = strength * z.sum(axis=-1) + v
    return 1 + 2 * w + u, np.ones((120, 1)), w, z


def fitted(*arrays: Any) -> Any:
    return gmm.IV(*arrays, clusters=CLUSTERS).fit(steps=1)


def test_of(result: Any, name: str) -> Any:
    return {"ar": result.anderson_rubin, "k": result.k_test, "clr": result.clr_test}[name]


test_of.__test__ = False  # type: ignore[attr-defined]
KINDS = ["robust", "cluster", gmm.HAC("bartlett", 3)]


@pytest.mark.parametrize("cov", KINDS, ids=str)
@pytest.mark.parametrize("name", ["ar", "k", "clr"])
@pytest.mark.parametrize("strength", [0.0, 0.1, 0.5, 5.0])
def test_a_set_holds_what_its_test_accepts(strength: float, name: str, cov: Any) -> None:
    y, x, w, z = data(20, strength)
    many = fitted(y, x, w, z)
    found = many.confidence_set(name, 0.9, cov)
    assert not found.missing.any()
    at = np.concatenate([np.tan(np.linspace(-1.57, 1.57, 61)), 2 + np.linspace(-0.4, 0.4, 21)])
    for value in at:
        accepted = test_of(many, name)(value, cov=cov).pvalue >= 0.1
        np.testing.assert_array_equal(found.contains(value), accepted)
    for i in range(4):  # at the ends the test is undecided
        alone = fitted(y[i], x, w[i], z[i])
        ends = found.intervals[i].ravel()
        for end in ends[np.isfinite(ends)]:
            assert_allclose(test_of(alone, name)(end, cov=cov).pvalue, 0.1, rtol=1e-6)
        one = alone.confidence_set(name, 0.9, cov).intervals.ravel()
        assert_allclose(one, ends[~np.isnan(ends)], rtol=1e-7)


@pytest.mark.parametrize("cov", KINDS, ids=str)
@pytest.mark.parametrize("name", ["ar", "k", "clr"])
def test_instruments_without_strength_have_sets(name: str, cov: Any) -> None:
    """They are mostly unbounded, but none of 300 is missing."""
    found = fitted(*data(300, 0.0, count=2, seed=11)).confidence_set(name, cov=cov)
    assert not found.missing.any()
    assert (~found.bounded).mean() > 0.5


@pytest.mark.parametrize("factor", [None, "df", "cluster", "groups"])
@pytest.mark.parametrize("cov", ["unadjusted", "robust", "cluster"])
def test_small_samples_are_those_of_the_test(cov: str, factor: str | None) -> None:
    y, x, w, z = data(1, 0.4)
    result = fitted(y[0], x, w[0], z[0])
    found = result.confidence_set("ar", 0.8, cov, factor)
    ends = found.intervals[np.isfinite(found.intervals)]
    assert ends.size
    for end in ends:
        test = result.anderson_rubin(end, cov=cov, small_sample=factor)
        assert_allclose(test.pvalue, 0.2, rtol=1e-8)


@pytest.mark.parametrize("name", ["ar", "k", "clr"])
def test_an_exactly_identified_set_is_the_same_by_all_tests(name: str) -> None:
    y, x, w, z = data(50, 0.3, count=1)
    many = fitted(y, x, w, z)
    other = many.confidence_set(name, 0.9, "cluster")
    one = many.confidence_set("k", 0.9, "cluster")
    if name == "ar":  # its S is another, and it is an F test
        assert not other.empty.any()
    else:
        assert_allclose(other.intervals[:, 0], one.intervals[:, 0], rtol=1e-7)


def test_coverage_where_homoskedastic_sets_have_none() -> None:
    y, x, w, z = data(1500, 0.3, seed=3)
    many = fitted(y, x, w, z)
    plain = many.confidence_set("clr").contains(2.0).mean()
    robust = many.confidence_set("clr", cov="robust").contains(2.0).mean()
    assert plain < 0.9
    assert robust > plain + 0.02


def test_a_set_that_cannot_be_computed_says_so() -> None:
    y, x, w, z = data(3, 0.3)
    z[1, :, 2] = z[1, :, 0] - z[1, :, 1]
    for name in "ar", "k", "clr":
        for cov in "unadjusted", "robust":
            found = fitted(y, x, w, z).confidence_set(name, cov=cov)
            np.testing.assert_array_equal(found.missing, [False, True, False])
            assert not found.empty[1]
            assert not found.bounded[1]
            assert np.isnan(found.length[1])
            assert "1 missing" in str(found)
            alone = fitted(y[1], x, w[1], z[1]).confidence_set(name, cov=cov)
            assert alone.missing
            assert str(alone).endswith(
                "set of endog0: none, collinear columns of instruments: instr2 = instr0 - instr1"
            )
            assert alone.to_latex().startswith("none")
    few = gmm.IV(y[0], x, w[0], z[0], clusters=np.arange(120) % 2).fit(steps=1)
    for name in "ar", "k", "clr":
        text = str(few.confidence_set(name, cov="cluster"))
        assert text.endswith("none, 2 clusters are too few for 3 instruments")
    y[2, 4] = np.nan
    for name in "ar", "k", "clr":
        assert fitted(y, x, w, z).confidence_set(name).missing.tolist() == [False, True, True]


@pytest.mark.parametrize("cov", ["unadjusted", "robust"])
def test_a_test_of_collinear_instruments_names_them(cov: str) -> None:
    """In a stack it is NaN; where rounding left something of them, a number came out."""
    y, x, w, z = data(3, 0.3)
    z[1, :, 2] = z[1, :, 0] - z[1, :, 1]
    many, one = fitted(y, x, w, z), fitted(y[1], x, w[1], z[1])
    for name in "ar", "k", "clr":
        test = test_of(many, name)(2.0, cov=cov)
        np.testing.assert_array_equal(np.isnan(test.statistic), [False, True, False])
        np.testing.assert_array_equal(np.isnan(test.pvalue), [False, True, False])
        alone = test_of(one, name)(2.0, cov=cov)
        assert np.isnan(alone.pvalue)
        assert "instr2 = instr0 - instr1" in str(alone)


def test_nearly_collinear_instruments_are_none_the_less_instruments() -> None:
    """1, t, t^2, t^3 of years: what is left of t^3 is 3e-7 of it."""
    rng = np.random.default_rng(0)
    year = np.repeat(np.arange(1950.0, 2010.0), 2)
    w = (year - 1980) / 20 + ((year - 1980) / 20) ** 3 + rng.standard_normal(120)
    y, ones = 2 * w + rng.standard_normal(120), np.ones((120, 1))
    powers = np.stack([year, year**2, year**3], axis=1)
    centered = np.stack([(year - 1980) ** j for j in (1, 2, 3)], axis=1)
    one, other = (gmm.IV(y, ones, w, z).fit(steps=1) for z in (powers, centered))
    for name in "ar", "k", "clr":
        assert_allclose(
            test_of(one, name)(1.9).statistic, test_of(other, name)(1.9).statistic, rtol=1e-4
        )


def test_what_depends_on_the_null_is_refused() -> None:
    y, x, w, z = data(1, 0.3)
    result = fitted(y[0], x, w[0], z[0])
    for cov in gmm.HAC("bartlett"), gmm.HAC("bartlett", 3, prewhiten=True):
        with pytest.raises(ValueError, match="a confidence set needs a number"):
            result.confidence_set("ar", cov=cov)
    with pytest.raises(ValueError, match="for a confidence set it is"):
        result.confidence_set("ar", cov="hc3")
