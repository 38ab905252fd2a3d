"""S, the covariance matrix of the moments: its estimators, by name."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeGuard

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.hac import HAC
from gmm.estimation.problem import Problem

Name = Literal["unadjusted", "robust", "cluster", "hc2", "hc3", "hc3a", "identity"]
# A name below or the identity, a kernel estimator, or a matrix.
Kind = Name | HAC | npt.NDArray[Any] | Sequence[Sequence[float]]
# The same, before it has been checked.
Given = str | HAC | npt.ArrayLike
Estimator = Callable[[Problem, Array, bool], Array]


def moment_covariance(
    kind: str | HAC,
    problem: Problem,
    theta: Array,
    center: bool,
    widths: Array | None = None,
    known: Array | None = None,
) -> Array:
    """S (R, q, q) at theta (R, k), of moments less their mean if `center`.

    `widths` (R,) are bandwidths, if they are not to be chosen anew; `known` is the mean of
    g_i g_i', if the search has computed it.
    """
    if kind == "robust" and not center and known is not None:
        return known
    if not isinstance(kind, HAC):
        return ESTIMATORS[kind](problem, theta, center)
    if widths is None:
        return problem.by_piece(theta, lambda g: kind.covariance(_deviations(g, center)))
    parts = [
        kind.covariance(
            _deviations(problem.contributions(theta[span], index), center), widths[span]
        )
        for span, index in problem.pieces()
    ]
    return np.concatenate([np.empty((0, problem.q, problem.q)), *parts])


def given_or_estimated(
    kind: Given, problem: Problem, theta: Array, center: bool, known: Array | None = None
) -> Array:
    """S (R, q, q), if `kind` may be S itself."""
    if is_estimator(kind):
        return moment_covariance(kind, problem, theta, center, known=known)
    return given_matrix("cov", kind, problem)


def rank_deficiency(kind: Given, problem: Problem, center: bool) -> str:
    """Why S cannot have an inverse, of so many moments; else nothing."""
    count, of = problem.q, ""
    if isinstance(kind, str) and kind == "cluster" and problem.clusters is not None:
        if problem.clusters.shape[1] == 1:
            count, of = len(np.unique(problem.clusters)), "clusters"
    elif isinstance(kind, str) and kind == "robust":
        count, of = problem.n, problem.units
    if not of or count - center >= problem.q:
        return ""
    less = " less one, as it is centered" if center else ""
    return (
        f"the covariance matrix of {problem.q} moments has rank {count - center} at most, the "
        f"number of {of}{less}; give fewer instruments, or steps=1"
    )


def bandwidths(kind: str | HAC, problem: Problem, theta: Array, center: bool) -> Array | None:
    """The automatic bandwidths (R,) at theta, if the estimator has any."""
    if not isinstance(kind, HAC) or not isinstance(kind.bandwidth, str):
        return None
    return problem.by_piece(theta, lambda g: kind.widths(_deviations(g, center)))


def is_estimator(kind: Given) -> TypeGuard[str | HAC]:
    """Whether S is estimated from the data, or else given."""
    return isinstance(kind, HAC) or (isinstance(kind, str) and kind in ESTIMATORS)


def given_matrix(argument: str, kind: Given, problem: Problem) -> Array:
    """The matrix (R, q, q) that `kind` is, or an error that lists what it could have been."""
    names = ", ".join(map(repr, ESTIMATORS))
    if isinstance(kind, str):
        if kind == "identity" and argument != "cov":
            return np.broadcast_to(np.eye(problem.q), (problem.samples, problem.q, problem.q))
        identity = "" if argument == "cov" else "'identity', "
        raise ValueError(
            f"{argument} is {kind!r}; it must be {identity}{names}, gmm.HAC(...) or a matrix"
        )
    q, samples = problem.q, problem.samples
    matrix = np.asarray(kind, dtype=np.float64)
    if matrix.ndim > 3 and matrix.shape[-2:] == (q, q):
        matrix = matrix.reshape(-1, q, q)
    if argument == "weights" and matrix.shape in ((problem.n,), (problem.n, 1)) and problem.n != q:
        raise ValueError(
            f"weights has shape {matrix.shape}, one for each observation; here weights are those "
            f"of the {q} moments: a matrix ({q}, {q}), or how it is estimated ({names}). Weights "
            "of observations are arguments of the model: gmm.IV(..., aweight=...) or fweight=..."
        )
    if matrix.shape not in ((q, q), (samples, q, q)):
        raise ValueError(
            f"{argument} has shape {matrix.shape}; it must be ({q}, {q}) for {q} moments, "
            "with the leading axes of the data if there are many samples"
        )
    if not np.allclose(matrix, matrix.swapaxes(-1, -2), rtol=1e-10, atol=0, equal_nan=True):
        raise ValueError(f"{argument} is not symmetric")
    # In a stack, one that is not is its sample's failure.
    alone = samples == 1 or matrix.ndim == 2
    if alone and not is_semidefinite(matrix.reshape(-1, q, q)[:1]).all():
        raise ValueError(
            f"{argument} is not positive semidefinite: a mean of moments would have a negative "
            "square"
        )
    return np.broadcast_to(matrix, (samples, q, q))


def is_semidefinite(matrices: Array) -> npt.NDArray[np.bool_]:
    """Which matrices (R, q, q) are positive semidefinite, to rounding, or hold NaN."""
    diagonal = np.diagonal(matrices, axis1=1, axis2=2)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = matrices / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :])
    unknown = ~np.isfinite(scaled).all(axis=(1, 2))
    values = np.linalg.eigvalsh(np.where(unknown[:, np.newaxis, np.newaxis], 0.0, scaled))
    rounding = 64 * matrices.shape[-1] * np.finfo(np.float64).eps * np.abs(values).max(axis=1)
    result: npt.NDArray[np.bool_] = (values.min(axis=1) >= -rounding) | unknown
    return result


def _deviations(g: Array, center: bool) -> Array:
    return g - g.mean(axis=1, keepdims=True) if center else g


def _robust(problem: Problem, theta: Array, center: bool) -> Array:
    """Mean of g_i g_i' (White 1980): independent observations, each with its own variance."""
    return problem.robust(theta, center)


