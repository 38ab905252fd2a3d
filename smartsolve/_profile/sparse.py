"""Calls of SciPy's sparse direct solvers: `spsolve`, and `factorized` and `splu`."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from time import perf_counter
from types import FrameType
from typing import Any

import numpy as np
from scipy.sparse import csc_array, eye_array, issparse

from .._core import solve as smart_solve
from .._factorization import factorize
from .._patch.function import Function
from .._scan import inspect
from .._sparse.patch import sparse_solvers
from .recorder import Group, Recorder, Recording, Role, silence

__all__ = ["sparse_recorders"]


class SparseGroup(Group):
    """Sparse matrices, whose structures have names of their own."""

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__(a, b)
        self._seen: Counter[str] = Counter()
        self._kind_of: dict[int, str] = {}

    @property
    def structures(self) -> dict[str, int]:
        return dict(self._seen)

    @property
    def kind_of_arrays(self) -> str:
        return f"sparse {self.a_dtype}"

    def look(self, a: Any) -> None:
        """A matrix that was here before is known, and not looked at again."""
        content = _content(a)
        if content not in self._kind_of:
            kind = inspect(a).kind
            if len(self._kind_of) >= self.most_remembered:
                self.unremembered += 1
                self._seen[kind] += 1
                return
            self._kind_of[content] = kind
        self.matrices[content] = self.matrices.get(content, 0) + 1
        self._seen[self._kind_of[content]] += 1


def _content(a: Any) -> int:
    """Equal for equal arrays of one format; other formats are brought into that of columns."""
    c = a if a.format in ("csc", "csr") else a.tocsc()
    return hash((c.format, c.data.tobytes(), c.indices.tobytes(), c.indptr.tobytes()))


class _SpsolveRecorder(Recorder):
    """A solve with a sparse matrix."""

    __slots__ = ()

    tiny = (eye_array(2, format="csc"), np.ones(2))

    def __call__(self, A: Any, b: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        frame = sys._getframe(1)
        if _is_in_scipy(frame):
            return self._runs(A, b, *args, **kwargs)
        return self._recorded(frame, A, b, args, kwargs)

    def _group(self, site: Any, a: Any, b: Any) -> tuple[Group | None, Any]:
        if not _is_square(a) or a.dtype.kind not in "fciub":
            return None, None
        b = b if issparse(b) else np.asarray(b)
        return self._named(site, (a.shape, a.dtype, b.shape, b.dtype), a, b), a

    def _named(self, site: Any, key: Any, a: Any, b: Any) -> Group:
        group: Group | None = site.groups.get(key)
        if group is None:
            with self._recording.lock:
                group = site.groups.setdefault(key, SparseGroup(a, b))
        return group

    def _copied(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a.copy(), b.copy() if issparse(b) else np.array(b)

    def _keep(self, group: Group, a: Any, b: Any) -> None:
        """Files of systems have dense ones."""


class _FactorRecorder(_SpsolveRecorder):
    """A factorization; what is solved with it is not seen."""

    __slots__ = ()

    role: Role = "factor"

    def __call__(self, A: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        entered = perf_counter()
        frame = sys._getframe(1)
        if _is_in_scipy(frame):
            return self._runs(A, *args, **kwargs)
        recording = self._recording
        site = self._site(frame)
        group = None
        if _is_square(A) and A.dtype.kind in "fciub":
            group = self._named(site, (A.shape, A.dtype), A, None)
        factors, seconds = self._timed(site, A, *args, **kwargs)
        with recording.lock:
            site.count(group, seconds)
            if group is not None:
                group.look(A)
                if group.wants_sample() and (spent := self._time(A)) is not None:
                    group.add_sample(seconds, *spent)
            recording.overhead += perf_counter() - entered - seconds
        return factors

    def _time(self, a: Any) -> tuple[float, float] | None:
        """Seconds of the other function, and with all that belongs to running it."""
        entered = perf_counter()
        try:
            with silence:
                self._other(self.tiny[0])
                began = perf_counter()
                self._other(a)
                ended = perf_counter()
        except Exception:  # singular, say: there is nothing to compare
            return None
        return ended - began, perf_counter() - entered


def _is_in_scipy(frame: FrameType) -> bool:
    """Whether one of the solvers calls another: that is no call of the program."""
    name: str = frame.f_globals.get("__name__", "")
    return name.startswith("scipy.sparse.linalg._dsolve")


def _is_square(a: Any) -> bool:
    return bool(issparse(a)) and len(a.shape) == 2 and a.shape[0] == a.shape[1]


def _solve_instead(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    return smart_solve(a, b)


def _factorize_instead(a: Any, *args: Any, **kwargs: Any) -> Any:
    return factorize(csc_array(a))


def sparse_recorders(recording: Recording, with_ours: bool) -> Iterator[tuple[Function, Recorder]]:
    """Each function of SciPy's with what records its calls."""
    for solver, replacement in sparse_solvers():
        name = solver.original.__name__
        is_solve = name == "spsolve"
        kind = _SpsolveRecorder if is_solve else _FactorRecorder
        ours: Callable[..., Any] = _solve_instead if is_solve else _factorize_instead
        pair = (replacement, solver.original) if with_ours else (solver.original, ours)
        yield solver, kind(f"scipy.sparse.linalg.{name}", recording, solver.original, *pair)
