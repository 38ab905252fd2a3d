"""``run``: a program whose `numpy.linalg.solve` is `smartsolve.solve`."""

import argparse

from .._patch import patch_numpy
from .script import load_module, load_script, run_as_main

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Run a Python program with numpy.linalg.solve replaced by smartsolve.solve. Its arguments, exit
status, output and tracebacks are its own. What smartsolve.solve refuses goes to NumPy; an
ill-conditioned matrix gives an IllConditionedWarning, once a call."""
USAGE = "[--scipy] (SCRIPT | -m MODULE) [ARGS ...]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which names are replaced, and the program."""
    parser.add_argument("--scipy", action="store_true", help="replace scipy.linalg.solve as well")
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
    patch_numpy(scipy=options.scipy, everywhere=True).__enter__()
    run_as_main(program, options.arguments)
    return 0
