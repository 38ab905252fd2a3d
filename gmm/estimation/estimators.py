"""One-step, iterated (two-step among them) and continuously updating GMM of many samples."""

import numbers
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows
from gmm.estimation.bounds import Free
from gmm.estimation.gauss_newton import minimize
from gmm.estimation.hac import HAC
from gmm.estimation.jacobian import central_differences
from gmm.estimation.linear import inverse_each, quadratic_each, root_each, solve_each
from gmm.estimation.moment_covariance import bandwidths, moment_covariance
from gmm.estimation.problem import Problem, Search
from gmm.estimation.status import Status
from gmm.estimation.weights import efficient_weights

Steps = int | Literal["iterated", "cue"]

# Of g'S^-1 g, from where on a minimum is doubted.
_FAR = 0.5


@dataclass(frozen=True)
class Estimate:
    """Where the estimation of each sample ended.

    `weights` (R, q, q) are those of the last step, and `before` is the step before it, if there
    was one; `s` is the mean of g_i g_i' at theta, if known.
    """

    theta: Array
    weights: Array
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]
    before: "Estimate | None" = None
    s: Array | None = None


@dataclass(frozen=True)
class Weighting:
    """How S is estimated for the weights of the steps after the first."""

    kind: str | HAC
    center: bool
    factor: float = 1.0

    def covariance(
        self,
        problem: Problem,
        theta: Array,
        widths: Array | None = None,
        known: Array | None = None,
    ) -> Array:
        """S (R, q, q), with bandwidths (R,) if they are given; `known` is the mean of g_i g_i'."""
        s = moment_covariance(self.kind, problem, theta, self.center, widths, known)
        return s if self.factor == 1.0 else self.factor * s


def one_step(
    problem: Problem, weights: Array, start: Array, search: Search, s: Array | None = None
) -> Estimate:
    """Minimize g'Wg with the weights given; a sample without weights has failed already."""
    unusable = ~np.isfinite(weights).all(axis=(1, 2))
    if unusable.any():
        weights = weights.copy()
        weights[unusable] = 0.0
    minimum = problem.minimize(weights, start, search, s)
    status = minimum.status
    status[unusable & (status == Status.OK)] = Status.SINGULAR
    return Estimate(minimum.theta, weights, status, minimum.iterations, s=minimum.s)


def _from_elsewhere(problem: Problem, found: Estimate, start: Array, search: Search) -> Estimate:
    """Search from other starts, too, where the means of the moments exceed their noise.

    g'S^-1 g is below 1, and near to zero where the moments hold; half of it is a false model, or a
    minimum that is not the least, as far starts have. Only the lowest minimum is kept.
    """
    if found.s is None:
        return found
    g = problem.moments(found.theta)
    share = np.einsum("ri,ri->r", g, solve_each(found.s, g[..., np.newaxis])[..., 0])
    rows = np.flatnonzero((found.status == Status.OK) & ~(share < _FAR))
    if not rows.size:
        return found
    part, weights = problem.take(rows), found.weights[rows]
    theta, iterations, s = found.theta.copy(), found.iterations.copy(), found.s.copy()
    lowest = quadratic_each(g[rows], weights)
    for other in part.other_starts(start[rows]):
        attempt = one_step(part, weights, other, search)
        objective = quadratic_each(part.moments(attempt.theta), weights)
        better = (attempt.status == Status.OK) & (objective < lowest * (1 - 1e-9))
        taken = rows[better]
        assert attempt.s is not None
        theta[taken], s[taken] = attempt.theta[better], attempt.s[better]
        lowest[better] = objective[better]
        iterations[rows] = _sum(iterations[rows], attempt.iterations)
    return replace(found, theta=theta, iterations=iterations, s=s)


def next_step(
    problem: Problem,
    last: Estimate,
    weighting: Weighting,
    search: Search,
    widths: Array | None = None,
) -> Estimate:
    """Once more, from the last step's estimate and with the weights that follow from it."""
    s = weighting.covariance(problem, last.theta, widths, last.s)
    weights, status = efficient_weights(s)
    # A perfect fit leaves nothing to weigh.
    done = problem.perfect(last.theta, s) & (last.status == Status.OK)
    if done.any():
        weights[done], status[done] = last.weights[done], Status.OK
    status = first_failure(last.status, status)
    weights[status != Status.OK] = 0.0  # nothing to search for
    step = one_step(problem, weights, last.theta, search, last.s)
    return replace(
        step,
        status=first_failure(status, step.status),
        iterations=_sum(last.iterations, step.iterations),
        before=last,
    )


def iterated(problem: Problem, first: Estimate, weighting: Weighting, search: Search) -> Estimate:
    """Repeat until a step moves a sample's estimate by less than the tolerance.

    As in the search within a step, a move is measured in standard deviations of one observation:
    its square is (theta_new - theta)' G'WG (theta_new - theta). An automatic bandwidth is chosen
    once, at the first estimate: chosen in every step, as a whole number, it may go in circles.
    """
    widths = bandwidths(weighting.kind, problem, first.theta, weighting.center)
    theta, weights = first.theta.copy(), np.array(first.weights)
    status, iterations = first.status.copy(), first.iterations.copy()
    rows = np.flatnonzero(status == Status.OK)
    for _ in range(search.max_iterations):
        if not rows.size:
            break
        part = problem.take(rows)
        last = Estimate(theta[rows], weights[rows], status[rows], iterations[rows])
        step = next_step(part, last, weighting, search, None if widths is None else widths[rows])
        theta[rows], weights[rows] = step.theta, step.weights
        status[rows], iterations[rows] = step.status, step.iterations
        jacobian = part.jacobian(step.theta)
        information = jacobian.swapaxes(1, 2) @ step.weights @ jacobian
        moved = quadratic_each(step.theta - last.theta, information)
        rows = rows[(step.status == Status.OK) & ~(moved <= search.tolerance**2)]
    status[rows] = Status.MAX_ITERATIONS
    return Estimate(theta, weights, status, iterations)


