"""python -m smartsolve run and profile: the program does not notice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from smartsolve import _core

OLD_SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "old_script.py"
PROGRAM = """\
'''Its own docstring.'''
import atexit, sys
import beside
import numpy as np
from numpy.linalg import solve
def leave(how):
    if how == "error":
        1 / 0
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "singular":
        np.linalg.solve(np.zeros((2, 2)), np.ones(2))
    sys.exit({"status": 3, "words": "its last words"}.get(how))
print(__name__, __file__, __doc__, __package__, __spec__ and __spec__.name, __cached__)
print(sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals(), beside.__name__)
print(solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]))
atexit.register(print, "at exit", solve.__name__)
leave(sys.argv[1])
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    for place in (tmp_path, tmp_path / "package"):
        (place / "program.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text("import sys\nprint(sys.argv, __package__)\n")
    (tmp_path / "wrong.py").write_text("x = = 1\n")
    return tmp_path


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def without_runpy(text: str) -> str:
    """Python's own frames for -m, which a program started by us has not."""
    return "".join(line for line in text.splitlines(True) if "frozen runpy" not in line)


@pytest.mark.parametrize("command", ["run", "profile"])
@pytest.mark.parametrize(
    "program",
    [
        ("program.py", "status", "-o", "x", "--", "-m"),
        ("program.py", "error"),
        ("program.py", "interrupt"),
        ("-m", "package.program", "words", "--help"),
        ("-m", "package", "a"),
        ("wrong.py",),
    ],
    ids=lambda words: " ".join(words),
)
def test_status_output_and_tracebacks_are_its_own(
    directory: Path, command: str, program: tuple[str, ...]
) -> None:
    alone = python(*program, cwd=directory)
    under = python("-m", "smartsolve", command, *program, cwd=directory)
    assert under.returncode == alone.returncode
    assert under.stdout == alone.stdout
    expected = without_runpy(alone.stderr)
    assert under.stderr.startswith(expected)
    if command == "run" or "wrong.py" in program:
        assert under.stderr == expected
    else:
        assert "ran for" in under.stderr.removeprefix(expected)


def test_profile_of_an_unchanged_script(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = python("-m", "smartsolve", "profile", "-o", str(report), str(OLD_SCRIPT), "200",
                  cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("coverage of mu:")
    sites = json.loads(report.read_text())["sites"]
    text = OLD_SCRIPT.read_text().splitlines()
    lines = [i for i, line in enumerate(text, 1) if "linalg.solve" in line]
    assert sorted(site["line"] for site in sites) == lines
    assert [site["structures"] for site in sites] == [{"diagonal": 200}] * 2
    assert not [name for name in os.listdir(tmp_path) if name != "report.json"]


def test_numpys_errors_are_numpys_while_it_is_profiled(directory: Path) -> None:
    alone = python("program.py", "singular", cwd=directory)
    under = python("-m", "smartsolve", "profile", "program.py", "singular", cwd=directory)
    assert (under.returncode, under.stdout) == (alone.returncode, alone.stdout)
    assert under.stderr.startswith(alone.stderr)
    assert "1 call failed" in under.stderr


THREADS_AND_FORK = """\
import os, threading, time
import numpy as np
def work():
    time.sleep(0.2)
    np.linalg.solve(np.eye(2), np.ones(2))
threading.Thread(target=work).start()
if os.fork() == 0:
    np.linalg.solve(np.eye(2), np.ones(2))
    raise SystemExit
os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_threads_are_awaited_and_children_report_nothing(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(THREADS_AND_FORK)
    done = python("-W", "ignore", "-m", "smartsolve", "profile", "program.py", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.count("ran for") == 1
    assert "1 solve at 1 call site" in done.stderr


def test_run_is_ours(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import sys, numpy as np\nprint(type(np.linalg.solve).__module__, 'scipy' in sys.modules)\n"
    )
    done = python("-m", "smartsolve", "run", "program.py", cwd=tmp_path)
    # SciPy is imported when it is needed.
    assert done.stdout == "smartsolve._patch.of_numpy False\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected a command: run, profile"),
        (("nonsense",), "nonsense"),
        (("run",), "expected either SCRIPT or -m MODULE"),
        (("run", "--nonsense", "x.py"), "--nonsense"),
        (("run", "nothing.py"), "nothing.py: No such file"),
        (("run", "-m", "no_such_module"), "no_such_module"),
        (("profile", "-o", "report.pdf", "x.py"), "report.pdf"),
        (("profile", "-o", "no/where/report.html", "x.py"), "no/where/report.html"),
    ],
)
def test_bad_arguments_get_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from smartsolve._cli.main import main

    try:
        status = main(arguments)
    except SystemExit as error:
        status = int(str(error.code))
    out, err = capsys.readouterr()
    assert status in (1, 2)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("smartsolve: ")
    assert words in err


def test_a_report_that_cannot_be_kept_does_not_change_the_status(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import os, sys\nos.rename('here', 'gone')\nsys.exit(5)\n")
    (tmp_path / "here").mkdir()
    done = python("-m", "smartsolve", "profile", "-o", "here/r.html", "program.py", cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr == "smartsolve: here/r.html: No such file or directory\n"


def test_bench_mine_times_the_systems_of_a_program(tmp_path: Path) -> None:
    """The first system of each call site and shape; calls that failed are no example."""
    (tmp_path / "mine.py").write_text(
        "import sys\n"
        "import numpy as np\n"
        "for n in 2, 3, 3:\n"
        "    np.linalg.solve(np.eye(n) + 1, np.ones(n))\n"
        "try:\n"
        "    np.linalg.solve(np.zeros((2, 2)), np.ones(2))\n"
        "except np.linalg.LinAlgError:\n"
        "    print('caught', sys.argv[1:])\n"
        "sys.exit(3)\n"
    )
    done = python("-m", "smartsolve", "bench", "--json", "--mine", "mine.py", "--json", "x",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "caught ['--json', 'x']" in done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["system"] for row in rows} == {
        "mine.py:4 positive definite 2x2, 2 float64, 1 calls",
        "mine.py:4 positive definite 3x3, 3 float64, 2 calls",
    }
    assert all(set(row["seconds"]) == {"numpy", "scipy", "smartsolve"} for row in rows)


def test_bench_mine_without_a_solve(tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text("print('nothing')\n")
    done = python("-m", "smartsolve", "bench", "--mine", "nothing.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "smartsolve: nothing.py: no call was seen that solves dense systems" in done.stderr
    done = python("-m", "smartsolve", "bench", "--mine", "absent.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_info_tells_what_a_bug_report_needs(tmp_path: Path) -> None:
    """Versions as installed, the instruction set that is asked for, and no path of the machine."""
    environment = os.environ | {"SMARTSOLVE_ISA": "baseline"}
    told = subprocess.run(
        [sys.executable, "-m", "smartsolve", "info", "--json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = json.loads(told)
    assert found["numpy"] == np.__version__
    assert found["instruction_set"]["in_use"] == "baseline"
    assert found["environment"]["SMARTSOLVE_ISA"] == "baseline"
    assert found["crossovers"] == _core.crossovers()
    assert sys.prefix not in told
    table = python("-m", "smartsolve", "info", cwd=tmp_path)
    assert table.stdout.startswith("smartsolve ")
    assert sys.prefix not in table.stdout
