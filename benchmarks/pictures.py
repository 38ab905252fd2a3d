"""How the measured ratios are drawn: a line a peer, against the order n.

Above the line at 1 smartsolve is the faster; below it the ground is shaded. The colours are those
of Okabe and Ito (Color Universal Design, 2008), which the colour-blind tell apart as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

MISSING = "pictures need matplotlib; install it with: pip install matplotlib"
WIDTH = 9.5  # inches, at DPI as wide as a page of the docs
DPI = 105
NAMES = {"numpy": "NumPy", "scipy": "SciPy", "jax": "JAX", "smartsolve": "smartsolve"}
COLORS = {"numpy": "#0072B2", "scipy": "#D55E00", "jax": "#009E73", "smartsolve": "#000000"}
MARKERS = {"numpy": "o", "scipy": "s", "jax": "^", "smartsolve": "D"}
SIDES = {1: "#000000", 2: "#0072B2", 4: "#009E73", 8: "#E69F00"}  # by right-hand sides
DASHES = {"C": "-", "F": "--"}
SLOWER = "#f3dcd6"
GREY = "#555555"
BELOW_HALF = {
    "color": "#dedede",
    "lw": 0,
    "label": "below half of float64's ratio",
}


@dataclass(frozen=True)
class Row:
    """What was measured of one system or stack: seconds a system, by peer."""

    kind: str
    n: int
    dtype: str
    order: str
    nrhs: int
    seconds: dict[str, float]

    def ratio(self, peer: str) -> float:
        """How many times as long as smartsolve the peer takes."""
        return self.seconds[peer] / self.seconds["smartsolve"]

    def faster_of(self, again: Row) -> Row:
        """The same case measured twice."""
        seconds = {peer: min(self.seconds[peer], again.seconds[peer]) for peer in self.seconds}
        return replace(self, seconds=seconds)

    @property
    def peers(self) -> list[str]:
        return [peer for peer in self.seconds if peer != "smartsolve"]

    @property
    def faster(self) -> str:
        """The faster of NumPy and SciPy."""
        return min(
            (p for p in ("numpy", "scipy") if p in self.seconds), key=self.seconds.__getitem__
        )

    @property
    def curve(self) -> tuple[str, str, str, int]:
        return self.kind, self.dtype, self.order, self.nrhs


def curves(rows: Iterable[Row]) -> dict[tuple[str, str, str, int], list[Row]]:
    """Rows that differ in n alone, by their structure, dtype, memory order and nrhs."""
    found: dict[tuple[str, str, str, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.n):
        found[row.curve].append(row)
    return dict(found)


# --- the four pictures ---------------------------------------------------------------------------


def draw_calls(rows: Sequence[Row], about: str) -> Any:
    """A panel a structure, a line a peer."""
    found = curves(rows)
    figure, panels = grid(len(found), columns=3, height=2.7)
    for axes, ((kind, *_), curve) in zip(panels.flat, found.items(), strict=False):
        against_peers(axes, curve)
        axes.set_title(kind)
    powers_of_two(panels, rows)
    finish(figure, panels, about, "one call: times as fast as the peer")
    return figure


def draw_stacks(rows: Sequence[Row], about: str) -> Any:
    """A row of panels a structure: ratios, and times."""
    found = curves(rows)
    figure, panels = grid(2 * len(found), columns=2, height=3.1, sharey="col")
    for (ratios, times), ((kind, *_), curve) in zip(panels, found.items(), strict=True):
        against_peers(ratios, curve)
        ratios.set(ylabel="times as fast as the peer", title=f"stacks, {kind}")
        for peer in curve[0].seconds:
            nanoseconds = [row.seconds[peer] * 1e9 for row in curve]
            times.plot([row.n for row in curve], nanoseconds, **style(peer))
        times.set(ylabel="nanoseconds a system", title=f"stacks, {kind}")
    small_orders(panels)
    plain(panels[0, 1].yaxis, steps=(1,))
    finish(figure, panels, about, judged=panels[:, 0])
    return figure


def draw_structures(rows: Sequence[Row], about: str) -> Any:
    """A panel a structure; the points' colour and shape tell which peer is the faster."""
    found = curves(rows)
    figure, panels = grid(len(found), columns=5, height=1.85)
    for axes, ((kind, dtype, *_), curve) in zip(panels.flat, found.items(), strict=False):
        against_faster(axes, curve)
        axes.set_title(kind if dtype == "float64" else f"{kind}, {dtype}")
    powers_of_two(panels, rows)
    finish(figure, panels, about, "one call: times as fast as the faster of NumPy and SciPy")
    return figure


