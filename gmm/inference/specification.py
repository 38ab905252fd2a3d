"""Tests of restrictions and of moments: Wald, distance, LM, and the difference in J."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows
from gmm.data.formulas import in_words
from gmm.data.labels import check_names
from gmm.estimation.answer import Fit
from gmm.estimation.gauss_newton import Minimum, MomentConditions, minimize
from gmm.estimation.linear import inverse_each, quadratic_each
from gmm.estimation.status import Status, why_failed
from gmm.estimation.weights import efficient_weights
from gmm.inference.estimates import Estimates
from gmm.inference.hypotheses import HypothesisTest
from smartsolve._install import install


def restrictions(r: Any, q: npt.ArrayLike | None, names: Sequence[str]) -> tuple[Array, Array]:
    """R (r, k) and q (r,) of R theta = q, of arrays or of text."""
    if isinstance(r, str) or (isinstance(r, Sequence) and r and isinstance(r[0], str)):
        if q is not None:
            raise ValueError(f"R is {r!r}, which has its right-hand sides; leave out q")
        r, q = _parsed(r, names)
    matrix = np.atleast_2d(np.asarray(r, dtype=np.float64))
    k = len(names)
    if matrix.ndim != 2 or matrix.shape[1] != k or not len(matrix):
        raise ValueError(
            f"R has shape {np.shape(r)}; it must be (r, {k}) for the parameters {', '.join(names)}"
        )
    values = np.asarray(0.0 if q is None else q, dtype=np.float64)
    if values.shape not in ((), (1,), (len(matrix),)):
        raise ValueError(f"q has shape {values.shape}; R has {len(matrix)} rows")
    if not (np.isfinite(matrix).all() and np.isfinite(values).all()):
        raise ValueError("R and q must be finite")
    if np.linalg.matrix_rank(matrix) < len(matrix):
        raise ValueError("R has linearly dependent rows; leave out the redundant restrictions")
    return matrix, np.broadcast_to(values, len(matrix)).copy()


def _parsed(text: str | Sequence[str], names: Sequence[str]) -> tuple[Array, Array]:
    try:
        from formulaic.utils.constraints import LinearConstraints
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"restrictions as text need formulaic: {install('formula')}",
            name="formulaic",
        ) from error
    spec = text if isinstance(text, str) else ", ".join(text)
    try:
        parsed = LinearConstraints.from_spec(spec, variable_names=list(names))
    except Exception as error:  # of many kinds: FormulaParsingError, KeyError, RuntimeError
        unknown = isinstance(error, KeyError)
        reason = f"{error} is none of them" if unknown else in_words(error)
        raise ValueError(
            f"R is {spec!r}; it must be linear equations in {', '.join(names)}: {reason}"
        ) from None
    return parsed.constraint_matrix, parsed.constraint_values


def wald_test(result: Estimates, r: Array, q: Array) -> HypothesisTest:
    """(R theta - q)' (R V R')^-1 (R theta - q)."""
    shape, k = result.status.shape, len(result.parameters)
    with np.errstate(all="ignore"):
        gap = result.estimates.reshape(-1, k) @ r.T - q
        # A parameter without a variance is no matter to restrictions of others.
        named = (r != 0).any(axis=0)
        covariance = np.where(np.outer(named, named), result.covariance.reshape(-1, k, k), 0.0)
        variance = r @ covariance @ r.T
        inverse, status = efficient_weights(variance)
        statistic = quadratic_each(gap, inverse)
    # With fewer groups than restrictions it is singular, and rounding decides what comes out.
    statistic[status != Status.OK] = np.nan
    df, null, reason = len(r), describe(r, q, result.parameters), why_failed(result.status)
    if reason and result.reason:
        reason = f"the estimation failed: {result.reason}"
    if not shape and status[0] != Status.OK:
        lacking = result.reason if np.isnan(variance).any() else ""
        if not np.isfinite(gap).all():
            lacking = lacking or "a restriction has no finite value at the estimate"
        reason = reason or lacking or "the covariance matrix of the restrictions is singular"
    statistic = statistic.reshape(shape)[()]
    if result.df is None:
        return HypothesisTest("Wald test", null, statistic, df, reason=reason)
    return HypothesisTest("Wald test", null, statistic / df, df, result.df, reason)


def distance_test(result: Estimates, r: Array, q: Array) -> HypothesisTest:
    """n Q(restricted) - n Q(free)."""

    def statistic(fit: Fit, restricted: Minimum, theta: Array) -> Array:
        free = _search(fit, fit.problem, fit.weights, fit.theta)
        # Both are minima to rounding; a negative difference is rounding, too.
        return fit.problem.n * np.maximum(restricted.objective - free.objective, 0.0)

    return _test_restricted("distance test", statistic, result, r, q)


def lm_test(result: Estimates, r: Array, q: Array) -> HypothesisTest:
    """n d' (G'WG)^-1 d with d = G'Wg at the restricted estimate."""

    def statistic(fit: Fit, restricted: Minimum, theta: Array) -> Array:
        jacobian = fit.problem.jacobian(theta)
        weighted = jacobian.swapaxes(1, 2) @ fit.weights
        d = (weighted @ fit.problem.moments(theta)[..., np.newaxis])[..., 0]
        return fit.problem.n * quadratic_each(d, inverse_each(weighted @ jacobian))

    return _test_restricted("LM test", statistic, result, r, q)


