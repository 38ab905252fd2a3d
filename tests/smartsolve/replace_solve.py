"""A pytest plugin: run another project's tests with its `solve` replaced by `smartsolve.solve`.

    PYTHONPATH=tests/smartsolve pytest -p replace_solve --replace-solve numpy \
        --pyargs numpy.linalg.tests.test_linalg -k TestSolve

The name is replaced while pytest starts, before any test module or conftest file can say
`from numpy.linalg import solve`. Run it from a directory that does not hold the source tree, so
that the installed package is the one that is tested. `--replace-solve none-numpy` and
`none-scipy` count the calls and change nothing: the baseline. `patched-numpy`, `patched-scipy` and
`patched-inv` (for NumPy's `TestInv`) leave the replacing to `smartsolve.patch_numpy`.

`--solve-report FILE` writes what happened: the calls of the replaced name, and per test its
outcome with the reason or the traceback. What SciPy's suite demands and NumPy's contract forbids
is left out by name, with the reason (`left_out_of_scipy`); a test that is left out counts as
skipped and is never silently gone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SUITES = ("numpy", "scipy", "none-numpy", "none-scipy")
SUITES += ("patched-numpy", "patched-scipy", "patched-inv")

calls = 0
outcomes: dict[str, tuple[str, str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--replace-solve", choices=SUITES, default="none-numpy")
    parser.addoption("--solve-report", type=Path, default=None, metavar="FILE")


def counted(solve: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(solve)
    def counting(*args: Any, **kwargs: Any) -> Any:
        global calls
        calls += 1
        return solve(*args, **kwargs)

    return counting


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    choice = early_config.known_args_namespace.replace_solve
    module: Any = np.linalg
    if choice.endswith("scipy"):
        import scipy.linalg as module
    if choice.startswith("patched"):
        from smartsolve import patch_numpy

        options = {word: choice.endswith(word) for word in ("scipy", "inv")}
        patch_numpy(**options, everywhere=True).__enter__()
    name = "inv" if choice.endswith("inv") else "solve"
    function = getattr(module, name)
    if choice in ("numpy", "scipy"):
        from smartsolve import solve as function
    setattr(module, name, counted(function))


def left_out_of_scipy(test: str, params: Mapping[str, Any], patched: bool) -> str | None:
    """Why smartsolve does not take this test of SciPy's `TestSolve`, or None."""
    if test in ("test_scalar_a_and_1D_b", "test_singular_scalar") and not patched:
        return "scalar a: NumPy's contract refuses it"
    if test == "test_structure_detection":
        is_complex = np.issubdtype(params["dtype"], np.complexfloating)
        if is_complex and params["transposed"]:
            return "complex with transposed=True: SciPy refuses it, smartsolve solves it"
    if test == "test_overwrite_args":
        permitted = params["overwrite_kw"].get("overwrite_a", False)
        # SciPy 1.18 adds cases with a declared band, of which it makes no such demand.
        demanded = params.get("assume_a") is None
        if demanded and permitted and params["a_dtype"] is float and params["a_order"] == "F":
            return "overwrite_a did write: smartsolve takes it as a permission, not as a promise"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    choice = config.getoption("--replace-solve")
    if choice not in ("scipy", "patched-scipy"):
        return
    for item in items:
        if isinstance(item, pytest.Function):
            params = item.callspec.params if hasattr(item, "callspec") else {}
            reason = left_out_of_scipy(item.originalname, params, choice == "patched-scipy")
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=f"left out: {reason}"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the outcome of the call, and of a setup or teardown that did not pass."""
    if report.when == "call" or not report.passed:
        detail = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        if report.nodeid not in outcomes or report.failed:
            outcomes[report.nodeid] = (report.outcome, detail)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    choice = config.getoption("--replace-solve")
    suite = "scipy" if choice.endswith("scipy") else "numpy"
    terminalreporter.write_line(
        f"{suite}.linalg.solve ({'as it is' if choice.startswith('none') else 'smartsolve'}) "
        f"was called {calls} times"
    )
    path = config.getoption("--solve-report")
    if path is not None:
        path.write_text(json.dumps({"calls": calls, "outcomes": outcomes}))
