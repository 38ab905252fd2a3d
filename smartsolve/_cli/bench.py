"""``bench``: a short table of this machine's ratios."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import numpy.typing as npt

import smartsolve

from .. import _core
from .._profile.text import duration
from .errors import CommandError

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Time smartsolve.solve, numpy.linalg.solve and scipy.linalg.solve on a dozen systems, in turn. Takes
some twenty seconds. Ratios are medians over the turns, with their quartiles; where these lie far
apart, something else is running on the machine.

With --mine, run a program first, as profile does, and time the systems that it solves: the first
one of each call site and shape, those that took longest first. What the program prints goes to
standard error."""
USAGE = "[--json] [--mine SCRIPT [ARGS ...]]"

_TURNS = 9
_TURN = 0.02  # seconds for each solver, at least
_PATIENCE = 3.0  # seconds for each system; a slow one gets fewer turns
_NOISY = 0.25
_MOST = 20  # systems of a program

# NumPy's and SciPy's OpenBLAS each have threads, which wait for more work on the processors that
# the next solver needs. Left alone for this long they go to sleep.
_BLAS_THREADS_FROM = 100
_PAUSE = 0.1

Array = npt.NDArray[Any]
Solver = Callable[[Array, Array], Any]


@dataclass(frozen=True)
class Row:
    """Medians in seconds of one solve, and the quartiles of the ratios to ours, turn by turn."""

    system: str
    seconds: dict[str, float]
    ratios: dict[str, tuple[float, float, float]]

    @property
    def is_noisy(self) -> bool:
        """Whether the middle half of the turns is spread too far to mean much."""
        return any(high - low > _NOISY * median for low, median, high in self.ratios.values())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How it is printed."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--mine",
        nargs=argparse.REMAINDER,
        metavar="SCRIPT",
        help="time the systems of this program; what follows is its own",
    )


def run(options: argparse.Namespace) -> int:
    """Rows appear as they are measured."""
    if options.mine is not None and not options.mine:
        raise CommandError("bench --mine: expected a SCRIPT after it", 2)
    cases = list(systems()) if options.mine is None else list(_systems_of(options.mine))
    if not cases:
        program = " ".join(options.mine or [])
        raise CommandError(f"{program}: no call was seen that solves dense systems")
    width = max(26, 2 + max(len(name) for name, _, _ in cases))
    facts = machine()
    rows = []
    if not options.json:
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
        print(f"\n{'':{width}}{'NumPy':>10}{'SciPy':>10}{'smartsolve':>12}"
              f"{'against NumPy':>21}{'against SciPy':>21}")  # fmt: skip
    for name, a, b in cases:
        try:
            with warnings.catch_warnings(), smartsolve.errstate(ill_conditioned="ignore"):
                warnings.simplefilter("ignore")  # SciPy's; the program itself has shown its own
                row = measure(name, a, b)
        except (ArithmeticError, TypeError, ValueError) as error:  # LinAlgError is a ValueError
            print(f"{name}: not timed: {error}", file=sys.stderr)
            continue
        rows.append(row)
        if not options.json:
            print(_line(row, width), flush=True)
    if options.json:
        print(json.dumps({"machine": facts, "rows": [asdict(row) for row in rows]}, indent=2))
    elif noisy := sum(row.is_noisy for row in rows):
        print(f"\n{noisy} of {len(rows)} rows (~) are noisy: the machine was doing other things.")
    return 0


def solvers() -> dict[str, Solver]:
    """In the order of their turns."""
    import scipy.linalg

    return {
        "numpy": np.linalg.solve,
        "scipy": scipy.linalg.solve,
        "smartsolve": smartsolve.solve,
    }


def machine() -> dict[str, str]:
    """What the figures depend on."""
    import scipy

    return {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "smartsolve": smartsolve.__version__,
        "processors": str(os.cpu_count()),
        "machine": platform.machine(),
        "instruction set": _core.instruction_set(),
    }


