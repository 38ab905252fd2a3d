"""For type checkers: words that options take, what answers hold, what is a sparse matrix."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

import numpy.typing as npt

__all__ = [
    "Accuracy",
    "Align",
    "DivideOptions",
    "Engine",
    "MaybeNone",
    "Named",
    "OnSingular",
    "PerSystem",
    "Plain",
    "Precision",
    "Side",
    "SolveOptions",
    "SparseLike",
    "StructureName",
]

# Of one system a plain value, of a stack an array: which, the number of axes decides, and no type
# tells that. A union would deny each of the two what it can do.
PerSystem: TypeAlias = Any
# In a union with what is there when it was asked for, instead of None: who asked need not assert.
MaybeNone: TypeAlias = Any
# Operands whose answers are NumPy's arrays; those of other libraries get their own kind back.
Plain: TypeAlias = npt.NDArray[Any] | complex | Sequence[Any]

StructureName = Literal[
    "diagonal",
    "upper triangular",
    "lower triangular",
    "permuted triangular",
    "spd tridiagonal",
    "tridiagonal",
    "spd banded",
    "banded",
    "upper hessenberg",
    "lower hessenberg",
    "circulant",
    "block diagonal",
    "block triangular",
    "sparse",
    "permuted banded",
    "positive definite",
    "pos",
    "symmetric",
    "sym",
    "hermitian",
    "her",
    "general",
    "gen",
]
OnSingular = Literal["raise", "warn", "nan"]
Precision = Literal["mixed"]
Accuracy = Literal["full", "certified"]
Align = Literal["exact", "labels", "position"]
# Where the matrix stands: a @ x = b, a.T @ x = b, x @ a = b.
Side = Literal["left", "transposed", "right"]
Engine = Literal["cholmod", "umfpack", "klu", "pardiso"]


class _Options(TypedDict, total=False):
    """Options that no overload tells apart, of every entry point."""

    accuracy: Accuracy | None
    engine: Engine | None
    sparse_x: bool
    align: Align | None
    dtype: npt.DTypeLike | None


class DivideOptions(_Options, total=False):
    """Those of `mldivide` and `mrdivide`."""

    minimum_norm: bool
    tol: float | None


class SolveOptions(_Options, total=False):
    """Those of `solve`."""

    assume_a: StructureName | None
    lower: bool
    transposed: bool
    overwrite_a: bool
    overwrite_b: bool
    check_finite: bool
    on_singular: OnSingular | None
    workers: int
    precision: Precision | None


class SparseLike(Protocol):
    """SciPy's sparse arrays and matrices, and what turns into them."""

    @property
    def nnz(self) -> Any: ...
    def tocsc(self) -> Any: ...


class Named(Protocol):
    """xarray's arrays, in which type checkers find any name, those of `SparseLike` as well."""

    @property
    def dims(self) -> Any: ...
    @property
    def coords(self) -> Any: ...
