"""A pytest plugin: run SciPy's tests of its sparse direct solvers under `smartsolve.patch_numpy`.

    PYTHONPATH=tests/smartsolve/sparse pytest -p replace_spsolve --spsolve-report report.json \
        --pyargs scipy.sparse.linalg._dsolve.tests.test_linsolve

The names are replaced while pytest starts, before the test module binds them. Run it from a
directory that does not hold the source tree. The report tells the calls of each replaced name, how
many of them this package answered, and per test its outcome with the reason or the traceback.
What is left out is named here, with the reason, and counts as skipped.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

LEFT_OUT = {
    "TestSplu.test_lu_refcount": "L and U hold no reference to what splu() returned, for another "
    "object, which is SuperLU's, made them"
}

calls: Counter[str] = Counter()
outcomes: dict[str, tuple[str, str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--spsolve-report", type=Path, default=None, metavar="FILE")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    import scipy.sparse.linalg._dsolve

    from smartsolve import patch_numpy
    from smartsolve._patch.function import Replacement

    patch_numpy(scipy=True, everywhere=True).__enter__()
    module: Any = scipy.sparse.linalg._dsolve
    for name in ("spsolve", "factorized", "splu"):
        replacement = getattr(module, name)
        assert isinstance(replacement, Replacement), name
        count(replacement, name)


def count(replacement: Any, name: str) -> None:
    """Count the calls of a replacement, and those that it hands to the original."""
    kind = type(replacement)
    call, original = kind.__call__, replacement._original

    def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return call(self, *args, **kwargs)

    def counting_original(*args: Any, **kwargs: Any) -> Any:
        calls[f"{name} by SciPy"] += 1
        return original(*args, **kwargs)

    kind.__call__ = counting
    replacement._original = counting_original


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = f"{item.cls.__name__}.{item.originalname}" if item.cls else item.originalname
        if name in LEFT_OUT:
            item.add_marker(pytest.mark.skip(reason=f"left out: {LEFT_OUT[name]}"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the outcome of the call, and of a setup or teardown that did not pass."""
    if report.when == "call" or not report.passed:
        detail = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        if report.nodeid not in outcomes or report.failed:
            outcomes[report.nodeid] = (report.outcome, detail)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    terminalreporter.write_line(f"calls: {dict(calls)}")
    path = config.getoption("--spsolve-report")
    if path is not None:
        path.write_text(json.dumps({"calls": calls, "outcomes": outcomes}))
