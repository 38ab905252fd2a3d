"""Covariance matrices of the estimates that need more than G, W and S: by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.covariance import Ingredients, sandwich
from gmm.estimation.estimators import Estimate, Weighting
from gmm.estimation.hac import HAC
from gmm.estimation.jacobian import central_differences
from gmm.estimation.linear import inverse_each
from gmm.estimation.moment_covariance import given_or_estimated
from gmm.estimation.problem import Problem


@dataclass(frozen=True)
class Corrected:
    """An estimation, and S for its covariance matrix."""

    problem: Problem
    found: Estimate
    weighting: Weighting | None
    kind: Any
    center: bool
    steps: int | str


def scores(parts: Corrected) -> Array:
    """(G'WG)^-1 S (G'WG)^-1 / n (R, k, k), S estimated from the k scores G'W g_i.

    Equal to the sandwich unless the estimator of S chooses a bandwidth or prewhitens.
    """
    problem, found, kind = parts.problem, parts.found, parts.kind
    g = problem.jacobian(found.theta)
    turn = found.weights @ g
    bread = inverse_each(_symmetric(g.swapaxes(1, 2) @ turn))
    if not isinstance(kind, HAC):
        s = given_or_estimated(kind, problem, found.theta, parts.center)
        meat = turn.swapaxes(1, 2) @ s @ turn
        return _symmetric(bread @ meat @ bread / problem.n)
    meat = np.empty((problem.samples, problem.k, problem.k))
    for span, index in problem.pieces():
        each = problem.contributions(found.theta[span], index) @ -turn[span]
        if parts.center:
            each = each - each.mean(axis=1, keepdims=True)
        meat[span] = kind.covariance(each)
    return _symmetric(bread @ meat @ bread / problem.n)


def windmeijer(parts: Corrected) -> Array:
    """The second step's covariance matrix with the noise that the first brings into its weights.

    Windmeijer (2005), J. Econometrics 126, 25-51: V2 + D V2 + V2 D' + D V1 D', with V1 that of
    the first step and D the derivative of the second step's estimate by the first's.
    """
    problem, found, weighting = parts.problem, parts.found, parts.weighting
    if weighting is None or found.before is None or parts.steps != 2:
        raise ValueError(
            "cov_formula is 'windmeijer', which corrects two-step estimates for the estimated "
            "weights; fit with steps=2 and more moments than parameters"
        )
    first, n = found.before, problem.n
    g = problem.jacobian(found.theta)
    weighted = g.swapaxes(1, 2) @ found.weights
    bread = inverse_each(_symmetric(weighted @ g))
    moments = problem.moments(found.theta)
    a = found.weights @ moments[..., np.newaxis]
    slopes = _derivatives(
        lambda theta: (weighting.covariance(problem, theta) @ a)[..., 0], first.theta
    )
    d = bread @ weighted @ slopes
    s = weighting.covariance(problem, first.theta)
    v1 = sandwich(Ingredients(problem.jacobian(first.theta), first.weights, s, n))
    v2 = bread / n
    return _symmetric(v2 + d @ v2 + v2 @ d.swapaxes(1, 2) + d @ v1 @ d.swapaxes(1, 2))


def misspecification(parts: Corrected) -> Array:
    """Right for iterated estimates even if no parameters meet all moment conditions.

    Hansen and Lee (2021), Econometrica 89, 1419-1447. The estimate solves G'S^-1 g = 0, where G,
    S and g are sample means: each observation, or cluster, moves it through all three.
    """
    problem, found, weighting = parts.problem, parts.found, parts.weighting
    if weighting is None or parts.steps != "iterated" or problem.q == problem.k:
        raise ValueError(
            "cov_formula is 'misspecification', which is for iterated estimates; fit with "
            "steps='iterated' and more moments than parameters"
        )
    if weighting.kind not in ("robust", "cluster"):
        raise ValueError("cov_formula 'misspecification' needs weights 'robust' or 'cluster'")
    theta, clusters = found.theta, problem.clusters
    if weighting.kind == "cluster" and clusters is not None and clusters.shape[1] > 1:
        raise ValueError("cov_formula 'misspecification' is for one way of clustering")

    def condition(point: Array) -> Array:
        weights = inverse_each(weighting.covariance(problem, point))
        moments = weights @ problem.moments(point)[..., np.newaxis]
        return (problem.jacobian(point).swapaxes(1, 2) @ moments)[..., 0]

    bread = inverse_each(_derivatives(condition, theta))
    g = problem.jacobian(theta)
    a = (found.weights @ problem.moments(theta)[..., np.newaxis])[..., 0]
    turn = found.weights @ g
    meat = np.empty((problem.samples, problem.k, problem.k))
    codes = clusters[:, 0] if weighting.kind == "cluster" and clusters is not None else None
    for span, index in problem.pieces():
        psi = _influences(problem, theta[span], index, a[span], turn[span], codes, weighting.center)
        meat[span] = psi.swapaxes(1, 2) @ psi / problem.n
    return _symmetric(bread @ meat @ bread.swapaxes(1, 2) / problem.n)


def _influences(
    problem: Problem,
    theta: Array,
    index: Any,
    a: Array,
    turn: Array,
    codes: npt.NDArray[np.intp] | None,
    center: bool,
) -> Array:
    """G_i'a + G'W g_i - G'W s_i s_i'a (r, n or clusters, k), s_i the part of S."""
    g = problem.contributions(theta, index)
    through_jacobian = _derivatives(
        lambda point: (problem.contributions(point, index) @ a[..., np.newaxis])[..., 0], theta
    )
    parts = g - g.mean(axis=1, keepdims=True) if center else g
    psi = through_jacobian + g @ turn
    if codes is not None:
        order = np.argsort(codes, kind="stable")
        begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
        psi, parts = (np.add.reduceat(x[:, order], begins, axis=1) for x in (psi, parts))
    return psi - (parts @ turn) * (parts @ a[..., np.newaxis])


def _derivatives(of: Callable[[Array], Array], theta: Array) -> Array:
    """Of a function (R, m) of theta (R, k): (R, m, k)."""
    return central_differences(of, theta)


def _symmetric(a: Array) -> Array:
    result: Array = (a + a.swapaxes(-1, -2)) / 2
    return result


CORRECTIONS: dict[str, Callable[[Corrected], Array]] = {
    "scores": scores,
    "windmeijer": windmeijer,
    "misspecification": misspecification,
}
