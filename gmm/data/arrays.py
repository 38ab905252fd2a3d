"""Arguments of models with a dependent variable: their shapes, and their leading axes."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.labels import float_array

Array = npt.NDArray[np.float64]
# Which of the samples.
Rows = npt.NDArray[np.intp]


# What is left of a sum of numbers when it is no more than this beside them is rounding.
ROUNDING = 100 * float(np.finfo(np.float64).eps)


def is_whole(value: Any) -> bool:
    """Whether this is an int or one of NumPy's integers."""
    return isinstance(value, Integral)


def dependent(y: Any, argument: str = "y") -> Array:
    """One variable (..., n), or an error that names it."""
    values = float_array(y, argument)
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(
            f"{argument} has shape {values.shape}; it must be (n,), or (..., n) for many samples"
        )
    return values


def columns(x: Any, argument: str, shape: tuple[int, ...]) -> Array:
    """Variables (..., n, columns) beside y of this shape; one alone may lack its last axis."""
    n = shape[-1]
    if x is None:
        return np.empty((n, 0))
    values = float_array(x, argument)
    if values.ndim == 1 or values.shape == shape:
        values = values[..., np.newaxis]
    if values.ndim < 2 or values.shape[-2] != n:
        raise ValueError(
            f"{argument} has shape {np.shape(x)}; it must be (..., {n}, columns) to match "
            f"y of shape {shape}"
        )
    try:
        np.broadcast_shapes(values.shape[:-2], shape[:-1])
    except ValueError:
        raise ValueError(
            f"{argument} has leading axes {values.shape[:-2]}, y has {shape[:-1]}; they must agree"
        ) from None
    return values


def beside(first: Array, second: Array) -> Array:
    """Columns of both, for each sample."""
    if not first.shape[-1] or not second.shape[-1]:
        return first if first.shape[-1] else second
    lead = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    return np.concatenate(
        [np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in (first, second)], axis=-1
    )


def flattened(a: Array, tail: int, shape: tuple[int, ...]) -> Array:
    """With one axis before the last `tail`: of length 1 if there was none, else of all samples."""
    if a.ndim == tail:
        return a[np.newaxis]
    last = a.shape[-tail:]
    return np.broadcast_to(a, (*shape, *last)).reshape(-1, *last)


def blocks(arrays: Sequence[Array], shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Groups of columns, each with one axis before its last two, and none of them empty."""
    return tuple(flattened(a, 2, shape) for a in arrays if a.shape[-1])
