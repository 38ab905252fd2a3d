"""MATLAB's .mat: up to version 7 by SciPy, 7.3 (which is HDF5) by h5py.

The layout of 7.3 as MATLAB writes it: arrays lie transposed, complex numbers are pairs "real" and
"imag", the attribute MATLAB_class tells the class, a sparse matrix is a group of "data", "ir" and
"jc" with the attribute MATLAB_sparse for its number of rows, and an empty array is its shape with
the attribute MATLAB_empty.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, choose

__all__ = ["encode", "read"]

_NUMERIC = {"double", "single", "logical", "sparse"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def read(path: Path, name: str | None) -> Any:
    """A variable by its name, or the only numeric one."""
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    with open(path, "rb"):
        pass  # an OSError here names the file
    try:
        names = [variable for variable, _, kind in whosmat(path) if kind in _NUMERIC]
        chosen = choose(path, names, name)
        return loadmat(path, variable_names=[chosen], spmatrix=False)[chosen]
    except NotImplementedError:  # SciPy's way to say that it is of version 7.3
        return _read_hdf5(path, name)
    except (MatReadError, ValueError, TypeError, IndexError, KeyError, EOFError) as error:
        raise FileError(path, f"not a MATLAB file: {error}") from None


def encode(x: npt.NDArray[Any]) -> bytes:
    """Version 5, under the name ``x``; a vector is a column."""
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, {"x": x}, oned_as="column")
    return file.getvalue()


def _read_hdf5(path: Path, name: str | None) -> Any:
    try:
        import h5py
    except ImportError:
        raise FileError(
            path, "is a MATLAB 7.3 file, which needs h5py: pip install 'smartsolve[matlab]'"
        ) from None
    try:
        with h5py.File(path, "r") as file:
            names = [key for key, item in file.items() if _class(item) in _NUMERIC]
            item = file[choose(path, names, name)]
            return _dense(item) if isinstance(item, h5py.Dataset) else _sparse(item)
    except (OSError, KeyError, ValueError) as error:
        raise FileError(path, f"not a MATLAB 7.3 file: {error}") from None


def _class(item: Any) -> str:
    kind = item.attrs.get("MATLAB_class", b"")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _dense(item: Any) -> Any:
    if item.attrs.get("MATLAB_empty", 0):
        return np.empty([int(size) for size in item[()]])
    return _numbers(item).T


def _sparse(item: Any) -> Any:
    from scipy.sparse import csc_array

    pointers = item["jc"][()].astype(np.int64)
    shape = (int(item.attrs["MATLAB_sparse"]), len(pointers) - 1)
    if pointers[-1] == 0:  # MATLAB leaves "data" and "ir" out
        return csc_array(shape)
    return csc_array((_numbers(item["data"]), item["ir"][()].astype(np.int64), pointers), shape)


def _numbers(dataset: Any) -> Any:
    values = dataset[()]
    return values["real"] + 1j * values["imag"] if values.dtype.names else values
