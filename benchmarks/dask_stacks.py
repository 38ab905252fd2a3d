"""Ten million systems of order 4 out of core: memory, and time beside the stack in memory.

    python benchmarks/dask_stacks.py
    python benchmarks/dask_stacks.py --systems 1e6 --chunk 50000

The matrices lie in a file that is mapped; dask's threads read a block, solve it, and write the
solutions into another file. Beside it, in the same process and by turns, the same stack is solved
in memory: by one thread, and by as many as dask has; and dask solves it from there, so that what
the file costs can be told from what dask costs. Memory is the peak of the process, less what it had
before, and less the pages of the files, which are the system's to keep.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from timing import arguments, machine, print_machine

import smartsolve

ORDER = 4
SEED = 18


def write(path: Path, systems: int, chunk: int) -> Any:
    """Matrices that a solve has to pivot in, a block at a time."""
    a = np.memmap(path, np.float64, "w+", shape=(systems, ORDER, ORDER))
    rng = np.random.default_rng(SEED)
    for first in range(0, systems, chunk):
        block = a[first : first + chunk]
        block[:] = rng.standard_normal(block.shape)
    a.flush()
    return np.memmap(path, np.float64, "r", shape=a.shape)


def anonymous_memory() -> int:
    """Bytes of the process that are no file's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the peak of memory is read from /proc/self/status, which is not here")


class Peak:
    """The largest anonymous memory while a block of code runs, looked at every few milliseconds."""

    def __enter__(self) -> Peak:
        self.before = self.most = anonymous_memory()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.005):
            self.most = max(self.most, anonymous_memory())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--systems", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--chunk", type=int, default=250_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print_machine(machine(options))
    if options.quick:
        options.systems, options.chunk, options.rounds = 20_000, 5_000, 1
    b = np.ones(ORDER)
    with tempfile.TemporaryDirectory() as directory:
        a = write(Path(directory) / "a", options.systems, options.chunk)
        target = np.memmap(Path(directory) / "x", np.float64, "w+", shape=(options.systems, ORDER))
        whole = np.array(a)
        chunks = (options.chunk, ORDER, ORDER)
        x = smartsolve.solve(da.from_array(a, chunks=chunks), b)
        held = smartsolve.solve(da.from_array(whole, chunks=chunks), b)
        solution = np.empty((options.systems, ORDER))
        times: dict[str, list[float]] = {"one": [], "all": [], "held": [], "dask": []}
        extra = 0
        for _ in range(options.rounds):
            for name, workers in (("one", 1), ("all", options.threads)):
                begin = time.perf_counter()
                smartsolve.solve(whole, b, workers=workers)
                times[name].append((time.perf_counter() - begin) / len(whole))
            for name, lazy, to in (("held", held, solution), ("dask", x, target)):
                with (
                    Peak() as peak,
                    dask.config.set(scheduler="threads", num_workers=options.threads),
                ):
                    begin = time.perf_counter()
                    da.store(lazy, to, lock=False)
                    times[name].append((time.perf_counter() - begin) / options.systems)
            extra = max(extra, peak.most - peak.before)
        assert np.array_equal(target, smartsolve.solve(whole, b, workers=options.threads))
    medians = {name: 1e9 * statistics.median(seconds) for name, seconds in times.items()}
    block = options.chunk * ORDER * (ORDER + 1) * 8
    print(f"{options.systems:,} systems of order {ORDER}, blocks of {options.chunk:,}")
    print(f"in memory, one thread      {medians['one']:6.1f} ns a system")
    print(f"in memory, {options.threads} threads       {medians['all']:6.1f} ns a system")
    print(f"dask, {options.threads} threads, in memory {medians['held']:6.1f} ns a system")
    print(f"dask, {options.threads} threads, in a file {medians['dask']:6.1f} ns a system")
    for name, place in (("held", "memory"), ("dask", "a file")):
        ratio = statistics.median(d / m for d, m in zip(times[name], times["all"], strict=True))
        print(f"dask from {place} over the stack in memory, the same threads: {ratio:.2f}")
    print(f"memory: {extra / 1e6:.0f} MB more at the peak, {extra / block:.1f} blocks of a and x")


if __name__ == "__main__":
    main()
