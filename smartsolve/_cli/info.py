"""``info``: what a report of a fault or of a time needs to say about the machine."""

import argparse
import json
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__, _core, geterr
from .._report import text_table
from .blas import blas

__all__ = ["add_arguments", "facts", "run"]

DESCRIPTION = """\
Tell versions, processor, instruction set, BLAS and its kernels, threads, crossovers and the
optional packages that are found: what a bug report should hold. Nothing is sent anywhere, and no
path or name of the machine is printed."""
USAGE = "[--json]"

# What an extra or an optional engine brings along, by the name of its distribution.
_OPTIONAL = (
    *("matplotlib", "ipython", "h5py", "pandas", "formulaic", "distributed", "threadpoolctl"),
    *("cvxopt", "kvxopt", "pypardiso", "pyklu", "jax", "torch", "numba", "dask"),
)
_VARIABLES = ("SMARTSOLVE_", "OPENBLAS_", "OMP_", "MKL_", "NPY_", "GOTO_", "BLIS_", "VECLIB_")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How it is printed."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """A table, or one JSON document of the same."""
    found = facts()
    print(json.dumps(found, indent=2) if options.json else text_table(_rows(found)))
    return 0


def facts() -> dict[str, Any]:
    """All that is told, as JSON values."""
    return {
        "smartsolve": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "platform": platform.platform(),
        "processor": _processor(),
        "processors": _usable_processors(),
        "instruction_set": {
            "in_use": _core.instruction_set(),
            "available": list(_core.instruction_sets()),
        },
        "blas": _blas(),
        "gil": {
            "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "enabled": getattr(sys, "_is_gil_enabled", lambda: True)(),
        },
        "environment": {
            name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)
        },
        "errstate": geterr(),
        "optional": {name: found for name in _OPTIONAL if (found := _installed(name))},
        "crossovers": dict(_core.crossovers()),
    }


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("smartsolve", "python", "numpy", "scipy", "platform"):
        yield name, found[name]
    yield "processor", f"{found['processor']}, {found['processors']} usable"
    chosen = found["instruction_set"]
    yield "instruction set", f"{chosen['in_use']}, of {', '.join(chosen['available'])}"
    for peer, words in found["blas"].items():
        yield f"BLAS of {peer}", words
    gil = "free-threaded build, " if found["gil"]["free_threaded_build"] else ""
    yield "GIL", gil + ("enabled" if found["gil"]["enabled"] else "disabled")
    settings = " ".join(f"{name}={value}" for name, value in found["environment"].items())
    yield "environment", settings or "sets nothing that matters here"
    yield "errstate", ", ".join(f"{name}={value}" for name, value in found["errstate"].items())
    optional = ", ".join(f"{name} {number}" for name, number in found["optional"].items())
    yield "optional", optional or "none found"
    crossovers = [f"{name} {order}" for name, order in found["crossovers"].items()]
    for i in range(0, len(crossovers), 5):
        yield "" if i else "crossovers", ", ".join(crossovers[i : i + 5])


def _installed(name: str) -> str | None:
    """Version by the index of installed packages: nothing is imported."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The model's name where the system tells one, else the architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _usable_processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _blas() -> dict[str, str]:
    """Library, version, kernels and threads of NumPy's and SciPy's BLAS."""
    try:
        return {name: str(blas(name.lower())) for name in ("NumPy", "SciPy")}
    except ImportError:
        return {"NumPy and SciPy": "not asked: pip install threadpoolctl"}
