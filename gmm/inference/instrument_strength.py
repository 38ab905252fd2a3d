"""How much the instruments explain, and whether it is enough; with any covariance matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from gmm.data.arrays import Array
from gmm.estimation.linear import inverse_each, root_each, solve_each
from gmm.estimation.moment_covariance import given_or_estimated
from gmm.estimation.problem import Problem
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.projections import LinearModel, residuals, rounding_decides


@dataclass(frozen=True, kw_only=True)
class Contributions(Problem):
    """Contributions (R, n, q) that depend on no parameter."""

    g: Array

    def contributions(self, theta: Array, index: Any) -> Array:
        """Those of some samples."""
        result: Array = self.g[index]
        return result

    def jacobian(self, theta: Array) -> Array:
        """Nothing to differentiate by."""
        return np.empty((self.samples, self.q, 0))


def covariance_of(g: Array, kind: Any, clusters: Any, center: bool = False) -> Array:
    """S (R, q, q) of contributions (R, n, q) by an estimator's name."""
    samples, n, q = g.shape
    problem = Contributions(samples=samples, n=n, q=q, k=0, clusters=clusters, g=g)
    return given_or_estimated(kind, problem, np.empty((samples, 0)), center)


def flat(model: LinearModel, a: Array) -> Array:
    """(R, n, columns) of (..., n, columns)."""
    return np.broadcast_to(a, (*model.shape, *a.shape[-2:])).reshape(-1, *a.shape[-2:])


def orthonormal(a: Array) -> Array:
    """The columns of a (R, n, p) turned so that a'a / n = I, NaN if they are collinear."""
    products = a.swapaxes(1, 2) @ a / a.shape[1]
    root = root_each(products)
    root[rounding_decides([a], products)] = np.nan
    return solve_each(root, a.swapaxes(1, 2)).swapaxes(1, 2)


def effective_f(
    model: LinearModel, cov: Any, small_sample: str | None, tau: float
) -> HypothesisTest:
    """Montiel Olea and Pflueger (2013), J. Business and Economic Statistics 31, 358-369.

    w'Pw / tr(W2) with W2 the covariance matrix of the orthonormal instruments' coefficients. The
    null is that Nagar's bias may exceed tau times its worst case, with the simplified, conservative
    critical values, which come from a noncentral chi-squared distribution.
    """
    if len(model.endog_names) != 1:
        raise ValueError(
            f"there are {len(model.endog_names)} endogenous regressors; the effective F is for "
            "one; use kleibergen_paap"
        )
    if not 0 < tau < 1:
        raise ValueError(f"tau is {tau}; it must be between 0 and 1")
    k1, count = len(model.exog_names), len(model.instrument_names)
    first = model.reduced_form(model.endog[..., 0]).fit(cov=cov, small_sample=small_sample)
    slopes = np.broadcast_to(first.estimates, (*model.shape, k1 + count)).reshape(-1, k1 + count)
    variance = np.broadcast_to(first.covariance, (*model.shape, k1 + count, k1 + count))
    with np.errstate(all="ignore"):
        z = flat(model, residuals(model.instruments, model.exog))
        products = z.swapaxes(1, 2) @ z
        root = root_each(products)
        explained = (root.swapaxes(1, 2) @ slopes[:, k1:, np.newaxis])[..., 0]
        w2 = variance.reshape(-1, k1 + count, k1 + count)[:, k1:, k1:]
        w2 = root.swapaxes(1, 2) @ w2 @ root
        trace = np.trace(w2, axis1=1, axis2=2)
        statistic = (explained**2).sum(axis=1) / trace
        bad = ~np.isfinite(w2).all(axis=(1, 2))
        largest = np.linalg.eigvalsh(np.where(bad[:, np.newaxis, np.newaxis], 0.0, w2))[:, -1]
        x = 1 / tau
        squares = (w2 * w2).sum(axis=(1, 2))
        df = trace**2 * (1 + 2 * x) / (squares + 2 * x * trace * largest)
        p = stats.ncx2.sf(statistic * df, df, x * df)
        critical = stats.ncx2.ppf(0.95, df, x * df) / df
    p, critical = (np.where(bad, np.nan, a) for a in (p, critical))
    statistic[bad] = np.nan
    name = model.endog_names[0]
    return HypothesisTest(
        f"effective F of {name}",
        f"the instruments are weak: bias beyond {tau:g} of the worst case",
        statistic.reshape(model.shape)[()],
        count,
        given_pvalue=p.reshape(model.shape)[()],
        given_distribution="F",
        critical_values={"5 %": critical.reshape(model.shape)[()]},
    )


def kleibergen_paap(model: LinearModel, cov: Any, form: str) -> HypothesisTest:
    """The rank of the first stages, with any covariance matrix.

    Kleibergen and Paap (2006), J. Econometrics 133, 97-126: the smallest singular value of the
    coefficients in canonical units, against its own covariance matrix, with the residuals of the
    regression ("wald") or those under the null ("lm").
    """
    k1, k2, count = (
        len(names) for names in (model.exog_names, model.endog_names, model.instrument_names)
    )
    if not k2:
        raise ValueError("there are no endogenous regressors")
    with np.errstate(all="ignore"):
        w = orthonormal(flat(model, residuals(model.endog, model.exog)))
        z = orthonormal(flat(model, residuals(model.instruments, model.exog)))
        theta = z.swapaxes(1, 2) @ w / model.n
        bad = np.asarray(~np.isfinite(theta).all(axis=(1, 2)))
        theta[bad] = 0.0
        left, _, right = np.linalg.svd(theta)
        left, last = left[:, :, k2 - 1 :], right[:, -1]
        turned = z @ left  # the instruments that explain the weakest direction, and no other
        weakest = (w @ last[..., np.newaxis])[..., 0]
        noise = weakest
        if form == "wald":
            noise = weakest - (z @ (theta @ last[..., np.newaxis]))[..., 0]
        gap = (turned * weakest[..., np.newaxis]).mean(axis=1)
        if isinstance(cov, str) and cov == "unadjusted":
            s = (noise**2).mean(axis=1)[:, np.newaxis, np.newaxis] * np.eye(gap.shape[1])
        else:
            s = covariance_of(turned * noise[..., np.newaxis], cov, model.clusters)
        rank = model.n * np.einsum("ri,rij,rj->r", gap, inverse_each(s), gap, optimize=False)
    rank[bad] = np.nan
    df, n = count - k2 + 1, model.n
    rank = rank.reshape(model.shape)[()]
    null = "the instruments do not identify all endogenous regressors"
    if form == "lm":
        return HypothesisTest("Kleibergen-Paap LM test", null, rank, df)
    factor = (n - k1 - count) / n
    if isinstance(cov, str) and cov == "cluster":
        groups = min(len(np.unique(codes)) for codes in model.clusters.T)
        factor = (n - k1 - count) / (n - 1) * (groups - 1) / groups
    tail = special.chdtrc(df, rank * factor)
    return HypothesisTest(
        "Kleibergen-Paap F",
        null,
        rank * factor / count,
        df,
        given_pvalue=tail,
        given_distribution="F",
    )
