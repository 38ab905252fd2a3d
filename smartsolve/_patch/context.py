"""Contexts in which functions are replaced, which are decorators as well."""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator, ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from .function import Function, Replacement

__all__ = ["Patch"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Patch(ContextDecorator):
    """Contexts, which nest, in which functions are replaced; each tells which in `_pairs`."""

    _name: str  # for messages

    def __init__(self, *, everywhere: bool = False) -> None:
        self._everywhere = everywhere
        self._ends: list[ExitStack] = []

    def _pairs(self) -> Iterable[tuple[Function, Replacement]]:
        raise NotImplementedError

    def _recreate_cm(self) -> Self:
        again = copy.copy(self)
        again._ends = []
        return again

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            for solver, replacement in list(self._pairs()):  # all, or none, can be imported
                ends.callback(solver.replace(replacement, everywhere=self._everywhere))
            self._ends.append(ends.pop_all())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ends.pop().close()

    def __call__(self, func: _Function) -> _Function:
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise TypeError(
                f"{func.__qualname__} is a generator function, whose body would run after the "
                f"decorator's context has ended; use 'with {self._name}():' inside"
            )
        if not inspect.iscoroutinefunction(func):
            return super().__call__(func)

        @functools.wraps(func)
        async def patched(*args: Any, **kwargs: Any) -> Any:
            with self._recreate_cm():
                return await func(*args, **kwargs)

        return patched  # type: ignore[return-value]
