"""The table of measured ratios: smartsolve against NumPy and SciPy, case by case.

    python benchmarks/table.py                      # about five minutes
    python benchmarks/table.py --markdown > run.md  # for docs/benchmarks.md; progress on stderr
    python benchmarks/table.py --only 'banded'      # cases whose name the pattern finds
    python benchmarks/table.py --short run.json     # README's tables, from a run's --json

Ratios are medians of pairs taken in the same round, and their quartiles stand behind them. A
target is held ("yes"), missed ("no"), or lies between the quartiles ("about"). "limit" is one read
of the matrix by `np.dot`, or one copy of the stack by `np.copyto`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from cases import FASTER, LARGE, TINY, Case, Target, Variant, all_cases, kinds, memory_limit
from systems import matrices, method, solvers
from timing import (
    QUICK,
    Effort,
    Spread,
    Timings,
    arguments,
    compare,
    machine,
    microseconds,
    pause_for,
    print_machine,
    write_json,
)

EFFORT = Effort(turn=0.005, case=0.6, fewest=5, most=15)
SETTLED = Effort(turn=0.02, case=2.0, fewest=5, most=11)  # where threads and caches matter


@dataclass(frozen=True)
class Measured:
    case: Case
    method: str
    timings: Timings

    def ratio(self, target: Target) -> Spread:
        over = target.over
        if over == "faster":
            over = self.timings.fastest("numpy", "scipy")
        return self.timings.ratio(over)

    def verdict(self, target: Target) -> str:
        ratio = self.ratio(target)
        if ratio.median >= target.factor:
            return "yes"
        return "about" if ratio.high >= target.factor else "no"

    @property
    def held(self) -> str:
        """The worse verdict of the row's target and of "never slower than the faster one"."""
        verdicts = {self.verdict(self.case.target), self.verdict(FASTER)}
        return next(v for v in ("no", "about", "yes") if v in verdicts)

    def cells(self) -> list[str]:
        t = self.timings
        times = [
            microseconds(t.time(peer).median) if peer in t.calls else ""
            for peer in ("numpy", "scipy", "smartsolve", "limit")
        ]
        numpy, faster = self.ratio(Target(1, "numpy")), self.ratio(FASTER)
        goals = "; ".join(f"{goal}: {self.verdict(goal)}" for goal in self.case.goals)
        target = str(self.case.target)
        return [self.case.name, *times, spread(numpy), spread(faster), target, self.held, goals]

    def as_dict(self) -> dict[str, Any]:
        t = self.timings
        judged = {"target": self.case.target, **{f"goal {g}": g for g in self.case.goals}}
        return {
            "group": self.case.group,
            "case": self.case.name,
            "method": self.method,
            "peers": t.as_dict(),
            "ratios": {peer: t.ratio(peer).as_dict() for peer in t.calls if peer != "smartsolve"},
            "ratio to the faster": self.ratio(FASTER).as_dict(),
            "held": self.held,
            "verdicts": {name: [str(x), self.verdict(x)] for name, x in judged.items()},
        }


HEADER = (
    *("case", "numpy us", "scipy us", "smartsolve us", "limit us", "vs numpy", "vs the faster"),
    *("target", "held", "goals"),
)
WIDTHS = (32, 11, 11, 13, 9, 19, 19, 11, 5, 0)


def spread(ratio: Spread) -> str:
    """12.3 (11.9-12.6)"""
    digits = 2 if ratio.median < 10 else 1 if ratio.median < 100 else 0
    return f"{ratio.median:.{digits}f} ({ratio.low:.{digits}f}-{ratio.high:.{digits}f})"


def measure(case: Case, quick: bool) -> Measured:
    a, b = case.make()
    found = method(a, b)
    pause = 0.0 if quick else pause_for(case.n)
    effort = QUICK if quick else SETTLED if pause else EFFORT
    return Measured(case, found, compare(solvers(a, b) | memory_limit(case, a), effort, pause))


def print_row(cells: list[str], to: TextIO) -> None:
    columns = enumerate(zip(cells, WIDTHS, strict=True))
    padded = [cell.ljust(w) if i in (0, 9) else cell.rjust(w) for i, (cell, w) in columns]
    print("  ".join(padded).rstrip(), file=to, flush=True)


def worst_of_tiny(rows: list[Measured]) -> list[Measured]:
    """Of each tiny order, the structure with the smallest ratio, as a share of its target."""
    worst = []
    for n in TINY:
        group = [row for row in rows if row.case.group == f"{n}x{n}"]
        if group:
            worst.append(min(group, key=share_of_target))
    return worst


def share_of_target(row: Measured) -> float:
    return row.ratio(row.case.target).median / row.case.target.factor


