"""What `explain` gives: which method, and why not another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ._report import html_table, text_table
from ._structure import Structure
from ._types import PerSystem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Part", "Plan", "si"]


@dataclass(frozen=True)
class Part:
    """The slices of a `Plan` that have one structure and one method.

    Attributes
    ----------
    structure, method, routine : str
        As in `SolveInfo`.
    slices : int
        How many there are.
    first : tuple of int
        Index of the first; () for a single matrix.
    flops, lu_flops : float
        Of one slice with all its right-hand sides, and what LU of a general
        matrix would cost. A complex operation counts as four.
    condition : str
        When its condition number is estimated.
    crossovers : tuple of str
        The measured sizes that decided.
    not_taken : dict of str
        Of each structure that is preferred to this one, what disproves it in
        the first slice.
    """

    structure: str
    method: str
    routine: str
    slices: int
    first: tuple[int, ...]
    flops: float
    lu_flops: float
    condition: str
    crossovers: tuple[str, ...]
    not_taken: dict[str, str]

    def rows(self) -> Iterator[tuple[str, str]]:
        """Label and text of each line but the first."""
        yield "method", self.method + f"  ->  {self.routine}" * (self.routine != "none")
        yield "cost", self._cost()
        if self.crossovers:
            yield "crossovers", ";  ".join(self.crossovers)
        if self.condition:
            yield "rcond", self.condition
        together: dict[str, list[str]] = {}
        for structure, reason in self.not_taken.items():
            together.setdefault(reason, []).append(structure)
        for i, (reason, structures) in enumerate(together.items()):
            yield "" if i else "not taken", f"{', '.join(structures)}: {reason}"

    def _cost(self) -> str:
        cost = f"{si(self.flops)}flop"
        if self.lu_flops == self.flops:
            return cost
        ratio = self.lu_flops / self.flops if self.flops else math.inf
        times = f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"
        return f"{cost}; general LU would be {si(self.lu_flops)}flop, {times} times as much"


@dataclass(frozen=True, eq=False)
class Plan:
    """What `solve` would do, and why; printed as text, in a notebook as a table.

    Attributes
    ----------
    shape : tuple of int
        Shape of the matrix or stack.
    dtype : numpy.dtype
        The type in which it would be solved.
    order : str
        "C", "F" or "strided": how each matrix lies in memory.
    nrhs : int
        Right-hand sides of each matrix.
    structure, method, routine : str or ndarray of str
        As in `SolveInfo`; arrays over the leading axes for a stack.
    bytes : int
        What is read and written at least: the matrices, the right-hand sides
        and the solutions.
    parts : tuple of Part
        One for each pair of structure and method, in the order of their first
        slices.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: str
    nrhs: int
    structure: PerSystem
    method: PerSystem
    routine: PerSystem
    bytes: int
    parts: tuple[Part, ...] = field(repr=False)
    # For the pictures alone: the matrix, and what finds its structure.
    _matrix: Any = field(default=None, repr=False, kw_only=True)
    _inspect: Callable[[Any], Structure] = field(repr=False, kw_only=True)

    @property
    def flops(self) -> float:
        """Flops of all slices."""
        return sum(part.slices * part.flops for part in self.parts)

    @property
    def lu_flops(self) -> float:
        """Flops of LU of all slices."""
        return sum(part.slices * part.lu_flops for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as dicts, lists, numbers and strings, as JSON takes them."""
        return {
            "shape": list(self.shape),
            "dtype": str(self.dtype),
            "order": self.order,
            "nrhs": self.nrhs,
            "bytes": self.bytes,
            "flops": self.flops,
            "lu_flops": self.lu_flops,
            "parts": [
                asdict(part) | {"first": list(part.first), "crossovers": list(part.crossovers)}
                for part in self.parts
            ],
        }

    def plot(self) -> Figure:
        """Draw where the matrix is not zero, and the same in the order that was found.

        A point stands for several elements where there are more than 320 in a
        row or a column, and is the darker, the more of them are not zero. Of a
        stack the first slice is drawn. Diagonal blocks are outlined.

        Returns
        -------
        matplotlib.figure.Figure
            It needs the extra ``plot``.

        Raises
        ------
        ImportError
            Without Matplotlib.

        See Also
        --------
        matplotlib.axes.Axes.spy : The pattern alone, as it is given.
        """
        from . import _spy

        return _spy.draw(_spy.of(self._matrix, self._inspect), self._title())

    def to_html(self) -> str:
        """Return a page that needs nothing else: the pictures of `plot` beside the plan.

        Returns
        -------
        str
            HTML with the pictures in it; it needs no extra.
        """
        from . import _spy

        body = _spy.fragment(_spy.of(self._matrix, self._inspect), html_table(self._rows()))
        return _spy.page(self._title(), body)

    def _title(self) -> str:
        kinds = ", ".join(dict.fromkeys(part.structure for part in self.parts))
        return f"{kinds or 'an empty stack'}, {' x '.join(map(str, self.shape))}"

    def _rows(self) -> Iterator[tuple[str, str]]:
        *batch, m, n = self.shape
        layout = f"{m} x {n}, {self.dtype}, {self.order} order"
        stack = " x ".join(map(str, batch))
        if batch:
            yield "stack", f"{stack} matrices, {layout}"
        for part in self.parts:
            if batch:
                where = part.first[0] if len(part.first) == 1 else part.first
                slices = f"{part.slices} slice{'s' * (part.slices > 1)}, first {where}"
                yield "structure", f"{part.structure}    ({slices})"
            else:
                yield "structure", f"{part.structure}, {layout}"
            yield from part.rows()
        rhs = "1 right-hand side" if self.nrhs == 1 else f"{self.nrhs} right-hand sides"
        yield "memory", f"{si(self.bytes)}B to read and write, with {rhs}"

    def __str__(self) -> str:
        return text_table(self._rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._rows())


def si(value: float) -> str:
    """Three digits and a prefix: 4190000 is "4.19 M"."""
    prefixes = iter(" kMGTPEZY")
    prefix = next(prefixes)
    while 999.5 <= value < math.inf:
        value, prefix = value / 1000, next(prefixes)
    return f"{value:.3g} {prefix.strip()}"
