"""Tables as text, HTML, LaTeX and data frames."""

import html
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MISSING = 'data frames need pandas; install it with: pip install "smartsolve[pandas]"'
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
)


def pandas() -> Any:
    """The module, or an error that says how to get it."""
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise ImportError(_MISSING) from None


@dataclass(frozen=True)
class Table:
    """Cells as text: the first `labels` columns name a row, the others hold its numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    labels: int = 1

    def to_text(self) -> str:
        """Aligned columns, labels to the left and numbers to the right."""
        table = [self.header, *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.header))]
        lines = []
        for row in table:
            cells = [
                cell.ljust(width) if i < self.labels else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *self.notes])

    def to_html(self) -> str:
        """A table for a notebook."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.header)
        lines = ["<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>"]
        for row in self.rows:
            cells = []
            for i, cell in enumerate(row):
                tag, align = ("th", "left") if i < self.labels else ("td", "right")
                text = html.escape(cell)
                cells.append(f'<{tag} style="text-align: {align}">{text}</{tag}>')
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines += ["</tbody>", "</table>"]
        return "\n".join([*lines, *(f"<p>{html.escape(note)}</p>" for note in self.notes)])

    def to_latex(self) -> str:
        """A tabular with booktabs' rules."""
        alignment = "l" * self.labels + "r" * (len(self.header) - self.labels)
        lines = [
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            _latex(self.header),
            r"\midrule",
        ]
        lines += [_latex(row) for row in self.rows]
        lines += [r"\bottomrule", r"\end{tabular}"]
        return "\n".join([*lines, *(f"% {note}" for note in self.notes)])


def _latex(row: Sequence[str]) -> str:
    cells = (cell.translate(_LATEX) for cell in row)
    numbers = (f"${cell}$" if cell.startswith("-") else cell for cell in cells)
    return " & ".join(numbers) + r" \\"
