"""Which format a file has, and what can be solved of what is in it."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._sparse import is_sparse
from . import matlab, matrix_market, numpy_formats
from .errors import FileError

__all__ = ["read", "write"]

Array = npt.NDArray[Any]

_READERS: dict[str, Callable[[Path, str | None], Any]] = {
    ".mtx": matrix_market.read,
    ".npy": numpy_formats.read_npy,
    ".npz": numpy_formats.read_npz,
    ".mat": matlab.read,
}
_WRITERS: dict[str, Callable[[Array], bytes]] = {
    ".mtx": matrix_market.encode,
    ".npy": numpy_formats.encode_npy,
    ".npz": numpy_formats.encode_npz,
    ".mat": matlab.encode,
}


def read(path: Path, name: str | None = None, *, keep_above: int | None = None) -> Any:
    """An array of numbers; sparse ones are filled up with their zeros.

    Above the order `keep_above`, if it is given, they are kept as they are.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(path, f"the name must end in {', '.join(_READERS)}")
    if path.exists() and not path.is_file():
        raise FileError(path, "is a directory" if path.is_dir() else "is no regular file")
    try:
        found = reader(path, name)
        kept = keep_above is not None and is_sparse(found) and max(found.shape) > keep_above
        if is_sparse(found) and not kept:
            found = _filled(path, found)
    except MemoryError:
        raise FileError(path, "does not fit into memory") from None
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from None
    if found.dtype.kind not in "fciub":
        raise FileError(path, f"holds {found.dtype}; expected numbers")
    return found if kept else np.asarray(found)


def check_name(path: Path) -> None:
    """That a result can be written under this name, before it is computed."""
    if path.suffix.lower() not in _WRITERS:
        raise FileError(path, f"the name must end in {', '.join(_WRITERS)}")
    is_other = path.exists() and not path.is_file()
    if is_other or not os.access(path.absolute().parent, os.W_OK):
        raise FileError(path, "cannot be written")


def refuse_overwriting(path: Path, inputs: Iterable[Path]) -> None:
    """A result never takes the place of what it was computed from."""
    for each in inputs:
        if path.exists() and each.exists() and path.samefile(each):
            raise FileError(path, f"is {each}, which is read; choose another name for the result")


def write(path: Path, x: Array) -> None:
    """Write a result; where a file has names for arrays, it is ``x``."""
    check_name(path)
    write_bytes(path, _WRITERS[path.suffix.lower()](x))


def write_bytes(path: Path, content: bytes) -> None:
    """All or nothing: under a temporary name beside it, then renamed.

    An ``OSError`` names the file that is meant, and not the temporary one.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _filled(path: Path, sparse: Any) -> Array:
    rows, columns = sparse.shape
    needed = rows * columns * sparse.dtype.itemsize
    if needed > _memory() // 2:
        raise FileError(
            path,
            f"is sparse, {rows} x {columns}, and would take {needed / 1e9:.3g} GB as a dense "
            "matrix, which is needed here",
        )
    filled: Array = sparse.toarray()
    return filled


def _memory() -> int:
    """Bytes of this machine's memory; where it does not tell, enough for order 30 000."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 16_000_000_000


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
