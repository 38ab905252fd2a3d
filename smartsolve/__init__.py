"""smartsolve: ``numpy.linalg.solve`` that looks at the matrix first."""

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
from ._condition import errstate
from ._factorization import Factorization, factorize
from ._report import SolveInfo
from ._scan import Structure, inspect

if TYPE_CHECKING:
    from ._warnings import IllConditionedWarning

__version__ = "0.1.0"
__all__ = [
    "Factorization",
    "IllConditionedWarning",
    "SolveInfo",
    "Structure",
    "errstate",
    "factorize",
    "inspect",
    "solve",
]


def __getattr__(name: str) -> object:
    # Its base class is SciPy's, and importing SciPy takes longer than importing all of this.
    if name == "IllConditionedWarning":
        from ._warnings import IllConditionedWarning

        return IllConditionedWarning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
