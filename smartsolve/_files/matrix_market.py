"""Matrix Market files (https://math.nist.gov/MatrixMarket/formats.html).

Every character counts: a number is read to its end, a line to its end, the file to its end, and
what is left over is an error. Programs that write the format also take Fortran's exponents
(``1.5D+02``, ``1.5+102``) and a leading plus for granted, so these are numbers, as is Inf.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .errors import FileError

__all__ = ["encode", "read"]

_DIGITS = 17  # as many as tell every float64 from its neighbours
_BANNER = "%%MatrixMarket matrix {coordinate|array} {real|complex|integer|pattern} {general|...}"
_SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")
_SIZES = {"coordinate": "rows, columns, entries", "array": "rows, columns"}

# The letter by which the native reader knows the numbers of a line, and their type.
_FIELDS: dict[str, tuple[str, type[np.generic]]] = {
    "real": ("r", np.float64),
    "double": ("r", np.float64),
    "complex": ("c", np.complex128),
    "integer": ("i", np.int64),
    "unsigned-integer": ("u", np.uint64),
    "pattern": ("p", np.float64),
}


@dataclass(frozen=True)
class Header:
    """Banner and sizes; the entries begin at `offset`, on the line `line`."""

    is_sparse: bool
    field: str
    symmetry: str
    shape: tuple[int, int]
    count: int
    offset: int
    line: int

    @property
    def numbers(self) -> int:
        """How many stand on the line of an entry."""
        values = {"p": 0, "c": 2}.get(_FIELDS[self.field][0], 1)
        return 2 * self.is_sparse + values


def read(path: Path, name: str | None) -> Any:
    """A dense array, or a sparse one; symmetry is filled in."""
    if name is not None:
        raise FileError(path, f"has one array without a name, not {name!r}")
    text = path.read_bytes()
    header = _header(path, text)
    _refuse_impossible_count(path, text, header)
    letter, dtype = _FIELDS[header.field]
    values = None if letter == "p" else np.empty(header.count, dtype)
    rows = columns = None
    if header.is_sparse:
        index_type = np.int32 if max(header.shape) < 2**31 else np.int64
        rows, columns = (np.empty(header.count, index_type) for _ in range(2))
    try:
        _core.read_entries(
            *(text, header.offset, header.line, *header.shape, header.count),
            *(letter, rows, columns, values),
        )
    except ValueError as error:
        what, line = error.args
        raise FileError(path, what, line) from None
    if values is None:
        values = np.ones(header.count, dtype)
    if rows is None or columns is None:
        return _filled(path, header, values)
    return _mirrored(path, header, rows, columns, values)


def encode(x: npt.NDArray[Any]) -> bytes:
    """A vector is written as a column."""
    from scipy.io import mmwrite

    file = io.BytesIO()
    mmwrite(file, x if x.ndim == 2 else x[:, np.newaxis], precision=_DIGITS)
    return file.getvalue()


def _header(path: Path, text: bytes) -> Header:
    """The first line, and the first that is neither a comment nor empty."""
    banner, at, line = _line(text, 0), 0, 1
    words = banner.decode("latin-1").lower().split()
    if not banner.startswith(b"%%MatrixMarket") or len(words) != 5 or words[1] != "matrix":
        raise FileError(path, f"no Matrix Market banner; expected {_BANNER}", 1)
    _, _, layout, field, symmetry = words
    for word, known in ((layout, _SIZES), (field, _FIELDS), (symmetry, _SYMMETRIES)):
        if word not in known:
            raise FileError(path, f"{word[:40]!r} in the banner; expected {', '.join(known)}", 1)
    if field == "pattern" and (layout == "array" or symmetry not in ("general", "symmetric")):
        raise FileError(path, f"there is no {layout} pattern {symmetry} in Matrix Market", 1)
    while True:
        at += len(_line(text, at)) + 1
        line += 1
        if at >= len(text):
            raise FileError(path, f"Truncated: expected a line of {_SIZES[layout]}", line - 1)
        sizes = _line(text, at).split()
        if sizes and not sizes[0].startswith(b"%"):
            break
    expected = len(_SIZES[layout].split(", "))
    if len(sizes) != expected or not all(re.fullmatch(rb"\+?\d{1,18}", size) for size in sizes):
        found = _line(text, at)[:60].decode("latin-1").strip()
        raise FileError(path, f"expected {_SIZES[layout]} as whole numbers, found {found!r}", line)
    m, n, *entries = map(int, sizes)
    if symmetry != "general" and m != n:
        raise FileError(path, f"a {symmetry} matrix is square; the sizes are {m} x {n}", line)
    count = entries[0] if entries else {
        "general": m * n,
        "skew-symmetric": n * (n - 1) // 2,
    }.get(symmetry, n * (n + 1) // 2)  # fmt: skip
    offset = min(at + len(_line(text, at)) + 1, len(text))
    return Header(layout == "coordinate", field, symmetry, (m, n), count, offset, line + 1)


def _line(text: bytes, at: int) -> bytes:
    end = text.find(b"\n", at)
    return text[at:] if end < 0 else text[at:end]


def _refuse_impossible_count(path: Path, text: bytes, header: Header) -> None:
    """Before memory is taken for it: a number takes a character, and one that parts it."""
    room = (len(text) - header.offset + 1) // (2 * header.numbers)
    if header.count > room:
        lines = text.count(b"\n") + (not text.endswith(b"\n"))
        what = f"Truncated: the sizes announce {header.count} entries, and there is room for {room}"
        raise FileError(path, what, lines)


def _filled(path: Path, header: Header, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A dense matrix lies by columns; of a symmetric one, the lower triangle."""
    m, n = header.shape
    if header.symmetry == "general":
        return values.reshape(n, m).T
    a = np.zeros((n, n), values.dtype)
    upper = np.triu_indices(n, k=1 if header.symmetry == "skew-symmetric" else 0)
    a[upper] = _opposite(header, values)
    a.T[upper] = values
    _refuse_diagonal(path, header, a.diagonal())
    return a


