"""What a Monte Carlo experiment answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm._linear import Array
from gmm._status import Status
from gmm._theory import Theory
from gmm.montecarlo.blocks import Records
from gmm.montecarlo.summary import Summary, summarize

__all__ = ["MonteCarloResult"]


@dataclass(frozen=True)
class MonteCarloResult:
    """Estimates of all replications, in order; the arrays are read-only.

    Attributes
    ----------
    parameters : tuple of str
        Names of the k parameters.
    truth : dict
        Their true values.
    n, seed, moments, form
        The experiment, as asked for.
    blocks_reused, blocks_damaged : int
        Blocks read from the checkpoint, and blocks found damaged there and computed again.
    """

    parameters: tuple[str, ...]
    truth: dict[str, float]
    n: int
    seed: int
    moments: int
    form: str
    theory: Theory = field(repr=False)
    records: Records = field(repr=False)
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

    def summary(self) -> Summary:
        """Bias, sd, RMSE, coverage and size, with Monte Carlo standard errors and theory."""
        return summarize(
            parameters=self.parameters,
            truth=[self.truth[name] for name in self.parameters],
            estimates=self.estimates,
            bse=self.bse,
            j=self.j,
            status=self.status,
            overidentified=self.moments - len(self.parameters),
            theory=self.theory,
        )

    def to_dict(self) -> dict[str, Any]:
        """The experiment and its summary, as JSON values."""
        return {
            "replications": self.replications,
            "n": self.n,
            "seed": self.seed,
            "moments": self.moments,
            "form": self.form,
            "truth": self.truth,
            "blocks_reused": self.blocks_reused,
            "blocks_damaged": self.blocks_damaged,
            **self.summary().to_dict(),
        }

    def plot(self, path: str | Path) -> None:
        """Draw sampling densities and coverage to a file; needs matplotlib.

        Parameters
        ----------
        path : path
            The format follows from its suffix: ``.png``, ``.pdf``, ``.svg``, ...
        """
        from gmm.montecarlo.plots import draw

        draw([("", self)], path)
