"""_reconstruction.py: the loops compute what the engine computes."""

import operator

import numpy as np
import pytest

import gmm
import smartsolve
from gmm.montecarlo.progress import Progress
from gmm.montecarlo.reconstruction import (
    Replication,
    Solver,
    _clock_cost,
    _Watch,
    diagonal_systems,
    full_systems,
    run_loops,
)

QUIET = Progress("", enabled=False)
SOLVERS: dict[str, Solver] = {"numpy": np.linalg.solve, "smartsolve": smartsolve.solve}


@pytest.mark.parametrize(
    ("replication", "form"), [(diagonal_systems, "centered"), (full_systems, "raw")]
)
def test_loop_and_engine_agree(replication: Replication, form: str) -> None:
    engine = gmm.GMMGaussianMC(1_100, n=500, form=form)
    loops = run_loops(replication, SOLVERS, 1_100, n=500, seed=2010, progress=QUIET)
    for loop in loops.values():
        np.testing.assert_allclose(loop.estimates, engine.estimates, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(loop.bse, engine.bse, rtol=1e-12)
        assert 0 < loop.solve_seconds < loop.seconds


def test_variant_a_solves_exactly_diagonal_systems_and_b_does_not() -> None:
    seen: list[np.ndarray] = []

    def recording(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        seen.append(a)
        return np.linalg.solve(a, b)

    x = np.random.default_rng(1).standard_normal(100)
    diagonal_systems(x, recording)
    assert len(seen) == 2
    assert all(a[0, 1] == a[1, 0] == 0 for a in seen)
    seen.clear()
    full_systems(x, recording)
    assert len(seen) == 2
    assert all(a[0, 1] != 0 and a[1, 0] != 0 for a in seen)


def test_a_singular_replication_does_not_end_the_loop() -> None:
    calls = 0

    def failing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise np.linalg.LinAlgError("Singular matrix")
        return np.linalg.solve(a, b)

    # Two calls warm up, so the fifth is the second replication's first.
    loops = run_loops(diagonal_systems, {"failing": failing}, 4, n=50, seed=1, progress=QUIET)
    assert np.isnan(loops["failing"].estimates[:, 0]).tolist() == [False, True, False, False]


def test_a_watch_counts_and_returns_what_the_solver_returns() -> None:
    watch = _Watch(operator.add)
    assert watch(1, 2) == 3
    assert watch.calls == 1
    assert watch.seconds > 0


def test_the_clock_costs_less_than_a_microsecond_or_so() -> None:
    inside, around = _clock_cost()
    assert inside < around < 1e-5
