"""SciPy's own tests of `spsolve`, `factorized` and `splu` pass with ours in their place.

They run in a process of their own under the plugin `replace_spsolve.py`.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MODULE = "scipy.sparse.linalg._dsolve.tests.test_linsolve"
LEFT_OUT = {"L and U hold no reference": 1}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("spsolve")
    path = directory / "report.json"
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(HERE), environment.get("PYTHONPATH")])
    )
    command = [sys.executable, "-m", "pytest", "-p", "replace_spsolve", "-p", "no:cacheprovider"]
    command += ["--spsolve-report", str(path), "-q", "--tb=short"]
    command += ["-W", "error", "-W", "ignore::pytest.PytestUnknownMarkWarning", "--pyargs", MODULE]
    process = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert path.exists(), process.stdout + process.stderr
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def test_nothing_fails(report: dict[str, Any]) -> None:
    failed = {test: text for test, (is_, text) in report["outcomes"].items() if is_ == "failed"}
    shown = "\n\n".join(f"{test}\n{text}" for test, text in itertools.islice(failed.items(), 5))
    assert not failed, f"{len(failed)} of {len(report['outcomes'])} failed, the first:\n{shown}"


def test_enough_of_them_ran(report: dict[str, Any]) -> None:
    """SciPy 1.17 has 360 tests, of which it skips 9 itself."""
    passed = [test for test, (outcome, _) in report["outcomes"].items() if outcome == "passed"]
    assert len(passed) >= 300
    calls = report["calls"]
    # What is left to SciPy is singular, not square, of other dtypes, or names SuperLU's options.
    assert calls["spsolve"] - calls["spsolve by SciPy"] >= 20
    assert calls["splu"] - calls["splu by SciPy"] >= 150
    assert calls["factorized"] > 0


def test_only_what_is_named_is_left_out(report: dict[str, Any]) -> None:
    left_out = [text for is_, text in report["outcomes"].values() if "left out" in text]
    for reason, count in LEFT_OUT.items():
        assert sum(reason in text for text in left_out) == count
    assert len(left_out) == sum(LEFT_OUT.values())
