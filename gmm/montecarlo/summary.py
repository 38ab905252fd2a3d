"""What all replications of a study say together, beside the truth and theory."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from gmm.data.labels import need_pandas
from gmm.estimation.status import Status
from gmm.inference.summary import Summary as Table
from gmm.models.theory import CRITICAL, Reference, Theory
from gmm.montecarlo.blocks import RECORDED, Records
from gmm.montecarlo.columns import Column
from gmm.montecarlo.measures import Measure, Running, Spread, at_level, moments_of, rate, rates
from gmm.montecarlo.recorded_measures import measures_of

__all__ = ["Measure", "Summary"]

# Replications looked at together: their temporaries bound the memory of a summary.
_ROWS = 100_000

# One nominal coverage, or several.
Level = float | Sequence[float]


@dataclass(frozen=True)
class Summary:
    """Measures by parameter and statistic, and the counts of how replications ended.

    Index it by the name of a parameter, by "J" if there are more moments than parameters, or by
    the name of what the study records; print it for a table, and a notebook shows one. With
    several levels "coverage" is "coverage at 90 %" and so on.

    Bias, sd, RMSE, mean standard error, coverage, size and power are over the replications that
    converged; `coverage_of_all`, `size_of_all` and `power_of_all` count a failure as not
    covering and not rejecting. What is recorded has those of the replications that have it,
    and the `missing` of a measure says how many have not.
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
        return rate(self.converged, self.replications)

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
                if self.shows(statistic, row):
                    yield name, title(statistic, self.size), measure

    def shows(self, statistic: str, beside: Mapping[str, Measure]) -> bool:
        """Whether a table has a line for it, beside others."""
        # The size of a parameter's t test is one minus its coverage; rates over all are worth a
        # line only if they differ.
        base, _, level = statistic.partition(" at ")
        if base.startswith("size") and any(other.startswith("coverage") for other in beside):
            return False
        if not base.endswith("_of_all"):
            return True
        plain = beside[" at ".join(filter(None, [base.removesuffix("_of_all"), level]))]
        return self.converged < self.replications or plain.missing > 0

    def _endings(self) -> list[str]:
        lines = [f"converged: {self.converged:,} of {self.replications:,}"]
        for status in Status:
            count = self.statuses.get(status.name, 0)
            if count and status != Status.OK:
                lines.append(f"  {count:,} failed: {status.reason}")
        for name, row in self.measures.items():
            if missing := max((measure.missing for measure in row.values()), default=0):
                lines.append(f"without {name}: {missing:,}")
        return lines


def side_by_side(summaries: Mapping[str, Summary], statistics: Sequence[str] = ()) -> Table:
    """Summaries of the same replications as columns: parameters and statistics are the rows."""
    first = next(iter(summaries.values()))
    rows = []
    found: set[str] = set()
    # What the study records stands with its own estimator, and last, as J may be another's.
    in_order = [*list(summaries.values())[1:], first]
    for name in dict.fromkeys(name for s in in_order for name in s.measures):
        there = [s.measures.get(name, {}) for s in summaries.values()]
        keys = list(dict.fromkeys(key for row in there for key in row))
        found.update(keys)
        for key in keys:
            if not wanted(key, statistics) or not any(
                key in row and s.shows(key, row)
                for row, s in zip(there, summaries.values(), strict=True)
            ):
                continue
            rows.append(
                (f"{name}: {title(key, first.size)}", [cell(row.get(key)) for row in there])
            )
    check_statistics(statistics, found)
    rows.append(("failed", [f"{s.replications - s.converged:,}" for s in summaries.values()]))
    heading = (
        f"Monte Carlo, {first.replications:,} replications, "
        "Monte Carlo standard errors in parentheses"
    )
    return Table(heading, [], list(summaries), rows, [])


def wanted(key: str, statistics: Sequence[str]) -> bool:
    """Whether a statistic, at whatever level, is among those asked for; all are if none is."""
    return not statistics or key in statistics or key.partition(" at ")[0] in statistics


def check_statistics(statistics: Sequence[str], found: Iterable[str]) -> None:
    """Raise ValueError for a statistic that is not there."""
    known = {*found, *(key.partition(" at ")[0] for key in found)}
    if unknown := [name for name in statistics if name not in known]:
        raise ValueError(f"there is no statistic {unknown[0]!r}; there are {sorted(known)}")


def cell(measure: Measure | None) -> str:
    """A measure with its standard error in parentheses."""
    if measure is None or math.isnan(measure.value):
        return ""
    return f"{measure.value:z.{measure.digits}f} ({measure.mcse:z.{measure.digits}f})"


# What is called otherwise than its key; of tests at a level, which stands behind.
_TITLES = {
    "rmse": "RMSE",
    "mean_se": "mean std. error",
    "rejection": "rejected",
    "median_length": "median length",
}
_OF_TESTS = ("size", "power", "rejection")


