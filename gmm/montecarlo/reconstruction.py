"""The 2010 program, reconstructed: one replication after another, two small solves in each.

The original is lost. What is known is its name, its profile (60 s for 100 000 replications under
a profiler, 32 s of them in numpy.linalg.solve, 8 s in all once solve was avoided), its calls
(randn, dot, inner, solve) and that the matrices were "purely diagonal". Two programs fit: A, with
centered moments and an exactly diagonal Jacobian, and B, with raw moments and full systems.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import smartsolve
from gmm.data.arrays import Array
from gmm.montecarlo.blocks import BLOCK, block_count, generator
from gmm.montecarlo.gaussian import DESIGN
from gmm.montecarlo.progress import Progress

Solver = Callable[[Any, Any], Any]
Replication = Callable[[Array, Solver], tuple[float, float, Array]]


def diagonal_systems(x: Array, solve: Solver) -> tuple[float, float, Array]:
    """A: moments (x - mu, (x - mu)^2 - sigma^2), so that D is diagonal and V = D^-1 S D^-T."""
    n = len(x)
    mu = float(x.mean())
    deviation = x - mu
    sigma = float(np.sqrt(np.inner(deviation, deviation) / n))
    f = np.array([deviation, deviation**2 - sigma**2])
    s = np.dot(f, f.T) / n
    d = np.array([[-1.0, 0.0], [0.0, -2 * sigma]])
    v = solve(d, solve(d, s).T)
    return mu, sigma, np.sqrt(np.diag(v) / n)


def full_systems(x: Array, solve: Solver) -> tuple[float, float, Array]:
    """B: moments (x - mu, x^2 - mu^2 - sigma^2), so that D is full and V = (D' S^-1 D)^-1."""
    n = len(x)
    mu = float(x.mean())
    sigma = float(np.sqrt(np.inner(x, x) / n - mu**2))
    f = np.array([x - mu, x**2 - mu**2 - sigma**2])
    s = np.dot(f, f.T) / n
    d = np.array([[-1.0, 0.0], [-2 * mu, -2 * sigma]])
    v = solve(np.dot(d.T, solve(s, d)), np.eye(2))
    return mu, sigma, np.sqrt(np.diag(v) / n)


@dataclass(frozen=True)
class LoopRun:
    """Results of a loop over replications, its time, and the part of it inside solve."""

    estimates: Array
    bse: Array
    seconds: float
    solve_seconds: float


def run_loops(
    replication: Replication,
    solvers: Mapping[str, Solver],
    replications: int,
    *,
    n: int,
    seed: int,
    progress: Progress,
) -> dict[str, LoopRun]:
    """Run the same loop with each solver over the engine's own samples.

    The solvers take turns block by block, so that a busy moment of the machine meets them all.
    Time in solve is read around every call; what reading the clock costs is measured beforehand
    and taken off both times.
    """
    watches = {name: _Watch(solve) for name, solve in solvers.items()}
    estimates = {name: np.full((replications, 2), np.nan) for name in solvers}
    bse = {name: np.full((replications, 2), np.nan) for name in solvers}
    seconds = dict.fromkeys(solvers, 0.0)
    for watch in watches.values():  # the first call of a solver may load libraries
        _loop(replication, watch, n, generator(seed, DESIGN, 0), *np.empty((2, 1, 2)))
        watch.seconds, watch.calls = 0.0, 0

    progress.start(block_count(replications))
    for block in range(block_count(replications)):
        rows = slice(block * BLOCK, min((block + 1) * BLOCK, replications))
        for name, watch in watches.items():
            rng = generator(seed, DESIGN, block)
            began = perf_counter()
            _loop(replication, watch, n, rng, estimates[name][rows], bse[name][rows])
            seconds[name] += perf_counter() - began
        progress.advance()
    progress.finish()

    inside, around = _clock_cost()
    return {
        name: LoopRun(
            estimates[name],
            bse[name],
            seconds[name] - watch.calls * around,
            max(0.0, watch.seconds - watch.calls * inside),
        )
        for name, watch in watches.items()
    }


def _loop(
    replication: Replication,
    solve: Solver,
    n: int,
    rng: np.random.Generator,
    estimates: Array,
    bse: Array,
) -> None:
    """Estimate one sample after another, as many as `estimates` has rows."""
    # Samples of a few observations may be degenerate; their rows stay or become NaN.
    with np.errstate(all="ignore"), smartsolve.errstate(ill_conditioned="ignore"):
        for r in range(len(estimates)):
            x = rng.standard_normal(n)
            try:
                mu, sigma, se = replication(x, solve)
            except np.linalg.LinAlgError:
                continue
            estimates[r] = mu, sigma
            bse[r] = se


class _Watch:
    """A solver with a clock around it."""

    def __init__(self, solve: Solver) -> None:
        self._solve = solve
        self.seconds, self.calls = 0.0, 0

    def __call__(self, a: Any, b: Any) -> Any:
        began = perf_counter()
        x = self._solve(a, b)
        self.seconds += perf_counter() - began
        self.calls += 1
        return x


def _clock_cost() -> tuple[float, float]:
    """Seconds that a watch adds to a call: inside the time it reads, and in all."""
    calls, a = 2000, np.eye(2)
    inside, around, direct = [], [], []
    for _ in range(15):
        watch = _Watch(operator.is_)
        solve: Solver = watch
        began = perf_counter()
        for _ in range(calls):
            solve(a, a)
        around.append(perf_counter() - began)
        inside.append(watch.seconds)
        solve = operator.is_
        began = perf_counter()
        for _ in range(calls):
            solve(a, a)
        direct.append(perf_counter() - began)
    # The least disturbed of the trials; the direct call's own cost belongs to a real solve too.
    return (min(inside) - min(direct)) / calls, (min(around) - min(direct)) / calls
