"""Statistics over replications, each with the Monte Carlo standard error of its own.

Formulas: Morris, White and Crowther (2019), Statistics in Medicine 38, 2074-2102, table 6.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from gmm.data.arrays import Array
from gmm.data.labels import need_pandas
from gmm.estimation.status import Status
from gmm.inference.summary import Summary as Table
from gmm.models.theory import CRITICAL, Reference, Theory
from gmm.montecarlo.blocks import Records
from smartsolve._types import MaybeNone

__all__ = ["Measure", "Summary"]

# Replications looked at together: their temporaries bound the memory of a summary.
_ROWS = 100_000


@dataclass(frozen=True)
class Measure:
    """A statistic, its Monte Carlo standard error, and what theory says, if it does."""

    value: float
    mcse: float
    theory: Reference | MaybeNone = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values: what is not finite is None."""
        result: dict[str, Any] = {"value": _json(self.value), "mcse": _json(self.mcse)}
        if self.theory is not None:
            result["theory"] = _json(self.theory.value)
            result["theory_is_exact"] = self.theory.exact
        return result

    @property
    def digits(self) -> int:
        """Decimals to show: to the standard error's second digit."""
        if math.isfinite(self.mcse) and self.mcse > 0:
            return min(max(1 - math.floor(math.log10(self.mcse)), 2), 9)
        return 5


@dataclass(frozen=True)
class Summary:
    """Measures by parameter and statistic, and the counts of how replications ended.

    Index it by the name of a parameter, or by "J" if there are more moments than parameters;
    print it for a table, and a notebook shows one.

    Bias, sd, RMSE, mean standard error, coverage, size and power are over the replications that
    converged; `coverage_of_all`, `size_of_all` and `power_of_all` count a failure as not
    covering and not rejecting.
    """

    replications: int
    statuses: dict[str, int]
    measures: dict[str, dict[str, Measure]]
    size: float = 0.05

    @property
    def level(self) -> float:
        """Nominal coverage of the intervals; `size`, nominal, of the tests is what lacks to one."""
        return 1 - self.size

    @property
    def converged(self) -> int:
        """How many replications were estimated without failure."""
        return self.statuses[Status.OK.name]

    @property
    def convergence(self) -> Measure:
        """The rate of convergence."""
        return Measure(*_rate(self.converged, self.replications))

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

    def to_frame(self) -> Any:
        """A data frame with a row for each parameter and statistic; needs pandas."""
        rows = [
            (name, statistic, m.value, m.mcse, math.nan if m.theory is None else m.theory.value)
            for name, row in self.measures.items()
            for statistic, m in row.items()
        ]
        columns = ["parameter", "statistic", "estimate", "mcse", "theory"]
        frame = need_pandas("a summary as a data frame").DataFrame(rows, columns=columns)
        return frame.set_index(columns[:2])

    def to_latex(self) -> str:
        """A tabular with booktabs' rules."""
        return self.table().to_latex()

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def table(self) -> Table:
        """What is shown, as cells."""
        rows = [
            (f"{name}: {label}", _cells(measure)) for name, label, measure in self._shown_measures()
        ]
        columns = ["estimate", "MC std. error", "theory", ""]
        return Table("Monte Carlo summary", [], columns, rows, self._endings())

    def __str__(self) -> str:
        width = max([6, *map(len, self.measures)])
        lines = [f"{'':{width + 1}}{'':16}{'estimate':>12}{'MC std. error':>15}{'theory':>13}"]
        before = ""
        for name, label, measure in self._shown_measures():
            value, mcse, theory, limit = _cells(measure)
            head = "" if name == before else name
            line = f"{head:{width}} {label:16}{value:>12}{mcse:>15}{theory:>13}  {limit}"
            lines.append(line.rstrip())
            before = name
        return "\n".join([*lines, *self._endings()])

    def _shown_measures(self) -> Iterator[tuple[str, str, Measure]]:
        for name, row in self.measures.items():
            for statistic, measure in row.items():
                if self._is_shown(statistic, row):
                    yield name, title(statistic, self.size), measure

    def _is_shown(self, statistic: str, beside: Mapping[str, Measure]) -> bool:
        # The size of a parameter's t test is one minus its coverage; rates over all are worth a
        # line only if they differ.
        if statistic.startswith("size") and "coverage" in beside:
            return False
        return not statistic.endswith("_of_all") or self.converged < self.replications

    def _endings(self) -> list[str]:
        lines = [f"converged: {self.converged:,} of {self.replications:,}"]
        for status in Status:
            count = self.statuses.get(status.name, 0)
            if count and status != Status.OK:
                lines.append(f"  {count:,} failed: {status.reason}")
        return lines


def title(statistic: str, size: float) -> str:
    """What a statistic is called in a table."""
    percent = f"{100 * size:.3g} %"
    titles = {
        "rmse": "RMSE",
        "mean_se": "mean std. error",
        "coverage_of_all": "coverage of all",
        "size": f"size at {percent}",
        "size_of_all": "size of all",
        "power": f"power at {percent}",
        "power_of_all": "power of all",
    }
    return titles.get(statistic, statistic)