def _mirrored(
    path: Path,
    header: Header,
    rows: npt.NDArray[Any],
    columns: npt.NDArray[Any],
    values: npt.NDArray[Any],
) -> Any:
    """The sparse matrix with its other triangle; entries of one place are added, as by SciPy."""
    from scipy.sparse import coo_array

    if header.symmetry != "general":
        _refuse_contradiction(path, header, rows, columns, values)
        off = rows != columns
        rows, columns = np.r_[rows, columns[off]], np.r_[columns, rows[off]]
        values = np.r_[values, _opposite(header, values[off])]
    return coo_array((values, (rows, columns)), shape=header.shape)


def _opposite(header: Header, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if header.symmetry == "skew-symmetric":
        return -values
    return values.conj() if header.symmetry == "hermitian" else values


def _refuse_contradiction(
    path: Path,
    header: Header,
    rows: npt.NDArray[Any],
    columns: npt.NDArray[Any],
    values: npt.NDArray[Any],
) -> None:
    """An element that is given in both triangles."""
    _refuse_diagonal(path, header, values[rows == columns])
    below, above = rows > columns, rows < columns
    if below.any() and above.any():
        n = header.shape[1]
        wide = np.int64 if n < 2**31 else object
        places, mirrored = rows.astype(wide) * n + columns, columns.astype(wide) * n + rows
        both = np.intersect1d(places[below], mirrored[above])
        if both.size:
            row, column = divmod(int(both[0]), n)
            what = f"gives elements ({row + 1}, {column + 1}) and ({column + 1}, {row + 1})"
            raise FileError(path, f"is {header.symmetry} and {what}; expected one of the two")


def _refuse_diagonal(path: Path, header: Header, diagonal: npt.NDArray[Any]) -> None:
    """One that the symmetry rules out."""
    if header.symmetry == "skew-symmetric" and diagonal.any():
        raise FileError(path, "the diagonal of a skew-symmetric matrix is zero, and here is not")
    if header.symmetry == "hermitian" and np.iscomplexobj(diagonal) and diagonal.imag.any():
        raise FileError(path, "the diagonal of a Hermitian matrix is real, and here is not")
