"""Statistics over replications, each with the Monte Carlo standard error of its own.

Formulas: Morris, White and Crowther (2019), Statistics in Medicine 38, 2074-2102, table 6.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm._linear import Array
from gmm._status import Status
from gmm._theory import CRITICAL, Reference, Theory

__all__ = ["Measure", "Summary"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Measure:
    """A statistic, its Monte Carlo standard error, and what theory says, if it does."""

    value: float
    mcse: float
    theory: Reference | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: what is not finite is None."""
        result: dict[str, Any] = {"value": _json(self.value), "mcse": _json(self.mcse)}
        if self.theory is not None:
            result["theory"] = _json(self.theory.value)
            result["theory_is_exact"] = self.theory.exact
        return result


@dataclass(frozen=True)
class Summary:
    """Measures by parameter and statistic, and the counts of how replications ended.

    Index it by the name of a parameter, or by "J" if there are more moments than parameters;
    print it for a table.

    Bias, sd, RMSE, coverage and size are over the replications that converged;
    `coverage_of_all` and `size_of_all` count a failure as not covering and not rejecting.
    """

    replications: int
    statuses: dict[str, int]
    measures: dict[str, dict[str, Measure]]

    @property
    def converged(self) -> int:
        """How many replications were estimated without failure."""
        return self.statuses[Status.OK.name]

    def __getitem__(self, name: str) -> dict[str, Measure]:
        return self.measures[name]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "converged": self.converged,
            "statuses": {name: count for name, count in self.statuses.items() if count},
            "measures": {
                name: {statistic: measure.to_dict() for statistic, measure in row.items()}
                for name, row in self.measures.items()
            },
        }

    def __str__(self) -> str:
        lines = [f"{'':7}{'':16}{'estimate':>12}{'MC std. error':>15}{'theory':>13}"]
        for name, row in self.measures.items():
            label = name
            for statistic, measure in row.items():
                # Rates over all are worth a line only if they differ.
                if statistic.endswith("_of_all") and self.converged == self.replications:
                    continue
                title = _TITLES.get(statistic, statistic)
                lines.append(f"{label:7}{title:16}{_row(measure)}")
                label = ""
        lines.append(f"converged: {self.converged:,} of {self.replications:,}")
        for status in Status:
            count = self.statuses[status.name]
            if count and status != Status.OK:
                lines.append(f"  {count:,} failed: {status.reason}")
        return "\n".join(lines)


_TITLES = {
    "rmse": "RMSE",
    "coverage_of_all": "coverage of all",
    "size": "size at 5 %",
    "size_of_all": "size of all",
}


def summarize(
    *,
    parameters: Sequence[str],
    truth: Sequence[float],
    estimates: Array,
    bse: Array,
    j: Array,
    status: npt.NDArray[np.int8],
    overidentified: int,
    theory: Theory,
) -> Summary:
    """Compare (R, k) estimates and standard errors with the truth and with theory."""
    ok = status == Status.OK
    replications = len(status)
    measures = {}
    for i, name in enumerate(parameters):
        error = estimates[ok, i] - truth[i]
        covered = int(np.count_nonzero(np.abs(error) < CRITICAL * bse[ok, i]))
        values = {
            **_moments_of(error),
            "coverage": _rate(covered, len(error)),
            "coverage_of_all": _rate(covered, replications),
        }
        measures[name] = {
            statistic: Measure(*value, theory[name].get(statistic))
            for statistic, value in values.items()
        }
    if overidentified:
        measures["J"] = _j_test(j[ok], overidentified, replications)
    counts = np.bincount(status, minlength=len(Status))
    return Summary(
        replications=replications,
        statuses={member.name: int(counts[member]) for member in Status},
        measures=measures,
    )


def _moments_of(error: Array) -> dict[str, tuple[float, float]]:
    """Bias, sd and RMSE of the errors, each with its standard error; NaN where undefined."""
    r = len(error)
    if r == 0:
        return dict.fromkeys(("bias", "sd", "rmse"), (math.nan, math.nan))
    bias, mse = float(error.mean()), float(np.mean(error**2))
    if r == 1:
        return {"bias": (bias, math.nan), "sd": (math.nan, math.nan), "rmse": (abs(bias), math.nan)}
    sd, rmse = float(error.std(ddof=1)), math.sqrt(mse)
    mse_error = math.sqrt(float(np.sum((error**2 - mse) ** 2)) / (r * (r - 1)))
    return {
        "bias": (bias, sd / math.sqrt(r)),
        "sd": (sd, sd / math.sqrt(2 * (r - 1))),
        # By the delta method from the mean squared error.
        "rmse": (rmse, mse_error / (2 * rmse) if rmse else 0.0),
    }


def _rate(count: int, total: int) -> tuple[float, float]:
    if total == 0:
        return math.nan, math.nan
    rate = count / total
    return rate, math.sqrt(rate * (1 - rate) / total)


def _j_test(j: Array, df: int, replications: int) -> dict[str, Measure]:
    """Mean and size of Hansen's J test, chi-squared with df degrees of freedom in the limit."""
    rejected = int(np.count_nonzero(j > special.chdtri(df, _LEVEL)))
    nominal = Reference(_LEVEL, exact=False)
    mean = float(j.mean()) if len(j) else math.nan
    mean_error = float(j.std(ddof=1)) / math.sqrt(len(j)) if len(j) > 1 else math.nan
    return {
        "mean": Measure(mean, mean_error, Reference(df, exact=False)),
        "size": Measure(*_rate(rejected, len(j)), nominal),
        "size_of_all": Measure(*_rate(rejected, replications), nominal),
    }


def _row(measure: Measure) -> str:
    """Value and theory to the digits that the standard error's second one supports."""
    digits = 5
    if math.isfinite(measure.mcse) and measure.mcse > 0:
        digits = min(max(1 - math.floor(math.log10(measure.mcse)), 2), 9)
    line = f"{measure.value:12.{digits}f}{measure.mcse:15.{digits}f}"
    if measure.theory is None:
        return line
    line += f"{measure.theory.value:13.{digits}f}"
    return line + ("" if measure.theory.exact else "  in the limit")


def _json(x: float) -> float | None:
    return x if math.isfinite(x) else None
