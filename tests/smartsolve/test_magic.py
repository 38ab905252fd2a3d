"""%%smartsolve in a notebook's shell."""

import builtins
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("IPython")

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    # The shell leaves it behind, and libraries that are imported later take it for a shell.
    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "smartsolve")
    yield shell
    InteractiveShell.clear_instance()
    assert type(np.linalg.solve).__module__ == "numpy"


def run(shell: InteractiveShell, cell: str) -> tuple[bool, str, str]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    shown = [str(output.data.get("text/html", "")) for output in captured.outputs]
    return result.success, captured.stdout, "".join(shown)


CELL = """%%smartsolve
import numpy as np
from numpy.linalg import solve
for i in range(20):
    x = solve(np.diag([1.0, 2.0 + i]), np.ones(2))
kind = type(solve).__name__
"""


def test_the_cell_is_patched_and_told_about(shell: InteractiveShell) -> None:
    success, _, html = run(shell, CELL)
    assert success
    assert shell.user_ns["kind"] == "Recorder"
    assert np.array_equal(shell.user_ns["x"], [1.0, 1 / 21])
    assert "cell:5" in html  # as the notebook counts its lines
    assert "diagonal 20" in html
    assert type(shell.user_ns["solve"]).__module__ == "numpy"


def test_a_cell_that_fails_stops_the_notebook(shell: InteractiveShell) -> None:
    success, out, html = run(shell, f"{CELL}\n1 / 0\n")
    assert not success
    assert out.count("division by zero") == 1
    assert "_CellFailed" not in out
    assert "diagonal 20" in html


@pytest.mark.parametrize(("option", "words"), [("", "pivot"), ("--numpy", "Singular matrix\n")])
def test_whose_results(shell: InteractiveShell, option: str, words: str) -> None:
    shell.user_ns["np"] = np
    _, out, _ = run(shell, f"%%smartsolve {option}\nnp.linalg.solve(np.zeros((2, 2)), np.ones(2))")
    assert words in out


def test_an_unknown_option_is_refused(shell: InteractiveShell) -> None:
    success, _, _ = run(shell, "%%smartsolve --nonsense\nx = 1")
    assert not success
    assert "x" not in shell.user_ns
