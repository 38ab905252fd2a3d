"""Samples reduced to their central moments, without holding more than a cache-full of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmm._linear import Array

# Two buffers of this size stay in a second-level cache of 1 MiB with room to spare; measured
# with 64 kB to 512 kB at n = 500, the reduction was fastest here.
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

    Each sample is reduced by itself along contiguous memory, so that neither the size of the
    chunks nor the number of samples can change a bit of the result.
    """
    size = max(1, min(chunk_rows(n), samples))
    buffer, powers = np.empty((size, n)), np.empty((size, n))
    mean = np.empty(samples)
    central = np.zeros((samples, order + 1))
    central[:, 0] = 1.0
    for first in range(0, samples, size):
        rows = slice(first, min(first + size, samples))
        d, power = buffer[: rows.stop - first], powers[: rows.stop - first]
        fill(d, rows)
        np.add.reduce(d, axis=1, out=mean[rows])
        mean[rows] /= n
        d -= mean[rows, np.newaxis]
        np.multiply(d, d, out=power)
        np.add.reduce(power, axis=1, out=central[rows, 2])
        for j in range(3, order + 1):
            power *= d
            np.add.reduce(power, axis=1, out=central[rows, j])
    central[:, 2:] /= n
    return CentralMoments(n, mean, central)
