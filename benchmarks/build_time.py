"""What a build costs: processor seconds and the compiler's memory, file by file.

    python benchmarks/build_time.py                 # of this tree
    python benchmarks/build_time.py v0.1.0 .        # of a revision and of this tree, side by side
    python benchmarks/build_time.py ../other . -j1  # of two trees, one compiler at a time

Each source is built as a user would, `pip wheel` into an empty directory, with this script as the
compiler's launcher in place of any other (ccache among them): it writes down what the compiler and
its children took. Sources are built one after the other, by the same compiler. Seconds are user and
system time; memory is the largest of one process.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG = "SMARTSOLVE_BUILD_LOG"
MEGABYTE = 1024  # ru_maxrss counts kilobytes


@dataclass
class Build:
    """Seconds and megabytes by file, and what all of it came to."""

    source: str
    files: dict[str, tuple[float, float]] = field(default_factory=dict)
    checks: float = 0.0  # what CMake tries out
    whole: float = 0.0
    wall: float = 0.0
    wheel: float = 0.0  # megabytes

    @property
    def compilers(self) -> float:
        return sum(seconds for seconds, _ in self.files.values())

    @property
    def memory(self) -> float:
        return max((megabytes for _, megabytes in self.files.values()), default=0.0)


def launch(command: list[str]) -> int:
    """Run the compiler and append one line to the log."""
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    line = {
        "directory": os.getcwd(),
        "command": command,
        "seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / MEGABYTE,
    }
    with open(os.environ[LOG], "a") as log:
        log.write(json.dumps(line) + "\n")
    return os.waitstatus_to_exitcode(status)


def name_of(command: list[str], tree: Path) -> str | None:
    """The file, and for what it was compiled: one source may make several objects."""
    sources = [Path(a) for a in command if a.endswith((".cpp", ".cxx", ".cc", ".c"))]
    if sources and sources[-1].name.startswith("cmake_pch"):
        return "precompiled headers"
    if not sources or not sources[-1].resolve().is_relative_to(tree):
        return None
    definitions = [a.removeprefix("-D") for a in command if a.startswith("-DSMARTSOLVE_")]
    purposes = [d.partition("=")[2].replace("std::", "") for d in definitions]
    file = sources[-1].resolve().relative_to(tree).as_posix().replace("_native/", "")
    return " ".join([file, *sorted(filter(None, purposes))])


def read(log: Path, tree: Path, build: Build) -> None:
    for text in log.read_text().splitlines():
        line = json.loads(text)
        name = name_of(line["command"], tree)
        if name is None:
            build.checks += line["seconds"]
            continue
        seconds, megabytes = build.files.get(name, (0.0, 0.0))
        build.files[name] = seconds + line["seconds"], max(megabytes, line["megabytes"])


def build(source: str, tree: Path, to: Path, options: argparse.Namespace) -> Build:
    log = to / "log"
    log.touch()
    launcher = ";".join([sys.executable, "-P", str(Path(__file__).resolve()), "--launch"])
    environment = os.environ | {
        LOG: str(log),
        "CMAKE_CXX_COMPILER_LAUNCHER": launcher,
        "CCACHE_DISABLE": "1",  # a compiler may be ccache under another name
        "CMAKE_BUILD_PARALLEL_LEVEL": str(options.jobs),
    }
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet"]
    command += ["-w", str(to / "wheel"), f"-Cbuild-dir={to / 'build'}"]
    command += ["--no-build-isolation"] * options.no_build_isolation
    print(f"building {source} ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    process = os.posix_spawnp(command[0], [*command, str(tree)], environment)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"the build of {source} failed")
    result = Build(source, wall=time.monotonic() - start, whole=usage.ru_utime + usage.ru_stime)
    result.wheel = sum(file.stat().st_size for file in (to / "wheel").glob("*.whl")) / 1e6
    read(log, tree, result)
    return result


def tree_of(source: str, to: Path) -> Path:
    """The directory itself, or a revision of this repository in a new one."""
    if Path(source).is_dir():
        return Path(source).resolve()
    root = Path(__file__).resolve().parent.parent
    archive = subprocess.run(["git", "-C", root, "archive", source], stdout=subprocess.PIPE)
    if archive.returncode:
        raise SystemExit(f"{source!r} is neither a directory nor a revision")
    to.mkdir()
    subprocess.run(["tar", "x", "-C", to], input=archive.stdout, check=True)
    return to.resolve()


def compiler() -> str:
    words = shlex.split(os.environ.get("CXX", "c++"))
    found = subprocess.run([*words, "--version"], capture_output=True, text=True)
    return (found.stdout or "unknown").splitlines()[0]


def report(builds: list[Build], jobs: int) -> None:
    print(f"compiler  {compiler()}\ncores     {os.cpu_count()}, {jobs} compilers at a time\n")
    names = sorted(
        {name for b in builds for name in b.files},
        key=lambda name: -max(b.files.get(name, (0.0, 0.0))[0] for b in builds),
    )
    width = max([len(name) for name in names] + [30])
    columns = "".join(f"{b.source[-24:]:>26}" for b in builds)
    print(f"{'seconds and megabytes':{width}}{columns}")
    for name in names:
        cells = [
            f"{b.files[name][0]:>17.1f}{b.files[name][1]:>9.0f}" if name in b.files else f"{'':26}"
            for b in builds
        ]
        print(f"{name:{width}}{''.join(cells)}".rstrip())
    print()
    rows: list[tuple[str, list[float], str]] = [
        ("compilers, processor seconds", [b.compilers for b in builds], ".1f"),
        ("largest compiler, MB", [b.memory for b in builds], ".0f"),
        ("CMake's checks, seconds", [b.checks for b in builds], ".1f"),
        ("whole command, processor s", [b.whole for b in builds], ".1f"),
        ("whole command, wall seconds", [b.wall for b in builds], ".1f"),
        ("wheel, MB", [b.wheel for b in builds], ".2f"),
    ]
    for label, values, form in rows:
        print(f"{label:{width}}" + "".join(f"{value:>26{form}}" for value in values))
    for other in builds[1:]:
        ratio = builds[0].compilers / other.compilers
        print(f"\n{other.source}: 1/{ratio:.1f} of the processor time of {builds[0].source}")


def main() -> None:
    if sys.argv[1:2] == ["--launch"]:
        raise SystemExit(launch(sys.argv[2:]))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="*", default=["."], help="directories or git revisions")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="compilers at once")
    parser.add_argument("--no-build-isolation", action="store_true", help="as pip's option")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file as well")
    options = parser.parse_args()
    builds = []
    for source in options.sources:
        with tempfile.TemporaryDirectory() as temporary:
            to = Path(temporary)
            builds.append(build(source, tree_of(source, to / "source"), to, options))
    report(builds, options.jobs)
    if options.json:
        figures: list[dict[str, Any]] = [vars(b) for b in builds]
        Path(options.json).write_text(json.dumps({"compiler": compiler(), "builds": figures}))


if __name__ == "__main__":
    main()
