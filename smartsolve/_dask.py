"""Dask arrays: a call becomes one task for each block of the stack, and nothing is gathered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.layers import ArrayBlockIdDep

from . import _core, _errors
from ._condition import errstate, geterr
from ._factored import FactoredMatrix, SlogdetResult
from ._operands.precision import types
from ._types import Side

__all__ = ["DaskFactorization", "later"]

# Names of axes for dask: leading ones are counted from 1, the last of them; those of the matrix:
_ROWS, _COLUMNS, _RHS = 0, -1, -2
_Indexed = Sequence[tuple[Any, Sequence[int]]]
# What makes no sense before there is a number, or would write into what others may still need.
_NOT_LATER = ("return_info", "overwrite_a", "overwrite_b", "engine", "sparse_x")


def later(
    function: Callable[..., Any], a: Any, b: Any, side: Side, options: dict[str, Any]
) -> da.Array:
    """``function(a, b, **options)``, block by block of the leading axes, when it is computed.

    The last two axes of a matrix must lie in one block, and so the rows of `b`; its columns need
    not. The policy of `errstate` is that of the call, not of the worker.
    """
    _refuse_now(options)
    if isinstance(a, FactoredMatrix):
        if side == "right":
            turned = b if b.ndim < 2 else da.swapaxes(b, -1, -2)
            x = _apply_factors(a, turned, {"transposed": True, **options})
            return x if b.ndim < 2 else da.swapaxes(x, -1, -2)
        return _apply_factors(a, b, options)
    a, b = _beside(a, b)
    _check_shapes(a, b, side, function is _core.solve)
    dtype = _result_type(function, a, b, options)
    vector = b.ndim == 1
    of_a, of_b, of_x = _indices(a.ndim, b.ndim, side)
    _refuse_chunks("a", a, (-2, -1))
    _refuse_chunks("b", b, (-1,) if vector or side == "right" else (-2,))
    if function is _core.solve and options.get("on_singular") is None:
        options["on_singular"] = geterr()["singular"]
    chunks, (a, b) = da.core.unify_chunks(a, of_a, b, of_b)
    call = _Call(function, geterr(), options)
    return _blockwise(call, of_x, [(a, of_a), (b, of_b)], dtype, chunks)


def _refuse_now(options: dict[str, Any]) -> None:
    for name in _NOT_LATER:
        if options.pop(name, None):
            raise TypeError(f"{name} is not for dask arrays, of which no number is there yet")


class _Call:
    """A call on blocks that knows where its block begins, under the policy of who asked for it."""

    def __init__(
        self, function: Callable[..., Any], policy: dict[str, str], options: dict[str, Any]
    ) -> None:
        self.function, self.policy, self.options = function, policy, options
        self.__name__ = getattr(function, "__name__", "solve")  # of the tasks

    def __call__(self, *blocks: Any) -> Any:
        *operands, place = map(_only, blocks)
        with errstate(**self.policy):  # type: ignore[arg-type]
            try:
                return self.function(*operands, **self.options)
            except np.linalg.LinAlgError as error:
                if place:
                    error.add_note(f"in block {tuple(place)} of the stack's axes, counted there")
                raise


def _only(block: Any) -> Any:
    """Axes that the result has not lie in one block, which dask hands over in lists of one.

    To have it join them would copy the block.
    """
    while isinstance(block, list):
        (block,) = block
    return block


def _blockwise(
    call: _Call, out: Sequence[int], operands: _Indexed, dtype: np.dtype[Any], chunks: Any
) -> da.Array:
    """One task a block of the result, which gets the block's place among the leading axes."""
    leading = [i for i in out if i > 0]
    place = ArrayBlockIdDep(tuple(chunks[i] for i in leading))
    pairs = [item for pair in [*operands, (place, leading)] for item in pair]
    of_operands = {i for _, indices in operands for i in indices}
    # The axis of the unknowns is no array's where factors stand for their matrices.
    new = {i: chunks[i][0] for i in out if i not in of_operands}
    blockwise: Any = da.blockwise
    result: da.Array = blockwise(
        call,
        out,
        *pairs,
        dtype=dtype,
        meta=np.empty((0,) * len(out), dtype),
        new_axes=new,
        concatenate=False,
        align_arrays=False,
    )
    return result


