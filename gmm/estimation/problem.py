"""What the estimators see of a model: R samples, their moments, and nothing of the rest."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows
from gmm.estimation.bounds import Bound, Free
from gmm.estimation.gauss_newton import Minimum, minimize

# Contributions (r, n, q) are built for so many samples at a time that they, and what a user's
# function needs besides, stay in cache. With n = 100 and q = 4 an estimation takes 104 us of
# processor time at 512 kB, 118 us at 128 kB, 294 us at 2 MB (benchmarks/gmm_batched.py).
_PIECE_BYTES = 2**19


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

    def take(self, rows: Rows) -> Self:
        """The problem of some of the samples."""
        part = copy(self)  # not replace(), which would compute derived fields once more
        object.__setattr__(part, "rows", rows if self.rows is None else self.rows[rows])
        object.__setattr__(part, "samples", len(rows))
        return part

    def minimize(self, weights: Array, start: Array, search: Search) -> Minimum:
        """Minimize g'Wg for every sample, over free parameters if there are bounds.

        The weights are scaled so that g'Wg is about 1 for a single observation, as it is with
        efficient ones: the search ends by a tolerance that means the same for any weights.
        """
        s = self.robust(start, center=False)
        if self.q == self.k:
            weights = np.eye(self.q) / np.maximum(s, np.finfo(np.float64).tiny)
            scale = np.ones(self.samples)
        else:
            size = np.einsum("rij,rij->r", weights, s)
            scale = np.where(size > 0, self.q / size, 1.0)
            weights = weights * scale[:, np.newaxis, np.newaxis]
        minimum = self._minimize(weights, start, search)
        return replace(minimum, objective=minimum.objective / scale)

    def _minimize(self, weights: Array, start: Array, search: Search) -> Minimum:
        if self.bounds is None:
            return minimize(self, weights, start, **asdict(search))
        free = Free.of(self, self.bounds)
        minimum = minimize(free, weights, free.tau(start), **asdict(search))
        return replace(minimum, theta=free.theta(minimum.theta))
