"""What records the calls of solve, inv and lstsq, call site by call site."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from types import CodeType, FrameType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._condition import errstate
from .._core import kinds, scan
from .._patch.function import Replacement

__all__ = [
    "Group",
    "InvRecorder",
    "LstsqRecorder",
    "Recorder",
    "Recording",
    "Role",
    "Site",
    "Trace",
    "silence",
]

Array = npt.NDArray[Any]
Role = Literal["solve", "inv", "lstsq", "factor"]

_SAMPLING_SHARE = 0.05  # of the time in the recorded function, for running the other one as well
_ALWAYS_SAMPLED = 3
_MATRICES_REMEMBERED = 10_000  # per group; bounds the memory that telling repetitions takes
_SMALL = 2048  # bytes; of smaller matrices so many are scanned as one stack
_AT_ONCE = 128
_INTERRUPTED = 5  # times the usual time
_LARGEST_KEPT = 1 << 28  # bytes of a system that is kept as an example


class Group:
    """Calls at one site with the same shapes and dtypes."""

    most_remembered = _MATRICES_REMEMBERED

    def __init__(self, a: Array, b: Array | None) -> None:
        self.a_shape, self.a_dtype = a.shape, a.dtype
        self.b_shape = None if b is None else b.shape
        self.b_dtype = None if b is None else b.dtype
        self.calls, self.seconds = 0, 0.0
        self.kinds = [0] * len(kinds())
        self.full_rank = 0
        self.sampled, self.sampled_seconds, self.other_seconds = 0, 0.0, 0.0
        self._sampling = 0.0
        self.matrices: dict[int, int] = {}
        self.unremembered = 0
        self._unseen: list[bytes] = []
        self.example: tuple[Array, Array] | None = None

    @property
    def structures(self) -> dict[str, int]:
        """How many matrices had which structure."""
        return {name: count for name, count in zip(kinds(), self.kinds, strict=True) if count}

    @property
    def kind_of_arrays(self) -> str:
        """The dtype, and whatever else is not usual of the matrices."""
        return str(self.a_dtype)

    def keep(self, a: Array, b: Array) -> None:
        """One system, as it was given, to be measured later."""
        if self.example is None and a.nbytes + b.nbytes <= _LARGEST_KEPT:
            self.example = a.copy("K"), b.copy("K")

    def wants_sample(self) -> bool:
        """Whether the other function should run as well; keeps the cost of that in bounds."""
        return self.sampled < _ALWAYS_SAMPLED or self._sampling <= _SAMPLING_SHARE * self.seconds

    def add_sample(self, seconds: float, other: float, spent: float) -> None:
        """One call, timed with both functions."""
        self._sampling += spent
        if self.sampled and seconds > _INTERRUPTED * self.sampled_seconds / self.sampled:
            return
        self.sampled += 1
        self.sampled_seconds += seconds
        self.other_seconds += other

    def is_doubtful(self, other: float, seconds: float | None) -> bool:
        """Whether the other function was probably interrupted: that would outweigh all samples."""
        usual = self.other_seconds / self.sampled if self.sampled else seconds
        return usual is not None and other > _INTERRUPTED * usual

    def look(self, a: Array) -> None:
        """Count the structures, and tell whether this matrix has been here before."""
        content = a.tobytes()
        if len(content) > _SMALL:
            self._count(scan(a)[0], [content])
            return
        self._unseen.append(content)
        if len(self._unseen) == _AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Look at the small matrices that are kept until there are enough for one scan."""
        if self._unseen:
            together = np.frombuffer(b"".join(self._unseen), dtype=self.a_dtype)
            self._count(scan(together.reshape(-1, *self.a_shape))[0], self._unseen)
            self._unseen = []

    def _count(self, found: Array, contents: list[bytes]) -> None:
        for kind, count in enumerate(np.bincount(found.ravel(), minlength=len(self.kinds))):
            self.kinds[kind] += int(count)
        for content in map(hash, contents):
            if content in self.matrices:
                self.matrices[content] += 1
            elif len(self.matrices) < self.most_remembered:
                self.matrices[content] = 1
            else:
                self.unremembered += 1


