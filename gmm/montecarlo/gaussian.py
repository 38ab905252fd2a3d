"""The Gaussian experiment: many N(0, 1) samples, their mean and standard deviation by GMM."""

import hashlib
import operator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import smartsolve
from gmm._linear import Array
from gmm._power_sums import central_moments, chunk_rows
from gmm.models.gaussian import GaussianMeanSD, check_options, power_order
from gmm.models.gaussian_theory import theory
from gmm.montecarlo.blocks import BLOCK, Records, block_count, generator, record_type
from gmm.montecarlo.checkpoint import Checkpoint
from gmm.montecarlo.engine import run
from gmm.montecarlo.progress import Progress
from gmm.montecarlo.result import MonteCarloResult

__all__ = ["GMMGaussianMC"]

# The first word of every stream's key. All variants share it: they see the same samples, so
# that their results can be compared replication by replication.
DESIGN = 0
_TRUTH = {"mu": 0.0, "sigma": 1.0}
_LARGEST = 10**9
_MOST_WORKERS = 1024


@dataclass(frozen=True)
class GaussianExperiment:
    """Samples of n observations of N(0, 1), estimated a block at a time."""

    n: int
    seed: int
    moments: int
    form: str

    def __post_init__(self) -> None:
        _check_count("n", self.n, _LARGEST)
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must not be negative")
        check_options(self.moments, self.form, self.n)

    @property
    def record_type(self) -> np.dtype[np.void]:
        """The layout of one replication's result."""
        return record_type(len(GaussianMeanSD.parameters))

    def identity(self) -> dict[str, Any]:
        """Everything that decides the results, as JSON values."""
        return {
            "model": "GaussianMeanSD",
            **asdict(self),
            "truth": _TRUTH,
            "design": DESIGN,
            "block": BLOCK,
            "numpy": np.__version__,
            "smartsolve": smartsolve.__version__,
            "stream": self._stream_digest(),
        }

    def block(self, index: int) -> Records:
        """The results of one whole block."""
        rng = generator(self.seed, DESIGN, index)

        def draw(buffer: Array, rows: slice) -> None:
            rng.standard_normal(out=buffer)

        data = central_moments(draw, BLOCK, self.n, power_order(self.moments))
        fit = GaussianMeanSD.from_central_moments(data, moments=self.moments, form=self.form).fit()
        records = np.empty(BLOCK, self.record_type)
        records["estimates"], records["bse"], records["j"] = fit.params, fit.bse, fit.j
        records["iterations"], records["status"] = fit.iterations, fit.status
        return records

    def _stream_digest(self) -> str:
        """A hash of the first block's first numbers: NumPy may change its streams one day."""
        rng = generator(self.seed, DESIGN, 0)
        return hashlib.sha256(rng.standard_normal(min(BLOCK * self.n, 10**6)).tobytes()).hexdigest()


def GMMGaussianMC(  # the name of the 2010 program
    replications: int = 100_000,
    n: int = 500,
    seed: int = 2010,
    workers: int = 1,
    *,
    moments: int = 2,
    form: str = "centered",
    checkpoint: str | Path | None = None,
    progress: bool | None = None,
) -> MonteCarloResult:
    """Monte Carlo of GMM for the mean and standard deviation of a normal sample.

    Parameters
    ----------
    replications : int
        How many samples of N(0, 1) are drawn and estimated.
    n : int
        Observations in a sample; more than `moments`.
    seed : int
        Names the random streams; not negative. The result is a function of `seed`, `n` and the
        model, and a run with fewer replications is the beginning of a run with more.
    workers : int
        Threads. The result does not depend on it, bit for bit.
    moments, form
        The model, as in `GaussianMeanSD`.
    checkpoint : path, optional
        A directory that keeps every finished block. The same call resumes an interrupted run,
        and a call with more replications goes on from it.
    progress : bool, optional
        Report on stderr while it runs; by default if that is a terminal.

    Returns
    -------
    MonteCarloResult

    Raises
    ------
    ValueError
        For an argument that means no experiment.
    CheckpointError
        If the directory holds another experiment.

    Notes
    -----
    Replications come in blocks of 1000, and every block has a random stream of its own. A block
    is drawn and reduced to power sums a cache-full at a time, and its samples are estimated
    together. A replication that fails is recorded in `status` and stops nothing.

    Examples
    --------
    >>> import gmm
    >>> result = gmm.GMMGaussianMC(2000, n=100)
    >>> result.estimates.shape
    (2000, 2)
    >>> coverage = result.summary()["mu"]["coverage"]
    >>> round(coverage.theory.value, 6), abs(coverage.value - coverage.theory.value) < 0.02
    (0.946017, True)
    """
    replications, n, seed = map(operator.index, (replications, n, seed))
    workers, moments = operator.index(workers), operator.index(moments)
    check_counts(replications, workers)
    experiment = GaussianExperiment(n=n, seed=seed, moments=moments, form=form)
    saved = None if checkpoint is None else open_checkpoint(experiment, checkpoint)
    outcome = run(
        experiment,
        replications,
        workers=workers,
        checkpoint=saved,
        progress=Progress(f"{moments} moments, {form}", enabled=progress),
    )
    return MonteCarloResult(
        parameters=GaussianMeanSD.parameters,
        truth=dict(_TRUTH),
        n=n,
        seed=seed,
        moments=moments,
        form=form,
        theory=theory(moments, n),
        records=outcome.records,
        blocks_reused=outcome.blocks_reused,
        blocks_damaged=outcome.blocks_damaged,
    )


def open_checkpoint(experiment: GaussianExperiment, directory: str | Path) -> Checkpoint:
    """The experiment's directory, or the reason why it cannot be used."""
    return Checkpoint(directory, experiment.identity(), experiment.record_type)


def draw_alone(replications: int, *, n: int, seed: int) -> None:
    """Draw the numbers of the experiment, as the engine does, and do nothing with them."""
    size = min(chunk_rows(n), BLOCK)
    buffer = np.empty((size, n))
    for block in range(block_count(replications)):
        rng = generator(seed, DESIGN, block)
        rows = min(BLOCK, replications - block * BLOCK)
        for first in range(0, rows, size):
            rng.standard_normal(out=buffer[: rows - first])


def check_counts(replications: int, workers: int) -> None:
    """Raise ValueError for counts that no run can have."""
    _check_count("replications", replications, _LARGEST)
    _check_count("workers", workers, _MOST_WORKERS)


def _check_count(name: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise ValueError(f"{name} is {value}; it must be between 1 and {largest:,}")