def _systems_of(program: list[str]) -> Iterator[tuple[str, Array, Array]]:
    """Systems that a program solves, from a process of its own: it may end as it likes."""
    with tempfile.TemporaryDirectory() as folder:
        kept, report = Path(folder, "systems.npz"), Path(folder, "report.json")
        command = ["profile", "--scipy", "--systems", str(kept), "-o", str(report), *program]
        status = subprocess.run(
            [sys.executable, *["-P"] * sys.flags.safe_path, "-m", "smartsolve", *command],
            stdout=sys.stderr,
            check=False,
        ).returncode
        if not kept.exists():
            raise CommandError(f"{program[0]}: ended with status {status}, before its end was told")
        with np.load(kept) as arrays:
            for k in range(min(_MOST, len(arrays.files) // 3)):
                what = json.loads(str(arrays[f"what{k}"]))
                a, b = arrays[f"a{k}"], arrays[f"b{k}"]
                shapes = f"{_times(a.shape)}, {_times(b.shape)} {a.dtype}"
                name = f"{what['place']} {what['structure']} {shapes}, {what['calls']:,} calls"
                yield name, a, b


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def systems() -> Iterator[tuple[str, Array, Array]]:
    """A dozen, small and large; well-conditioned, as the diagonal dominates."""
    rng = np.random.default_rng(2010)

    def general(*shape: int) -> Array:
        matrices: Array = rng.standard_normal(shape)
        matrices += 2 * np.sqrt(shape[-1]) * np.eye(shape[-1])
        return matrices

    def band(n: int, below: int, above: int) -> Array:
        return np.triu(np.tril(general(n, n), above), -below)

    def positive_definite(n: int) -> Array:
        root = rng.standard_normal((n, n))
        return root @ root.T + n * np.eye(n)

    for n in (2, 8, 32, 128, 512):
        yield f"general {n} x {n}", general(n, n), rng.standard_normal(n)
    yield "diagonal 2 x 2", np.diag([2.0, 3.0]), rng.standard_normal(2)
    yield "diagonal 1000 x 1000", band(1000, 0, 0), rng.standard_normal(1000)
    yield "tridiagonal 1000 x 1000", band(1000, 1, 1), rng.standard_normal(1000)
    yield "triangular 1000 x 1000", np.triu(general(1000, 1000)), rng.standard_normal(1000)
    for n in (64, 512):
        yield f"positive definite {n} x {n}", positive_definite(n), rng.standard_normal(n)
    for count, n in ((50_000, 2), (5_000, 6)):
        a, b = general(count, n, n), rng.standard_normal((count, n, 1))
        yield f"stack of {count:,} {n} x {n}", a, b


def measure(name: str, a: Array, b: Array) -> Row:
    """Every solver once in each turn, so that a busy moment meets all of them."""
    peers = solvers()
    repeats = {peer: _repeats(solve, a, b) for peer, solve in peers.items()}
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    began = perf_counter()
    while len(times["numpy"]) < _TURNS:
        for peer, solve in peers.items():
            if a.shape[-1] >= _BLAS_THREADS_FROM:
                sleep(_PAUSE)
            times[peer].append(_time(solve, a, b, repeats[peer]))
        if perf_counter() - began > _PATIENCE and len(times["numpy"]) >= 3:
            break
    return Row(
        name,
        {peer: statistics.median(seconds) for peer, seconds in times.items()},
        {
            peer: _quartiles([t / o for t, o in zip(times[peer], times["smartsolve"], strict=True)])
            for peer in ("numpy", "scipy")
        },
    )


def _repeats(solve: Solver, a: Array, b: Array) -> int:
    """How many solves fill a turn; they also warm up."""
    solve(a, b)
    repeats = 1
    while _time(solve, a, b, repeats) * repeats < _TURN:
        repeats *= 2
    return repeats


def _time(solve: Solver, a: Array, b: Array, repeats: int) -> float:
    turns = range(repeats)
    began = perf_counter()
    for _ in turns:
        solve(a, b)
    return (perf_counter() - began) / repeats


def _quartiles(ratios: list[float]) -> tuple[float, float, float]:
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return low, median, high


def _line(row: Row, width: int) -> str:
    cells = "".join(
        f"{duration(row.seconds[peer]):>{columns}}"
        for peer, columns in (("numpy", 10), ("scipy", 10), ("smartsolve", 12))
    )
    ratios = "".join(f"{_ratio(*row.ratios[peer]):>21}" for peer in ("numpy", "scipy"))
    return f"{row.system:{width}}{cells}{ratios}{' ~' if row.is_noisy else ''}"


def _ratio(low: float, median: float, high: float) -> str:
    return f"{median:.3g}x ({low:.3g}-{high:.3g})"
