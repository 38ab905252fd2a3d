"""`solve` of a sparse matrix: the contract of the dense one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _core, _errors
from .._condition import Singular, policy
from .._report import SolveInfo
from . import engines
from .choose import Factored, factor
from .conclude import judge, say_ill_conditioned, say_singular
from .declare import canonical_name, declared_matrix
from .methods import DENSE_AT_ONCE, SMALL
from .operands import RightHandSide, SparseMatrix, matrix, result_type
from .scan import Facts

__all__ = ["Options", "factored_matrix", "solve", "solve_square", "thread_count"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Options:
    """The keywords of `smartsolve.solve`; the native entry has read them.

    `overwrite_a` is a permission that nothing here makes use of.
    """

    assume_a: str | None = None
    lower: bool = False
    transposed: bool = False
    overwrite_a: bool = False
    overwrite_b: bool = False
    check_finite: bool = False
    on_singular: Singular | None = None
    workers: int | None = 1
    return_info: bool = False
    engine: str | None = None
    sparse_x: bool = False


def solve(a: Any, b: Any, **options: Any) -> Any:
    """Solve with a sparse matrix; the arguments are those of `smartsolve.solve`."""
    if not options:
        x = _solve_tiny(a, b)
        if x is not None:
            return x
    given = Options(**options)
    m = matrix(a)
    if m.shape[0] != m.shape[1]:
        raise LinAlgError(_errors.not_square(m.shape))
    return solve_square(m, b, given)


def _solve_tiny(a: Any, b: Any) -> Any:
    """The call that loops make: a tiny matrix, a vector, and nothing unusual; else None."""
    if type(b) is not np.ndarray or a.format not in ("csc", "csr"):
        return None
    shape, data = a.shape, a.data
    (n,) = b.shape if b.ndim == 1 else (0,)
    if not 0 < n <= DENSE_AT_ONCE or shape != (n, n) or data.dtype.char not in "fdFD":
        return None
    m = SparseMatrix(data, a.indices, a.indptr, shape, a.format == "csr")
    return _core.solve(m.dense(), b) if m.norm1() < np.inf else None


def solve_square(m: SparseMatrix, b: Any, given: Options, *, through_zero: bool = False) -> Any:
    """Choose, factor, judge, solve, and say what is to be said.

    `through_zero` leaves in the solution of a singular diagonal matrix what division gives.
    """
    rhs = RightHandSide(b, m.shape[0], m.shape)
    if given.check_finite:
        _errors.refuse_infinite("a", m.arrays()[0], m.shape)
        _errors.refuse_infinite("b", rhs.stored(), rhs.shape)
    dtype, factors_dtype = result_type(m.dtype, rhs.dtype)
    declared = canonical_name("assume_a", given.assume_a)
    m = declared_matrix(m.astype(factors_dtype), declared, given.lower)
    factored = factored_matrix(m, declared, given.engine, given.workers)
    if factored.method is SMALL:
        return _solve_small(factored, rhs, dtype, given)
    if factored.singular is not None:
        say_singular(factored.singular, given.on_singular or policy().singular)
    solution = Solution(factored, rhs, dtype, given, through_zero)
    x = rhs.assembled(solution.pieces(), m.shape[0], dtype, given.sparse_x)
    if factored.singular is None:
        say_ill_conditioned(factored.method.method, solution.rcond, m.dtype)
    if given.overwrite_b:
        x = rhs.kept(x)
    return (x, solution.info()) if given.return_info else x


def factored_matrix(
    m: SparseMatrix, declared: str | None, engine: str | None, workers: int | None
) -> Factored:
    """Factor by the table, or by an engine that is asked for by its name."""
    facts = Facts(m)
    if engine is not None:
        within, exponent = facts.in_range
        return replace(engines.factor(within, engine), exponent=exponent)
    return factor(facts, declared, thread_count(workers))


def thread_count(workers: int | None) -> int:
    """-1 is one for each core, as in the native entry."""
    return (os.cpu_count() or 1) if workers == -1 else workers or 1


class Solution:
    """The columns of a solution, and what is found while they are computed."""

    def __init__(
        self,
        factored: Factored,
        rhs: RightHandSide,
        dtype: np.dtype[Any],
        given: Options,
        through_zero: bool,
    ) -> None:
        self._factored, self._rhs, self._given, self._dtype = factored, rhs, given, dtype
        self._through_zero = through_zero and factored.method.structure == "diagonal"
        self._backward_error = 0.0
        self.rcond = np.nan

    def pieces(self) -> Iterator[tuple[slice, Array]]:
        """Solve for each block of right-hand sides, and judge after the first."""
        wanted = self._given.return_info
        for i, (piece, b) in enumerate(self._rhs.blocks(self._dtype)):
            x, error = self._factored.solve(
                b,
                transposed=self._given.transposed,
                workers=thread_count(self._given.workers),
                with_error=wanted,
            )
            if self._factored.factors is None and self._through_zero:
                x = self._divided(b)
            if i == 0:
                self.rcond = judge(self._factored, wanted)
            if wanted:
                self._backward_error = float(np.maximum(self._backward_error, error))
            yield piece, x

    def _divided(self, b: Array) -> Array:
        """By the diagonal, with its zeros."""
        data, indices, _ = self._factored.facts.matrix.arrays()
        diagonal = np.zeros(b.shape[0], data.dtype)
        diagonal[indices] = data
        with np.errstate(all="ignore"):
            x: Array = (b.T / diagonal).T
        return x

    def info(self) -> SolveInfo:
        """What was seen and done."""
        method = self._factored.method
        return SolveInfo(
            method.structure, method.method, method.routine, self.rcond, self._backward_error
        )


def _solve_small(
    factored: Factored, rhs: RightHandSide, dtype: np.dtype[Any], given: Options
) -> Any:
    """By the dense product, which also says what is to be said."""
    dense, info = factored.facts.matrix.dense(), None
    pieces = []
    for piece, b in rhs.blocks(dtype):
        solved = _core.solve(
            *(dense, b),
            transposed=given.transposed,
            on_singular=given.on_singular,
            return_info=given.return_info,
        )
        x, info = solved if isinstance(solved, tuple) else (solved, None)
        pieces.append((piece, x))
    x = rhs.assembled(pieces, dense.shape[0], dtype, given.sparse_x)
    if given.overwrite_b:
        x = rhs.kept(x)
    return x if info is None else (x, replace(info, method=f"dense {info.method}"))
