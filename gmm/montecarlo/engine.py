"""Run the blocks of an experiment: in any order, on any number of threads, with the same bits."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gmm.montecarlo.blocks import BLOCK, Records, block_count
from gmm.montecarlo.checkpoint import Checkpoint
from gmm.montecarlo.progress import Progress


class Experiment(Protocol):
    """What the engine needs to know of an experiment."""

    @property
    def record_type(self) -> np.dtype[np.void]:
        """The layout of one replication's result."""

    def block(self, index: int) -> Records:
        """The results of one whole block."""


@dataclass(frozen=True)
class Outcome:
    """Results of all replications, and how many blocks a checkpoint spared or had lost."""

    records: Records
    blocks_reused: int
    blocks_damaged: int


def run(
    experiment: Experiment,
    replications: int,
    *,
    workers: int,
    checkpoint: Checkpoint | None,
    progress: Progress,
) -> Outcome:
    """Compute what is missing, and put the replications in order.

    A block is always computed whole, and the last one cut: the replications asked for are a
    prefix of every longer run, whatever a solver does with the last slices of a stack.
    """
    records = np.empty(replications, experiment.record_type)

    def store(index: int, block: Records) -> None:
        rows = records[index * BLOCK : (index + 1) * BLOCK]
        rows[...] = block[: len(rows)]

    missing = list(range(block_count(replications)))
    reused = damaged = 0
    if checkpoint is not None:
        missing = []
        for index in range(block_count(replications)):
            saved = checkpoint.read(index)
            if saved is None:
                missing.append(index)
            else:
                store(index, saved)
        reused, damaged = block_count(replications) - len(missing), len(checkpoint.damaged)

    def compute(index: int) -> None:
        block = experiment.block(index)
        if checkpoint is not None:
            checkpoint.write(index, block)
        store(index, block)

    progress.start(block_count(replications), done=reused)
    try:
        for _ in _each(compute, missing, workers):
            progress.advance()
    finally:
        progress.finish()
    records.flags.writeable = False
    return Outcome(records, reused, damaged)


def _each(compute: Callable[[int], None], indices: list[int], workers: int) -> Iterator[None]:
    """Yield once for every computed index; on an exception, start no further ones."""
    if workers == 1:
        for index in indices:
            compute(index)
            yield
        return
    with _pool(workers) as pool:
        remaining = iter(indices)
        pending: set[Future[None]] = set()
        while True:
            # A short queue: millions of waiting blocks would cost memory and gain nothing.
            for index in remaining:
                pending.add(pool.submit(compute, index))
                if len(pending) >= 2 * workers:
                    break
            if not pending:
                return
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                yield


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