@dataclass
class Trace:
    """Calls that were compiled: how often they run is not seen.

    `seconds` and `other_seconds` are those of one run on random systems, in the library and in
    ours; None if there was none.
    """

    a_shape: tuple[int, ...]
    a_dtype: str
    b_shape: tuple[int, ...]
    b_dtype: str
    seconds: float | None
    other_seconds: float | None
    count: int = 0


class Site:
    """One place in a program's text that calls one function."""

    def __init__(self, function: str, role: Role, frame: FrameType) -> None:
        self.function, self.role = function, role
        self.code: CodeType = frame.f_code  # kept: its id names the site
        self.instruction, self.line = frame.f_lasti, frame.f_lineno
        self.groups: dict[Any, Group] = {}
        self.traces: dict[Any, Trace] = {}
        self.is_direct = True  # the text calls the function, and not what calls it
        self.failed = 0
        self.other_calls, self.other_seconds = 0, 0.0  # on what only its own library understands

    def count(self, group: Group | None, seconds: float) -> None:
        """One more call, of a group's or of what only its own library understands."""
        if group is None:
            self.other_calls += 1
            self.other_seconds += seconds
        else:
            group.calls += 1
            group.seconds += seconds


class Recording:
    """All call sites, and the time that recording took."""

    def __init__(self, examples: bool = False) -> None:
        self.sites: dict[tuple[int, int, str], Site] = {}
        self.examples = examples  # whether one system of each group is kept
        self.overhead = 0.0
        self.clock = _cost_of_reading_the_clock()
        # Reentrant: an operand's conversion to an array may itself solve something.
        self.lock = threading.RLock()