def draw_tiny(rows: Sequence[Row], about: str) -> Any:
    """A row of panels a structure, a column a dtype; a line for each order and number of sides."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    dtypes = list(dict.fromkeys(row.dtype for row in rows))
    figure, panels = grid(len(kinds) * len(dtypes), columns=len(dtypes), height=2.5)
    places = {(k, d): panels[i, j] for i, k in enumerate(kinds) for j, d in enumerate(dtypes)}
    found = curves(rows)
    for (kind, dtype, order, nrhs), curve in found.items():
        ratios = [row.ratio("numpy") for row in curve]
        look = {"color": SIDES[nrhs], "lw": 1.1, "ls": DASHES[order]}
        if order == "C":
            look["label"] = f"{nrhs} right-hand side{'s' * (nrhs > 1)}"
        places[kind, dtype].plot([row.n for row in curve], ratios, **look)
    for order, dashes in DASHES.items():
        panels[0, 0].plot([], [], color=GREY, lw=1.1, ls=dashes, label=f"{order} order")
    for (kind, dtype), axes in places.items():
        usual = found[kind, "float64", "C", 1]
        axes.fill_between(
            [row.n for row in usual], 0.01, [row.ratio("numpy") / 2 for row in usual], **BELOW_HALF
        )
        axes.set_title(f"{kind}, {dtype}")
    small_orders(panels)
    panels[0, 0].set_ylim(bottom=min(row.ratio("numpy") for row in rows))
    finish(figure, panels, about, "one call: times as fast as NumPy", columns=4)
    return figure


DRAW: dict[str, Callable[[Sequence[Row], str], Any]] = {
    "calls": draw_calls,
    "stacks": draw_stacks,
    "structures": draw_structures,
    "tiny": draw_tiny,
}


# --- panels and lines ----------------------------------------------------------------------------


def grid(count: int, columns: int, height: float, sharey: Any = True) -> tuple[Any, Any]:
    """A figure, and its panels as an array; what is left over in the last line stays empty."""
    lines = -(-count // columns)
    figure = new_figure((WIDTH, height * lines + 0.6))
    panels = figure.subplots(lines, columns, sharex=True, sharey=sharey, squeeze=False)
    for unused in panels.flat[count:]:
        unused.set_axis_off()
    return figure, panels


def new_figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit(MISSING) from None
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style(peer: str) -> dict[str, Any]:
    look = {"color": COLORS[peer], "marker": MARKERS[peer], "label": NAMES[peer]}
    return look | {"ms": 3.2, "lw": 1.3}


def against_peers(axes: Any, curve: Sequence[Row]) -> None:
    for peer in curve[0].peers:
        axes.plot([row.n for row in curve], [row.ratio(peer) for row in curve], **style(peer))


def against_faster(axes: Any, curve: Sequence[Row]) -> None:
    axes.plot(
        [row.n for row in curve], [row.ratio(row.faster) for row in curve], color="black", lw=1.1
    )
    for peer in ("numpy", "scipy"):
        found = [row for row in curve if row.faster == peer]
        look = style(peer) | {"ls": "", "label": f"the faster is {NAMES[peer]}"}
        axes.plot([row.n for row in found], [row.ratio(peer) for row in found], **look)


# --- axes, legend, small print -------------------------------------------------------------------


def powers_of_two(panels: Any, rows: Sequence[Row]) -> None:
    axes = panels[0, 0]
    axes.set_xscale("log", base=2)
    last = max(row.n for row in rows)
    axes.set_xticks([8**k for k in range(5) if 8**k <= last])
    axes.set_xticks([2**k for k in range(13) if k % 3 and 2**k <= last], minor=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_formatter("")
    plain(axes.yaxis, steps=(1, 3) if len(panels) > 2 else (1, 2, 5))


def small_orders(panels: Any) -> None:
    panels[0, 0].set_xticks([1, 8, 16, 24, 32, 40])
    plain(panels[0, 0].yaxis, steps=(1, 2, 5))


def plain(axis: Any, steps: Sequence[int]) -> None:
    """A logarithmic axis with these steps a decade, and plain numbers."""
    axis.axes.set_yscale("log")
    axis.get_major_locator().set_params(subs=steps)
    axis.set_major_formatter("{x:,.10g}")
    axis.set_minor_formatter("")


def finish(
    figure: Any,
    panels: Any,
    about: str,
    y: str = "",
    judged: Iterable[Any] | None = None,
    columns: int | None = None,
) -> None:
    """Ground, grid and labels, one legend for all panels, and the machine in small print."""
    entries: dict[str, Any] = {}
    for axes in panels.flat:
        axes.title.set_size(10 if panels.shape[1] < 5 else 9)
        axes.tick_params(labelsize=9)
        axes.grid(True, which="major", alpha=0.35, lw=0.7)
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, handle)
    judged = [axes for axes in (panels.flat if judged is None else judged) if axes.axison]
    limits = [axes.get_ylim() for axes in judged]
    for axes, (low, high) in zip(judged, limits, strict=True):
        axes.axhspan(low / 10, 1, color=SLOWER, lw=0, zorder=0.5)
        axes.axhline(1, color="black", lw=0.8)
        axes.set_ylim(min(low, 0.8), high)
    for axes in panels[-1]:
        axes.set_xlabel("order n", fontsize=10)
    figure.supylabel(y, fontsize=10)
    figure.supxlabel(about, fontsize=8, x=0.99, ha="right", color=GREY)
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside upper center",
        ncols=columns or len(entries),
        frameon=False,
        fontsize=10,
    )


def save(figure: Any, file: Path) -> None:
    """In as many colours as a drawing needs; under a temporary name first."""
    from PIL import Image

    figure.canvas.draw()
    image = (
        Image.fromarray(np.asarray(figure.canvas.buffer_rgba()))
        .convert("RGB")
        .quantize(200, kmeans=1)
    )
    temporary = file.with_name(f".{file.name}")
    image.save(temporary, format="png", optimize=True)
    temporary.replace(file)
