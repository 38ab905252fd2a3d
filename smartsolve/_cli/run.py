"""``run``: a program whose `numpy.linalg.solve` is `smartsolve.solve`."""

import argparse
from contextlib import ExitStack
from typing import Any

from .._patch import patch_numpy
from .._patch.imports import once_imported
from .script import load_module, load_script, run_as_main

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Run a Python program with numpy.linalg.solve replaced by smartsolve.solve. Its arguments, exit
status, output and tracebacks are its own. What smartsolve.solve refuses goes to NumPy; an
ill-conditioned matrix gives an IllConditionedWarning, once a call."""
USAGE = "[--scipy] [--inv] [--jax] [--torch] (SCRIPT | -m MODULE) [ARGS ...]"
# Both read the environment when they are imported, which is the program's to set.
_IMPORTED_BY_THE_PROGRAM = {"jax": "jax.numpy.linalg.solve", "torch": "torch.linalg.solve"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which names are replaced, and the program."""
    parser.add_argument(
        "--scipy",
        action="store_true",
        help="replace scipy.linalg.solve, and spsolve, factorized and splu, as well",
    )
    parser.add_argument("--inv", action="store_true", help="replace numpy.linalg.inv as well")
    for library, name in _IMPORTED_BY_THE_PROGRAM.items():
        parser.add_argument(f"--{library}", action="store_true", help=f"replace {name} as well")
    add_program(parser)


def add_program(parser: argparse.ArgumentParser) -> None:
    """It comes last: what follows it is its own."""
    parser.add_argument(
        "-m", dest="module", metavar="MODULE", help="run a module, as python -m does"
    )
    parser.add_argument(
        "script", nargs="?", metavar="SCRIPT", help="a Python file, or a directory or archive"
    )


def run(options: argparse.Namespace) -> int:
    """Returns only if the program came to its end."""
    program = load_module(options.module) if options.module else load_script(options.script)
    # To the end of the process: threads and exit handlers of the program come later.
    patch_numpy(scipy=options.scipy, inv=options.inv, everywhere=True).__enter__()
    with ExitStack() as watched:
        for library in _IMPORTED_BY_THE_PROGRAM:
            if getattr(options, library):
                asked: dict[str, Any] = {library: True}
                patch = patch_numpy(everywhere=True, **asked)
                watched.enter_context(once_imported(library, patch.__enter__))
        run_as_main(program, options.arguments)
    return 0
