"""_study_cli.py: python -m gmm run, status and summary."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import gmm
from gmm.cli.command import main

STUDY = """
import numpy as np
import gmm

def g(theta, data):
    d = data[..., 0] - theta[..., 0, None]
    return np.stack([d, d**2 - theta[..., 1, None], d**3], axis=-1)

def sampler(rng, size):
    return rng.standard_normal((*size, 1))

study = gmm.MonteCarlo(
    g, sampler, {"mu": 0.0, "v": 1.0}, n=30,
    fit={"start": [0.0, 1.0], "initial": "start"}, avar=[1, 2], block=100,
)
"""
GRID = """
from mine import g, sampler  # the file's directory is searched
import gmm

def make(n):
    truth, fit = {"mu": 0.0, "v": 1.0}, {"start": [0.0, 1.0], "initial": "start"}
    return gmm.MonteCarlo(g, sampler, truth, n, fit, block=100)

study = gmm.MonteCarloGrid(make, n=[20, 40])
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "my-study.py").write_text(STUDY)
    (tmp_path / "mine.py").write_text(STUDY)
    (tmp_path / "grid.py").write_text(GRID)
    paths = sys.path.copy()
    yield tmp_path
    sys.path[:] = paths
    for name in ("mine", "gmm_study"):
        sys.modules.pop(name, None)


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(place: Path, text: str) -> Done:
    """In this process: a process for each of so many cases would take a minute."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(place), redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(text.split())
        except SystemExit as error:  # of the parser
            status = int(error.code or 0)
    return Done(status, out.getvalue(), err.getvalue())


def ok(place: Path, text: str) -> str:
    done = run(place, text)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_run_prints_a_summary(place: Path) -> None:
    text = ok(place, "run my-study.py --replications 5e2 --seed 3 --workers 2 --checkpoint ck")
    assert "size at 5 %" in text
    assert "converged: 500 of 500" in text
    assert ok(place, "summary ck") == text
    assert "missing   none" in ok(place, "status ck --replications 500")
    latex = ok(place, "summary ck --latex")
    assert latex.startswith("% Monte Carlo summary")


def test_jobs_of_an_array_together_are_one_run(place: Path) -> None:
    """In processes too, where each worker loads the file; bit for bit what one run gives."""
    ok(place, "run my-study.py --blocks 3:5 --seed 3 --checkpoint jobs")
    done = run(place, "status jobs --replications 500")
    assert done.returncode == 1
    assert "finished  2 blocks of 100: 200 replications" in done.stdout
    assert "missing   0:3" in done.stdout
    text = ok(
        place, "run my-study.py --blocks 0:3 --seed 3 --checkpoint jobs --processes --workers 2"
    )
    assert text == "blocks computed: 3\n"
    ok(place, "run my-study.py --replications 500 --seed 3 --checkpoint one")
    jobs, one = (gmm.MonteCarloResult.load(place / name) for name in ("jobs", "one"))
    assert jobs.records.tobytes() == one.records.tobytes()


def test_damage_is_said_and_mended(place: Path) -> None:
    ok(place, "run my-study.py --replications 300 --seed 3 --checkpoint ck")
    block = sorted((place / "ck").glob("block-*"))[1]
    content = block.read_bytes()
    block.write_bytes(content[:-1])
    done = run(place, "status ck")
    assert "damaged   1:2; run computes them again" in done.stdout
    assert "missing   1:2" in done.stdout
    assert run(place, "summary ck").stderr == "gmm: 1 damaged block left out\n"
    done = run(place, "run my-study.py --replications 300 --seed 3 --checkpoint ck")
    assert done.stderr == "gmm: 1 damaged block computed again\n"
    assert block.read_bytes() == content


def test_a_grid_is_one_table(place: Path) -> None:
    text = ok(place, "run grid.py --replications 200 --seed 3 --checkpoint ck")
    assert "n=20: mu" in text
    assert "n=40: J" in text
    assert ok(place, "summary ck") == text
    assert ok(place, "status ck").count("finished  2 blocks") == 2
    document = json.loads(ok(place, "summary ck --json"))
    assert document["n=40"]["replications"] == 200
    assert "n = 40" in ok(place, "status ck/n=40")


def test_a_picture(place: Path) -> None:
    pytest.importorskip("matplotlib")
    ok(place, "run my-study.py --replications 200 --seed 3 --checkpoint ck --plot a.png")
    ok(place, "summary ck --plot b.png")
    assert (place / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (place / "b.png").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run", "the following arguments are required"),
        ("run no.py --replications 5 --seed 1", "there is no file no.py"),
        ("run my-study.py", "run needs --replications R, or --blocks A:B"),
        ("run my-study.py --seed 1 --blocks 0:3", "--blocks needs --checkpoint DIR"),
        ("run my-study.py --seed 1 --blocks 3:3 --checkpoint c", "'3:3' is no range"),
        ("run my-study.py --seed 1 --blocks 3 --checkpoint c", "'3' is no range"),
        ("run my-study.py --seed 1 --blocks a:b --checkpoint c", "'a:b' is no range"),
        ("run my-study.py --seed 1 --blocks 0:1 --replications 5", "give either"),
        ("run my-study.py --seed 1 --replications 1.5", "'1.5' is not a whole number"),
        ("run my-study.py --seed 1 --replications 0", "replications is 0"),
        ("run my-study.py --seed -1 --replications 5", "seed is -1"),
        ("run my-study.py --seed 1 --replications 5 --workers 0", "workers is 0"),
        ("run my-study.py --seed 1 --replications 5 --processes --workers 0", "workers is 0"),
        ("run my-study.py --seed 1 --replications 5 --study x", "has no study x; it has study"),
        ("run my-study.py --seed 1 --replications 5 --plot a.xyz", "no known format"),
        ("run my-study.py --seed 1 --replications 5 --checkpoint mine.py", "not a directory"),
        ("run my-study.py --seed 1 --replications 5 --frobnicate", "unrecognized arguments"),
        ("run empty.py --seed 1 --replications 5", "it has none"),
        ("run two.py --seed 1 --replications 5", "several, study, other: choose by --study"),
        ("run broken.py --seed 1 --replications 5", "broken.py, line 2: "),
        ("run fails.py --seed 1 --replications 5", "NameError: name 'q' is not defined, in fails"),
        ("run wrong.py --seed 1 --replications 5", "TypeError: not today, in wrong.py, line 2, g"),
        ("run grid.py --seed 1 --replications 5 --plot a.png", "--plot draws one study"),
        ("run notes.txt --seed 1 --replications 5", "its name must end in .py"),
        ("status", "the following arguments are required: DIR"),
        ("status nowhere", "holds no checkpoint"),
        ("summary nowhere", "holds no checkpoint"),
        ("summary bad", "unreadable manifest"),
        ("status bad", "unreadable manifest"),
        ("summary old", "another version"),
    ],
)
def test_a_bad_argument_is_one_line_and_a_status(place: Path, text: str, words: str) -> None:
    for name in ("bad", "old"):
        (place / name).mkdir()
    (place / "bad" / "manifest.json").write_text("{")
    (place / "old" / "manifest.json").write_text('{"format": 1}')
    (place / "notes.txt").touch()
    (place / "empty.py").touch()
    (place / "two.py").write_text(STUDY + "other = study\n")
    (place / "broken.py").write_text("\nstudy = (\n")
    (place / "fails.py").write_text("study = q\n")
    (place / "wrong.py").write_text(
        "def g(theta, data):\n    raise TypeError('not today')\n" + STUDY.replace("def g", "def h")
    )
    if "--plot" in text:
        pytest.importorskip("matplotlib")
    done = run(place, text)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("gmm: ")
    assert words in done.stderr


def test_a_bug_on_the_way_is_one_line_that_says_what_is_kept(place: Path) -> None:
    (place / "bug.py").write_text(
        STUDY.replace(
            "    return rng.standard_normal((*size, 1))",
            "    x = rng.standard_normal((*size, 1))\n"
            "    if size[0] > 2 and x[0, 0, 0] < -2:\n"
            "        raise ValueError('too cold')\n"
            "    return x",
        )
    )
    done = run(place, "run bug.py --replications 1e5 --seed 1 --checkpoint ck --workers 2")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "ValueError: too cold, in bug.py, line 12, sampler; ck keeps" in done.stderr
    assert list((place / "ck").glob("block-*"))
    with pytest.raises(gmm.BlockError):
        run(place, "run bug.py --replications 1e5 --seed 1 --traceback")


def listen() -> None:
    """What is started in the background may have inherited that interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("processes", [False, True])
def test_an_ended_run_goes_on_to_the_same_bits(
    place: Path, how: signal.Signals, processes: bool
) -> None:
    text = "run my-study.py --replications 3e6 --seed 5 --workers 2 --checkpoint ck"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gmm", *text.split(), *["--processes"] * processes],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listen,
    )
    while len(list((place / "ck").glob("block-*.sha256"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    # What a terminal does: to all processes of the run.
    os.killpg(process.pid, how)
    out, err = process.communicate()
    assert out == ""
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert err == "gmm: interrupted; ck keeps the finished blocks, the same command goes on\n"
    finished = len(list((place / "ck").glob("block-*.sha256")))
    replications = 100 * (min(finished, 40) + 2)
    ok(place, f"run my-study.py --replications {replications} --seed 5 --checkpoint ck")
    ok(place, f"run my-study.py --replications {replications} --seed 5 --checkpoint fresh")
    for path in sorted((place / "fresh").glob("block-*")):
        assert (place / "ck" / path.name).read_bytes() == path.read_bytes()
