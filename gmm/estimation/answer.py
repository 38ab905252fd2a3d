"""What an estimation leaves: plain data, of which results are made."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.estimators import Weighting
from gmm.estimation.problem import Problem, Search
from gmm.estimation.weights import weights_or_nan


@dataclass(frozen=True)
class Fit:
    """What further tests need: the problem, and theta (R, k) and W (R, q, q) of its last step.

    `why_not` tells why W does not estimate S^-1, if it does not; `kind`, `center` and `factor`
    are of the covariance matrix of the estimates. `last_weights` are None where the estimates do
    not depend on W, but restrictions of them would.
    """

    problem: Problem
    theta: Array
    last_weights: Array | None
    weighting: Weighting | None
    search: Search
    status: npt.NDArray[np.int8]
    why_not: str
    kind: Any = None
    center: bool = False
    factor: float = 1.0

    @cached_property
    def weights(self) -> Array:
        """W (R, q, q), NaN where there is none."""
        if self.last_weights is not None:
            return self.last_weights
        assert self.weighting is not None
        with np.errstate(all="ignore"):
            return weights_or_nan(self.weighting.covariance(self.problem, self.theta))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Estimates (..., k) and all that was found with them, with the leading axes of the data.

    `j` (...) is n g'Wg with `j_df` moments beyond the parameters, and `j_reason` tells why it is
    not chi-squared, if it is not. `reason` tells of a single sample why it failed.
    """

    parameters: tuple[str, ...]
    n: int
    estimates: Array
    covariance: Array
    j: Array
    j_df: int
    j_reason: str
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]
    df: float | None
    labelled: bool
    options: dict[str, str]
    moment_names: tuple[str, ...]
    model: Any
    fit: Fit
    reason: str = ""
