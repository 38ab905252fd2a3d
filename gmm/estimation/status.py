"""Why an estimation ended as it did: one code per replication."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Status"]


class Status(IntEnum):
    """How one estimation ended; everything but `OK` leaves NaN in its row.

    Examples
    --------
    >>> import gmm
    >>> gmm.Status(5).name
    'NOT_POSITIVE_DEFINITE'
    >>> gmm.Status.SINGULAR.reason
    'a linear system is singular to working precision'
    """

    OK = 0
    MAX_ITERATIONS = 1
    SINGULAR = 2
    NON_FINITE = 3
    LINE_SEARCH = 4
    NOT_POSITIVE_DEFINITE = 5
    NO_ROOT = 6
    EXCEPTION = 99

    @property
    def reason(self) -> str:
        """One sentence for a reader."""
        return _REASONS[self]


def why_failed(status: npt.NDArray[np.int8]) -> str:
    """The reason of a single sample that failed; many have their statuses."""
    if status.ndim or status == Status.OK:
        return ""
    return f"the estimation failed: {Status(int(status)).reason}"


_REASONS = {
    Status.OK: "converged",
    Status.MAX_ITERATIONS: "not converged within the permitted iterations",
    Status.SINGULAR: "a linear system is singular to working precision",
    Status.NON_FINITE: "the moments of the data are not finite",
    Status.LINE_SEARCH: "no step along the Gauss-Newton direction lowers the objective",
    Status.NOT_POSITIVE_DEFINITE: "the covariance matrix of the moments is not positive definite",
    Status.NO_ROOT: "the search ended where the sample moments are not zero",
    Status.EXCEPTION: "the model raised an exception",
}
