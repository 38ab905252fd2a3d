"""smartsolve: ``numpy.linalg.solve`` that looks at the matrix first."""

from importlib import import_module
from typing import TYPE_CHECKING

try:
    from ._core import solve
except ModuleNotFoundError as error:
    if error.name != f"{__name__}._core":
        raise
    raise ImportError(
        f"{__path__[0]} is the source tree of smartsolve, not the installed package. "
        "Install it with 'pip install .', then leave this directory or run 'python -P'."
    ) from error
from . import _solve  # noqa: F401  now: it keeps NumPy's own, which somebody may replace
from ._condition import errstate
from ._report import SolveInfo
from ._scan import Structure, inspect

if TYPE_CHECKING:
    from ._patch import patch_numpy
    from ._warnings import IllConditionedWarning

__version__ = "0.1.0"
__all__ = [
    "IllConditionedWarning",
    "SolveInfo",
    "Structure",
    "errstate",
    "inspect",
    "patch_numpy",
    "solve",
]


# Imported when asked for: IllConditionedWarning derives from SciPy's, and importing SciPy takes
# longer than importing all of this.
_LATE = {
    "IllConditionedWarning": "_warnings",
    "load_ipython_extension": "_magic",
    "patch_numpy": "_patch",
}


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
