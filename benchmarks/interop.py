"""What JAX, PyTorch and Numba gain: each target, with the library's own solver in turn.

    python benchmarks/interop.py                 # those that are installed, on one core
    python benchmarks/interop.py jax --cores 0   # one of them, on all cores
    python benchmarks/interop.py --only gradient

Times are of a system; a ratio is how many times as long the library's own solver takes, pair by
pair. A target is a ratio to be reached, or a bound of the time or of a quotient, as its row says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from timing import (
    QUICK,
    Call,
    Effort,
    Timings,
    arguments,
    compare,
    machine,
    print_machine,
    write_json,
)

EFFORT = Effort(turn=0.02, case=1.5, fewest=7, most=25)
SEED = 18
STACKS = {2: 100_000, 3: 86_268, 4: 50_000, 8: 12_000, 16: 3_000, 32: 1_000}


@dataclass(frozen=True)
class Case:
    """One row: calls by peer, how many systems each solves, and what is to be reached."""

    name: str
    calls: dict[str, Call]
    systems: int
    ratio: float | None = None  # of the first peer to smartsolve, at least
    most_ns: float | None = None  # of smartsolve, at most
    most_times: float | None = None  # of smartsolve to the first peer, at most


def numbers(*shape: int) -> Any:
    return np.random.default_rng(SEED).standard_normal(shape)


def in_numba() -> Iterator[Case]:
    from numba import njit

    import smartsolve

    @njit
    def own(a: Any, b: Any, times: int) -> float:
        total = 0.0
        for i in range(times):
            total += np.linalg.solve(a[i % len(a)], b[i % len(a)])[0]
        return total

    @njit
    def ours(a: Any, b: Any, times: int) -> float:
        total = 0.0
        for i in range(times):
            total += smartsolve.solve(a[i % len(a)], b[i % len(a)])[0]
        return total

    @njit
    def stacked(a: Any, b: Any) -> Any:
        return smartsolve.solve(a, b)

    @njit
    def looped(a: Any, b: Any) -> Any:
        x = np.empty_like(b)
        for i in range(len(a)):
            x[i] = np.linalg.solve(a[i], b[i])
        return x

    times = 2000
    for n, most in {2: 120.0, 3: None, 4: None, 8: 300.0, 16: None, 32: None}.items():
        names = {"a": numbers(16, n, n), "b": numbers(16, n), "times": times}
        calls = {
            "numba": Call("f(a, b, times)", {"f": own, **names}),
            "smartsolve": Call("f(a, b, times)", {"f": ours, **names}),
        }
        yield Case(f"a loop over {n}x{n}", calls, times, most_ns=most)
    for n, count in STACKS.items():
        names = {"a": numbers(count, n, n), "b": numbers(count, n, 1)}
        calls = {
            "numba": Call("f(a, b)", {"f": looped, **names}),
            "smartsolve": Call("f(a, b)", {"f": stacked, **names}),
        }
        yield Case(f"one call of {count:,} {n}x{n}", calls, count)


def in_jax() -> Iterator[Case]:
    import jax
    import jax.numpy as jnp

    import smartsolve.jax

    jax.config.update("jax_enable_x64", True)
    solvers = {"jax": jnp.linalg.solve, "smartsolve": smartsolve.jax.solve}
    ready = "jax.block_until_ready(f(a, b))"

    def calls(make: Callable[[Any], Any], a: Any, b: Any) -> dict[str, Call]:
        names = {"a": jnp.asarray(a), "b": jnp.asarray(b), "jax": jax}
        return {name: Call(ready, {"f": make(solver), **names}) for name, solver in solvers.items()}

    targets = {2: 25.0, 3: 25.0, 4: 25.0, 8: 8.0, 16: 4.0, 32: 2.5}
    counts = STACKS | {2: 100_000, 3: 100_000, 4: 100_000}
    for n, count in counts.items():
        stack = calls(lambda f: jax.jit(jax.vmap(f)), numbers(count, n, n), numbers(count, n))
        yield Case(f"vmap of {count:,} {n}x{n}", stack, count, ratio=targets[n])

    def gradient(solver: Any) -> Any:
        def loss(a: Any, b: Any) -> Any:
            return jnp.sum(jax.vmap(solver)(a, b) ** 2)

        return jax.jit(jax.grad(loss, (0, 1)))

    for n, count in counts.items():
        stack = calls(gradient, numbers(count, n, n), numbers(count, n))
        yield Case(f"gradient, {count:,} {n}x{n}", stack, count, ratio=15.0 if n == 4 else None)

    def scanned(solver: Any) -> Any:
        def step(x: Any, a: Any) -> Any:
            return solver(a, x), None

        return jax.jit(lambda a, b: jax.lax.scan(step, b, a)[0])

    for n in (4, 32):
        stack = calls(scanned, numbers(1000, n, n) + n * np.eye(n), numbers(n))
        yield Case(f"scan over 1,000 {n}x{n}", stack, 1000)
    for n in (2, 4, 8, 32, 128, 256):
        yield Case(f"one jitted call, {n}x{n}", calls(jax.jit, numbers(n, n), numbers(n)), 1)
    names = {"a": jnp.asarray(numbers(2, 2)), "b": jnp.asarray(numbers(2)), "jax": jax}
    empty = {
        "empty jit": Call(ready, {"f": jax.jit(lambda a, b: b), **names}),
        "smartsolve": Call(ready, {"f": jax.jit(smartsolve.jax.solve), **names}),
    }
    yield Case("one jitted call, 2x2", empty, 1, most_times=1.5)
    tall, right = numbers(5_000, 30, 4), numbers(5_000, 30)
    solvers["jax"] = lambda a, b: jnp.linalg.lstsq(a, b)[0]
    solvers["smartsolve"] = smartsolve.jax.mldivide
    yield Case(
        "regressions, 5,000 of 30x4", calls(lambda f: jax.jit(jax.vmap(f)), tall, right), 5_000
    )


def in_torch() -> Iterator[Case]:
    import torch

    import smartsolve.torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    solvers = {"torch": torch.linalg.solve, "smartsolve": smartsolve.torch.solve}

    def calls(a: Any, b: Any, statement: str = "f(a, b)") -> dict[str, Call]:
        return {
            name: Call(statement, {"f": solver, "a": torch.from_numpy(a), "b": torch.from_numpy(b)})
            for name, solver in solvers.items()
        }

    counts = STACKS | {2: 100_000, 3: 100_000, 4: 100_000}
    for n, count in counts.items():
        stack = calls(numbers(count, n, n), numbers(count, n, 1))
        yield Case(f"stack of {count:,} {n}x{n}", stack, count, ratio=5.0 if n <= 8 else None)
    for n, count in counts.items():
        stack = calls(
            numbers(count, n, n),
            numbers(count, n, 1),
            "a.requires_grad_(); a.grad = None; f(a, b).square().sum().backward()",
        )
        yield Case(f"gradient, {count:,} {n}x{n}", stack, count)
    for n in (2, 8, 32, 128, 256):
        yield Case(f"one call, {n}x{n}", calls(numbers(n, n), numbers(n)), 1)


LIBRARIES: dict[str, Callable[[], Iterator[Case]]] = {
    "jax": in_jax,
    "torch": in_torch,
    "numba": in_numba,
}


def verdict(case: Case, timings: Timings) -> str:
    ours, first = timings.time("smartsolve").median, next(iter(case.calls))
    if case.ratio is not None:
        held = timings.ratio(first).median >= case.ratio
        return f">= {case.ratio:g} times: {'held' if held else 'NOT HELD'}"
    if case.most_ns is not None:
        held = ours * 1e9 / case.systems <= case.most_ns
        return f"<= {case.most_ns:g} ns: {'held' if held else 'NOT HELD'}"
    if case.most_times is not None:
        held = 1 / timings.ratio(first).median <= case.most_times
        return f"<= {case.most_times:g} times {first}: {'held' if held else 'NOT HELD'}"
    return ""


def measure(case: Case, effort: Effort) -> dict[str, Any]:
    timings = compare(case.calls, effort)
    target = verdict(case, timings)
    found: dict[str, Any] = {"case": case.name, "systems": case.systems, "target": target}
    cells = [f"{case.name:<34}"]
    for peer in case.calls:
        nanoseconds = timings.time(peer).median * 1e9 / case.systems
        found[peer] = nanoseconds
        cells.append(f"{peer} {nanoseconds:>10,.1f} ns  ")
    for peer in case.calls:
        if peer == "smartsolve":
            continue
        ratio = timings.ratio(peer)
        found[f"{peer} ratio"] = ratio.as_dict()
        cells.append(f"{ratio.median:>7.2f} ({ratio.low:.2f}-{ratio.high:.2f})  ")
    print("".join(cells), target, flush=True)
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("libraries", nargs="*", help=f"of {', '.join(LIBRARIES)}")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose name it finds")
    parser.add_argument("--cores", type=int, default=1, help="0: all (default: %(default)s)")
    options = parser.parse_args()
    if unknown := set(options.libraries) - set(LIBRARIES):
        parser.error(f"no library of {', '.join(LIBRARIES)}: {', '.join(sorted(unknown))}")
    if options.cores:  # before a library counts them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    facts = machine(options)
    print_machine(facts)
    found = []
    for library in options.libraries or LIBRARIES:
        if find_spec(library) is None:
            print(f"{library} is not installed: pip install 'smartsolve[{library}]'")
            continue
        version = __import__(library).__version__
        print(f"\n{library} {version}")
        facts[library] = version
        for case in LIBRARIES[library]():
            if not re.search(options.only, case.name):
                continue
            found.append({"library": library, **measure(case, QUICK if options.quick else EFFORT)})
    write_json(options.json, facts, interop=found)


if __name__ == "__main__":
    main()
