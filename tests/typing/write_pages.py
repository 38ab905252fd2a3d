"""Write the Python sessions of the pages as scripts, for type checkers to read.

    python tests/typing/write_pages.py DIRECTORY

A line of a script is the line of its page that bears the same number.
"""

import doctest
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SESSION = re.compile(r"^```python\n(>>> .*?)^```", re.MULTILINE | re.DOTALL)


def script(page: Path) -> str:
    """The session of a page, from its top; empty if there is none."""
    lines: list[str] = []
    text = page.read_text()
    for block in SESSION.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for example in doctest.DocTestParser().get_examples(block[1]):
            lines += [""] * (first + example.lineno - len(lines))
            lines += example.source.splitlines()
    return "\n".join(lines) + "\n" if lines else ""


def main(directory: Path) -> None:
    """Write a module for each page that has a session and needs no other library."""
    directory.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        text = script(page)
        if text and "<!-- needs" not in page.read_text():
            name = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
            (directory / f"{name}.py").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
