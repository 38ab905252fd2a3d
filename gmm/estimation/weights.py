"""Weighting matrices from covariance matrices of moments."""

import numpy as np
import numpy.typing as npt

from gmm import _core
from gmm.data.arrays import Array
from gmm.estimation.linear import solve_each
from gmm.estimation.status import Status

# Moments up to which the native core inverts: its loops are for few.
_FEW = 12


def efficient_weights(s: Array) -> tuple[Array, npt.NDArray[np.int8]]:
    """The inverse of every S (R, q, q), and the status of every inversion.

    S is scaled to unit diagonal first: moments of different orders differ by powers of the
    data's scale, which says nothing about whether S can be inverted.
    """
    q = s.shape[-1]
    weights, pivot = _few_inverses(s) if q <= _FEW else _many_inverses(s)
    status = np.full(len(s), Status.OK, np.int8)
    # A pivot is 1 - R^2 of one moment on those before it: below this it is rounding error.
    rounding = 8 * q * np.finfo(np.float64).eps
    status[~np.isfinite(weights).all(axis=(1, 2)) | (pivot <= rounding)] = Status.SINGULAR
    status[pivot < -rounding] = Status.NOT_POSITIVE_DEFINITE
    status[(np.diagonal(s, axis1=1, axis2=2) < 0).any(axis=1)] = Status.NOT_POSITIVE_DEFINITE
    status[~np.isfinite(s).all(axis=(1, 2))] = Status.NON_FINITE
    return weights, status


def _few_inverses(s: Array) -> tuple[Array, Array]:
    """By the native core: no matrix is as much work as a call."""
    weights, pivot = np.empty(s.shape), np.empty(len(s))
    _core.inverses(np.ascontiguousarray(s), weights, pivot)
    return weights, pivot


def _many_inverses(s: Array) -> tuple[Array, Array]:
    scale = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
    outer = scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    correlation = s / outer
    weights = solve_each(correlation, np.broadcast_to(np.eye(s.shape[-1]), s.shape)) / outer
    return (weights + weights.swapaxes(1, 2)) / 2, _smallest_pivot(correlation)


def weights_or_nan(s: Array) -> Array:
    """The inverse of every S (R, q, q), NaN where it is none."""
    weights, status = efficient_weights(s)
    weights[status != Status.OK] = np.nan
    return weights


def smallest_pivot(a: Array) -> Array:
    """That of each symmetric A (R, k, k) scaled to unit diagonal; NaN if that cannot be done."""
    scale = np.sqrt(np.diagonal(a, axis1=1, axis2=2))
    return _smallest_pivot(a / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :]))


def _smallest_pivot(c: Array) -> Array:
    """The smallest pivot of each C = L D L', positive if and only if C is positive definite."""
    c = c.transpose(1, 2, 0).copy()  # the matrices last: they are many
    smallest: Array = c[0, 0].copy()
    for j in range(1, len(c)):
        column = c[j:, j - 1]
        c[j:, j:] -= column[:, np.newaxis] * column / c[j - 1, j - 1]
        np.minimum(smallest, c[j, j], out=smallest)
    return smallest
