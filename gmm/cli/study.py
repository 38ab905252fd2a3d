"""``python -m gmm run``, ``status`` and ``summary``: studies in files, and their checkpoints."""

import argparse
import importlib.util
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gmm.montecarlo import plots
from gmm.montecarlo.arguments import MOST_WORKERS, check_count
from gmm.montecarlo.blocks import block_count
from gmm.montecarlo.checkpoint import MANIFEST, Checkpoint, CheckpointError
from gmm.montecarlo.experiment import BlockError, brief, where
from gmm.montecarlo.grid import GridResult, MonteCarloGrid
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo

Study = MonteCarlo | MonteCarloGrid
Count = Callable[[str], int]

_MODULE = "gmm_study"


def add_commands(commands: Any, whole: Count) -> None:
    """Add the parsers of the three commands; each sets what runs it as `command`."""
    run = commands.add_parser(
        "run",
        allow_abbrev=False,
        description="Run the Monte Carlo study that a Python file defines as a MonteCarlo or a "
        "MonteCarloGrid, and print its summary.",
    )
    add = run.add_argument
    add("file", type=Path, metavar="STUDY.py", help="the file")
    add("--study", metavar="NAME", help="which study, if the file defines several")
    add("--replications", type=whole, metavar="R", help="samples, such as 1e6")
    add("--seed", type=whole, default=2010, help="names the random streams (default 2010)")
    add("--workers", type=whole, default=1, help="threads, or processes; results do not change")
    add("--processes", action="store_true", help="processes: for functions in pure Python")
    add("--checkpoint", type=Path, metavar="DIR", help="keep finished blocks, go on from them")
    add(
        "--blocks",
        type=_blocks,
        metavar="A:B",
        help="compute blocks A to B - 1 into the checkpoint only: one job of an array",
    )
    add("--progress", action="store_true", help="report to a log file, too, not only a terminal")
    add("--traceback", action="store_true", help="show where an exception came from")
    _add_output(run)
    run.set_defaults(command=run_study)

    status = commands.add_parser(
        "status",
        allow_abbrev=False,
        description="Which blocks of a checkpoint are finished, which are missing or damaged.",
    )
    status.add_argument("directory", type=Path, metavar="DIR")
    status.add_argument("--replications", type=whole, metavar="R", help="how many are wanted")
    status.set_defaults(command=show_status)

    summary = commands.add_parser(
        "summary",
        allow_abbrev=False,
        description="The summary of all finished blocks of a checkpoint, of a running job too.",
    )
    summary.add_argument("directory", type=Path, metavar="DIR")
    _add_output(summary)
    summary.set_defaults(command=show_summary)


def run_study(options: argparse.Namespace) -> int:
    """Run a study, or some of its blocks."""
    if options.blocks is None and options.replications is None:
        raise ValueError("run needs --replications R, or --blocks A:B with --checkpoint DIR")
    if options.blocks is not None and options.replications is not None:
        raise ValueError("give either --replications or --blocks: a block is computed whole")
    if options.blocks is not None and options.checkpoint is None:
        raise ValueError("--blocks needs --checkpoint DIR, where the blocks are kept")
    if options.plot is not None:
        plots.check_path(options.plot)
    with _naming_the_line(options):
        study = load_study(options.file, options.study)
        return _run(study, options)


def _run(study: Study, options: argparse.Namespace) -> int:
    if isinstance(study, MonteCarloGrid):
        _no_plot(options)
    check_count("workers", options.workers, MOST_WORKERS)
    shared = {
        "seed": options.seed,
        "workers": options.workers,
        "checkpoint": options.checkpoint,
        "progress": options.progress or None,
    }
    with _executor(options) as executor:
        if options.blocks is not None:
            computed = study.run_blocks(options.blocks, executor=executor, **shared)
            print(f"blocks computed: {computed:,}")
            return 0
        result = study.run(options.replications, executor=executor, **shared)
    _print(result, options, "computed again")
    results = result.results.values() if isinstance(result, GridResult) else [result]
    if not any(one.converged.any() for one in results):
        print("gmm: all replications failed", file=sys.stderr)
        return 1
    return 0


def show_status(options: argparse.Namespace) -> int:
    """Say what a checkpoint holds; the exit status tells whether something is missing."""
    complete = True
    for label, directory in _checkpoints(options.directory):
        checkpoint, _ = Checkpoint.open(directory)
        identity = checkpoint.identity
        size, there = identity["block"], checkpoint.blocks()
        whole = [index for index in there if checkpoint.read(index) is not None]
        wanted = range(max(there, default=-1) + 1)
        if options.replications is not None:
            wanted = range(block_count(options.replications, size))
        missing = sorted(set(wanted) - set(whole))
        complete = complete and not missing
        names = ", ".join(f"{name} = {value:g}" for name, value in identity["truth"].items())
        print(f"{label or directory}: n = {identity['n']:,}, {names}, seed {identity['seed']}")
        print(f"  finished  {len(whole):,} blocks of {size:,}: {len(whole) * size:,} replications")
        if checkpoint.damaged:
            print(f"  damaged   {_ranges(checkpoint.damaged)}; run computes them again")
        print(f"  missing   {_ranges(missing) or 'none'}")
    return 0 if complete else 1


