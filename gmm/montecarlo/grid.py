"""Monte Carlo studies over a grid: sample sizes, parameters, whatever a study depends on."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gmm.data.labels import need_pandas
from gmm.inference.summary import Summary as Table
from gmm.montecarlo.identity import describe
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo
from gmm.montecarlo.summary import (
    Level,
    Summary,
    cell,
    check_statistics,
    sizes_of_tests,
    title,
    wanted,
)

__all__ = ["GridResult", "MonteCarloGrid"]

_SHOWN = (
    *("bias", "sd", "rmse", "mean_se", "coverage", "power", "mean", "size"),
    *("rejection", "rate", "unbounded", "empty", "median_length"),
)
_WITHOUT_J = tuple(name for name in _SHOWN if name not in ("mean", "size"))


class MonteCarloGrid:
    """A Monte Carlo study at every point of a grid, and one table of them all.

    Parameters
    ----------
    make : callable
        ``make(**point)`` answers with the `MonteCarlo` of a point.
    **axes : sequence
        Names and values of what varies: the grid is their product, the last one fastest.

    Notes
    -----
    Every point draws from streams of its own. They belong to the point itself and not to its
    place, so a grid that grows keeps the results, and the checkpoints, of its old points.

    Examples
    --------
    >>> import gmm
    >>> def make(n, df):
    ...     def sampler(rng, size):
    ...         return rng.standard_t(df, size)
    ...     truth = {"mu": 0.0, "sigma": (df / (df - 2)) ** 0.5}
    ...     return gmm.MonteCarlo(gmm.GaussianMeanSD, sampler, truth=truth, n=n)
    >>> grid = gmm.MonteCarloGrid(make, n=[50, 200], df=[5, 30])
    >>> print(grid.run(1000, seed=3).table("bias", "coverage"))
    Monte Carlo, 1,000 replications, Monte Carlo standard errors in parentheses
    --------------------------------------------------------------
                                     bias         coverage  failed
    --------------------------------------------------------------
    n=50, df=5: mu       -0.0016 (0.0059)  0.9350 (0.0078)       0
    n=50, df=5: sigma    -0.0258 (0.0065)    0.854 (0.011)       0
    n=50, df=30: mu      -0.0008 (0.0046)  0.9460 (0.0071)       0
    n=50, df=30: sigma   -0.0127 (0.0036)  0.9080 (0.0091)       0
    n=200, df=5: mu      -0.0005 (0.0029)  0.9410 (0.0075)       0
    n=200, df=5: sigma   -0.0160 (0.0035)  0.8940 (0.0097)       0
    n=200, df=30: mu      0.0024 (0.0023)  0.9490 (0.0070)       0
    n=200, df=30: sigma  -0.0056 (0.0017)  0.9370 (0.0077)       0
    --------------------------------------------------------------
    """

    def __init__(self, make: Callable[..., MonteCarlo], **axes: Sequence[Any]) -> None:
        if not axes:
            raise ValueError("a grid needs axes: MonteCarloGrid(make, n=[100, 400], ...)")
        self.axes = {name: list(values) for name, values in axes.items()}
        for name, values in self.axes.items():
            if not values:
                raise ValueError(f"the axis {name} has no values")
        self.make = make

    @property
    def points(self) -> list[dict[str, Any]]:
        """The points of the grid, in the order of the table."""
        product = itertools.product(*self.axes.values())
        return [dict(zip(self.axes, values, strict=True)) for values in product]

    def studies(self) -> Iterator[tuple[str, MonteCarlo]]:
        """Label and study of every point; labels name the checkpoint's directories."""
        labels = [_label(point) for point in self.points]
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ValueError(f"the grid has the point {twice} twice")
        for label, point in zip(labels, self.points, strict=True):
            study = self.make(**point)
            if not isinstance(study, MonteCarlo):
                raise TypeError(f"make answers with {study!r}; it must be a MonteCarlo")
            yield label, replace(study, design=_design(point))

    def run(
        self,
        replications: int,
        *,
        seed: int,
        checkpoint: str | Path | None = None,
        **options: Any,
    ) -> "GridResult":
        """Run every point's study.

        Parameters
        ----------
        replications, seed
            As in `MonteCarlo.run`, for each point.
        checkpoint : path, optional
            A directory with one directory a point.
        **options
            `executor`, `workers`, `progress` and `memory` of `MonteCarlo.run`.

        Returns
        -------
        GridResult
        """
        studies = list(self.studies())
        if checkpoint is not None:  # a foreign one is refused before anything runs
            for label, study in studies:
                study.claim(Path(checkpoint) / label, seed=seed)
        results = {}
        for label, study in studies:
            directory = None if checkpoint is None else Path(checkpoint) / label
            results[label] = study.run(replications, seed=seed, checkpoint=directory, **options)
        return GridResult(self.points, results)

    def run_blocks(
        self, blocks: range, *, seed: int, checkpoint: str | Path, **options: Any
    ) -> int:
        """Compute some blocks of every point into a checkpoint; as `MonteCarlo.run_blocks`."""
        return sum(
            study.run_blocks(blocks, seed=seed, checkpoint=Path(checkpoint) / label, **options)
            for label, study in self.studies()
        )