class Recorder(Replacement):
    """A function that is called as before, watched, and now and then compared with another."""

    __slots__ = ()

    role: Role = "solve"
    tiny: tuple[Any, Any] = (np.eye(2), np.eye(2))

    def __init__(
        self,
        name: str,
        recording: Recording,
        original: Callable[..., Any],
        runs: Callable[..., Any],
        other: Callable[..., Any],
    ) -> None:
        super().__init__(original)
        self._name, self._recording = name, recording
        self._runs, self._other = runs, other

    def __call__(self, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        return self._recorded(sys._getframe(1), a, b, args, kwargs)

    def _recorded(self, frame: FrameType, a: Any, b: Any, args: Any, kwargs: Any) -> Any:
        entered = perf_counter()
        recording = self._recording
        site = self._site(frame)
        group, matrix = self._group(site, a, b)
        kept = (a, b)
        if group is not None and (args or kwargs):  # SciPy's, which may permit overwriting
            kept = matrix, _ = self._copied(a, b)
        if recording.examples and group is not None:
            self._keep(group, a, b)
        sampled = group is not None and group.wants_sample()
        before = None
        if group is not None and sampled and group.sampled % 2:
            # Who runs second finds the data in the cache: by turns.
            before = self._sample(group, None, *kept, args, kwargs)
        x, seconds = self._timed(site, a, b, *args, **kwargs)
        with recording.lock:
            site.count(group, seconds)
            if group is not None:
                self._look(group, matrix, x)
                if sampled:
                    spent = before or self._sample(group, seconds, *kept, args, kwargs)
                    if spent is not None:
                        group.add_sample(seconds, *spent)
            recording.overhead += perf_counter() - entered - seconds
        return x

    def _timed(self, site: Site, *args: Any, **kwargs: Any) -> tuple[Any, float]:
        """What the function answers, and its seconds."""
        began = perf_counter()
        try:
            x = self._runs(*args, **kwargs)
        except BaseException:
            site.failed += 1
            raise
        return x, max(0.0, perf_counter() - began - self._recording.clock)

    def _site(self, frame: FrameType) -> Site:
        key = (id(frame.f_code), frame.f_lasti, self._name)
        site = self._recording.sites.get(key)
        if site is None:
            with self._recording.lock:
                new = Site(self._name, self.role, frame)
                site = self._recording.sites.setdefault(key, new)
        return site

    def _group(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
        """The group of a call and its matrix; None for arrays of other libraries."""
        if type(a) is not np.ndarray or type(b) is not np.ndarray:
            if any(_answers_itself(operand) for operand in (a, b)):
                return None, None
            try:
                a, b = np.asarray(a), None if b is None else np.asarray(b)
            except Exception:  # whatever it is, the function itself will say it
                return None, None
        key = (a.shape, a.dtype, None) if b is None else (a.shape, a.dtype, b.shape, b.dtype)
        group = site.groups.get(key)
        if group is None:
            if a.dtype.kind not in "fciub" or a.ndim < 2:
                return None, None
            with self._recording.lock:
                group = site.groups.setdefault(key, Group(a, b))
        return group, a

    def _copied(self, a: Any, b: Any) -> tuple[Any, Any]:
        return np.array(a), np.array(b)

    def _keep(self, group: Group, a: Any, b: Any) -> None:
        group.keep(np.asarray(a), np.asarray(b))

    def _look(self, group: Group, matrix: Array, x: Any) -> None:
        group.look(matrix)

    def _sample(
        self, group: Group, seconds: float | None, a: Any, b: Any, args: Any, kwargs: Any
    ) -> tuple[float, float] | None:
        """`_time_other`, once more if it was probably interrupted."""
        spent = self._time_other(a, b, args, kwargs)
        if spent is None or not group.is_doubtful(spent[0], seconds):
            return spent
        again = self._time_other(a, b, args, kwargs)
        return again and (min(spent[0], again[0]), spent[1] + again[1])

    def _time_other(self, a: Any, b: Any, args: Any, kwargs: Any) -> tuple[float, float] | None:
        """Seconds of the other function, and with all that belongs to running it."""
        entered = perf_counter()
        try:
            with silence:
                self._other(*self.tiny)  # its code is in the cache, as it would be in a loop
                if args or kwargs:
                    a, b = self._copied(a, b)
                    began = perf_counter()
                    self._other(a, b, *args, **kwargs)
                else:
                    began = perf_counter()
                    self._other(a, b)
                ended = perf_counter()
        except Exception:  # singular, say: there is nothing to compare
            return None
        return max(0.0, ended - began - self._recording.clock), perf_counter() - entered


class LstsqRecorder(Recorder):
    """Least squares with a square matrix; with others it is called for a reason."""

    __slots__ = ()

    role: Role = "lstsq"

    def _group(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
        shape = np.shape(a)
        return super()._group(site, a, b) if len(set(shape)) == 1 else (None, None)

    def _look(self, group: Group, matrix: Array, x: Any) -> None:
        group.look(matrix)
        group.full_rank += int(x[2] == matrix.shape[-1])


class InvRecorder(Recorder):
    """Inverses: what is done with them only the program's text can tell."""

    __slots__ = ()

    role: Role = "inv"

    def __call__(self, a: Any, *args: Any, **kwargs: Any) -> Any:
        entered = perf_counter()
        site = self._site(sys._getframe(1))
        group, matrix = self._group(site, a, None)
        if group is not None and (args or kwargs):
            matrix = np.array(a)
        x, seconds = self._timed(site, a, *args, **kwargs)
        with self._recording.lock:
            site.count(group, seconds)
            if group is not None:
                group.look(matrix)
            self._recording.overhead += perf_counter() - entered - seconds
        return x


def _cost_of_reading_the_clock() -> float:
    """What timing a call adds to its time: that of one that does nothing, at best."""
    times = []
    for _ in range(1000):
        began = perf_counter()
        times.append(perf_counter() - began)
    return min(times)


def _answers_itself(operand: Any) -> bool:
    own = getattr(type(operand), "__array_function__", None)
    return own is not None and own is not np.ndarray.__array_function__


silence = errstate(ill_conditioned="ignore")