def title(statistic: str, size: float) -> str:
    """What a statistic is called in a table."""
    base, _, level = statistic.partition(" at ")
    plain = base.removesuffix("_of_all")
    text = _TITLES.get(plain, plain) + (" of all" if plain != base else "")
    if not level and base in _OF_TESTS:
        level = f"{100 * size:.3g} %"
    return f"{text} at {level}" if level else text


def sizes_of_tests(level: Level) -> list[float]:
    """As `size_of_tests`, of one level or of several."""
    levels = [level] if isinstance(level, float | int) else list(level)
    if not levels or len(set(levels)) < len(levels):
        raise ValueError(f"level is {level!r}; it must be a nominal coverage, or different ones")
    return [size_of_tests(one) for one in levels]


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
    level: Level = 0.95,
    null: Mapping[str, float] | None = None,
    columns: Iterable[Column] = (),
) -> Summary:
    """Compare the records of all replications with the truth and with theory."""
    null = null or {}
    sizes = sizes_of_tests(level)
    if unknown := sorted(set(null) - set(parameters)):
        raise ValueError(f"null names {unknown}; the parameters are {list(parameters)}")
    critical = [_critical(size, df_t) for size in sizes]
    errors, squares, spreads, j = (Running(len(parameters)) for _ in range(4))
    deviations = Spread(len(parameters))
    # By size of the tests, and parameter.
    covered, missed, powerful = np.zeros((3, len(sizes), len(parameters)), np.int64)
    rejected = np.zeros(len(sizes), np.int64)
    statuses = np.zeros(128, np.int64)
    others = np.array([null.get(name, math.nan) for name in parameters])
    for first in range(0, len(records), _ROWS):
        rows = records[first : first + _ROWS]
        statuses += np.bincount(rows["status"], minlength=128)
        rows = rows[rows["status"] == Status.OK]
        error = rows["estimates"] - np.asarray(truth)
        errors.add(error)
        squares.add(error**2)
        deviations.add(error)
        spreads.add(rows["bse"])
        j.add(rows["j"][:, np.newaxis])
        for at, (size, value) in enumerate(zip(sizes, critical, strict=True)):
            width = value * rows["bse"]
            covered[at] += np.count_nonzero(np.abs(error) < width, axis=0)
            missed[at] += np.count_nonzero(np.abs(error) >= width, axis=0)
            powerful[at] += np.count_nonzero(np.abs(rows["estimates"] - others) >= width, axis=0)
            if df:
                rejected[at] += np.count_nonzero(rows["j"] > special.chdtri(df, size))

    replications, ok = len(records), int(statuses[Status.OK])
    several = len(sizes) > 1
    measures: dict[str, dict[str, Measure]] = {}
    for i, name in enumerate(parameters):
        references = _references(theory.get(name, {}), 0.05)
        plain = {
            **moments_of(errors, squares, deviations, i),
            "mean_se": (spreads.mean[i], spreads.error_of_mean(i)),
        }
        row = {
            statistic: Measure(float(value), float(mcse), references.get(statistic))
            for statistic, (value, mcse) in plain.items()
        }
        counts = {"coverage": covered, "size": missed}
        if name in null:
            counts["power"] = powerful
        for statistic, count in counts.items():
            for at, size in enumerate(sizes):
                references = _references(theory.get(name, {}), size)
                found = rates(statistic, int(count[at, i]), ok, replications)
                for key, measure in found.items():
                    row[at_level(key, size, several)] = replace(measure, theory=references.get(key))
        measures[name] = row
    if df:
        mean = Reference(df, exact=False)
        row = {"mean": Measure(float(j.mean[0]), float(j.error_of_mean(0)), mean)}
        for at, size in enumerate(sizes):
            nominal = Reference(size, exact=False)
            for key, measure in rates("size", int(rejected[at]), ok, replications).items():
                row[at_level(key, size, several)] = replace(measure, theory=nominal)
        measures["J"] = row
    known = dict(zip(parameters, truth, strict=True))
    for column in columns:
        if column.kind != "estimates":
            measures |= measures_of(column, records[RECORDED][column.name], known, sizes)
    return Summary(
        replications=replications,
        statuses={member.name: int(statuses[member]) for member in Status},
        measures=measures,
        size=sizes[0],
    )


def _critical(size: float, df_t: float | None) -> float:
    """Of the intervals and p-values that the fit itself gives."""
    if df_t is not None:
        return float(-special.stdtrit(df_t, size / 2))
    return CRITICAL if size == 0.05 else float(-special.ndtri(size / 2))


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
        return [*cells, "", measure.bound]
    limit = "" if measure.theory.exact else "in the limit"
    remark = ", ".join(filter(None, [limit, measure.bound]))
    return [*cells, f"{measure.theory.value:z.{digits}f}", remark]
