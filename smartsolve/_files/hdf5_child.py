"""The process that reads a HDF5 file: a line of JSON on standard output, then arrays as .npy.

The layout of MATLAB 7.3: arrays lie transposed, complex numbers are pairs "real" and "imag", the
attribute MATLAB_class tells the class, a sparse matrix is a group of "data", "ir" and "jc" with the
attribute MATLAB_sparse for its number of rows, and an empty array is its shape with the attribute
MATLAB_empty. Octave's: each variable is a group of "type" and "value" with the attribute
OCTAVE_NEW_FORMAT, which it writes last; a sparse "value" is a group of "nr", "nc", "cidx", "ridx"
and "data"; a range is its base, limit and increment.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, NameNeeded, choose, refuse_expansion
from .parts import from_real_and_imaginary

Array = npt.NDArray[Any]

_MATLAB = {"double", "single", "logical"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_OCTAVE = {"scalar", "matrix", "bool", "range", "double_range"}  # the last words of its types
_IN_OCTAVE = "OCTAVE_NEW_FORMAT"


class _File:
    """The variables of an open file."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path, self._file = path, file

    def chosen(self, name: str | None) -> tuple[str, Any]:
        """Name and item of the variable that is meant."""
        import h5py

        numeric, half_written = {}, []
        for key in self._file:
            if not isinstance(self._file.get(key, getlink=True), h5py.HardLink):
                if key == name:
                    raise FileError(self._path, f"variable {key!r} is a link that leads elsewhere")
                continue
            item = self._file[key]
            if _is_octaves(item) and _IN_OCTAVE not in item.attrs:
                half_written.append(key)
            elif self._is_numeric(item):
                numeric[key] = item
        if half_written and (name in half_written or not numeric):
            text = f"variable {half_written[0]!r} was not written to its end"
            raise FileError(self._path, f"{text} (Octave cannot write single complex to HDF5)")
        key = choose(self._path, numeric, name)
        return key, numeric[key]

    def _is_numeric(self, item: Any) -> bool:
        if _is_octaves(item):
            return _text(item["type"][()]).split()[-1] in _OCTAVE
        return _text(item.attrs.get("MATLAB_class", "")) in _MATLAB

    def arrays(self, item: Any) -> tuple[dict[str, Any], list[Array]]:
        """What to say of a variable, and the arrays that make it."""
        import h5py

        if _is_octaves(item):
            return self._octave(item["value"], item)
        if item.attrs.get("MATLAB_empty", 0):
            sizes = [int(size) for size in self.numbers(item).ravel()]
            return {}, [np.empty(sizes)]
        if isinstance(item, h5py.Dataset):
            return {}, [self._of_class(self.numbers(item).T, item)]
        pointers = self.numbers(item["jc"]).ravel()
        shape = int(item.attrs["MATLAB_sparse"]), len(pointers) - 1
        if "data" not in item:  # MATLAB leaves "data" and "ir" out
            return {"shape": shape}, [pointers, np.empty(0, np.int64), np.empty(0)]
        return {"shape": shape}, [
            pointers,
            self.numbers(item["ir"]).ravel(),
            self.numbers(item["data"]).ravel(),
        ]

    def _of_class(self, values: Array, item: Any) -> Array:
        return values.astype(bool) if _text(item.attrs["MATLAB_class"]) == "logical" else values

    def _octave(self, value: Any, item: Any) -> tuple[dict[str, Any], list[Array]]:
        kind = _text(item["type"][()])
        if kind.startswith("sparse"):
            shape = int(value["nr"][()]), int(value["nc"][()])
            parts = [self.numbers(value[key]).ravel() for key in ("cidx", "ridx", "data")]
            return {"shape": shape}, parts
        if item.attrs.get("OCTAVE_EMPTY_MATRIX", 0):
            return {}, [np.empty([int(size) for size in self.numbers(value).ravel()])]
        if kind.endswith("range"):
            base, _, increment = value[()].tolist()
            count = int(value.attrs["OCTAVE_RANGE_NELEM"])
            refuse_expansion(self._path, "a range", 8 * 2**20, 8 * count)
            return {}, [(base + increment * np.arange(count))[np.newaxis]]
        values = self.numbers(value).T
        return {}, [np.atleast_2d(values.astype(bool) if kind.startswith("bool") else values)]

    def numbers(self, dataset: Any) -> Array:
        """The numbers of a dataset, of which the file holds as many as it says."""
        size = dataset.size * dataset.dtype.itemsize
        refuse_expansion(self._path, f"{dataset.name}", dataset.id.get_storage_size(), size)
        if dataset.external:
            raise FileError(self._path, f"{dataset.name} lies in another file")
        values = dataset[()]
        if values.dtype.names:
            return from_real_and_imaginary(values["real"], values["imag"])
        if values.dtype.kind not in "fiub":
            raise FileError(self._path, f"{dataset.name} holds {values.dtype}; expected numbers")
        return np.asarray(values)


def _is_octaves(item: Any) -> bool:
    import h5py

    return isinstance(item, h5py.Group) and "type" in item and "value" in item


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def main(path: Path, name: str | None) -> None:
    """Read, and write the answer."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            variables = _File(path, file)
            key, item = variables.chosen(name)
            said, arrays = variables.arrays(item)
    except FileError as error:
        _refuse(str(error).removeprefix(f"{path}: "), isinstance(error, NameNeeded))
        return
    except MemoryError:
        _refuse("does not fit into memory", False)
        return
    except Exception as error:
        _refuse(f"not a MATLAB 7.3 or Octave HDF5 file: {error}", False)
        return
    print(json.dumps({"name": key, "arrays": len(arrays), **said}), flush=True)
    pipe = SimpleNamespace(write=sys.stdout.buffer.write)  # NumPy would seek in a file
    for array in arrays:
        np.lib.format.write_array(pipe, array, allow_pickle=False)


def _refuse(what: str, needs_name: bool) -> None:
    print(json.dumps({"error": what, "needs_name": needs_name}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
