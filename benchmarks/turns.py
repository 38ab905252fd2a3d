"""So many calls of one statement that the clock's resolution does not matter.

As a program it is the half of `compare_builds.py` that runs in the environment of a build: it needs
NumPy and that build's `solve`, and nothing else of this project.
"""

from __future__ import annotations

import json
import math
import os
import sys
import timeit
from dataclasses import dataclass
from typing import Any

UNROLLED = 10


@dataclass(frozen=True)
class Call:
    """A statement, and the names it uses."""

    statement: str
    names: dict[str, Any]

    def timer(self, times: int = 1) -> timeit.Timer:
        return timeit.Timer("\n".join([self.statement] * times), globals=self.names)


@dataclass(frozen=True)
class Turn:
    """So many calls of one peer that they take about a given time."""

    timer: timeit.Timer
    passes: int
    calls: int
    taken: float

    @classmethod
    def of(cls, call: Call, turn: float) -> Turn:
        timer = call.timer()
        calls, taken = calls_for(timer, turn)
        if calls < 10 * UNROLLED:
            return cls(timer, calls, calls, taken)
        passes = math.ceil(calls / UNROLLED)
        return cls(call.timer(UNROLLED), passes, passes * UNROLLED, taken)

    def seconds_per_call(self) -> float:
        if self.calls > 1:
            self.timer.timeit(1)  # caches as this peer leaves them, not as the last one did
        return self.timer.timeit(self.passes) / self.calls


def calls_for(timer: timeit.Timer, turn: float) -> tuple[int, float]:
    """So many calls that they take about `turn` seconds, and what they take."""
    number, taken = 1, timer.timeit(1)
    if taken > 4 * turn:  # even a first call is seldom so much slower than the rest
        return 1, taken
    while (taken := timer.timeit(number)) < turn / 8:
        number *= 4
    number = max(1, math.ceil(number * turn / taken)) if taken < turn else number
    return number, max(taken, turn)


def main() -> None:
    """Answer a line "file of a, file of b, seconds a turn" with seconds a call of `solve`."""
    import numpy as np

    import smartsolve

    # Both builds on one processor: two may differ by half, while others use what they share. The
    # threads of BLAS have started before, and stay free.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    made, turn = None, None
    for line in sys.stdin:
        if made != (made := json.loads(line)):
            a, b = (np.load(file) for file in made[:2])
            call = Call("solve(a, b)", {"solve": smartsolve.solve, "a": a, "b": b})
            turn = Turn.of(call, made[2])
        assert turn is not None
        print(turn.seconds_per_call(), flush=True)


if __name__ == "__main__":
    main()
