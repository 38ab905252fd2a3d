"""Tests and sets that keep their level, however weak the instruments.

Moreira (2003, Econometrica 71, 1027-1048) writes them with two statistics of the k2 = 1 model,
S and T: Anderson and Rubin's is Q_S = S'S, Kleibergen's K = Q_ST^2 / Q_T, the likelihood ratio
that between Q_S and the smallest eigenvalue of [S T]'[S T].
"""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import ROUNDING, Array, beside
from gmm.estimation.covariance import correction
from gmm.estimation.linear import inverse_each, quadratic_each, solve_each
from gmm.inference.confidence_sets import ConfidenceSet, below, shaped, union
from gmm.inference.estimates import check_level
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.instrument_strength import covariance_of, flat
from gmm.inference.projections import LinearModel, Projections, relative_eigenvalues, residuals
from gmm.inference.robust_sets import Moments, anderson_rubin_ends, intervals_of, searched_ends

# So many samples that their nodes stay in cache.
_SAMPLES = 256


@cache
def _nodes(count: int) -> tuple[Array, Array]:
    """Gauss and Legendre's on (0, 1); the more degrees of freedom, the steeper the tail.

    P-values are right to 2e-9, and to 1e-10 for up to four instruments.
    """
    number = 38 + 2 * count // 3 if count <= 10 else 48 + 2 * count
    x, weights = np.polynomial.legendre.leggauss(number)
    return (1 + x) / 2, weights / 2


def null_values(model: LinearModel, values: npt.ArrayLike) -> tuple[Array, str]:
    """The coefficients (k2,) of the endogenous regressors under the null, and their text."""
    names, given = model.endog_names, np.asarray(values, dtype=np.float64)
    if not names:
        raise ValueError("there are no endogenous regressors to test")
    if given.shape not in ((), (1,), (len(names),)):
        raise ValueError(
            f"values has shape {given.shape}; the endogenous regressors are {', '.join(names)}"
        )
    null = np.broadcast_to(given, len(names))
    return null, ", ".join(f"{n} = {v:g}" for n, v in zip(names, null, strict=True))


def k_test(model: LinearModel, values: npt.ArrayLike, cov: Any = "unadjusted") -> HypothesisTest:
    """Kleibergen's (2002, 2005) K: the score at the null, chi-squared with k2."""
    null, text = null_values(model, values)
    parts = Projections.of(model)
    if isinstance(cov, str) and cov == "unadjusted":
        statistic = _statistics(parts, null)[0]
    else:
        statistic = _robust_statistics(model, null, cov)[0]
    statistic[parts.unknown()] = np.nan
    values = statistic.reshape(model.shape)[()]
    reason = why_unknown(model, values, cov)
    return HypothesisTest("K test", text, values, len(null), reason=reason)


def clr_test(model: LinearModel, values: npt.ArrayLike, cov: Any = "unadjusted") -> HypothesisTest:
    """Moreira's (2003) likelihood ratio, with its distribution given the strength seen."""
    null, text = null_values(model, values)
    parts = Projections.of(model)
    if isinstance(cov, str) and cov == "unadjusted":
        _, s, strength = _statistics(parts, null)
        ratio = np.maximum(s - parts.df * parts.eigenvalues()[:, 0], 0.0)
    else:
        if len(null) > 1:
            raise ValueError("cov is for a single endogenous regressor; use k_test for several")
        k, s, strength = _robust_statistics(model, null, cov)
        ratio = _likelihood_ratio(k, s, strength)
    ratio[parts.unknown() | np.isnan(strength)] = np.nan
    p = clr_pvalue(ratio, strength, len(model.instrument_names), len(null))
    values_of = ratio.reshape(model.shape)[()]
    return HypothesisTest(
        "conditional likelihood ratio test",
        text,
        values_of,
        len(null),
        reason=why_unknown(model, values_of, cov),
        given_pvalue=p.reshape(model.shape)[()],
        given_distribution="CLR",
    )


