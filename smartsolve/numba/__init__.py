"""`smartsolve.solve` inside functions that Numba compiles.

Numba finds this by itself, through the entry point ``numba_extensions``: nothing has to be
imported for ``smartsolve.solve`` to compile. `patch` also leads ``np.linalg.solve`` here.
"""

from .._extras import needs

with needs("numba"):
    import numba  # noqa: F401

from ._patch import patch

__all__ = ["patch"]


def register() -> None:
    """What Numba calls, once, before it compiles its first function."""
    from . import _overload  # noqa: F401
