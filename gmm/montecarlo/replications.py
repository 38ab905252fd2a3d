"""The replications of a study, and their statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import Array
from gmm.estimation.status import Status
from gmm.models.theory import Theory
from gmm.montecarlo.blocks import Records
from gmm.montecarlo.summary import Summary, summarize


@dataclass(frozen=True, eq=False)
class Replications:
    """The data of a `MonteCarloResult`: what summaries and pictures see of it."""

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

    def summary(self, *, level: float = 0.95, null: Mapping[str, float] | None = None) -> Summary:
        """Bias, sd, RMSE, mean standard error, coverage, size and power, beside theory.

        Parameters
        ----------
        level : float
            Nominal coverage of the intervals, as in `GMMResult.conf_int`, and one minus the size
            of the tests. Both are normal, or Student's with `df_t` degrees of freedom if the
            fit's are.
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
