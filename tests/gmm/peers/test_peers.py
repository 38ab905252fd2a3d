"""The numbers of gretl, R and the Python packages on one sample, each by a named option.

The sample is sixty.csv beside this file, synthetic: y on a constant, x and w; w endogenous;
instruments z1, z2, z3; c1 has 12 groups, c2 has 7. Run in November 2026 with gretl 2022c; R 4.2.2
with gmm 1.7, sandwich 3.0-2, AER 1.2-10; linearmodels 7.1, statsmodels 0.15.0, pyfixest 0.60.0.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm
from gmm import HAC

DATA = pd.read_csv(Path(__file__).parent / "sixty.csv")
Y, W = DATA.y.to_numpy(), DATA.w.to_numpy()
X = np.column_stack([np.ones(60), DATA.x])
Z = DATA[["z1", "z2", "z3"]].to_numpy()
C1, BOTH = DATA.c1.to_numpy(), DATA[["c1", "c2"]].to_numpy()
TSLS = [0.73323137674, 0.43827940773, 1.7037193976]
# R, gretl and linearmodels leave the constant out where they choose a bandwidth.
NO_CONSTANT, NO_CONSTANT_SCORES = (0, 1, 1, 1, 1), (0, 1, 1)
BARTLETT, PARZEN, QS = "bartlett", "parzen", "quadratic-spectral"
ONE = {"steps": 1}
R = {"cov_formula": "efficient"}

# Label; options of fit; estimates (None: 2SLS); standard errors (None: not given); J (None: not
# given); relative tolerance of estimates, and of the rest.
ROWS = [
    ("gretl tsls", {**ONE, "weights": "unadjusted", "small_sample": "df"}, None,
     [0.16682227458, 0.16645233855, 0.11010249611], 5.6286694, 1e-9, 1e-8),
    ("gretl tsls --no-df-corr", {**ONE, "weights": "unadjusted"}, None,
     [0.16259824025, 0.16223767121, 0.10731463864], None, 1e-9, 1e-9),
    ("gretl tsls --robust", ONE, None,
     [0.16116466867, 0.12740681906, 0.12156281407], None, 1e-9, 1e-9),
    ("gretl hc_version 1", {**ONE, "small_sample": "df"}, None,
     [0.16535146118, 0.13071663826, 0.12472081565], None, 1e-9, 1e-9),
    ("gretl hc_version 2", {**ONE, "cov": "hc2"}, None,
     [0.16531503708, 0.13154419488, 0.12650772295], None, 1e-9, 1e-9),
    ("gretl hc_version 3", {**ONE, "cov": "hc3"}, None,
     [0.16964650027, 0.13586574772, 0.13173864843], None, 1e-9, 1e-9),
    ("gretl hc_version 3a", {**ONE, "cov": "hc3a"}, None,
     [0.16822555269, 0.13472849189, 0.13062638374], None, 1e-9, 1e-9),
    ("gretl --cluster=c1", {**ONE, "cov": "cluster", "small_sample": "cluster"}, None,
     [0.28317049556, 0.15131832207, 0.090253193867], None, 1e-9, 1e-9),
    ("gretl time series --robust", {**ONE, "cov": HAC(BARTLETT, 2)}, None,
     [0.22882512743, 0.1390366536, 0.10687152481], None, 1e-9, 1e-9),
    ("gretl hac_lag 3", {**ONE, "cov": HAC(BARTLETT, 3)}, None,
     [0.25053761004, 0.1385066702, 0.099678286822], None, 1e-9, 1e-9),
    ("gretl hac_lag 3 parzen", {**ONE, "cov": HAC(PARZEN, 3)}, None,
     [0.22955557562, 0.1374026666, 0.10984283221], None, 1e-9, 1e-9),
    ("gretl qs_bandwidth 2.5", {**ONE, "cov": HAC(QS, 2.5)}, None,
     [0.23555193911, 0.14233668815, 0.1049247572], None, 1e-9, 1e-9),
    ("gretl nw3",
     {**ONE, "cov": HAC(BARTLETT, "newey-west-lags", moment_weights=NO_CONSTANT_SCORES),
      "cov_formula": "scores"}, None,
     [0.201329242, 0.13153918736, 0.11974686365], None, 1e-9, 1e-9),
    ("gretl prewhitened, bandwidth from the data",
     {**ONE, "cov": HAC(BARTLETT, "newey-west-lags", True, NO_CONSTANT_SCORES),
      "cov_formula": "scores"}, None,
     [0.31562830642, 0.12931901707, 0.094260224403], None, 1e-9, 1e-9),
    ("gretl tsls --gmm", {**ONE, "initial": "identity"},
     [0.78127124, 0.44859065, 1.66191178], [0.16612734, 0.14158520, 0.12730204], None, 2e-8, 2e-7),
    ("gretl tsls --gmm --two-step", {"initial": "identity"},
     [0.6747579335, 0.49886882514, 1.7157452808],
     [0.14958919293, 0.12559132186, 0.11887706252], 6.0051, 1e-8, 1e-5),
    ("gretl tsls --gmm --iterate", {"steps": "iterated"},
     [0.66382153779, 0.50411911635, 1.7307144992],
     [0.14937989362, 0.12606304711, 0.11741097245], 5.58381, 1e-6, 1e-5),
    ("gretl gmm block, V = inv(Z'Z/n)", {},
     [0.67017492311, 0.49587561043, 1.725108825],
     [0.14942024906, 0.12581714837, 0.11797200657], 5.88919, 1e-8, 1e-6),
    ("gretl gmm block, HAC 3", {"weights": HAC(BARTLETT, 3)},
     [0.61496827782, 0.51812879712, 1.7229797916],
     [0.2253677616, 0.13144278494, 0.09419327432], 5.26614, 1e-7, 1e-6),
    ("gretl gmm block, V = I, HAC", {"weights": HAC(BARTLETT, 2), "initial": "identity"},
     [0.65516190684, 0.54933346861, 1.7150462154],
     [0.21011303488, 0.13146897557, 0.10278621007], 5.40108, 2e-7, 1e-6),
    ("R gmm MDS", {"center": True, **R},
     [0.66331212747, 0.50214413384, 1.7274367599],
     [0.14938072806, 0.12593833151, 0.11771310051], 6.5301442321, 1e-9, 1e-9),
    ("R gmm MDS, centeredVcov=FALSE", R,
     [0.67017492309, 0.49587560883, 1.7251088258],
     [0.14939703784, 0.12578001008, 0.11795381385], 5.889189907, 1e-9, 1e-9),
    ("R gmm iid", {"weights": "unadjusted", **R}, None,
     [0.16259824025, 0.16223767121, 0.10731463864], 5.6286694237, 1e-9, 1e-9),
    ("R gmm iterative", {"steps": "iterated", **R},
     [0.66382149115, 0.50411928333, 1.7307147449],
     [0.14937989442, 0.12606305516, 0.11741095031], 5.5838064967, 1e-6, 1e-6),
    ("R gmm one step, identity", {**ONE, "initial": "identity"},
     [0.78127124103, 0.44859065042, 1.6619117796],
     [0.16612735465, 0.1415852048, 0.12730204556], None, 1e-9, 1e-9),
    ("R gmm functional form", {"initial": "identity", **R},
     [0.67475793501, 0.49886882459, 1.7157452803],
     [0.14951758702, 0.12555743117, 0.11877619172], 6.0051036309, 1e-8, 1e-8),
    ("R gmm Bartlett bw 4", {"weights": HAC(BARTLETT, 3), **R},
     [0.61496827683, 0.51812879584, 1.7229797918],
     [0.22416889749, 0.13115394738, 0.094015184297], 5.2661433588, 1e-9, 1e-9),
    ("R gmm Bartlett bw 3.5", {"weights": HAC(BARTLETT, 2.5), **R},
     [0.62411061221, 0.52650602422, 1.7272065877],
     [0.21728150038, 0.13125405187, 0.096733945648], 5.2277810803, 1e-9, 1e-9),
    ("R gmm Parzen bw 4", {"weights": HAC(PARZEN, 3), **R},
     [0.63652685091, 0.52870636044, 1.7297551229],
     [0.20763919215, 0.13138615782, 0.10357918497], 5.0571707355, 1e-9, 1e-9),
    ("R gmm QS bw 4", {"weights": HAC(QS, 4), **R},
     [0.57884370389, 0.51223597477, 1.726572211],
     [0.23767034056, 0.1279545767, 0.084972699632], 5.5447084545, 1e-9, 1e-9),
    ("R gmm QS bw 2.5", {"weights": HAC(QS, 2.5), **R},
     [0.63698409803, 0.54357862705, 1.7320747556],
     [0.21370082388, 0.1337679641, 0.098083455069], 4.9518164695, 1e-9, 1e-9),
    ("R gmm QS bw 2.5, prewhite 1", {"weights": HAC(QS, 2.5, True), **R},
     [0.57725911308, 0.51756552817, 1.7367170805],
     [0.23609351458, 0.13068940566, 0.08591446806], 4.8857437007, 1e-9, 1e-9),
    ("R gmm()",
     {"weights": HAC(QS, "andrews", True, NO_CONSTANT, True), "center": True, **R},
     [0.50028971199, 0.50352649064, 1.7569181935],
     [0.23874988546, 0.13126668068, 0.09417607412], 6.9578615933, 1e-9, 1e-9),
    ("R gmm(prewhite=0, centeredVcov=FALSE)",
     {"weights": HAC(QS, "andrews", False, NO_CONSTANT, True), **R},
     [0.65992955966, 0.49653368379, 1.7226362588],
     [0.169454818937, 0.125942661023, 0.119087838475], 5.3174675636, 1e-9, 1e-9),
    ("R gmm(kernel='Bartlett', bw=bwNeweyWest)",
     {"weights": HAC(BARTLETT, "newey-west-width", False, NO_CONSTANT), **R},
     [0.5956545894126, 0.4984969411111, 1.7209673608639],
     [0.2183426974424, 0.1318706905864, 0.0967926611298], 5.3596813844971, 1e-9, 1e-9),
    ("R kernHAC(prewhite=FALSE, adjust=FALSE)",
     {**ONE, "cov": HAC(QS, "andrews", False, NO_CONSTANT_SCORES, True), "cov_formula": "scores"},
     None, [0.17814384165, 0.12823554146, 0.1222016321], None, 1e-9, 1e-9),
    ("R kernHAC()",
     {**ONE, "cov": HAC(QS, "andrews", True, NO_CONSTANT_SCORES, True), "cov_formula": "scores",
      "small_sample": "df"},
     None, [0.314740330365, 0.135929889424, 0.115543342770], None, 1e-9, 1e-9),
    ("R NeweyWest(lag=3, prewhite=FALSE, adjust=TRUE)",
     {**ONE, "cov": HAC(BARTLETT, 3), "small_sample": "df"}, None,
     [0.25704616428, 0.14210484525, 0.10226776445], None, 1e-9, 1e-9),
    ("R vcovCL HC0, cadjust=FALSE", {**ONE, "cov": "cluster"}, None,
     [0.26648032074, 0.14239956363, 0.084933636897], None, 1e-9, 1e-9),
    ("R vcovCL for ivreg", {**ONE, "cov": "cluster", "small_sample": "groups"}, None,
     [0.27832961756, 0.14873149347, 0.088710290537], None, 1e-9, 1e-9),
    ("linearmodels IV2SLS kernel",
     {**ONE, "cov": HAC(BARTLETT, moment_weights=NO_CONSTANT_SCORES), "cov_formula": "scores"},
     None, [0.26630033036, 0.13412454155, 0.098606286951], None, 1e-9, 1e-9),
    ("linearmodels IVGMM kernel", {"weights": HAC(BARTLETT)}, [],
     [0.23697493277, 0.13362596712, 0.081332690686], 5.140421023, 1e-9, 1e-9),
    ("linearmodels IVGMM(debiased=True)", {"debias": True}, [], None, 5.594730411666, 0, 1e-9),
    ("linearmodels IVGMMCUE", {"steps": "cue", "center": "weights"}, [],
     [0.1492990205, 0.1260961343, 0.11822181823], 6.062112171, 0, 1e-6),
]  # fmt: skip
TWO_WAY = [
    ("R vcovCL HC0, no adjustment", None, [0.25923503695, 0.14844358894, 0.083709940073]),
    ("R vcovCL", "groups", [0.27857272618, 0.16157384256, 0.099420428341]),
    ("linearmodels debiased, pyfixest conventional", "cluster-ways",
     [0.28341783247, 0.1643840331, 0.1011496089]),
    ("pyfixest", "cluster", [0.28487587432, 0.16312608699, 0.091989657913]),
]  # fmt: skip


def model(clusters: np.ndarray | None = C1) -> gmm.IV:
    return gmm.IV(Y, X, W, Z, clusters=clusters)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_estimates_standard_errors_and_j(row: tuple) -> None:
    _, options, estimates, errors, j, precise, rough = row
    result = model().fit(**options)
    if estimates is None:
        estimates = TSLS
    if estimates:
        assert_allclose(result.params, estimates, rtol=max(precise, 3e-10))
    if errors is not None:
        assert_allclose(result.bse, errors, rtol=rough)
    if j is not None:
        assert_allclose(result.j, j, rtol=max(rough, 2e-6 if j == 5.58381 else rough))


def test_cue_of_r_stops_short_of_the_minimum() -> None:
    """R's gmm 1.7 ends at J = 5.5058297606 with these estimates."""
    result = model().fit(steps="cue", **R)
    assert_allclose(result.params, [0.61445455742, 0.50285046596, 1.7233818772], rtol=2e-4)
    assert_allclose(result.bse[0], 0.14928901046, rtol=1e-5)
    assert 5.50582 < result.j < 5.5058297606


