"""What an estimation answers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmm._linear import Array
from gmm._status import Status

__all__ = ["GMMResult"]


@dataclass(frozen=True)
class GMMResult:
    """Estimates of one sample, or of many with leading axes.

    Attributes
    ----------
    parameters : tuple of str
        Names of the k parameters.
    n : int
        Observations in each sample.
    params : (..., k) ndarray
        Estimates; NaN where the estimation failed.
    cov : (..., k, k) ndarray
        Estimated covariance matrices of the estimates.
    j : (...) ndarray
        Hansen's J statistics, n times the minimized objective; zero if exactly identified.
    status : (...) ndarray of int8
        A `Status` for each sample.
    iterations : (...) ndarray of int16
        Gauss-Newton steps taken; zero where the estimate has a closed form.
    """

    parameters: tuple[str, ...]
    n: int
    params: Array
    cov: Array
    j: Array
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]

    @property
    def bse(self) -> Array:
        """Standard errors (..., k)."""
        result: Array = np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))
        return result

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which samples were estimated without failure."""
        result: npt.NDArray[np.bool_] = self.status == Status.OK
        return result
