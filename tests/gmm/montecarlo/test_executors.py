"""montecarlo/engine.py on executors of all kinds: the same bits, whatever happens to workers."""

import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmm

from ..studies import local_study, normal_study

SEED, REPLICATIONS = 8, 620
needs_cloudpickle = pytest.mark.skipif(
    importlib.util.find_spec("cloudpickle") is None, reason="cloudpickle is not installed"
)


@pytest.fixture(scope="module")
def alone() -> gmm.MonteCarloResult:
    """One worker, in this process."""
    return local_study().run(REPLICATIONS, seed=SEED)


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        yield pool


@pytest.mark.parametrize("workers", [2, 60])
def test_one_worker_or_sixty(alone: gmm.MonteCarloResult, workers: int) -> None:
    more = local_study().run(REPLICATIONS, seed=SEED, workers=workers)
    assert more.records.tobytes() == alone.records.tobytes()
    with ThreadPoolExecutor(workers) as pool:
        given = local_study().run(REPLICATIONS, seed=SEED, executor=pool)
        assert pool.submit(int).result() == 0  # it is the caller's, and still open
    assert given.records.tobytes() == alone.records.tobytes()


@needs_cloudpickle
def test_processes(alone: gmm.MonteCarloResult, processes: Executor) -> None:
    """Even of functions that no worker can import."""
    out = local_study().run(REPLICATIONS, seed=SEED, executor=processes)
    assert out.records.tobytes() == alone.records.tobytes()


def test_importable_studies_need_no_cloudpickle(
    processes: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    out = gmm.GMMGaussianMC(2_500, n=30, moments=3, executor=processes)
    assert out.records.tobytes() == gmm.GMMGaussianMC(2_500, n=30, moments=3).records.tobytes()
    with pytest.raises(TypeError) as caught:
        local_study().run(100, seed=SEED, executor=processes)
    message = str(caught.value)
    assert "the study cannot be pickled" in message
    assert "with def at the top of a module" in message
    assert 'pip install "smartsolve[dask]"' in message


@needs_cloudpickle
def test_what_no_pickle_can_hold_is_said(processes: Executor) -> None:
    lock = threading.Lock()

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        with lock:
            return rng.standard_normal(size)

    study = gmm.MonteCarlo(gmm.GaussianMeanSD, sampler, {"mu": 0, "sigma": 1}, n=20)
    with pytest.raises(TypeError, match=r"cannot be pickled.*lock"):
        study.run(100, seed=SEED, executor=processes)
    assert study.run(100, seed=SEED, workers=2).converged.all()


class Backwards(Executor):
    """Computes what it was given in the opposite order, when it has a handful."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        if len(self.waiting) == 4 or args == (12,):
            while self.waiting:
                which, call = self.waiting.pop()
                which.set_result(call())
        return future


@needs_cloudpickle
def test_the_order_of_blocks_does_not_matter(alone: gmm.MonteCarloResult) -> None:
    out = local_study().run(REPLICATIONS, seed=SEED, executor=Backwards())
    assert out.records.tobytes() == alone.records.tobytes()


def slow_study(directory: Path) -> gmm.MonteCarlo:
    """Every block leaves the number of its process behind, and takes a moment."""
    like = local_study()

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        if size[0] > 2:
            (directory / f"{os.getpid()}").touch()
            time.sleep(0.05)
        return rng.standard_normal((*size, 1))

    return gmm.MonteCarlo(like.model, sampler, like.truth, like.n, like.fit, block=like.block)


def kill_one(directory: Path, blocks: Path) -> threading.Thread:
    """As soon as two blocks are finished, kill a process that computes."""

    def wait_and_kill() -> None:
        while len(list(blocks.glob("block-*"))) < 2:
            time.sleep(0.005)
        os.kill(int(next(directory.iterdir()).name), signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread


@needs_cloudpickle
def test_a_killed_process_breaks_the_pool_and_not_the_checkpoint(
    alone: gmm.MonteCarloResult, tmp_path: Path
) -> None:
    (seen := tmp_path / "seen").mkdir()
    study, directory = slow_study(seen), tmp_path / "run"
    killer = kill_one(seen, directory)
    with (
        ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool,
        pytest.raises(BrokenExecutor) as caught,
    ):
        study.run(REPLICATIONS, seed=SEED, executor=pool, checkpoint=directory)
    killer.join()
    assert "keeps the finished blocks" in caught.value.__notes__[0]
    resumed = study.run(REPLICATIONS, seed=SEED, checkpoint=directory)
    assert 2 <= resumed.blocks_reused < 13
    assert resumed.records.tobytes() == alone.records.tobytes()


def test_a_dask_cluster_that_loses_a_worker(alone: gmm.MonteCarloResult, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    (seen := tmp_path / "seen").mkdir()
    study, directory = slow_study(seen), tmp_path / "run"
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=100
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        killer = kill_one(seen, directory)
        out = study.run(REPLICATIONS, seed=SEED, executor=executor, checkpoint=directory)
        killer.join()
    assert len(list(seen.iterdir())) >= 2  # both workers had blocks
    assert out.records.tobytes() == alone.records.tobytes()


def test_an_executors_blocks_do_not_pile_up() -> None:
    """Of any number of blocks only so many wait at a time."""
    lock, most, waiting = threading.Lock(), 0, 0

    class Counting(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            nonlocal most, waiting
            with lock:
                waiting += 1
                most = max(most, waiting)
            future: Future[Any] = super().submit(fn, *args, **kwargs)
            future.add_done_callback(done)
            return future

    def done(_: Future[Any]) -> None:
        nonlocal waiting
        with lock:
            waiting -= 1

    study = normal_study(block=1)
    with Counting(1) as pool:
        study.run(100, seed=SEED, executor=pool, memory=20 * study_bytes(study))
    assert 2 <= most <= 10


def study_bytes(study: gmm.MonteCarlo) -> int:
    """What one block's results take."""
    return study.run(1, seed=SEED).records.itemsize * study.block


class Client:
    """What a Dask client looks like."""

    def submit(self) -> None: ...

    def get_executor(self) -> None: ...


@pytest.mark.parametrize(
    ("executor", "words"),
    [(4, "for threads, give their number as workers"), (Client(), r"client\.get_executor\(\)")],
)
def test_what_is_no_executor(executor: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=words):
        normal_study().run(10, seed=SEED, executor=executor)
    with pytest.raises(TypeError, match=words):
        normal_study().run_blocks(range(2), seed=SEED, executor=executor, checkpoint=tmp_path)
