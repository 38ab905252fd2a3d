"""Parameters with bounds, as smooth functions of parameters without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.gauss_newton import MomentConditions

Bound = tuple[float | None, float | None]
Bounds = Mapping[str, Bound]


@dataclass(frozen=True)
class Free:
    """Moment conditions as functions of free parameters tau.

    theta = low + exp(tau) above a bound, high - exp(tau) below one, and between two
    low + (high - low) / (1 + exp(-tau)): a bound of (0, None) is the log-parametrization.
    """

    problem: MomentConditions
    low: Array
    high: Array

    @classmethod
    def of(cls, problem: MomentConditions, bounds: Sequence[Bound]) -> Self:
        """The problem with bounds (low, high) for each parameter; None is no bound."""
        low = np.array([-np.inf if b[0] is None else b[0] for b in bounds], dtype=np.float64)
        high = np.array([np.inf if b[1] is None else b[1] for b in bounds], dtype=np.float64)
        return cls(problem, low, high)

    def theta(self, tau: Array) -> Array:
        """The parameters (R, k)."""
        return np.select(
            self._kinds,
            [self.low + self._share(tau), self.low + np.exp(tau), self.high - np.exp(tau)],
            tau,
        )

    def tau(self, theta: Array) -> Array:
        """The free parameters (R, k)."""
        above, below = np.log(theta - self.low), np.log(self.high - theta)
        return np.select(self._kinds, [above - below, above, below], theta)

    def slope(self, tau: Array) -> Array:
        """d theta / d tau (R, k)."""
        share = self._share(tau)
        between = share * (1 - share / (self.high - self.low))
        result: Array = np.select(self._kinds, [between, np.exp(tau), -np.exp(tau)], 1.0)
        return result

    def with_jacobian(self, tau: Array) -> tuple[Array, Array]:
        """The mean moments (R, q), and their derivatives (R, q, k) with respect to tau."""
        moments, jacobian = self.problem.with_jacobian(self.theta(tau))
        return moments, jacobian * self.slope(tau)[:, np.newaxis, :]

    def take(self, rows: npt.NDArray[np.intp]) -> "Free":
        """The conditions of some of the samples."""
        return Free(self.problem.take(rows), self.low, self.high)

    def _share(self, tau: Array) -> Array:
        share: Array = (self.high - self.low) / (1 + np.exp(-tau))
        return share

    @property
    def _kinds(self) -> list[npt.NDArray[np.bool_]]:
        above, below = np.isfinite(self.low), np.isfinite(self.high)
        return [above & below, above, below]


def check_bounds(bounds: Bounds | None, names: Sequence[str]) -> list[Bound] | None:
    """One pair for each parameter, or None if there are no bounds at all."""
    if not bounds:
        return None
    for name, pair in bounds.items():
        if name not in names:
            raise ValueError(f"bounds name {name!r}; the parameters are {', '.join(names)}")
        if len(pair) != 2:
            raise ValueError(f"bounds of {name!r} are {pair!r}; give (low, high), None for none")
        low, high = pair
        if low is not None and high is not None and not low < high:
            raise ValueError(f"bounds of {name!r} are {pair!r}; the first must be below the second")
    return [bounds.get(name, (None, None)) for name in names]
