"""The command line of ``python -m gmm``."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gmm.cli.main_job import DEFAULT_VARIANTS, VARIANTS, MainJob, Settings, run_main_job
from gmm.cli.study import StudyError, add_commands
from gmm.cli.tables import report
from gmm.montecarlo import plots
from gmm.montecarlo.experiment import BlockError
from gmm.montecarlo.result import MonteCarloResult
from smartsolve import __version__

_PICTURE = Path("gmm-2010.png")
_COMMANDS = ("run", "status", "summary")
_DESCRIPTION = """\
The 2010 experiment GMMGaussianMC, reconstructed: GMM of the mean and standard deviation of many
normal samples. Runs it as a Python loop with numpy.linalg.solve, as the same loop with
smartsolve.solve, and as one batched engine; prints times, and estimates beside theory; draws a
picture."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 for a failure, 2 for a bad argument, 130 for ^C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _commands() if arguments and arguments[0] in _COMMANDS else _parser()
    if arguments and arguments[0][:1] not in ("", "-") and arguments[0] not in _COMMANDS:
        parser.error(
            f"{arguments[0]!r} is no command; there are {', '.join(_COMMANDS)}, and without a "
            "command the experiment of 2010"
        )
    options = parser.parse_args(arguments)
    _terminate_as_interrupt()
    try:
        status: int = options.command(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has gone; what is still buffered must not raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except KeyboardInterrupt:
        kept = ""
        if options.checkpoint:
            kept = f"; {options.checkpoint} keeps the finished blocks, the same command goes on"
        return _fail(f"interrupted{kept}", 130)
    except BrokenExecutor as error:
        lost = "a worker process has ended abruptly: killed, out of memory, or by the study's code"
        return _fail("; ".join([lost, *getattr(error, "__notes__", ())]), 1)
    except (BlockError, StudyError) as error:
        if options.traceback:
            raise
        return _fail("; ".join([str(error), *getattr(error, "__notes__", ())]), 1)
    except (ValueError, MemoryError, OverflowError) as error:
        return _fail(str(error) or "not enough memory", 2)


def _terminate_as_interrupt() -> None:
    """A request to terminate goes the way of ^C: what is finished is kept, and workers end."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _main_job(options: argparse.Namespace) -> int:
    """The 2010 experiment."""
    replications, loops = options.replications, options.loops
    if replications is None:
        replications = 10_000 if options.quick else 100_000
    if loops is None:
        loops = 1_000 if options.quick else 10_000
    settings = Settings(
        variants=DEFAULT_VARIANTS if options.model == "all" else (options.model,),
        replications=replications,
        n=options.n,
        seed=options.seed,
        workers=options.workers,
        loop_replications=replications if loops == "all" else min(loops, replications),
    )
    picture, why_not = _picture(options)
    job = run_main_job(settings, checkpoint=options.checkpoint)
    for measured in job.measured:
        if damaged := measured.result.blocks_damaged:
            blocks = "1 damaged block" if damaged == 1 else f"{damaged} damaged blocks"
            _say(f"{measured.name}: {blocks} in the checkpoint computed again")
    print(job.to_json() if options.json else report(job))
    if picture is not None:
        _draw(job, picture)
        why_not = f"picture: {picture}"
    if why_not and not options.json:
        print(f"\n{why_not}")
    return 0


def _picture(options: argparse.Namespace) -> tuple[Path | None, str]:
    """Where to draw, or why nothing is drawn; an error only if a file was asked for by name."""
    if options.plot is None and options.json:
        return None, ""
    path = options.plot or _PICTURE
    try:
        plots.check_path(path)
    except plots.PlotError as error:
        if options.plot is not None:
            raise
        return None, f"no picture: {error}"
    return path, ""


def _draw(job: MainJob, path: Path) -> None:
    """A and B have the same estimates, so one of them is enough."""
    results: dict[str, MonteCarloResult] = {}
    for measured in job.measured:
        title = measured.variant.title.removeprefix("not of 2010: ")
        if measured.variant.moments == 2:
            title = "2010, reconstruction"
        results.setdefault(title, measured.result)
    plots.draw(list(results.items()), path)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print its usage first."""
        self.exit(2, f"gmm: {message}\n")


def _fail(message: str, status: int) -> int:
    _say(message)
    return status


def _say(message: str) -> None:
    print("gmm: " + " ".join(message.split()), file=sys.stderr)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # 1e6, but neither 0.5 nor nan, and nothing that a float cannot count.
        with suppress(ValueError):
            if (number := float(text)).is_integer() and abs(number) < 2**53:
                return int(number)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _loops(text: str) -> int | str:
    if text == "all":
        return text
    count = 0 if text == "none" else _whole(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{count} is negative; give all, none or a number")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m gmm",
        description=_DESCRIPTION,
        epilog="Your own studies: python -m gmm run STUDY.py --help; status DIR; summary DIR.",
        allow_abbrev=False,
    )
    parser.set_defaults(command=_main_job, traceback=False)
    add = parser.add_argument
    add("--version", action="version", version=__version__)
    add("--replications", type=_whole, metavar="R", help="samples (default 100000)")
    add("--n", type=_whole, default=500, help="observations in a sample (default 500)")
    add("--seed", type=_whole, default=2010, help="names the random streams (default 2010)")
    add("--workers", type=_whole, default=1, help="threads of the engine; results do not change")
    add(
        "--model",
        choices=["all", *VARIANTS],
        default="all",
        help="A: diagonal systems, B: full systems, q3 and q4: over-identified (default: A, B, q4)",
    )
    add(
        "--loops",
        type=_loops,
        metavar="all|N|none",
        help="replications of the two Python loops (default 10000)",
    )
    add("--json", action="store_true", help="print one JSON document and nothing else")
    add("--plot", type=Path, metavar="FILE", help=f"the picture (default {_PICTURE})")
    add("--checkpoint", type=Path, metavar="DIR", help="keep finished blocks, and go on from them")
    add("--quick", action="store_true", help="10000 replications, loops over 1000")
    return parser


def _commands() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m gmm")
    parser.set_defaults(checkpoint=None, traceback=False)
    add_commands(parser.add_subparsers(required=True, parser_class=_Parser), _whole)
    return parser
