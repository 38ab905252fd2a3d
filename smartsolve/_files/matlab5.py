"""MATLAB's files of version 5, as which versions 6 and 7 are written as well.

Elements of a type, a size and data follow one another; a variable is an element of elements: flags,
dimensions, name, and of a numeric one the real and the imaginary part, before them in a sparse one
the row indices and the column pointers. In version 7 each variable is compressed. Every size is
compared with what there is; what is left over is an error. Variables that hold no numbers are
passed over unread.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import FileError, choose, refuse_expansion
from .parts import from_columns, from_real_and_imaginary

__all__ = ["ORDERS", "read"]

ORDERS = {b"IM": "<", b"MI": ">"}

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_SPARSE, _OPAQUE = 5, 17
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}  # noqa: E501  # fmt: skip
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # noqa: E501  # fmt: skip
_COMPLEX, _LOGICAL = 0x0800, 0x0200
Buffer: TypeAlias = bytes | memoryview

_ENOUGH = 4096  # bytes that hold the flags, the dimensions and the name


class _Malformed(Exception):
    """What is wrong, without the names of file and variable."""


@dataclass(frozen=True)
class Element:
    """Type and data; `end` is where the next one begins."""

    type: int
    data: Buffer
    end: int


@dataclass(frozen=True)
class Variable:
    """What a variable says of itself before its numbers, which begin at `at` of its data."""

    name: str
    kind: int
    is_complex: bool
    is_logical: bool
    shape: tuple[int, ...]
    at: int

    @property
    def is_numeric(self) -> bool:
        return self.kind == _SPARSE or self.kind in _CLASSES


def read(path: Path, file: bytes, name: str | None) -> Any:
    """A variable by its name, or the only numeric one."""
    order, content = ORDERS[file[126:128]], memoryview(file)
    try:
        found = {}
        for element in _elements(content, order):
            variable = _variable(_beginning(path, element, order), order)
            if variable is not None and variable.is_numeric:
                found[variable.name] = variable, element
        chosen, element = found[choose(path, found, name)]
    except _Malformed as error:
        raise FileError(path, f"not a MATLAB file: {error}") from None
    try:
        return _value(path, chosen, _matrix(element, order), order)
    except _Malformed as error:
        raise FileError(path, f"variable {chosen.name!r}: {error}") from None


def _elements(content: Buffer, order: str) -> Iterator[Element]:
    """The variables, one after the other to the end of the file."""
    at = _HEADER
    while at < len(content):
        element = _element(content, at, order)
        if element.type not in (_MATRIX, _COMPRESSED):
            raise _Malformed(f"an element of type {element.type} at byte {at} is no variable")
        yield element
        at = element.end


def _element(content: Buffer, at: int, order: str) -> Element:
    """The one that begins here; what is short is packed into its tag."""
    if len(content) - at < 8:
        raise _Malformed(f"the file ends within the element that begins at byte {at}")
    kind, size = struct.unpack_from(f"{order}2I", content, at)
    if kind >> 16:
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise _Malformed(f"a short element of {size} bytes at byte {at}")
        return Element(kind, content[at + 4 : at + 4 + size], at + 8)
    begin = at + 8
    left = len(content) - begin
    if size > left:
        raise _Malformed(f"an element of {size:,} bytes at byte {at}, but {left:,} are left")
    padding = 0 if kind == _COMPRESSED else -size % 8
    return Element(kind, content[begin : begin + size], min(begin + size + padding, len(content)))


def _beginning(path: Path, element: Element, order: str) -> Buffer:
    """The first bytes of a variable's data, which hold what it says of itself."""
    if element.type == _MATRIX:
        return element.data
    try:
        start = zlib.decompressobj().decompress(element.data, _ENOUGH)
    except zlib.error as error:
        raise _Malformed(f"compressed data are damaged: {error}") from None
    _, size = _compressed_tag(start, order)
    refuse_expansion(path, "a compressed variable", len(element.data), size)
    return start[8:]


def _compressed_tag(start: bytes, order: str) -> tuple[int, int]:
    if len(start) < 8:
        raise _Malformed("compressed data are damaged: they hold no variable")
    kind, size = struct.unpack_from(f"{order}2I", start)
    if kind != _MATRIX:
        raise _Malformed(f"compressed data hold an element of type {kind}, which is no variable")
    return kind, size


