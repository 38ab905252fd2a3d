"""`inspect` and `explain` of a sparse matrix: the table walked, and nothing factored."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _errors
from .._plan import Part, Plan, si
from .._structure import Structure
from . import DENSE_BELOW
from .choose import choose
from .methods import LU_FLOPS_PER_ENTRY, METHODS, NOT_FINITE, SMALL, Method
from .operands import RightHandSide, SparseMatrix, matrix
from .scan import Facts

__all__ = ["SparsePlan", "explain_sparse", "inspect_sparse"]


def inspect_sparse(a: Any, inspect: Callable[[Any], Structure]) -> Structure:
    """As `smartsolve.inspect`, which a small matrix goes back to, dense."""
    m = matrix(a)
    if m.shape[0] != m.shape[1]:
        raise np.linalg.LinAlgError(_errors.not_square(m.shape))
    facts = Facts(m)
    method = next(choose(facts))
    if method is SMALL:
        found = inspect(m.dense())
        return dataclasses.replace(found, nnz=facts.nnz)
    rows, columns, blocks, band = None, None, None, None
    if method.structure == "permuted triangular":
        assert facts.peeled is not None
        rows, columns = facts.peeled
    elif method.structure == "block triangular":
        # Natively the order is block upper triangular; here, as of dense ones, lower.
        rows, columns = facts.blocks["rows"][::-1], facts.blocks["columns"][::-1]
        blocks = facts.block_sizes[::-1]
    elif method.structure == "block diagonal":
        order = facts.independent_blocks
        rows, columns, blocks = order["rows"], order["columns"], np.diff(order["starts"])
    elif method.structure == "permuted banded":
        rows = columns = facts.band_order
        band = facts.ordered_band
    return Structure(
        kind="general" if method is NOT_FINITE else method.structure,
        n=facts.n,
        dtype=m.dtype,
        lower_bandwidth=facts.kl,
        upper_bandwidth=facts.ku,
        symmetric=bool(facts.scan["symmetric"]),
        hermitian=bool(facts.scan["hermitian"]),
        row_permutation=rows,
        column_permutation=columns,
        block_sizes=blocks,
        permuted_bandwidths=band,
        factor_flops=0.0,
        nnz=facts.nnz,
    )


@dataclass(frozen=True, eq=False, repr=False)
class SparsePlan(Plan):
    """What `solve` would do with a sparse matrix, and why.

    Attributes
    ----------
    nnz : int
        Nonzeros, duplicates summed and explicit zeros left out.
    factor_bytes : float
        What the factors take; of LU at most.
    if_it_fails : tuple of str
        The structures and methods that are tried next, in this order.
    """

    nnz: int = 0
    factor_bytes: float = 0.0
    if_it_fails: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as dicts, lists, numbers and strings, as JSON takes them."""
        return super().to_dict() | {
            "nnz": self.nnz,
            "factor_bytes": self.factor_bytes,
            "if_it_fails": list(self.if_it_fails),
        }

    def _rows(self) -> Iterator[tuple[str, str]]:
        m, n = self.shape
        (part,) = self.parts
        size = f"{m} x {n}, {self.nnz} nonzeros, {self.dtype}, {self.order.upper()}"
        yield "structure", f"{part.structure}, {size}"
        for label, text in part.rows():
            if label == "cost" and self.factor_bytes:
                text += f", {si(self.factor_bytes)}B of factors"
            yield label, text
            if label == "cost" and self.if_it_fails:
                yield "if it fails", ", then ".join(self.if_it_fails)
        rhs = "1 right-hand side" if self.nrhs == 1 else f"{self.nrhs} right-hand sides"
        yield "memory", f"{si(self.bytes)}B to read and write, with {rhs}"


