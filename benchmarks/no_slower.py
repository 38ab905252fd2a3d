"""No case is slower than the faster of NumPy and SciPy: structure x dtype x order x n x nrhs.

    python benchmarks/no_slower.py                 # below ten minutes
    python benchmarks/no_slower.py --n 5 6 7       # these orders only
    python benchmarks/no_slower.py --kind banded   # these structures only

Every case is timed in a few short rounds. Those whose ratio (peer's time over ours) is below 1.1
are then timed again, the worst first, in longer rounds with a rest before each turn, and three
times over; the middle one of the three results replaces the first. What the time did not suffice
for is marked "once".
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from systems import matrices, method, solvers, system
from timing import (
    Effort,
    Timings,
    arguments,
    compare,
    machine,
    microseconds,
    pause_for,
    print_machine,
    write_json,
)

SMALL = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 17, 20, 24, 32, 40)
LARGE = (64, 128, 256, 512, 1024)
SUSPICIOUS = 1.1
FIRST = Effort(turn=0.0005, case=0.01, fewest=3, most=3)
FIRST_LARGE = Effort(turn=0.001, case=0.01, fewest=2, most=3)
AGAIN = Effort(turn=0.003, case=0.1, fewest=3, most=7)
REPETITIONS = 3


@dataclass
class Case:
    kind: str
    dtype: str
    order: str
    n: int
    nrhs: int
    method: str = ""
    ratio: float = 0.0  # of the faster peer's time to ours
    faster: str = ""
    peer_seconds: float = 0.0
    own_seconds: float = 0.0
    measured: int = 0

    def measure(self, effort: Effort, pause: float, times: int) -> None:
        a, b = system(self.kind, self.n, self.dtype, self.order, self.nrhs, seed=1)
        if not self.method:
            self.method = method(a, b)
        results = sorted(
            (compare(solvers(a, b), effort, pause) for _ in range(times)), key=ratio_to_faster
        )
        middle = results[times // 2]
        self.ratio, self.faster = ratio_to_faster(middle), middle.fastest("numpy", "scipy")
        self.peer_seconds = middle.time(self.faster).median
        self.own_seconds = middle.time("smartsolve").median
        self.measured += times

    def __str__(self) -> str:
        sure = "once" if self.measured == 1 else ""
        return (
            f"{self.ratio:7.2f}  {self.kind:<20} {self.dtype:<11} {self.order}  {self.n:>5}"
            f" {self.nrhs:>3}  {microseconds(self.own_seconds):>9} "
            f" {microseconds(self.peer_seconds):>9} {self.faster:<6} {self.method:<22} {sure}"
        )


def ratio_to_faster(t: Timings) -> float:
    return t.ratio(t.fastest("numpy", "scipy")).median


HEADER = (
    f"{'ratio':>7}  {'structure':<20} {'dtype':<11} O  {'n':>5} {'rhs':>3}  {'ours us':>9} "
    f" {'peer us':>9} {'peer':<6} method"
)


def all_cases(orders_of_n: list[int], only: list[str] | None) -> Iterator[Case]:
    for n in orders_of_n:
        for kind, dtype in matrices.kinds_and_dtypes():
            if (only and kind not in only) or (n == 1 and kind != "general"):
                continue
            for order in ("C", "F"):
                for nrhs in (1, 8):
                    # The layout of a large matrix matters no less with several right-hand sides,
                    # but one combination of the four is spared for the time it takes.
                    if n < 512 or (order, nrhs) != ("F", 8):
                        yield Case(kind, str(dtype), order, n, nrhs)


def sweep(cases: list[Case], deadline: float) -> list[Case]:
    """Time each case once; stop at the deadline."""
    done: list[Case] = []
    last = 0
    for case in cases:
        if time.monotonic() > deadline:
            print(f"time is up: {len(cases) - len(done)} cases from n = {case.n} on left out")
            break
        case.measure(FIRST if case.n < LARGE[0] else FIRST_LARGE, 0.0, 1)
        done.append(case)
        if case.n != last:
            print(f"n = {case.n}", flush=True)
            last = case.n
    return done


def believe(cases: list[Case], deadline: float) -> None:
    """Time the suspicious again, the worst first."""
    suspicious = sorted((c for c in cases if c.ratio < SUSPICIOUS), key=lambda c: c.ratio)
    print(f"{len(suspicious)} of {len(cases)} below {SUSPICIOUS}, measured again", flush=True)
    for count, case in enumerate(suspicious):
        if time.monotonic() > deadline:
            print(f"time is up: {len(suspicious) - count} of them not measured again")
            return
        case.measure(AGAIN, pause_for(case.n), REPETITIONS)


def report(cases: list[Case], worst: int) -> None:
    ranked = sorted(cases, key=lambda case: case.ratio)
    print(f"\nThe worst {worst} of {len(cases)}: the faster peer's time over ours\n{HEADER}")
    for case in ranked[:worst]:
        print(case)
    slower = [case for case in ranked if case.ratio < 1]
    certain = [case for case in slower if case.measured > 1]
    print(f"\nslower than the faster peer: {len(slower)}, of them measured again: {len(certain)}")
    print("\nThe worst of each structure")
    for kind in matrices.KINDS:
        found = [case for case in ranked if case.kind == kind]
        if found:
            print(found[0])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--n", type=int, nargs="+", metavar="N", help="orders")
    parser.add_argument("--kind", nargs="+", choices=list(matrices.KINDS), metavar="KIND")
    parser.add_argument("--full", action="store_true", help="2048 and 4096 as well")
    parser.add_argument("--minutes", type=float, default=9.0, help="limit of time (default 9)")
    parser.add_argument("--worst", type=int, default=10, metavar="K", help="rows printed")
    options = parser.parse_args()
    orders = options.n or [*SMALL, *LARGE] + ([2048, 4096] if options.full else [])
    if options.quick and not options.n:
        orders = [2, 9, 32, 64]
    facts = machine(options)
    print_machine(facts)
    start, limit = time.monotonic(), 60 * options.minutes
    # Three quarters for the sweep, the rest for a second look.
    cases = sweep(list(all_cases(orders, options.kind)), start + limit * 3 / 4)
    believe(cases, start + limit)
    report(cases, options.worst)
    write_json(options.json, facts, cases=[asdict(case) for case in cases])


if __name__ == "__main__":
    main()
