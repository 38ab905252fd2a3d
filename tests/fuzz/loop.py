"""The loop of a fuzzer by hand: seed after seed, what was counted, and what repeats a failure."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Seen", "run"]


class Seen(NamedTuple):
    """What came of one seed."""

    story: str
    systems: int
    counts: dict[str, int]
    wrong: list[str]


def run(document: str, look: Callable[[int], Seen]) -> int:
    """Look at seeds for as long as the command line says; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=document.splitlines()[0])
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone")
    options = parser.parse_args()
    seed, counts = options.first, Counter({"systems": 0})
    if options.seed is not None:
        seed, options.systems = options.seed, 1
    last, failures = time.monotonic(), 0

    def say() -> None:
        counted = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"{counted}, {failures} seeds fail", flush=True)

    while counts["systems"] < options.systems:
        seen = look(seed)
        counts.update({"systems": seen.systems, **seen.counts})
        if seen.wrong:
            failures += 1
            print(f"seed {seed}: {seen.story}", *seen.wrong[:4], sep="\n    ", flush=True)
        if time.monotonic() > last + 60:
            last = time.monotonic()
            say()
        seed += 1
    say()
    return min(failures, 1)