def explain_sparse(
    a: Any, b: Any, explain: Callable[..., Plan], inspect: Callable[[Any], Structure]
) -> Plan:
    """As `smartsolve.explain`, which a small matrix goes back to, dense."""
    m = matrix(a)
    nrhs = 1 if b is None else _count(RightHandSide(b, m.shape[0], m.shape))
    facts = Facts(m)
    following: tuple[str, ...] = ()
    if not facts.is_square:
        part, factor_bytes = _rectangular_part(facts, nrhs, explain)
    else:
        chosen, *others = choose(facts)
        part = _dense_part(m, nrhs, explain) if chosen is SMALL else _part(chosen, facts, nrhs)
        factor_bytes = chosen.price(facts, nrhs).bytes
        following = _if_it_fails(chosen, others)
    return SparsePlan(
        shape=m.shape,
        dtype=m.dtype,
        order=getattr(a, "format", "csc"),
        nrhs=nrhs,
        structure=part.structure,
        method=part.method,
        routine=part.routine,
        bytes=m.nnz * (m.dtype.itemsize + 4)
        + 4 * len(m.arrays()[2])
        + sum(m.shape) * nrhs * m.dtype.itemsize,
        parts=(part,),
        _matrix=a,
        _inspect=inspect,
        nnz=m.nnz,
        factor_bytes=factor_bytes,
        if_it_fails=following,
    )


def _count(rhs: RightHandSide) -> int:
    return 1 if len(rhs.shape) == 1 else int(np.prod(rhs.shape)) // max(1, rhs.shape[-2])


def _rectangular_part(facts: Facts, nrhs: int, explain: Callable[..., Plan]) -> tuple[Part, float]:
    """What `mldivide` does with it."""
    if max(facts.shape) <= DENSE_BELOW:
        part = _dense_part(facts.matrix, nrhs, explain)
        return part, float(np.prod(facts.shape)) * facts.matrix.dtype.itemsize
    plan = facts.plan("qr")
    scale = 4 if facts.matrix.dtype.kind == "c" else 1
    flops = scale * (plan["flops"] + 4.0 * plan["entries"] * nrhs)
    part = Part(
        *("rectangular", "sparse QR", "own", 1, (), flops, flops),
        condition="the diagonal of R tells the rank",
        crossovers=(),
        not_taken={
            "the methods of solve": "the matrix is {} x {}, not square".format(*facts.shape)
        },
    )
    return part, plan["bytes"]


def _size(facts: Facts) -> str:
    return "{} x {}".format(*facts.shape)


def _dense_part(m: SparseMatrix, nrhs: int, explain: Callable[..., Plan]) -> Part:
    """What the dense product does with a small matrix."""
    (part,) = explain(m.dense(), np.empty((m.shape[0], nrhs))).parts
    return dataclasses.replace(part, method=f"dense {part.method}")


def _part(chosen: Method, facts: Facts, nrhs: int) -> Part:
    flops = chosen.price(facts, nrhs).flops
    lu_flops = METHODS[-1].price(facts, nrhs).flops
    return Part(
        structure=chosen.structure,
        method=chosen.method,
        routine=chosen.routine,
        slices=1,
        first=(),
        flops=flops,
        lu_flops=lu_flops,
        condition=_CONDITION[chosen.condition],
        crossovers=_crossovers(chosen),
        not_taken=_not_taken(chosen, facts),
    )


def _crossovers(chosen: Method) -> tuple[str, ...]:
    if chosen.method not in ("sparse LU", "supernodal LU"):
        return ()
    return (f"own LU up to {LU_FLOPS_PER_ENTRY} flops per entry of the factors, then SuperLU",)


_CONDITION = {
    "exact": "exact",
    "when suspicious": "estimated when a solution for a probe looks suspicious",
}


def _not_taken(chosen: Method, facts: Facts) -> dict[str, str]:
    """Of each structure before the chosen one, what speaks against it."""
    reasons: dict[str, str] = {}
    for method in METHODS[: METHODS.index(chosen)]:
        if method is not NOT_FINITE and method.structure not in (*reasons, chosen.structure):
            reason = method.fits(facts) or method.pays(facts)
            assert reason is not None
            reasons[method.structure] = reason()
    return reasons


def _if_it_fails(chosen: Method, others: list[Method]) -> tuple[str, ...]:
    """What follows a method that may find that the matrix is not what it seemed."""
    if not chosen.may_fail:
        return ()
    following = []
    for method in others:
        following.append(f"{method.structure}: {method.method}")
        if not method.may_fail:
            break
    return tuple(following)