def continuously_updating(
    problem: Problem, first: Estimate, weighting: Weighting, search: Search
) -> Estimate:
    """Minimize g(theta)' S(theta)^-1 g(theta) (Hansen, Heaton and Yaron 1996).

    An automatic bandwidth is chosen once, at the first estimate: chosen at every theta it would
    make a step function of the objective.
    """
    widths = bandwidths(weighting.kind, problem, first.theta, weighting.center)
    jacobian = problem.jacobian(first.theta)
    unit = inverse_each(jacobian.swapaxes(1, 2) @ first.weights @ jacobian)
    unit = np.sqrt(np.diagonal(unit, axis1=1, axis2=2))
    free = None if problem.bounds is None else Free.of(problem, problem.bounds)
    origin = first.theta if free is None else free.tau(first.theta)
    unit = unit if free is None else unit / np.abs(free.slope(origin))
    whitened = Whitened(problem, weighting, widths, free, origin, unit)
    minimum = minimize(
        whitened,
        np.broadcast_to(np.eye(problem.q), (problem.samples, problem.q, problem.q)),
        np.zeros_like(first.theta),
        **asdict(search),
    )
    theta = whitened.theta(minimum.theta)
    weights, status = efficient_weights(weighting.covariance(problem, theta, widths))
    return Estimate(
        theta,
        weights,
        first_failure(first.status, minimum.status, status),
        _sum(first.iterations, minimum.iterations),
    )


@dataclass(frozen=True)
class Whitened:
    """r = L^-1 g with L L' = S(theta), so that r'r is the continuously updated objective.

    The derivatives are differences: S(theta) may be any estimator. They serve the search alone.
    theta = origin + unit tau, with the standard deviations of one observation as units; with
    bounds it is their free parameters that are so.
    """

    problem: Problem
    weighting: Weighting
    widths: Array | None
    free: Free | None
    origin: Array
    unit: Array

    def theta(self, tau: Array) -> Array:
        """The parameters (R, k)."""
        values = self.origin + self.unit * tau
        return values if self.free is None else self.free.theta(values)

    def moments(self, tau: Array) -> Array:
        """r (R, q)."""
        theta = self.theta(tau)
        root = root_each(self.weighting.covariance(self.problem, theta, self.widths))
        return solve_each(root, self.problem.moments(theta)[..., np.newaxis])[..., 0]

    def with_jacobian(self, tau: Array) -> tuple[Array, Array]:
        """r (R, q) and dr / dtau (R, q, k)."""
        return self.moments(tau), central_differences(self.moments, tau)

    def take(self, rows: Rows) -> "Whitened":
        """The conditions of some of the samples."""
        widths = None if self.widths is None else self.widths[rows]
        return replace(
            self,
            problem=self.problem.take(rows),
            widths=widths,
            origin=self.origin[rows],
            unit=self.unit[rows],
        )


def estimate(
    problem: Problem,
    initial: Array,
    weighting: Weighting | None,
    start: Array,
    steps: Steps,
    search: Search,
) -> Estimate:
    """All steps; without a weighting, or exactly identified, there is only the first."""
    first = one_step(problem, initial, start, search)
    if problem.q > problem.k:
        first = _from_elsewhere(problem, first, start, search)
    if weighting is None or problem.q == problem.k:
        return first
    if isinstance(steps, str):
        second = next_step(problem, first, weighting, search)
        return ESTIMATORS[steps](problem, second, weighting, search)
    for _ in range(steps - 1):
        first = next_step(problem, first, weighting, search)
    return first


ESTIMATORS: dict[str, Callable[[Problem, Estimate, Weighting, Search], Estimate]] = {
    "iterated": iterated,
    "cue": continuously_updating,
}


def check_steps(steps: Steps) -> Steps:
    """A positive number, or a name in ESTIMATORS."""
    if isinstance(steps, str):
        if steps in ESTIMATORS:
            return steps
    elif isinstance(steps, numbers.Real) and steps >= 1 and float(steps).is_integer():
        return int(steps)
    names = ", ".join(map(repr, ESTIMATORS))
    raise ValueError(f"steps is {steps!r}; it must be 1, 2, ..., {names}")


def first_failure(*statuses: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """What went wrong first, for each sample."""
    result = statuses[0].copy()
    for status in statuses[1:]:
        np.copyto(result, status, where=result == Status.OK)
    return result


def _sum(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """a + b, or the largest count that the type holds."""
    total = np.minimum(a.astype(np.int64) + b, np.iinfo(np.int16).max)
    return np.asarray(total, dtype=np.int16)
