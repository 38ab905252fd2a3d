"""A structure that is declared: what `assume_a` and `structure` mean for a sparse matrix."""

from __future__ import annotations

from .operands import SparseMatrix

__all__ = ["STRUCTURES", "canonical_name", "declared_matrix"]

_ALIASES = {"gen": "general", "sym": "symmetric", "her": "hermitian", "pos": "positive definite"}
# Of these one triangle stands for the matrix.
_MIRRORED = ("spd tridiagonal", "spd banded", "positive definite", "symmetric", "hermitian")
STRUCTURES = (
    *("diagonal", "spd tridiagonal", "tridiagonal", "spd banded", "banded", "upper triangular"),
    *("lower triangular", "permuted triangular", "block diagonal", "block triangular", "sparse"),
    *("permuted banded", "positive definite", "symmetric", "hermitian", "general"),
)


def canonical_name(argument: str, declared: str | None) -> str | None:
    """The structure's own name, or an error that lists them."""
    if declared is None:
        return None
    name = _ALIASES.get(declared, declared)
    if name not in STRUCTURES:
        listed = ", ".join(map(repr, [*STRUCTURES, *_ALIASES]))
        raise ValueError(
            f"{argument} is {declared!r}; for a sparse matrix expected None or one of {listed}"
        )
    return name


def declared_matrix(m: SparseMatrix, declared: str | None, lower: bool) -> SparseMatrix:
    """The matrix that the declaration and the triangle that counts make of what is stored."""
    if declared not in _MIRRORED:
        return m
    from scipy.sparse import csc_array, tril, triu

    a = csc_array(m.csc(), shape=m.shape)
    strict = tril(a, -1, format="csc") if lower else triu(a, 1, format="csc")
    across = strict.T if declared == "symmetric" else strict.T.conj()
    diagonal = a.diagonal() if declared == "symmetric" else a.diagonal().real
    indices, n = range(m.shape[0]), m.shape[0]
    whole = strict + across.tocsc() + csc_array((diagonal, (indices, indices)), shape=(n, n))
    whole = whole.tocsc()
    return SparseMatrix(whole.data, whole.indices, whole.indptr, m.shape, False)
