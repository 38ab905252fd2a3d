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
from ._condition import errstate, geterr, seterr
from ._factorization import Factorization, factorize
from ._mldivide import mldivide, mrdivide
from ._report import SolveInfo
from ._scan import Structure, inspect

if TYPE_CHECKING:
    from ._choose import Plan, explain
    from ._warnings import IllConditionedWarning, RankDeficientWarning, SingularMatrixWarning

__version__ = "0.1.0"
__all__ = [
    "Factorization",
    "IllConditionedWarning",
    "Plan",
    "RankDeficientWarning",
    "SingularMatrixWarning",
    "SolveInfo",
    "Structure",
    "errstate",
    "explain",
    "factorize",
    "geterr",
    "inspect",
    "mldivide",
    "mrdivide",
    "seterr",
    "solve",
]


def __getattr__(name: str) -> object:
    # Imported when wanted. The base class of the warnings is SciPy's, which takes longer to import
    # than all of this.
    if name in __all__:
        module = "_warnings" if name.endswith("Warning") else "_choose"
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
