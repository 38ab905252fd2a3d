"""Elements so large that elimination may overflow, or so small that its products lose bits.

As of dense matrices: what is factored is the matrix divided by a power of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .operands import SparseMatrix

__all__ = ["in_range", "scaled_columns", "times_power"]

Array = npt.NDArray[Any]


def in_range(m: SparseMatrix) -> tuple[SparseMatrix, int]:
    """The matrix divided by a power of two, if it needs that, and the power's exponent.

    Scaling down is kept short: it takes bits from the smallest elements.
    """
    if m.in_range:
        return m, 0
    data, indices, indptr = m.arrays()
    exponent = _exponent(data)
    least, largest = m.range
    if exponent is None or least < exponent <= largest:
        return m, 0
    shift = exponent - (largest if exponent > 0 else 0)
    return SparseMatrix(times_power(data, -shift), indices, indptr, m.shape, m.csr), shift


def scaled_columns(b: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Each column divided by a power of two that brings it near 1, and the exponents."""
    parts = np.maximum(np.abs(b.real), np.abs(b.imag)) if b.dtype.kind == "c" else np.abs(b)
    with np.errstate(invalid="ignore"):
        _, exponents = np.frexp(parts.max(axis=0, initial=0))
    return times_power(b, -exponents), exponents


def times_power(x: Array, exponent: Any) -> Array:
    """``x * 2.0**exponent``, for exponents beyond the range of the numbers as well."""
    with np.errstate(over="ignore", under="ignore"):
        if x.dtype.kind == "c":
            y = np.empty_like(x)
            y.real, y.imag = np.ldexp(x.real, exponent), np.ldexp(x.imag, exponent)
        else:
            y = np.ldexp(x, exponent)
    return y


def _exponent(data: Array) -> int | None:
    """Of the largest part; None if there is nothing, or an Inf or a NaN."""
    if not data.size:
        return None
    parts = data.view(data.real.dtype)
    largest = np.maximum(parts.max(), -parts.min())
    return int(np.frexp(largest)[1]) if 0 < largest < np.inf else None
