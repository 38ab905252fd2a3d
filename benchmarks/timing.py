"""Honest timing: the peers in turn, many calls a turn, medians and quartiles over rounds.

    >>> timings = compare({"numpy": Call("solve(a, b)", {...}), "smartsolve": Call(...)})
    >>> timings.ratio("numpy", "smartsolve").median

One round times every peer once, one after the other; a busy moment of the machine then meets all
of them, and a ratio is taken within a round before the median is taken over the rounds. A turn
makes so many calls that the clock's resolution does not matter. The loop is `timeit`'s, with ten
calls a pass where calls are short: about 1 ns a call, left in the figures of every peer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from peers import leave_to_themselves, peers
from turns import Call, Turn

import smartsolve
from smartsolve import _core

# OpenBLAS' idle threads spin for 2^26 cycles before they sleep, and would take a core from the
# next peer; it starts threads at about this order.
BLAS_THREADS_FROM = 64
PAUSE = 0.05


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def as_dict(self) -> dict[str, float]:
        return {"median": self.median, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Timings:
    """Seconds a call, by peer and round."""

    seconds: dict[str, list[float]]
    calls: dict[str, int]  # in one turn

    def time(self, peer: str) -> Spread:
        return Spread.of(self.seconds[peer])

    def ratio(self, peer: str, ours: str = "smartsolve") -> Spread:
        """How many times as long as `ours` the peer takes, pair by pair."""
        pairs = zip(self.seconds[peer], self.seconds[ours], strict=True)
        return Spread.of([theirs / own for theirs, own in pairs])

    def fastest(self, *peers: str) -> str:
        present = [peer for peer in peers if peer in self.seconds]
        return min(present, key=lambda peer: self.time(peer).median)

    def as_dict(self) -> dict[str, Any]:
        return {
            peer: {
                "seconds": self.time(peer).as_dict(),
                "rounds": len(self.seconds[peer]),
                "calls": calls,
            }
            for peer, calls in self.calls.items()
        }


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds a turn and a case, fewest and most rounds."""

    turn: float = 0.005
    case: float = 0.5
    fewest: int = 5
    most: int = 25

    def rounds(self, one_round: float) -> int:
        return max(self.fewest, min(self.most, round(self.case / one_round)))


QUICK = Effort(turn=0.001, case=0.02, fewest=3, most=5)


def compare(calls: Mapping[str, Call], effort: Effort | None = None, pause: float = 0.0) -> Timings:
    """Time the peers in turn, in the order given; `pause` seconds of rest before each turn."""
    effort = effort or Effort()
    turns = {peer: Turn.of(call, effort.turn) for peer, call in calls.items()}
    one_round = sum(turn.taken + pause for turn in turns.values())
    seconds: dict[str, list[float]] = {peer: [] for peer in turns}
    for _ in range(effort.rounds(one_round)):
        for peer, turn in turns.items():
            if pause:
                time.sleep(pause)
            seconds[peer].append(turn.seconds_per_call())
    return Timings(seconds, {peer: turn.calls for peer, turn in turns.items()})


def pause_for(n: int) -> float:
    return PAUSE if n >= BLAS_THREADS_FROM else 0.0


# --- the machine ---------------------------------------------------------------------------------


def machine(options: argparse.Namespace) -> dict[str, str]:
    """What a reader has to know about the machine; no names and no paths."""
    libraries = peers(options.lower_kernels)
    return {
        "processor": processor(),
        "cores": str(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()),
        "instruction set": f"{_core.instruction_set()} (of {', '.join(_core.instruction_sets())})",
        "system": f"{platform.system()} {platform.machine()}",
        "load before the run": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "?",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "NumPy": f"{np.__version__}, {libraries.pop('NumPy')}",
        "SciPy": f"{scipy.__version__}, {libraries.pop('SciPy')}",
        **libraries,
        "smartsolve": smartsolve.__version__,
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        fields = [line.partition(":") for line in info.read_text().splitlines()]
        found = {key.strip(): value.strip() for key, _, value in reversed(fields)}
        if name := found.get("model name"):
            numbers = [found.get(key, "?") for key in ("cpu family", "model")]
            return f"{name} (family {numbers[0]}, model {numbers[1]})"
    return platform.processor() or platform.machine()


def print_machine(facts: dict[str, str], markdown: bool = False) -> None:
    if markdown:
        print("; ".join(f"{key}: {value}" for key, value in facts.items()) + ".")
    else:
        for key, value in facts.items():
            print(f"{key:<20} {value}")
    print()


def microseconds(seconds: float) -> str:
    """Three significant digits, never in exponents."""
    value = seconds * 1e6
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


# --- what the scripts have in common -------------------------------------------------------------


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser of what all scripts understand, in a process whose peers are left to themselves."""
    leave_to_themselves()
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file as well")
    parser.add_argument("--quick", action="store_true", help="does it run? (rough figures)")
    parser.add_argument(
        "--lower-kernels",
        action="store_true",
        help="measure although a peer's BLAS runs kernels below the processor's instruction set",
    )
    return parser


def write_json(file: str | None, facts: dict[str, str], **content: Any) -> None:
    if file is not None:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(json.dumps({"machine": facts, **content}, indent=1) + "\n")
