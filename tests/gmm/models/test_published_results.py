"""What Stata's gmm and ivreg2 report; statsmodels ships data and results.

Stata stops its searches early, so its figures hold to about 1e-7.
"""

import pytest
from numpy.testing import assert_allclose

import gmm

from ..datasets import ENDOG, EXOG, INSTRUMENTS, doctor_visits, griliches, published

# Stata's order: first the endogenous regressors.
ORDER = [*ENDOG, *EXOG]
STATA = 1e-6
CLOSED = 1e-9


@pytest.fixture(scope="module")
def wages() -> gmm.IV:
    data = griliches()
    return gmm.IV(data["lw"], data[EXOG], data[ENDOG], data[INSTRUMENTS])


@pytest.mark.parametrize(
    ("options", "module", "name"),
    [
        ({"steps": 1}, "gmm_griliches", "results_onestep"),
        ({"steps": 2}, "gmm_griliches", "results_twostep"),
        ({"steps": "iterated"}, "gmm_griliches_iter", "results"),
    ],
)
def test_wage_equation(wages: gmm.IV, options: dict, module: str, name: str) -> None:
    result, stata = wages.fit(**options), published(module, name)
    # Its iterated estimate stops 1e-6 from the fixed point.
    rtol = 2e-6 if options["steps"] == "iterated" else STATA
    assert_allclose(result.params[ORDER], stata.params, rtol=rtol)
    assert_allclose(result.bse[ORDER], stata.bse, rtol=STATA)
    if options["steps"] != 1:
        assert_allclose(result.j_test.statistic, stata.J, rtol=STATA)
        assert result.j_test.df == stata.J_df == 2


def test_wage_equation_in_closed_form(wages: gmm.IV) -> None:
    """Figures computed by another program from the same formulas, to twelve digits."""
    two, fixed = wages.fit(), wages.fit(steps="iterated")
    one = wages.fit(steps=1, weights="unadjusted")
    assert_allclose(one.params["s"], 0.1724253119097632, rtol=CLOSED)
    assert_allclose(one.j_test.statistic, 13.268331373443013, rtol=CLOSED)
    assert_allclose(two.params[["s", "const"]], [0.1757957680033138, 4.00392437289232], rtol=CLOSED)
    assert_allclose(two.bse["s"], 0.02085135579427444, rtol=CLOSED)
    assert_allclose(two.j_test.statistic, 11.60148136746259, rtol=CLOSED)
    assert_allclose(
        fixed.params[["s", "const"]], [0.17587739970730695, 4.0027752830197585], rtol=1e-8
    )
    assert_allclose(fixed.j_test.statistic, 11.413118565464082, rtol=1e-8)


@pytest.mark.parametrize(
    ("options", "name", "j"),
    [
        ({"steps": 1, "cov": "unadjusted"}, "results", "sargan"),
        ({"steps": 1, "cov": "robust"}, "results_robust", None),
        ({"steps": 1, "cov": "unadjusted", "small_sample": "df"}, "results_small", "sargan"),
        ({"steps": 1, "cov": "robust", "small_sample": "df"}, "results_small_robust", None),
        # Its two-step standard errors do not look at S again after the last step.
        ({"steps": 2, "cov_formula": "weights"}, "results_gmm2s_robust", "j"),
    ],
)
def test_conventions_of_ivreg2(wages: gmm.IV, options: dict, name: str, j: str | None) -> None:
    result = wages.fit(weights="unadjusted" if options["steps"] == 1 else "robust", **options)
    ivreg2 = published("ivreg2_griliches", name)
    table = ivreg2.params_table
    assert_allclose(result.params[ORDER], table[:, 0], rtol=STATA)
    assert_allclose(result.bse[ORDER], table[:, 1], rtol=STATA)
    assert_allclose(result.pvalues[ORDER], table[:, 3], rtol=1e-5)
    assert_allclose(result.conf_int().loc[ORDER], table[:, 4:6], rtol=1e-5)
    if j is not None:
        assert_allclose(result.j_test.statistic, ivreg2[j], rtol=STATA)


def test_weak_instrument_diagnostics(wages: gmm.IV) -> None:
    ivreg2 = published("ivreg2_griliches", "results")
    result = wages.fit()
    assert_allclose(result.cragg_donald(), ivreg2.widstat, rtol=CLOSED)
    assert_allclose(result.cragg_donald(), 12.55161416131593, rtol=CLOSED)
    first_stage = result.first_stage()["iq"]
    assert first_stage.df == 4
    assert first_stage.df_denom == 758 - 15


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"steps": 1}, "results_multonestep"),
        ({"steps": 2}, "results_multtwostep"),
        ({"steps": 2, "center": True}, "results_multtwostepcenter"),
    ],
)
def test_doctor_visits_with_multiplicative_error(options: dict, name: str) -> None:
    data, stata = doctor_visits(), published("gmm_poisson", name)
    exog = ["medicaid", "aget", "aget2", "educyr", "actlim", "totchr", "const"]
    model = gmm.ExponentialRegression(
        data["docvis"], data[exog], data[["private"]], data[["income", "ssiratio"]]
    )
    result = model.fit(**options)
    order = ["private", *exog]
    assert_allclose(result.params[order], stata.params, rtol=STATA)
    assert_allclose(result.bse[order], stata.bse, rtol=STATA)
    if options["steps"] == 2:
        assert_allclose(result.j_test.statistic, stata.J, rtol=STATA)
        assert result.j_test.df == 1


@pytest.mark.parametrize("steps", [1, 2, "iterated", "cue"])
def test_doctor_visits_with_additive_error_are_exactly_identified(steps: int | str) -> None:
    data, stata = doctor_visits(), published("gmm_poisson", "results_addtwostep")
    own = ["aget", "aget2", "educyr", "actlim", "totchr", "const"]
    model = gmm.ExponentialRegression(
        data["docvis"],
        data[own],
        data[["private", "medicaid"]],
        data[["income", "ssiratio"]],
        error="additive",
    )
    result = model.fit(steps=steps)
    order = ["private", "medicaid", *own]
    assert_allclose(result.params[order], stata.params, rtol=STATA)
    assert_allclose(result.bse[order], stata.bse, rtol=STATA)
    assert result.j_test.df == 0
    assert result.j_test.statistic < 1e-15
    assert "as many moments as parameters" in result.j_test.reason


def test_centered_and_uncentered_j_are_functions_of_each_other(wages: gmm.IV) -> None:
    """J_c = J / (1 - J / n) at the iterated estimate, which is the same for both.

    Hansen and Lee 2021, Econometrica 89, 1419-1447, theorem 1.
    """
    plain, centered = wages.fit(steps="iterated"), wages.fit(steps="iterated", center=True)
    assert_allclose(centered.params, plain.params, rtol=1e-8)
    j = plain.j_test.statistic
    assert_allclose(centered.j_test.statistic, j / (1 - j / 758), rtol=1e-8)


def test_kleibergen_and_paap_are_those_of_ivreg2(wages: gmm.IV) -> None:
    """widstat and idstat, of two endogenous regressors."""
    result = wages.fit(steps=1)
    robust, homoskedastic = (
        published("ivreg2_griliches", name) for name in ("results_robust", "results")
    )
    assert_allclose(result.kleibergen_paap().statistic, robust.widstat, rtol=1e-9)
    assert_allclose(result.kleibergen_paap(form="lm").statistic, robust.idstat, rtol=1e-9)
    lm = result.kleibergen_paap("unadjusted", "lm").statistic
    assert_allclose(lm, homoskedastic.idstat, rtol=1e-9)
