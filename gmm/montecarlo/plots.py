"""Pictures of Monte Carlo results: against their limit, against theory, and side by side."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from gmm.data.arrays import Array
from gmm.data.labels import check_names
from gmm.montecarlo.replications import Replications
from smartsolve._install import install

_COLORS = ("#3b75af", "#d1603d", "#4f9153", "#8a62a8")
_LIMIT = "#222222"
_GREEK = (
    *("alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau"),
    *("phi", "psi", "omega"),
)
_DASHED = (0, (4, 2))
_QUANTILES = 200

Labelled = Sequence[tuple[str, Replications]]


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


def draw(results: Labelled, path: str | Path) -> None:
    """Draw labelled results of the same n and truth into one picture."""
    first = results[0][1]
    figure = _figure((12.5, 4.6))
    grid = figure.subplots(1, 3, width_ratios=(1, 1, 0.95))
    for axes, name in zip(grid[:2], first.parameters, strict=True):
        _densities(axes, results, name)
        axes.set_xlabel(_scaled_label(first, name), fontsize=12)
    grid[0].set_ylabel("density")
    _coverage(grid[2], results, first.parameters)
    _title(
        figure,
        f"GMM of mean and standard deviation: {first.replications:,} samples of "
        f"n = {first.n:,} from N(0, 1)",
    )
    _legend(figure, grid[0], grid[2])
    figure.savefig(path, dpi=150)


def draw_study(result: Replications, path: str | Path | None, parameters: Sequence[str]) -> Any:
    """Draw one result: a row for each parameter, and one for J and coverage."""
    check_names(result.parameters, parameters, "parameter")
    k = len(parameters)
    figure = _figure((9.6, 3.1 * (k + 1) + 0.8))
    grid = figure.subplots(k + 1, 2)
    results = [("", result)]
    for (left, right), name in zip(grid, parameters, strict=False):
        _densities(left, results, name)
        left.set_xlabel(_scaled_label(result, name), fontsize=11)
        left.set_ylabel("density")
        _quantiles(right, result, name)
    _p_values(grid[k, 0], result)
    _coverage(grid[k, 1], results, parameters)
    _title(
        figure,
        f"{int(result.converged.sum()):,} of {result.replications:,} replications, "
        f"n = {result.n:,}",
    )
    _legend(figure, grid[0, 0], grid[k, 1])
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError(f"pictures need matplotlib; install it with: {install('plot')}") from None
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _title(figure: Any, text: str) -> None:
    figure.suptitle(text, fontsize=13, x=0.012, ha="left")


def _legend(figure: Any, *panels: Any) -> None:
    """One legend for the labels of several panels, each label once."""
    entries: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower left",
        ncols=len(entries),
        frameon=False,
        fontsize=10,
    )


def _symbol(name: str) -> str:
    return rf"$\{name}$" if name in _GREEK else name


def _scale(result: Replications, name: str) -> tuple[float, bool]:
    """The standard deviation that theory gives, if it does; else that of the replications."""
    reference = result.theory.get(name, {}).get("sd")
    if reference is not None:
        return reference.value, True
    return result.summary()[name]["sd"].value, False


def _scaled_label(result: Replications, name: str) -> str:
    symbol = _symbol(name)
    _, known = _scale(result, name)
    return f"(estimate − {symbol}) / {'sd in theory' if known else 'sd'}"


def _errors(result: Replications, name: str) -> tuple[Array, Array]:
    """Errors of the converged replications, and their standard errors."""
    column, ok = result.parameters.index(name), result.converged
    error: Array = result.estimates[ok, column] - result.truth[name]
    spread: Array = result.bse[ok, column]
    return error, spread


def _densities(axes: Any, results: Labelled, name: str) -> None:
    """Histograms of the scaled errors, and the standard normal density."""
    # Scott's rule for the normal distribution, up to what the eye can use.
    bins = min(84, math.ceil(8.4 / 3.49 * len(results[0][1].records) ** (1 / 3)))
    edges = np.linspace(-4.2, 4.2, bins + 1)
    for (label, result), color in zip(results, _colors(results), strict=True):
        error, _ = _errors(result, name)
        scale, _ = _scale(result, name)
        scaled = error / scale if scale > 0 else error
        counts, _ = np.histogram(scaled, edges)
        density = counts / (max(len(scaled), 1) * np.diff(edges))
        axes.stairs(density, edges, fill=True, color=color, alpha=0.22, lw=0)
        axes.stairs(density, edges, color=color, lw=1.3, label=label or "Monte Carlo")
    x = np.linspace(-4.2, 4.2, 400)
    normal = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    axes.plot(x, normal, color=_LIMIT, lw=1.2, ls=_DASHED, label="normal limit")
    axes.set_xlim(-4.2, 4.2)
    axes.set_ylim(bottom=0)
    _open(axes)


def _quantiles(axes: Any, result: Replications, name: str) -> None:
    """Quantiles of the t statistic against those of the normal distribution."""
    error, spread = _errors(result, name)
    with np.errstate(all="ignore"):
        t = error / spread
    t = t[np.isfinite(t)]
    if len(t):
        count = min(_QUANTILES, len(t))
        probability = (np.arange(count) + 0.5) / count
        normal = special.ndtri(probability)
        # Each quantile's 95 % Monte Carlo interval, by its order statistic's binomial spread.
        half = 1.96 * np.sqrt(probability * (1 - probability) / len(t))
        low, high = (np.quantile(t, np.clip(probability + sign * half, 0, 1)) for sign in (-1, 1))
        axes.fill_between(normal, low, high, color=_COLORS[0], alpha=0.25, lw=0)
        axes.plot(normal, np.quantile(t, probability), ".", ms=4, color=_COLORS[0])
    axes.axline((0, 0), slope=1, color=_LIMIT, lw=1.2, ls=_DASHED)
    axes.set_xlabel("normal quantile")
    axes.set_ylabel(f"quantile of t, {_symbol(name)}")
    _open(axes)


def _p_values(axes: Any, result: Replications) -> None:
    """How often J rejects at each nominal level (Davidson and MacKinnon 1998)."""
    _open(axes)
    if not result.df:
        axes.text(0.5, 0.5, "exactly identified:\nno J test", ha="center", va="center")
        axes.set_axis_off()
        return
    p = np.sort(result.j_pvalues[result.converged])
    levels = np.linspace(0, 0.25, 251)
    if len(p):
        rate = np.searchsorted(p, levels, side="right") / len(p)
        half = 1.96 * np.sqrt(rate * (1 - rate) / len(p))
        axes.fill_between(levels, rate - half, rate + half, color=_COLORS[0], alpha=0.25, lw=0)
        axes.plot(levels, rate, color=_COLORS[0], lw=1.5)
    axes.plot(levels, levels, color=_LIMIT, lw=1.2, ls=_DASHED)
    axes.axvline(0.05, color=_LIMIT, lw=1, ls=":")
    axes.set_xlim(0, 0.25)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("nominal level")
    axes.set_ylabel(f"rejection rate of J, {result.df} df")


def _coverage(axes: Any, results: Labelled, parameters: Sequence[str]) -> None:
    """Coverage with 95 % Monte Carlo intervals; exact theory where there is some."""
    spread = 0.34 * (len(results) - 1)
    exact_label = "exact coverage"
    for row, name in enumerate(reversed(parameters)):
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
    axes.set_yticks(range(len(parameters)), [_symbol(name) for name in reversed(parameters)])
    axes.tick_params(axis="y", labelsize=12, length=0)
    axes.set_ylim(-0.6, len(parameters) - 0.4)
    axes.margins(x=0.15)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    axes.set_xlabel("coverage, with 95 % Monte Carlo intervals")
    _open(axes)


def _open(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _colors(results: Sequence[Any]) -> list[str]:
    return [_COLORS[i % len(_COLORS)] for i in range(len(results))]
