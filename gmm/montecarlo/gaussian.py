"""The Gaussian study: many N(0, 1) samples, their mean and standard deviation by GMM."""

import operator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from gmm.data.arrays import Array
from gmm.data.power_sums import CentralMoments, central_moments, chunk_rows
from gmm.models.gaussian import GaussianMeanSD, check_options, power_order
from gmm.models.gaussian_theory import theory
from gmm.montecarlo.blocks import BLOCK, block_count, generator
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo

__all__ = ["GMMGaussianMC"]

# All variants share the first word of their streams' keys: they see the same samples, so that
# their results can be compared replication by replication.
DESIGN = 0


@dataclass(frozen=True)
class ReducedNormalSamples:
    """A sampler of N(0, 1) that keeps central moments only, and no sample longer than it must."""

    order: int

    def __call__(self, rng: np.random.Generator, size: tuple[int, int]) -> CentralMoments:
        """The central moments of R samples of n observations."""

        def draw(buffer: Array, rows: slice) -> None:
            rng.standard_normal(out=buffer)

        samples, n = size
        return central_moments(draw, samples, n, self.order)


def gaussian_study(n: int, moments: int = 2, form: str = "centered") -> MonteCarlo:
    """The study behind `GMMGaussianMC`; a block is drawn and estimated in one go."""
    study = MonteCarlo(
        partial(GaussianMeanSD.from_central_moments, moments=moments, form=form),
        ReducedNormalSamples(power_order(moments)),
        truth={"mu": 0.0, "sigma": 1.0},
        n=n,
        chunk=BLOCK,
        design=DESIGN,
    )
    check_options(moments, form, study.n)
    return replace(study, theory=theory(moments, study.n))


def GMMGaussianMC(  # the name of the 2010 program
    replications: int = 100_000,
    n: int = 500,
    seed: int = 2010,
    workers: int = 1,
    *,
    moments: int = 2,
    form: str = "centered",
    executor: Executor | None = None,
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
    executor : concurrent.futures.Executor, optional
        Computes the blocks instead, as in `MonteCarlo.run`.
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
    moments = operator.index(moments)
    return gaussian_study(operator.index(n), moments, form).run(
        replications,
        seed=seed,
        executor=executor,
        workers=workers,
        checkpoint=checkpoint,
        progress=progress,
    )


def draw_alone(replications: int, *, n: int, seed: int) -> None:
    """Draw the numbers of the experiment, as the engine does, and do nothing with them."""
    size = min(chunk_rows(n), BLOCK)
    buffer = np.empty((size, n))
    for block in range(block_count(replications)):
        rng = generator(seed, DESIGN, block)
        rows = min(BLOCK, replications - block * BLOCK)
        for first in range(0, rows, size):
            rng.standard_normal(out=buffer[: rows - first])
