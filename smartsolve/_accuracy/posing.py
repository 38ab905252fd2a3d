"""Systems as they are solved with care: real, in float64, near 1, and nothing rounded on the way.

Single precision and integers are posed in float64 exactly, a complex system of order n as the real
one of order 2 n, and all is scaled by powers of two, exactly, so that errors of products can be
represented.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _condition, _core

__all__ = [
    "POSITIVE_DEFINITE",
    "TINY",
    "Factored",
    "Posed",
    "U",
    "balance",
    "meant",
    "over_last",
    "rows_of",
]

Array = npt.NDArray[Any]

POSITIVE_DEFINITE = ("pos", "positive definite", "spd tridiagonal", "spd banded")
U = 2.0**-53  # half an ulp of 1
TINY = 2.0**-1060  # more than all that underflows in a sum of 2^13 products
NEAR = 100  # exponents of sizes that are left as they are
# The least sizes in a matrix and in a right-hand side, when all are near 1 or less, for which no
# error of a product of an element with a component of the solution underflows.
LEAST = 2.0**-300, 2.0**-560


@dataclass(frozen=True)
class Factored:
    """One matrix in double precision, whose factors are at hand, and which of it is meant."""

    f: Any
    transposed: bool
    conjugate: bool

    def solve(self, r: Array) -> Any:
        return self.f.solve(r, transposed=self.transposed, conjugate=self.conjugate)

    def triangles(self) -> tuple[Array, Array, bool] | None:
        """``P m = L U`` of the matrix that is meant, or of its transpose; None of most."""
        found = self.f._triangles()
        return None if found is None else (*found[:2], found[2] != self.transposed)


def meant(a: Array, structure: Any, lower: bool) -> Array:
    """The matrix that is meant by what is declared of it."""
    if structure in (*POSITIVE_DEFINITE, "her", "hermitian", "sym", "symmetric"):
        part = np.tril(a) if lower else np.triu(a)
        mirrored = np.swapaxes(part, -1, -2)
        if structure not in ("sym", "symmetric"):
            mirrored = mirrored.conj()
        diagonal = np.einsum("...ii->...i", a)
        if structure not in ("sym", "symmetric"):
            diagonal = diagonal.real
        a = part + mirrored
        np.einsum("...ii->...i", a)[...] = diagonal
    kl, ku = {
        "diagonal": (0, 0),
        "upper triangular": (0, None),
        "lower triangular": (None, 0),
        "tridiagonal": (1, 1),
        "spd tridiagonal": (1, 1),
        "upper hessenberg": (1, None),
        "lower hessenberg": (None, 1),
    }.get(structure, (None, None))
    if kl is not None:
        a = np.triu(a, -kl)
    if ku is not None:
        a = np.tril(a, ku)
    return a


def over_last(ufunc: np.ufunc, a: Array) -> Array:
    """``ufunc.reduce`` over the last axis, of which a short one goes element by element."""
    if not 0 < a.shape[-1] <= 16:
        return np.asarray(ufunc.reduce(a, axis=-1))
    result = a[..., 0]
    for k in range(1, a.shape[-1]):
        result = ufunc(result, a[..., k])
    return result


def _power(a: Array, lower_end: float) -> tuple[Array, Array, Array, Array]:
    """Over the last two axes: a by a power of two that brings it near 1, and its exponent; whether
    all is finite, and then in the range that ends at `lower_end`.

    Where it is near enough, or that would not be exact, nothing is done.
    """
    largest, least = _core.extremes(a)
    if ((largest <= 2.0**NEAR) & (largest >= 2.0**-NEAR)).all():
        none = np.zeros((*largest.shape, 1, 1), int)
        return a, none, np.ones(largest.shape, bool), least >= lower_end
    is_finite = np.isfinite(largest)
    _, exponent = np.frexp(largest)
    exponent = np.clip(exponent, -1000, 1000)  # whose powers, and their inverses, are numbers
    exponent = np.where((np.abs(exponent) <= NEAR) | ~is_finite, 0, exponent)
    scaled = a
    if exponent.any():
        power = exponent[..., None, None]
        scaled = a * np.ldexp(1.0, -power)
        exact = (scaled * np.ldexp(1.0, power) == a).all(axis=(-2, -1))
        if not exact.all():
            exponent = np.where(exact, exponent, 0)
            scaled = np.where(exact[..., None, None], scaled, a)
    in_range = ~(least < np.ldexp(lower_end, exponent))
    in_range &= ~(largest > np.ldexp(4.0**NEAR, exponent))
    return scaled, exponent[..., None, None], is_finite, in_range


def balance(a: Array) -> tuple[Array, Array]:
    """Exponents of rows (..., n) and of columns, by whose powers of two they are to be divided."""
    _, e = np.frexp(a)
    e = np.where(a == 0, -10_000, e)  # subnormal numbers have exponents of their own
    rows = e.max(axis=-1)
    columns = (e - rows[..., None]).max(axis=-2)
    return rows, columns


class Posed:
    """A stack of real systems ``a @ x = b`` in float64: (count, n, n) and columns (count, k, n)."""

    def __init__(self, a: Array, b: Array, x: Array) -> None:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        self.is_complex = np.iscomplexobj(x)
        self.shape = x.shape
        if self.is_complex:
            a = np.concatenate(
                [np.concatenate([a.real, -a.imag], -1), np.concatenate([a.imag, a.real], -1)], -2
            )
            b, x = (np.concatenate([part.real, part.imag], -2) for part in (b, x))
        # One matrix, many right-hand sides: they are its columns.
        shared = math.prod(a.shape[:-2]) <= 1 and len(batch) > 0
        if shared:
            b, x = (np.moveaxis(v, -2, 0).reshape(1, v.shape[-2], -1) for v in (b, x))
            batch = (1,)
        a, b = (
            (v if v.shape[:-2] == batch else np.broadcast_to(v, (*batch, *v.shape[-2:]))).reshape(
                -1, *v.shape[-2:]
            )
            for v in (a, b)
        )
        x = x.reshape(-1, *x.shape[-2:])
        self.shared = shared
        scaled = _power(np.ascontiguousarray(a, np.float64), LEAST[0])
        self.a, self.of_a, of_a, in_range = scaled
        columns = np.ascontiguousarray(np.swapaxes(b, -1, -2), np.float64)[..., None, :]
        columns, of_b, of_columns, are_in_range = _power(columns, LEAST[1])
        self.b = np.ascontiguousarray(columns[..., 0, :])
        # Whether no product of an element with a component of the solution may underflow.
        self.in_range = in_range & are_in_range.all(axis=-1)
        self.exponent = (of_b - self.of_a[:, None])[..., 0]  # of x, for each column
        self.x = np.ldexp(np.swapaxes(x, -1, -2).astype(np.float64), -self.exponent)
        self.is_finite = of_a[:, None] & of_columns  # of each column
        self.batch = () if shared else batch
        self.factored: Factored | None = None  # the one matrix, as it was given

    def balance(self) -> None:
        """Bring what is out of range nearer to 1 by powers of two of rows and columns, exactly."""
        out = ~self.in_range
        if not out.any():
            return
        a, b = self.a[out], self.b[out]
        rows, columns = balance(a)
        rows, columns = rows[..., None], columns[..., None, :]
        of_b = np.swapaxes(rows, -1, -2)
        scaled, sides = np.ldexp(np.ldexp(a, -rows), -columns), np.ldexp(b, -of_b)
        back = np.ldexp(np.ldexp(scaled, columns), rows)
        exact = (back == a).all(axis=(-2, -1)) & (np.ldexp(sides, of_b) == b).all(axis=(-2, -1))
        out[out], scaled, sides, columns = exact, scaled[exact], sides[exact], columns[exact]
        if not exact.any():
            return
        sides, of_b, _, are_in_range = _power(np.ascontiguousarray(sides[..., None, :]), LEAST[1])
        _, least = _core.extremes(np.ascontiguousarray(scaled))
        self.in_range[out] = (least >= LEAST[0]) & are_in_range.all(axis=-1)
        self.a, self.b, self.x = (np.array(v) for v in (self.a, self.b, self.x))
        self.a[out], self.b[out] = scaled, sides[..., 0, :]
        power = of_b[..., 0] - columns
        self.x[out] = np.ldexp(self.x[out], -power)
        self.exponent = np.array(np.broadcast_to(self.exponent, self.b.shape))
        self.exponent[out] += power
        self.factored = None

    def set_aside(self) -> Array:
        """Put what can be solved in the place of what holds Inf or NaN, and say where of x."""
        away = ~self.is_finite
        if not away.any():
            return np.zeros(self.shape, bool)
        self.a, self.b = self.a.copy(), self.b.copy()  # they may be the caller's
        self.a[away.all(axis=-1)] = np.eye(self.a.shape[-1])
        self.b[away] = self.x[away] = 0
        columns = np.broadcast_to(away[..., None], self.b.shape)
        return np.asarray(self.restored(columns.astype(float)).real > 0)

    def corrections(self) -> Any:
        """A function of residuals (count, k, n): what is to be added to the solutions."""
        one = self.factored
        if one is None:
            with _condition.errstate(ill_conditioned="ignore", singular="nan"):
                factors = _core.Factors(self.a)
            return lambda r: rows_of(factors.solve(np.swapaxes(r, -1, -2)))
        half = self.a.shape[-1] // 2
        is_scaled = bool(self.of_a.any())
        power = self.of_a // 2  # in two steps, of which neither leaves the range

        def correct(r: Array) -> Array:
            r = (np.ldexp(r, power) if is_scaled else r)[0]
            columns = r[:, :half] + 1j * r[:, half:] if self.is_complex else r
            x = one.solve(columns.T)
            x = np.concatenate([x.real, x.imag]) if self.is_complex else x
            d = rows_of(x)[None]
            return np.asarray(np.ldexp(d, self.of_a - power)) if is_scaled else d

        return correct

    def restored(self, columns: Array) -> Array:
        """Columns in the shape of the solution that was given, complex if it was."""
        x = np.swapaxes(columns, -1, -2)
        if self.shared:
            half = self.shape[-2] * (2 if self.is_complex else 1)
            x = np.moveaxis(x.reshape(half, *self.shape[:-2], self.shape[-1]), 0, -2)
        else:
            x = x.reshape(*self.shape[:-2], *x.shape[-2:])
        if self.is_complex:
            n = self.shape[-2]
            parts = x  # not to be added: i times Inf has a real part of NaN
            x = np.empty((*x.shape[:-2], n, x.shape[-1]), complex)
            x.real, x.imag = parts[..., :n, :], parts[..., n:, :]
        return x

    def rounded(
        self, x: tuple[Array, Array], bound: Array, shape: tuple[int, ...], dtype: Any
    ) -> tuple[Array, Array]:
        """The solution in its own type, and the bound with what that rounding adds."""
        high, low = x
        bound = (bound + np.abs(low)) * (1 + 4 * U)
        back = self.restored(np.ldexp(high, self.exponent))
        wide = self.restored(np.ldexp(bound, self.exponent))
        narrow = back.astype(dtype)
        with np.errstate(invalid="ignore"):
            if self.is_complex:
                off = (
                    wide.real
                    + np.abs(back.real - narrow.real.astype(float))
                    + 1j * (wide.imag + np.abs(back.imag - narrow.imag.astype(float)))
                )
                total = np.hypot(off.real, off.imag)
            else:
                total = wide + np.abs(back - narrow.astype(float))
            # Results below the normal numbers have been rounded, here and above.
            total = total * (1 + 16 * U) + 2.0**-1060
        total = np.where(np.isnan(total), np.inf, total)
        return narrow.reshape(shape), total.reshape(shape)


def rows_of(x: Array) -> Array:
    """Columns as contiguous rows."""
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))
