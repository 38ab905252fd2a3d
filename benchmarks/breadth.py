"""Repeated solves with kept factors, and stacks of regressions, against NumPy and SciPy.

    python benchmarks/breadth.py

One right-hand side at a time, the matrix factored before: `scipy.linalg.lu_solve` has its factors,
too, and NumPy, which keeps none, factors anew. Regressions: a loop of `numpy.linalg.lstsq`, as
simulations are written, over a stack that `smartsolve.mldivide` takes whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from systems import matrices, system
from timing import (
    QUICK,
    Call,
    Effort,
    Timings,
    arguments,
    compare,
    machine,
    microseconds,
    print_machine,
    write_json,
)

import smartsolve

SEED = 4
ORDERS = (2, 4, 8, 16, 32, 64, 128, 512)
REGRESSIONS = ((20, 3), (50, 3), (50, 6), (100, 3), (100, 10), (1000, 5))
LOOP = "for ai, bi in pairs: lstsq(ai, bi, rcond=None)"


def repeated(n: int, effort: Effort) -> Timings:
    a, b = system("general", n, "float64", "C", 1, SEED)
    names = {"a": a, "b": b, "f": smartsolve.factorize(a), "lu": scipy.linalg.lu_factor(a)}
    return compare(
        {
            "numpy": Call("solve(a, b)", names | {"solve": np.linalg.solve}),
            "scipy": Call("lu_solve(lu, b)", names | {"lu_solve": scipy.linalg.lu_solve}),
            "smartsolve": Call("f.solve(b)", names),
        },
        effort,
    )


def regressions(m: int, n: int, effort: Effort) -> Timings:
    """Times are of 1000 systems."""
    rng = np.random.default_rng([SEED, m, n])
    a = matrices.random_rhs((1000, m, n), "float64", rng)
    b = matrices.random_rhs((1000, m, 1), "float64", rng)
    pairs = list(zip(a, b[..., 0], strict=True))
    return compare(
        {
            "numpy": Call(LOOP, {"pairs": pairs, "lstsq": np.linalg.lstsq}),
            "smartsolve": Call("mldivide(a, b)", {"mldivide": smartsolve.mldivide, "a": a, "b": b}),
        },
        effort,
    )


def print_row(name: str, t: Timings, systems: int = 1) -> dict[str, Any]:
    cells = [name.ljust(14)]
    for peer in t.seconds:
        width = 12 if peer == "smartsolve" else 10
        cells.append(microseconds(t.time(peer).median / systems).rjust(width))
    cells += [f"{t.ratio(peer).median:10.1f}" for peer in t.seconds if peer != "smartsolve"]
    print("".join(cells), flush=True)
    return {"case": name, "systems": systems, "timings": t.as_dict()}


def main() -> None:
    options = arguments(__doc__).parse_args()
    effort = QUICK if options.quick else Effort(case=0.3)
    facts, found = machine(options), []
    print_machine(facts)
    print("Factored before, one solve: microseconds, and how many times ours is as fast")
    print(f"{'n':<14}{'numpy':>10}{'scipy':>10}{'smartsolve':>12}{'vs numpy':>10}{'vs scipy':>10}")
    found += [print_row(str(n), repeated(n, effort)) for n in ORDERS]
    print("\nA regression of a stack of 1000")
    print(f"{'m x n':<14}{'numpy':>10}{'smartsolve':>12}{'vs numpy':>10}")
    for m, n in REGRESSIONS:
        found.append(print_row(f"{m} x {n}", regressions(m, n, effort), 1000))
    write_json(options.json, facts, cases=found)


if __name__ == "__main__":
    main()