def size_of_tests(level: float) -> float:
    """Nominal size of tests beside intervals of this nominal coverage."""
    if not 0.5 <= level < 1:
        raise ValueError(
            f"level is {level!r}; it is the nominal coverage of the intervals, as in conf_int, "
            "between 0.5 and 1: 0.95 for tests of size 5 %"
        )
    return round(1 - level, 12)


def summarize(
    *,
    parameters: Sequence[str],
    truth: Sequence[float],
    records: Records,
    df: int,
    theory: Theory,
    df_t: float | None = None,
    level: float = 0.95,
    null: Mapping[str, float] | None = None,
) -> Summary:
    """Compare the records of all replications with the truth and with theory."""
    null = null or {}
    size = size_of_tests(level)
    if unknown := sorted(set(null) - set(parameters)):
        raise ValueError(f"null names {unknown}; the parameters are {list(parameters)}")
    # Of the intervals and p-values that the fit itself gives.
    if df_t is not None:
        critical = float(-special.stdtrit(df_t, size / 2))
    else:
        critical = CRITICAL if size == 0.05 else float(-special.ndtri(size / 2))

    errors, squares, spreads, j = (_Running(len(parameters)) for _ in range(4))
    covered, missed, powerful = np.zeros((3, len(parameters)), np.int64)
    rejected = 0
    statuses = np.zeros(128, np.int64)
    others = np.array([null.get(name, math.nan) for name in parameters])
    for first in range(0, len(records), _ROWS):
        rows = records[first : first + _ROWS]
        statuses += np.bincount(rows["status"], minlength=128)
        rows = rows[rows["status"] == Status.OK]
        error = rows["estimates"] - np.asarray(truth)
        errors.add(error)
        squares.add(error**2)
        spreads.add(rows["bse"])
        j.add(rows["j"][:, np.newaxis])
        width = critical * rows["bse"]
        covered += np.count_nonzero(np.abs(error) < width, axis=0)
        missed += np.count_nonzero(np.abs(error) >= width, axis=0)
        powerful += np.count_nonzero(np.abs(rows["estimates"] - others) >= width, axis=0)
        if df:
            rejected += int(np.count_nonzero(rows["j"] > special.chdtri(df, size)))

    replications, ok = len(records), int(statuses[Status.OK])
    measures = {}
    for i, name in enumerate(parameters):
        values = {
            **_moments_of(errors, squares, i),
            "mean_se": (spreads.mean[i], spreads.error_of_mean(i)),
            **_rates("coverage", int(covered[i]), ok, replications),
            **_rates("size", int(missed[i]), ok, replications),
        }
        if name in null:
            values |= _rates("power", int(powerful[i]), ok, replications)
        references = _references(theory.get(name, {}), size)
        measures[name] = {
            statistic: Measure(float(value), float(mcse), references.get(statistic))
            for statistic, (value, mcse) in values.items()
        }
    if df:
        sizes = _rates("size", rejected, ok, replications)
        nominal = Reference(size, exact=False)
        measures["J"] = {
            "mean": Measure(
                float(j.mean[0]), float(j.error_of_mean(0)), Reference(df, exact=False)
            ),
            **{statistic: Measure(*rate, nominal) for statistic, rate in sizes.items()},
        }
    return Summary(
        replications=replications,
        statuses={member.name: int(statuses[member]) for member in Status},
        measures=measures,
        size=size,
    )


class _Running:
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


def _moments_of(errors: _Running, squares: _Running, i: int) -> dict[str, tuple[float, float]]:
    """Bias, sd and RMSE of the errors, each with its standard error; NaN where undefined."""
    sd, rmse = errors.sd(i), math.sqrt(squares.mean[i])
    return {
        "bias": (errors.mean[i], errors.error_of_mean(i)),
        "sd": (sd, sd / math.sqrt(2 * (errors.count - 1)) if errors.count > 1 else math.nan),
        # By the delta method from the mean squared error.
        "rmse": (rmse, squares.error_of_mean(i) / (2 * rmse) if rmse else 0.0),
    }


def _rates(name: str, count: int, ok: int, of_all: int) -> dict[str, tuple[float, float]]:
    return {name: _rate(count, ok), f"{name}_of_all": _rate(count, of_all)}


def _rate(count: int, total: int) -> tuple[float, float]:
    if total == 0:
        return math.nan, math.nan
    rate = count / total
    return rate, math.sqrt(rate * (1 - rate) / total)


def _references(row: Mapping[str, Reference], size: float) -> dict[str, Reference]:
    """Theory for one parameter: that of coverage and size belongs to a size of 5 %."""
    references = dict(row)
    if size != 0.05:
        references["coverage"] = Reference(1 - size, exact=False)
    if (coverage := references.get("coverage")) is not None:
        references["size"] = Reference(1 - coverage.value, coverage.exact)
    return references


def _cells(measure: Measure) -> list[str]:
    digits = measure.digits
    cells = [f"{measure.value:z.{digits}f}", f"{measure.mcse:z.{digits}f}"]
    if measure.theory is None:
        return [*cells, "", ""]
    return [
        *cells,
        f"{measure.theory.value:z.{digits}f}",
        "" if measure.theory.exact else "in the limit",
    ]


def _json(x: float) -> float | None:
    return x if math.isfinite(x) else None
