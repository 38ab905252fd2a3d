"""Pictures of the speed against the order n, and the worst of each in words.

    python benchmarks/plots.py                           # all four, ten minutes
    python benchmarks/plots.py stacks --json stacks.json # one of them, and its figures
    python benchmarks/plots.py --draw *.json             # from one run or several, not measuring

calls       one call, a few structures, against NumPy, SciPy and, if installed, JAX
stacks      stacks of every order from 1 to 40, against the same
structures  every structure, against the faster of NumPy and SciPy
tiny        orders 1 to 40: dtypes, memory orders, 1 to 8 right-hand sides, against NumPy

A picture has many points, and few rounds for each: it shows the ratio of the fastest turns, which a
busy moment of the machine does not change. `table.py` has medians and quartiles.
JAX is compiled before it is timed, has its arrays made, and works in double precision on the CPU.
In words: what is slower than a peer, and steps: where the time falls from one order to the next,
or grows faster than n cubed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pictures
from pictures import NAMES, Row
from stacks import many
from systems import Array, jax_solver, load_jax, matrices, method, solvers, system
from timing import (
    QUICK,
    Effort,
    arguments,
    compare,
    machine,
    pause_for,
    print_machine,
    write_json,
)

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SEED = 1948
FIRST = ("general", "positive definite", "symmetric", "upper triangular", "tridiagonal", "diagonal")
TINY = ("general", "positive definite", "upper triangular")
# Complex symmetric matrices are a structure of their own, Hermitian ones are complex.
COMPLEX = {"symmetric": ("float64", "complex128"), "hermitian": ("complex128",)}
SIDES = (1, 2, 4, 8)
EVERY = range(1, 41)
POWERS = tuple(2**k for k in range(12))
HALF_POWERS = tuple(sorted({*POWERS, 3, *(round(2 ** (k + 0.5)) for k in range(2, 11))}))

EFFORT = Effort(turn=0.004, case=0.2, fewest=5, most=15)
SETTLED = Effort(turn=0.008, case=1.0, fewest=5, most=7)  # where threads have to be woken
SHORT = Effort(turn=0.001, case=0.016, fewest=7, most=9)  # of the very many tiny systems
STEP = 1.25


# --- what is measured ----------------------------------------------------------------------------


def calls(options: argparse.Namespace) -> Iterator[Row]:
    for n in large_orders(HALF_POWERS, options):
        for kind in chosen(FIRST, options):
            yield one_call(kind, n, "float64", "C", 1, ("numpy", "scipy", "jax"), EFFORT, options)


def stacks(options: argparse.Namespace) -> Iterator[Row]:
    for n in small_orders(options):
        for kind in chosen(("general", "positive definite"), options):
            a, b = many(kind, n, "float64", 1)
            method(a[:64], b[:64])  # the answer is NumPy's
            seconds = measured(a, b, ("numpy", "scipy", "jax"), EFFORT, options)
            yield Row(kind, n, "float64", "C", 1, seconds)


def structures(options: argparse.Namespace) -> Iterator[Row]:
    for n in large_orders(POWERS, options):
        for kind in chosen(matrices.KINDS, options):
            for dtype in COMPLEX.get(kind, ("float64",)):
                yield one_call(kind, n, dtype, "C", 1, ("numpy", "scipy"), EFFORT, options)


def tiny(options: argparse.Namespace) -> Iterator[Row]:
    for n in small_orders(options):
        for kind in chosen(TINY, options):
            for dtype in ("float64", "float32", "complex128", "complex64"):
                for order in ("C", "F"):
                    for nrhs in SIDES:
                        yield one_call(kind, n, dtype, order, nrhs, ("numpy",), SHORT, options)


MEASURE: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "calls": calls,
    "stacks": stacks,
    "structures": structures,
    "tiny": tiny,
}


def large_orders(orders: Iterable[int], options: argparse.Namespace) -> list[int]:
    last = 128 if options.quick else 4096
    return [n for n in (*orders, *([4096] if options.full else [])) if n <= last]


def small_orders(options: argparse.Namespace) -> list[int]:
    return list(EVERY)[:: 4 if options.quick else 1]


def chosen(kinds: Iterable[str], options: argparse.Namespace) -> list[str]:
    return [kind for kind in kinds if options.kind is None or kind in options.kind]


def one_call(
    kind: str,
    n: int,
    dtype: str,
    order: str,
    nrhs: int,
    peers: Sequence[str],
    effort: Effort,
    options: argparse.Namespace,
) -> Row:
    a, b = system(kind, n, dtype, order, nrhs, SEED)
    method(a, b)  # the answer is NumPy's
    return Row(kind, n, dtype, order, nrhs, measured(a, b, peers, effort, options))


def measured(
    a: Array, b: Array, peers: Sequence[str], effort: Effort, options: argparse.Namespace
) -> dict[str, float]:
    """Seconds a system in the fastest turn, of smartsolve and the peers that are installed."""
    everyone = solvers(a, b) | (jax_solver(a, b) if "jax" in peers else {})
    calls = {peer: call for peer, call in everyone.items() if peer in (*peers, "smartsolve")}
    pause = 0.0 if options.quick else pause_for(a.shape[-1])
    timings = compare(calls, QUICK if options.quick else SETTLED if pause else effort, pause)
    systems = a.shape[0] if a.ndim > 2 else 1
    return {peer: min(seconds) / systems for peer, seconds in timings.seconds.items()}


# --- in words ------------------------------------------------------------------------------------


def report(picture: str, rows: list[Row]) -> None:
    print(f"\n{picture}: {len(rows)} measured")
    for peer in NAMES:
        found = sorted((r for r in rows if peer in r.peers), key=lambda r: r.ratio(peer))
        slower = sum(row.ratio(peer) < 1 for row in found)
        if found:
            print(f"slower than {NAMES[peer]}: {slower}; the smallest ratios")
        for row in found[: max(3, min(slower, 12))]:
            print(f"    {row.ratio(peer):7.2f}  {name(row)}")
    print(f"steps of more than {STEP:g} between neighbouring orders, the highest of each place")
    for height, row in highest_steps(rows):
        print(f"    {height:7.2f}  {name(row)}, and {row.n + 1}")
    if picture == "tiny":
        report_shape(rows)


def highest_steps(rows: list[Row]) -> list[tuple[float, Row]]:
    """Of each structure and order, where the times of n and n + 1 differ as no one method's do:
    they fall, or grow faster than n cubed."""
    highest: dict[tuple[str, int], tuple[float, Row]] = {}
    for curve in pictures.curves(rows).values():
        for row, after in pairwise(curve):
            grown = after.seconds["smartsolve"] / row.seconds["smartsolve"]
            height = max(1 / grown, grown / (after.n / row.n) ** 3)
            place = row.kind, row.n
            if after.n == row.n + 1 and height > max(STEP, highest.get(place, (0.0, row))[0]):
                highest[place] = height, row
    return sorted(highest.values(), key=lambda found: -found[0])


def report_shape(rows: list[Row]) -> None:
    """Ratios as shares of that of float64, C order, one right-hand side."""
    usual = {(r.kind, r.n): r.ratio("numpy") for r in rows if r.curve[1:] == ("float64", "C", 1)}
    print(
        "below half of the ratio of float64, C order, one right-hand side: how many, the smallest"
    )
    for curve in pictures.curves(rows).values():
        shares = [(row.ratio("numpy") / usual[row.kind, row.n], row) for row in curve]
        below = sum(share < 0.5 for share, _ in shares)
        share, row = min(shares, key=lambda found: found[0])
        if below:
            of_all = f"{below} of {len(curve)}"
            print(f"    {of_all:>8}  {share:5.2f} x {usual[row.kind, row.n]:5.2f}  {name(row)}")


def name(row: Row) -> str:
    return f"{row.kind}, {row.dtype}, {row.order} order, nrhs {row.nrhs}, n = {row.n}"


# --- the run -------------------------------------------------------------------------------------


def kept(files: list[Path]) -> tuple[dict[str, str], dict[str, list[Row]]]:
    """The machine, and the rows of several runs on it: of one case the fastest turns."""
    facts: dict[str, str] = {}
    rows: dict[str, dict[tuple[object, ...], Row]] = {}
    for file in files:
        content = json.loads(file.read_text())
        facts = content.pop("machine")
        for picture, found in content.items():
            known = rows.setdefault(picture, {})
            for row in (Row(**row) for row in found):
                known[row.curve, row.n] = known.get((row.curve, row.n), row).faster_of(row)
    return facts, {picture: list(found.values()) for picture, found in rows.items()}


def small_print(facts: dict[str, str], rows: list[Row]) -> str:
    instructions = facts["instruction set"].split(" (of")[0]
    peers = [NAMES[peer] for peer in rows[0].peers]
    versions = [f"{peer} {facts[peer].split(',')[0]}" for peer in peers]
    return ", ".join([facts["processor"], f"{facts['cores']} cores", instructions, *versions])


def main() -> None:
    parser = arguments(__doc__)
    # Checked below: with choices, argparse would refuse an empty list of pictures.
    parser.add_argument("pictures", nargs="*", metavar="PICTURE", help=f"of {', '.join(MEASURE)}")
    parser.add_argument("--kind", nargs="+", choices=list(matrices.KINDS), metavar="KIND")
    parser.add_argument("--full", action="store_true", help="4096 as well")
    parser.add_argument("--draw", type=Path, nargs="+", metavar="FILE", help="do not measure")
    parser.add_argument("--to", type=Path, default=IMAGES, metavar="DIR", help="docs/images")
    options = parser.parse_args()
    if unknown := set(options.pictures) - set(MEASURE):
        parser.error(f"no picture {', '.join(unknown)}; there are {', '.join(MEASURE)}")
    pictures.new_figure((1, 1))  # says in time if matplotlib is missing
    if options.draw:
        facts, rows = kept(options.draw)
        for picture, found in rows.items():
            report(picture, found)
    else:
        facts, rows = machine(options), {}
        if (jax := load_jax()) is not None:
            facts["JAX"] = jax.__version__
        print_machine(facts)
        for picture in options.pictures or MEASURE:
            if found := list(MEASURE[picture](options)):  # not each has each structure
                rows[picture] = found
                report(picture, found)
        kept_rows = {picture: [asdict(row) for row in found] for picture, found in rows.items()}
        write_json(options.json, facts, **kept_rows)
    options.to.mkdir(parents=True, exist_ok=True)
    for picture, found in rows.items():
        figure = pictures.DRAW[picture](found, small_print(facts, found))
        pictures.save(figure, options.to / f"{picture}.png")


if __name__ == "__main__":
    main()
