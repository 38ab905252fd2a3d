"""MATLAB's files of version 4: records of a header of five whole numbers, a name, and the data.

The first number is 1000 M + 100 O + 10 P + T: order of bytes, nothing, type, and whether the
numbers are a full matrix (0), characters (1) or a sparse matrix (2). The latter is a full one of
rows (i, j, real part, imaginary part), the last of which is its shape.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, choose
from .parts import from_columns, from_real_and_imaginary

__all__ = ["read"]

_TYPES = "f8", "f4", "i4", "i2", "u2", "u1"
_LONGEST_NAME = 256


@dataclass(frozen=True)
class Record:
    """A variable and where its numbers lie."""

    name: str
    kind: int
    type: np.dtype[Any]
    shape: tuple[int, int]
    is_complex: bool
    at: int

    @property
    def bytes(self) -> int:
        m, n = self.shape
        return m * n * self.type.itemsize * (1 + self.is_complex)


def read(path: Path, content: bytes, name: str | None) -> Any:
    """A variable by its name, or the only numeric one; whole numbers count as doubles."""
    records = {record.name: record for record in _records(path, content) if record.kind != 1}
    record = records[choose(path, records, name)]
    values = _numbers(record, content)
    return values if record.kind == 0 else _sparse(path, record, values)


def _records(path: Path, content: bytes) -> Iterator[Record]:
    """All of them, to the last byte of the file."""
    at = 0
    while at < len(content):
        record = _record(path, content, at)
        at = record.at + record.bytes
        if at > len(content):
            text = f"variable {record.name!r}: {record.bytes:,} bytes of numbers are announced, "
            text += f"and {len(content) - record.at:,} are there"
            if record.at == len(content):
                text += " (Octave's save -v4 leaves out the numbers of integers and of logicals)"
            raise FileError(path, text)
        yield record


def _record(path: Path, content: bytes, at: int) -> Record:
    for order in "<>":
        if len(content) - at < 20:
            break
        mopt, m, n, imaginary, length = struct.unpack_from(f"{order}5i", content, at)
        endian, rest = divmod(mopt, 1000)
        zero, rest = divmod(rest, 100)
        number, kind = divmod(rest, 10)
        if endian != "<>".index(order) or mopt < 0:
            continue
        name = content[at + 20 : at + 20 + length]
        is_sound = (
            zero == 0 and number < len(_TYPES) and kind <= 2 and m >= 0 and n >= 0
            and imaginary in (0, 1) and 1 < length <= _LONGEST_NAME and name.endswith(b"\0")
            and len(name) == length
        )  # fmt: skip
        if is_sound:
            return Record(
                name.rstrip(b"\0").decode("latin-1"),
                kind,
                np.dtype(order + _TYPES[number]),
                (m, n),
                bool(imaginary),
                at + 20 + length,
            )
    raise FileError(path, f"not a MATLAB file: no variable of version 4 begins at byte {at}")


def _numbers(record: Record, content: bytes) -> npt.NDArray[Any]:
    m, n = record.shape
    wanted = np.float32 if record.type.str[1:] == "f4" else np.float64
    parts = np.frombuffer(content, record.type, m * n * (1 + record.is_complex), record.at)
    values = parts[: m * n].astype(wanted)
    if record.is_complex:
        values = from_real_and_imaginary(values, parts[m * n :])
    return values.reshape(n, m).T


def _sparse(path: Path, record: Record, rows: npt.NDArray[Any]) -> Any:
    what = f"variable {record.name!r}"
    if rows.ndim != 2 or len(rows) < 1 or rows.shape[1] not in (3, 4):
        raise FileError(path, f"{what}: the sparse matrix is malformed")
    i, j, values = rows[:, 0], rows[:, 1], rows[:, 2]
    if rows.shape[1] == 4:
        values = from_real_and_imaginary(values, rows[:, 3])
    places = np.concatenate([i, j])
    if not (np.isfinite(places).all() and (places == np.floor(places)).all()):
        raise FileError(path, f"{what}: an index of the sparse matrix is no whole number")
    m, n = int(i[-1]), int(j[-1])
    i, j, values = i[:-1].astype(np.int64) - 1, j[:-1].astype(np.int64) - 1, values[:-1]
    if len(i) and not (0 <= i.min() <= i.max() < m and 0 <= j.min() <= j.max() < n):
        raise FileError(path, f"{what}: an index of the sparse matrix is beyond {m} x {n}")
    order = np.argsort(j, kind="stable")
    pointers = np.searchsorted(j[order], np.arange(n + 1))
    return from_columns(path, what, (m, n), pointers, i[order], values[order])
