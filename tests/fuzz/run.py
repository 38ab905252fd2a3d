"""Fuzz by hand, for as long as one likes.

    python -P tests/fuzz/run.py --seconds 3600 --keep failures
    python -P tests/fuzz/run.py --only patched --seed 17

Of each seed there is a system, a least-squares problem, a pair of types, and a call of another
library's function. Each failure is kept as a .npz with the operands and as a line in failures.txt;
`--seed N` repeats one. Several processes with different `--from` share no seed for a million cases.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

sys.path.append(str(Path(__file__).parents[2]))  # last: the installed package is tested

from tests.fuzz import cases, least_squares, oracles, patched, promotion

FUZZERS = {
    "systems": (cases.make, oracles.complaints),
    "least_squares": (least_squares.make, least_squares.complaints),
    "promotion": (promotion.make, promotion.complaints),
    "patched": (patched.make, patched.complaints),
}


def main() -> int:
    """The number of failures, at most 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--only", choices=FUZZERS, action="append", help="of the kinds of cases")
    parser.add_argument("--keep", type=Path, help="a directory for what fails")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + options.seconds
    seed, count, failures = options.first, 0, 0
    if options.seed is not None:
        seed = options.seed
    while time.monotonic() < ends:
        for name in options.only or FUZZERS:
            make, complaints = FUZZERS[name]
            case: Any = make(seed)
            found = complaints(case)
            count += 1
            if found:
                failures += 1
                report(name, case, found, options.keep)
        if options.seed is not None:
            break
        seed += 1
    print(f"{count} systems, {failures} failed")
    return min(failures, 1)


def report(name: str, case: Any, found: list[str], keep: Path | None) -> None:
    """On standard output, and where it is kept."""
    text = f"{name}, {case}\n" + "".join(f"    {what}\n" for what in found)
    print(text, end="", flush=True)
    if keep:
        a = case.a.toarray() if sparse.issparse(case.a) else case.a
        np.savez(keep / f"{name}-{case.seed}.npz", a=a, b=case.b)
        with open(keep / "failures.txt", "a") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
