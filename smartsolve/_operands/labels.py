"""Arrays with names for rows and columns: the solution of a @ x = b has a row for each column of a.

Rows of a and of b are the same equations, so their labels must be the same; `align` says what
happens where they are not.
"""

import sys
from typing import Any, NamedTuple

import numpy as np

from .. import _errors
from .._types import Align, Side
from .kind import Kind, is_loaded_class

__all__ = ["Pandas", "Xarray"]


class Pandas(Kind):
    """pandas' DataFrame and Series, also of nullable and of Arrow's types."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "pandas", "DataFrame", "Series")

    def inside(self, x: Any, name: str) -> Any:
        columns = [(x.name, x)] if x.ndim == 1 else [(x.columns[i], x.iloc[:, i])
                                                     for i in range(x.shape[1])]  # fmt: skip
        types = []
        for label, column in columns:
            dtype = getattr(column.dtype, "numpy_dtype", column.dtype)
            if not isinstance(dtype, np.dtype) or dtype.kind not in "biufc":
                raise TypeError(_errors.no_numbers(name, label, column.dtype))
            if dtype is not column.dtype and (missing := int(column.isna().sum())):
                raise ValueError(_errors.missing(name, label, missing))
            types.append(dtype)
        return x.to_numpy(dtype=np.result_type(*types) if types else np.float64)

    def shell(self, x: Any) -> Any:
        """The frame without its numbers."""
        return _Frame(x.index, x.columns if x.ndim == 2 else None, getattr(x, "name", None))

    def aligned(self, a: Any, b: Any, side: Side, align: Align | None) -> Any:
        _check(align)
        if a is None or not self.knows(b) or align == "position":
            return b
        wanted = a.index if side == "left" else a.columns
        axis = "columns" if side == "right" and b.ndim == 2 else "index"
        return b if _same(wanted, getattr(b, axis), "b", axis, align) else b.reindex(
            **{axis: wanted}
        )  # fmt: skip

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        if a is None:
            return x  # nobody knows the names of the unknowns
        if type(x) is not np.ndarray:
            raise TypeError(_errors.of_two_libraries("pandas", type(x).__module__))
        pandas: Any = sys.modules["pandas"]
        unknowns = a.columns if side == "left" else a.index
        if x.ndim == 1:
            return pandas.Series(x, index=unknowns, name=None if b is None else b.name)
        if x.ndim > 2:
            return x
        if side == "right":
            return pandas.DataFrame(x, index=None if b is None else b.index, columns=unknowns)
        return pandas.DataFrame(x, index=unknowns, columns=None if b is None else b.columns)

    def inverse(self, a: Any, x: Any) -> Any:
        return sys.modules["pandas"].DataFrame(x, index=a.columns, columns=a.index)


class _Frame(NamedTuple):
    index: Any
    columns: Any
    name: Any


class Xarray(Kind):
    """xarray's DataArray: its last two dimensions are a matrix, those before them a stack."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "xarray", "DataArray")

    def inside(self, x: Any, name: str) -> Any:
        return x.data

    def shell(self, x: Any) -> Any:
        """The array with its coordinates, without its numbers."""
        coords = {
            dim: {name: c for name, c in x.coords.items() if c.dims == (dim,)} for dim in x.dims
        }
        return _Axes(tuple(x.dims), coords, tuple(x.shape))

    def aligned(self, a: Any, b: Any, side: Side, align: Align | None) -> Any:
        _check(align)
        if a is None or not self.knows(b) or align == "position":
            return b
        of_b = self.shell(b)
        own = -1 if len(of_b.dims) == 1 or side == "right" else -2
        pairs = [(-2 if side == "left" else -1, own)]
        if len(of_b.dims) > 1:
            pairs += [(i, i) for i in range(-3, -1 - min(len(a.dims), len(of_b.dims)), -1)]
        for of_a, i in pairs:
            wanted, dim = a.dims[of_a], of_b.dims[i]
            if wanted != dim:
                raise ValueError(_errors.other_dimension(a.dims, of_b.dims, wanted, dim))
            mine, theirs = (shell.coords[dim].get(dim) for shell in (a, of_b))
            if mine is None or theirs is None:
                continue
            index = mine.to_index()
            if not _same(index, theirs.to_index(), "b", f"dimension {dim!r}", align):
                b = b.reindex({dim: index})
        return b

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        if a is None:
            return x
        if type(x) is not np.ndarray and isinstance(x, np.ndarray):
            raise TypeError(_errors.of_two_libraries("xarray", type(x).__module__))
        unknown = -1 if side == "left" else -2
        axes: list[tuple[Any, dict[Any, Any]]] = []
        if x.ndim < len(a.dims):  # a vector for each matrix
            axes = [a.axis(i) for i in range(-len(a.dims), -2)] + [a.axis(unknown)]
            return _array(x, axes)
        for i in range(-x.ndim, 0):
            if i == (-1 if side == "right" else -2):
                axes.append(a.axis(unknown))
            elif i < -2:
                axes.append(_stacked(a, b, i, x.shape[i]))
            elif b is not None:
                axes.append(b.axis(-2 if side == "right" else -1))
            else:
                axes.append((f"dim_{x.ndim + i}", {}))
        return _array(x, axes)

    def inverse(self, a: Any, x: Any) -> Any:
        axes = [a.axis(i) for i in range(-x.ndim, -2)] + [a.axis(-1), a.axis(-2)]
        return _array(x, axes)


class _Axes(NamedTuple):
    dims: tuple[Any, ...]
    coords: dict[Any, dict[Any, Any]]
    shape: tuple[int, ...]

    def axis(self, i: int) -> tuple[Any, dict[Any, Any]]:
        """Name and coordinates of an axis."""
        return self.dims[i], self.coords[self.dims[i]]


def _array(x: Any, axes: list[tuple[Any, dict[Any, Any]]]) -> Any:
    dims = [dim for dim, _ in axes]
    if len(set(dims)) < len(dims):
        raise ValueError(_errors.dimension_twice(dims))
    coords = {name: c for _, found in axes for name, c in found.items()}
    return sys.modules["xarray"].DataArray(x, dims=dims, coords=coords)


def _stacked(a: Any, b: Any, i: int, size: int) -> tuple[Any, dict[Any, Any]]:
    """An axis of a stack is that of the operand that has it; one of length 1 is broadcast."""
    for shell in (a, b):
        if shell is not None and len(shell.dims) >= -i and shell.shape[i] == size:
            return shell.axis(i)  # type: ignore[no-any-return]
    return f"dim_{i}", {}


def _check(align: Align | None) -> None:
    if align not in (None, "exact", "labels", "position"):
        raise ValueError(f"align is {align!r}; expected 'exact', 'labels' or 'position'")


def _same(wanted: Any, labels: Any, name: str, axis: str, align: Align | None) -> bool:
    """Whether labels are the same in the same order; ValueError if they cannot be made so."""
    if wanted.equals(labels):
        return True
    if align != "labels" or len(wanted) != len(labels):
        raise ValueError(_errors.other_labels(name, axis, list(wanted), list(labels)))
    if not (wanted.is_unique and labels.is_unique) or len(wanted.difference(labels)):
        raise ValueError(_errors.other_labels(name, axis, list(wanted), list(labels), True))
    return False