def _indices(a: int, b: int, side: Side) -> tuple[list[int], list[int], list[int]]:
    """Names of the axes of a, b and x: numbers for leading ones, counted from the last."""
    rows, columns = (_ROWS, _COLUMNS) if side == "left" else (_COLUMNS, _ROWS)
    # What meets b is _ROWS, what x has instead _COLUMNS.
    of_a = [*_leading(a - 2), rows, columns]
    if b == 1:
        return of_a, [_ROWS], [*_leading(a - 2), _COLUMNS]
    stack = _leading(max(a, b) - 2)
    if side == "right":
        return of_a, [*_leading(b - 2), _RHS, _ROWS], [*stack, _RHS, _COLUMNS]
    return of_a, [*_leading(b - 2), _ROWS, _RHS], [*stack, _COLUMNS, _RHS]


def _leading(count: int) -> list[int]:
    return list(range(count, 0, -1))


def _beside(a: Any, b: Any) -> tuple[da.Array, da.Array]:
    """Both as dask arrays; one that is not is cut where the other is."""
    if not isinstance(a, da.Array):
        a = da.from_array(np.asarray(a), chunks=_cut_like(np.shape(a), b))
    if not isinstance(b, da.Array):
        b = da.from_array(np.asarray(b), chunks=_cut_like(np.shape(b), a))
    return a, b


def _cut_like(shape: tuple[int, ...], other: da.Array) -> tuple[Any, ...]:
    stacked = max(len(shape) - 2, 0)
    chunks: list[Any] = [-1] * len(shape)
    for i in range(stacked):
        place = i - len(shape)
        if len(shape) - i <= other.ndim and other.shape[place] == shape[i]:
            chunks[i] = other.chunks[place]
    return tuple(chunks)


def _check_shapes(a: da.Array, b: da.Array, side: Side, square: bool) -> None:
    """The rules of `solve` and `mldivide`, now rather than in a task."""
    if a.ndim < 2 or (square and a.shape[-1] != a.shape[-2]):
        raise np.linalg.LinAlgError(_errors.not_square(a.shape))
    rows = a.shape[-2] if side == "left" else a.shape[-1]
    axis = -1 if b.ndim == 1 or side == "right" else -2
    if b.ndim == 0 or b.shape[axis] != rows:
        text = _errors.misshapen_rows if side == "right" else _errors.misshapen_rhs
        raise ValueError(text(b.shape, rows, a.shape))
    if b.ndim > 1:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])


def _refuse_chunks(name: str, x: da.Array, axes: Sequence[int]) -> None:
    """ValueError for a matrix that lies in several blocks."""
    cut = [axis for axis in axes if len(x.chunks[axis]) > 1]
    if cut:
        whole = ", ".join(f"{axis}: -1" for axis in cut)
        raise ValueError(
            f"{name} of shape {x.shape} has chunks {x.chunks}; a matrix must lie in one block. "
            f"{name}.rechunk({{{whole}}}) makes it so; of one matrix larger than memory, "
            "dask.array.linalg.solve has an LU of blocks, without pivoting between them"
        )


def _result_type(
    function: Callable[..., Any], a: Any, b: Any, options: dict[str, Any]
) -> np.dtype[Any]:
    """That of the least system, which also finds options that are none before they are sent."""
    one = function(np.ones((1, 1), a.dtype), np.ones(1, b.dtype), **options)
    dtype: np.dtype[Any] = one.dtype
    return dtype