def print_summary(rows: list[Measured]) -> None:
    print("\nThe worst structure of each tiny order")
    for row in worst_of_tiny(rows):
        print_row(row.cells(), sys.stdout)
    for verdict in ("no", "about"):
        found = [row for row in rows if row.held == verdict]
        print(f"\nHeld: {verdict} ({len(found)} of {len(rows)})")
        for row in found:
            print_row(row.cells(), sys.stdout)


def print_markdown(rows: list[Measured], variant: Variant) -> None:
    tiny = {f"{n}x{n}" for n in TINY}
    sides = "one right-hand side" if variant.nrhs == 1 else f"{variant.nrhs} right-hand sides"
    order = f"{variant.order or 'C'} order unless a row says more"
    print(f"{variant.dtype}, {sides}, {order}. Medians; in brackets the quartiles of the ratios.\n")
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER))
    for row in worst_of_tiny(rows):
        name, *rest = row.cells()
        print("| " + " | ".join([f"worst {row.case.group}: {name}", *rest]) + " |")
    for row in rows:
        if row.case.group not in tiny:
            print("| " + " | ".join(row.cells()) + " |")
    by_name = {row.case.name: row for row in rows}
    print("\nTiny matrices of every structure: times as fast as `numpy.linalg.solve`.\n")
    print("| structure | " + " | ".join(map(str, TINY)) + " |\n|" + "---|" * (len(TINY) + 1))
    for kind in kinds(variant.dtype):
        found = [by_name.get(f"{kind} {n}") for n in TINY]
        if any(found):
            figures = [f"{r.timings.ratio('numpy').median:.1f}" if r else "" for r in found]
            print(f"| {kind} | " + " | ".join(figures) + " |")


# README's rows of single systems. Of a tiny order it shows the worst and the best structure.
SHORT = (
    *(f".* {n}" for n in (2, 4, 8, 16)),
    *(f"general {n}" for n in (32, 128, 256, 512, 1024, 2048)),
    *(f"positive definite {n}" for n in (64, 256, 2048)),
    *(f"{kind} {LARGE}, C" for kind in ("diagonal", "tridiagonal", "banded", "upper triangular")),
    *(f"{kind} {LARGE}, C" for kind in ("permuted triangular", "upper hessenberg", "circulant")),
    *(f"{kind} {LARGE}, C" for kind in ("block triangular", "permuted banded", "sparse")),
    f"symmetric {LARGE}, C",
)


def print_short(facts: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """The ratios of a run in two small tables."""
    print_machine(facts, markdown=True)
    print("| one system, one right-hand side, float64, C order | times NumPy's speed "
          "| times the faster of NumPy and SciPy |\n|---|---:|---:|")  # fmt: skip
    for pattern in SHORT:
        found = [row for row in rows if re.fullmatch(pattern, row["case"])]
        if found:
            name = pattern.removesuffix(", C").replace(".*", "any structure of order")
            numpy = span(row["ratios"]["numpy"]["median"] for row in found)
            faster = span(row["ratio to the faster"]["median"] for row in found)
            print(f"| {name} | {numpy} | {faster} |")
    print("\n| stack | times NumPy's speed |\n|---|---:|")
    for row in rows:
        if row["group"] == "stack":
            print(f"| {row['case']} | {span([row['ratios']['numpy']['median']])} |")


def span(ratios: Iterable[float]) -> str:
    """6.1, or 27 to 39"""
    figures = [f"{r:.{1 if r < 20 else 0}f}" for r in sorted(ratios)]
    ends = (figures[0], figures[-1])
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    parser.add_argument("--only", metavar="PATTERN", default="", help="a regular expression")
    parser.add_argument("--full", action="store_true", help="4096 as well")
    parser.add_argument("--dtype", default="float64", choices=matrices.DTYPES)
    parser.add_argument("--nrhs", type=int, default=1, metavar="K")
    parser.add_argument("--order", choices=("C", "F"), help="default: C, and F at 2048")
    parser.add_argument("--short", metavar="FILE", help="print README's tables of that --json FILE")
    options = parser.parse_args()
    if options.short:
        run = json.loads(Path(options.short).read_text())
        print_short(run["machine"], run["rows"])
        return
    variant = Variant(options.dtype, options.nrhs, options.order)
    facts = machine(options)
    live = sys.stderr if options.markdown else sys.stdout
    print_machine(facts, options.markdown)
    print_row(list(HEADER), live)
    rows = []
    for case in all_cases(variant, options.full):
        if re.search(options.only, case.name):
            rows.append(measure(case, options.quick))
            print_row(rows[-1].cells(), live)
    if options.markdown:
        print_markdown(rows, variant)
    else:
        print_summary(rows)
    shown = {"dtype": variant.dtype, "nrhs": variant.nrhs, "order": variant.order or "C"}
    write_json(options.json, facts, variant=shown, rows=[row.as_dict() for row in rows])


if __name__ == "__main__":
    main()
