"""Mixed precision: `solve(a, b, precision="mixed")` against `solve(a, b)` and NumPy.

    python benchmarks/mixed.py
    python benchmarks/mixed.py --dtype complex128 --nrhs 8

Times, ratios, and the backward errors of the default and of the mixed solution in units of eps.
The ill-conditioned matrices are found to be so in single precision, after it was tried in vain:
what a permission costs that does not help.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from systems import Array, system
from timing import (
    Call,
    Effort,
    Timings,
    arguments,
    compare,
    machine,
    microseconds,
    pause_for,
    print_machine,
    write_json,
)

import smartsolve

SEED = 32
ORDERS = (768, 1024, 2048, 4096)
KINDS = ("general", "positive definite", "ill-conditioned")
EFFORT = Effort(turn=0.02, case=2.0, fewest=5, most=11)
QUICK = Effort(turn=0.001, case=0.01, fewest=1, most=1)
HEADER = ("case", "numpy us", "default us", "mixed us", "numpy / mixed", "default / mixed")


def make(kind: str, n: int, dtype: str, nrhs: int) -> tuple[Array, Array]:
    if kind != "ill-conditioned":
        return system(kind, n, dtype, "C", nrhs, SEED)
    a, b = system("general", n, dtype, "C", nrhs, SEED)
    a[:, 0] = a[:, 1] * (1 + 1e-9 * np.arange(n) / n)
    return a, b


def peers(a: Array, b: Array) -> dict[str, Call]:
    names = {"a": a, "b": b, "solve": smartsolve.solve}
    return {
        "numpy": Call("solve(a, b)", names | {"solve": np.linalg.solve}),
        "default": Call("solve(a, b)", names),
        "mixed": Call("solve(a, b, precision='mixed')", names),
    }


def backward_errors(a: Array, b: Array) -> list[float]:
    eps = float(np.finfo(np.float64).eps)
    options: tuple[dict[str, Any], ...] = ({}, {"precision": "mixed"})
    infos = [smartsolve.solve(a, b, return_info=True, **option)[1] for option in options]
    return [float(info.backward_error) / eps for info in infos]


def print_row(name: str, t: Timings, errors: list[float]) -> None:
    times = [microseconds(t.time(peer).median) for peer in ("numpy", "default", "mixed")]
    spreads = [t.ratio(peer, "mixed") for peer in ("numpy", "default")]
    ratios = [f"{s.median:.2f} ({s.low:.2f}-{s.high:.2f})" for s in spreads]
    cells = [name, *times, *ratios, *(f"{error:.2g}" for error in errors)]
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--dtype", default="float64", choices=("float64", "complex128"))
    parser.add_argument("--nrhs", type=int, default=1)
    parser.add_argument("--orders", type=int, nargs="+", default=ORDERS)
    options = parser.parse_args()
    facts, found = machine(options), []
    print_machine(facts, markdown=True)
    header = (*HEADER, "default error", "mixed error")
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for kind in KINDS:
        for n in options.orders:
            a, b = make(kind, n, options.dtype, options.nrhs)
            effort, pause = (QUICK, 0.0) if options.quick else (EFFORT, pause_for(n))
            timings, errors = compare(peers(a, b), effort, pause), backward_errors(a, b)
            print_row(f"{kind} {n}", timings, errors)
            found.append(
                {"case": f"{kind} {n}", "peers": timings.as_dict(), "backward errors": errors}
            )
    write_json(options.json, facts, dtype=options.dtype, nrhs=options.nrhs, cases=found)


if __name__ == "__main__":
    main()
