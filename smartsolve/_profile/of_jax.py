"""Calls of `jnp.linalg.solve`: eager ones, and those that JAX traces."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter
from types import FrameType
from typing import Any

import jax
import numpy as np

from .._patch.function import Function
from ..jax._patch import jax_solve
from .recorder import Group, Recorder, Recording, Site, Trace, silence

__all__ = ["recorders"]

_OWN_NUMERICS = ("jax._src.numpy.", "jax._src.scipy.")
_LARGEST_MADE = 1 << 26  # bytes of random systems
_REPEATS = 5


class _JaxRecorder(Recorder):
    """A solve of JAX's; of one that is traced, and runs where nobody sees it, a trial run."""

    __slots__ = ("__weakref__",)  # `jax.jit` keeps such references

    def __call__(self, a: Any, b: Any) -> Any:
        frame = sys._getframe(1)
        if frame.f_globals.get("__name__", "").startswith(_OWN_NUMERICS):
            return self._runs(a, b)  # jnp.linalg.inv, say
        frame = _outside(frame)
        if isinstance(a, jax.core.Tracer) or isinstance(b, jax.core.Tracer):
            self._trace(self._site(frame), a, b)
            return self._runs(a, b)
        return self._recorded(frame, a, b, (), {})

    def _group(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
        if not (_is_on_a_cpu(a) and _is_on_a_cpu(b)):
            return None, None
        key = (a.shape, a.dtype, b.shape, b.dtype)
        if key not in site.groups:
            with suppress(Exception), silence:  # both are compiled by the first call
                self._runs(a, b)
                self._other(a, b)
        return super()._group(site, np.asarray(a), np.asarray(b))

    def _trace(self, site: Site, a: Any, b: Any) -> None:
        entered = perf_counter()
        shapes = [(*_mapped(x), *np.shape(x)) for x in (a, b)]
        dtypes = [str(jax.numpy.result_type(x)) for x in (a, b)]
        key = (*shapes, *dtypes, np.ndim(b))
        with self._recording.lock:
            if key not in site.traces:
                times = _tried(self._original, jax_solve()[1], shapes, dtypes, np.ndim(b) == 1)
                site.traces[key] = Trace(shapes[0], dtypes[0], shapes[1], dtypes[1], *times)
            site.traces[key].count += 1
            self._recording.overhead += perf_counter() - entered


def _outside(frame: FrameType) -> FrameType:
    """Where the program calls: between that and a traced function stand JAX's transformations."""
    found: FrameType | None = frame
    while found is not None and found.f_globals.get("__name__", "").startswith("jax."):
        found = found.f_back
    return found or frame


def _is_on_a_cpu(x: Any) -> bool:
    if isinstance(x, jax.Array):
        return all(device.platform == "cpu" for device in x.devices())
    return type(x) is np.ndarray


def _mapped(x: Any) -> tuple[int, ...]:
    """Sizes of the axes that `jax.vmap` hides, the outermost first."""
    sizes: list[int] = []
    while isinstance(x, jax.core.Tracer):
        axis = getattr(x, "batch_dim", None)
        inner: Any = (
            getattr(x, "val", None) if hasattr(x, "batch_dim") else getattr(x, "primal", None)
        )
        if isinstance(axis, int):
            sizes.append(np.shape(inner)[axis])
        x = inner
    return tuple(reversed(sizes))


def _tried(
    theirs: Callable[..., Any],
    ours: Callable[..., Any],
    shapes: list[tuple[int, ...]],
    dtypes: list[str],
    has_vectors: bool,
) -> tuple[float | None, float | None]:
    """Seconds of a compiled run of each on random systems; None if they cannot be made.

    In a thread of its own, for what is traced is the thread's.
    """
    of_a, of_b = shapes[0], (*shapes[1], 1) if has_vectors else shapes[1]
    times: list[float] = []

    def measure() -> None:
        rng = np.random.default_rng(0)
        a = jax.numpy.asarray(rng.standard_normal(of_a).astype(dtypes[0]))
        b = jax.numpy.asarray(rng.standard_normal(of_b).astype(dtypes[1]))
        if [str(a.dtype), str(b.dtype)] == dtypes and _is_on_a_cpu(a):
            times.extend(_seconds(solve, a, b) for solve in (theirs, ours))

    def quietly() -> None:
        with suppress(Exception), silence:
            measure()

    if 8 * max(np.prod(of_a, dtype=float), np.prod(of_b, dtype=float)) <= _LARGEST_MADE:
        thread = threading.Thread(target=quietly)
        thread.start()
        thread.join()
    return (times[0], times[1]) if len(times) == 2 else (None, None)


def _seconds(solve: Callable[..., Any], a: Any, b: Any) -> float:
    """At best: others may interrupt."""
    # Each by a function of its own: the two are equal, and JAX would compile the first for both.
    compiled = jax.jit(lambda a, b: solve(a, b))
    jax.block_until_ready(compiled(a, b))
    times = []
    for _ in range(_REPEATS):
        began = perf_counter()
        jax.block_until_ready(compiled(a, b))
        times.append(perf_counter() - began)
    return min(times)


def _waiting(solve: Callable[..., Any]) -> Callable[..., Any]:
    """JAX returns before it has computed: the clock has to wait."""

    def waiting(a: Any, b: Any) -> Any:
        x = solve(a, b)
        return x if isinstance(x, jax.core.Tracer) else x.block_until_ready()

    return waiting


def recorders(recording: Recording, with_ours: bool) -> Iterator[tuple[Function, Recorder]]:
    """Each function of JAX's with what records its calls."""
    solver, ours = jax_solve()
    pair = (ours, solver.original) if with_ours else (solver.original, ours)
    runs, other = _waiting(pair[0]), _waiting(pair[1])
    yield solver, _JaxRecorder("jax.numpy.linalg.solve", recording, solver.original, runs, other)