@pytest.mark.parametrize("row", TWO_WAY, ids=[row[0] for row in TWO_WAY])
def test_two_ways_of_clustering(row: tuple) -> None:
    _, factor, errors = row
    result = model(BOTH).fit(steps=1, cov="cluster", small_sample=factor)
    assert_allclose(result.bse, errors, rtol=1e-9)


@pytest.mark.parametrize(
    ("cov", "small_sample", "statistic"),
    [
        ("unadjusted", "auto", 46.3765546408),  # gretl, R
        ("robust", "auto", 33.69183116),  # Stata regress, pyfixest hetero
        ("robust", None, 110.264174718),  # linearmodels; gretl and R: over 3, 36.7547249059
        (HAC(BARTLETT, 3), None, 3 * 40.1457),  # gretl
        (HAC(BARTLETT, 1), None, 3 * 42.2033),
        ("cluster", "auto", 39.40220901239),  # pyfixest CRV1, R vcovCL
        ("cluster", None, 138.331061062),  # linearmodels
    ],
)
def test_first_stage(cov: str | HAC, small_sample: str | None, statistic: float) -> None:
    test = model().fit().first_stage(cov, small_sample)["endog0"]
    assert_allclose(test.statistic, statistic, rtol=3e-6 if isinstance(cov, HAC) else 1e-9)
    if cov == "cluster" and small_sample:
        assert (test.df, test.df_denom) == (3, 11)


def test_anderson_rubin_with_few_clusters_keeps_closer_to_its_level() -> None:
    """F(l, G - 1) and G/(G - 1) (n - 1)/(n - k), as Stata's test after regress, vce(cluster)."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(10), 6)
    common = rng.standard_normal((2000, 10, 5))[:, groups]
    own = rng.standard_normal((2000, 60, 5))
    z, u, v = np.split(0.8 * common + 0.6 * own, [3, 4], axis=2)
    w = z.sum(axis=2) + u[..., 0] + v[..., 0]
    result = gmm.IV(u[..., 0], np.ones((60, 1)), w, z, clusters=groups).fit(steps=1)
    sizes = [
        float((result.anderson_rubin(0.0, "cluster", factor).pvalue < 0.05).mean())
        for factor in ("df", "cluster")
    ]
    assert sizes[1] < 0.75 * sizes[0]
