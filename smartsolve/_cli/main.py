"""The commands of ``python -m smartsolve``, and how they fail."""

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from .. import __version__
from .._files.errors import FileError
from . import bench, explain, info, profile, run, solve
from .errors import CommandError

__all__ = ["main"]

_COMMANDS: dict[str, tuple[ModuleType, str]] = {
    "run": (run, "run a program with numpy.linalg.solve replaced by smartsolve.solve"),
    "profile": (profile, "run a program as it is; report what it solves and what it would save"),
    "solve": (solve, "solve a system whose matrix and right-hand side are in files"),
    "explain": (explain, "tell what solve would do with a matrix in a file, and why"),
    "bench": (bench, "time a dozen systems against NumPy and SciPy on this machine"),
    "info": (info, "tell versions, BLAS, instruction set: what a bug report should hold"),
}
_PROGRAMS = {"run", "profile"}
_WITH_VALUE = {"-o", "--output", "--systems"}
_DESCRIPTION = """\
numpy.linalg.solve that looks at the matrix first: for programs that cannot be changed, and for
matrices in files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 for a failure, 2 for a bad argument, 130 for ^C; or the program's own."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    its_own: list[str] = []
    if given and given[0] in _PROGRAMS:
        given, its_own = _split(given)
    parser = _parser()
    options = parser.parse_args(given)
    if options.command is None:
        parser.error(f"expected a command: {', '.join(_COMMANDS)}; or --help")
    if options.command in _PROGRAMS:
        if (options.script is None) == (options.module is None):
            parser.error(f"{options.command}: expected either SCRIPT or -m MODULE")
        options.arguments = its_own
    command, _ = _COMMANDS[options.command]
    try:
        return int(command.run(options)) if options.command in _PROGRAMS else _run(command, options)
    except CommandError as error:
        return _fail(str(error), error.status)


def _run(command: ModuleType, options: argparse.Namespace) -> int:
    """A command on files; what a program raises, in contrast, is its own."""
    try:
        status = int(command.run(options))
        sys.stdout.flush()
        return status
    except FileError as error:
        return _fail(str(error), 1)
    except MemoryError as error:
        return _fail(str(error) or "not enough memory", 1)
    except BrokenPipeError:
        # The reader has gone; what is still buffered must not raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """The command's arguments, and the program's, which begin after its name."""
    at = 1
    while at < len(given) and given[at].startswith("-"):
        if given[at] == "-m":
            at += 1
            break
        at += 2 if given[at] in _WITH_VALUE else 1
    return given[: at + 1], given[at + 1 :]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print its usage first."""
        self.exit(2, f"smartsolve: {message}\n")


def _fail(message: str, status: int) -> int:
    print("smartsolve: " + " ".join(message.split()), file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m smartsolve", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (command, summary) in _COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=summary,
            description=command.DESCRIPTION,
            usage=f"python -m smartsolve {name} {command.USAGE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(sub)
    return parser
