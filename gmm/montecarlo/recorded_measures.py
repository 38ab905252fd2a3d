"""What replications say together of a statistic that their study records."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.models.theory import Reference
from gmm.montecarlo.columns import Column, entry
from gmm.montecarlo.measures import Measure, at_level, median, rate, rates


def measures_of(
    column: Column,
    values: npt.NDArray[Any],
    truth: Mapping[str, float],
    sizes: Sequence[float],
) -> dict[str, dict[str, Measure]]:
    """Measures of each entry of a statistic (R, ...), by its name."""
    if column.kind == "test":
        return {column.name: _of_test(values, sizes)}
    if column.kind == "set":
        return {column.name: _of_set(column, values, truth)}
    of = _of_rate if column.kind == "rate" else _of_number
    return {name: of(entry(values, place)) for name, place in column.entries()}


def _of_test(p: Array, sizes: Sequence[float]) -> dict[str, Measure]:
    missing = int(np.count_nonzero(np.isnan(p)))
    row = {}
    for size in sizes:
        found = rates("rejection", int(np.count_nonzero(p < size)), len(p) - missing, len(p))
        for key, measure in found.items():
            left_out = 0 if key.endswith("_of_all") else missing
            row[at_level(key, size, len(sizes) > 1)] = replace(measure, missing=left_out)
    return row


def _of_rate(values: Array) -> dict[str, Measure]:
    there = values[~np.isnan(values)]
    return _with_all("rate", int(np.count_nonzero(there)), len(there), len(values))


def _of_number(values: Array) -> dict[str, Measure]:
    there = values[~np.isnan(values)]
    count, missing = len(there), len(values) - len(there)
    if not count:
        return {"mean": Measure(math.nan, math.nan, missing=missing)}
    with np.errstate(invalid="ignore"):
        mean, sd = float(there.mean()), float(there.std(ddof=1)) if count > 1 else math.nan
        # The variance of an estimated variance, (m4 - m2^2) / R, by the delta method.
        deviations = (there - mean) ** 2
        spread = float(deviations.std()) / (2 * sd) if sd else 0.0
        spread = spread if count > 2 else math.nan  # both deviations are one number
    return {
        "mean": Measure(mean, sd / math.sqrt(count), missing=missing),
        "sd": Measure(sd, spread / math.sqrt(count), missing=missing),
    }


def _of_set(
    column: Column, values: npt.NDArray[Any], truth: Mapping[str, float]
) -> dict[str, Measure]:
    there = values[~values["missing"]]
    count = len(there)
    sets = column.confidence_set(there)
    row: dict[str, Measure] = {}
    if column.parameter:
        covered = int(np.count_nonzero(sets.contains(truth[column.parameter])))
        nominal = Reference(column.level, exact=False)
        row |= _with_all("coverage", covered, count, len(values), nominal)
    missing = len(values) - count
    row["unbounded"] = rate(int(np.count_nonzero(~sets.bounded)), count, missing)
    row["empty"] = rate(int(np.count_nonzero(sets.empty)), count, missing)
    row["median_length"] = Measure(*median(sets.length), missing=missing)
    return row


def _with_all(
    name: str, count: int, there: int, asked: int, theory: Reference | None = None
) -> dict[str, Measure]:
    found = rates(name, count, there, asked)
    return {
        key: replace(
            measure, theory=theory, missing=0 if key.endswith("_of_all") else asked - there
        )
        for key, measure in found.items()
    }