def show_summary(options: argparse.Namespace) -> int:
    """Print the summary of a checkpoint."""
    if options.plot is not None:
        plots.check_path(options.plot)
    checkpoints = _checkpoints(options.directory)
    if checkpoints[0][0]:
        _no_plot(options)
    results = {label: MonteCarloResult.load(directory) for label, directory in checkpoints}
    _print(results.get("") or GridResult([], results), options, "left out")
    return 0


def load_study(file: Path, name: str | None = None) -> Study:
    """Run a file, and find the study in it."""
    if not file.is_file():
        raise ValueError(f"there is no file {file}")
    specification = importlib.util.spec_from_file_location(_MODULE, file.resolve())
    if specification is None or specification.loader is None:
        raise ValueError(f"{file} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(specification)
    # Under this name the workers' pickles find its functions; beside it, what it imports.
    sys.modules[_MODULE] = module
    sys.path.insert(0, str(file.resolve().parent))
    specification.loader.exec_module(module)
    found = {k: v for k, v in vars(module).items() if isinstance(v, Study)}
    if name is not None:
        if name not in found:
            raise ValueError(f"{file} has no study {name}; it has {', '.join(found) or 'none'}")
        return found[name]
    if len(found) != 1:
        there = f"several, {', '.join(found)}: choose by --study" if found else "none"
        raise ValueError(
            f"{file} must define a MonteCarlo or a MonteCarloGrid at its top level; it has {there}"
        )
    return next(iter(found.values()))


class StudyError(RuntimeError):
    """A study's own code, or what it was given to, has raised before the first block."""


@contextmanager
def _naming_the_line(options: argparse.Namespace) -> Iterator[None]:
    """What the file's own code raises becomes one line that says where."""
    try:
        yield
    except (BlockError, BrokenExecutor, MemoryError, OSError):
        raise
    except SyntaxError as error:
        raise StudyError(f"{options.file}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        if any(frame.filename == str(options.file.resolve()) for frame in frames):
            raise StudyError(where(error)) from error
        if isinstance(error, ValueError):
            raise  # says what was expected
        raise StudyError(brief(error)) from error


@contextmanager
def _executor(options: argparse.Namespace) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that load the file themselves, and leave interrupts to this one."""
    if not options.processes:
        yield None
        return
    pool = ProcessPoolExecutor(
        options.workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
        initargs=(options.file, options.study, os.getpid()),
    )
    try:
        # They inherit that interrupts are ignored, from their first moment on.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for _ in range(options.workers):
            pool.submit(int)
        signal.signal(signal.SIGINT, before)
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker(file: Path, name: str | None, parent: int) -> None:
    """Load the study, and end with the process that has started this one, however that ends."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    load_study(file, name)


def _checkpoints(directory: Path) -> list[tuple[str, Path]]:
    """The directory itself, or those in it: one for each point of a grid, or model."""
    if (directory / MANIFEST).is_file():
        return [("", directory)]
    inner = sorted(path.parent for path in directory.glob(f"*/{MANIFEST}"))
    if not inner:
        raise CheckpointError(f"{directory} holds no checkpoint: there is no {MANIFEST}")
    return [(path.name, path) for path in inner]


def _print(result: MonteCarloResult | GridResult, options: argparse.Namespace, damage: str) -> None:
    results = result.results if isinstance(result, GridResult) else {"": result}
    for label, one in results.items():
        if count := one.blocks_damaged:
            place = f"{label}: " if label else ""
            blocks = "block" if count == 1 else "blocks"
            print(f"gmm: {place}{count} damaged {blocks} {damage}", file=sys.stderr)
    if options.json:
        document = {label: one.to_dict() for label, one in results.items()}
        print(json.dumps(document.get("", document), indent=2, allow_nan=False))
    else:
        table = result.table() if isinstance(result, GridResult) else result.summary()
        print(table.to_latex() if options.latex else table)
    if isinstance(result, MonteCarloResult) and options.plot is not None:
        result.plot(options.plot)


def _no_plot(options: argparse.Namespace) -> None:
    if options.plot is not None:
        raise ValueError("--plot draws one study; give summary the directory of one point")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="print one JSON document")
    group.add_argument("--latex", action="store_true", help="print a LaTeX table")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a picture")


def _blocks(text: str) -> range:
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is no range; give A:B, such as 0:100")
    return range(int(first), int(last))


def _ranges(numbers: list[int]) -> str:
    """Numbers as --blocks takes them: 3:7, 9:10."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number:
            parts[-1][1] += 1
        else:
            parts.append([number, number + 1])
    return ", ".join(f"{first}:{last}" for first, last in parts)
