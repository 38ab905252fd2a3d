"""Two installed builds of smartsolve, case by case in turn: has anything become slower?

    python benchmarks/compare_builds.py OLD/bin/python NEW/bin/python
    python benchmarks/compare_builds.py OLD NEW --grid table   # or tiny, or stacked; several
    python benchmarks/compare_builds.py OLD NEW --only 'diagonal'

The cases are the rows of `table.py`, the small orders of `no_slower.py`, and the stacks of
`stacks.py`, made once and handed over as files, so that either build may be of any age. Each has a
process of its own, and one case is timed in both, turn by turn; the first of a pair alternates. A
ratio is new time over old, taken within a pair; its median is printed with the quartiles, the worst
first. Where a process happens to have its memory, and how its strings hash, is up to a tenth of a
call: what comes out above 1.03 is measured again, in longer turns and three new pairs of processes,
and the pair in the middle counts. A build against itself (OLD OLD) tells what is left of that.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cases
import no_slower
import numpy as np
import stacks
from systems import Array, matrices, system
from timing import Spread, arguments, microseconds, write_json

LIMIT = 1.03
Make = Callable[[], tuple[Array, Array]]


def table() -> Iterator[tuple[str, Make]]:
    for case in cases.all_cases(cases.Variant(), full=False):
        yield f"table: {case.name}", case.make


def tiny() -> Iterator[tuple[str, Make]]:
    for c in no_slower.all_cases(list(no_slower.SMALL), None):
        arguments = (c.kind, c.n, c.dtype, c.order, c.nrhs, 1)
        name = f"tiny: {c.kind} {c.n}, {c.dtype}, {c.order}, {c.nrhs} rhs"
        yield name, lambda arguments=arguments: system(*arguments)


def stacked() -> Iterator[tuple[str, Make]]:
    for n in range(1, 33):
        for kind in ("general", "positive definite", "tridiagonal"):
            for dtype in matrices.DTYPES:
                for nrhs in (1, 3):
                    if n > 1 or kind == "general":
                        arguments = (kind, n, dtype, nrhs)
                        name = f"stacked: {kind} {n}, {dtype}, {nrhs} rhs"
                        yield name, lambda arguments=arguments: stacks.many(*arguments)


GRIDS = {"table": table, "tiny": tiny, "stacked": stacked}


class Build:
    """An installed build, in a process that waits for cases."""

    def __init__(self, python: str, seed: int) -> None:
        command = [python, "-P", str(Path(__file__).resolve().parent / "turns.py")]
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment,
        )

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def time(self, a: Path, b: Path, seconds: float) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(a), str(b), seconds]) + "\n")
        return float(self.process.stdout.readline())


def compare(
    old: Build, new: Build, name: str, make: Make, turn: float, rounds: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        a, b = Path(directory, "a.npy"), Path(directory, "b.npy")
        for file, array in zip((a, b), make(), strict=True):
            if not (array.flags.c_contiguous or array.flags.f_contiguous):
                raise ValueError(f"{name}: a file keeps no such layout")
            np.save(file, array)
        return compare_files(old, new, name, (a, b), turn, rounds)


def compare_files(
    old: Build, new: Build, name: str, files: tuple[Path, Path], turn: float, rounds: int
) -> dict[str, Any]:
    old.time(*files, turn), new.time(*files, turn)  # loaded, and warm
    pairs = []
    for k in range(rounds):
        first, second = (old, new) if k % 2 == 0 else (new, old)
        one, other = first.time(*files, turn), second.time(*files, turn)
        pairs.append((one, other) if k % 2 == 0 else (other, one))
    ratio = Spread.of([now / before for before, now in pairs])
    before, now = (Spread.of([pair[i] for pair in pairs]).median for i in (0, 1))
    return {"case": name, "ratio": ratio, "old": before, "new": now, "rounds": rounds}


def compare_all(
    pythons: tuple[str, str],
    made: dict[str, Make],
    names: list[str],
    turn: float,
    rounds: int,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Each case, in one pair of processes."""
    old, new = (Build(python, seed) for python in pythons)
    found = {name: compare(old, new, name, made[name], turn, rounds) for name in names}
    for build in (old, new):
        build.close()
    return found


def line(found: dict[str, Any]) -> str:
    r = found["ratio"]
    return (
        f"{r.median:6.3f} ({r.low:.3f}-{r.high:.3f})  {microseconds(found['old']):>10}"
        f" {microseconds(found['new']):>10}  {found['case']}"
    )


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("old", help="the python of the environment of the old build")
    parser.add_argument("new", help="and of the new one")
    parser.add_argument("--grid", nargs="+", choices=list(GRIDS), default=list(GRIDS))
    parser.add_argument("--only", metavar="PATTERN", default="", help="a regular expression")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="each K-th case alone")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="beginning with the I-th")
    parser.add_argument("--worst", type=int, default=30, metavar="K", help="rows printed")
    options = parser.parse_args()
    pythons = options.old, options.new
    turn, rounds = (0.0005, 3) if options.quick else (0.001, 7)
    made = {name: make for grid in options.grid for name, make in GRIDS[grid]()}
    names = [name for name in made if re.search(options.only, name)][options.first :: options.every]
    found = compare_all(pythons, made, names, turn, rounds)
    suspicious = [name for name in names if found[name]["ratio"].median > LIMIT]
    again = [
        compare_all(pythons, made, suspicious, 5 * turn, 2 * rounds, seed) for seed in (1, 2, 3)
    ]
    for name in suspicious:
        found[name] = sorted((pair[name] for pair in again), key=lambda f: f["ratio"].median)[1]
    ranked = sorted(found.values(), key=lambda f: -f["ratio"].median)
    print(f"{'new/old':>6} (quartiles)        {'old us':>9} {'new us':>10}")
    for row in ranked[: options.worst]:
        print(line(row))
    above = sum(row["ratio"].median > LIMIT for row in ranked)
    middle = Spread.of([row["ratio"].median for row in ranked])
    print(
        f"\n{len(ranked)} cases, {len(suspicious)} measured again: {above} above {LIMIT}; median"
        f" ratio {middle.median:.3f}, quartiles {middle.low:.3f} and {middle.high:.3f}"
    )
    rows = [row | {"ratio": row["ratio"].as_dict()} for row in ranked]
    write_json(options.json, {"old": options.old, "new": options.new}, cases=rows)


if __name__ == "__main__":
    main()
