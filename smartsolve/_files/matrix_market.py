"""Matrix Market files (https://math.nist.gov/MatrixMarket/formats.html), by SciPy."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError

__all__ = ["encode", "read"]

_DIGITS = 17  # as many as tell every float64 from its neighbours


def read(path: Path, name: str | None) -> Any:
    """A dense array, or a sparse one; symmetry is filled in."""
    from scipy.io import mmread

    if name is not None:
        raise FileError(path, f"has one array without a name, not {name!r}")
    text = path.read_bytes()
    try:
        return mmread(io.BytesIO(text), spmatrix=False)
    except (ValueError, OverflowError) as error:
        what = str(error)
        if found := re.match(r"Line (\d+): ", what):
            raise FileError(path, what[found.end() :], int(found[1])) from None
        raise FileError(path, what, _line(text, what)) from None


def encode(x: npt.NDArray[Any]) -> bytes:
    """A vector is written as a column."""
    from scipy.io import mmwrite

    file = io.BytesIO()
    mmwrite(file, x if x.ndim == 2 else x[:, np.newaxis], precision=_DIGITS)
    return file.getvalue()


def _line(text: bytes, what: str) -> int:
    """Where SciPy does not tell: the last line, if lines are missing, or that of the sizes."""
    lines = text.splitlines()
    if what.startswith("Truncated"):
        return len(lines)
    return next((i for i, line in enumerate(lines, 1) if not line.startswith(b"%")), 1)
