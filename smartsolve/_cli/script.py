"""Run somebody's script or module as ``python`` itself would."""

import builtins
import importlib.util
import io
import os
import pkgutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType

from .errors import CommandError

__all__ = ["load_module", "load_script", "run_as_main"]

_PACKAGE = __name__.partition(".")[0]


class Program:
    """What is to run as ``__main__``: its code, its module, and its ``sys.argv[0]``."""

    def __init__(self, code: CodeType, module: ModuleType, argv0: str) -> None:
        self.code, self.module, self.argv0 = code, module, argv0


def load_script(path: str) -> Program:
    """A file of Python, compiled or not, or a directory or archive that holds ``__main__.py``."""
    importer = pkgutil.get_importer(path) if os.path.isdir(path) or _is_archive(path) else None
    if importer is not None:
        spec = importer.find_spec("__main__")
        if spec is None:
            raise CommandError(f"{path}: has no __main__.py")
        _set_first_path(path, always=True)
        return _from_spec(spec, path)
    full = os.path.abspath(path)
    loader_class = SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader
    loader = loader_class("__main__", full)
    try:
        if path.endswith(".pyc"):
            code = loader.get_code("__main__")
        else:
            with io.open_code(full) as file:
                code = compile(file.read(), full, "exec", dont_inherit=True)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", 2) from None
    except (SyntaxError, ValueError, ImportError, EOFError) as error:
        _show_and_leave(error)
        raise
    assert code is not None
    _set_first_path(os.path.dirname(os.path.realpath(full)))
    module = ModuleType("__main__")
    vars(module).update(__file__=full, __loader__=loader, __cached__=None, __builtins__=builtins)
    return Program(code, module, path)


def load_module(name: str) -> Program:
    """A module by its name, or a package by its ``__main__``; `sys.path` is already right."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise CommandError(f"module {name}: {error}") from None
    if spec is None:
        raise CommandError(f"no module named {name}")
    return _from_spec(spec, spec.origin or name)


def run_as_main(program: Program, arguments: Sequence[str]) -> None:
    """Execute as ``__main__``; what it raises is shown without frames of this package."""
    sys.argv[:] = [program.argv0, *arguments]
    _replaced.append(sys.modules["__main__"])  # kept: it is still running
    sys.modules["__main__"] = program.module
    try:
        exec(program.code, vars(program.module))
    except SystemExit:
        raise
    except BaseException as error:
        _show_and_leave(error)
        raise


_replaced: list[ModuleType] = []


def _from_spec(spec: ModuleSpec, argv0: str) -> Program:
    get_code: Callable[[str], CodeType | None] | None = getattr(spec.loader, "get_code", None)
    if get_code is None:
        raise CommandError(f"module {spec.name}: is not Python code")
    try:
        code = get_code(spec.name)
    except (SyntaxError, ValueError) as error:
        _show_and_leave(error)
        raise
    if code is None:
        raise CommandError(f"module {spec.name}: is not Python code")
    module = ModuleType("__main__")
    vars(module).update(
        __builtins__=builtins,
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    return Program(code, module, argv0)


def _is_archive(path: str) -> bool:
    return os.path.isfile(path) and not path.endswith((".py", ".pyc")) and zipfile.is_zipfile(path)


def _set_first_path(directory: str, *, always: bool = False) -> None:
    """In place of the working directory, which ``python -m smartsolve`` has put there."""
    if not sys.flags.safe_path:
        sys.path[0] = directory
    elif always:
        sys.path.insert(0, directory)


def _show_and_leave(error: BaseException) -> None:
    """Hand the error to `sys.excepthook` as the script's own, and silence what follows.

    It is raised further all the same: the interpreter then ends as it would have ended, also
    with the signal's status after a KeyboardInterrupt.
    """
    error.__traceback__ = _without_our_frames(error.__traceback__)
    sys.excepthook(type(error), error, error.__traceback__)
    sys.excepthook = lambda *_: None


def _without_our_frames(traceback: TracebackType | None) -> TracebackType | None:
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept: TracebackType | None = None
    for entry in reversed(entries):
        package = str(entry.tb_frame.f_globals.get("__package__"))
        if not package.startswith((f"{_PACKAGE}._cli", f"{_PACKAGE}._profile")):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
