"""A Monte Carlo study: samples of a known truth, estimated again and again."""

import operator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gmm.data.arrays import Array
from gmm.inference.confidence_sets import used
from gmm.montecarlo.arguments import (
    LARGEST,
    MOST_WORKERS,
    check_count,
    check_run,
    check_seed,
)
from gmm.montecarlo.blocks import MEMORY, RECORDED
from gmm.montecarlo.checkpoint import Checkpoint
from gmm.montecarlo.columns import Column
from gmm.montecarlo.design import Study
from gmm.montecarlo.engine import check_executor, compute, run
from gmm.montecarlo.experiment import Experiment
from gmm.montecarlo.progress import Progress
from gmm.montecarlo.result import MonteCarloResult

__all__ = ["MonteCarlo", "Replay"]


class MonteCarlo(Study):
    """A Monte Carlo study of a GMM estimator.

    Parameters
    ----------
    model : callable
        Moment conditions ``g(theta, data)``, (..., k), (..., n, d) -> (..., n, q), estimated as
        `Moments`; or a function of the data alone that answers with a model, that is, with
        something that has a ``fit``. The data are what the sampler draws: many samples with a
        leading axis, and one sample without it in `replay`.
    sampler : callable
        ``sampler(rng, (R, n))`` draws R samples of n observations with the generator `rng` and
        answers with an array (R, n, d), or with a tuple or dict of arrays that begin with R.
    truth : dict of str to float
        Names of the k parameters, in the order of theta, and their true values.
    n : int
        Observations in a sample.
    fit : dict, optional
        Options of the model's ``fit``. Of moment conditions and classes of models they are
        checked here, of functions of the data when the study is first tried, before any block.
    record : dict of str to callable, optional
        What else is to be kept of each replication: functions ``f(result)``,
        ``f(result, data)`` or ``f(result, data, rng)`` of the fit, the samples and a generator.
        They answer with a test (its p-value is kept), a `ConfidenceSet`, another estimator's fit,
        truth values (...) or numbers (..., m...), or a dict of these.
    vectorized : bool
        False for functions that know one sample only: moment conditions as in `Moments`;
        models of statsmodels or linearmodels, which then get the samples one by one, without
        the leading axis, and so does what is recorded of them.
    jac, bounds
        As in `Moments`; for moment conditions only.
    avar : (k, k) or (k,) array_like, optional
        The asymptotic variance of sqrt(n) (estimate - truth), or its diagonal, where theory
        gives it: summary and plot compare with it.
    theory : dict, optional
        More theory, by parameter and statistic; `avar` fills it in the limit.
    block : int
        Replications in a block: what a worker computes at a time, and what one checkpoint file
        holds. Smaller for estimators that take seconds each.
    chunk : int, optional
        Samples drawn and estimated together within a block; by default about 1 MiB of data.
    design : int
        Number of the design: studies that share a seed but not this draw from independent
        streams.

    Notes
    -----
    Block b draws from ``SeedSequence(seed, spawn_key=(design, b))``, whatever computes it and
    when. `block` and `chunk` belong to the experiment's identity; workers, executors, the order
    of the blocks, interruptions and the memory budget do not change a bit of the results. Sampler
    and model must be functions of their arguments alone; several threads may call them at once.
    A sampler that answers one generator with two different samples is refused.

    A replication that fails keeps a `Status` other than ``OK`` and stops nothing. If a model
    raises, the samples of that chunk are estimated one by one, and those that raise again get
    ``Status.EXCEPTION`` and their message in the result's `errors`. An exception of the sampler,
    or a model that raises for every sample, is a bug, and a `BlockError` that names the block.

    See Also
    --------
    MonteCarloGrid : studies over a grid of sample sizes and parameters.
    GMMGaussianMC : the study of 2010.

    Examples
    --------
    Is the mean of four t-distributed numbers with its textbook interval to be trusted?

    >>> import gmm
    >>> def sampler(rng, size):
    ...     return rng.standard_t(5, size)
    >>> study = gmm.MonteCarlo(gmm.GaussianMeanSD, sampler, truth={"mu": 0, "sigma": 1.29}, n=4)
    >>> out = study.run(5000, seed=1)
    >>> out.estimates.shape, out.converged.mean()
    ((5000, 2), np.float64(1.0))
    >>> coverage = out.summary()["mu"]["coverage"]
    >>> 0.75 < coverage.value < 0.85, coverage.mcse < 0.01
    (True, True)

    Replication 4321 once more, alone, with the sample it had:

    >>> again = study.replay(4321, seed=1)
    >>> again.data.shape, bool(again.estimates[0] == out.estimates[4321, 0])
    ((4,), True)
    """

    def run(
        self,
        replications: int,
        *,
        seed: int,
        executor: Executor | None = None,
        workers: int = 1,
        checkpoint: str | Path | None = None,
        progress: bool | None = None,
        memory: int = MEMORY,
    ) -> MonteCarloResult:
        """Draw and estimate `replications` samples.

        Parameters
        ----------
        replications : int
            R. A run with fewer replications is the beginning of a run with more.
        seed : int
            Names the random streams; not negative.
        executor : concurrent.futures.Executor, optional
            Computes the blocks: a pool of threads or processes, a Dask cluster's
            ``client.get_executor()``, an ``mpi4py.futures.MPIPoolExecutor``. What leaves the
            process must be picklable; with cloudpickle installed, functions defined in a
            notebook are. It is not shut down.
        workers : int
            Threads, if there is no executor.
        checkpoint : path, optional
            A directory that keeps every finished block. The same call resumes an interrupted
            run, and a call with more replications goes on from it.
        progress : bool, optional
            Report on stderr while it runs; by default if that is a terminal.
        memory : int
            A budget in bytes for samples and results in this process: fewer threads run at once
            if they would exceed it, and results that would are kept in a temporary file.

        Returns
        -------
        MonteCarloResult

        Raises
        ------
        CheckpointError
            If the directory holds another experiment.
        BlockError
            If the sampler or the model has a bug; finished blocks are kept in the checkpoint.
        TypeError
            If the study cannot be pickled and the executor needs it, or it is no executor.
        OSError
            If the checkpoint cannot be written; finished blocks are kept.
        """
        replications, seed, workers = check_run(replications, seed, workers)
        check_executor(executor)
        experiment = Experiment.of(self, seed)
        outcome = run(
            experiment,
            replications,
            executor=executor,
            workers=workers,
            checkpoint=None if checkpoint is None else _open(experiment, checkpoint),
            progress=Progress(f"n = {self.n:,}", enabled=progress),
            memory=operator.index(memory),
        )
        return MonteCarloResult(
            parameters=tuple(self.truth),
            truth=dict(self.truth),
            n=self.n,
            seed=experiment.seed,
            df=experiment.df,
            df_t=experiment.df_t,
            theory=self.theory,
            records=outcome.records,
            errors=outcome.errors,
            blocks_reused=outcome.blocks_reused,
            blocks_damaged=outcome.blocks_damaged,
            columns=experiment.columns,
            label=self.label,
        )

    def run_blocks(
        self,
        blocks: range,
        *,
        seed: int,
        checkpoint: str | Path,
        executor: Executor | None = None,
        workers: int = 1,
        progress: bool | None = None,
        memory: int = MEMORY,
    ) -> int:
        """Compute some blocks into a checkpoint: one job of many that share a directory.

        Parameters
        ----------
        blocks : range
            Block b holds the replications from ``b * block`` on.
        seed, checkpoint, executor, workers, progress, memory
            As in `run`, which puts the blocks together afterwards.

        Returns
        -------
        int
            How many were computed; the others were there already.
        """
        if len(blocks) and min(blocks[0], blocks[-1]) < 0:
            raise ValueError(f"blocks is {blocks}; it must not be negative")
        check_executor(executor)
        experiment = Experiment.of(self, check_seed(seed))
        return compute(
            experiment,
            list(blocks),
            executor=executor,
            workers=check_count("workers", workers, MOST_WORKERS),
            checkpoint=_open(experiment, checkpoint),
            progress=Progress(f"n = {self.n:,}", enabled=progress),
            memory=operator.index(memory),
        )

    def claim(self, directory: str | Path, *, seed: int) -> None:
        """Make a directory the checkpoint of this study, or raise if it is another's.

        Parameters
        ----------
        directory : path
            As `checkpoint` in `run`, which does this, too; here before anything else.
        seed : int
            That of the run.

        Raises
        ------
        CheckpointError
            If the directory holds another experiment.
        """
        _open(Experiment.of(self, check_seed(seed)), directory)

    def replay(self, replication: int, *, seed: int) -> "Replay":
        """One replication of a run with this seed: its sample, and its results.

        Parameters
        ----------
        replication : int
            Its number, from 0 on.
        seed : int
            That of the run.

        Returns
        -------
        Replay
        """
        replication = operator.index(replication)
        if not 0 <= replication < LARGEST:
            raise ValueError(f"replication is {replication}; it must be between 0 and 10**9 - 1")
        experiment = Experiment.of(self, check_seed(seed))
        data, record = experiment.sample(replication)
        return Replay(self, replication, data, record, experiment.columns)


