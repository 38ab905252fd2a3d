"""The words that options take, and what counts as a sparse matrix, for type checkers."""

from typing import Any, Literal, Protocol

__all__ = ["Accuracy", "Engine", "OnSingular", "Precision", "SparseLike", "StructureName"]

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
