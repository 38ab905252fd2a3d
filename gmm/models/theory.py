"""How theory is put beside a Monte Carlo result."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# The 1.96 of every textbook, and of the 2010 experiment; its nominal level is 0.9500042...
CRITICAL = 1.96


@dataclass(frozen=True)
class Reference:
    """A value that theory gives for a statistic: exactly, or in the limit of large samples."""

    value: float
    exact: bool


# By parameter, then by statistic: "bias", "sd", "rmse", "coverage".
Theory = dict[str, dict[str, Reference]]


def in_the_limit(parameters: Collection[str], n: int, avar: npt.ArrayLike | None = None) -> Theory:
    """What holds for every consistent estimator; with its asymptotic variance, also its spread.

    `avar` is the variance of sqrt(n) (estimate - truth), (k, k), or its diagonal, (k,).
    """
    k = len(parameters)
    rows: Theory = {
        name: {
            "bias": Reference(0.0, False),
            "coverage": Reference(math.erf(CRITICAL / math.sqrt(2)), False),
        }
        for name in parameters
    }
    if avar is None:
        return rows
    variances = np.asarray(avar, dtype=np.float64)
    if variances.shape not in ((k,), (k, k)):
        raise ValueError(
            f"avar has shape {variances.shape}; for {k} parameters it must be ({k}, {k}) or ({k},)"
        )
    if variances.ndim == 2:
        variances = np.diagonal(variances)
    if not (np.isfinite(variances) & (variances > 0)).all():
        raise ValueError(f"avar has the variances {variances}; they must be positive and finite")
    for row, variance in zip(rows.values(), variances, strict=True):
        row["sd"] = row["rmse"] = Reference(math.sqrt(variance / n), False)
    return rows
