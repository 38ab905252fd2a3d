"""Which method? The table is walked until one factors the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _errors
from .factors import Factors
from .methods import METHODS, NOT_FINITE, Method
from .product import backward_error
from .range import scaled_columns, times_power
from .scan import Facts

__all__ = ["Factored", "choose", "emptiness", "factor"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Factored:
    """A matrix, the row of the table that took it, and its factors.

    `factors` is None where nothing can be factored: an entry is Inf or NaN, or (`singular`, in
    words) a row or a column is empty. `declined` tells what the methods before it found. `facts`
    and factors are of the matrix divided by two to the power of `exponent`.
    """

    facts: Facts
    method: Method
    factors: Factors | None
    singular: str | None = None
    declined: dict[str, str] = field(default_factory=dict)
    exponent: int = 0

    def solve(
        self,
        b: Array,
        *,
        transposed: bool = False,
        conjugate: bool = False,
        workers: int = 1,
        with_error: bool = False,
    ) -> tuple[Array, float]:
        """The solutions for dense columns, and the worst backward error if it is asked for."""
        if self.factors is None:
            return np.full(b.shape, np.nan, b.dtype), np.nan
        scaled, exponents = scaled_columns(b) if self.exponent else (b, None)
        x = self.factors.solve(scaled, transposed=transposed, conjugate=conjugate, workers=workers)
        error = np.nan
        if with_error:
            error = backward_error(self.facts.matrix, x, scaled, transposed, conjugate)
        if exponents is not None:
            x = times_power(x, exponents - self.exponent)
        return x, error


def choose(facts: Facts, declared: str | None = None) -> Iterator[Method]:
    """The rows that may be tried, the preferred one first."""
    if declared is None:
        for method in METHODS:
            if method.fits(facts) is None and method.pays(facts) is None:
                yield method
        return
    rows, against = [], None
    for method in METHODS:
        if method.structure in STANDS_FOR[declared]:
            if (reason := method.fits(facts)) is None:
                rows.append(method)
            elif method is not NOT_FINITE:
                against = reason
    if against is not None and all(method is NOT_FINITE for method in rows):
        raise _not_as_declared(declared, against())
    # Taken at its word, whether it pays or not; but of two methods the one that pays.
    yield from sorted(rows, key=lambda method: method.pays(facts) is not None)


def _not_as_declared(declared: str, reason: str) -> ValueError:
    if declared in ("spd tridiagonal", "spd banded", "positive definite"):
        return LinAlgError(_errors.declared_definite(reason))
    return ValueError(
        f"a was declared {declared}, but {reason}; leave the structure out, or give the part of "
        "the matrix that is meant"
    )


_BLOCKS = ("not finite", "block diagonal", "block triangular")
_GENERAL = (*_BLOCKS, "general")
# What is declared, and the rows that may then be tried: hand-overs included.
STANDS_FOR = {
    "diagonal": ("diagonal",),
    "upper triangular": ("upper triangular",),
    "lower triangular": ("lower triangular",),
    "permuted triangular": ("permuted triangular",),
    "spd tridiagonal": ("spd tridiagonal",),
    "tridiagonal": ("tridiagonal",),
    "spd banded": ("spd banded",),
    "banded": ("banded",),
    "block diagonal": _BLOCKS,
    "block triangular": _BLOCKS,
    "permuted banded": ("not finite", "permuted banded"),
    "positive definite": ("not finite", "positive definite"),
    "symmetric": ("not finite", "symmetric"),
    "hermitian": ("not finite", "hermitian"),
    "sparse": _GENERAL,
    "general": _GENERAL,
}


def factor(facts: Facts, declared: str | None = None, workers: int = 1) -> Factored:
    """Factor by the first method that can."""
    declined: dict[str, str] = {}
    for method in choose(facts, declared):
        if singular := emptiness(facts):
            return Factored(facts, method, None, singular, declined)
        if method is NOT_FINITE:
            return Factored(facts, method, None, None, declined)
        within, exponent = facts.in_range if method.is_scaled else (facts, 0)
        factors = method.factor(within, workers)
        if factors.status == "ok":
            return Factored(within, method, factors, None, declined, exponent)
        if factors.status == "singular":
            return Factored(facts, method, None, _where(factors, method), declined)
        declined[method.structure] = _where(factors, method)
    assert declared is not None  # the last row of the table takes every matrix
    raise _not_as_declared(declared, declined[declared])


def emptiness(facts: Facts) -> str | None:
    """Name a row or a column in which there is nothing."""
    for axis in ("row", "column"):
        if (index := facts.scan[f"empty_{axis}"]) >= 0:
            return f"{axis} {index} has no nonzero"
    return None


def _where(factors: Factors, method: Method) -> str:
    if factors.status == "not_positive_definite":
        at = f"the leading minor at {factors.axis} {factors.index} is" if factors.index >= 0 else ""
        return f"Cholesky found {at or 'a leading minor'} not positive"
    if factors.index < 0:
        return f"a pivot of the {method.method} is exactly zero"
    if factors.exact:
        return f"the pattern of zeros leaves no pivot for {factors.axis} {factors.index}"
    return f"the pivot of {factors.axis} {factors.index} in the {method.method} is exactly zero"
