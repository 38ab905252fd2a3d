"""smartsolve: ``numpy.linalg.solve`` that looks at the matrix first."""

from importlib import import_module
from typing import TYPE_CHECKING

try:
    from ._core import __version__ as __version__
    from ._core import solve
except ModuleNotFoundError as error:
    if error.name != f"{__name__}._core":
        raise
    raise ImportError(
        f"{__path__[0]} is the source tree of smartsolve, not the installed package. "
        "Install it with 'pip install .', then leave this directory or run 'python -P'."
    ) from error
from . import _solve  # noqa: F401  now: it keeps NumPy's own, which somebody may replace
from ._condition import errstate, geterr, seterr
from ._factorization import Factorization, factorize
from ._mldivide import mldivide, mrdivide
from ._report import SolveInfo
from ._scan import Structure, inspect

if TYPE_CHECKING:
    from ._c_api import get_include
    from ._choose import Plan, explain
    from ._patch import patch_numpy
    from ._sparse.factorization import SparseFactorization
    from ._warm_up import warm_up
    from ._warnings import IllConditionedWarning, RankDeficientWarning, SingularMatrixWarning

__all__ = [
    "Factorization",
    "IllConditionedWarning",
    "Plan",
    "RankDeficientWarning",
    "SingularMatrixWarning",
    "SolveInfo",
    "SparseFactorization",
    "Structure",
    "errstate",
    "explain",
    "factorize",
    "get_include",
    "geterr",
    "inspect",
    "mldivide",
    "mrdivide",
    "patch_numpy",
    "seterr",
    "solve",
    "warm_up",
]


# Imported when wanted. The base class of the warnings is SciPy's, which takes longer to import than
# all of this.
_LATE = {
    "IllConditionedWarning": "_warnings",
    "Plan": "_choose",
    "RankDeficientWarning": "_warnings",
    "SingularMatrixWarning": "_warnings",
    "SparseFactorization": "_sparse.factorization",
    "explain": "_choose",
    "get_include": "_c_api",
    "load_ipython_extension": "_magic",
    "patch_numpy": "_patch",
    "warm_up": "_warm_up",
}


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
