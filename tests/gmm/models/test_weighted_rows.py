"""data/rows.py and the arguments of `IV` that use it: weights of rows, and rows left out."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from linearmodels.iv import IV2SLS, IVGMM

rng = np.random.default_rng(4)
N = 50
DATA = pd.DataFrame(rng.standard_normal((N, 4)), columns=["x", "z1", "z2", "u"])
DATA = DATA.assign(const=1.0, w=DATA.z1 + DATA.z2 + DATA.u + rng.standard_normal(N))
DATA["y"] = 1 + DATA.w + DATA.x + DATA.u
X, Z = DATA[["const", "x"]], DATA[["z1", "z2"]]
WEIGHTS, COUNTS = rng.uniform(0.5, 3, N), rng.integers(1, 4, N)
GROUPS = np.arange(N) // 5


@pytest.mark.parametrize("cov", ["unadjusted", "robust"])
def test_analytic_weights_are_those_of_linearmodels(cov: str) -> None:
    theirs = IV2SLS(DATA.y, X, DATA.w, Z, weights=WEIGHTS).fit(cov_type=cov)
    ours = gmm.IV(DATA.y, X, DATA.w, Z, aweight=WEIGHTS).fit(steps=1, cov=cov)
    assert_allclose(ours.params, theirs.params, rtol=1e-10)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-10)
    assert_allclose(ours.residuals, theirs.resids, atol=1e-10)
    assert_allclose(ours.rsquared, theirs.rsquared, rtol=1e-9)
    assert_allclose(ours.fitted_values + ours.residuals, DATA.y, rtol=1e-12)
    theirs = IVGMM(DATA.y, X, DATA.w, Z, weights=WEIGHTS).fit(cov_type="robust")
    assert_allclose(gmm.IV(DATA.y, X, DATA.w, Z, aweight=WEIGHTS).fit().j, theirs.j_stat.stat)


@pytest.mark.parametrize("cov", ["unadjusted", "robust", "cluster"])
def test_frequencies_are_repeated_rows(cov: str) -> None:
    rows = np.repeat(np.arange(N), COUNTS)
    model = gmm.IV(DATA.y, X, DATA.w, Z, clusters=GROUPS, fweight=COUNTS)
    repeated = gmm.IV(*(a.to_numpy()[rows] for a in (DATA.y, X, DATA.w, Z)),
                      clusters=GROUPS[rows])  # fmt: skip
    ours, theirs = model.fit(cov=cov, small_sample="df"), repeated.fit(cov=cov, small_sample="df")
    assert ours.n == COUNTS.sum()
    assert_allclose(ours.params, theirs.params, rtol=1e-12)
    assert_allclose(ours.bse, theirs.bse, rtol=1e-12)
    assert_allclose(ours.residuals.to_numpy()[rows], theirs.residuals, atol=1e-12)
    assert ours.residuals.index.equals(DATA.index)


def test_rows_with_missing_values_are_dropped_and_counted() -> None:
    holes = DATA.copy()
    holes.loc[[3, 8], "y"] = np.nan
    holes.loc[8, "z1"] = holes.loc[20, "x"] = np.nan
    arguments = (holes.y, holes[["const", "x"]], holes.w, holes[["z1", "z2"]])
    with pytest.raises(ValueError, match="missing values"):
        gmm.IV(*arguments)
    model = gmm.IV(*arguments, clusters=GROUPS, missing="drop")
    result, whole = model.fit(), holes.dropna()
    assert model.dropped_rows == 3
    assert "3 rows with missing values" in str(result.summary())
    expected = gmm.IV(whole.y, whole[["const", "x"]], whole.w, whole[["z1", "z2"]]).fit()
    assert_allclose(result.params, expected.params, rtol=1e-12)
    assert result.residuals.index.equals(whole.index)
    arrays = gmm.IV(*(a.to_numpy() for a in arguments), missing="drop").fit()
    assert_allclose(arrays.params, expected.params, rtol=1e-12)
    groups = np.array(["a", "b"] * 25, dtype=object)
    groups[0] = None
    assert gmm.IV(*arguments, clusters=groups, missing="drop").dropped_rows == 4


def test_mistakes_are_named() -> None:
    y, x = DATA.y.to_numpy(), X.to_numpy()
    with pytest.raises(ValueError, match="whole numbers"):
        gmm.IV(y, x, fweight=WEIGHTS)
    with pytest.raises(ValueError, match=r"aweight has shape \(3,\)"):
        gmm.IV(y, x, aweight=np.ones(3))
    with pytest.raises(ValueError, match="must be positive"):
        gmm.IV(y, x, aweight=np.zeros(N))
    with pytest.raises(ValueError, match="choose one"):
        gmm.IV(y, x, aweight=WEIGHTS, fweight=COUNTS)
    with pytest.raises(ValueError, match="of one sample only"):
        gmm.IV(np.zeros((3, 2, N)), x, missing="drop")
    with pytest.raises(ValueError, match="'raise' or 'drop'"):
        gmm.IV(y, x, missing="ignore")
    with pytest.raises(ValueError, match="not for panels"):
        gmm.FixedEffects(y, x[:, 1:], absorb=GROUPS, aweight=WEIGHTS)
