"""`import smartsolve` against `import numpy`, in fresh processes in turn.

The target: at most 30 ms more than NumPy alone. `scipy.linalg` is shown for what is not imported
before the first solve that needs it.
"""

from __future__ import annotations

import subprocess
import sys
import time

from timing import Spread, arguments, machine, print_machine, write_json

TARGET = 0.030
STATEMENTS = {
    "nothing": "pass",
    "numpy": "import numpy",
    "smartsolve": "import smartsolve",
    "scipy.linalg": "import scipy.linalg",
}


def seconds(statement: str) -> float:
    # -P: the installed package, not the source tree one happens to stand in.
    start = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    options = arguments(__doc__).parse_args()
    rounds = 3 if options.quick else 21
    facts = machine(options)
    print_machine(facts)
    for statement in STATEMENTS.values():
        seconds(statement)  # files into the page cache, bytecode written
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            taken[name].append(seconds(statement))

    print(f"{'process':<24} {'ms':>7}   quartiles of {rounds} rounds")
    for name, values in taken.items():
        print_times(name, Spread.of(values))
    pairs = zip(taken["smartsolve"], taken["numpy"], strict=True)
    more = Spread.of([ours - numpy for ours, numpy in pairs])
    print_times("smartsolve beyond numpy", more)
    held = more.median <= TARGET
    print(f"\nat most {TARGET * 1e3:.0f} ms beyond numpy: {'yes' if held else 'no'}")
    times = {name: Spread.of(values).as_dict() for name, values in taken.items()}
    write_json(options.json, facts, seconds=times, beyond_numpy=more.as_dict(), held=held)


def print_times(name: str, spread: Spread) -> None:
    print(f"{name:<24} {spread.median * 1e3:7.1f}   {spread.low * 1e3:.1f}-{spread.high * 1e3:.1f}")


if __name__ == "__main__":
    main()
