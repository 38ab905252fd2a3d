"""Tests of instruments and of exogeneity, under the names that textbooks know."""

from typing import Any

import numpy as np

from gmm.data.arrays import ROUNDING, Array, beside
from gmm.inference.estimates import Estimates
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.projections import LinearModel, Projections, residuals

VALID = "all instruments are valid"


def overidentification(
    result: Estimates, model: LinearModel
) -> tuple[Projections, Array, Array, int, str]:
    """e'Pe and e'Me (R,) at the estimates, degrees of freedom, and why there are none."""
    df = len(model.instrument_names) - len(model.endog_names)
    parts = Projections.of(model)
    k1 = len(model.exog_names)
    slopes = result.estimates.reshape(-1, len(result.parameters))[:, k1:]
    b = np.concatenate([np.ones((len(slopes), 1)), -slopes], axis=1)
    on, off = parts.quadratic(b)
    reason = "" if df else "there are as many instruments as endogenous regressors"
    return parts, on, off, df, reason


def sargan(result: Estimates, model: LinearModel) -> HypothesisTest:
    """n e'Pe / e'e: Sargan (1958), Econometrica 26, 393-415."""
    _, on, off, df, reason = overidentification(result, model)
    return _test("Sargan test", model.n * on / (on + off), df, None, reason, result)


def basmann(result: Estimates, model: LinearModel, f: bool) -> HypothesisTest:
    """(n - k1 - l) e'Pe / e'Me: Basmann (1960), J. Am. Statistical Association 55, 650-659."""
    parts, on, off, df, reason = overidentification(result, model)
    statistic = parts.df * on / off
    if f:
        statistic = statistic / max(df, 1)
    name = "Basmann F test" if f else "Basmann test"
    return _test(name, statistic, df, float(parts.df) if f else None, reason, result)


def _test(
    name: str, statistic: Array, df: int, denominator: float | None, reason: str, result: Estimates
) -> HypothesisTest:
    if reason:
        statistic = np.full(len(statistic), np.nan)
    values = statistic.reshape(result.status.shape)[()]
    return HypothesisTest(name, VALID, values, df, denominator, reason)


def wu_hausman(model: LinearModel, cov: Any, small_sample: str | None) -> HypothesisTest:
    """The coefficients of the first stages' residuals beside the regressors.

    Wu (1973), Econometrica 41, 733-750; Hausman (1978), Econometrica 46, 1251-1271.
    """
    _need_endogenous(model)
    k2 = len(model.endog_names)
    with np.errstate(all="ignore"):
        noise = residuals(model.endog, model.exog, model.instruments)
    regressors = beside(beside(model.exog, model.endog), noise)
    result = model.regression(model.y, regressors).fit(cov=cov, small_sample=small_sample)
    k = regressors.shape[-1]
    test = result.wald_test(np.eye(k)[k - k2 :])
    return _named(test, "Wu-Hausman test", model)


def durbin(model: LinearModel) -> HypothesisTest:
    """The same as a chi-squared: n times the share that those residuals explain.

    Durbin (1954), Review of the International Statistical Institute 22, 23-32.
    """
    _need_endogenous(model)
    with np.errstate(all="ignore"):
        noise = residuals(model.endog, model.exog, model.instruments)
        regressors = beside(model.exog, model.endog)
        rest = residuals(model.y[..., np.newaxis], regressors)
        full = residuals(rest, regressors, noise)
        size = (rest**2).sum(axis=(-2, -1))
        # Of a perfect fit there are residuals of rounding alone.
        least = ROUNDING**2 * (model.y**2).sum(axis=-1)
        size = np.where(size > least, size, np.nan)
        statistic = model.n * (1 - (full**2).sum(axis=(-2, -1)) / size)
    statistic = np.broadcast_to(statistic, model.shape)[()]
    test = HypothesisTest("Durbin test", "", statistic, len(model.endog_names))
    return _named(test, "Durbin test", model)


def _need_endogenous(model: LinearModel) -> None:
    if not model.endog_names:
        raise ValueError("there are no endogenous regressors to test")


def _named(test: HypothesisTest, name: str, model: LinearModel) -> HypothesisTest:
    null = f"{', '.join(model.endog_names)} exogenous"
    return HypothesisTest(name, null, test.statistic, test.df, test.df_denom, test.reason)
