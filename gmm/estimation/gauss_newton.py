"""Damped Gauss-Newton for many small GMM problems at once."""

from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from gmm import _core
from gmm.data.arrays import Array
from gmm.estimation.linear import solve_each
from gmm.estimation.status import Status

_STALLED = 100.0
_IDLE = 1e4
_EPS = np.finfo(np.float64).eps
_ROUNDING = 16 * _EPS
_DAMPING = _EPS**0.5


class MomentConditions(Protocol):
    """Sample moments of R replications, as functions of their parameters."""

    def with_jacobian(self, theta: Array) -> tuple[Array, Array]:
        """The mean moments (R, q) at theta (R, k), and their derivatives (R, q, k)."""

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
        """The same for some of the replications."""


@dataclass(frozen=True)
class Minimum:
    """Where each replication's search ended: theta (R, k), objective, status, iterations (R,).

    `decrement` (R,) is the decrease of the objective that one more step promised, and `s`
    (R, q, q) the mean of g_i g_i' at theta, where the search has needed it.
    """

    theta: Array
    objective: Array
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]
    decrement: Array
    s: Array | None = None


def minimize(
    conditions: MomentConditions,
    weights: Array,
    start: Array,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 200,
    max_halvings: int = 40,
) -> Minimum:
    """Minimize g' W g for every replication, each with its own steps and its own end.

    A step solves (G'WG) step = -G'Wg, or G step = -g if there are as many moments as parameters
    (Newton's method, for which W only judges the progress), and is halved until the line search
    accepts it. The search ends when the decrease that the step promises is below tolerance**2; as
    W is the inverse of a covariance matrix, that is a move of `tolerance` standard deviations of
    one observation. Replications that have ended are dropped, so that the others do not wait for
    them.

    Gauss-Newton leaves out the second derivatives of g, and converges slowly where Wg is large
    beside them. So G'WG is complemented by what the steps tell of them, the symmetric rank-one
    update of Dennis, Gay and Welsch (1981, ACM TOMS 7, 348-368, without sizing), wherever that
    gives a direction of descent. When the search ends is judged without it.
    """
    theta, weights = start.copy(), np.ascontiguousarray(weights)
    objective = np.empty(len(start))
    status = np.full(len(start), Status.MAX_ITERATIONS, np.int8)
    iterations = np.zeros(len(start), np.int16)
    promised = np.zeros(len(start))

    # Where W is ill-conditioned, rounding may keep the promised decrease above the tolerance. So
    # near to it, or below what the objective can show, one that no longer shrinks is rounding.
    near = (_STALLED * tolerance) ** 2
    # The same where neither shrinks any more, though rounding was estimated to be less.
    idle = (_IDLE * tolerance) ** 2
    last = lowest = np.full(len(start), np.inf)
    curvature = np.zeros((len(start), start.shape[1], start.shape[1]))
    rows = np.arange(len(start))
    point = _evaluate(conditions, weights, start)
    for iteration in range(max_iterations + 1):
        theta[rows], objective[rows] = point.theta, point.objective
        step = _step(point)
        promised[rows] = decrement = -np.einsum("rj,rj->r", point.gradient, step)

        converged = decrement <= tolerance**2
        rounding = _rounding_of_objective(point)
        floor = np.maximum(near, rounding)
        grows = decrement >= last
        converged |= (decrement <= floor) & grows
        converged |= (decrement <= idle) & grows & (point.objective >= lowest)
        converged |= (np.abs(step) <= _EPS * np.abs(point.theta)).all(axis=1)  # it moves nothing
        singular = ~np.isfinite(decrement)
        status[rows[converged]] = Status.OK
        status[rows[singular]] = Status.SINGULAR
        status[rows[~np.isfinite(point.objective)]] = Status.NON_FINITE
        going = np.flatnonzero(~(converged | singular))
        if not going.size or iteration == max_iterations:
            break
        if len(going) < len(rows):
            rows, conditions, weights = rows[going], conditions.take(going), weights[going]
            point, step, decrement = point.take(going), step[going], decrement[going]
            rounding, floor, curvature = rounding[going], floor[going], curvature[going]
        last, lowest = decrement, point.objective
        limit, origin = point.objective + rounding, point
        step, slope = _with_curvature(point, curvature, step, decrement)
        point, found = _line_search(conditions, weights, origin, step, slope, limit, max_halvings)
        iterations[rows] = iteration + 1
        _update(curvature, origin, point)
        if not found.all():
            # Once more, without what the steps have told.
            misled = np.flatnonzero(~found & curvature.any(axis=(1, 2)))
            point.put(misled, origin.take(misled))
            curvature[misled], found[misled] = 0.0, True
            status[rows[~found]] = np.where(
                decrement[~found] <= floor[~found], Status.OK, Status.LINE_SEARCH
            )
            going = np.flatnonzero(found)
            rows, conditions, weights = rows[going], conditions.take(going), weights[going]
            point, curvature = point.take(going), curvature[going]
            last, lowest = last[going], lowest[going]
    return Minimum(theta, objective, status, iterations, promised)