def _robust_statistics(model: LinearModel, null: Array, cov: Any) -> tuple[Array, Array, Array]:
    """K, S, and for one regressor the strength (R,), of GMM (Kleibergen 2005).

    The moments' derivatives less their projection on the moments: what is left of them is
    independent of the moments, and serves as their derivative.
    """
    k2, n = len(null), model.n
    with np.errstate(all="ignore"):
        both = residuals(beside(model.y[..., np.newaxis], model.endog), model.exog)
        z = flat(model, residuals(model.instruments, model.exog))
        both = flat(model, both)
        e = both[..., :1] - both[..., 1:] @ null[:, np.newaxis]
        columns = [z * e, *(z * both[..., i : i + 1] for i in range(1, k2 + 1))]
        g = np.concatenate(columns, axis=2)
        s = covariance_of(g, cov, model.clusters, center=True)
        count = z.shape[2]
        mean = g.mean(axis=1)
        moments, slopes = mean[:, :count], mean[:, count:]
        v = s[:, :count, :count]
        turned = solve_each(v, s[:, :count, count:])  # V_gg^-1 V_gd
        slopes = slopes - (moments[:, np.newaxis] @ turned)[:, 0]
        d = slopes.reshape(-1, k2, count).swapaxes(1, 2)
        weighted = solve_each(v, np.concatenate([moments[..., np.newaxis], d], axis=2))
        score = (d.swapaxes(1, 2) @ weighted[..., :1])[..., 0]
        inner = d.swapaxes(1, 2) @ weighted[..., 1:]
        k = n * (score * solve_each(inner, score[..., np.newaxis])[..., 0]).sum(axis=1)
        total = n * (moments * weighted[..., 0]).sum(axis=1)
        strength = np.full(len(k), np.nan)
        if k2 == 1:
            left = s[:, count:, count:] - s[:, count:, :count] @ turned
            strength = n * quadratic_each(d[..., 0], inverse_each(left))
    return k, total, strength


def _statistics(parts: Projections, null: Array) -> tuple[Array, Array, Array]:
    """K, Anderson and Rubin's Q_S, and the smallest eigenvalue of T'T, each (R,)."""
    b = np.concatenate([[1.0], -null])
    with np.errstate(all="ignore"):
        on, off = parts.quadratic(b)
        slope = (parts.off @ b)[:, 1:] / off[:, np.newaxis]
        # W less its projection on the residual: uncorrelated with it off the instruments.
        turn = np.zeros((len(on), len(b), len(null)))
        turn[:, 1:] = np.eye(len(null))
        turn -= b[:, np.newaxis] * slope[:, np.newaxis, :]
        inner = turn.swapaxes(1, 2) @ parts.on @ turn
        noise = turn.swapaxes(1, 2) @ parts.off @ turn
        # If errors of the reduced forms are collinear, nothing but rounding is left of one.
        size = np.abs(turn).swapaxes(1, 2) @ (np.abs(parts.on) + np.abs(parts.off)) @ np.abs(turn)
        least = ROUNDING * np.einsum("rii->ri", size)
        noise[(np.einsum("rii->ri", noise) <= least).any(axis=1)] = np.nan
        score = (turn.swapaxes(1, 2) @ (parts.on @ b)[..., np.newaxis])[..., 0]
        inner = (inner + inner.swapaxes(1, 2)) / 2
        step = solve_each(inner, score[..., np.newaxis])[..., 0]
        k = parts.df * (score * step).sum(axis=1) / off
        k = np.where(np.isfinite(noise).all(axis=(1, 2)), k, np.nan)
        s = parts.df * on / off
    return k, s, parts.df * relative_eigenvalues(inner, noise)[:, 0]


def clr_pvalue(ratio: Array, strength: Array, count: int, regressors: int = 1) -> Array:
    """P(LR > ratio | strength) (R,) for `count` instruments.

    LR > m if and only if r (1 + f q / m) > m + q, where r = a + b is chi-squared with `count`
    degrees of freedom, and f = a / r, independent of it, is beta; q is the strength. With one
    regressor this is exact (Andrews, Moreira and Stock 2007, J. Econometrics 139, 116-132), with
    several Kleibergen's (2007, same volume, 181-216) approximation.
    """
    m, q = np.broadcast_arrays(np.atleast_1d(ratio), strength)
    if count == regressors:  # exactly identified: the likelihood ratio is Q_S
        return np.asarray(special.chdtrc(regressors, m))
    p = np.empty(m.shape)
    for first in range(0, len(m), _SAMPLES):
        span = slice(first, first + _SAMPLES)
        p[span] = _quadrature(m[span, np.newaxis], q[span, np.newaxis], count, regressors)
    return np.where(m > 0, p, np.where(m == 0, 1.0, np.nan))


def _quadrature(m: Array, q: Array, count: int, regressors: int) -> Array:
    """The mean over f of the chi-squared tail (R,), where m (R, 1) is positive."""
    nodes, node_weights = _nodes(count)
    rest = count - regressors
    # f is the square of the angle's sine. The tail falls where that is about m / count: the nodes
    # are even below half the square root of this, and even in the logarithm of the angle above.
    with np.errstate(all="ignore"):
        turn = np.arcsinh(np.pi / 2 / np.clip(np.sqrt(m / count) / 2, 1e-7, 1.0))
        size = np.pi / 2 / np.sinh(turn)
        grown = np.exp(turn * nodes)
        fallen = 1 / grown
        angle = size / 2 * (grown - fallen)  # the hyperbolic sine, and its derivative below
        sine = np.sin(angle)
        tail = chi2_tail(count, (q + m) / (1 + (q / m) * sine**2))
        tail *= grown + fallen
        # Powers of zero and one are not worth an array of them.
        if rest > 1:
            tail *= np.cos(angle) ** (rest - 1)
        if regressors > 1:
            tail *= sine ** (regressors - 1)
        p = tail @ node_weights * (turn * size / 2)[:, 0]
        return np.asarray(np.minimum(p * 2 / special.beta(regressors / 2, rest / 2), 1.0))


