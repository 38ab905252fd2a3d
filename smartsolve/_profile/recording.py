"""Record the calls of solve, inv and lstsq while a program runs."""

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np

from .._core import solve as smart_solve
from .._patch.function import Function, Replacement, function
from .._patch.imports import once_imported
from .._patch.of_numpy import numpy_solve
from .._patch.of_scipy import scipy_solve
from .._warm_up import warm_up
from .recorder import InvRecorder, LstsqRecorder, Recorder, Recording

__all__ = ["record"]

_ABOVE_ANY_PATCH = 1
_IMPORTED_LATER = ("jax", "torch")  # nothing imports them but the program


@contextmanager
def record(
    *, scipy: bool = False, with_ours: bool = False, examples: bool = False
) -> Iterator[Recording]:
    """Record until the context ends; the program gets NumPy's results, or `with_ours` ours.

    With `scipy` also the calls of `scipy.linalg` and of the direct solvers of
    `scipy.sparse.linalg`, and without being asked those of PyTorch and JAX once the program has
    imported them. With `examples` the first system of each group is kept.
    """
    _warm_up()
    recording = Recording(examples)
    with ExitStack() as ends:
        for name, (solver, ours) in _solvers(scipy).items():
            pair = (ours, solver.original) if with_ours else (solver.original, ours)
            recorder = Recorder(name, recording, solver.original, *pair)
            ends.callback(solver.replace(recorder, everywhere=True, rank=_ABOVE_ANY_PATCH))
        for module in ["numpy.linalg"] + ["scipy.linalg"] * scipy:
            for role, kind in (("inv", InvRecorder), ("lstsq", LstsqRecorder)):
                recorded = function(module, role)
                original = recorded.original
                recorder = kind(f"{module}.{role}", recording, original, original, _solve_instead)
                ends.callback(recorded.replace(recorder, everywhere=True, rank=_ABOVE_ANY_PATCH))
        if scipy:
            from .sparse import sparse_recorders

            for solver, recorder in sparse_recorders(recording, with_ours):
                ends.callback(solver.replace(recorder, everywhere=True, rank=_ABOVE_ANY_PATCH))
        for library in _IMPORTED_LATER:

            def watch(library: str = library) -> None:
                began = perf_counter()
                recorders = import_module(f"{__package__}.of_{library}")
                for solver, recorder in recorders.recorders(recording, with_ours):
                    ends.callback(solver.replace(recorder, everywhere=True, rank=_ABOVE_ANY_PATCH))
                recording.overhead += perf_counter() - began

            ends.enter_context(once_imported(library, watch))
        yield recording


def _solvers(scipy: bool) -> dict[str, tuple[Function, Replacement]]:
    solvers = {"numpy.linalg.solve": numpy_solve()}
    if scipy:
        solvers["scipy.linalg.solve"] = scipy_solve()
    return solvers


def _solve_instead(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    return smart_solve(a, b)


@functools.cache
def _warm_up() -> None:
    """The first solve loads LAPACK, and a BLAS starts its threads; let it be none that is timed."""
    warm_up()
    for solver in (smart_solve, numpy_solve()[0].original):
        solver(np.eye(128) + 1.0, np.ones(128))
