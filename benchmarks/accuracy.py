"""What proofs and all digits cost: beside a plain solve, and beside a loop over exact arithmetic.

    python benchmarks/accuracy.py
    python benchmarks/accuracy.py --orders 256 512

First `solve(a, b, accuracy=...)` as multiples of `solve(a, b)`, of random matrices and of those of
condition numbers 1e2 to 1e12. Then stacks of small systems beside a loop over the same systems of
mpmath (106 bits, `lu_solve`) and of python-flint (`arb_mat.solve` of 106 bits, whose balls hold the
solution), where they are installed; their conversion from arrays is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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

ORDERS = (64, 128, 256, 512, 1024)
KINDS = ("random", "1e2", "1e6", "1e10", "1e12")
STACKED, SYSTEMS = (2, 3, 4, 6, 8), 1000
BITS = 106
EFFORT = Effort(turn=0.02, case=2.0, fewest=5, most=11)
QUICK = Effort(turn=0.001, case=0.01, fewest=1, most=1)
HOW = ("certified", "full")
Loop = Callable[[], Any]


def make(kind: str, n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n))
    if kind != "random":
        u, _, v = np.linalg.svd(a)
        a = u * np.logspace(0, -np.log10(float(kind)), n) @ v
    return a, rng.standard_normal(n)


def calls(a: Any, b: Any) -> dict[str, Call]:
    names = {"a": a, "b": b, "solve": smartsolve.solve}
    accurate = {how: Call(f"solve(a, b, accuracy={how!r})", names) for how in HOW}
    return {"plain": Call("solve(a, b)", names), **accurate}


def loops(a: Any, b: Any) -> dict[str, Call]:
    """Of the packages that are here: all systems, one by one."""
    found: dict[str, Loop] = {}
    try:
        import mpmath

        mpmath.mp.prec = BITS
        systems = [
            (mpmath.matrix(m.tolist()), mpmath.matrix(v.tolist()))
            for m, v in zip(a, b, strict=True)
        ]
        found["mpmath"] = lambda: [mpmath.lu_solve(m, v) for m, v in systems]
    except ImportError:
        pass
    try:
        import flint

        flint.ctx.prec = BITS
        balls = [
            (flint.arb_mat(m.tolist()), flint.arb_mat([[t] for t in v.tolist()]))
            for m, v in zip(a, b, strict=True)
        ]
        found["flint"] = lambda: [m.solve(v) for m, v in balls]
    except ImportError:
        pass
    return {name: Call("loop()", {"loop": loop}) for name, loop in found.items()}


def row(name: str, cells: list[str]) -> None:
    print("| " + " | ".join([name, *cells]) + " |", flush=True)


def spread(t: Timings, peer: str, base: str) -> str:
    s = t.ratio(peer, base)
    return f"{s.median:.3g} ({s.low:.3g}-{s.high:.3g})"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=ORDERS)
    options = parser.parse_args()
    effort = QUICK if options.quick else EFFORT
    facts, found = machine(options), []
    print_machine(facts, markdown=True)
    print("| system | plain us | certified / plain | full / plain |\n|---|---|---|---|")
    for kind in KINDS:
        for n in options.orders:
            with smartsolve.errstate(ill_conditioned="ignore"):
                t = compare(calls(*make(kind, n)), effort, 0.0 if options.quick else pause_for(n))
            ratios = [spread(t, how, "plain") for how in HOW]
            row(f"{kind} {n}", [microseconds(t.time("plain").median), *ratios])
            found.append({"case": f"{kind} {n}", "peers": t.as_dict()})
    rng = np.random.default_rng(1)
    names: tuple[str, ...] = ()
    for n in STACKED:
        a, b = rng.standard_normal((SYSTEMS, n, n)), rng.standard_normal((SYSTEMS, n))
        t = compare(calls(a, b[..., None]) | loops(a, b), effort, 0.0)
        others = tuple(peer for peer in t.seconds if peer not in ("plain", *HOW))
        if not names:
            names = tuple(f"{other} / {how}" for other in others for how in HOW)
            print("\n| stack | certified ns a system | full | " + " | ".join(names) + " |")
            print("|---|---|---|" + "---|" * len(names))
        cells = [f"{t.time(how).median / SYSTEMS * 1e9:.0f}" for how in HOW]
        cells += [spread(t, other, how) for other in others for how in HOW]
        row(f"{SYSTEMS} of {n}x{n}", cells)
        found.append({"case": f"stack {n}", "peers": t.as_dict()})
    write_json(options.json, facts, cases=found)


if __name__ == "__main__":
    main()