def chi2_tail(df: int, x: Array) -> Array:
    """P(chi2(df) > x): a few terms, all positive, where scipy's function takes long series."""
    if df > 30:
        return np.asarray(special.chdtrc(df, x))
    half = np.minimum(x, 3000.0) / 2
    density = np.exp(-half)
    if df % 2:
        tail, a, term = special.erfc(np.sqrt(half)), 0.5, density * np.sqrt(half / np.pi) * 2
    else:
        tail, a, term = density, 1.0, density * half
    while a < df / 2:  # Q(a + 1, h) = Q(a, h) + h^a e^-h / gamma(a + 1)
        tail, a = tail + term, a + 1
        term = term * half / a
    return np.asarray(tail)


def confidence_set(
    model: LinearModel,
    test: str,
    level: float,
    cov: Any = "unadjusted",
    small_sample: str | None = "df",
) -> ConfidenceSet:
    """The values of the only endogenous regressor's coefficient that a test accepts.

    All three accept by Q_S alone: the sum and the product of the eigenvalues of [S T]'[S T] do
    not depend on the null. So every set comes from quadratic inequalities in the coefficient
    (Mikusheva 2010, J. Econometrics 157, 236-247).
    """
    if len(model.endog_names) != 1:
        raise ValueError(
            f"there are {len(model.endog_names)} endogenous regressors; the set is for one"
        )
    check_level(level)
    if test not in SETS:
        raise ValueError(f"test is {test!r}; it must be one of {', '.join(map(repr, SETS))}")
    name = SETS[test]
    if isinstance(cov, str) and cov == "unadjusted":
        parts = Projections.of(model)
        if test == "ar":
            bound, factor, _ = _critical(model, level, small_sample)
            intervals = _below(parts, np.full(len(parts.on), bound * factor * parts.df / model.n))
        else:
            intervals = _HOMOSKEDASTIC[test](parts, level)
        missing = parts.unknown() | ~np.isfinite(parts.eigenvalues()).all(axis=1)
    else:
        intervals, missing = _robust_intervals(model, test, level, cov, small_sample)
    intervals[missing] = np.nan
    return ConfidenceSet(
        name,
        model.endog_names[0],
        level,
        shaped(intervals, model.shape),
        missing.reshape(model.shape)[()],
        why_unknown(model, np.where(missing, np.nan, 0.0).reshape(model.shape)[()], cov),
    )


def why_unknown(model: LinearModel, statistic: Any, cov: Any) -> str:
    """Why a single sample has no statistic, with the names of collinear columns."""
    if np.ndim(statistic) or np.isfinite(statistic):
        return ""
    if not all(np.isfinite(a).all() for a in (model.y, model.exog, model.endog, model.instruments)):
        return "the data are not finite"
    if cause := model.cause_of_singularity():
        return cause
    count = len(model.instrument_names)
    if isinstance(cov, str) and cov == "cluster" and len(np.unique(model.clusters)) <= count:
        groups = len(np.unique(model.clusters))
        return f"{groups} clusters are too few for {count} instruments"
    return "a covariance matrix is singular: errors of the reduced forms may be collinear"


def explained(model: LinearModel, test: HypothesisTest, cov: Any = None) -> HypothesisTest:
    """The test, with a reason if a single sample has no statistic and none is known yet."""
    return test if test.reason else replace(test, reason=why_unknown(model, test.statistic, cov))


def _critical(
    model: LinearModel, level: float, small_sample: str | None
) -> tuple[float, float, bool]:
    """What l times Anderson and Rubin's statistic may reach, its factor, and whether S has it."""
    count = len(model.instrument_names)
    k = len(model.exog_names) + count
    factor, df, each_way = correction(small_sample, model.n, k, model.clusters)
    if df is None:
        return float(special.chdtri(count, 1 - level)), factor, each_way
    return float(count * special.fdtri(count, df, level)), factor, each_way