def _unadjusted(problem: Problem, theta: Array, center: bool) -> Array:
    """The residual's variance times Z'Z / n. Nothing to center: E g = 0 is part of it."""
    return problem.unadjusted(theta)


def _cluster(problem: Problem, theta: Array, center: bool, each_way: bool = False) -> Array:
    """Sums over groups of observations; for two groupings S_1 + S_2 - S_12.

    Cameron, Gelbach and Miller (2011), J. Business and Economic Statistics 29, 238-249. With
    `each_way` every part has its own factor G / (G - 1).
    """
    if problem.clusters is None:
        raise ValueError("'cluster' needs the model's argument clusters, the groups")
    groupings = [(1.0, column) for column in problem.clusters.T]
    if len(groupings) == 2:
        first, second = problem.clusters.T
        groupings.append((-1.0, first * (second.max() + 1) + second))
    orders = [(sign, np.argsort(codes, kind="stable"), codes) for sign, codes in groupings]

    def covariance(g: Array) -> Array:
        g = _deviations(g, center)
        result = np.zeros((len(g), problem.q, problem.q))
        for sign, order, codes in orders:
            begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
            sums = np.add.reduceat(g[:, order], begins, axis=1)
            factor = len(begins) / (len(begins) - 1) if each_way else 1.0
            result += sign * factor * (sums.swapaxes(1, 2) @ sums)
        return result / problem.n

    return problem.by_piece(theta, covariance)


def _cluster_ways(problem: Problem, theta: Array, center: bool) -> Array:
    return _cluster(problem, theta, center, each_way=True)


def _with_leverages(power: float, jackknife: bool = False) -> Estimator:
    """Residuals over (1 - h)^power, h the leverages of the fitted regressors.

    MacKinnon and White (1985), J. Econometrics 29, 305-325.
    """

    def covariance(problem: Problem, theta: Array, center: bool) -> Array:
        result = np.empty((len(theta), problem.q, problem.q))
        for span, index in problem.pieces():
            scale = (1 - problem.leverages(index)) ** power
            g = problem.contributions(theta[span], index) / scale[..., np.newaxis]
            g = _deviations(g, center or jackknife)
            result[span] = g.swapaxes(1, 2) @ g / problem.n
        return result * (problem.n - 1) / problem.n if jackknife else result

    return covariance


ESTIMATORS: dict[str, Estimator] = {
    "unadjusted": _unadjusted,
    "robust": _robust,
    "cluster": _cluster,
    "cluster-ways": _cluster_ways,
    "hc2": _with_leverages(0.5),
    "hc3": _with_leverages(1.0),
    # gretl's HC3a, the jackknife itself: deviations from the mean, times (n - 1) / n.
    "hc3a": _with_leverages(1.0, jackknife=True),
}
