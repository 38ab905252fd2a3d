"""What a solve did: `SolveInfo` and its printing."""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._core import methods
from ._types import MaybeNone, PerSystem

__all__ = ["QR_ROUTINES", "SolveInfo", "html_page", "html_table", "text_table"]

QR_ROUTINES = "own, geqp3, ormqr"


@dataclass(frozen=True, eq=False)
class SolveInfo:
    """What `solve` saw and did; returned with ``return_info=True``.

    For a single system the fields are plain values, for a stack arrays over
    the leading axes of the solution.

    Attributes
    ----------
    structure : str or ndarray of str
        The structure found or declared, a name that ``assume_a`` accepts.
    method : str or ndarray of str
        The method that gave the solution; "... in single precision, refined"
        if ``precision="mixed"`` was permitted and paid.
    routine : str or ndarray of str
        LAPACK's routines without the type letter; "own" for a kernel of this
        package.
    rcond : float or ndarray of float64
        Estimate of the reciprocal condition number in the 1-norm; 0 for a
        singular matrix, NaN if the matrix holds an Inf or a NaN. For a
        diagonal or circulant matrix exact, and in the 2-norm; for least
        squares the ratio of the last diagonal element of R to the first. 1
        where there is no element, as LAPACK's ``gecon`` has it.
    backward_error : float or ndarray of float64
        ``max |b - A x| / (max-norm |A| |x| + |b|)`` over the right-hand sides, in
        the infinity norm (Higham, *Accuracy and Stability of Numerical
        Algorithms*, section 7.1); a few times the machine epsilon for a
        solution as good as rounding allows. For least squares, relative to
        the Frobenius norm of A, the smaller of Stewart's two perturbations of
        A that make x a least-squares solution (ibid., section 20.7).
    refinement_steps : int or ndarray of int
        Corrections of the solution of a method in single precision; 0 in
        working precision.
    error_bound : ndarray of float64 or None
        With ``accuracy="certified"`` a rigorous bound of ``abs(x - exact)``,
        component by component; inf where none was proved.
    rank, tolerance : int, float or ndarray, or None
        For least squares the rank, -1 if the matrix holds an Inf or a NaN,
        and the tolerance that it was found with.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> x, info = smartsolve.solve(np.diag([2.0, 4.0]), [1.0, 1.0], return_info=True)
    >>> info.structure, info.method, info.rcond
    ('diagonal', 'division', 0.5)
    """

    structure: PerSystem
    method: PerSystem
    routine: PerSystem
    rcond: PerSystem
    backward_error: PerSystem
    refinement_steps: PerSystem = 0
    rank: PerSystem | None = None
    tolerance: PerSystem | None = None
    error_bound: npt.NDArray[np.float64] | MaybeNone = None

    @classmethod
    def from_table(
        cls,
        rows: npt.NDArray[Any],
        rcond: npt.NDArray[Any],
        backward_error: npt.NDArray[Any],
        steps: npt.NDArray[np.intc],
    ) -> "SolveInfo":
        """Build from row numbers of the table of methods, one a slice.

        `steps` of refinement are -1 where single precision took no part.
        """
        table = methods()
        structure = np.array([row["kind"] for row in table])[rows]
        names = np.array([row["method"] for row in table])[rows]
        method = np.where(steps < 0, names, np.char.add(names, " in single precision, refined"))
        routine = np.array([row["routine"] for row in table])[rows]
        steps = np.maximum(steps, 0)
        if rows.ndim > 0:
            return cls(structure, method, routine, rcond, backward_error, steps)
        return cls(
            str(structure),
            str(method),
            str(routine),
            float(rcond),
            float(backward_error),
            int(steps),
        )

    @classmethod
    def of_least_squares(
        cls,
        shape: tuple[int, ...],
        minimum_norm: bool,
        rcond: npt.NDArray[Any],
        backward_error: npt.NDArray[Any],
        rank: npt.NDArray[np.intp],
        tolerance: npt.NDArray[Any],
    ) -> "SolveInfo":
        """Build for matrices of one shape that were solved by QR."""
        structure = "general" if shape[0] == shape[1] else "rectangular"
        method = "complete orthogonal factorization" if minimum_norm else "column-pivoted QR"
        routine = QR_ROUTINES
        if rank.ndim > 0:
            return cls(
                np.full(rank.shape, structure),
                np.full(rank.shape, method),
                np.full(rank.shape, routine),
                rcond,
                backward_error,
                rank=rank,
                tolerance=tolerance,
            )
        return cls(
            structure,
            method,
            routine,
            float(rcond),
            float(backward_error),
            rank=int(rank),
            tolerance=float(tolerance),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values and lists, as JSON takes them."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }

    def _rows(self) -> Iterator[tuple[str, str]]:
        if isinstance(self.structure, str):
            yield "structure", self.structure
            yield "method", f"{self.method} ({self.routine})"
            if self.refinement_steps:
                yield "refinement", f"{self.refinement_steps} steps"
            if self.rank is not None:
                yield "rank", f"{self.rank} (tolerance {self.tolerance:.5g})"
            yield "rcond", f"{self.rcond:.3g}"
            yield "backward error", f"{self.backward_error:.3g}"
            return
        pairs, counts = np.unique(
            np.stack([np.ravel(self.structure), np.ravel(self.method)]), axis=1, return_counts=True
        )
        for structure, method, count in zip(*pairs, counts, strict=True):
            yield "1 slice" if count == 1 else f"{count} slices", f"{structure}: {method}"
        if self.rank is not None:
            yield "smallest rank", f"{np.min(self.rank, initial=np.iinfo(np.intp).max)}"
        yield "smallest rcond", f"{np.nanmin(self.rcond, initial=np.inf):.3g}"
        yield "worst backward error", f"{np.nanmax(self.backward_error, initial=0.0):.3g}"

    def __str__(self) -> str:
        return text_table(self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._rows())


def text_table(rows: Iterable[tuple[str, str]]) -> str:
    """Labels and texts, a line each."""
    rows = list(rows)
    width = max((len(label) for label, _ in rows), default=0)
    return "\n".join(f"{label:<{width}}  {text}" for label, text in rows)


def html_table(rows: Iterable[tuple[str, str]]) -> str:
    """The same as a table for notebooks; their style sheet dresses it."""
    left = ' style="text-align: left; vertical-align: top; padding-right: 1em"'
    cells = (
        f"<tr><th{left}>{html.escape(label)}</th><td{left}>{html.escape(text)}</td></tr>"
        for label, text in rows
    )
    return f'<table style="margin: 0">\n{chr(10).join(cells)}\n</table>'


def html_page(title: str, body: str) -> str:
    """A page that needs nothing else, light or dark as its reader has it."""
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; }}
body {{ max-width: 64rem; margin: 1.5rem auto; padding: 0 1rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
