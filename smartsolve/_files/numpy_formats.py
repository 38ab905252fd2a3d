"""NumPy's .npy and .npz, and SciPy's sparse arrays in .npz."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, choose

__all__ = ["encode_npy", "encode_npz", "read_npy", "read_npz"]

_SPARSE = {"format", "shape", "data"}  # what scipy.sparse.save_npz writes, among others


def read_npy(path: Path, name: str | None) -> Any:
    """The one array; pickled objects are refused."""
    if name is not None:
        raise FileError(path, f"has one array without a name, not {name!r}")
    with open(path, "rb") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise FileError(path, f"not a .npy file of numbers: {error}") from None


def read_npz(path: Path, name: str | None) -> Any:
    """An array by its name, or the only one."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not hasattr(archive, "files"):
                raise FileError(path, "is not a .npz archive")
            if name is None and set(archive.files) >= _SPARSE:
                from scipy.sparse import load_npz

                return load_npz(path)
            return archive[choose(path, archive.files, name)]
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(path, f"not a .npz archive of numbers: {error}") from None


def encode_npy(x: npt.NDArray[Any]) -> bytes:
    """As it is."""
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()


def encode_npz(x: npt.NDArray[Any]) -> bytes:
    """Under the name ``x``."""
    file = io.BytesIO()
    np.savez(file, x=x)
    return file.getvalue()
