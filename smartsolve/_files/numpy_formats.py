"""NumPy's .npy and .npz, and SciPy's sparse arrays in .npz."""

import io
import lzma
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, choose, refuse_expansion

__all__ = ["encode_npy", "encode_npz", "read_npy", "read_npz"]

_SPARSE = {"format", "shape", "data"}  # what scipy.sparse.save_npz writes, among others
_LONGEST_HEADER = 16384  # NumPy refuses more than 10 000 bytes
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,  # the same, in UTF-8
}
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that Python does not have
    RuntimeError,  # an encrypted member
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
)


def read_npy(path: Path, name: str | None) -> Any:
    """The one array; pickled objects are refused."""
    if name is not None:
        raise FileError(path, f"has one array without a name, not {name!r}")
    with open(path, "rb") as file:
        return _array(path, "", file, os.fstat(file.fileno()).st_size)


def read_npz(path: Path, name: str | None) -> Any:
    """An array by its name, or the only one."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(_Bounded(file)) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }

            def member(key: str) -> Any:
                info = members[key]
                refuse_expansion(path, f"array {key!r}", info.compress_size, info.file_size)
                with archive.open(info) as stream:
                    return _array(path, f"array {key!r}: ", stream, info.file_size)

            if name is None and set(members) >= _SPARSE:
                return _sparse(path, {key: member(key) for key in members})
            return member(choose(path, members, name))
    except _ZIP_ERRORS as error:
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


class _Bounded(io.RawIOBase):
    """A file that is asked for no more than it has: what asks may believe a size in it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size is None or size < 0 else min(size, left))


def _array(path: Path, what: str, file: IO[bytes], size: int) -> npt.NDArray[Any]:
    """The array of a stream of `size` bytes, all of which belong to it."""
    try:
        start = file.read(_LONGEST_HEADER)
        header = io.BytesIO(start)
        version = np.lib.format.read_magic(header)
        if version not in _HEADERS:
            raise ValueError(f"version {version} of the format is not known")
        length = int.from_bytes(start[8 : 10 if version == (1, 0) else 12], "little")
        if length > len(start):  # NumPy would ask for the memory before it finds none
            raise ValueError(f"a header of {length:,} bytes")
        shape, is_fortran, dtype = _HEADERS[version](header)
    except Exception as error:  # of NumPy's, and of the parser that it hands the header to
        text = f"{what}not a .npy file of numbers: {error}"
        raise FileError(path, text) from None
    if dtype.hasobject:
        raise FileError(path, f"{what}not a .npy file of numbers: it holds pickled objects")
    expected = math.prod(shape) * dtype.itemsize
    begin = header.tell()
    held = size - begin
    if min(shape, default=0) < 0 or held != expected:
        text = f"{what}the header says {expected:,} bytes of numbers, but {held:,} follow"
        raise FileError(path, text)
    data = bytearray(expected)
    view = memoryview(data)
    at = len(start) - begin
    view[:at] = start[begin:]
    while at < expected:
        got = file.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise FileError(path, f"{what}the numbers end after {at:,} of {expected:,} bytes")
        at += got
    flat = np.frombuffer(data, dtype) if expected else np.empty(math.prod(shape), dtype)
    return flat.reshape(shape[::-1]).T if is_fortran else flat.reshape(shape)


def _sparse(path: Path, parts: dict[str, Any]) -> Any:
    """What scipy.sparse.save_npz wrote; every index is looked at before it is followed."""
    from scipy import sparse

    try:
        layout = parts["format"].item()
        layout = layout.decode() if isinstance(layout, bytes) else str(layout)
        shape = tuple(int(size) for size in parts["shape"])
        if layout in ("csc", "csr", "bsr"):
            make = getattr(sparse, f"{layout}_array")
            found = make((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
            found.check_format(full_check=True)
        elif layout == "dia":
            found = sparse.dia_array((parts["data"], parts["offsets"]), shape=shape)
        elif layout == "coo":
            found = sparse.coo_array((parts["data"], (parts["row"], parts["col"])), shape=shape)
        else:
            raise ValueError(f"format {layout!r} is not known")
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise FileError(path, f"not a sparse matrix of SciPy's: {error}") from None
    return found
