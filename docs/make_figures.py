"""Draw the pictures of the docs from what the pages themselves say: python docs/make_figures.py."""

import doctest
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent


def session(page: str) -> dict[str, Any]:
    """Run the Python examples of a page, down to its first picture, and answer with its names."""
    text = (DOCS / page).read_text().split("![", 1)[0]
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(>>> .*?)^```", text, re.MULTILINE | re.DOTALL):
        for example in doctest.DocTestParser().get_examples(block):
            exec(compile(example.source, page, "exec"), names)
    return names


def main() -> None:
    session("gmm-monte-carlo.md")["figure"].savefig(DOCS / "gmm-monte-carlo.png", dpi=80)


if __name__ == "__main__":
    main()