@dataclass(frozen=True)
class _Point:
    """Parameters, g, G, and with W: Wg, g'Wg, |g|'|W||g|, G'Wg, half the gradient, and G'WG."""

    theta: Array
    moments: Array
    jacobian: Array
    weighted: Array
    objective: Array
    magnitude: Array
    gradient: Array
    hessian: Array

    def take(self, rows: npt.NDArray[np.intp]) -> "_Point":
        return _Point(*(getattr(self, field.name).take(rows, axis=0) for field in fields(self)))

    def put(self, rows: npt.NDArray[np.intp], other: "_Point") -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def _evaluate(conditions: MomentConditions, weights: Array, theta: Array) -> _Point:
    g, jacobian = map(np.ascontiguousarray, conditions.with_jacobian(theta))
    r, q, k = jacobian.shape
    forms = np.empty((r, q)), np.empty(r), np.empty(r), np.empty((r, k)), np.empty((r, k, k))
    _core.quadratic_forms(weights, g, jacobian, *forms)
    return _Point(theta, g, jacobian, *forms)


def _step(point: _Point) -> Array:
    q, k = point.jacobian.shape[1:]
    if q == k:
        return -solve_each(point.jacobian, point.moments[..., np.newaxis])[..., 0]
    gradient = point.gradient[..., np.newaxis]
    step: Array = -solve_each(point.hessian, gradient)[..., 0]
    # Far from the solution G'WG may be singular, or not, as rounding has it: a little of its
    # diagonal more, and it is not. Whether the parameters are identified is judged at the end.
    stuck = np.flatnonzero(~np.isfinite(step).all(axis=1) & np.isfinite(point.objective))
    if stuck.size:
        damped = point.hessian[stuck]
        diagonal = np.einsum("rii->ri", damped)
        diagonal += _DAMPING * np.maximum(diagonal, _DAMPING * diagonal.max(axis=1)[:, np.newaxis])
        step[stuck] = -solve_each(damped, gradient[stuck])[..., 0]
    return step


def _with_curvature(
    point: _Point, curvature: Array, step: Array, decrement: Array
) -> tuple[Array, Array]:
    """The step with G'WG + curvature and minus its slope, where it descends; else those given."""
    if not curvature.any():
        return step, decrement
    full = point.hessian + curvature
    other = -solve_each(full, point.gradient[..., np.newaxis])[..., 0]
    slope = -np.einsum("rj,rj->r", point.gradient, other)
    descends = (slope > 0) & np.isfinite(slope)
    return np.where(descends[:, np.newaxis], other, step), np.where(descends, slope, decrement)


def _update(curvature: Array, origin: _Point, point: _Point) -> None:
    """After that curvature times the last step is (G_new - G_old)' W g_new."""
    if point.jacobian.shape[1] > point.jacobian.shape[2]:
        step, change = point.theta - origin.theta, point.jacobian - origin.jacobian
        _core.secant_update(step, change, point.weighted, curvature)


def _rounding_of_objective(point: _Point) -> Array:
    """An error of eps in g times W g, about the root of the objective, and that of the sum."""
    return _ROUNDING * (np.sqrt(point.objective) + point.magnitude)


def _line_search(
    conditions: MomentConditions,
    weights: Array,
    origin: _Point,
    step: Array,
    decrement: Array,
    limit: Array,
    max_halvings: int,
) -> tuple[_Point, npt.NDArray[np.bool_]]:
    """Take the longest of the steps 1, 1/2, 1/4, ... that each replication can accept.

    The objective must not rise above its limit, and its slope along the step, -decrement at the
    origin, must not come out beyond +decrement / 2: for a parabola that is Armijo's rule with
    constant 1/4, but a slope still has digits near the minimum, where a decrease of the objective
    has none (Hager and Zhang 2005, SIAM J. Optim. 16, 170-192, "approximate Wolfe").
    """

    def acceptable(point: _Point, rows: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        slope = np.einsum("rj,rj->r", point.gradient, step[rows])
        result: npt.NDArray[np.bool_] = slope <= decrement[rows] / 2
        result &= point.objective <= limit[rows]
        return result

    point = _evaluate(conditions, weights, origin.theta + step)
    found = acceptable(point, slice(None))
    length = 1.0
    for _ in range(max_halvings):
        left = np.flatnonzero(~found)
        if not left.size:
            break
        length /= 2
        trial = _evaluate(
            conditions.take(left), weights[left], origin.theta[left] + length * step[left]
        )
        point.put(left, trial)
        found[left] = acceptable(trial, left)
    return point, found
