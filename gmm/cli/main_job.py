"""The main job: the 2010 experiment, timed as a loop and as one engine."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import smartsolve
from gmm.montecarlo.arguments import check_run
from gmm.montecarlo.gaussian import GMMGaussianMC, draw_alone, gaussian_study
from gmm.montecarlo.progress import Progress
from gmm.montecarlo.reconstruction import (
    LoopRun,
    Replication,
    Solver,
    diagonal_systems,
    full_systems,
    run_loops,
)
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo


@dataclass(frozen=True)
class Variant:
    """A row of the main job; only what is thought to be the 2010 program also runs as a loop."""

    title: str
    moments: int
    form: str
    loop: Replication | None


VARIANTS = {
    "A": Variant("reconstruction, diagonal systems", 2, "centered", diagonal_systems),
    "B": Variant("reconstruction, full systems", 2, "raw", full_systems),
    "q3": Variant("not of 2010: three moments, two-step", 3, "centered", None),
    "q4": Variant("not of 2010: four moments, two-step", 4, "centered", None),
}
DEFAULT_VARIANTS = ("A", "B", "q4")

_SOLVERS: dict[str, Solver] = {
    "numpy.linalg.solve": np.linalg.solve,
    "smartsolve.solve": smartsolve.solve,
}

# Jason Knight, "Optimizing Python + Numpy Code", April 2010: 100 000 replications under a
# profiler, on hardware that he does not name.
REPORTED_2010 = {
    "replications": 100_000,
    "seconds": 60.0,
    "solve_seconds": 32.0,
    "seconds_without_solve": 8.0,
}


@dataclass(frozen=True)
class Settings:
    """What the main job is asked to do; a ValueError says what cannot be done."""

    variants: Sequence[str]
    replications: int
    n: int
    seed: int
    workers: int
    loop_replications: int

    def __post_init__(self) -> None:
        check_run(self.replications, self.seed, self.workers)
        for name in self.variants:
            self.study(name)

    def study(self, name: str) -> MonteCarlo:
        """The Monte Carlo study of a variant."""
        return gaussian_study(self.n, VARIANTS[name].moments, VARIANTS[name].form)


@dataclass(frozen=True)
class Measured:
    """One variant: the engine's result and time, and the loops by solver, if it has any."""

    name: str
    result: MonteCarloResult
    seconds: float
    loops: dict[str, LoopRun]

    @property
    def variant(self) -> Variant:
        """What was run."""
        return VARIANTS[self.name]

    def largest_difference(self) -> float | None:
        """Between loop and engine, over all estimates and standard errors."""
        differences = [0.0]
        for loop in self.loops.values():
            ok = self.result.converged[: len(loop.bse)] & np.isfinite(loop.bse).all(axis=1)
            for ours, theirs in (
                (self.result.estimates, loop.estimates),
                (self.result.bse, loop.bse),
            ):
                differences.append(np.abs(ours[: len(ok)][ok] - theirs[ok]).max(initial=0.0))
        return float(max(differences)) if self.loops else None


@dataclass(frozen=True)
class MainJob:
    """Everything that the main job has measured."""

    settings: Settings
    drawing_replications: int
    drawing_seconds: float
    measured: list[Measured]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "experiment": "GMMGaussianMC of 2010, a reconstruction: the original is lost",
            "replications": self.settings.replications,
            "n": self.settings.n,
            "seed": self.settings.seed,
            "workers": self.settings.workers,
            "loop_replications": self.settings.loop_replications,
            "drawing_alone": {
                "replications": self.drawing_replications,
                "seconds": self.drawing_seconds,
            },
            "reported_2010": {**REPORTED_2010, "hardware": "unknown, under a profiler"},
            "environment": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "smartsolve": smartsolve.__version__,
                "machine": platform.machine(),
                "processors": os.cpu_count(),
            },
            "variants": {
                m.name: {
                    "title": m.variant.title,
                    "moments": m.variant.moments,
                    "form": m.variant.form,
                    "engine": {"seconds": m.seconds, **m.result.to_dict()},
                    "loops": {
                        solver: {
                            "replications": self.settings.loop_replications,
                            "seconds": loop.seconds,
                            "solve_seconds": loop.solve_seconds,
                        }
                        for solver, loop in m.loops.items()
                    },
                    "largest_difference_loop_engine": m.largest_difference(),
                }
                for m in self.measured
            },
        }

    def to_json(self) -> str:
        """One JSON document."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def run_main_job(
    settings: Settings, *, checkpoint: Path | None = None, progress: bool | None = None
) -> MainJob:
    """Run the engine for every variant, and both loops for those of 2010."""
    directories = dict.fromkeys(settings.variants, checkpoint)
    if checkpoint is not None:
        directories = {name: checkpoint / name for name in settings.variants}
        for name in settings.variants:  # a foreign one is refused before anything runs
            settings.study(name).claim(checkpoint / name, seed=settings.seed)

    # Enough to measure it; a resumed long run should not draw everything once more for this.
    drawing_replications = min(settings.replications, 100_000)
    began = perf_counter()
    draw_alone(drawing_replications, n=settings.n, seed=settings.seed)
    drawing_seconds = perf_counter() - began

    measured = []
    for name in settings.variants:
        variant = VARIANTS[name]
        began = perf_counter()
        result = GMMGaussianMC(
            settings.replications,
            settings.n,
            settings.seed,
            settings.workers,
            moments=variant.moments,
            form=variant.form,
            checkpoint=directories[name],
            progress=progress,
        )
        seconds = perf_counter() - began
        loops = {}
        if variant.loop is not None and settings.loop_replications:
            loops = run_loops(
                variant.loop,
                _SOLVERS,
                settings.loop_replications,
                n=settings.n,
                seed=settings.seed,
                progress=Progress(f"{name}: loops", enabled=progress),
            )
        measured.append(Measured(name, result, seconds, loops))
    return MainJob(settings, drawing_replications, drawing_seconds, measured)
