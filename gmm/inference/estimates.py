"""Estimates, and what follows from them and their covariance matrix alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import Array
from gmm.data.labelled import Labelled, PerSample
from gmm.data.labels import need_pandas
from gmm.estimation.answer import Fit
from gmm.estimation.status import Status
from gmm.inference.hypotheses import HypothesisTest


def check_level(level: Any) -> None:
    """Raise what says that a level is one number between 0 and 1."""
    if not isinstance(level, int | float | np.integer | np.floating):
        raise TypeError(f"level is {level!r}; it must be one number between 0 and 1")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """The data of a `GMMResult`: what tests and tables see of it."""

    parameters: tuple[str, ...]
    n: int
    estimates: Array = field(repr=False)
    covariance: Array = field(repr=False)
    j_test: HypothesisTest
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]
    df: float | None = None
    labelled: bool = field(default=False, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)
    moment_names: tuple[str, ...] = field(default=(), repr=False)
    model: Any = field(default=None, repr=False)
    fit: Fit | None = field(default=None, repr=False)
    reason: str = field(default="", repr=False)

    @property
    def params(self) -> Labelled:
        """Estimates (..., k)."""
        return self._labelled(self.estimates)

    @property
    def cov(self) -> Labelled:
        """Covariance matrices of the estimates (..., k, k)."""
        return self._labelled(self.covariance)

    @property
    def bse(self) -> Labelled:
        """Standard errors (..., k)."""
        return self._labelled(self._errors)

    @property
    def tvalues(self) -> Labelled:
        """Estimates over standard errors (..., k)."""
        return self._labelled(self._ratios)

    @property
    def pvalues(self) -> Labelled:
        """Two-sided probabilities (..., k) of larger ratios if the parameter is zero."""
        tail = -np.abs(self._ratios)
        p = special.ndtr(tail) if self.df is None else special.stdtr(self.df, tail)
        return self._labelled(2 * p)

    @property
    def j(self) -> PerSample:
        """Hansen's J statistics (...)."""
        return self.j_test.statistic

    @property
    def nobs(self) -> int:
        """The number of observations, as other packages call `n`."""
        return self.n

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which samples were estimated without failure."""
        result: npt.NDArray[np.bool_] = self.status == Status.OK
        return result

    def conf_int(self, level: float = 0.95) -> Labelled:
        """Confidence intervals.

        Parameters
        ----------
        level : float
            Nominal coverage, between 0 and 1.

        Returns
        -------
        (..., k, 2) ndarray or DataFrame
            Lower and upper ends.
        """
        check_level(level)
        tail = (1 + level) / 2
        width = special.ndtri(tail) if self.df is None else special.stdtrit(self.df, tail)
        half = width * self._errors
        ends = np.stack([self.estimates - half, self.estimates + half], axis=-1)
        return self._labelled(ends, columns=("lower", "upper"))

    @property
    def _errors(self) -> Array:
        result: Array = np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))
        return result

    @property
    def _ratios(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.estimates / self._errors

    def _labelled(self, values: Array, columns: Sequence[str] | None = None) -> Labelled:
        """With pandas labels if the data had them."""
        if not self.labelled or self.status.ndim:
            return cast(Labelled, values)
        pandas = need_pandas("a labelled result")
        index = list(self.parameters)
        labelled: Labelled = (
            pandas.Series(values, index=index)
            if values.ndim == 1
            else pandas.DataFrame(values, index=index, columns=columns or index)
        )
        return labelled