@dataclass(frozen=True)
class GridResult:
    """The results of a grid.

    Attributes
    ----------
    points : list of dict
        The points, in the order of the grid.
    results : dict of str to MonteCarloResult
        By label, such as ``"n=100,rho=0.5"``, in the same order.
    """

    points: list[dict[str, Any]]
    results: Mapping[str, MonteCarloResult] = field(repr=False)

    def __getitem__(self, label: str) -> MonteCarloResult:
        return self.results[label]

    def table(
        self,
        *statistics: str,
        level: Level = 0.95,
        null: Mapping[str, float] | None = None,
    ) -> Table:
        """One table for all points: prints as text, shows as HTML, `to_latex()`.

        Parameters
        ----------
        *statistics : str
            "bias", "sd", "rmse", "mean_se", "coverage", "power", "mean" and "size" (of J), and
            "rejection", "rate", "unbounded", "empty" and "median_length" of what is recorded;
            by default all that there are.
        level, null
            As in `MonteCarloResult.summary`.

        Returns
        -------
        Summary
            A row for each point and parameter; Monte Carlo standard errors in parentheses.
        """
        summaries: dict[str, Summary] = {}
        for label, result in self.results.items():
            head = label.replace(",", ", ")
            estimators = result.estimators
            for name, one in estimators.items():
                first = f"{head}, {name}" if len(estimators) > 1 else head
                summaries[first] = one.summary(level=level, null=null)
        everything = [row for s in summaries.values() for row in s.measures.values()]
        found = list(dict.fromkeys(name for row in everything for name in row))
        check_statistics(statistics, found)
        usual = _SHOWN if any("J" in s.measures for s in summaries.values()) else _WITHOUT_J
        asked = statistics or usual
        chosen = sorted(
            (name for name in found if wanted(name, asked)),
            key=lambda name: asked.index(name if name in asked else name.partition(" at ")[0]),
        )
        # One minus the coverage beside it would say nothing new.
        covered = any(name.startswith("coverage") for name in chosen)
        rows = []
        for label, summary in summaries.items():
            for name, row in summary.measures.items():
                repeats = covered and any(key.startswith("coverage") for key in row)
                cells = [
                    "" if repeats and s.startswith("size") else cell(row.get(s)) for s in chosen
                ]
                if any(cells):
                    missing = max(measure.missing for measure in row.values())
                    failed = missing or summary.replications - summary.converged
                    rows.append((f"{label}: {name}", [*cells, f"{failed:,}"]))
        columns = [title(statistic, sizes_of_tests(level)[0]) for statistic in chosen]
        counts = {result.replications for result in self.results.values()}
        heading = (
            f"Monte Carlo, {' or '.join(f'{count:,}' for count in sorted(counts))} replications, "
            "Monte Carlo standard errors in parentheses"
        )
        return Table(heading, [], [*columns, "failed"], rows, [])

    def summary(self) -> Table:
        """`table` with every statistic."""
        return self.table()

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def to_frame(self, *, level: Level = 0.95, null: Mapping[str, float] | None = None) -> Any:
        """A data frame: a row for each point, parameter and statistic; needs pandas."""
        pandas = need_pandas("a grid as a data frame")
        frames = []
        for point, result in zip(self.points, self.results.values(), strict=True):
            frame = result.summary(level=level, null=null).to_frame().reset_index()
            for i, (name, value) in enumerate(point.items()):
                frame.insert(i, name, [value] * len(frame))
            frames.append(frame)
        index = [*self.points[0], "parameter", "statistic"]
        return pandas.concat(frames, ignore_index=True).set_index(index)


def _label(point: Mapping[str, Any]) -> str:
    """A name for a point that is a name for a directory, too."""
    text = ",".join(f"{name}={value}" for name, value in point.items())
    plain = "".join(c if c.isalnum() or c in "=,.+-_" else "-" for c in text)
    return plain if plain == text and len(plain) < 100 else f"{plain[:80]}-{_design(point):016x}"


def _design(point: Mapping[str, Any]) -> int:
    """A number that belongs to the point: 64 bits, so that two points share none by accident."""
    text = json.dumps(describe(dict(point)), sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
