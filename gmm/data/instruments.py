"""Groups of columns, regressors and instruments, that need not lie side by side.

Each array (R or 1, n, .) has a leading axis of R, or of 1 if all samples share it.
"""

import numpy as np

from gmm import _core
from gmm.data.arrays import Array, Rows

Columns = tuple[Array, ...]

# The native core copies a sample's columns to the cache, and knows no blocks of columns: it is
# for few of them that stay there. Else a call of a BLAS is faster.
_FEW, _CACHE_BYTES = 16, 2**18


def are_few(*groups: Columns) -> bool:
    """Whether the native core is to compute with all these columns."""
    width = sum(a.shape[-1] for group in groups for a in group)
    n = groups[0][0].shape[-2]
    return bool(width <= _FEW and 8 * n * width <= _CACHE_BYTES)


def cross_products(columns: Columns) -> Array:
    """A'A (R or 1, p, p) of all columns side by side."""
    width, samples = sum(a.shape[-1] for a in columns), max(map(len, columns))
    if are_few(columns):
        result = np.empty((samples, width, width))
        _core.cross_products(columns, result)
        return result
    return products(columns, columns)


def some(a: Array, index: Rows | slice) -> Array:
    """Those of some samples, of an array that all may share."""
    return a if len(a) == 1 else a[index]


def products(left: Columns, right: Columns) -> Array:
    """Left' right (R or 1, ., .) of all columns."""
    rows = [[a.swapaxes(1, 2) @ b for b in right] for a in left]
    samples = max(len(product) for row in rows for product in row)
    return np.concatenate([_joined(row, samples, -1) for row in rows], axis=1)


def fitted(x: Columns, theta: Array, index: Rows | slice) -> Array:
    """x'theta (r, n)."""
    result, last = np.zeros(()), 0
    for block in x:
        first, last = last, last + block.shape[-1]
        if last - first == 1:
            part = some(block, index)[..., 0] * theta[:, first:last]
        else:
            part = (some(block, index) @ theta[:, first:last, np.newaxis])[..., 0]
        result = part if first == 0 else result + part
    return result


def joined(x: Columns, index: Rows | slice, samples: int) -> Array:
    """All columns (r, n, .) of some samples side by side."""
    return _joined([some(block, index) for block in x], samples, -1)


def _joined(parts: list[Array], samples: int, axis: int) -> Array:
    if len(parts) == 1:
        return np.broadcast_to(parts[0], (samples, *parts[0].shape[1:]))
    return np.concatenate([np.broadcast_to(a, (samples, *a.shape[1:])) for a in parts], axis=axis)
