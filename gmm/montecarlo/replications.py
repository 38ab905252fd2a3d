"""The replications of a study, and their statistics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import Array
from gmm.estimation.status import Status
from gmm.models.theory import Theory
from gmm.montecarlo.blocks import RECORDED, Records
from gmm.montecarlo.columns import Column, entry
from gmm.montecarlo.measures import Measure, bootstrapped
from gmm.montecarlo.summary import Level, Summary, summarize


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
    columns: tuple[Column, ...] = ()
    label: str = "model"

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

    @property
    def recorded(self) -> dict[str, Any]:
        """What the study records besides, by name.

        The p-values (R,) of a test; the `ConfidenceSet` of R samples; numbers (R, ...), where
        truth values are 0 and 1. What is missing is NaN. Other estimators are in `estimators`.
        """
        found: dict[str, Any] = {}
        for column in self.columns:
            values = self.records[RECORDED][column.name]
            if column.kind == "set":
                found[column.name] = column.confidence_set(values)
            elif column.kind != "estimates":
                found[column.name] = values
        return found

    def values(self) -> dict[str, Array]:
        """Everything that is one number a replication (R,), by name.

        Estimates by their parameters' names, standard errors as ``"se(beta)"``, ``"J"`` and
        ``"J p-value"``; of another estimator after its name and a colon, such as
        ``"LIML: beta"``; what the study records, a set as ``"name: covers"`` and
        ``"name: length"``.
        """
        found = _of_estimates("", self.parameters, self.records, self.df)
        for column in self.columns:
            values = self.records[RECORDED][column.name]
            if column.kind == "estimates":
                head = f"{column.name}: "
                found |= _of_estimates(head, self.parameters, values, column.df)
            elif column.kind == "set":
                sets = column.confidence_set(values)
                if column.parameter:
                    covers = sets.contains(self.truth[column.parameter]).astype(np.float64)
                    covers[values["missing"]] = np.nan
                    found[f"{column.name}: covers"] = covers
                found[f"{column.name}: length"] = sets.length
            else:
                found |= {name: entry(values, place) for name, place in column.entries()}
        return found

    def measure(self, function: Callable[..., Any], *names: str, draws: int = 200) -> Measure:
        """Any summary of what was estimated or recorded, with its Monte Carlo standard error.

        Parameters
        ----------
        function : callable
            Of arrays (R,), one for each name; answers with a number.
        *names : str
            Of `values`: those of the same replication stand at the same place.
        draws : int
            How often the replications are drawn again, with replacement, for the standard error.

        Returns
        -------
        Measure
            Over the replications that have a value under every name; its `missing` says how many
            have not.

        Examples
        --------
        The longest tenth of the intervals is longer than:

        >>> import numpy as np
        >>> import gmm
        >>> out = gmm.GMMGaussianMC(2000, n=100)
        >>> long = out.measure(lambda se: np.quantile(3.92 * se, 0.9), "se(mu)")
        >>> f"{long.value:.4f} ({long.mcse:.4f})"
        '0.4257 (0.0012)'
        """
        there = self.values()
        if unknown := [name for name in names if name not in there]:
            raise ValueError(f"there is no {unknown[0]!r}; there are {', '.join(there)}")
        if not names:
            raise ValueError(f"of what? There are {', '.join(there)}")
        columns = [there[name] for name in names]
        whole = ~np.any([np.isnan(column) for column in columns], axis=0)
        value, mcse = bootstrapped(function, [column[whole] for column in columns], draws)
        return Measure(value, mcse, missing=int(np.count_nonzero(~whole)))

    def summary(self, *, level: Level = 0.95, null: Mapping[str, float] | None = None) -> Summary:
        """Bias, sd, RMSE, mean standard error, coverage, size and power, beside theory.

        What the study records follows: how often a test rejects, the rate of what is true, mean
        and sd of numbers, coverage, unboundedness and median length of confidence sets.

        Parameters
        ----------
        level : float or sequence of float
            Nominal coverage of the intervals, as in `GMMResult.conf_int`, and one minus the size
            of the tests; several levels stand in one table. Intervals and tests are normal, or
            Student's with `df_t` degrees of freedom if the fit's are.
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
            columns=self.columns,
        )


def _of_estimates(
    head: str, parameters: tuple[str, ...], records: Records, df: int
) -> dict[str, Array]:
    """Estimates, standard errors and J of one estimator, by name."""
    found = {head + name: records["estimates"][:, i] for i, name in enumerate(parameters)}
    found |= {f"{head}se({name})": records["bse"][:, i] for i, name in enumerate(parameters)}
    if df:
        found |= {
            f"{head}J": records["j"],
            f"{head}J p-value": special.chdtrc(df, records["j"]),
        }
    return found
