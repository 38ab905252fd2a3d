"""MATLAB's .mat: versions 4 and 5, which 6 and 7 are as well, and 7.3, which is HDF5."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import hdf5, matlab4, matlab5
from .errors import FileError

__all__ = ["encode", "read"]

_OCTAVES = {
    b"# Created by Octave": "Octave's text format",
    b"Octave-1-": "Octave's binary format",
    b"\x1f\x8b": "compressed by gzip",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_AT = (0, 512, 1024, 2048)  # MATLAB writes 512 bytes of its own before it
_HEADER = 128


def read(path: Path, name: str | None) -> Any:
    """A variable by its name, or the only numeric one."""
    found = _variable(path, name)
    # MATLAB's stacks are pages, along the last axes.
    return np.moveaxis(found, (0, 1), (-2, -1)) if found.ndim > 2 else found


def _variable(path: Path, name: str | None) -> Any:
    with open(path, "rb") as file:
        start = file.read(_HDF5_AT[-1] + len(_HDF5))
    for mark, what in _OCTAVES.items():
        if start.startswith(mark):
            raise FileError(path, f"is in {what}, not in MATLAB's; use save -v7 in Octave")
    if any(start.startswith(_HDF5, at) for at in _HDF5_AT):
        return hdf5.read(path, name)
    if len(start) >= _HEADER and start[126:128] in matlab5.ORDERS and 0 not in start[:4]:
        return matlab5.read(path, path.read_bytes(), name)
    if 0 in start[:4]:
        return matlab4.read(path, path.read_bytes(), name)
    raise FileError(path, "not a MATLAB file: it begins like none of versions 4, 5 and 7.3")


def encode(x: npt.NDArray[Any]) -> bytes:
    """Version 5, under the name ``x``; a vector is a column, a stack one of pages."""
    from scipy.io import savemat

    if x.ndim > 2:
        x = np.moveaxis(x, (-2, -1), (0, 1))
    file = io.BytesIO()
    savemat(file, {"x": x}, oned_as="column")
    return file.getvalue()
