"""Statistics of replications, each with its Monte Carlo standard error.

Formulas: Morris, White and Crowther (2019), Statistics in Medicine 38, 2074-2102, table 6; but
that of a standard deviation allows for other than normal estimates.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from gmm.data.arrays import Array
from gmm.models.theory import Reference
from smartsolve._types import MaybeNone

__all__ = ["Measure"]


@dataclass(frozen=True)
class Measure:
    """A statistic, its Monte Carlo standard error, and what theory says, if it does."""

    value: float
    mcse: float
    theory: Reference | MaybeNone = None
    missing: int = 0
    """How many replications have none, of those that were asked for."""
    interval: tuple[float, float] | MaybeNone = None
    """Of a rate, what it may be: exact, with 95 % (Clopper and Pearson 1934, Biometrika 26)."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: what is not finite is None."""
        result: dict[str, Any] = {"value": as_json(self.value), "mcse": as_json(self.mcse)}
        if self.theory is not None:
            result["theory"] = as_json(self.theory.value)
            result["theory_is_exact"] = self.theory.exact
        if self.missing:
            result["missing"] = self.missing
        if self.interval is not None:
            result["interval"] = list(self.interval)
        return result

    @property
    def bound(self) -> str:
        """What a rate of zero or one says, whose spread among replications is none."""
        if self.interval is None or self.value not in (0.0, 1.0):
            return ""
        low, high = self.interval
        digits = min(max(1 - math.floor(math.log10(high - low)), 0), 9)
        unit = 10**digits  # away from what was seen, so that it remains a bound
        if self.value == 0:
            return f"at most {math.ceil(high * unit) / unit:.{digits}f} (95 %)"
        return f"at least {math.floor(low * unit) / unit:.{digits}f} (95 %)"

    @property
    def digits(self) -> int:
        """Decimals to show: to the standard error's second digit."""
        if math.isfinite(self.mcse) and self.mcse > 0:
            return min(max(1 - math.floor(math.log10(self.mcse)), 2), 9)
        return 5


class Running:
    """Means and sums of squares about them of columns that arrive in parts.

    Parts are merged as by Chan, Golub and LeVeque (1983), The American Statistician 37, 242-247.
    """

    def __init__(self, columns: int) -> None:
        self.count = 0
        self.mean, self.squares = np.full(columns, math.nan), np.zeros(columns)

    def add(self, rows: Array) -> None:
        """Take in the rows (count, columns)."""
        count = len(rows)
        if not count:
            return
        mean = rows.mean(axis=0)
        squares = np.sum((rows - mean) ** 2, axis=0)
        total = self.count + count
        if self.count:
            shift = mean - self.mean
            mean = self.mean + shift * (count / total)
            squares = self.squares + squares + shift**2 * (self.count * count / total)
        self.count, self.mean, self.squares = total, mean, squares

    def sd(self, i: int) -> float:
        """The standard deviation of a column; NaN if there are fewer than two rows."""
        return math.sqrt(self.squares[i] / (self.count - 1)) if self.count > 1 else math.nan

    def error_of_mean(self, i: int) -> float:
        """The standard error of a column's mean."""
        return self.sd(i) / math.sqrt(self.count) if self.count else math.nan


class Spread:
    """The standard error of the variance of columns that arrive in parts.

    That of the mean of (x - mean)^2, from x less a mean that is nearly right, so that nothing
    cancels.
    """

    def __init__(self, columns: int) -> None:
        self.center: Array | None = None
        self.first, self.second, self.third = (Running(columns) for _ in range(3))

    def add(self, rows: Array) -> None:
        """Take in the rows (count, columns)."""
        if not len(rows):
            return
        if self.center is None:
            self.center = rows.mean(axis=0)
        near = rows - self.center
        self.first.add(near)
        self.second.add(near**2)
        self.third.add(near**3)

    def error_of_variance(self, i: int) -> float:
        """For a column; NaN if there are fewer than three rows, whose deviations are one number."""
        count, shift = self.first.count, self.first.mean[i]
        if count < 3:
            return math.nan
        covariance = (self.third.mean[i] - shift * self.second.mean[i]) * count / (count - 1)
        variance = self.second.sd(i) ** 2 - 4 * shift * covariance
        variance += 4 * (shift * self.first.sd(i)) ** 2
        return math.sqrt(max(variance, 0.0) / count)


