"""Functions of other packages: the names that lead to them, and what stands in their place."""

import copyreg
import functools
import operator
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .._condition import IllConditioned, errstate, geterr

__all__ = ["Function", "Replacement", "function"]

_PACKAGE = __name__.partition(".")[0]


class Replacement:
    """A callable that stands for another function, and passes for it.

    It has the function's name, documentation and attributes, pickles by its name, binds as a
    method, and equals it: libraries keep tables of functions for ``__array_function__``, and one
    that is imported while a name is replaced must find the same entry later. So does Numba in its
    table of what it compiles, whose keys are weak references where there can be any: to NumPy's
    function there can be none, and so to this there is none either.
    """

    __slots__ = ("__dict__",)

    singular: type[Exception] = np.linalg.LinAlgError

    def __init__(
        self, original: Callable[..., Any], ill_conditioned: IllConditioned | None = None
    ) -> None:
        self._original = original
        self._ill_conditioned = ill_conditioned  # None: as `errstate` wants it
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._ill_conditioned is None:
            return self._call(*args, **kwargs)
        with errstate(ill_conditioned=self._ill_conditioned):
            return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        return self._original(*args, **kwargs)

    def _instead(self, refusal: Exception, *args: Any, **options: Any) -> Any:
        """What the original makes of what `smartsolve.solve` refuses.

        A warning that the program's filters turn into an exception is such a refusal, and so is a
        matrix that is singular by one order of operations and by the other, rounded, is not: a
        program must not stop where it did not stop before, unless it asks for that.
        """
        is_singular = isinstance(refusal, self.singular) and _is_square(args[0])
        if is_singular and geterr()["ill_conditioned"] == "raise":
            raise refusal
        try:
            return self._original(*args, **options)
        except Exception as error:
            if is_singular and isinstance(error, self.singular):  # both say so, and ours says more
                raise refusal from None
            error.__context__ = None  # the refusal is no part of the original's story
            raise

    def __getattr__(self, name: str) -> Any:
        if name == "_original":  # not yet set, while it is being copied
            raise AttributeError(name)
        return getattr(self._original, name)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Replacement):
            other = other._original
        return other is self._original

    def __hash__(self) -> int:
        return hash(self._original)

    def __reduce__(self) -> str:
        return str(self._original.__name__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in place of {self._original!r}>"


def _is_square(a: Any) -> bool:
    shape = np.shape(a)
    return len(shape) >= 2 and shape[-1] == shape[-2]


class Function:
    """A function of another package, the names that lead to it, and where they lead now.

    Requests may overlap and end in any order. The highest rank, and of equals the latest, decides;
    when the last has ended, every name leads where it led before the first.
    """

    _lock = threading.RLock()  # one for all: an import may be under way in another thread

    def __init__(self, module: str, name: str) -> None:
        self._name = name
        self.original: Callable[..., Any] = getattr(import_module(module), name)
        # Where it says it is defined as well: there pickle looks for it.
        modules = dict.fromkeys([module, self.original.__module__])
        self._homes = [home for each in modules if name in (home := vars(import_module(each)))]
        self._requests: list[_Request] = []
        self._reset()

    def _reset(self) -> None:
        self._found = [home[self._name] for home in self._homes]
        self._modules_then = set(sys.modules)
        self._used: list[Replacement] = []
        self._is_everywhere = False

    def replace(
        self, replacement: Replacement, *, everywhere: bool = False, rank: int = 0
    ) -> Callable[[], None]:
        """Lead the names to a replacement; what is returned ends it.

        With `everywhere` also the names that other modules have bound to the function.
        """
        request = _Request(replacement, everywhere, rank)
        with self._lock:
            if not self._requests:
                self._reset()
                self._pickle_by_name(True)
            self._used.append(replacement)
            self._requests.append(request)
            self._settle()
        return functools.partial(self._end, request)

    def _end(self, request: "_Request") -> None:
        with self._lock:
            self._requests.remove(request)
            self._settle()
            if not self._requests:
                self._pickle_by_name(False)

    def _settle(self) -> None:
        """Bind the names as the requests say."""
        ranked = sorted(self._requests, key=lambda request: request.rank)  # stable: latest last
        replacement = ranked[-1].replacement if ranked else None
        for home, found in zip(self._homes, self._found, strict=True):
            # A name that somebody else has set meanwhile is left to him.
            if home[self._name] is found or _is_among(home[self._name], self._used):
                home[self._name] = found if replacement is None else replacement

        everywhere = any(request.everywhere for request in self._requests)
        if everywhere:
            self._rebind([self.original, *self._used], replacement)
        elif self._is_everywhere:
            self._rebind(self._used, self.original)
        elif replacement is None:
            # A module imported meanwhile may have bound the replacement to a name of its own.
            self._rebind(self._used, self.original, passing_over=self._modules_then)
        self._is_everywhere = everywhere

    def _rebind(self, these: list[Any], to: Any, passing_over: Collection[str] = ()) -> None:
        wanted = set(map(id, these)) - {id(to)}
        homes = set(map(id, self._homes))
        for name, namespace in _namespaces():
            if name in passing_over or id(namespace) in homes:
                continue
            for key, value in list(namespace.items()):
                if id(value) in wanted:
                    namespace[key] = to

    def _pickle_by_name(self, replaced: bool) -> None:
        """Let the original be pickled although its name leads elsewhere."""
        if isinstance(self.original, FunctionType):
            return  # pickle does not ask; it finds the name bound to another object
        if replaced:
            copyreg.pickle(type(self.original), self._reduce)
        else:
            copyreg.dispatch_table.pop(type(self.original), None)

    def _reduce(self, function: Any) -> Any:
        current = self._homes[0][self._name]
        if function is self.original and isinstance(current, Replacement):
            # Whatever the name means where it is loaded.
            return operator.itemgetter(0), ((current,),)
        return function.__reduce__()


@dataclass(frozen=True, eq=False)
class _Request:
    replacement: Replacement
    everywhere: bool
    rank: int


def _is_among(value: object, candidates: Iterable[object]) -> bool:
    return any(value is candidate for candidate in candidates)


def _namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of all modules but this package's, without waking lazy ones."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] != _PACKAGE:
            yield name, object.__getattribute__(module, "__dict__")


@functools.cache
def function(module: str, name: str) -> Function:
    """The one `Function` of a name."""
    return Function(module, name)
