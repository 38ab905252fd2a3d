"""What the estimators see of a model: R samples, their moments, and nothing of the rest."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows
from gmm.estimation.bounds import Bound, Free
from gmm.estimation.gauss_newton import Minimum, minimize
from gmm.estimation.linear import solve_each
from gmm.estimation.status import Status
from gmm.estimation.weights import smallest_pivot

# Contributions (r, n, q) are built for so many samples at a time that they, and what a user's
# function needs besides, stay in cache. With n = 100 and q = 4 an estimation takes 104 us of
# processor time at 512 kB, 118 us at 128 kB, 294 us at 2 MB (benchmarks/gmm_batched.py).
_PIECE_BYTES = 2**19

_EPS, _TINY = np.finfo(np.float64).eps, np.finfo(np.float64).tiny
_MOST_ITERATIONS = np.iinfo(np.int16).max
# From exp(700) to 1 there are 304 powers of ten, of which each search takes ten at least.
_RESTARTS = 50
# Of a standard error: what may be left of a mean that is to be zero.
_NOISE = 0.01


@dataclass(frozen=True)
class Search:
    """How precisely, and how long, a minimum is sought; see `gauss_newton.minimize`."""

    tolerance: float = 1e-10
    max_iterations: int = 200

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance is {self.tolerance}; it must not be negative")
        if operator.index(self.max_iterations) < 0:
            raise ValueError(f"max_iterations is {self.max_iterations}; it must not be negative")


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """The q moment conditions in k parameters of R samples of n observations.

    `rows` are the samples meant, None for all of them: taking a subset copies no data.
    `clusters` (n, 1 or 2) are the groups of the observations, as codes from zero; `bounds` a pair
    for each parameter. `absorbed` parameters have been concentrated out of the data; `nested` of
    them count beside clusters.
    """

    samples: int
    n: int
    q: int
    k: int
    rows: Rows | None = None
    clusters: npt.NDArray[np.intp] | None = None
    bounds: Sequence[Bound] | None = None
    absorbed: int = 0
    nested: int = 0
    # What messages call the n.
    units: ClassVar[str] = "observations"

    @abstractmethod
    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """g (r, n, q) of the samples `index` at their parameters (r, k)."""

    @abstractmethod
    def jacobian(self, theta: Array) -> Array:
        """The derivatives (R, q, k) of the mean moments."""

    def unadjusted(self, theta: Array) -> Array:
        """S (R, q, q) if the residuals are homoskedastic and uncorrelated."""
        raise ValueError(
            "'unadjusted' is for models with a residual and instruments; these moments are given "
            "as one function, so use 'robust'"
        )

    def robust(self, theta: Array, center: bool) -> Array:
        """The mean (R, q, q) of g_i g_i', of moments less their mean if `center`."""

        def covariance(g: Array) -> Array:
            if center:
                g = g - g.mean(axis=1, keepdims=True)
            return g.swapaxes(1, 2) @ g / self.n

        return self.by_piece(theta, covariance)

    def leverages(self, index: Rows | slice) -> Array:
        """h (r or 1, n) of the fitted regressors."""
        raise ValueError(
            "'hc2' and 'hc3' are for linear models, whose observations have leverages; use 'robust'"
        )

    def instrument_products(self) -> Array:
        """Z'Z / n (R, q, q)."""
        raise ValueError(
            "initial is 'unadjusted'; these moments are given as one function, without instruments"
        )

    def pieces(self) -> Iterator[tuple[slice, Rows | slice]]:
        """Cache-sized groups of samples: their place among `rows`, and in the data."""
        size = max(1, _PIECE_BYTES // (8 * self.n * max(self.q, 1)))
        for first in range(0, self.samples, size):
            span = slice(first, min(first + size, self.samples))
            yield span, span if self.rows is None else self.rows[span]

    def by_piece(self, theta: Array, of: Callable[[Array], Array]) -> Array:
        """`of` the contributions, a piece at a time, for all samples."""
        parts = [of(self.contributions(theta[span], index)) for span, index in self.pieces()]
        if not parts:
            return of(np.empty((0, self.n, self.q)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def moments(self, theta: Array) -> Array:
        """The mean moments (R, q)."""
        return self.by_piece(theta, lambda g: np.add.reduce(g, axis=1) / self.n)

    def with_jacobian(self, theta: Array) -> tuple[Array, Array]:
        """The mean moments (R, q) and their derivatives (R, q, k)."""
        return self.moments(theta), self.jacobian(theta)

    def take(self, rows: Rows) -> Self:
        """The problem of some of the samples."""
        part = copy(self)  # not replace(), which would compute derived fields once more
        object.__setattr__(part, "rows", rows if self.rows is None else self.rows[rows])
        object.__setattr__(part, "samples", len(rows))
        return part

    def minimize(
        self, weights: Array, start: Array, search: Search, s: Array | None = None
    ) -> Minimum:
        """Minimize g'Wg for every sample, over free parameters if there are bounds.

        The weights are scaled so that g'Wg is about 1 for a single observation, as it is with
        efficient ones: the search ends by a tolerance that means the same for any weights. What
        one observation is worth may change on the way, by many powers of ten if the start was
        far. So a search is taken up again from its end, in the units of there, until that moves
        nothing. `s` is the mean of g_i g_i' at the start, if it is known.
        """
        s = self.robust(start, center=False) if s is None else s
        scaled, unit = self._in_units(weights, s)
        found = self._minimize(scaled, start, search)
        theta, status, iterations = found.theta, found.status, found.iterations
        objective, decrement = found.objective / unit, found.decrement
        s, before = self.robust(theta, center=False), s
        rows = np.flatnonzero(
            self._unfinished(found, self._growth(weights, before, s), search.tolerance)
        )
        for _ in range(_RESTARTS):
            if not rows.size:
                break
            part = self.take(rows)
            scaled, unit = part._in_units(weights[rows], s[rows])
            more = part._minimize(scaled, theta[rows], search)
            change = np.abs(more.theta - theta[rows])
            moved = (change > 8 * _EPS * np.abs(theta[rows])).any(axis=1)
            # What was found before, and cannot be found better, is found.
            settled = ~moved & (status[rows] == Status.OK) & np.isfinite(more.decrement)
            status[rows] = np.where(settled, Status.OK, more.status)
            theta[rows], objective[rows] = more.theta, more.objective / unit
            decrement[rows] = more.decrement
            iterations[rows] = np.minimum(
                iterations[rows].astype(np.int64) + more.iterations, _MOST_ITERATIONS
            )
            before = s[rows]
            s[rows] = part.robust(more.theta, center=False)
            growth = part._growth(weights[rows], before, s[rows])
            rows = rows[moved & part._unfinished(more, growth, search.tolerance)]
        status[rows] = Status.MAX_ITERATIONS
        if self.q == self.k:
            status[self._not_a_root(theta, s, status)] = Status.NO_ROOT
        return Minimum(theta, objective, status, iterations, decrement, s)

    def identified(self, jacobian: Array, s: Array) -> npt.NDArray[np.bool_]:
        """Whether (R,) the derivatives (R, q, k) have full rank in the units of S (R, q, q).

        An S that is singular, as with fewer observations than moments, says nothing of that: its
        diagonal does.
        """
        singular = ~(smallest_pivot(s) > 64 * self.q * _EPS)
        if singular.any():
            alone = np.eye(self.q) * np.diagonal(s, axis1=1, axis2=2)[:, np.newaxis]
            s = np.where(singular[:, np.newaxis, np.newaxis], alone, s)
        information = jacobian.swapaxes(1, 2) @ solve_each(s, jacobian)
        information = (information + information.swapaxes(1, 2)) / 2
        # A pivot is 1 - R^2 of one derivative on those before it.
        pivot = smallest_pivot(information)
        return np.asarray(~(pivot <= 64 * self.k * _EPS))

    def perfect(self, theta: Array, s: Array) -> npt.NDArray[np.bool_]:
        """Whether (R,) nothing but rounding is left at theta (R, k), where S is (R, q, q)."""
        return np.zeros(len(theta), bool)

    def other_starts(self, start: Array) -> list[Array]:
        """Where (R, k) to search besides, if that from `start` has ended in a doubtful place."""
        return [np.zeros_like(start), start / 10]

    def _in_units(self, weights: Array, s: Array) -> tuple[Array, Array]:
        """Weights with which one observation is worth 1, and the factor (R,) on those given."""
        if self.q == self.k:
            return np.eye(self.q) / np.maximum(s, _TINY), np.ones(self.samples)
        worth = np.einsum("rij,rij->r", weights, s)
        scale = np.where(worth > 0, self.q / worth, 1.0)
        return weights * scale[:, np.newaxis, np.newaxis], scale

    def _growth(self, weights: Array, before: Array, after: Array) -> Array:
        """By how much (R,) the worth of a decrease has grown, from one S to the other."""
        if self.q == self.k:
            variances = (np.diagonal(s, axis1=1, axis2=2) for s in (before, after))
            old, new = (np.maximum(variance, _TINY) for variance in variances)
            return np.asarray((old / new).max(axis=1, initial=0.0))
        old, new = (np.einsum("rij,rij->r", weights, s) for s in (before, after))
        return np.where((old > 0) & (new > 0), old / np.where(new > 0, new, 1.0), 1.0)

    def _unfinished(self, found: Minimum, growth: Array, tolerance: float) -> npt.NDArray[np.bool_]:
        """Which searches (R,) ended by a tolerance that is too large where they ended."""
        ended = (found.status == Status.OK) | (found.status == Status.LINE_SEARCH)
        result: npt.NDArray[np.bool_] = ended & (growth > 1)
        return np.asarray(result & (found.decrement * growth > tolerance**2))

    def _not_a_root(
        self, theta: Array, s: Array, status: npt.NDArray[np.int8]
    ) -> npt.NDArray[np.bool_]:
        """Where (R,) a search said to have converged left moments that their noise does not hide.

        The mean of g must be small beside its standard error, unless no step could change it.
        """
        g = self.moments(theta)
        error = np.sqrt(np.diagonal(s, axis1=1, axis2=2) / self.n)
        doubtful = (np.abs(g) > _NOISE * error).any(axis=1) & (status == Status.OK)
        if doubtful.any():
            rows = np.flatnonzero(doubtful)
            part = self.take(rows)
            step = solve_each(part.jacobian(theta[rows]), g[rows, :, np.newaxis])[..., 0]
            moves = ~(np.abs(step) <= 8 * _EPS * np.abs(theta[rows])).all(axis=1)
            doubtful[rows] = moves
        return np.asarray(doubtful)

    def _minimize(self, weights: Array, start: Array, search: Search) -> Minimum:
        if self.bounds is None:
            return minimize(self, weights, start, **asdict(search))
        free = Free.of(self, self.bounds)
        minimum = minimize(free, weights, free.tau(start), **asdict(search))
        return replace(minimum, theta=free.theta(minimum.theta))
