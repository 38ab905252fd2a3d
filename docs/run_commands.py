"""Run the commands that the pages show, in docs/examples, and put what they print below them.

    python docs/run_commands.py

The tests compare the pages with what the commands print, but for times and what depends on them.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
# Until Python 3.12 help names the value twice: -o FILE, --output FILE.
SHORT_FORM = re.compile(r"(?<= -\w) [A-Z]+(?=, --)")
VARIES = re.compile(r"-?\d[\d.,]* (ns|us|ms|s|%)(?!\w)|(?<=measured on )[\d,]+")


def output(command: str) -> str:
    """What a command prints, errors and all, in the order of a terminal."""
    words = shlex.split(command)
    assert words[0] == "python"
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=DOCS / "examples",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def renewed(block: str) -> str:
    """The commands of a block, each followed by what it prints now."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{command}\n{output(command.removeprefix('$ '))}" for command in commands)


def blocks(page: Path) -> list[str]:
    """The shell sessions of a page."""
    return BLOCK.findall(page.read_text())


def masked(text: str) -> list[str]:
    """The paragraphs of a session without what runs do not share: times, and the order by them."""
    text = SHORT_FORM.sub("", text)
    return sorted(VARIES.sub("#", " ".join(part.split())) for part in text.split("\n\n"))


if __name__ == "__main__":
    for page in DOCS.rglob("*.md"):
        old = page.read_text()
        new = BLOCK.sub(lambda found: f"```console\n{renewed(found[1])}```\n", old)
        if new != old:
            page.write_text(new)
