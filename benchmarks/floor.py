"""A tiny call against its floor: making the array for the result, and the kernel.

    python benchmarks/floor.py               # half a minute
    python benchmarks/floor.py --markdown    # for docs/benchmarks.md; progress on stderr

`np.empty(n)`, the kernel alone (the native steps of the same call over and over, from the scan to
the verdict) and `solve(a, b)`, in turn. What a call takes beyond its kernel, it may take 1.35 times
as long as `np.empty(n)`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from cases import kinds
from systems import Array, matrices, method, system
from timing import (
    QUICK,
    Call,
    Effort,
    Spread,
    Timings,
    arguments,
    compare,
    machine,
    print_machine,
    write_json,
)

import smartsolve
from smartsolve import _core

ORDERS = (2, 3, 4)
TARGET = 1.35
KERNELS = 100  # in one call, so that the call itself is not seen
EFFORT = Effort(turn=0.003, case=0.3, fewest=5, most=25)
SEED = 2010
HEADER = ("structure", "n", "np.empty ns", "kernel ns", "solve ns", "numpy ns", "beyond the kernel")


@dataclass(frozen=True)
class Measured:
    kind: str
    n: int
    timings: Timings

    @property
    def beyond(self) -> Spread:
        """The call less its kernel, in units of `np.empty(n)`, round by round."""
        rounds = self.timings.seconds
        turns = zip(rounds["smartsolve"], rounds["kernels"], rounds["empty"], strict=True)
        return Spread.of([(call - kernels / KERNELS) / empty for call, kernels, empty in turns])

    @property
    def held(self) -> str:
        if self.beyond.median <= TARGET:
            return "yes"
        return "about" if self.beyond.low <= TARGET else "no"

    def nanoseconds(self, peer: str) -> float:
        return self.timings.time(peer).median * 1e9

    def cells(self) -> list[str]:
        times = [
            self.nanoseconds("empty"),
            self.nanoseconds("kernels") / KERNELS,
            self.nanoseconds("smartsolve"),
            self.nanoseconds("numpy"),
        ]
        figures = [f"{t:,.0f}" if t >= 100 else f"{t:.3g}" for t in times]
        b = self.beyond
        return [self.kind, str(self.n), *figures, f"{b.median:.2f} ({b.low:.2f}-{b.high:.2f})"]


def calls(a: Array, b: Array) -> dict[str, Call]:
    names = {"a": a, "b": b, "n": len(b), "times": KERNELS}
    return {
        "empty": Call("empty(n)", names | {"empty": np.empty}),
        "kernels": Call("solve_again(a, b, times)", names | {"solve_again": _core.solve_again}),
        "smartsolve": Call("solve(a, b)", names | {"solve": smartsolve.solve}),
        "numpy": Call("solve(a, b)", names | {"solve": np.linalg.solve}),
    }


def measure(kind: str, n: int, dtype: str, effort: Effort) -> Measured:
    a, b = system(kind, n, dtype, "C", 1, SEED)
    method(a, b)  # the answer is NumPy's
    return Measured(kind, n, compare(calls(a, b), effort))


def print_markdown(worst: list[Measured]) -> None:
    header = (*HEADER, f"at most {TARGET}")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in worst:
        print("| worst: " + " | ".join([*row.cells(), row.held]) + " |")


def print_worst(worst: list[Measured]) -> None:
    print()
    for row in worst:
        print(
            f"n = {row.n}, worst: {row.kind}; beyond the kernel {row.beyond.median:.2f} times "
            f"np.empty({row.n}), at most {TARGET}: {row.held}"
        )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--markdown", action="store_true", help="print a table for the docs")
    parser.add_argument("--dtype", default="float64", choices=matrices.DTYPES)
    options = parser.parse_args()
    facts = machine(options)
    print_machine(facts, options.markdown)
    live = sys.stderr if options.markdown else sys.stdout
    effort = QUICK if options.quick else EFFORT
    rows = []
    for n in ORDERS:
        for kind in kinds(options.dtype):
            rows.append(measure(kind, n, options.dtype, effort))
            name, *cells = rows[-1].cells()
            print(f"{name:<20}", *(f"{cell:>12}" for cell in cells), file=live, flush=True)
    worst = [max((r for r in rows if r.n == n), key=lambda r: r.beyond.median) for n in ORDERS]
    if options.markdown:
        print_markdown(worst)
    else:
        print_worst(worst)
    found = [
        {"kind": r.kind, "n": r.n, "peers": r.timings.as_dict(), "beyond": r.beyond.as_dict()}
        for r in rows
    ]
    write_json(options.json, facts, dtype=options.dtype, kernels=KERNELS, rows=found)


if __name__ == "__main__":
    main()