@dataclass(frozen=True, eq=False)
class Replay:
    """One replication, computed again.

    Attributes
    ----------
    replication : int
        Its number.
    data
        Its sample, as the sampler drew it, without the leading axis.
    model, result
        The model of this sample alone, and its fit; what the model raises, they raise.
    estimates, bse : (k,) ndarray
    j : float
    status, iterations : int
        Bit for bit as in the run, where the sample was one of a chunk.
    recorded : dict
        What the study records besides, likewise.
    """

    study: MonteCarlo = field(repr=False)
    replication: int
    data: Any
    record: np.void = field(repr=False)
    columns: tuple[Column, ...] = field(default=(), repr=False)

    @cached_property
    def model(self) -> Any:
        """The model of this sample alone."""
        return self.study.build(self.data)

    @cached_property
    def result(self) -> Any:
        """Its fit, with everything that a fit answers."""
        return self.study.fitted(self.data)

    @property
    def recorded(self) -> dict[str, Any]:
        """What the study records besides, by name, bit for bit as in the run."""
        found: dict[str, Any] = {}
        for column in self.columns:
            value = self.record[RECORDED][column.name]
            if column.kind == "set":
                found[column.name] = replace(
                    column.confidence_set(value),
                    intervals=used(value["intervals"]),
                    missing=bool(value["missing"]),
                )
            elif column.kind == "estimates":
                found[column.name] = {name: value[name] for name in value.dtype.names}
            else:
                found[column.name] = value
        return found

    @property
    def estimates(self) -> Array:
        """Estimates (k,), bit for bit as in the run."""
        result: Array = self.record["estimates"]
        return result

    @property
    def bse(self) -> Array:
        """Standard errors (k,), bit for bit as in the run."""
        result: Array = self.record["bse"]
        return result

    @property
    def j(self) -> float:
        """Hansen's J statistic, as in the run."""
        return float(self.record["j"])

    @property
    def iterations(self) -> int:
        """Gauss-Newton steps, as in the run."""
        return int(self.record["iterations"])

    @property
    def status(self) -> int:
        """The `Status`, as in the run."""
        return int(self.record["status"])


def _open(experiment: Experiment, directory: str | Path) -> Checkpoint:
    return Checkpoint(
        directory,
        experiment.identity(),
        experiment.record_type,
        theory=experiment.study.theory,
    )
