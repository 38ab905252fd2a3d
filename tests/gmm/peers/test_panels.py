"""Panels: pydynpd 0.2.2, R's plm 2.6-2, pyfixest 0.60.0 and linearmodels 7.1 on one sample.

panel.csv is synthetic: 40 entities of 8 years, y on its lag and x, which is endogenous; z an
instrument, q noise, five regions.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm

DATA = pd.read_csv(Path(__file__).parent / "panel.csv")
PANEL = {"entity": DATA.id, "time": DATA.year}
X = DATA[["x"]]
WINDMEIJER = {"cov_formula": "windmeijer"}

# Options of the model; of fit; estimates; standard errors; Hansen's J; m1 and m2 of two steps.
DYNAMIC = [
    ({"endog": X, "gmm_lags": (2, 3)}, {"steps": 1},
     [0.21339906214750348, 0.45380540743633757], [0.13005028879234137, 0.16473453798390542],
     None, None),
    ({"endog": X, "gmm_lags": (2, 3)}, WINDMEIJER,
     [0.1670181184728473, 0.5005368575513407], [0.11345332918152183, 0.1522384259534222],
     20.032425609323756, [-3.7280693557292057, 0.10353091530885891]),
    ({"endog": X, "gmm_lags": (2, 4), "collapse": True}, WINDMEIJER,
     [0.15091828798715398, 0.37589073558362207], [0.1483954172123101, 0.24387792540714012],
     3.335018962473969, [-3.163269296074329, 0.05133307585419753]),
    ({"exog": X, "gmm_lags": (2, 4), "collapse": True}, WINDMEIJER,
     [0.16842766580073493, 0.6755921637329877], [0.1519584306780777, 0.09866591218715004],
     2.1540513918118047, [-3.2597031790216504, 0.08453395570687687]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True}, {"steps": 1},
     [0.33660142893855005, 0.49065244702445804, 0.14003076967545458],
     [0.08728714458279939, 0.15723286315471646, 0.1272539533919281], None, None),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True}, WINDMEIJER,
     [0.32021663512145654, 0.4527963363768477, 0.1451661159589762],
     [0.09125184328537062, 0.15271668407727565, 0.1330819309862092],
     0.9970057446019768, [-4.471447244286177, 0.4186004181346962]),
    ({"exog": X, "gmm_lags": (2, 3), "collapse": True, "system": True}, WINDMEIJER,
     [0.19810480528075666, 1.0984821030570446, 0.16470590531905202],
     [0.11922837903031358, 0.1492293804137721, 0.11289247222971917],
     0.1810341039807704, [-3.9477688680157565, -0.11301468494211334]),
]  # fmt: skip


@pytest.mark.parametrize("row", DYNAMIC)
def test_difference_and_system_gmm_are_those_of_pydynpd(row: tuple) -> None:
    """Of R's pgmm, too: those in differences, with its robust standard errors and J."""
    model, options, estimates, errors, j, m = row
    result = gmm.DynamicPanel(DATA.y, **PANEL, **model).fit(**options)
    assert_allclose(result.params, estimates, rtol=1e-8)
    assert_allclose(result.bse, errors, rtol=1e-7)
    if j is not None:
        assert_allclose(result.j, j, rtol=1e-8)
    for order, value in enumerate(m or [], 1):
        assert_allclose(result.serial_correlation(order).statistic, value, rtol=1e-6)


