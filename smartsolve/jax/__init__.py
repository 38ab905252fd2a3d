"""smartsolve for JAX: under `jit`, `vmap`, `grad` and all that is built of them.

On a CPU XLA calls this package's native code through its foreign function interface, with no
Python on the way; on other devices JAX's own solver runs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .._extras import needs

with needs("jax"):
    import jax  # noqa: F401

from ._linalg import Factorization, factorize, mldivide, solve
from ._patch import patch

if TYPE_CHECKING:
    from ._lineax import LineaxSolver

__all__ = ["Factorization", "LineaxSolver", "factorize", "mldivide", "patch", "solve"]


def __getattr__(name: str) -> object:
    if name == "LineaxSolver":
        with needs("lineax", "jax"):
            return import_module(f"{__name__}._lineax").LineaxSolver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
