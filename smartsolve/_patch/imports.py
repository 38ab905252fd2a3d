"""Tell when the program has imported a library, without importing it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["once_imported"]


@contextmanager
def once_imported(name: str, action: Callable[[], object]) -> Iterator[None]:
    """Within the context, call `action` as soon as a top-level module is loaded, or now."""
    if name in sys.modules:
        action()
        yield
        return
    finder = _Finder(name, action)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.is_over = True
        sys.meta_path.remove(finder)


class _Finder:
    """Finds what the others find, and has the loader call back."""

    def __init__(self, name: str, action: Callable[[], object]) -> None:
        self._name, self._action = name, action
        self.is_over = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                self._listen(spec.loader)
                return spec
        return None

    def _listen(self, loader: Any) -> None:
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            loader.exec_module = load  # of this loader, not of its class
            load(module)
            if not self.is_over:
                self._action()

        loader.exec_module = exec_module