# pydynpd's "fod" and "timedumm": slopes, standard errors, Hansen's J, m1 and m2 of two steps.
ORTHOGONAL, EFFECTS = {"transformation": "orthogonal"}, {"time_effects": True}
MORE = [
    ({"endog": X, "gmm_lags": (2, 3), **ORTHOGONAL},
     [0.23567212517335334, 0.5621452760448625], [0.12763351822915442, 0.17369605088504705],
     17.951614923494237, [-3.4929530239759936, 0.2539149559703756]),
    ({"exog": X, "gmm_lags": (2, 4), "collapse": True, **ORTHOGONAL},
     [0.07458568975003582, 0.566982112210865], [0.12277163091195711, 0.07974033407283997],
     3.2306962125004084, [-3.1888318369900834, -0.2019614218362319]),
    ({"endog": X, "gmm_lags": (2, 3), **EFFECTS},
     [0.16848805984529103, 0.38117199726757955], [0.1275033248132582, 0.1847203196816767],
     19.700407678228466, [-3.3370784354693255, 0.227012129759721]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, **EFFECTS},
     [0.26631352063502256, 0.34461176964976675], [0.17621828340714404, 0.20727101381794916],
     0.1499252663768794, [-3.123747112293529, 0.4251884192351305]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True, **EFFECTS},
     [0.3631899614376588, 0.4394337672832614], [0.09378017549124334, 0.14286695393122886],
     0.5618361225303526, [-4.354332233886205, 0.5812245478631562]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, **ORTHOGONAL, **EFFECTS},
     [0.22163115928211177, 0.32540310550552926], [0.17125679890210768, 0.22225135497070084],
     0.6571807326071445, [-3.1741511869007435, 0.3808598224627442]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True, **ORTHOGONAL},
     [0.34002289832811455, 0.546481267428798], [0.10352554867474992, 0.19144784960333475],
     2.3881871134666484, [-4.549769598561359, 0.4758891782833423]),
    ({"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True, **ORTHOGONAL, **EFFECTS},
     [0.38228143998398206, 0.4875805323399949], [0.111265087017081, 0.18638742238036562],
     2.2099289490094107, [-4.40941802071249, 0.6454568304877544]),
]  # fmt: skip


@pytest.mark.parametrize("row", MORE)
def test_orthogonal_deviations_and_time_effects_are_those_of_pydynpd(row: tuple) -> None:
    """Time effects of pgmm's "twoways", too."""
    options, slopes, errors, j, m = row
    result = gmm.DynamicPanel(DATA.y, **PANEL, **options).fit(**WINDMEIJER)
    assert_allclose(result.params[["L1.y", "x"]], slopes, rtol=1e-8)
    assert_allclose(result.bse[["L1.y", "x"]], errors, rtol=1e-7)
    assert_allclose(result.j, j, rtol=1e-7)
    for order, value in enumerate(m, 1):
        assert_allclose(result.serial_correlation(order).statistic, value, rtol=1e-6)


def test_time_effects_are_named_and_those_of_pydynpd() -> None:
    model = {"endog": X, "gmm_lags": (2, 3), "collapse": True, "system": True}
    result = gmm.DynamicPanel(DATA.y, **PANEL, **model, time_effects=True).fit()
    assert result.parameters[1:7] == tuple(f"time {year}" for year in range(2003, 2009))
    assert_allclose(result.params["time 2003"], 0.27061136512983497, rtol=1e-8)
    assert_allclose(result.params["const"], 0.01371950918231397, rtol=1e-7)


@pytest.mark.parametrize("system", [False, True])
def test_one_step_with_all_lags_does_not_depend_on_the_transformation(system: bool) -> None:
    """Arellano and Bover (1995): in a balanced panel, instruments of all lags, H = MM'."""
    model = {"predetermined": X, "system": system}
    one, other = (
        gmm.DynamicPanel(DATA.y, **PANEL, **model, **more).fit(steps=1) for more in ({}, ORTHOGONAL)
    )
    assert_allclose(one.params, other.params, rtol=1e-8)
    assert_allclose(one.bse, other.bse, rtol=1e-8)


def test_gaps_cost_orthogonal_deviations_less() -> None:
    """A missing period takes out one deviation, and two differences."""
    fewer = DATA.drop(index=DATA.index[DATA.year == 2005])
    found = {
        name: gmm.DynamicPanel(
            fewer.y, endog=fewer[["x"]], entity=fewer.id, time=fewer.year, gmm_lags=(2, 3),
            transformation=name,
        ).fit(steps=1)
        for name in ("differences", "orthogonal")
    }  # fmt: skip
    assert found["orthogonal"].converged
    assert found["orthogonal"].fit.problem.q > found["differences"].fit.problem.q


def test_m_after_one_step_is_arellano_and_bonds_formula() -> None:
    """Their (1991) equation 8 entity by entity; and what pydynpd's own function gives.

    pydynpd 0.2.2 hands that function the Z'u of the second step after a first.
    """
    result = gmm.DynamicPanel(DATA.y, endog=X, gmm_lags=(2, 3), **PANEL).fit(steps=1)
    problem, weights = result.fit.problem, result.fit.weights[0]
    theta = np.asarray(result.params)
    a = weights / problem.n  # of sums, not of means
    zx = problem.zx[0].sum(axis=0)
    for order, value in ((1, -4.02614109497903), (2, 0.2112402794716565)):
        above = below = 0.0
        slopes, products = np.zeros(2), np.zeros(problem.q)
        for i in range(problem.n):
            v = problem.dy[0, i] - problem.dx[0, i] @ theta
            lagged = np.concatenate([np.zeros(order), v[:-order]])
            above += lagged @ v
            below += (lagged @ v) ** 2
            slopes += lagged @ problem.dx[0, i]
            products += (problem.zy[0, i] - problem.zx[0, i] @ theta) * (v @ lagged)
        below -= 2 * slopes @ np.linalg.solve(zx.T @ a @ zx, zx.T @ a @ products)
        below += slopes @ np.asarray(result.cov) @ slopes
        statistic = result.serial_correlation(order).statistic
        assert_allclose(statistic, above / np.sqrt(below), rtol=1e-9)
        assert_allclose(statistic, value, rtol=1e-9)


