"""Stacks of every small order against NumPy: is one slower, is there a cliff?

    python benchmarks/stacks.py                            # two minutes
    python benchmarks/stacks.py --dtype complex64 --nrhs 8 --kind 'positive definite'

Every stack has about as many elements, so that all lie equally deep in the caches. Beside the
stack the single call of each order is measured, the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from systems import Array, matrices, method, stack, system
from timing import (
    QUICK,
    Call,
    Effort,
    Timings,
    arguments,
    compare,
    machine,
    print_machine,
    write_json,
)

import smartsolve

EFFORT = Effort(turn=0.004, case=0.25, fewest=5, most=15)
ELEMENTS = 1 << 17
SEED = 40


def many(kind: str, n: int, dtype: str, nrhs: int) -> tuple[Array, Array]:
    return stack(kind, max(64, ELEMENTS // (n * n)), n, dtype, nrhs, SEED)


def peers(a: Array, b: Array) -> dict[str, Call]:
    functions = {"numpy": np.linalg.solve, "smartsolve": smartsolve.solve}
    return {
        name: Call("solve(a, b)", {"solve": solve, "a": a, "b": b})
        for name, solve in functions.items()
    }


def measure(n: int, kind: str, dtype: str, nrhs: int, effort: Effort) -> dict[str, Any]:
    a, b = many(kind, n, dtype, nrhs)
    method(a[:64], b[:64])  # the answer is NumPy's
    stacked = compare(peers(a, b), effort)
    alone = compare(peers(*system(kind, n, dtype, "C", nrhs, SEED)), effort)
    return {"n": n, "stack": summary(stacked, len(a)), "single": summary(alone, 1)}


def summary(timings: Timings, systems: int) -> dict[str, Any]:
    nanoseconds = {peer: timings.time(peer).median * 1e9 / systems for peer in timings.calls}
    return {"systems": systems, "ns": nanoseconds, "ratio": timings.ratio("numpy").as_dict()}


def print_row(found: dict[str, Any]) -> None:
    cells = [f"{found['n']:>4}"]
    for which in ("stack", "single"):
        ns, ratio = found[which]["ns"], found[which]["ratio"]
        cells.append(f"{ns['numpy']:>12,.1f}{ns['smartsolve']:>12,.1f}")
        cells.append(f"{ratio['median']:>8.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})".ljust(24))
    print("".join(cells).rstrip(), flush=True)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--dtype", default="float64", choices=matrices.DTYPES)
    parser.add_argument("--nrhs", type=int, default=1)
    parser.add_argument("--kind", default="general", choices=list(matrices.KINDS))
    parser.add_argument("--last", type=int, default=40, help="the largest order")
    options = parser.parse_args()
    facts = machine(options)
    print_machine(facts)
    effort = QUICK if options.quick else EFFORT
    print(f"{'':4}{'stack: numpy':>12}{'smartsolve':>12}{'ratio':>8}".ljust(52), end="")
    print(f"{'single: numpy':>12}{'smartsolve':>12}{'ratio':>8}   (ns a system)")
    found = []
    for n in range(1, options.last + 1):
        found.append(measure(n, options.kind, options.dtype, options.nrhs, effort))
        print_row(found[-1])
    write_json(options.json, facts, stacks=found)


if __name__ == "__main__":
    main()
