"""NumPy's and SciPy's own tests of `solve` pass with their `solve` replaced by ours.

Each suite runs in a process of its own under the plugin `replace_solve.py`, because the name must
be replaced before the suite's module is imported, and because nothing of this suite's settings
may reach it. What ran is counted twice: tests, and calls of the replaced name.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy

import smartsolve

from .accuracy import assert_same_solution
from .matrices import arranged, random_rhs

HERE = Path(__file__).parent

TESTS = {
    "numpy": "numpy.linalg.tests.test_linalg::TestSolve",
    "scipy": "scipy.linalg.tests.test_basic::TestSolve",
}
TESTS |= {f"patched-{suite}": tests for suite, tests in TESTS.items()}
TESTS["patched-inv"] = "numpy.linalg.tests.test_linalg::TestInv"
RELEASE = ".".join(scipy.__version__.split(".")[:2])
# Of SciPy's suite, by release: the tests, and those that want a complex system with
# transposed=True refused. Of other releases only the names of what is left out are known.
SCIPY_COUNTS = {"1.17": (1168, 112), "1.18": (1713, 104)}
SCIPY_TESTS, SCIPY_REFUSALS = SCIPY_COUNTS.get(RELEASE, SCIPY_COUNTS["1.17"])
LEFT_OUT = {
    "numpy": {},
    "patched-numpy": {},
    "patched-inv": {},
    "patched-scipy": {
        "complex with transposed=True": SCIPY_REFUSALS,
        "overwrite_a did write": 48,
        "why? 2. deprecate": 1,  # SciPy's own skip
    },
}
LEFT_OUT["scipy"] = {"scalar a": 4} | LEFT_OUT["patched-scipy"]
# NumPy 2.4 and 2.5 have 11 tests, most of them loops over many cases. The calls are those of the
# suites that call least.
PASSED = {"numpy": 11, "patched-numpy": 11, "patched-inv": 9}
PASSED |= {
    suite: SCIPY_TESTS - sum(LEFT_OUT[suite].values()) for suite in ("scipy", "patched-scipy")
}
CALLS = {"numpy": 5000, "scipy": 1400, "patched-numpy": 5000, "patched-scipy": 1400}
CALLS["patched-inv"] = 5000


@dataclass(frozen=True)
class Run:
    suite: str
    calls: int
    outcomes: dict[str, tuple[str, str]]
    output: str

    def with_outcome(self, outcome: str) -> dict[str, str]:
        return {test: detail for test, (is_, detail) in self.outcomes.items() if is_ == outcome}


def run_suite(suite: str, directory: Path) -> Run:
    """In an empty directory, so that what is imported is the installed package."""
    report = directory / "report.json"
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(HERE), environment.get("PYTHONPATH")])
    )
    command = [sys.executable, "-m", "pytest", "-p", "replace_solve", "--replace-solve", suite]
    command += ["--solve-report", str(report), "-p", "no:cacheprovider", "-q", "--tb=short"]
    # A warning that SciPy's solve would not give is a failure; their marks are not registered here.
    command += ["-W", "error", "-W", "ignore::pytest.PytestUnknownMarkWarning"]
    command += ["--pyargs", TESTS[suite]]
    process = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    output = process.stdout + process.stderr
    assert report.exists(), output
    result = json.loads(report.read_text())
    outcomes = {test: (outcome, detail) for test, (outcome, detail) in result["outcomes"].items()}
    return Run(suite, result["calls"], outcomes, output)


@pytest.fixture(scope="module", params=TESTS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_suite(request.param, tmp_path_factory.mktemp(request.param))


def test_nothing_fails(run: Run) -> None:
    failed = run.with_outcome("failed")
    shown = "\n\n".join(f"{test}\n{detail}" for test, detail in itertools.islice(failed.items(), 5))
    assert not failed, f"{len(failed)} of {len(run.outcomes)} failed, the first:\n{shown}"


def test_as_many_ran_as_expected(
    run: Run, record_property: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = Counter(outcome for outcome, _ in run.outcomes.values())
    summary = f"{run.suite}: TestSolve: {dict(counts)}, {run.calls} calls of smartsolve.solve"
    record_property(f"{run.suite} TestSolve", summary)
    with capsys.disabled():
        print(f"\n{summary}")
    ran = counts["passed"] + counts["failed"]
    assert ran >= PASSED[run.suite], run.output
    assert run.calls >= CALLS[run.suite], run.output


def test_only_what_is_named_is_left_out(run: Run) -> None:
    skipped = run.with_outcome("skipped")
    reasons = LEFT_OUT[run.suite]
    found = Counter(
        next((words for words in reasons if words in detail), detail) for detail in skipped.values()
    )
    assert set(found) == set(reasons)
    if RELEASE in SCIPY_COUNTS:
        assert dict(found) == reasons


# --- what is left out of SciPy's suite, in our words ---------------------------------------------


@pytest.mark.parametrize("fortran", [True, False])
@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("nrhs", [(), (5,)])
@pytest.mark.parametrize(
    "assume_a",
    [None, "diagonal", "tridiagonal", "banded", "lower triangular", "upper triangular",
     "positive definite", "symmetric", "hermitian", "general"],
)  # fmt: skip
def test_complex_and_transposed(
    assume_a: str | None, nrhs: tuple[int, ...], overwrite: bool, fortran: bool
) -> None:
    """The part of SciPy's `test_structure_detection` that expects a NotImplementedError."""
    rng = np.random.default_rng(71)
    n = 20
    a = rng.random((n, n)) + 1j * rng.random((n, n)) + n * np.eye(n)
    a = {
        "diagonal": lambda a: np.diag(np.diag(a)),
        "tridiagonal": lambda a: np.triu(np.tril(a, 1), -1),
        "banded": lambda a: np.triu(np.tril(a, 2), -1),
        "lower triangular": np.tril,
        "upper triangular": np.triu,
        "symmetric": lambda a: a + a.T,
        "hermitian": lambda a: a + a.conj().T,
        "positive definite": lambda a: a @ a.conj().T,
    }.get(str(assume_a), np.array)(a)
    if assume_a == "positive definite":
        a = (a + a.conj().T) / 2
    b = random_rhs((n, *nrhs), np.complex128, rng)
    expected = np.linalg.solve(a.T, b)
    x = smartsolve.solve(
        arranged(a, "F" if fortran else "C"),
        arranged(b, "F"),
        transposed=True,
        assume_a=assume_a,
        overwrite_a=overwrite,
        overwrite_b=overwrite,
    )
    assert_same_solution(a.T, x, expected)


def test_scalar_a_is_refused_as_numpy_refuses_it() -> None:
    for b in (1, [1, 2, 3], [[1]]):
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.solve(1, b)
        with pytest.raises(np.linalg.LinAlgError):
            smartsolve.solve(1, b)
