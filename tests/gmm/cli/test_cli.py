"""python -m gmm as its users meet it: in a process of its own."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gmm
import smartsolve

SMALL = ["--replications", "1500", "--n", "50", "--loops", "100"]
WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
from gmm.cli.command import main
sys.exit(main(sys.argv[1:]))
"""


def run(
    *arguments: str, cwd: Path, program: tuple[str, ...] = ("-m", "gmm")
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-W", "error", *program, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_main_job_prints_times_and_theory_and_draws(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run(*SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in (
        "a reconstruction, as the original is lost",
        "loop, numpy.linalg.solve",
        "loop, smartsolve.solve",
        "reported in 2010",
        "unknown hardware",
        "not of 2010: four moments",
        "A: solve is",
        "picture: gmm-2010.png",
    ):
        assert words in done.stdout
    assert (tmp_path / "gmm-2010.png").read_bytes().startswith(b"\x89PNG")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    done = run(*SMALL, "--json", "--workers", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["replications"] == 1500
    assert document["loop_replications"] == 100
    assert set(document["variants"]) == {"A", "B", "q4"}
    a = document["variants"]["A"]
    assert set(a["loops"]) == {"numpy.linalg.solve", "smartsolve.solve"}
    for loop in a["loops"].values():
        assert 0 < loop["solve_seconds"] < loop["seconds"]
    assert a["largest_difference_loop_engine"] < 1e-12
    assert a["engine"]["measures"]["mu"]["coverage"]["theory"] == 0.9418911224185447
    assert document["variants"]["q4"]["loops"] == {}
    assert document["reported_2010"]["seconds"] == 60
    assert list(tmp_path.iterdir()) == []


def test_both_packages_have_the_version_of_the_distribution(tmp_path: Path) -> None:
    installed = importlib.metadata.version("smartsolve")
    assert gmm.__version__ == smartsolve.__version__ == installed
    for package in ("gmm", "smartsolve"):
        done = run("--version", cwd=tmp_path, program=("-m", package))
        assert (done.returncode, done.stdout.strip()) == (0, installed)


@pytest.mark.parametrize(
    ("loops", "expected"), [("all", 1500), ("none", 0), ("0", 0), ("7", 7), ("9999", 1500)]
)
def test_loops_run_as_often_as_asked(tmp_path: Path, loops: str, expected: int) -> None:
    arguments = ["--replications", "1500", "--n", "20", "--model", "A", "--json"]
    document = json.loads(run(*arguments, "--loops", loops, cwd=tmp_path).stdout)
    assert document["loop_replications"] == expected
    assert bool(document["variants"]["A"]["loops"]) == (expected > 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--replications", "0"], "replications is 0"),
        (["--replications", "-5"], "replications is -5"),
        (["--replications", "many"], "'many' is not a whole number"),
        (["--replications", "1e-5"], "'1e-5' is not a whole number"),
        (["--replications", "1" + "0" * 30], "between 1 and"),
        (["--n", "2"], "at least 3 observations"),
        (["--n", "4"], "at least 5 observations"),
        (["--n", "-1"], "n is -1"),
        (["--n", "nan"], "'nan' is not a whole number"),
        (["--seed", "-1"], "seed is -1"),
        (["--seed", "0.5"], "'0.5' is not a whole number"),
        (["--workers", "0"], "workers is 0"),
        (["--model", "C"], "invalid choice: 'C'"),
        (["--loops", "some"], "'some' is not a whole number"),
        (["--loops", "-1"], "-1 is negative"),
        (["--plot", "missing/picture.png"], "plot file missing/picture.png cannot be written"),
        (["--plot", "picture.xyz"], "no known format"),
        (["--checkpoint", "file"], "Not a directory"),
        (["--checkpoint", "file/below"], "file"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--n"], "expected one argument"),
        (["stray"], "'stray' is no command; there are run, status, summary"),
    ],
)
def test_a_bad_argument_is_one_line_and_a_status(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("gmm: ")
    assert words in done.stderr


def test_without_matplotlib_the_numbers_come_all_the_same(tmp_path: Path) -> None:
    done = run(*SMALL, cwd=tmp_path, program=("-c", WITHOUT_MATPLOTLIB))
    assert done.returncode == 0, done.stderr
    assert (
        'no picture: pictures need matplotlib; install it with: pip install "smartsolve[plot]"'
        in (done.stdout)
    )
    assert "converged: 1,500 of 1,500" in done.stdout


def test_without_matplotlib_a_named_picture_is_refused_at_once(tmp_path: Path) -> None:
    done = run("--plot", "p.png", cwd=tmp_path, program=("-c", WITHOUT_MATPLOTLIB))
    assert done.returncode == 2
    assert done.stdout == ""
    assert 'pip install "smartsolve[plot]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_checkpoint_is_resumed_and_a_foreign_one_refused(tmp_path: Path) -> None:
    arguments = ["--replications", "2500", "--n", "20", "--loops", "none", "--json"]
    first = json.loads(run(*arguments, "--checkpoint", "run", cwd=tmp_path).stdout)
    block = sorted((tmp_path / "run" / "B").glob("block-*"))[1]
    block.write_bytes(block.read_bytes()[:-1])
    again = run(*arguments, "--checkpoint", "run", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stderr == "gmm: B: 1 damaged block in the checkpoint computed again\n"
    second = json.loads(again.stdout)
    for name, reused in (("A", 3), ("B", 2), ("q4", 3)):
        engine = second["variants"][name]["engine"]
        assert engine["blocks_reused"] == reused
        assert engine["measures"] == first["variants"][name]["engine"]["measures"]
    foreign = run(*arguments, "--seed", "1", "--checkpoint", "run", cwd=tmp_path)
    assert foreign.returncode == 2
    assert foreign.stdout == ""
    assert "belongs to another experiment: its seed is 2010" in foreign.stderr
    assert len(foreign.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as POSIX signals")
def test_an_interrupt_is_one_line_and_can_be_resumed(tmp_path: Path) -> None:
    arguments = ["--n", "20", "--model", "A", "--loops", "none", "--json", "--checkpoint", "run"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "gmm",
            *arguments,
            "--replications",
            "5000000",
            "--workers",
            "2",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What is started in the background may have inherited that interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    directory = tmp_path / "run" / "A"
    while len(list(directory.glob("block-*.sha256"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert err == "gmm: interrupted; run keeps the finished blocks, the same command goes on\n"
    resumed = json.loads(run(*arguments, "--replications", "3000", cwd=tmp_path).stdout)
    assert resumed["variants"]["A"]["engine"]["blocks_reused"] >= 1


def test_quick_is_a_smaller_main_job(tmp_path: Path) -> None:
    document = json.loads(run("--quick", "--json", "--model", "q3", cwd=tmp_path).stdout)
    assert document["replications"] == 10_000
    assert list(document["variants"]) == ["q3"]


def test_help_names_every_option(tmp_path: Path) -> None:
    text = run("--help", cwd=tmp_path).stdout
    options = "replications n seed workers model loops json plot checkpoint quick"
    assert all(f"--{name}" in text for name in options.split())


def test_a_word_that_is_no_command_is_told_the_commands(tmp_path: Path) -> None:
    done = run("foo", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'foo' is no command; there are run, status, summary" in done.stderr
