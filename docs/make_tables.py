"""Print the tables of the docs from the native table of methods, in place.

``python docs/make_tables.py`` rewrites what lies between the markers
``<!-- methods -->`` and ``<!-- end -->`` of docs/structures.md.
"""

from pathlib import Path

from smartsolve import _core

PAGE = Path(__file__).with_name("structures.md")
START, END = "<!-- methods -->\n", "<!-- end -->"


def methods_table() -> str:
    """Return the table of methods in Markdown."""
    lines = [
        "| structure | from order | method | LAPACK | if it fails | rcond estimated |",
        "|---|---:|---|---|---|---|",
    ]
    lines += [
        f"| {row['kind']} | {row['from']} | {row['method']} | {row['routine']} "
        f"| {row['next'] or ''} | {row['condition']} |"
        for row in _core.methods()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = PAGE.read_text()
    before, rest = page.split(START)
    PAGE.write_text(before + START + methods_table() + END + rest.split(END, 1)[1])
