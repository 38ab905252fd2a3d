"""``explain``: what `solve` would do with a matrix in a file, and why."""

import argparse
from pathlib import Path

import smartsolve

from .._files.formats import read
from .errors import CommandError

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Tell what is seen in a matrix, which method would solve it, what that costs, and which element
stands against every simpler structure. Files are those of the command solve."""
USAGE = "MATRIX [RHS] [--name NAME] [--rhs-name NAME]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file, and which array in it."""
    parser.add_argument("matrix", type=Path, metavar="MATRIX", help="the file of A")
    parser.add_argument("rhs", type=Path, nargs="?", metavar="RHS", help="the file of b")
    parser.add_argument("--name", metavar="NAME", help="which array of the file of A")
    parser.add_argument("--rhs-name", metavar="NAME", help="which array of the file of b")


def run(options: argparse.Namespace) -> int:
    """The plan goes to standard output."""
    a = read(options.matrix, options.name)
    b = None if options.rhs is None else read(options.rhs, options.rhs_name)
    try:
        print(smartsolve.explain(a, b))
    except (ValueError, TypeError) as error:
        raise CommandError(f"{options.matrix}: {error}") from None
    return 0
