"""Derivatives of mean moments: by a complex step, or by central differences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gmm.data.arrays import Array

# Of real parameters, and for the complex step of complex ones.
Mean = Callable[[Any], Any]

# The truncation error is of order step**2, the rounding error eps / step.
_STEP = np.finfo(np.float64).eps ** (1 / 3)
# Squared, it vanishes beside any double: the derivative is as accurate as the function.
_TINY = 1e-100


def complex_step(mean: Mean, theta: Array) -> Array:
    """Im mean(theta + ih) / h (R, q, k); Squire and Trapp 1998, SIAM Review 40, 110-112."""
    columns = []
    for j in range(theta.shape[1]):
        moved = theta.astype(np.complex128)
        moved[:, j] += 1j * _TINY
        columns.append(mean(moved).imag / _TINY)
    return np.stack(columns, axis=-1)


def central_differences(mean: Mean, theta: Array, size: Array | float = 1.0) -> Array:
    """(mean(theta + h) - mean(theta - h)) / 2h (R, q, k), with about ten correct digits.

    `size` (k,) is what counts as a small change of a parameter that is near to zero.
    """
    size = np.broadcast_to(size, theta.shape[1:])
    columns = []
    for j in range(theta.shape[1]):
        step = _STEP * np.maximum(np.abs(theta[:, j]), size[j])
        above, below = theta.copy(), theta.copy()
        above[:, j] += step
        below[:, j] -= step
        width = above[:, j] - below[:, j]
        columns.append((mean(above) - mean(below)).real / width[:, np.newaxis])
    return np.stack(columns, axis=-1)


def complex_step_works(mean: Mean, theta: Array, size: Array | float = 1.0) -> bool:
    """Whether the moments take complex parameters and are analytic: no abs, no comparison.

    A function that is not gives wrong derivatives and no error, so the two ways are compared.
    """
    try:
        by_step = complex_step(mean, theta)
    except Exception:  # of whatever kind: with real parameters the function has worked before
        return False
    by_differences = central_differences(mean, theta, size)
    column = np.abs(by_differences).max(axis=1, keepdims=True, initial=0.0)
    rounding = np.abs(mean(theta)).max(axis=1, initial=0.0)[:, np.newaxis, np.newaxis]
    finite = np.isfinite(by_step + by_differences).all(axis=(1, 2))
    agree = np.abs(by_step - by_differences) <= 1e-5 * column + 1e-8 * rounding
    return bool(finite.any() and agree[finite].all())
