"""The one place where gmm solves linear systems."""

import numpy as np
import numpy.typing as npt

import smartsolve

Array = npt.NDArray[np.float64]


def solve_each(a: Array, b: Array) -> Array:
    """Solve a stack of systems; a slice that cannot be solved becomes NaN.

    Nothing is raised or warned here: one bad replication must not stop the others, and its
    status, not a warning, is what reports it.
    """
    with smartsolve.errstate(ill_conditioned="ignore"):
        return smartsolve.solve(a, b, on_singular="nan")