def test_m2_after_one_step_is_standard_normal() -> None:
    """Of 3000 panels without serial correlation."""
    rng = np.random.default_rng(1)
    eta = rng.standard_normal((3000, 150))
    y = [eta / 0.5 + rng.standard_normal((3000, 150))]
    for _ in range(6):
        y.append(0.5 * y[-1] + eta + rng.standard_normal((3000, 150)))
    rows = np.moveaxis(y, 0, -1).reshape(3000, -1)
    entity, time = (a.ravel() for a in np.indices((150, 7)))
    result = gmm.DynamicPanel(rows, entity=entity, time=time, collapse=True).fit(steps=1)
    m = result.serial_correlation(2).statistic
    assert abs(m.mean()) < 0.1
    assert abs(m.std() - 1) < 0.06
    rejected = (result.serial_correlation(2).pvalue < 0.05).mean()
    assert abs(rejected - 0.05) < 4 * (0.05 * 0.95 / 3000) ** 0.5 + 0.005


def test_all_lags_are_those_of_pgmm() -> None:
    """plm 2.6-2, one step, whose 42 instruments two steps of 40 entities cannot weigh."""
    model = gmm.DynamicPanel(DATA.y, endog=X, **PANEL)
    one = model.fit(steps=1)
    assert_allclose(one.params, [0.17985567469, 0.47279171206], rtol=1e-9)
    assert_allclose(one.bse, [0.10635207578, 0.16855263786], rtol=1e-9)
    assert model.fit().status == gmm.Status.SINGULAR


def test_rows_in_any_order_and_missing_periods() -> None:
    shuffled = DATA.sample(frac=1.0, random_state=1)
    model = {"gmm_lags": (2, 3), "collapse": True}
    one, other = (
        gmm.DynamicPanel(d.y.to_numpy(), endog=d.x.to_numpy(), entity=d.id.to_numpy(),
                         time=d.year.to_numpy(), **model).fit()
        for d in (DATA, shuffled)
    )  # fmt: skip
    assert_allclose(one.params, other.params, rtol=1e-10)
    fewer = DATA.drop(index=[3, 50, 51, 200])
    gaps = gmm.DynamicPanel(
        fewer.y, endog=fewer[["x"]], entity=fewer.id, time=fewer.year, **model
    ).fit()
    assert gaps.converged
    assert gaps.n == 40


def test_a_stack_of_panels_is_its_samples() -> None:
    rng = np.random.default_rng(2)
    y = np.stack([DATA.y, DATA.y + 0.3 * rng.standard_normal(320)])
    options = {"gmm_lags": (2, 3), "collapse": True, "system": True}
    many = gmm.DynamicPanel(y, endog=X, **PANEL, **options).fit(**WINDMEIJER)
    for r in range(2):
        one = gmm.DynamicPanel(y[r], endog=X.to_numpy(), **PANEL, **options).fit(**WINDMEIJER)
        assert_allclose(many.params[r], one.params, rtol=1e-9)
        assert_allclose(many.bse[r], one.bse, rtol=1e-7)
        m = many.serial_correlation().statistic[r]
        assert_allclose(m, one.serial_correlation().statistic, rtol=1e-7)


def test_mistakes_of_panels_are_named() -> None:
    with pytest.raises(ValueError, match="gmm_lags is"):
        gmm.DynamicPanel(DATA.y, **PANEL, gmm_lags=(1, 2))
    with pytest.raises(ValueError, match="transformation is 'fod'"):
        gmm.DynamicPanel(DATA.y, **PANEL, transformation="fod")
    with pytest.raises(ValueError, match="two rows in the same period"):
        gmm.DynamicPanel(DATA.y, entity=np.zeros(320), time=DATA.year)
    with pytest.raises(ValueError, match="whole numbers"):
        gmm.DynamicPanel(DATA.y, entity=DATA.id, time=DATA.year + 0.5)
    data = DATA[["x"]].assign(constant=1.0)
    with pytest.raises(ValueError, match="'constant' does not vary within the groups"):
        gmm.FixedEffects(DATA.y, data, absorb=DATA.id)