class DaskFactorization(FactoredMatrix):
    """Factors of the matrices of a dask array, block by block; made by `factorize`.

    Each block is factored once for a computation; ``persist()`` keeps the factors where they
    are, in the memory of this process or of a cluster's workers.
    """

    def __init__(
        self,
        a: da.Array,
        factor: Callable[..., Any],
        factors: da.Array | None = None,
    ) -> None:
        _check_shapes(a, a, "left", True)
        _refuse_chunks("a", a, (-2, -1))
        self._matrix, self._factor = a, factor
        # Which also finds what is no structure, before it is sent.
        self._dtype: np.dtype[Any] = factor(np.ones((1, 1), a.dtype)).dtype
        if factors is None:
            call = _Call(factor, geterr(), {})
            of_a, _, _ = _indices(a.ndim, 1, "left")
            # Each block is a Factorization, which stands for all its matrices.
            chunks = dict(zip(of_a, a.chunks, strict=True))
            factors = _blockwise(call, of_a[:-2], [(a, of_a)], np.dtype(object), chunks)
        self._factors = factors

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._matrix.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    def solve(
        self, b: Any, *, transposed: bool = False, conjugate: bool = False, **options: Any
    ) -> da.Array:
        """The solutions, as a dask array; shapes and options as in `Factorization.solve`."""
        _refuse_now(options)
        options |= {"transposed": transposed, "conjugate": conjugate}
        a, b = _beside(self._matrix, b)
        side: Side = "transposed" if transposed else "left"
        _check_shapes(a, b, side, True)
        _refuse_chunks("b", b, (-1,) if b.ndim == 1 else (-2,))
        of_a, of_b, of_x = _indices(a.ndim, b.ndim, side)
        # Factors cannot be cut: b's blocks are made theirs.
        of_one = dict(zip(of_a, a.chunks, strict=True))
        b = b.rechunk({
            k: of_one[i]
            for k, i in enumerate(of_b)
            if i > 0 and i in of_one and sum(of_one[i]) == b.shape[k]
        })  # fmt: skip
        chunks = dict(zip(of_b, b.chunks, strict=True))
        chunks |= {i: c for i, c in of_one.items() if i < 1 or sum(c) > 1 or i not in chunks}
        _solve_block(self._factor(np.ones((1, 1), a.dtype)), np.ones(1, b.dtype), **options)
        call = _Call(_solve_block, geterr(), options)
        operands: _Indexed = [(self._factors, of_a[:-2]), (b, of_b)]
        return _blockwise(call, of_x, operands, _solved_type(self._dtype, b), chunks)

    def persist(self, **options: Any) -> DaskFactorization:
        """The same, with the factors computed and kept."""
        factors: Any = self._factors
        kept = factors.persist(**options)
        return DaskFactorization(self._matrix, self._factor, kept)

    def det(self) -> da.Array:
        """The determinants, as a dask array."""
        return self._of_blocks(_det, types(self._dtype)[1])

    def slogdet(self) -> SlogdetResult:
        """Signs and logarithms of the moduli of the determinants, as dask arrays."""
        kind = types(self._dtype)[1]
        sign = self._of_blocks(partial(_slogdet, part=0), kind)
        return SlogdetResult(
            sign, self._of_blocks(partial(_slogdet, part=1), kind.type(0).real.dtype)
        )

    @property
    def rcond(self) -> da.Array:
        """Reciprocal condition numbers, as a dask array."""
        return self._of_blocks(_rcond, np.dtype(np.float64))

    def inv(self) -> da.Array:
        """The inverses, as a dask array."""
        return self.solve(np.eye(self.shape[-1], dtype=self.dtype))

    def _of_blocks(self, function: Callable[..., Any], dtype: np.dtype[Any]) -> da.Array:
        leading = _leading(self._matrix.ndim - 2)
        chunks = dict(zip(leading, self._matrix.chunks, strict=False))
        operands: _Indexed = [(self._factors, leading)]
        return _blockwise(_Call(function, geterr(), {}), leading, operands, dtype, chunks)

    def __repr__(self) -> str:
        return f"DaskFactorization({' x '.join(map(str, self.shape))} {self.dtype})"


def _apply_factors(factors: FactoredMatrix, b: Any, options: dict[str, Any]) -> da.Array:
    """Solve blocks of right-hand sides with factors that every task gets."""
    shape = factors.shape
    if len(shape) > 2:
        # A stack that lies here is cut as b is, and factored where its blocks go.
        matrix, factor = factors._posed()
        a, _ = _beside(matrix, b)
        return DaskFactorization(a, factor).solve(b, **options)
    if not b.ndim or b.shape[-1 if b.ndim == 1 else -2] != shape[-1]:
        raise ValueError(_errors.misshapen_rhs(b.shape, shape[-1], shape))
    _refuse_chunks("b", b, (-1,) if b.ndim == 1 else (-2,))
    of_b = [_ROWS] if b.ndim == 1 else [*_leading(b.ndim - 2), _ROWS, _RHS]
    call = _Call(partial(_solve_block, factors), geterr(), options)
    dtype = _solved_type(factors.dtype, b)
    chunks = dict(zip(of_b, b.chunks, strict=True))
    return _blockwise(call, of_b, [(b, of_b)], dtype, chunks)


def _solved_type(dtype: np.dtype[Any], b: Any) -> np.dtype[Any]:
    """Of the solutions with factors, which only a complex right-hand side widens."""
    return np.result_type(dtype, np.complex64) if b.dtype.kind == "c" else dtype


def _solve_block(factors: Any, b: Any, **options: Any) -> Any:
    return factors.solve(b, **options)


def _det(factors: Any) -> Any:
    return np.asarray(factors.det())


def _slogdet(factors: Any, part: int) -> Any:
    return np.asarray(factors.slogdet()[part])


def _rcond(factors: Any) -> Any:
    return np.asarray(factors.rcond)