def _matrix(element: Element, order: str) -> Buffer:
    """The data of a variable, decompressed to its last byte and checksum."""
    if element.type == _MATRIX:
        return element.data
    stream = zlib.decompressobj()
    try:
        size = _compressed_tag(stream.decompress(element.data, 8), order)[1]
        data = stream.decompress(stream.unconsumed_tail, size + 8)  # one piece, and no more
        rest = stream.decompress(stream.unconsumed_tail, 8) if not stream.eof else b""
    except zlib.error as error:
        raise _Malformed(f"compressed data are damaged: {error}") from None
    if not stream.eof or len(data) + len(rest) != size or stream.unused_data:
        raise _Malformed(f"compressed data are damaged: {size:,} bytes announced, others found")
    return data + rest if rest else data


def _variable(data: Buffer, order: str) -> Variable | None:
    """What stands before the numbers; None for the nameless data of MATLAB's own objects."""
    flags = _element(data, 0, order)
    if len(flags.data) < 4:
        raise _Malformed("a variable without flags")
    word = struct.unpack_from(f"{order}I", flags.data)[0]
    kind = word & 0xFF
    if kind == _OPAQUE:  # its name comes without dimensions
        return None
    dimensions = _element(data, flags.end, order)
    sizes = np.frombuffer(dimensions.data[: len(dimensions.data) // 4 * 4], f"{order}i4")
    name = _element(data, dimensions.end, order)
    if len(sizes) < 2 or (sizes < 0).any():
        raise _Malformed("a variable with malformed dimensions")
    if not name.data:
        return None
    return Variable(
        bytes(name.data).rstrip(b"\0").decode("latin-1"),
        kind,
        bool(word & _COMPLEX),
        bool(word & _LOGICAL),
        tuple(sizes.tolist()),
        name.end,
    )


def _value(path: Path, variable: Variable, data: Buffer, order: str) -> Any:
    parts, at = [], variable.at
    while at < len(data):
        element = _element(data, at, order)
        parts.append(element)
        at = element.end
    is_sparse = variable.kind == _SPARSE
    expected = 2 * is_sparse + 1 + variable.is_complex
    if variable.is_logical and not is_sparse and len(parts) == 3:
        raise _Malformed(
            "Octave stores sparse logical matrices in a form that cannot be read; save double(A)"
        )
    if len(parts) != expected:
        raise _Malformed(f"{len(parts)} pieces of data; expected {expected}")
    if is_sparse:
        rows, pointers, *parts = parts
    size = math.prod(variable.shape)
    wanted = np.dtype("f8" if is_sparse else _CLASSES[variable.kind])
    real, *imaginary = (
        _numbers(part, order, wanted, None if is_sparse else size) for part in parts
    )
    if imaginary and imaginary[0].shape != real.shape:
        raise _Malformed("real and imaginary parts differ in size")
    values = from_real_and_imaginary(real, imaginary[0]) if imaginary else real
    if not is_sparse:
        whole: npt.NDArray[Any] = values.reshape(variable.shape[::-1]).T
        return whole.astype(bool) if variable.is_logical else whole
    if len(variable.shape) != 2:
        raise _Malformed("a sparse matrix of more than two axes")
    return from_columns(
        path,
        f"variable {variable.name!r}",
        (variable.shape[0], variable.shape[1]),
        _numbers(pointers, order, np.dtype("i4"), None),
        _numbers(rows, order, np.dtype("i4"), None),
        values,
    )


def _numbers(
    element: Element, order: str, wanted: np.dtype[Any], size: int | None
) -> npt.NDArray[Any]:
    """Numbers in the type of their class: MATLAB stores doubles that are small integers as such."""
    if element.type not in _TYPES:
        raise _Malformed(f"an element of type {element.type}, which holds no numbers")
    stored = np.dtype(order + _TYPES[element.type])
    if len(element.data) % stored.itemsize:
        raise _Malformed(f"{len(element.data)} bytes of {stored.itemsize} each")
    values = np.frombuffer(element.data, stored)
    if size is not None and values.size != size:
        raise _Malformed(f"{values.size:,} numbers; the dimensions say {size:,}")
    return values.astype(wanted)
