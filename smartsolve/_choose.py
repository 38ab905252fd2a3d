"""Which method, and why not another? `explain` reads the native table, and never repeats it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core, _operands
from ._disproofs import disproof
from ._plan import Part, Plan
from ._report import QR_ROUTINES
from ._scan import decided, inspect
from ._sparse import is_sparse

__all__ = ["Plan", "explain"]

Array = npt.NDArray[Any]


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

        return explain_sparse(a, b, explain, inspect)
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
        _inspect=inspect,
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
