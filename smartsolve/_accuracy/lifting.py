"""Rational solutions, exactly: one factorization modulo a prime, and digits lifted from it.

Dixon, Numerische Mathematik 40, 1982. The work depends on how long numerators and denominators are,
and on no condition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Integers", "integers"]

Array = npt.NDArray[Any]

PRIMES = tuple(2**k - 1 for k in (127, 521, 607, 1279))  # of Mersenne
ENOUGH_MORE = 1.4  # times as many digits for the next try to tell the fractions


@dataclass(frozen=True)
class Integers:
    """``a @ x = b`` in integers of any length, (n, n) and (n, k)."""

    a: Array
    b: Array

    def bits_of_solution(self) -> float:
        """About as many as numerators and denominators may take together (Hadamard)."""
        longest = [max(abs(v) for v in m.flat).bit_length() for m in (self.a, self.b)]
        n = len(self.a)
        return float(2 * n * (longest[0] + math.log2(n) / 2) + max(0, longest[1] - longest[0]))

    def solution(self) -> Array | None:
        """Fractions (n, k) that solve the system exactly, which is tried with them; None if the
        matrix is singular, or its determinant a multiple of all the primes.
        """
        for prime in PRIMES:
            modulo = _Factors.of(self.a, prime)
            if modulo is not None:
                columns = [self._lifted(modulo, b) for b in self.b.T]
                return np.array(columns, object).T
        return None

    def _lifted(self, modulo: _Factors, b: Array) -> list[Fraction]:
        """One column: x modulo p, p^2, p^3, ..., until a fraction solves the system."""
        x, rest = [0] * len(b), b
        power, k, next_try = 1, 0, 2
        while True:
            digits = modulo.solve(rest)
            rest = (rest - self.a @ digits) // modulo.p  # without remainder
            x = [v + power * digit for v, digit in zip(x, digits, strict=True)]
            power, k = power * modulo.p, k + 1
            if k < next_try:
                continue
            next_try = math.ceil(ENOUGH_MORE * k)
            found = _as_fractions(x, power)
            if found is not None:
                numerators, denominator = found
                if (self.a @ np.array(numerators, object) == denominator * b).all():
                    return [Fraction(v, denominator) for v in numerators]


def integers(a: Array, b: Array) -> tuple[Integers, Array]:
    """Multiply rows of a system (n, n), (n, k) of fractions, whose denominators are powers of two,
    by such powers, and columns of b by others; their exponents.
    """
    rows = _scaled([v.as_integer_ratio() for v in row] for row in a.tolist())
    columns = []
    exponents = []
    for column in b.T.tolist():
        ratios = [
            (p * common, q)
            for (p, q), (_, common) in zip(
                (v.as_integer_ratio() for v in column), rows, strict=True
            )
        ]
        ((scaled, common),) = _scaled([ratios])
        columns.append(scaled)
        exponents.append(common.bit_length() - 1)
    return (
        Integers(np.array([row for row, _ in rows], object), np.array(columns, object).T),
        np.array(exponents),
    )


def _scaled(rows: Any) -> list[tuple[list[int], int]]:
    """Rows of ratios as integers, each divided by its common denominator, a power of two."""
    result = []
    for row in rows:
        row = list(row)
        common = max(q for _, q in row)
        result.append(([p * (common // q) for p, q in row], common))
    return result


@dataclass(frozen=True)
class _Factors:
    """``P a = L U`` modulo p, the diagonal of U being 1 and that of L inverted."""

    p: int
    lu: Array
    rows: list[int]

    @classmethod
    def of(cls, a: Array, p: int) -> _Factors | None:
        """None if the matrix is singular modulo p."""
        lu, rows = a % p, list(range(len(a)))
        for k in range(len(a)):
            there = np.flatnonzero(lu[k:, k])
            if not there.size:
                return None
            i = k + int(there[0])
            lu[[k, i]] = lu[[i, k]]
            rows[k], rows[i] = rows[i], rows[k]
            lu[k, k] = pow(int(lu[k, k]), -1, p)
            lu[k, k + 1 :] = lu[k, k + 1 :] * lu[k, k] % p
            for row in lu[k + 1 :]:
                if row[k]:
                    row[k + 1 :] = (row[k + 1 :] - row[k] * lu[k, k + 1 :]) % p
        return cls(p, lu, rows)

    def solve(self, b: Array) -> Array:
        x, lu, p = (b % self.p)[self.rows], self.lu, self.p
        for k in range(len(x)):
            x[k] = (x[k] - lu[k, :k] @ x[:k]) * lu[k, k] % p
        for k in reversed(range(len(x) - 1)):
            x[k] = (x[k] - lu[k, k + 1 :] @ x[k + 1 :]) % p
        return x


def _as_fractions(x: list[int], power: int) -> tuple[list[int], int] | None:
    """Numerators and their common denominator, given x modulo `power`; None of too few digits."""
    largest = math.isqrt(power >> 1)
    denominator = 1
    for v in x:
        rest = v * denominator % power
        if largest < rest < power - largest:
            denominator *= _denominator(rest, power, largest)
            if denominator > largest:
                return None
    numerators = (v * denominator % power for v in x)
    return [v - power if v > power >> 1 else v for v in numerators], denominator


def _denominator(x: int, power: int, largest: int) -> int:
    """Of the fraction that is x modulo `power`: Euclid's algorithm, halfway (Wang 1981)."""
    r, last_r, t, last_t = x, power, 1, 0
    while r > largest:
        q, rest = divmod(last_r, r)
        last_r, r, last_t, t = r, rest, t, last_t - q * t
    return abs(t)
