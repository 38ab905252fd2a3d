"""A solve takes less than twice its time while it is profiled, tiny ones included.

A loop of solves with and without the recorder of `python -m smartsolve profile`, in turn.
"""

from __future__ import annotations

import time

import numpy as np
from systems import system
from timing import (
    PAUSE,
    QUICK,
    Call,
    Effort,
    arguments,
    compare,
    machine,
    microseconds,
    print_machine,
    write_json,
)

from smartsolve._profile.recorder import record

ORDERS = (2, 4, 16, 64)
LIMIT = 2.0


def main() -> None:
    options = arguments(__doc__).parse_args()
    facts = machine(options)
    print_machine(facts)
    print(f"{'order':>5}{'alone us':>12}{'profiled us':>14}{'ratio':>8}  held")
    rows = []
    for n in ORDERS:
        a, b = system("general", n, "float64", "C", 1, 2010)
        alone = np.linalg.solve
        with record():
            calls = {
                name: Call("solve(a, b)", {"solve": solve, "a": a, "b": b})
                for name, solve in (("alone", alone), ("profiled", np.linalg.solve))
            }
            time.sleep(PAUSE)  # the recorder loads LAPACK, whose threads are still awake
            timings = compare(calls, QUICK if options.quick else Effort())
        ratio = timings.ratio("profiled", "alone")
        times = [microseconds(timings.time(name).median) for name in calls]
        held = "yes" if ratio.median < LIMIT else "no"
        print(f"{n:>5}{times[0]:>12}{times[1]:>14}{ratio.median:8.2f}  {held}")
        rows.append({"n": n, "peers": timings.as_dict(), "ratio": ratio.as_dict()})
    write_json(options.json, facts, rows=rows)


if __name__ == "__main__":
    main()