def moments_of(
    errors: Running, squares: Running, spread: Spread, i: int
) -> dict[str, tuple[float, float]]:
    """Bias, sd and RMSE of the errors, each with its standard error; NaN where undefined."""
    sd, rmse = errors.sd(i), math.sqrt(squares.mean[i])
    return {
        "bias": (errors.mean[i], errors.error_of_mean(i)),
        # By the delta method from the variance: estimates need not be normal.
        "sd": (sd, spread.error_of_variance(i) / (2 * sd) if sd else 0.0),
        # By the delta method from the mean squared error.
        "rmse": (rmse, squares.error_of_mean(i) / (2 * rmse) if rmse else 0.0),
    }


def rates(name: str, count: int, ok: int, of_all: int) -> dict[str, Measure]:
    """The rate among those that did not fail, and among all."""
    return {name: rate(count, ok), f"{name}_of_all": rate(count, of_all)}


def rate(count: int, total: int, missing: int = 0) -> Measure:
    """A relative frequency, its standard error, and its exact interval.

    That none or all of the replications do something does not say that it is certain: the
    standard error is then that of half a replication more or less.
    """
    if total == 0:
        return Measure(math.nan, math.nan, missing=missing)
    share = count / total
    near = share if 0 < count < total else (count + 0.5) / (total + 1)
    low = float(special.betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    high = float(special.betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0
    mcse = math.sqrt(near * (1 - near) / total)
    return Measure(share, mcse, missing=missing, interval=(low, high))


def at_level(statistic: str, size: float, several: bool) -> str:
    """The key of a rate: with its nominal level, if there are several."""
    if not several:
        return statistic
    level = 1 - size if statistic.startswith("coverage") else size
    return f"{statistic} at {100 * level:.4g} %"


def median(values: Array) -> tuple[float, float]:
    """The median and its standard error: a quarter of what lies between two order statistics.

    The number of values below the median is binomial, so that those are two standard deviations,
    the root of the count, before and behind the middle. Infinite values are large ones.
    """
    count = len(values)
    if not count:
        return math.nan, math.nan
    ordered = np.sort(values)
    spread = math.sqrt(count)
    low = ordered[max(math.floor((count - 1) / 2 - spread), 0)]
    high = ordered[min(math.ceil((count - 1) / 2 + spread), count - 1)]
    with np.errstate(invalid="ignore"):
        return float(np.median(ordered)), float((high - low) / 4)


def bootstrapped(
    function: Callable[..., Any], columns: Sequence[Array], draws: int
) -> tuple[float, float]:
    """A function of columns (R, ...) and its standard error, from resampled replications."""
    count = len(columns[0])
    if not count:
        return math.nan, math.nan

    def value(columns: Sequence[Array]) -> float:
        answer = np.asarray(function(*columns))
        if answer.size != 1 or answer.dtype.kind not in "biuf":
            raise TypeError(
                f"the function answers with {answer.dtype} of shape {answer.shape}; a measure is "
                "one real number"
            )
        return float(answer.item())

    found = value(columns)
    rng = np.random.default_rng(0)
    again = np.empty(draws)
    for i in range(draws):
        rows = rng.integers(0, count, count)
        again[i] = value([column[rows] for column in columns])
    return found, float(again.std(ddof=1))


def as_json(x: float) -> float | None:
    """A number, or None for what JSON has no number for."""
    return x if math.isfinite(x) else None
