"""Which method, and why not another? `explain` reads the native table, and never repeats it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core, _operands
from ._disproofs import disproof
from ._report import QR_ROUTINES, html_table, text_table
from ._scan import decided
from ._sparse import is_sparse
from ._types import PerSystem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Part", "Plan", "explain", "si"]

Array = npt.NDArray[Any]


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
    _matrix: Any = field(default=None, repr=False, kw_only=True)  # for the pictures alone

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

        return _spy.draw(_spy.of(self._matrix), self._title())

    def to_html(self) -> str:
        """Return a page that needs nothing else: the pictures of `plot` beside the plan.

        Returns
        -------
        str
            HTML with the pictures in it; it needs no extra.
        """
        from . import _spy

        body = _spy.fragment(_spy.of(self._matrix), html_table(self._rows()))
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


def explain(a: Any, b: Any = None) -> Plan:
    """Tell what `solve` sees in a matrix, what it would do, and why nothing else.

    MATLAB's ``spparms('spumoni')``, for dense matrices, too, and before the fact.

    Parameters
    ----------
    a : (..., m, n) array_like of float32, float64, complex64 or complex128
        A square matrix or a stack of them; or a rectangular one, which
        `mldivide` solves; or a sparse matrix.
    b : (m,) or (..., m, k) array_like, optional
        The right-hand sides, for the cost; by default one.

    Returns
    -------
    Plan
        Printed, it is a table.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `a` has less than two axes.
    ValueError
        If the shapes do not fit.
    TypeError
        For other dtypes.

    Notes
    -----
    Of a sparse matrix nothing is factored: what follows if a method fails is
    listed instead, and the cost of a general sparse LU is a bound.

    Where `solve` would try Cholesky's factorization, `explain` does, for only
    that tells whether the matrix is positive definite. Every element may be
    read more than once; it is slower than the scan of `solve`.

    See Also
    --------
    inspect : The structure alone.
    solve : With ``return_info=True`` it tells what it did.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> a = np.tril(np.ones((300, 300)))
    >>> smartsolve.explain(a)
    structure   lower triangular, 300 x 300, float64, C order
    method      substitution  ->  own, trtrs
    cost        90 kflop; general LU would be 18.2 Mflop, 202 times as much
    crossovers  trtrs from order 1024 with 64 right-hand sides or more
    rcond       estimated when suspicious
    not taken   diagonal, upper triangular: a[299, 0] = 1 is not zero
    memory      725 kB to read and write, with 1 right-hand side
    >>> plan = smartsolve.explain(np.array([[2.0, 1.0], [3.0, 4.0]]))
    >>> plan.structure, plan.parts[0].not_taken["positive definite"]
    ('general', 'a[1, 0] = 3 differs from a[0, 1] = 1')
    """
    if is_sparse(a):
        from ._sparse.explain import explain_sparse

        return explain_sparse(a, b)
    a = _operands.numbers(a, "a")
    if a.ndim < 2:
        raise np.linalg.LinAlgError(f"a has shape {a.shape}; expected (..., m, n), matrices")
    nrhs = _columns(a, b)
    a = a.astype(_solving_type(a), copy=False)
    parts = _square_parts(a, nrhs) if a.shape[-1] == a.shape[-2] else _rectangular_parts(a, nrhs)
    batch, (m, n) = a.shape[:-2], a.shape[-2:]
    names = {}
    for column in ("structure", "method", "routine"):
        each = np.full(batch, "", dtype="U64")
        for part, where in parts:
            each[where] = getattr(part, column)
        names[column] = str(each) if not batch else each
    slices = math.prod(batch)
    return Plan(
        shape=a.shape,
        dtype=a.dtype,
        order=_order(a),
        nrhs=nrhs,
        bytes=a.itemsize * slices * (m * n + (m + n) * nrhs),
        parts=tuple(part for part, _ in parts),
        _matrix=a,
        **names,
    )


def _columns(a: Array, b: npt.ArrayLike | None) -> int:
    if b is None:
        return 1
    b = _operands.numbers(b, "b")
    m = a.shape[-2]
    if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != m:
        raise ValueError(
            f"b has shape {b.shape}; expected ({m},) or (..., {m}, k) to match a of shape {a.shape}"
        )
    return 1 if b.ndim == 1 else b.shape[-1]


def _solving_type(a: Array) -> np.dtype[Any]:
    if a.dtype.kind in "biu":
        return np.dtype(np.float64)
    if a.dtype.kind in "fc" and a.dtype.itemsize // (1 + (a.dtype.kind == "c")) in (4, 8):
        return a.dtype.newbyteorder("=")
    raise TypeError(
        f"a has dtype {a.dtype}; expected float32, float64, complex64 or complex128 (integers "
        "and bools become float64)"
    )


def _order(a: Array) -> str:
    rows, columns = a.strides[-2:]
    if columns == a.itemsize:
        return "C"
    return "F" if rows == a.itemsize else "strided"


def _square_parts(a: Array, nrhs: int) -> list[tuple[Part, Array]]:
    """Parts, each with the mask of its slices."""
    table, kinds, n = _core.methods(), _core.kinds(), a.shape[-1]
    found, kl, ku, *_, band, work = _core.scan(a)
    rows, declined = decided(a, found)
    scale = 4 if a.dtype.kind == "c" else 1
    parts = []
    pairs = np.stack([rows.ravel(), found.ravel()])
    for row, kind in dict.fromkeys(zip(*pairs.tolist(), strict=True)):
        where = (rows == row) & (found == kind)
        first = tuple(np.argwhere(where)[0].tolist())
        chosen = table[row]
        lu = _core.choose(kinds.index("general"), n)
        widths = int(kl[first]), int(ku[first])
        found_widths = int(band[first][0]), int(band[first][1])
        in_order = widths if found_widths[0] < 0 else found_widths
        part = Part(
            structure=chosen["kind"],
            method=chosen["method"],
            routine=chosen["routine"],
            slices=int(where.sum()),
            first=first,
            flops=scale * _core.flops(row, n, nrhs, *in_order, float(work[first])),
            lu_flops=scale * _core.flops(lu, n, nrhs, *widths),
            condition=_condition_text(chosen["condition"], n),
            crossovers=_crossovers(row, n, nrhs, *in_order),
            not_taken={
                other: disproof(other, chosen["kind"], a[first], *widths, int(declined[first]))
                for other in kinds[: kinds.index(chosen["kind"])]
            },
        )
        parts.append((part, where))
    return parts


def _condition_text(when: str, n: int) -> str:
    if when != "always when large":
        return "exact" if when == "exact" else f"estimated {when}"
    large = _core.crossovers()["estimate_from"]
    if n >= large:
        return f"always estimated, as from order {large} on"
    return f"estimated when suspicious; always from order {large} on"


def _crossovers(row: int, n: int, nrhs: int, kl: int, ku: int) -> tuple[str, ...]:
    """What decided between the rows of a structure, and within the row.

    kl and ku are the bandwidths in the order that was found, if one was.
    """
    table = _core.methods()
    texts = []
    for before, after in itertools.pairwise(table):
        if before["kind"] == after["kind"] == table[row]["kind"]:
            texts.append(f"{before['method']} below order {after['from']}, then {after['method']}")
    if table[row]["method"] == "substitution":
        sizes = _core.crossovers()
        texts.append(
            f"trtrs from order {sizes['trtrs_from']} with {sizes['trtrs_from_nrhs']} "
            "right-hand sides or more"
        )
    if table[row]["kind"] == "permuted banded":
        texts.append(f"a band while 4 (kl + ku) <= n; in that order kl = {kl} and ku = {ku}")
    return tuple(texts)


def _rectangular_parts(a: Array, nrhs: int) -> list[tuple[Part, Array]]:
    m, n = a.shape[-2:]
    batch = a.shape[:-2]
    if math.prod(batch) == 0:
        return []
    p, q = max(m, n), min(m, n)
    flops = (2 * q * q * (p - q / 3) + 4 * m * q * nrhs) * (4 if a.dtype.kind == "c" else 1)
    limit = _core.crossovers()["geqp3_from"]
    part = Part(
        structure="rectangular",
        method="column-pivoted QR",
        routine=QR_ROUTINES,
        slices=math.prod(batch),
        first=(0,) * len(batch),
        flops=flops,
        lu_flops=flops,
        condition="the diagonal of R tells the rank",
        crossovers=(f"own QR below {limit} columns, then geqp3",),
        not_taken={"the methods of solve": f"the matrices are {m} x {n}, not square"},
    )
    return [(part, np.ones(batch, bool))]


def si(value: float) -> str:
    """Three digits and a prefix: 4190000 is "4.19 M"."""
    prefixes = iter(" kMGTPEZY")
    prefix = next(prefixes)
    while 999.5 <= value < math.inf:
        value, prefix = value / 1000, next(prefixes)
    return f"{value:.3g} {prefix.strip()}"
