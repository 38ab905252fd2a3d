"""Linear models in coordinates in which their columns are orthonormal."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.collinearity import rounding
from gmm.estimation.linear import solve_each
from gmm.estimation.problem import Problem

# The digits lost to products of the columns are those of the smallest pivot: from here on, three.
NEARLY_COLLINEAR = 1e-3


@dataclass(frozen=True)
class Coordinates:
    """The problem in z = Q, x = P, where the columns were Q R and P T with triangular R and T.

    Cross products square the condition of the columns, those of Q and P do not. `z_root` (R or 1,
    q, q) and `x_root` (R or 1, k, k) are R and T over the root of n; u is the same u, so the
    moments are R' times those of Q, and theta is T^-1 times the parameters here.
    """

    problem: Problem
    z_root: Array
    x_root: Array

    def start(self, theta: Array) -> Array:
        """Parameters (R, k) as they are here."""
        return (self.x_root @ theta[..., np.newaxis])[..., 0]

    def weights(self, w: Array) -> Array:
        """Weights (R, q, q) as they are here."""
        return self.z_root @ w @ self.z_root.swapaxes(1, 2)

    def s(self, s: Array) -> Array:
        """A covariance matrix (R, q, q) of the moments as it is here."""
        root = np.broadcast_to(self.z_root.swapaxes(1, 2), s.shape)
        return solve_each(root, solve_each(root, s).swapaxes(1, 2))

    def original_theta(self, theta: Array) -> Array:
        """What are parameters (R, k) there."""
        root = np.broadcast_to(self.x_root, (len(theta), *self.x_root.shape[1:]))
        return solve_each(root, theta[..., np.newaxis])[..., 0]

    def original_covariance(self, v: Array) -> Array:
        """What is their covariance matrix (R, k, k) there."""
        root = np.broadcast_to(self.x_root, v.shape)
        half = solve_each(root, solve_each(root, v).swapaxes(1, 2))
        return (half + half.swapaxes(1, 2)) / 2

    def original_weights(self, w: Array) -> Array:
        """What are weights (R, q, q) there."""
        root = np.broadcast_to(self.z_root, w.shape)
        half = solve_each(root, solve_each(root, w).swapaxes(1, 2))
        return (half + half.swapaxes(1, 2)) / 2


def orthonormal(columns: Array, near: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Columns (R, n, c) and the root (R, c, c): orthonormal where they are `near` to dependence.

    Others stay as they are, as do those that depend on each other to rounding.
    """
    n, c = columns.shape[1:]
    if n < c:
        return columns, np.broadcast_to(np.eye(c), (len(columns), c, c))
    q, r = np.linalg.qr(columns[near])
    regular = (dependence(r) > rounding(n, c)).all(axis=1)
    rows = np.flatnonzero(near)[regular]
    result = np.array(columns)
    root = np.broadcast_to(np.eye(c), (len(columns), c, c)).copy()
    result[rows], root[rows] = q[regular] * np.sqrt(n), r[regular] / np.sqrt(n)
    return result, root


def dependence(r: Array) -> Array:
    """Of triangular factors (R, c, c): what is left of each column off those before it (R, c)."""
    size = np.linalg.norm(r, axis=1)
    left = np.abs(np.diagonal(r, axis1=1, axis2=2))
    rest: Array = np.divide(left, size, out=np.zeros_like(size), where=size > 0)
    return rest
