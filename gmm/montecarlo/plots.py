"""A picture of an experiment: sampling densities against their limit, and coverage."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gmm.montecarlo.result import MonteCarloResult

_MISSING = 'pictures need matplotlib; install it with: pip install "smartsolve[plot]"'
_COLORS = ("#3b75af", "#d1603d", "#4f9153", "#8a62a8")
_LIMIT = "#222222"
# Parameter, label, and what n is multiplied by to give its precision in the limit, at sigma = 1.
_PANELS = (
    ("mu", r"$\sqrt{n}\,(\hat\mu - \mu)\,/\,\sigma$", 1.0),
    ("sigma", r"$\sqrt{2n}\,(\hat\sigma - \sigma)\,/\,\sigma$", 2.0),
)
_SYMBOLS = {"mu": r"$\mu$", "sigma": r"$\sigma$"}


class PlotError(ValueError):
    """A picture that cannot be drawn, for a reason known before the experiment."""


def check_path(path: str | Path) -> None:
    """Raise if matplotlib is missing, or the file's format unknown, or it cannot be written."""
    canvas = _figure((1, 1)).canvas
    suffix = Path(path).suffix.lstrip(".").lower()
    if suffix not in canvas.get_supported_filetypes():
        known = ", ".join(sorted(canvas.get_supported_filetypes()))
        raise PlotError(f"plot file {path} has no known format; its suffix may be: {known}")
    existed = Path(path).exists()
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise PlotError(f"plot file {path} cannot be written: {error.strerror}") from None
    if not existed:
        Path(path).unlink()


def draw(results: Sequence[tuple[str, "MonteCarloResult"]], path: str | Path) -> None:
    """Draw labelled results of the same n and truth into one picture."""
    figure = _figure((12.5, 4.6))
    grid = figure.subplots(1, 3, width_ratios=(1, 1, 0.95))
    for axes, (name, title, factor) in zip(grid[:2], _PANELS, strict=True):
        _densities(axes, results, name, factor)
        axes.set_xlabel(title, fontsize=12)
    grid[0].set_ylabel("density")
    _coverage(grid[2], results)

    first = results[0][1]
    figure.suptitle(
        f"GMM of mean and standard deviation: {first.replications:,} samples of "
        f"n = {first.n:,} from N(0, 1)",
        fontsize=13,
        x=0.012,
        ha="left",
    )
    handles, labels = grid[0].get_legend_handles_labels()
    more_handles, more_labels = grid[2].get_legend_handles_labels()
    handles, labels = handles + more_handles, labels + more_labels
    figure.legend(
        handles, labels, loc="outside lower left", ncols=len(labels), frameon=False, fontsize=10
    )
    figure.savefig(path, dpi=150)


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError(_MISSING) from None
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _densities(
    axes: Any, results: Sequence[tuple[str, "MonteCarloResult"]], name: str, factor: float
) -> None:
    """Histograms of the scaled errors, and the standard normal density."""
    edges = np.linspace(-4.2, 4.2, 85)
    for (label, result), color in zip(results, _colors(results), strict=True):
        column = result.parameters.index(name)
        error = result.estimates[result.converged, column] - result.truth[name]
        scaled = math.sqrt(factor * result.n) * error
        counts, _ = np.histogram(scaled, edges)
        density = counts / (max(len(scaled), 1) * np.diff(edges))
        axes.stairs(density, edges, fill=True, color=color, alpha=0.22, lw=0)
        axes.stairs(density, edges, color=color, lw=1.3, label=label or "Monte Carlo")
    x = np.linspace(-4.2, 4.2, 400)
    normal = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    axes.plot(x, normal, color=_LIMIT, lw=1.2, ls=(0, (4, 2)), label="normal limit")
    axes.set_xlim(-4.2, 4.2)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)


def _coverage(axes: Any, results: Sequence[tuple[str, "MonteCarloResult"]]) -> None:
    """Coverage with 95 % Monte Carlo intervals; exact theory where there is some."""
    spread = 0.34 * (len(results) - 1)
    exact_label = "exact coverage"
    for row, (name, _, _) in enumerate(reversed(_PANELS)):
        heights = np.linspace(row + spread / 2, row - spread / 2, len(results))
        for (_, result), color, y in zip(results, _colors(results), heights, strict=True):
            coverage = result.summary()[name]["coverage"]
            theory = coverage.theory
            if theory is not None and theory.exact:
                axes.plot(theory.value, y, "D", ms=9, mfc="white", mec=_LIMIT, label=exact_label)
                exact_label = "_"
            axes.errorbar(
                coverage.value,
                y,
                xerr=1.96 * coverage.mcse,
                fmt="o",
                ms=4.5,
                capsize=3.5,
                lw=1.6,
                color=color,
            )
            axes.annotate(
                f"{100 * coverage.value:.2f} %",
                (coverage.value, y),
                xytext=(0, 11),
                textcoords="offset points",
                ha="center",
                fontsize=9.5,
                color=color,
                bbox={"fc": "white", "ec": "none", "pad": 0.8},
            )
    axes.axvline(0.95, color=_LIMIT, lw=1, ls=":", zorder=0, label="nominal 95 %")
    axes.set_yticks(range(len(_PANELS)), [_SYMBOLS[name] for name, _, _ in reversed(_PANELS)])
    axes.tick_params(axis="y", labelsize=14, length=0)
    axes.set_ylim(-0.6, len(_PANELS) - 0.4)
    axes.margins(x=0.15)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    axes.set_xlabel("coverage, with 95 % Monte Carlo intervals")
    axes.spines[["top", "right"]].set_visible(False)


def _colors(results: Sequence[Any]) -> list[str]:
    return [_COLORS[i % len(_COLORS)] for i in range(len(results))]
