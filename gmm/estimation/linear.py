"""The one place where gmm solves linear systems."""

import numpy as np

import smartsolve
from gmm.data.arrays import Array


def solve_each(a: Array, b: Array) -> Array:
    """Solve a stack of systems; a slice that cannot be solved becomes NaN.

    Nothing is raised or warned here: one bad replication must not stop the others, and its
    status, not a warning, is what reports it.
    """
    with smartsolve.errstate(ill_conditioned="ignore"):
        return smartsolve.solve(a, b, on_singular="nan")


def inverse_each(a: Array) -> Array:
    """The inverse of every matrix of a stack (R, k, k), NaN where there is none."""
    return solve_each(a, np.broadcast_to(np.eye(a.shape[-1]), a.shape))


def quadratic_each(x: Array, a: Array) -> Array:
    """x' a x (R,) of vectors x (R, q) and matrices a (R, q, q)."""
    result: Array = np.einsum("ri,rij,rj->r", x, a, x, optimize=False)
    return result


def root_each(a: Array) -> Array:
    """The lower Cholesky factor of every matrix of a stack (R, q, q), NaN where there is none.

    A column at a time for all matrices together: NumPy's raises for the whole stack.
    """
    rest = a.copy()
    root = np.zeros_like(rest)
    for j in range(a.shape[-1]):
        column = rest[:, j:, j] / np.sqrt(rest[:, j, j, np.newaxis])
        root[:, j:, j] = column
        rest[:, j:, j:] -= column[:, :, np.newaxis] * column[:, np.newaxis, :]
    return root
