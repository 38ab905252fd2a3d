"""What elimination modulo primes proves: singular or not, and which components are zero.

A determinant that is not 0 modulo a prime is not 0. One that is 0 modulo primes whose product is
larger than the determinant can be (Hadamard) is 0; so with components of the solution, by Cramer's
rule. Primes are drawn at random in each process, so that nobody can make a matrix for them, and
as many as the proof takes. Where that would be too long, two decide: of a determinant of N bits at
most N / 61 primes of this size are factors, among 2^55, so that they err once in 10^25 calls at
order 1000, whatever the matrix is.
"""

from __future__ import annotations

import math
import secrets
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core

__all__ = ["verdicts"]

Array = npt.NDArray[Any]

LEAST, END = math.isqrt(2**123) + 1, 2**62  # of primes: from 2^61.5, which the native half takes
BITS = 61.5  # of each
FIRST = 2  # primes of each question
MOST_WORK = 1e9  # of one call, thrice its products modulo primes: some seconds
_primes: list[int] = []
_drawing = threading.Lock()


def verdicts(a: Array, b: Array, is_open: Array) -> tuple[Array, Array]:
    """Which matrices are singular, and which components of solutions are zero.

    Parameters
    ----------
    a, b : ndarray of float64
        Finite matrices (count, n, n) and rows (count, k, n) of right-hand sides.
    is_open : ndarray of bool
        The components (count, k, n) that are asked about; of others none is said to be zero.
    """
    is_singular, is_zero = _modulo(primes(FIRST), a, b)
    is_zero &= is_open & ~is_singular[:, None, None]
    left = MOST_WORK
    for k in np.flatnonzero(is_singular | is_zero.any(axis=(1, 2))):
        one = slice(k, k + 1)
        augmented = a[k] if is_singular[k] else np.concatenate([a[k], b[k].T], axis=1)
        needed = int(_bits_of_minors(augmented) / BITS) + 1
        work = needed * len(a[k]) ** 2 * (len(a[k]) + 3 * len(b[k]))
        if needed > FIRST and work <= left:
            left -= work
            is_singular[one], found = _modulo(primes(needed), a[one], b[one])
            is_zero[one] = found & is_open[one] & ~is_singular[k]
    return is_singular, is_zero


def _modulo(fields: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Which are singular modulo all the primes, and zero modulo all where their matrix is not."""
    regular, is_zero = _core.residues(a, b, fields)
    # Zeros need the product of the primes as well, of which those that divide a determinant are
    # no part: one is nothing that happens.
    return regular == 0, is_zero & (regular == len(fields))[:, None, None]


def _bits_of_minors(a: Array) -> float:
    """Hadamard's bound of minors (n, n) of a matrix (n, m), m >= n, made of integers by powers of
    two of its rows and columns.
    """
    m, e = np.frexp(a)
    digits = np.abs(np.ldexp(m, 53)).astype(np.int64)
    there = digits != 0
    _, zeros = np.frexp((digits & -digits).astype(float))  # one more than end the number
    last = np.where(there, e - 53 + zeros - 1, 1 << 20)
    rows = np.where(there.any(axis=1), last.min(axis=1), 0)
    last = np.where(there, last - rows[:, None], 1 << 20)
    columns = np.where(there.any(axis=0), last.min(axis=0), 0)
    bits = np.where(there, e - rows[:, None] - columns, 0)
    # By rows, and by the n longest columns.
    by_rows = bits.max(axis=1) + np.log2(np.maximum(there.sum(axis=1), 1)) / 2
    by_columns = bits.max(axis=0) + np.log2(np.maximum(there.sum(axis=0), 1)) / 2
    return float(min(by_rows.sum(), np.sort(by_columns)[-len(a) :].sum())) + 1


def primes(count: int) -> Array:
    """So many, different ones, the same in each call of a process."""
    with _drawing:
        while len(_primes) < count:
            p = LEAST + secrets.randbelow(END - LEAST) | 1
            if p < END and p not in _primes and _is_prime(p):
                _primes.append(p)
        return np.array(_primes[:count], np.uint64)


_SMALL = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_PRODUCT = math.prod(p for p in range(3, 600, 2) if all(p % d for d in range(3, p, 2)))


def _is_prime(p: int) -> bool:
    """Miller and Rabin's test, whose bases here leave no doubt up to 2^81 (Sorenson and Webster,
    Math. Comp. 86, 2017).
    """
    if math.gcd(p, _PRODUCT) != 1:
        return False
    twos = ((p - 1) & (1 - p)).bit_length() - 1
    for base in _SMALL:
        x = pow(base, (p - 1) >> twos, p)
        if x in (1, p - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % p
            if x == p - 1:
                break
        else:
            return False
    return True
