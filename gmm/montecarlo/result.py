"""What a Monte Carlo study answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from gmm.data.labels import need_pandas
from gmm.inference.summary import Summary as Table
from gmm.models.theory import in_the_limit
from gmm.montecarlo.blocks import MEMORY, RECORDED, allocate
from gmm.montecarlo.checkpoint import Checkpoint, CheckpointError, columns_of
from gmm.montecarlo.plots import draw_study
from gmm.montecarlo.replications import Replications
from gmm.montecarlo.summary import Level, side_by_side

__all__ = ["MonteCarloResult"]


class MonteCarloResult(Replications):
    """Estimates of all replications, in order; the arrays are read-only.

    Attributes
    ----------
    parameters : tuple of str
        Names of the k parameters.
    truth : dict
        Their true values.
    n, seed : int
        The experiment, as asked for.
    df : int
        Degrees of freedom of J: moments beyond the parameters.
    df_t : float or None
        Of the parameters' t statistics and intervals, if the fit makes a small-sample correction.
    errors : dict of int to str
        What the model raised, by replication; of many, the first thousand that arrived.
    blocks_reused, blocks_damaged : int
        Blocks read from the checkpoint, and blocks found damaged there and computed again.
    label : str
        The name of the study's own estimator, if it has several.
    """

    @property
    def estimators(self) -> dict[str, "MonteCarloResult"]:
        """The result of each estimator, the study's own first; all saw the same samples."""
        found = {self.label: self}
        for column in self.columns:
            if column.kind == "estimates":
                found[column.name] = replace(
                    self,
                    records=self.records[RECORDED][column.name],
                    df=column.df,
                    df_t=column.df_t,
                    theory=in_the_limit(self.truth, self.n),
                    columns=(),
                    label=column.name,
                )
        return found

    def compare(
        self,
        *statistics: str,
        level: Level = 0.95,
        null: Mapping[str, float] | None = None,
    ) -> Table:
        """The estimators side by side, on the same samples: text, HTML, `to_latex()`.

        Parameters
        ----------
        *statistics : str
            "bias", "sd", "rmse", "mean_se", "coverage", "power" and "size" (of J); by default
            all that there are.
        level, null
            As in `summary`.

        Returns
        -------
        Summary
            A row for each parameter and statistic, a column for each estimator; Monte Carlo
            standard errors in parentheses. Those of differences are smaller, as the samples are
            the same: `measure` gives them.
        """
        return side_by_side(
            {name: one.summary(level=level, null=null) for name, one in self.estimators.items()},
            statistics,
        )

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """The replications of all finished blocks in a checkpoint, without its study.

        Blocks are independent samples, so those of an unfinished run are as good as any; where
        some are missing, replications stand closer together than they will in the end.

        Parameters
        ----------
        directory : path
            That of `MonteCarlo.run`.

        Returns
        -------
        MonteCarloResult

        Raises
        ------
        CheckpointError
            If there is no checkpoint, or none with a finished block.
        """
        checkpoint, theory = Checkpoint.open(directory)
        identity = checkpoint.identity
        numbers, size = checkpoint.blocks(), identity["block"]
        records = allocate(len(numbers) * size, checkpoint.record_type, MEMORY // 2)
        errors: dict[int, str] = {}
        rows = 0
        for index in numbers:
            block = checkpoint.read(index)
            if block is not None:
                records[rows : rows + size] = block.records
                errors.update({rows + row: text for row, text in block.errors.items()})
                rows += size
        if not rows:
            raise CheckpointError(f"checkpoint {directory} has no finished block yet")
        records = records[:rows]
        records.flags.writeable = False
        return cls(
            parameters=tuple(identity["parameters"]),
            truth=identity["truth"],
            n=identity["n"],
            seed=identity["seed"],
            df=identity["df"],
            df_t=identity.get("df_t"),
            theory=theory,
            records=records,
            errors=errors,
            blocks_reused=rows // size,
            blocks_damaged=len(checkpoint.damaged),
            columns=columns_of(identity),
            label=identity.get("label", cls.label),
        )

    def to_dict(self) -> dict[str, Any]:
        """The experiment and its summary, as JSON values."""
        return {
            "replications": self.replications,
            "n": self.n,
            "seed": self.seed,
            "df": self.df,
            "truth": self.truth,
            "blocks_reused": self.blocks_reused,
            "blocks_damaged": self.blocks_damaged,
            **self.summary().to_dict(),
            **self._others(),
        }

    def __str__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def _others(self) -> dict[str, Any]:
        """The other estimators, as JSON values."""
        others = list(self.estimators.items())[1:]
        summaries = {name: {"df": one.df, **one.summary().to_dict()} for name, one in others}
        return {"estimator": self.label, "other_estimators": summaries} if others else {}

    def to_frame(self) -> Any:
        """One row a replication, for pandas: all `values`, and how the estimation ended."""
        columns: dict[str, Any] = dict(self.values())
        columns["iterations"], columns["status"] = self.iterations, self.status
        frame = need_pandas("a result as a data frame").DataFrame(columns)
        return frame.rename_axis("replication")

    def plot(
        self, path: str | Path | None = None, *, parameters: Sequence[str] | None = None
    ) -> Any:
        """Draw densities against the normal limit, QQ, p-values of J, and coverage.

        Parameters
        ----------
        path : path, optional
            A file to write; the format follows from its suffix: ``.png``, ``.pdf``, ``.svg``, ...

        parameters : sequence of str, optional
            Which to draw, if not all.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it.

        Raises
        ------
        ImportError
            Without matplotlib: ``pip install "smartsolve[plot]"``.
        """
        return draw_study(self, path, self.parameters if parameters is None else parameters)
