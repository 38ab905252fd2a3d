"""``explain``: what `solve` would do with a matrix in a file, and why."""

import argparse
import json
from pathlib import Path

import smartsolve

from .._files.formats import write_bytes
from .errors import CommandError
from .solve import plain, read_operands

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Tell what is seen in a matrix, which method would solve it, what that costs, and which element
stands against every simpler structure. Files are those of the command solve. --html writes a page
with a picture of the matrix, as it is given and in the order found, beside the plan."""
USAGE = """MATRIX [RHS] [--html FILE] [--name NAME]
                                    [--rhs-name NAME] [--json]"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file, and which array in it."""
    parser.add_argument("matrix", type=Path, metavar="MATRIX", help="the file of A")
    parser.add_argument("rhs", type=Path, nargs="?", metavar="RHS", help="the file of b")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with a picture into FILE"
    )
    parser.add_argument("--name", metavar="NAME", help="which array of the file of A")
    parser.add_argument("--rhs-name", metavar="NAME", help="which array of the file of b")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """The plan goes to standard output, and with a picture into a page."""
    if options.html is not None and options.html.suffix.lower() not in (".html", ".htm"):
        raise CommandError(f"{options.html}: a page's name ends in .html", 2)
    a, b = read_operands(options)
    try:
        plan = smartsolve.explain(a, b)
    except (ValueError, TypeError) as error:
        raise CommandError(f"{options.matrix}: {error}") from None
    print(json.dumps(plain(plan.to_dict()), indent=2, allow_nan=False) if options.json else plan)
    if options.html is not None:
        write_bytes(options.html, plan.to_html().encode())
    return 0