def _robust_intervals(
    model: LinearModel, test: str, level: float, cov: Any, small_sample: str | None
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The set with another covariance matrix, and where (R,) there is none."""
    count = len(model.instrument_names)
    with np.errstate(all="ignore"):
        bound, factor, each_way = _critical(model, level, small_sample if test == "ar" else None)
        each_way = each_way and isinstance(cov, str) and cov == "cluster"
        parts = Moments.of(model, "cluster-ways" if each_way else cov, residual=test == "ar")
        missing = Projections.of(model).unknown() | ~parts.usable()
        if test == "ar":
            ends, infinity = anderson_rubin_ends(parts, bound, 1 / factor)
        elif test == "k":
            bound = float(special.chdtri(1, 1 - level))
            ends, infinity = searched_ends(model, parts, lambda k, s, t: k - bound)
        else:
            # Whatever the strength, the critical value lies between those of chi-squared.
            least, most = (float(special.chdtri(df, 1 - level)) for df in (1, count))

            def rejects(k: Array, s: Array, t: Array) -> Array:
                ratio = _likelihood_ratio(k, s, t)
                result = np.where(ratio > most, 1.0, np.where(ratio < least, -1.0, np.nan))
                near = np.flatnonzero((ratio >= least) & (ratio <= most))
                result[near] = (1 - level) - clr_pvalue(ratio[near], t[near], count)
                return result

            ends, infinity = searched_ends(model, parts, rejects)
    intervals, odd = intervals_of(ends, infinity)
    return intervals, missing | odd


def _likelihood_ratio(k: Array, s: Array, strength: Array) -> Array:
    """Kleibergen's (2005) likelihood ratio of GMM, of one regressor."""
    gap = s - strength
    ratio: Array = (gap + np.sqrt(np.maximum(gap**2 + 4 * strength * k, 0.0))) / 2
    return ratio


def _below(parts: Projections, bound: Array) -> Array:
    """The coefficients with Q_S <= bound (R,)."""
    form = parts.on - (bound / parts.df)[:, np.newaxis, np.newaxis] * parts.off
    return below(form[:, 1, 1], form[:, 0, 1], form[:, 0, 0])


def _above(parts: Projections, bound: Array) -> Array:
    form = (bound / parts.df)[:, np.newaxis, np.newaxis] * parts.off - parts.on
    return below(form[:, 1, 1], form[:, 0, 1], form[:, 0, 0])


def k_intervals(parts: Projections, level: float) -> Array:
    """K = Q_S - d / Q_T <= c with Q_T = s - Q_S: two bounds on Q_S, or none at all."""
    bound = special.chdtri(1, 1 - level)
    low, high = (parts.df * parts.eigenvalues()).T
    with np.errstate(all="ignore"):
        # Q_S^2 - (s + c) Q_S + d + c s >= 0 for the sum s and the product d of the eigenvalues.
        root = np.sqrt((high - low) ** 2 + bound**2 - 2 * bound * (low + high))
        middle = low + high + bound
    inner = union(_below(parts, (middle - root) / 2), _above(parts, (middle + root) / 2))
    # Where there is no root, every value will do.
    inner[np.isnan(root) & np.isfinite(high)] = [[-np.inf, np.inf], *[[np.nan, np.nan]] * 3]
    return inner[:, :3]


def clr_intervals(parts: Projections, level: float) -> Array:
    """LR = high - Q_T falls, and its critical value falls more slowly, in Q_T: one bound on Q_S."""
    low, high = (parts.df * parts.eigenvalues()).T
    target, count = 1 - level, parts.count
    left, right = low.copy(), high.copy()
    # The p-value of LR given Q_T = q rises in q from the left end to 1 at the right one.
    everything = clr_pvalue(high - low, low, count) >= target
    at_left, at_right = clr_pvalue(high - left, left, count) - target, np.full(len(low), level)
    rows = np.flatnonzero(~everything & np.isfinite(high))
    side = np.zeros(len(low), np.int8)
    for _ in range(100):  # regula falsi, with the retained end's value halved (Illinois)
        if not rows.size:
            break
        a, b, fa, fb = left[rows], right[rows], at_left[rows], at_right[rows]
        middle = (a * fb - b * fa) / (fb - fa)
        value = clr_pvalue(high[rows] - middle, middle, count) - target
        up = value < 0
        halve = np.where(up, side[rows] == 1, side[rows] == -1)
        left[rows], right[rows] = np.where(up, middle, a), np.where(up, b, middle)
        at_left[rows] = np.where(up, value, np.where(halve, fa / 2, fa))
        at_right[rows] = np.where(up, np.where(halve, fb / 2, fb), value)
        side[rows] = np.where(up, 1, -1)
        moving = (np.abs(value) > 1e-14) & (right[rows] - left[rows] > 4e-16 * high[rows])
        rows = rows[moving]
    middle = np.where(np.abs(at_left) < np.abs(at_right), left, right)
    intervals = _below(parts, low + high - middle)
    intervals[everything] = [[-np.inf, np.inf], [np.nan, np.nan]]
    return intervals


SETS = {"ar": "Anderson-Rubin", "k": "K", "clr": "conditional likelihood ratio"}
_HOMOSKEDASTIC = {"k": k_intervals, "clr": clr_intervals}
