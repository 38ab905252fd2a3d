"""For type checkers: words that options take, what answers hold, what is a sparse matrix."""

from typing import Any, Literal, Protocol, TypeAlias

__all__ = [
    "Accuracy",
    "Engine",
    "MaybeNone",
    "OnSingular",
    "PerSystem",
    "Precision",
    "SparseLike",
    "StructureName",
]

# Of one system a plain value, of a stack an array: which, the number of axes decides, and no type
# tells that. A union would deny each of the two what it can do.
PerSystem: TypeAlias = Any
# In a union with what is there when it was asked for, instead of None: who asked need not assert.
MaybeNone: TypeAlias = Any

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
Engine = Literal["cholmod", "umfpack", "klu", "pardiso"]


class SparseLike(Protocol):
    """SciPy's sparse arrays and matrices, and what turns into them."""

    @property
    def nnz(self) -> Any: ...
    def tocsc(self) -> Any: ...
