"""Sparse systems: time against the number of unknowns, of grids in two and three dimensions.

    python benchmarks/sparse_growth.py --json growth.json           # every peer, half an hour
    python benchmarks/sparse_growth.py --peers smartsolve           # names that the pattern finds
    python benchmarks/sparse_growth.py --draw growth.json           # docs/images/sparse-growth.png

Cholesky's flops grow as n^1.5 in two dimensions and as n^2 in three, in the best of orders
(George, SIAM J. Numer. Anal. 10, 1973). The exponents are those of the larger half of the grids,
by least squares of the logarithms. A peer ends with the first grid beyond its limit of time.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from pictures import DPI, GREY, WIDTH
from sparse_systems import PEERS, WRONG, growth_cases, installed, run
from timing import arguments, machine, print_machine, write_json

IMAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "sparse-growth.png"
LIMIT = 20.0
THEORY = {2: 1.5, 3: 2.0}
# Okabe and Ito's colours, and a mark for each.
LOOKS = {
    "smartsolve": ("#000000", "D"),
    "spsolve": ("#D55E00", "s"),
    "splu symmetric": ("#E69F00", "v"),
    "CHOLMOD": ("#0072B2", "o"),
    "PARDISO": ("#009E73", "^"),
    "UMFPACK": ("#56B4E9", "P"),
    "KLU": ("#CC79A7", "X"),
    "Octave": ("#0072B2", "*"),
}


def exponent(unknowns: list[int], seconds: list[float]) -> float:
    half = max(2, len(unknowns) // 2)
    return float(np.polyfit(np.log(unknowns[-half:]), np.log(seconds[-half:]), 1)[0])


def growth(peer: str, dimensions: int, limit: float) -> dict[str, Any] | None:
    """Unknowns, seconds and peak bytes, grid by grid."""
    points = []
    for name, (d, n, _) in growth_cases().items():
        if d != dimensions:
            continue
        found = run(name, peer, limit)
        if found is None or found["error"] > WRONG or not found["seconds"] < limit:
            break
        points.append((n, found["seconds"], found["peak"]))
    if len(points) < 2:
        return None
    unknowns, seconds, _ = map(list, zip(*points, strict=True))
    grows = exponent(unknowns, seconds)
    print(f"{peer}, {dimensions}-D: n^{grows:.2f}; {unknowns[-1]:,} in {seconds[-1]:.3g} s")
    return {"peer": peer, "dimensions": dimensions, "points": points, "exponent": grows}


def draw(rows: list[dict[str, Any]], about: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(WIDTH, 4.3), layout="constrained", sharey=True)
    for axes, dimensions in zip(panels, THEORY, strict=True):
        for row in (row for row in rows if row["dimensions"] == dimensions):
            n, seconds, _ = np.array(row["points"], float).T
            color, mark = LOOKS.get(row["peer"], (GREY, "."))
            ours = row["peer"] == "smartsolve"
            axes.loglog(
                *(n, seconds),
                color=color,
                marker=mark,
                markersize=5 if ours else 4,
                linewidth=2 if ours else 1.2,
                zorder=3 if ours else 2,
                label=f"{row['peer']}: $n^{{{row['exponent']:.2f}}}$",
            )
            if ours:
                guide = seconds[-1] * (n / n[-1]) ** THEORY[dimensions] / 3
                text = f"slope of the flops: $n^{{{THEORY[dimensions]:g}}}$"
                axes.loglog(n, guide, ":", color=GREY, linewidth=1.2, label=text)
        axes.set_title(f"grid in {dimensions} dimensions", fontsize=10)
        axes.set_xlabel("unknowns n")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, frameon=False, loc="upper left")
    panels[0].set_ylabel("seconds, one right-hand side")
    figure.supxlabel(about, fontsize=7.5, color=GREY)
    figure.savefig(IMAGE, dpi=DPI)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--peers", metavar="PATTERN", default="")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds of one call")
    parser.add_argument(
        "--draw", nargs="+", type=Path, metavar="JSON", help="of one run or several"
    )
    options = parser.parse_args()
    if options.draw:
        runs = [json.loads(file.read_text()) for file in options.draw]
        draw([row for run in runs for row in run["growth"]], described(runs[0]["machine"]))
        return
    facts = machine(options)
    print_machine(facts)
    peers = [p for p in [*PEERS, "Octave"] if installed(p) and re.search(options.peers, p)]
    found = [growth(peer, d, options.limit) for peer in peers for d in THEORY]
    write_json(options.json, facts, growth=[row for row in found if row])


def described(facts: dict[str, Any]) -> str:
    return f"{facts['processor']}, {facts['cores']} cores; SciPy {facts['SciPy'].split(',')[0]}"


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
