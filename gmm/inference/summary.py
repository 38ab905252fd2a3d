"""Tables of estimates, as text, HTML and LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NoReturn

import numpy as np

from gmm.estimation.status import Status
from gmm.inference.estimates import Estimates
from gmm.inference.hypotheses import p_text

__all__ = ["Summary"]

_NUMBERS = "text-align:right; padding:1px 8px; font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Summary:
    """A table with a head and notes; print it, show it in a notebook, or call `to_latex`.

    Attributes
    ----------
    title : str
        The first line.
    facts : list of (str, str)
        What is said above the table.
    columns : list of str
        Heads of the columns after the first.
    rows : list of (str, list of str)
        Label and cells of each row.
    notes : list of str
        What is said below the table.
    """

    title: str
    facts: list[tuple[str, str]]
    columns: list[str]
    rows: list[tuple[str, list[str]]]
    notes: list[str]

    def __getitem__(self, name: object) -> NoReturn:
        raise TypeError(
            f"a summary is a table to look at; the numbers of {name!r} are in the result: params, "
            "bse, tvalues, pvalues and conf_int(), in the order of its parameters, or by name "
            "with pandas data"
        )

    def __str__(self) -> str:
        first = max([len(label) for label, _ in self.rows], default=0)
        cells = [self.columns, *(cells for _, cells in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = [self.title]
        fact = max([len(name) for name, _ in self.facts], default=0)
        lines += [f"  {name:{fact}}  {value}" for name, value in self.facts]
        table = [
            f"{label:{first}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True))
            for label, row in [("", self.columns), *self.rows]
        ]
        rule = "-" * max(len(line) for line in table)
        return "\n".join([*lines, rule, table[0], rule, *table[1:], rule, *self.notes])

    def _repr_html_(self) -> str:
        # Some style sheets leave no space between the cells of a table.
        left, right = 'style="text-align:left; padding-right:1em"', f'style="{_NUMBERS}"'
        facts = "".join(
            f"<tr><td {left}>{escape(name)}</td><td {left}>{escape(value)}</td></tr>"
            for name, value in self.facts
        )
        head = "".join(f"<th {right}>{escape(column)}</th>" for column in self.columns)
        body = "".join(
            f"<tr><th {left}>{escape(label)}</th>"
            + "".join(f"<td {right}>{escape(cell)}</td>" for cell in row)
            + "</tr>"
            for label, row in self.rows
        )
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        return (
            f"<div><strong>{escape(self.title)}</strong>"
            f'<table style="margin:0">{facts}</table>'
            f'<table style="margin:0"><thead><tr><th></th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>"
            f"{notes}</div>"
        )

    def to_latex(self) -> str:
        """The table as a LaTeX tabular, with booktabs rules."""
        lines = [
            f"% {self.title}" + "".join(f"; {name}: {value}" for name, value in self.facts),
            rf"\begin{{tabular}}{{l{'r' * len(self.columns)}}}",
            r"\toprule",
            " & ".join(["", *map(_latex, self.columns)]) + r" \\",
            r"\midrule",
            *(" & ".join([_latex(label), *map(_math, row)]) + r" \\" for label, row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        if self.notes:
            lines += [rf"\par\footnotesize {' '.join(map(_latex, self.notes))}"]
        return "\n".join(lines)


def result_summary(result: Estimates, level: float) -> Summary:
    """Estimates, standard errors, ratios, p-values and intervals of one sample.

    Of many samples: mean and standard deviation of the estimates over the converged, and how
    the others ended.
    """
    k = len(result.parameters)
    many = result.status.ndim > 0
    facts = [("samples", f"{result.status.size:,}")] if many else []
    facts.append(("observations", f"{result.n:,}"))
    facts += list(result.options.items())
    rows = []
    if many:
        ok = result.converged.reshape(-1)
        estimates = result.estimates.reshape(-1, k)[ok]
        errors = np.sqrt(np.diagonal(result.covariance, axis1=-2, axis2=-1)).reshape(-1, k)[ok]
        columns = ["mean", "sd", "mean std. error"]
        for i, name in enumerate(result.parameters):
            values = [np.nan, np.nan, np.nan]
            if len(estimates):
                values = [estimates[:, i].mean(), estimates[:, i].std(), errors[:, i].mean()]
            rows.append((name, figures(values, values[1])))
    else:
        letter = "z" if result.df is None else "t"
        below, above = (f"{100 * end:.6g} %" for end in ((1 - level) / 2, (1 + level) / 2))
        columns = ["estimate", "std. error", letter, f"P>|{letter}|", below, above]
        table = [
            np.asarray(column)
            for column in (result.params, result.bse, result.tvalues, result.pvalues)
        ]
        ends = np.asarray(result.conf_int(level))
        for i, name in enumerate(result.parameters):
            value, error, ratio, p = (float(column[i]) for column in table)
            estimate, spread, low, high = figures([value, error, *ends[i]], error)
            rows.append((name, [estimate, spread, f"{ratio:.2f}", f"{p:.4f}", low, high]))
    notes = []
    if result.j_test.df or result.j_test.reason:
        test = result.j_test
        head = f"J test: {test.distribution}"
        if test.reason:
            notes.append(f"J test: none, {test.reason}")
        elif many:
            notes.append(str(test).splitlines()[-1].replace(test.distribution, head, 1))
        else:
            notes.append(f"{head} = {test.statistic:.4f}, p = {p_text(test.pvalue)}")
    if not many and result.converged and result.reason:
        notes.append(result.reason)
    if many and (lacking := int(np.isnan(errors).any(axis=1).sum())):
        notes.append(f"{lacking:,} of {result.status.size:,} lack a standard error")
    statuses = result.status.reshape(-1)
    for status in Status:
        count = int(np.count_nonzero(statuses == status))
        if count and status != Status.OK:
            share = f"{count:,} of {statuses.size:,} failed" if many else "failed"
            why = status.reason if many else result.reason or status.reason
            if many and result.reason and status == Status.SINGULAR:
                why += f"; {result.reason}"
            notes.append(f"{share}: {why}")
    return Summary("GMM estimates", facts, columns, rows, notes)


def figures(values: Sequence[float], error: float) -> list[str]:
    """Values to the digits that the error's fourth one supports, so that a row lines up."""
    size = abs(error) if np.isfinite(error) and error else 1.0
    digits = 3 - int(np.floor(np.log10(size)))
    form = f".{min(max(digits, 0), 10)}f" if -3 <= digits <= 10 else ".5e"
    return [f"{value:{form}}" for value in values]


_LATEX = str.maketrans(
    {character: "\\" + character for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}"}
)


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _math(cell: str) -> str:
    return f"${cell}$" if cell.startswith("-") else _latex(cell)