OLS, INSTRUMENTED = ([0.548138869733177, 0.010200490679520875],
                     [0.012253365306670582, 0.630743009234943])  # fmt: skip
TWO_WAY = [0.5350996230381164, 0.009826619482642822]
# pyfixest's vcov "iid", "hetero", CRV1 of entities, CRV1 of regions.
FIXED = [
    ("ols", ["id"], "unadjusted", OLS, [0.06965192097575253, 0.040290460760063394]),
    ("ols", ["id"], "robust", OLS, [0.06525041112047988, 0.04396317736195371]),
    ("ols", ["id"], "id", OLS, [0.07203546347196378, 0.04508870745219371]),
    ("ols", ["id"], "region", OLS, [0.06761506071945138, 0.057743734195675134]),
    ("ols", ["id", "year"], "unadjusted", TWO_WAY, [0.0700393600916331, 0.040947481727909636]),
    ("ols", ["id", "year"], "robust", TWO_WAY, [0.06586939331741144, 0.04402696090047145]),
    ("ols", ["id", "year"], "id", TWO_WAY, [0.07275987997152626, 0.04500069109475433]),
    ("ols", ["id", "year"], "region", TWO_WAY, [0.06868433195420658, 0.05595151795618403]),
    ("iv", ["id"], "unadjusted", INSTRUMENTED, [0.04057190618049744, 0.16860225534843168]),
    ("iv", ["id"], "robust", INSTRUMENTED, [0.04386393416254017, 0.1643517004292334]),
    ("iv", ["id"], "id", INSTRUMENTED, [0.04426094036914313, 0.17094131157731948]),
    ("iv", ["id"], "region", INSTRUMENTED, [0.05484649979919966, 0.09110350291210256]),
]


@pytest.mark.parametrize(("kind", "absorb", "cov", "estimates", "errors"), FIXED)
def test_fixed_effects_are_those_of_pyfixest(
    kind: str, absorb: list[str], cov: str, estimates: list[float], errors: list[float]
) -> None:
    """Those without clusters of linearmodels' PanelOLS, too."""
    clusters = DATA.get(cov)
    data = (DATA[["x", "q"]],) if kind == "ols" else (DATA[["q"]], X, DATA[["z"]])
    model = gmm.FixedEffects(DATA.y, *data, clusters=clusters, absorb=DATA[absorb])
    name, factor = ("cluster", "cluster") if clusters is not None else (cov, "df")
    result = model.fit(steps=1, cov=name, small_sample=factor)
    assert_allclose(result.params, estimates, rtol=1e-9)
    assert_allclose(result.bse, errors, rtol=1e-9)


def test_first_differences_are_those_of_linearmodels() -> None:
    """FirstDifferenceOLS, which divides by n - k."""
    model = gmm.FirstDifferences(DATA.y, DATA[["x", "q"]], **PANEL)
    result = model.fit(cov="unadjusted", small_sample="df")
    assert result.n == 280
    assert_allclose(result.params, [0.5832745946071767, 0.022823480323727625], rtol=1e-10)
    assert_allclose(result.bse, [0.0811446069355707, 0.03561946278323725], rtol=1e-10)
    cluster = model.fit(cov="cluster").bse * np.sqrt(280 / 278)
    assert_allclose(cluster, [0.08574629579291504, 0.04005370865211974], rtol=1e-10)


def test_absorbed_effects_are_those_of_dummies() -> None:
    """Of a stack, and of three groupings."""
    rng = np.random.default_rng(1)
    y = np.stack([DATA.y, rng.standard_normal(320)])
    groups = [DATA.id.to_numpy(), DATA.year.to_numpy(), rng.integers(0, 9, 320)]
    many = gmm.FixedEffects(y, DATA[["x", "q"]], absorb=groups).fit()
    dummies = np.column_stack([np.equal.outer(g, np.unique(g)).astype(float) for g in groups])
    both = np.column_stack([DATA[["x", "q"]], dummies])
    for r in range(2):
        assert_allclose(many.params[r], np.linalg.lstsq(both, y[r])[0][:2], rtol=1e-8)
