"""What a Monte Carlo study answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm._labels import need_pandas
from gmm._linear import Array
from gmm._status import Status
from gmm._theory import Theory
from gmm.montecarlo.blocks import MEMORY, Records, allocate
from gmm.montecarlo.checkpoint import Checkpoint, CheckpointError
from gmm.montecarlo.summary import Summary, summarize

__all__ = ["MonteCarloResult"]


@dataclass(frozen=True, eq=False)
class MonteCarloResult:
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
    """

    parameters: tuple[str, ...]
    truth: dict[str, float]
    n: int
    seed: int
    df: int
    df_t: float | None
    theory: Theory = field(repr=False)
    records: Records = field(repr=False)
    errors: dict[int, str] = field(default_factory=dict, repr=False)
    blocks_reused: int = 0
    blocks_damaged: int = 0

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
        )

    @property
    def replications(self) -> int:
        """R, the number of samples."""
        return len(self.records)

    @property
    def estimates(self) -> Array:
        """Estimates (R, k); NaN where the estimation failed."""
        result: Array = self.records["estimates"]
        return result

    @property
    def bse(self) -> Array:
        """Standard errors (R, k)."""
        result: Array = self.records["bse"]
        return result

    @property
    def j(self) -> Array:
        """Hansen's J statistics (R,)."""
        result: Array = self.records["j"]
        return result

    @property
    def j_pvalues(self) -> Array:
        """The p-values of J (R,); NaN if there are no more moments than parameters."""
        if not self.df:
            return np.full(len(self.records), np.nan)
        result: Array = special.chdtrc(self.df, self.j)
        return result

    @property
    def iterations(self) -> npt.NDArray[np.int16]:
        """Gauss-Newton steps (R,)."""
        result: npt.NDArray[np.int16] = self.records["iterations"]
        return result

    @property
    def status(self) -> npt.NDArray[np.int8]:
        """A `Status` for each replication (R,)."""
        result: npt.NDArray[np.int8] = self.records["status"]
        return result

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which replications were estimated without failure (R,)."""
        result: npt.NDArray[np.bool_] = self.status == Status.OK
        return result

    def summary(self, *, level: float = 0.05, null: Mapping[str, float] | None = None) -> Summary:
        """Bias, sd, RMSE, mean standard error, coverage, size and power, beside theory.

        Parameters
        ----------
        level : float
            Of the tests, and one minus that of the intervals, which are normal, or Student's with
            `df_t` degrees of freedom if the fit's are.
        null : dict of str to float, optional
            False values of parameters: the power of the t test is its rate of rejecting them.

        Returns
        -------
        Summary
            Every statistic has its Monte Carlo standard error.
        """
        return summarize(
            parameters=self.parameters,
            truth=[self.truth[name] for name in self.parameters],
            records=self.records,
            df=self.df,
            df_t=self.df_t,
            theory=self.theory,
            level=level,
            null=null or {},
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
        }

    def to_frame(self) -> Any:
        """One row a replication, for pandas: estimates, standard errors, J, status."""
        columns: dict[str, Any] = {}
        for i, name in enumerate(self.parameters):
            columns[name] = self.estimates[:, i]
        for i, name in enumerate(self.parameters):
            columns[f"se({name})"] = self.bse[:, i]
        if self.df:
            columns["J"], columns["J p-value"] = self.j, self.j_pvalues
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
        from gmm.montecarlo.plots import draw_study

        return draw_study(self, path, self.parameters if parameters is None else parameters)
