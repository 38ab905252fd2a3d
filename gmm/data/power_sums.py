"""Samples reduced to their central moments, without holding more than a cache-full of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmm import _core
from gmm.data.arrays import Array

# Samples that are drawn before they are reduced: they stay in any second-level cache, and the calls
# cost nothing beside their work. With 64 kB to 512 kB at n = 500 the time is the same.
_CHUNK_BYTES = 256 * 1024

Fill = Callable[[Array, slice], None]


@dataclass(frozen=True)
class CentralMoments:
    """Means and central moments of R samples of n observations: all that polynomial moments need.

    `mean` is (R,); `central` is (R, order + 1) with central[r, j] the mean of (x - mean)**j.
    """

    n: int
    mean: Array
    central: Array


def chunk_rows(n: int) -> int:
    """How many samples of n observations are reduced at a time."""
    return max(1, _CHUNK_BYTES // (8 * n))


def central_moments(fill: Fill, samples: int, n: int, order: int) -> CentralMoments:
    """Reduce `samples` samples; `fill(buffer, rows)` writes the samples of these rows.

    The order is 4, 6 or 8. Each sample is reduced by itself, so that neither the size of the chunks
    nor the number of samples can change a bit of the result.
    """
    size = max(1, min(chunk_rows(n), samples))
    buffer = np.empty((size, n))
    mean, central = np.empty(samples), np.empty((samples, order + 1))
    for first in range(0, samples, size):
        rows = slice(first, min(first + size, samples))
        x = buffer[: rows.stop - first]
        fill(x, rows)
        _core.central_moments(x, mean[rows], central[rows])
    return CentralMoments(n, mean, central)
