"""``gmm run``: workers end with their parent, and what is wrong with a study is one line."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmm

STUDY = """
import numpy as np
import gmm

def sampler(rng, size):
    return {sampler}

def g(theta, data):
    return {g}

study = gmm.MonteCarlo(g, sampler, truth={{"m": 0.0}}, n=20, fit={{"start": [0.1]}}, block=50)
"""


def command(tmp_path: Path, **parts: str) -> list[str]:
    usual = {
        "sampler": "rng.standard_normal(size)[..., None]",
        "g": "data - theta[..., None, :]",
    }
    file = tmp_path / "study.py"
    file.write_text(STUDY.format(**{**usual, **parts}))
    return [sys.executable, "-P", "-m", "gmm", "run", str(file), "--replications", "100"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"g": "None"}, "it must give numbers (n, q)"),
        ({"g": "1.0"}, "it must give numbers (n, q)"),
        ({"sampler": "None"}, "the sampler answers with None"),
        ({"sampler": "'text'"}, "the sampler answers with 'text'"),
        ({"sampler": "{'x': rng.standard_normal(size)}"}, "the sampler answers with a dict"),
        ({"sampler": "np.full((*size, 1), 'text')"}, "an array of <U4"),
        ({"sampler": "np.full((*size, 1), None)"}, "an array of object"),
        ({"sampler": "np.full((*size, 1), 1j)"}, "an array of complex128"),
        ({"sampler": "iter(size)"}, "the sampler answers with a "),
        ({"g": "data - theta[..., None, :] + 1j"}, "g gives complex moments"),
        ({"g": "{'a': 1}"}, "it must give numbers (n, q)"),
    ],
)
def test_one_line(tmp_path: Path, parts: dict[str, str], words: str) -> None:
    done = subprocess.run(command(tmp_path, **parts), capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_lost_worker_is_one_line(tmp_path: Path) -> None:
    """A worker that ends in the middle of a block, as one does that the system kills."""
    run = command(tmp_path, sampler="draw(rng, size)")
    file = Path(run[-3])
    file.write_text(
        "import multiprocessing, os\n"
        "def draw(rng, size):\n"
        "    if multiprocessing.parent_process() is not None:\n"
        "        os._exit(1)\n"
        "    return rng.standard_normal(size)[..., None]\n" + file.read_text()
    )
    run += ["--processes", "--checkpoint", str(tmp_path / "kept")]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 1
    assert "a worker process has ended abruptly" in done.stderr
    assert "keeps the finished blocks" in done.stderr
    assert done.stderr.count("\n") == 1


def test_all_failed_is_a_failure(tmp_path: Path) -> None:
    # No theta makes x^2 + theta^2 + 1 zero.
    parts = {"g": "data**2 + theta[..., None, :] ** 2 + 1"}
    done = subprocess.run(command(tmp_path, **parts), capture_output=True, text=True)
    assert done.returncode == 1
    assert "all replications failed" in done.stderr


def test_complex_moments_are_refused() -> None:
    def g(theta: Any, data: Any) -> Any:
        return data - theta[..., None, :] + 1j

    with pytest.raises(TypeError, match="complex moments"):
        gmm.Moments(g, np.ones((5, 1))).fit([0.0])


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    out = gmm.GMMGaussianMC(1e3, n=20, seed=1.0, checkpoint=tmp_path)  # type: ignore[arg-type]
    assert out.replications == 1000
    with pytest.raises(TypeError, match=r"seed is 1.5; it must be a whole number"):
        gmm.GMMGaussianMC(1000, n=20, seed=1.5)  # type: ignore[arg-type]
    block = next(tmp_path.glob("block-*"))
    (tmp_path / "block-copy of 1.npy.sha256").write_bytes(block.read_bytes())
    assert gmm.MonteCarloResult.load(tmp_path).replications == 1000
