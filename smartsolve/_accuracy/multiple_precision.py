"""Small systems in as many digits as they need, and a proof.

For what double-double arithmetic leaves unsettled: matrices that are known not to be singular, of
any condition, whose elements may spread over the whole range. Triangles are substituted in decimal
arithmetic; others are solved in integers, or, where those are long, by decimal elimination.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from . import lifting
from .posing import balance

__all__ = ["is_within_reach", "rounded_solution"]

Array = npt.NDArray[Any]

LARGEST_ORDER = 1000  # of a triangle
LARGEST_LIFTED = 226  # order
MOST_BITS = 10_000, 200  # of such a solution, and more for each row: some seconds, too
FEWEST, MOST = 50, 13_000  # digits; each try has three times as many as the one before
MOST_WORK = 6e8  # products times digits: some seconds
ENOUGH = Decimal(2) ** -62  # of a component, what is unknown of it
ROOM = decimal.Context(
    prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[decimal.Inexact]
)
_sizes = np.frompyfunc(abs, 1, 1)


def rounded_solution(a: Array, b: Array, is_zero: Array, exponents: Array) -> Array | None:
    """The solution of ``a @ x.T = b.T`` times 2**exponents, rounded; None if digits ran out.

    Parameters
    ----------
    a, b : ndarray of float64
        A matrix (n, n) that is not singular, and rows (k, n) of right-hand sides; finite.
    is_zero : ndarray of bool
        Of each component of x (k, n), whether it is zero.
    exponents : ndarray of int
        One for each component (k, n).
    """
    rows, columns = balance(a)
    order = _substitution(a)
    system = _fractions(a, -(rows[:, None] + columns)), _fractions(b, -rows).T
    found = None if order else _lifted(*system, exponents - columns)
    if found is not None:
        return found
    matrix, sides = map(_decimals, system)
    digits = FEWEST
    while digits <= MOST and (order or len(a) ** 3 * digits <= MOST_WORK):
        with decimal.localcontext(_context(digits)):
            if order:
                x, bound = _by_substitution(matrix, sides, order, digits)
            else:
                x, bound = _by_inverse(matrix, sides, is_zero.T, digits)
        if (is_zero.T | (bound <= ENOUGH * _sizes(x))).all():
            x[is_zero.T] = Decimal(0)
            with decimal.localcontext(ROOM):
                powers = _decimals(_fractions(np.ones_like(b), exponents - columns))
                return np.array((x.T * powers).tolist(), float)
        digits *= 3
    return None


def is_within_reach(order: int) -> bool:
    """Whether `rounded_solution` is for systems of this order."""
    return order <= LARGEST_ORDER


def _fraction(value: float, power: int) -> Fraction:
    """``value * 2**power``, exactly."""
    p, q = float(value).as_integer_ratio()
    return Fraction(p << power, q) if power >= 0 else Fraction(p, q << -power)


def _decimal(value: Fraction) -> Decimal:
    """The same number, whose denominator is a power of two."""
    places = value.denominator.bit_length() - 1
    with decimal.localcontext(ROOM):
        return Decimal(value.numerator * 5**places).scaleb(-places)


_fractions: Any = np.frompyfunc(lambda value, power: _fraction(value, int(power)), 2, 1)
_decimals: Any = np.frompyfunc(_decimal, 1, 1)


def _lifted(a: Array, b: Array, exponents: Array) -> Array | None:
    """By integers, times 2**exponents; None if they are too long, or too many."""
    if len(a) > LARGEST_LIFTED:
        return None
    system, of_b = lifting.integers(a, b)
    most = MOST_BITS[0] + MOST_BITS[1] * len(a)
    x = system.solution() if system.bits_of_solution() <= most else None
    if x is None:
        return None
    rounded = [
        [_rounded(v, int(e)) for v, e in zip(*pair, strict=True)]
        for pair in zip(x.T, exponents - of_b[:, None], strict=True)
    ]
    return np.array(rounded)


def _rounded(x: Fraction, power: int) -> float:
    """``x * 2**power``, rounded once, Inf beyond the range."""
    try:
        p, q = x.numerator, x.denominator
        return (p << power) / q if power >= 0 else p / (q << -power)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _substitution(a: Array) -> list[tuple[int, int]] | None:
    """Rows and columns of the pivots of a triangle, whose rows and columns may be permuted."""
    there = a != 0
    left = there.sum(axis=1)
    order = []
    for _ in range(len(a)):
        rows = np.flatnonzero(left == 1)
        if not rows.size:
            return None
        row = int(rows[0])
        column = int(np.flatnonzero(there[row])[0])
        order.append((row, column))
        left -= there[:, column]
        there[:, column] = False
    return order


def _context(digits: int) -> decimal.Context:
    traps = [decimal.DivisionByZero, decimal.InvalidOperation]
    return decimal.Context(prec=digits, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=traps)


def _by_substitution(
    a: Array, b: Array, order: list[tuple[int, int]], digits: int
) -> tuple[Array, Array]:
    """The solution, and a bound of its error, from so many digits."""
    x, error = np.full(b.shape, Decimal(0)), np.full(b.shape, Decimal(0))
    unit = Decimal(1).scaleb(1 - digits) * (len(a) + 8)  # more than a sum and a quotient lose
    done: list[int] = []
    for row, column in order:
        factors, pivot = a[row, done], a[row, column]
        sizes = _sizes(factors)
        x[column] = (b[row] - factors @ x[done]) / pivot
        lost = (sizes @ _sizes(x[done]) + _sizes(b[row])) * unit
        error[column] = (sizes @ error[done] + lost) / abs(pivot) * (1 + unit)
        done.append(column)
    return x, error


def _by_inverse(a: Array, b: Array, is_zero: Array, digits: int) -> tuple[Array, Array]:
    """The solution, and a bound of its error, from so many digits; Inf if they prove nothing.

    With an approximate inverse R, ``alpha = norm(I - R a) < 1`` and r = b - a x, the error of x is
    at most |R r| + alpha / (1 - alpha) max |R r| (Rump, Acta Numerica 19, 2010, section 10). What
    has more digits, I - R a and r, has errors of its own, which are added.
    """
    n = len(a)
    nothing = np.zeros_like(b), np.full(b.shape, Decimal("Infinity"))
    try:
        inverse = _inverse(a)
    except (decimal.DivisionByZero, decimal.InvalidOperation):
        return nothing
    x = _product(inverse, b)
    with decimal.localcontext(_context(2 * digits + 20)) as here:
        unit = Decimal(1).scaleb(3 - here.prec) * n
        sizes_a, sizes = _sizes(a), _sizes(inverse)
        rest = _product(inverse, a)
        rest[np.diag_indices(n)] -= Decimal(1)
        # |R| |a| 1, not |R| |a|: of the sums of rows alone
        alpha = max(_sizes(rest).sum(axis=1) + unit * (sizes @ sizes_a.sum(axis=1)))
        if not alpha < Decimal("1e-9"):
            return nothing
        for _ in range(3):
            x = x + inverse @ (b - a @ x)
        x[is_zero] = Decimal(0)
        r = _sizes(b - a @ x) + unit * (sizes_a @ _sizes(x) + _sizes(b))
        bound = sizes @ r
        return x, (bound + 2 * alpha * bound.max(axis=0)) * (1 + unit)


def _product(a: Array, b: Array) -> Array:
    """Row by row, between which signals are heard."""
    return np.array([row @ b for row in a], object)


def _inverse(a: Array) -> Array:
    """By LU with partial pivoting."""
    n = len(a)
    lu = np.concatenate(
        [a, np.array([[Decimal(int(i == j)) for j in range(n)] for i in range(n)])], 1
    )
    for k in range(n):
        p = k + int(np.argmax(_sizes(lu[k:, k])))
        lu[[k, p]] = lu[[p, k]]
        factors = lu[k + 1 :, k] / lu[k, k]
        for i in np.flatnonzero(factors):
            lu[k + 1 + i, k:] -= factors[i] * lu[k, k:]
    x = lu[:, n:]
    for k in reversed(range(n)):
        x[k] = (x[k] - lu[k, k + 1 : n] @ x[k + 1 :]) / lu[k, k]
    return x
