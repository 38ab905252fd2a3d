"""Where a matrix is not zero, drawn: as a picture of few points, in the order found as well."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._install import install
from ._report import html_page
from ._sparse import is_sparse
from ._structure import Structure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["View", "draw", "fragment", "of", "page", "views"]

Array = npt.NDArray[Any]

_POINTS = (
    320  # along the longer side of a picture; beyond that, a point stands for several elements
)
_INK = np.array([0x1F, 0x5A, 0x8A])
_PAPER = np.array([0xF4, 0xF5, 0xF7])
_LINE = "#c0392b"


@dataclass(frozen=True)
class View:
    """One picture: how full each of its points is, from 0 to 1, and where blocks end."""

    title: str
    shape: tuple[int, int]
    fullness: Array
    block_ends: tuple[int, ...] = ()


def of(a: Any, inspect: Callable[[Any], Structure]) -> tuple[View, ...]:
    """A matrix, dense or sparse; of a stack its first slice."""
    if is_sparse(a):
        entries = a.tocoo()
        stored = entries.data != 0
        rows, columns, shape = entries.row[stored], entries.col[stored], entries.shape
    else:
        a = a[(0,) * (a.ndim - 2)] if a.size else np.zeros(a.shape[-2:])
        (rows, columns), shape = np.nonzero(a), a.shape
    square = shape[0] == shape[1] > 0
    return views(rows, columns, shape, inspect(a) if square else None)


def views(
    rows: Array, columns: Array, shape: tuple[int, int], structure: Structure | None
) -> tuple[View, ...]:
    """The pattern as it is given, and in the order that was found, if one was."""
    as_given = View(f"as given, {len(rows):,} nonzeros", shape, _raster(rows, columns, shape))
    if structure is None or structure.row_permutation is None:
        return (as_given,)
    assert structure.column_permutation is not None
    to_row = np.argsort(structure.row_permutation)[rows]
    to_column = np.argsort(structure.column_permutation)[columns]
    ends = () if structure.block_sizes is None else np.cumsum(structure.block_sizes).tolist()
    reordered = View("in the order found", shape, _raster(to_row, to_column, shape), tuple(ends))
    return as_given, reordered


def _raster(rows: Array, columns: Array, shape: tuple[int, int]) -> Array:
    """Nonzeros in each point over the elements that it stands for."""
    m, n = shape
    longer = max(m, n, 1)
    high, wide = (max(1, min(side, -(-side * _POINTS // longer))) for side in shape)
    counts = np.zeros((high, wide))
    if m and n:
        np.add.at(counts, (rows * high // m, columns * wide // n), 1.0)
        counts /= np.outer(_extent(m, high), _extent(n, wide))
    return counts


def _extent(side: int, points: int) -> Array:
    """Rows, or columns, that each point stands for."""
    return np.bincount(np.arange(side) * points // side, minlength=points)


def _shade(fullness: Array) -> Array:
    """A single element in a point of many must still be seen: its root, and never below a third."""
    return np.where(fullness > 0, np.maximum(np.sqrt(fullness), 1 / 3), 0.0)


def _png(view: View) -> bytes:
    """Pictures of this kind need no library: one header, one compressed block."""
    ink = _shade(view.fullness)[..., None]
    pixels = np.rint(_PAPER + ink * (_INK - _PAPER)).astype(np.uint8)
    high, wide, _ = pixels.shape
    lines = np.concatenate([np.zeros((high, 1), np.uint8), pixels.reshape(high, -1)], axis=1)

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + chunk(b"IEND", b"")
    )


def _svg(view: View) -> str:
    """The picture, blocks outlined, with its title below."""
    m, n = view.shape
    high, wide = (360 * max(side, 1) / max(m, n, 1) for side in (m, n))
    data = base64.b64encode(_png(view)).decode()
    outlines = "".join(_outlines(view, wide / max(n, 1)))
    title = html.escape(f"{view.title}, {m} x {n}")
    return (
        f'<figure><svg viewBox="-1 -1 {wide + 2:.6g} {high + 2:.6g}" role="img" '
        f'aria-label="{title}" width="{wide:.0f}" height="{high:.0f}">'
        f'<image href="data:image/png;base64,{data}" width="{wide:.6g}" height="{high:.6g}" '
        'preserveAspectRatio="none" style="image-rendering: pixelated"/>'
        f'<rect width="{wide:.6g}" height="{high:.6g}" fill="none" stroke="#888"/>'
        f"{outlines}</svg><figcaption>{title}</figcaption></figure>"
    )


def _outlines(view: View, unit: float) -> Iterator[str]:
    """Of the diagonal blocks, if they can be told apart."""
    if len(view.block_ends) > _POINTS:
        return
    begin = 0
    for end in view.block_ends:
        side = (end - begin) * unit
        yield (
            f'<rect x="{begin * unit:.6g}" y="{begin * unit:.6g}" width="{side:.6g}" '
            f'height="{side:.6g}" fill="none" stroke="{_LINE}" stroke-width="0.8"/>'
        )
        begin = end


def fragment(pictures: tuple[View, ...], table: str) -> str:
    """Pictures beside the plan, for a page or a notebook."""
    drawn = "".join(map(_svg, pictures))
    return f'<div class="spy">{drawn}</div>{table}'


_STYLE = """\
.spy { display: flex; flex-wrap: wrap; gap: 2rem; }
figure { margin: 0 0 1.5rem; } svg { max-width: 100%; height: auto; }
figcaption { font-size: 0.9em; opacity: 0.8; }
table { border-collapse: collapse; } th { white-space: nowrap; font-weight: 600; }
th, td { padding: 0.25rem 1rem 0.25rem 0; vertical-align: top; text-align: left; }
tr + tr { border-top: 1px solid #8884; }
"""


def page(title: str, body: str) -> str:
    """A document of its own."""
    return html_page(title, f"<style>\n{_STYLE}</style>\n<h1>{html.escape(title)}</h1>\n{body}")


def draw(pictures: tuple[View, ...], title: str) -> Figure:
    """The same by Matplotlib."""
    try:
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError:
        raise ImportError(f"plots need Matplotlib: {install('plot')}") from None

    figure = Figure(figsize=(5.2 * len(pictures), 5.4), layout="constrained")
    axes = figure.subplots(1, len(pictures), squeeze=False)[0]
    colours = LinearSegmentedColormap.from_list("spy", [tuple(_PAPER / 255), tuple(_INK / 255)])
    for axis, view in zip(axes, pictures, strict=True):
        m, n = view.shape
        axis.imshow(
            _shade(view.fullness),
            cmap=colours,
            vmin=0,
            vmax=1,
            interpolation="nearest",
            extent=(-0.5, n - 0.5, m - 0.5, -0.5),
        )
        begin = 0
        for end in view.block_ends if len(view.block_ends) <= _POINTS else ():
            corner = (begin - 0.5, begin - 0.5)
            axis.add_patch(
                Rectangle(corner, end - begin, end - begin, fill=False, edgecolor=_LINE, lw=0.8)
            )
            begin = end
        axis.set_title(view.title)
        axis.set_xlabel("column")
        axis.set_ylabel("row")
    figure.suptitle(title)
    return figure
