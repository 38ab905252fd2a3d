"""The opt-in: `np.linalg.solve` compiled as `smartsolve.solve`."""

import threading
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any

import numpy as np
from numba.core.registry import cpu_target

import smartsolve

__all__ = ["patch"]


_OWN: dict[Any, Any] = {}  # what Numba compiles by itself, by its entry


class patch(ContextDecorator):
    """Context in which Numba compiles ``np.linalg.solve`` as `smartsolve.solve`.

    What is compiled in the context keeps it after its end, and what was
    compiled before keeps Numba's own. Numba compiles a function when it is
    first called with arguments of a type. ``patch().start()`` is for the rest
    of the process.

    Notes
    -----
    Shapes, types and errors stay those of Numba's own, but for NaN and Inf in
    the operands, which travel into the solution as in NumPy, where Numba raises.
    Stacks and operands of different types, which Numba refuses, are solved.
    The index of ``cache=True`` knows nothing of the context: code that was
    cached without it is loaded within it, and the other way round.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> import smartsolve.numba
    >>> @njit
    ... def step(a, b):
    ...     return np.linalg.solve(a, b)
    >>> with smartsolve.numba.patch():
    ...     step(np.diag([2.0, 4.0]), np.array([1.0, 1.0]))
    array([0.5 , 0.25])
    """

    _lock = threading.Lock()
    _depth = 0

    def start(self) -> None:
        """Begin, without an end."""
        self.__enter__()

    def __enter__(self) -> "patch":
        with self._lock:
            patch._depth += 1
            _lead_numpy_here(True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            patch._depth -= 1
            _lead_numpy_here(patch._depth > 0)


def _with_own(own: Any) -> Any:
    """Ours for what it can solve, and Numba's own for its words on everything else."""
    from ._overload import implementation

    def either(a: Any, b: Any) -> Any:
        return ours if implementation(a, b) is not None else own(a, b)

    def ours(a: Any, b: Any) -> Any:  # Numba compares names and annotations
        return smartsolve.solve(a, b)

    return either


def _lead_numpy_here(ours: bool) -> None:
    """Say what Numba's entry of np.linalg.solve compiles from now on."""
    cpu_target.target_context.refresh()  # loads Numba's linear algebra if nothing has
    cpu_target.typing_context.refresh()
    entry = cpu_target.typing_context.resolve_value_type(np.linalg.solve)
    for template in entry.templates:
        own = _OWN.setdefault(template, template._overload_func)

        template._overload_func = staticmethod(_with_own(own) if ours else own)
        # By argument types; what it holds was compiled from the other one.
        template._impl_cache.clear()
