"""Run the benchmarks whose tables the pages show, and put the new tables in place of the old.

    python docs/run_benchmarks.py                # all of them, a quarter of an hour
    python docs/run_benchmarks.py floor mixed    # those whose command contains one of the words

A table stands between ``<!-- python benchmarks/SCRIPT.py ... -->`` and ``<!-- end -->``.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "docs" / "benchmarks.md", ROOT / "README.md")  # README's is of the former's run
TABLE = re.compile(r"^<!-- python (benchmarks/.*?) -->\n(.*?)^<!-- end -->\n", re.M | re.S)


def commands(words: list[str]) -> Iterator[tuple[Path, str]]:
    """The page and the command of each table that is wanted."""
    for page in PAGES:
        for command, _ in TABLE.findall(page.read_text()):
            if not words or any(word in command for word in words):
                yield page, command


def output(command: str) -> str:
    """What a command prints; what it says meanwhile on standard error is for the screen."""
    done = subprocess.run(
        [sys.executable, *shlex.split(command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def replace(page: Path, command: str, table: str) -> None:
    """Write the page with the table in its place, and nothing else changed."""
    page.write_text(
        TABLE.sub(
            lambda found: (
                f"<!-- python {command} -->\n\n{table.strip()}\n\n<!-- end -->\n"
                if found[1] == command
                else found[0]
            ),
            page.read_text(),
        )
    )


if __name__ == "__main__":
    for page, command in list(commands(sys.argv[1:])):
        print(f"{page.name}: python {command}", file=sys.stderr, flush=True)
        replace(page, command, output(command))
