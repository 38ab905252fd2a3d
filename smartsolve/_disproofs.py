"""What speaks against a structure: the element, with its index, that the scan stumbles over."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._scan import DEFINITE

__all__ = ["disproof"]

PATTERNS = ("block diagonal", "block triangular", "sparse", "permuted banded")

Array = npt.NDArray[Any]


def disproof(kind: str, chosen: str, a: Array, kl: int, ku: int, declined: int) -> str:
    """Why a matrix of exact bandwidths kl and ku is not of a kind, but of the chosen one.

    `declined` is the last index of the leading minor at which Cholesky's
    factorization failed, or -1.
    """
    n = len(a)
    if kind == "diagonal":
        return _nonzero(a, -kl if kl else ku)
    if kind == "upper triangular":
        return _nonzero(a, -kl)
    if kind == "lower triangular":
        return _nonzero(a, ku)
    if kind == "permuted triangular":
        return _tangle(a)
    if kind in ("tridiagonal", "spd tridiagonal") and max(kl, ku) > 1:
        return _nonzero(a, -kl if kl > 1 else ku)
    if kind in ("banded", "spd banded") and not _core.band_pays(n, kl, ku):
        return f"kl = {kl} and ku = {ku}, too wide a band to pay at order {n}"
    if kind == "upper hessenberg" and kl > 1:
        return _nonzero(a, -kl)
    if kind == "lower hessenberg" and ku > 1:
        return _nonzero(a, ku)
    if n < 3 and kind.endswith(("tridiagonal", "hessenberg")):
        return "the order is below 3"
    if kind in ("circulant", *PATTERNS) and n < (least := _looked_for_from(kind)):
        return f"the order is below {least}"
    if kind == "circulant":
        return _not_circulant(a)
    if kind in PATTERNS:
        share = np.count_nonzero(a == 0) / a.size
        pays = f"cheaper than {chosen}" if chosen in PATTERNS else "pay"
        return f"{share:.0%} of the elements are zero: no order of rows and columns makes it {pays}"
    if kind in DEFINITE:
        return _not_definite(a, declined)
    if kind in ("symmetric", "hermitian"):
        return _asymmetric(a, kind == "hermitian")
    return "the scan did not find it"


def _looked_for_from(kind: str) -> int:
    sizes = _core.crossovers()
    return sizes["permuted_band_from" if kind == "permuted banded" else "more_from"]


def _first(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Row and column of the first element that is true; (0, 0) if none is."""
    i, j = np.unravel_index(int(np.argmax(mask)), mask.shape)
    return int(i), int(j)


def _name(a: Array, i: int, j: int) -> str:
    return f"a[{i}, {j}] = {a[i, j]:.6g}"


def _nonzero(a: Array, diagonal: int) -> str:
    """The first nonzero of the outermost diagonal that has any."""
    k = int(np.flatnonzero(np.diagonal(a, diagonal))[0])
    return f"{_name(a, k - min(diagonal, 0), k + max(diagonal, 0))} is not zero"


def _tangle(a: Array) -> str:
    """Peel columns of a single nonzero until none is left: two nonzeros of one that stays."""
    nonzero = a != 0
    rows, columns = np.ones(len(a), bool), np.ones(len(a), bool)
    counts = nonzero.sum(axis=0)
    while (single := np.flatnonzero(columns & (counts == 1))).size:
        column = single[0]
        row = np.flatnonzero(nonzero[:, column] & rows)[0]
        rows[row] = columns[column] = False
        counts -= nonzero[row]
    left = int(columns.sum())
    if not left:
        return "the scan did not find it"
    empty = np.flatnonzero(columns & (counts == 0))
    if empty.size:
        return f"column {empty[0]} {'has no nonzero' if left == len(a) else 'has none left'}"
    column = int(np.flatnonzero(columns)[0])
    i, j = (int(row) for row in np.flatnonzero(nonzero[:, column] & rows)[:2])
    among = "no column" if left == len(a) else f"none of the {left} columns left after peeling"
    return (
        f"{among} has a single nonzero; column {column} has a[{i}, {column}] and a[{j}, {column}]"
    )


def _asymmetric(a: Array, hermitian: bool) -> str:
    differs = np.tril(a != (a.conj().T if hermitian else a.T))
    i, j = _first(differs)
    if not differs[i, j]:
        return "a structure before it was found"
    if i == j:
        return f"{_name(a, i, i)} is not {'a number' if a[i, i] != a[i, i] else 'real'}"
    conjugate = "the conjugate of " if hermitian and a.dtype.kind == "c" else ""
    return f"{_name(a, i, j)} differs from {conjugate}{_name(a, j, i)}"


def _not_circulant(a: Array) -> str:
    before = np.roll(a, (1, 1), (0, 1))
    i, j = _first(a != before)
    if a[i, j] == before[i, j]:
        return "an eigenvalue is zero up to rounding"
    return f"{_name(a, i, j)} is not {_name(a, (i - 1) % len(a), (j - 1) % len(a))}"


def _not_definite(a: Array, declined: int) -> str:
    if not np.array_equal(a, a.conj().T):
        return _asymmetric(a, True)
    diagonal = np.diagonal(a).real
    wrong = np.flatnonzero(~(diagonal > 0))
    if wrong.size:
        i = int(wrong[0])
        return f"{_name(a, i, i)} is not positive"
    with np.errstate(over="ignore", under="ignore"):
        too_large = np.tril(np.abs(a) ** 2 > np.outer(diagonal, diagonal), -1)
    i, j = _first(too_large)
    if too_large[i, j]:
        return f"|{_name(a, i, j)}|^2 > a[{i}, {i}] a[{j}, {j}]"
    if declined >= 0:
        return f"Cholesky found the leading minor of order {declined + 1} not positive"
    return "the scan did not find it"
