"""``solve``: a linear system whose matrix and right-hand side are in files."""

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import smartsolve

from .._files.formats import check_name, read, refuse_overwriting, write
from .._report import SolveInfo
from .._sparse import DENSE_BELOW
from .errors import CommandError

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Solve A x = b for a matrix and right-hand sides in files, by the method that fits the matrix, and
tell on standard error what was found and done. Files are Matrix Market (.mtx), NumPy (.npy, .npz)
or MATLAB (.mat; version 7.3 needs h5py). A matrix that is not square is solved by least squares,
as MATLAB's backslash does. Without -o, x is printed, one row a line."""
USAGE = "MATRIX RHS [-o FILE] [--name NAME] [--rhs-name NAME]"


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


def run(options: argparse.Namespace) -> int:
    """What is wrong with the system is said with the name of its file."""
    if options.output is not None:
        check_name(options.output)
        refuse_overwriting(options.output, (options.matrix, options.rhs))
    a, b = (
        read(options.matrix, options.name, keep_above=DENSE_BELOW),
        read(options.rhs, options.rhs_name),
    )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x, info = _solved(a, b)
    except (ValueError, TypeError) as error:  # LinAlgError is a ValueError
        raise CommandError(f"{options.matrix}, {options.rhs}: {error}") from None
    except MemoryError:
        raise CommandError(
            f"{options.matrix}, {options.rhs}: not enough memory for {a.shape} and {b.shape}"
        ) from None
    if options.output is None:
        _print(x)
    else:
        write(options.output, x)
    for warning in caught:
        print(f"smartsolve: {options.matrix}: {warning.message}", file=sys.stderr)
    print(info, file=sys.stderr)
    return 0


def _solved(a: Any, b: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], SolveInfo]:
    """The solution, and what was done."""
    if a.ndim >= 2 and a.shape[-1] != a.shape[-2]:
        x, info = smartsolve.mldivide(a, b, return_info=True)
    else:
        x, info = smartsolve.solve(a, b, return_info=True)
    return x, info


def _print(x: npt.NDArray[Any]) -> None:
    """Digits enough to read every number back exactly."""
    rows = x.reshape(-1, 1) if x.ndim == 1 else x.reshape(-1, x.shape[-1])
    for row in rows.astype(np.result_type(x, np.float64)).tolist():
        print("\t".join(map(repr, row)))