def _test_restricted(
    name: str,
    statistic: Callable[[Fit, Minimum, Array], Array],
    result: Estimates,
    r: Array,
    q: Array,
) -> HypothesisTest:
    """A test whose statistic (R,) follows from the restricted minimum and its theta."""
    null = describe(r, q, result.parameters)
    fit, reason = _usable(result)
    if fit is None or reason:
        return _missing(result, name, null, len(r), reason)
    with np.errstate(all="ignore"):
        restricted, theta = restricted_minimum(fit, r, q)
        values = statistic(fit, restricted, theta)
    values[(restricted.status != Status.OK) | (fit.status != Status.OK)] = np.nan
    return HypothesisTest(name, null, values.reshape(result.status.shape)[()], len(r))


def c_test(result: Estimates, names: Sequence[str]) -> HypothesisTest:
    """n Q(all moments) - n Q(without those named), S in common."""
    names = [names] if isinstance(names, str) else list(names)
    dropped = check_names(result.moment_names, names, "moment")
    name, null = "C test", f"the moments of {', '.join(names)} hold, given the others"
    fit, reason = _usable(result)
    df = len(dropped)
    if fit is not None and not reason and fit.problem.q - df < fit.problem.k:
        reason = "the other moments do not identify the parameters"
    if fit is None or reason:
        return _missing(result, name, null, df, reason)
    keep = np.setdiff1d(np.arange(fit.problem.q), dropped)
    statistic = difference_in_j(fit, keep)
    return HypothesisTest(name, null, statistic.reshape(result.status.shape)[()], df)


def difference_in_j(fit: Fit, keep: npt.NDArray[np.intp]) -> Array:
    """J of all moments less J of those kept (R,), with S = W^-1 and its part for the kept."""
    with np.errstate(all="ignore"):
        s = inverse_each(fit.weights)
        some = Kept(fit.problem, keep)
        fewer = _search(fit, some, inverse_each(s[:, keep[:, np.newaxis], keep]), fit.theta)
        full = _search(fit, fit.problem, fit.weights, fit.theta)
        statistic = fit.problem.n * np.maximum(full.objective - fewer.objective, 0.0)
    statistic[(fewer.status != Status.OK) | (fit.status != Status.OK)] = np.nan
    return statistic


@dataclass(frozen=True)
class Restricted:
    """Moment conditions on theta = origin + basis gamma, as functions of gamma."""

    problem: MomentConditions
    origin: Array
    basis: Array

    def with_jacobian(self, gamma: Array) -> tuple[Array, Array]:
        """The mean moments (R, q), and their derivatives (R, q, k - r)."""
        moments, jacobian = self.problem.with_jacobian(self.theta(gamma))
        return moments, jacobian @ self.basis

    def take(self, rows: Rows) -> "Restricted":
        """The conditions of some of the samples."""
        return Restricted(self.problem.take(rows), self.origin, self.basis)

    def theta(self, gamma: Array) -> Array:
        """The parameters (R, k)."""
        return self.origin + gamma @ self.basis.T


@dataclass(frozen=True)
class Kept:
    """Some of the moment conditions."""

    problem: MomentConditions
    keep: npt.NDArray[np.intp]

    def with_jacobian(self, theta: Array) -> tuple[Array, Array]:
        """The mean moments (R, kept), and their derivatives (R, kept, k)."""
        moments, jacobian = self.problem.with_jacobian(theta)
        return moments[:, self.keep], jacobian[:, self.keep]

    def take(self, rows: Rows) -> "Kept":
        """The conditions of some of the samples."""
        return Kept(self.problem.take(rows), self.keep)


def restricted_minimum(fit: Fit, r: Array, q: Array) -> tuple[Minimum, Array]:
    """The minimum under R theta = q, and its theta (R, k); the search begins at the nearest."""
    origin = np.asarray(np.linalg.lstsq(r, q)[0], dtype=np.float64)
    basis = np.linalg.svd(r)[2][len(r) :].T
    if not basis.size:
        theta = np.broadcast_to(origin, fit.theta.shape).copy()
        objective = quadratic_each(fit.problem.moments(theta), fit.weights)
        zeros = np.zeros(len(theta))
        return Minimum(
            theta, objective, zeros.astype(np.int8), zeros.astype(np.int16), zeros
        ), theta
    conditions = Restricted(fit.problem, origin, basis)
    minimum = _search(fit, conditions, fit.weights, (fit.theta - origin) @ basis)
    return minimum, conditions.theta(minimum.theta)


def _search(fit: Fit, conditions: MomentConditions, weights: Array, start: Array) -> Minimum:
    return minimize(
        conditions,
        weights,
        start,
        **asdict(fit.search),
    )


def _usable(result: Estimates) -> tuple[Fit | None, str]:
    if result.fit is None:
        return None, "this model keeps no moments to minimize again; use the Wald test"
    return result.fit, result.fit.why_not


def _missing(result: Estimates, name: str, null: str, df: int, reason: str) -> HypothesisTest:
    nothing = np.full(result.status.shape, np.nan)[()]
    return HypothesisTest(name, null, nothing, df, reason=reason)


def describe(r: Array, q: Array, names: Sequence[str]) -> str:
    """R theta = q in the names of the parameters."""
    equations = []
    for row, value in zip(r, q, strict=True):
        terms = ""
        for coefficient, name in zip(row, names, strict=True):
            if coefficient == 0:
                continue
            sign = " - " if coefficient < 0 else " + "
            size = "" if abs(coefficient) == 1 else f"{abs(coefficient):g} "
            terms += f"{sign}{size}{name}"
        terms = terms.removeprefix(" + ") if terms.startswith(" + ") else "-" + terms[3:]
        equations.append(f"{terms} = {value:g}")
    return ", ".join(equations)
