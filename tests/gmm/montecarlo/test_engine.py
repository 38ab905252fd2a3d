"""montecarlo/engine.py: the same bits whatever runs them, and clean ends."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gmm
from gmm.data import power_sums
from gmm.montecarlo.blocks import BLOCK, Block, generator, record_type
from gmm.montecarlo.engine import run
from gmm.montecarlo.progress import Progress

QUIET = Progress("", enabled=False)


class Counting:
    """Each block is filled with its own number; some blocks raise."""

    record_type = record_type(1)
    block_size, chunk, bytes_a_sample = BLOCK, BLOCK, 8

    def __init__(self, failing: dict[int, BaseException] | None = None) -> None:
        self.failing = failing or {}
        self.computed: list[int] = []
        self._lock = threading.Lock()

    def block(self, index: int) -> Block:
        with self._lock:
            self.computed.append(index)
        if index in self.failing:
            raise self.failing[index]
        records = np.zeros(BLOCK, self.record_type)
        records["j"] = index
        return Block(records)


@settings(max_examples=20, deadline=None)
@given(replications=st.integers(1, 12_345), workers=st.integers(1, 5))
def test_every_block_is_computed_once_and_put_in_its_place(replications: int, workers: int) -> None:
    experiment = Counting()
    outcome = run(experiment, replications, workers=workers, checkpoint=None, progress=QUIET)
    np.testing.assert_array_equal(outcome.records["j"], np.arange(replications) // BLOCK)
    assert sorted(experiment.computed) == list(range(-(-replications // BLOCK)))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("error", [MemoryError("out"), KeyboardInterrupt()])
def test_an_error_stops_the_run_and_reaches_the_caller(workers: int, error: BaseException) -> None:
    experiment = Counting({2: error})
    with pytest.raises(type(error)):
        run(experiment, 100 * BLOCK, workers=workers, checkpoint=None, progress=QUIET)
    assert len(experiment.computed) < 100


def test_results_cannot_be_written_to() -> None:
    result = gmm.GMMGaussianMC(10, n=20)
    with pytest.raises(ValueError, match="read-only"):
        result.estimates[0, 0] = 0


@pytest.mark.parametrize(("moments", "form"), [(2, "centered"), (2, "raw"), (4, "centered")])
def test_any_number_of_workers_gives_the_same_bits(moments: int, form: str) -> None:
    one = gmm.GMMGaussianMC(7_300, n=60, workers=1, moments=moments, form=form)
    for workers in (2, 5):
        more = gmm.GMMGaussianMC(7_300, n=60, workers=workers, moments=moments, form=form)
        assert more.records.tobytes() == one.records.tobytes()


def test_threads_of_blas_do_not_change_a_bit() -> None:
    program = (
        "import gmm, hashlib\n"
        "for q in (2, 4):\n"
        "    records = gmm.GMMGaussianMC(2_000, n=500, moments=q, workers=2).records\n"
        "    print(hashlib.sha256(records.tobytes()).hexdigest())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-P", "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "4")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("moments", [2, 4])
def test_fewer_replications_are_a_prefix(moments: int) -> None:
    long = gmm.GMMGaussianMC(3_000, n=60, moments=moments)
    for replications in (1, 7, 999, 1_000, 1_001, 2_500):
        short = gmm.GMMGaussianMC(replications, n=60, moments=moments)
        assert short.records.tobytes() == long.records[:replications].tobytes()


@pytest.mark.parametrize("moments", [2, 4])
def test_the_size_of_chunks_does_not_change_a_bit(
    moments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = gmm.GMMGaussianMC(1_000, n=60, moments=moments)
    for size in (1, 7 * 8 * 60, 10**8):
        monkeypatch.setattr(power_sums, "_CHUNK_BYTES", size)
        assert gmm.GMMGaussianMC(1_000, n=60, moments=moments).records.tobytes() == (
            usual.records.tobytes()
        )


@pytest.mark.parametrize(("moments", "form"), [(2, "centered"), (2, "raw"), (4, "centered")])
def test_the_engine_estimates_what_the_model_does(moments: int, form: str) -> None:
    """One replication at a time, drawn afresh from the block's stream."""
    result = gmm.GMMGaussianMC(1_050, n=60, moments=moments, form=form)
    rngs = [generator(2010, 0, block) for block in (0, 1)]
    samples = [rngs[r // BLOCK].standard_normal(60) for r in range(1_050)]
    for r in (0, 1, 500, 999, 1_000, 1_049):
        single = gmm.GaussianMeanSD(samples[r], moments=moments, form=form).fit()
        np.testing.assert_allclose(result.estimates[r], single.params, atol=1e-9)
        np.testing.assert_allclose(result.bse[r], single.bse, rtol=1e-8)
        np.testing.assert_allclose(result.j[r], single.j, rtol=1e-8)
