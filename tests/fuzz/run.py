"""Fuzz by hand, for as long as one likes.

    python -P tests/fuzz/run.py --seconds 3600 --keep failures

Each failure is kept as a .npz with the operands and as a line in failures.txt; `--seed N` repeats
one. Several processes with different `--from` share no seed for a million cases.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2]))  # last: the installed package is tested

from tests.fuzz import cases, oracles


def main() -> int:
    """The number of failures, at most 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--keep", type=Path, help="a directory for what fails")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + options.seconds
    seed, count, failures = options.first, 0, 0
    if options.seed is not None:
        seed = options.seed
    while time.monotonic() < ends:
        case = cases.make(seed)
        found = oracles.complaints(case)
        count += 1
        if found:
            failures += 1
            report(case, found, options.keep)
        if options.seed is not None:
            break
        seed += 1
    print(f"{count} systems, {failures} failed")
    return min(failures, 1)


def report(case: cases.Case, found: list[str], keep: Path | None) -> None:
    """On standard output, and where it is kept."""
    text = f"{case}\n" + "".join(f"    {what}\n" for what in found)
    print(text, end="", flush=True)
    if keep:
        np.savez(keep / f"{case.seed}.npz", a=case.a, b=case.b)
        with open(keep / "failures.txt", "a") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
