"""``profile``: what a program solves, call site by call site, and what it would save."""

import argparse
import atexit
import io
import json
import os
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .._files.formats import write_bytes
from .._profile.findings import examples
from .._profile.recorder import Recording
from .._profile.recording import record
from .._profile.report import Profile
from . import run as run_command
from .errors import CommandError
from .script import load_module, load_script, run_as_main

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Run a Python program as it is, and report where it solves linear systems: calls, shapes,
structures found, the time in NumPy and the time that smartsolve.solve would take, measured on the
same operands, and what to do. Also inverses that are multiplied, least squares of square systems,
and torch.linalg.solve and jnp.linalg.solve in programs that import PyTorch or JAX. The program's
arguments, exit status and output are its own; the report goes to standard error after its end, or
into a file."""
USAGE = """[-o FILE] [--systems FILE] [--scipy]
                                    (SCRIPT | -m MODULE) [ARGS ...]"""

_FORMATS = (".html", ".json", ".txt")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the report goes, what is watched, and the program."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write the report into FILE (.html, .json or .txt)",
    )
    parser.add_argument(
        "--systems",
        type=Path,
        metavar="FILE",
        help="write the first system of each call site and shape into FILE (.npz)",
    )
    parser.add_argument(
        "--scipy",
        action="store_true",
        help="watch scipy.linalg's solve, inv and lstsq, and spsolve, factorized and splu, as well",
    )
    run_command.add_program(parser)


def run(options: argparse.Namespace) -> int:
    """The report is made at the process's exit, after the program's threads and exit handlers."""
    if options.output is not None:
        _check(options.output, _FORMATS, "a report")
    if options.systems is not None:
        _check(options.systems, (".npz",), "a file of systems")
    if options.module:
        program, name = load_module(options.module), f"-m {options.module}"
    else:
        program, name = load_script(options.script), options.script
    ends = ExitStack()
    recording = ends.enter_context(
        record(scipy=options.scipy, examples=options.systems is not None)
    )
    if options.systems is not None:
        atexit.register(_write_systems, recording, options.systems, os.getpid())
    atexit.register(
        _report, recording, ends, name, options.output, os.getpid(), time.perf_counter()
    )
    run_as_main(program, options.arguments)
    return 0


def _report(
    recording: Recording, ends: ExitStack, name: str, output: Path | None, pid: int, began: float
) -> None:
    if os.getpid() != pid:  # a child of the program, forked
        return
    seconds = max(0.0, time.perf_counter() - began - recording.overhead)
    ends.close()
    profile = Profile.of(recording, name, seconds)
    with suppress(OSError, ValueError):  # closed by the program, or its reader has gone
        sys.stdout.flush()
    if output is None:
        print(f"\n{profile}", file=sys.stderr)
        return
    try:
        write_bytes(output, _formatted(profile, output.suffix.lower()).encode())
    except OSError as error:
        print(f"smartsolve: {output}: {error.strerror}", file=sys.stderr)


def _write_systems(recording: Recording, output: Path, pid: int) -> None:
    """Matrix, right-hand side and description of the k-th as a<k>, b<k> and what<k>."""
    if os.getpid() != pid:
        return
    arrays: dict[str, Any] = {}
    for k, (what, (a, b)) in enumerate(examples(recording)):
        arrays |= {f"what{k}": np.array(json.dumps(asdict(what))), f"a{k}": a, f"b{k}": b}
    try:
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        write_bytes(output, packed.getvalue())
    except OSError as error:
        print(f"smartsolve: {output}: {error.strerror}", file=sys.stderr)


def _formatted(profile: Profile, suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(profile.to_dict(), indent=2, allow_nan=False) + "\n"
    if suffix == ".html":
        from .._profile.html import page

        return page(profile)
    return f"{profile}\n"


def _check(output: Path, formats: tuple[str, ...], what: str) -> None:
    """Before the program runs, as it may run for hours."""
    if output.suffix.lower() not in formats:
        raise CommandError(f"{output}: {what} is {', '.join(formats)}, told by the name's end")
    if output.is_dir() or not os.access(output.absolute().parent, os.W_OK):
        raise CommandError(f"{output}: cannot be written")
