"""Run the blocks of an experiment: in any order, on any executor, with the same bits."""

import functools
import importlib
import itertools
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np

from gmm.montecarlo.blocks import MEMORY, Block, Records, allocate, block_count
from gmm.montecarlo.checkpoint import Checkpoint
from gmm.montecarlo.progress import Progress
from smartsolve._install import install

# Moments, their derivatives and temporaries beside the data of a chunk.
_COPIES = 16
# Blocks that wait in an executor's queue: enough for a large cluster, few enough to hold.
_WAITING = 1024
_ERRORS_KEPT = 1000


class Experiment(Protocol):
    """What the engine needs to know of an experiment."""

    @property
    def record_type(self) -> np.dtype[np.void]:
        """The layout of one replication's result."""

    @property
    def block_size(self) -> int:
        """Replications in a block."""

    @property
    def chunk(self) -> int:
        """Samples held at a time while a block is computed."""

    @property
    def bytes_a_sample(self) -> int:
        """What the data of one sample take."""

    def block(self, index: int) -> Block:
        """The results of one whole block."""


@dataclass(frozen=True)
class Outcome:
    """Results of all replications, and how many blocks a checkpoint spared or had lost."""

    records: Records
    blocks_reused: int
    blocks_damaged: int
    errors: dict[int, str] = field(default_factory=dict)


def run(
    experiment: Experiment,
    replications: int,
    *,
    executor: Executor | None = None,
    workers: int,
    checkpoint: Checkpoint | None,
    progress: Progress,
    memory: int = MEMORY,
) -> Outcome:
    """Compute what is missing, and put the replications in order.

    A block is always computed whole, and the last one cut: the replications asked for are a
    prefix of every longer run, whatever a solver does with the last slices of a stack.
    """
    size = experiment.block_size
    records = allocate(replications, experiment.record_type, memory // 2)
    errors: dict[int, str] = {}

    def store(index: int, block: Block) -> None:
        rows = records[index * size : (index + 1) * size]
        rows[...] = block.records[: len(rows)]
        for row, text in block.errors.items():
            if row < len(rows) and len(errors) < _ERRORS_KEPT:
                errors[index * size + row] = text

    indices = range(block_count(replications, size))
    missing = list(indices)
    if checkpoint is not None:
        missing = []
        for index in indices:
            saved = checkpoint.read(index)
            if saved is None:
                missing.append(index)
            else:
                store(index, saved)
    reused = len(indices) - len(missing)

    def finish(index: int, block: Block) -> None:
        if checkpoint is not None:
            checkpoint.write(index, block)
        store(index, block)
        progress.advance(size, failed=int(np.count_nonzero(block.records["status"])))

    progress.start(len(indices) * size, done=reused * size)
    try:
        with _saying_what_is_kept(checkpoint):
            _compute(experiment, missing, finish, executor, workers, memory)
    finally:
        progress.finish()
    records.flags.writeable = False
    damaged = 0 if checkpoint is None else len(checkpoint.damaged)
    return Outcome(records, reused, damaged, dict(sorted(errors.items())))


def compute(
    experiment: Experiment,
    indices: list[int],
    *,
    executor: Executor | None = None,
    workers: int,
    checkpoint: Checkpoint,
    progress: Progress,
    memory: int = MEMORY,
) -> int:
    """Compute those of the blocks that the checkpoint lacks; answer with their number."""
    size = experiment.block_size
    missing = [index for index in indices if checkpoint.read(index) is None]

    def finish(index: int, block: Block) -> None:
        checkpoint.write(index, block)
        progress.advance(size, failed=int(np.count_nonzero(block.records["status"])))

    progress.start(len(indices) * size, done=(len(indices) - len(missing)) * size)
    try:
        with _saying_what_is_kept(checkpoint):
            _compute(experiment, missing, finish, executor, workers, memory)
    finally:
        progress.finish()
    return len(missing)


@contextmanager
def _saying_what_is_kept(checkpoint: Checkpoint | None) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if checkpoint is not None:
            error.add_note(
                f"{checkpoint.directory} keeps the finished blocks; the same call goes on"
            )
        raise


def _compute(
    experiment: Experiment,
    indices: list[int],
    finish: Callable[[int, Block], None],
    executor: Executor | None,
    workers: int,
    memory: int,
) -> None:
    """Finish every block, in the order in which they come."""
    held = _COPIES * experiment.chunk * experiment.bytes_a_sample
    workers = max(1, min(workers, memory // 2 // held, len(indices)))
    if executor is None and workers == 1:
        for index in indices:
            finish(index, experiment.block(index))
        return
    if executor is not None:
        result = experiment.block_size * experiment.record_type.itemsize
        waiting = max(2, min(_WAITING, memory // 2 // result))
        _submit(_task(experiment, executor), indices, finish, executor, waiting)
        return
    with ThreadPoolExecutor(workers) as pool:
        _submit(experiment.block, indices, finish, pool, 2 * workers)


def _submit(
    task: Callable[[int], Block],
    indices: list[int],
    finish: Callable[[int, Block], None],
    pool: Executor,
    waiting: int,
) -> None:
    """Keep at most `waiting` blocks in the pool; on an exception, keep what is finished."""
    remaining = iter(indices)
    pending: dict[Future[Block], int] = {}
    # Futures come here as they end: asking all of them, as `wait` does, would take the longer the
    # more there are.
    ended: SimpleQueue[Future[Block]] = SimpleQueue()
    try:
        while True:
            for index in itertools.islice(remaining, waiting - len(pending)):
                future = pool.submit(task, index)
                pending[future] = index
                future.add_done_callback(ended.put)
            if not pending:
                return
            ready = [ended.get()]
            while not ended.empty():
                ready.append(ended.get())
            # Blocks first, then what was raised: no exception may take a finished block along.
            for future in sorted(ready, key=lambda future: future.exception() is not None):
                finish(pending.pop(future), future.result())
    except BaseException:
        for future in pending:
            future.cancel()
        if isinstance(pool, ThreadPoolExecutor):
            wait(pending)  # threads cannot be stopped, so nothing is lost by waiting
        for future, index in pending.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(OSError):
                    finish(index, future.result())
        raise


def check_executor(executor: Executor | None) -> None:
    """Raise TypeError for what only looks like an executor."""
    if hasattr(executor, "get_executor"):
        raise TypeError("executor is a Dask client; give its client.get_executor()")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor is {executor!r}; it must have the interface of concurrent.futures.Executor; "
            "for threads, give their number as workers"
        )


def _task(experiment: Experiment, executor: Executor) -> Callable[[int], Block]:
    """What computes a block in the executor: pickled once, unless threads share it."""
    if isinstance(executor, ThreadPoolExecutor):
        return experiment.block
    return functools.partial(_block_of, _dumps(experiment))


def _dumps(experiment: Experiment) -> bytes:
    try:
        # By value where a worker could not import it: notebooks, scripts, closures.
        pickler: Any = importlib.import_module("cloudpickle")
    except ImportError:
        pickler = pickle
    try:
        content: bytes = pickler.dumps(experiment)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        instead = f", or {install('dask')}, which brings cloudpickle" if pickler is pickle else ""
        raise TypeError(
            f"the study cannot be pickled, which this executor needs: {error}; define the model "
            f"and the sampler with def at the top of a module{instead}, or use threads"
        ) from error
    return content


@functools.lru_cache(maxsize=4)
def _loads(content: bytes) -> Experiment:
    experiment: Experiment = pickle.loads(content)
    return experiment


def _block_of(content: bytes, index: int) -> Block:
    return _loads(content).block(index)
