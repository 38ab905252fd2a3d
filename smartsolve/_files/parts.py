"""Arrays out of the parts in which files store them, checked before an index is followed."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError

__all__ = ["from_columns", "from_real_and_imaginary"]


def from_real_and_imaginary(
    real: npt.NDArray[Any], imaginary: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """The complex numbers; ``real + 1j * imaginary`` would make NaN of an Inf."""
    values = np.empty(real.shape, np.result_type(real, np.complex64))
    values.real, values.imag = real, imaginary
    return values


def from_columns(
    path: Path,
    what: str,
    shape: tuple[int, int],
    pointers: npt.NDArray[Any],
    rows: npt.NDArray[Any],
    values: npt.NDArray[Any],
) -> Any:
    """A ``csc_array``; room beyond the last pointer, which MATLAB leaves at times, is left off."""
    from scipy.sparse import csc_array

    pointers, rows = pointers.astype(np.int64), rows.astype(np.int64)
    m, n = shape
    held = min(len(rows), len(values))
    fits = len(pointers) == n + 1 and pointers[0] == 0 and pointers[-1] <= held
    if not fits or (np.diff(pointers) < 0).any():
        raise FileError(path, f"{what}: the column pointers of the sparse matrix are malformed")
    rows, values = rows[: pointers[-1]], values[: pointers[-1]]
    if rows.size and not 0 <= rows.min() <= rows.max() < m:
        raise FileError(path, f"{what}: a row index of the sparse matrix is beyond its {m} rows")
    return csc_array((values, rows, pointers), shape)
