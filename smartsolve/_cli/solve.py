"""``solve``: a linear system whose matrix and right-hand side are in files."""

import argparse
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import smartsolve

from .._files.errors import NameNeeded
from .._files.formats import check_name, read, refuse_overwriting, write
from .._report import SolveInfo
from .._sparse import DENSE_BELOW
from .errors import CommandError

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Solve A x = b for a matrix and right-hand sides in files, by the method that fits the matrix, and
tell on standard error what was found and done. Files are Matrix Market (.mtx), NumPy (.npy, .npz)
or MATLAB (.mat; version 7.3 needs h5py). A matrix that is not square is solved by least squares,
as MATLAB's backslash does. Without -o, x is printed, one row a line; with --json, x (unless it is
written into a file), what was done and the warnings are one document."""
USAGE = """MATRIX RHS [-o FILE] [--name NAME] [--rhs-name NAME]
                                  [--on-singular CHOICE] [--minimum-norm] [--json]"""

# What a message advises to a program, and what it is here.
_IN_THE_SHELL = {
    "smartsolve.mldivide(a, b, minimum_norm=True)": "--minimum-norm",
    "minimum_norm=True": "--minimum-norm",
    "on_singular='nan'": "--on-singular nan",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files, and which arrays in them."""
    parser.add_argument("matrix", type=Path, metavar="MATRIX", help="the file of A")
    parser.add_argument("rhs", type=Path, metavar="RHS", help="the file of b; may be the same")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write x into FILE (.mtx, .npy, .npz, .mat)",
    )
    parser.add_argument("--name", metavar="NAME", help="which array of the file of A")
    parser.add_argument("--rhs-name", metavar="NAME", help="which array of the file of b")
    parser.add_argument(
        "--on-singular",
        choices=("raise", "warn", "nan"),
        help="what a singular matrix does: fail (the default), or leave NaN with a warning or none",
    )
    parser.add_argument(
        "--minimum-norm",
        action="store_true",
        help="of the least-squares solutions take the shortest, also of a singular matrix",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def read_operands(options: argparse.Namespace) -> tuple[Any, Any]:
    """A, and b if its file is given; which of several arrays is meant, an option tells."""
    found = []
    for path, name, option, largest in (
        (options.matrix, options.name, "--name", DENSE_BELOW),
        (options.rhs, options.rhs_name, "--rhs-name", None),
    ):
        try:
            found.append(None if path is None else read(path, name, keep_above=largest))
        except NameNeeded as error:
            raise CommandError(error.by(option)) from None
    return found[0], found[1]


def run(options: argparse.Namespace) -> int:
    """What is wrong with the system is said with the name of its file."""
    if options.output is not None:
        check_name(options.output)
        refuse_overwriting(options.output, (options.matrix, options.rhs))
    a, b = read_operands(options)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x, info = _solved(a, b, options.minimum_norm, options.on_singular)
    except (ValueError, TypeError) as error:  # LinAlgError is a ValueError
        raise CommandError(f"{options.matrix}, {options.rhs}: {_for_the_shell(error)}") from None
    except MemoryError:
        raise CommandError(
            f"{options.matrix}, {options.rhs}: not enough memory for {a.shape} and {b.shape}"
        ) from None
    said = [_for_the_shell(warning.message) for warning in caught]
    if options.output is not None:
        write(options.output, x)
    if options.json:
        document = {} if options.output is not None else {"x": plain(x)}
        document |= {"info": plain(info.to_dict()), "warnings": said}
        print(json.dumps(document, indent=2, allow_nan=False))
        return 0
    if options.output is None:
        _print(x)
    for text in said:
        print(f"smartsolve: {options.matrix}: {text}", file=sys.stderr)
    print(info, file=sys.stderr)
    return 0


def _solved(
    a: Any, b: npt.NDArray[Any], minimum_norm: bool, on_singular: Any
) -> tuple[npt.NDArray[Any], SolveInfo]:
    """The solution, and what was done."""
    if minimum_norm or (a.ndim >= 2 and a.shape[-1] != a.shape[-2]):
        x, info = smartsolve.mldivide(a, b, minimum_norm=minimum_norm, return_info=True)
    else:
        x, info = smartsolve.solve(a, b, on_singular=on_singular, return_info=True)
    return x, info


def _for_the_shell(message: object) -> str:
    text = str(message)
    for advised, option in _IN_THE_SHELL.items():
        text = text.replace(advised, option)
    return text


def plain(value: Any) -> Any:
    """As JSON takes it: complex numbers as pairs, Inf and NaN as text, which JSON does not have."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _print(x: npt.NDArray[Any]) -> None:
    """Digits enough to read every number back exactly."""
    rows = x.reshape(-1, 1) if x.ndim == 1 else x.reshape(-1, x.shape[-1])
    for row in rows.astype(np.result_type(x, np.float64)).tolist():
        print("\t".join(map(repr, row)))
