"""Answers that prove themselves: ``accuracy="full"`` and ``accuracy="certified"``.

Systems are posed in float64, single precision and integers exactly, a complex system of order n as
the real one of order 2 n, and scaled by powers of two, exactly, so that errors of products can be
represented.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from . import _condition, _core, _errors
from ._report import SolveInfo

__all__ = ["solve_accurately", "solve_factored"]

Array = npt.NDArray[Any]

ACCURACIES = ("full", "certified")
U = 2.0**-53  # half an ulp of 1
TINY = 2.0**-1060  # more than all that underflows in a sum of 2^13 products
LONG_UP_TO = 12  # order up to which all is factored in double-double at once
SLOWEST = 0.05  # a refinement that gains less a step is left to double-double


def _refuse(accuracy: object) -> None:
    """Raise ``ValueError`` for a word that is none of them."""
    if accuracy not in ACCURACIES:
        raise ValueError(f"accuracy is {accuracy!r}; expected None, 'full' or 'certified'")


def solve_accurately(a: Array, b: Array, accuracy: str, **options: Any) -> Any:
    """`solve` with an accuracy, for plain arrays; called by the native entry."""
    _refuse(accuracy)
    return_info = bool(options.pop("return_info", False))
    for name in ("overwrite_a", "overwrite_b", "workers", "precision"):
        options.pop(name, None)
    with _condition.errstate(ill_conditioned="ignore"):
        x, info = _core.solve(a, b, return_info=True, **options)
    a = meant(a, options.get("assume_a"), bool(options.get("lower")))
    if options.get("transposed"):
        a = np.swapaxes(a, -1, -2)
    return improved(a, b, x, info, accuracy, return_info)


def solve_factored(
    f: Any, b: Any, transposed: bool, conjugate: bool, accuracy: str, return_info: bool
) -> Any:
    """`Factorization.solve` with an accuracy; called by the native entry."""
    _refuse(accuracy)
    b = np.asarray(b)
    x = f.solve(b, transposed=transposed, conjugate=conjugate)
    a = meant(f._matrix, f._declared, f._lower)
    a = np.swapaxes(a, -1, -2) if transposed else a
    a = a.conj() if conjugate else a
    rows = np.array([row["routine"] for row in _core.methods()])[f._rows()]
    info = SolveInfo(f.structure, f.method, rows if rows.ndim else str(rows), f.rcond, math.nan)
    return improved(a, b, x, info, accuracy, bool(return_info))


def improved(
    a: Array, b: Array, x: Array, info: SolveInfo, accuracy: str, return_info: bool
) -> Any:
    """The solution x of a plain solve, made accurate, or with a bound."""
    vector = b.ndim == 1
    if x.size == 0:
        return (x, replace(info, error_bound=np.zeros(x.shape))) if return_info else x
    posed = Posed(a, b[:, None] if vector else b, x[..., None] if vector else x)
    if not posed.is_finite:
        return (x, replace(info, error_bound=np.full(x.shape, np.nan))) if return_info else x
    if accuracy == "full":
        better, failed = _full(posed)
        bound = None
        x = posed.restored(better).reshape(x.shape).astype(x.dtype)
        if failed.any():
            rcond = float(np.min(info.rcond))
            _condition.doubt(
                _errors.not_accurate(int(failed.sum())), "IllConditionedWarning", rcond
            )
    else:
        pair, wide = _certified(posed)
        x, bound = posed.rounded(pair, wide, x.shape, x.dtype)
        if np.isinf(bound).any():
            rcond = float(np.min(info.rcond))
            _condition.doubt(_errors.not_certified(), "IllConditionedWarning", rcond)
    if not return_info:
        return x
    return x, replace(info, error_bound=bound)


def meant(a: Array, structure: Any, lower: bool) -> Array:
    """The matrix that is meant by what is declared of it."""
    if structure in ("pos", "positive definite", "her", "hermitian", "sym", "symmetric",
                     "spd tridiagonal", "spd banded"):  # fmt: skip
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


def _power(a: Array) -> tuple[Array, Array]:
    """Over the last two axes: a times a power of two that brings it near 1, and its exponent.

    Where that would not be exact, nothing is done.
    """
    largest = np.abs(a).max(axis=(-2, -1), keepdims=True, initial=0)
    _, exponent = np.frexp(largest)
    scaled = np.ldexp(a, -exponent)
    exact = (np.ldexp(scaled, exponent) == a).all(axis=(-2, -1), keepdims=True)
    exponent = np.where(exact, exponent, 0)
    return np.where(exact, scaled, a), exponent


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
        a = np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
        b = np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(-1, *b.shape[-2:])
        x = x.reshape(-1, *x.shape[-2:])
        self.shared = shared
        self.a, self.of_a = _power(np.ascontiguousarray(a, np.float64))
        columns = np.ascontiguousarray(np.swapaxes(b, -1, -2), np.float64)[..., None, :]
        scaled, of_b = _power(columns)
        self.b = np.ascontiguousarray(scaled[..., 0, :])
        self.exponent = (of_b - self.of_a[:, None])[..., 0]  # of x, for each column
        self.x = np.ldexp(np.swapaxes(x, -1, -2).astype(np.float64), -self.exponent)
        self.is_finite = bool(np.isfinite(self.a).all() and np.isfinite(self.b).all())

    def restored(self, columns: Array, exponent: bool = True) -> Array:
        """Columns in the shape of the solution that was given, complex if it was."""
        if exponent:
            columns = np.ldexp(columns, self.exponent)
        x = np.swapaxes(columns, -1, -2)
        if self.shared:
            half = self.shape[-2] * (2 if self.is_complex else 1)
            x = np.moveaxis(x.reshape(half, *self.shape[:-2], self.shape[-1]), 0, -2)
        else:
            x = x.reshape(*self.shape[:-2], *x.shape[-2:])
        if self.is_complex:
            n = self.shape[-2]
            x = x[..., :n, :] + 1j * x[..., n:, :]
        return x

    def rounded(
        self, x: tuple[Array, Array], bound: Array, shape: tuple[int, ...], dtype: Any
    ) -> tuple[Array, Array]:
        """The solution in its own type, and the bound with what that rounding adds."""
        high, low = x
        bound = (bound + np.abs(low)) * (1 + 4 * U)
        back = self.restored(np.ldexp(high, self.exponent), exponent=False)
        wide = self.restored(np.ldexp(bound, self.exponent), exponent=False)
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


def _solver(posed: Posed) -> Any:
    """The matrices, factored in working precision."""
    with _condition.errstate(ill_conditioned="ignore", singular="nan"):
        return _core.Factors(posed.a)


def _add(high: Array, low: Array, d: Array) -> tuple[Array, Array]:
    """high + low + d as the sum of two."""
    s = high + d
    z = s - high
    error = (high - (s - z)) + (d - z)
    low = low + error
    total = s + low
    return total, low - (total - s)


def _refined(posed: Posed, correct: Any, most: int = 12) -> tuple[Array, Array, Array]:
    """Extra-precise refinement: the solution as a sum of two, and where it did not converge.

    Residuals and solution have twice the digits (Demmel, Hida, Kahan, Li, Mukherjee and Riedy, ACM
    TOMS 32, 2006).
    """
    high = np.ascontiguousarray(posed.x)
    high = np.where(np.isfinite(high), high, 0.0)
    low = np.zeros_like(high)
    before = np.full(high.shape[:2], np.inf)
    slow = np.zeros(high.shape[:2], bool)
    with np.errstate(all="ignore"):
        for step in range(most):
            d = correct(_core.residual(posed.a, high, low, posed.b))
            moves = np.abs(d).max(axis=-1)
            high, low = _add(high, low, d)
            size = np.abs(high).max(axis=-1)
            # All components right to more than the last bit, or too small to be told from zero.
            settled = (np.abs(d) <= 2.0**-66 * np.abs(high)).all(axis=-1)
            if step > 0:
                slow |= ~settled & ~(moves <= SLOWEST * before) & ~(moves <= 2.0**-80 * size)
            slow |= ~np.isfinite(moves)
            if (settled | slow).all() or (step > 0 and (moves <= 2.0**-90 * size).all()):
                break
            before = moves
        else:
            slow |= ~settled
        # Components that the rounding of residuals keeps from settling are left to more digits.
        slow |= ~settled
    return high, low, np.asarray(slow.any(axis=-1))


def _full(posed: Posed) -> tuple[Array, Array]:
    """The solution rounded from more digits, and which systems failed."""
    count, n = posed.a.shape[:2]
    failed = np.zeros(count, bool)
    if n <= LONG_UP_TO:
        x = posed.x
        hard = np.ones(count, bool)
    else:
        factors = _solver(posed)
        x, _, hard = _refined(posed, lambda r: _columns(factors, r))
    if hard.any():
        some = np.ascontiguousarray(posed.a[hard]), np.ascontiguousarray(posed.b[hard])
        longer, status = _core.solve_long(*some)
        singular = np.flatnonzero(status == 1)
        if singular.size and _condition.policy().singular == "raise":
            raise LinAlgError(_errors.singular_in_double_double())
        x = np.array(x)
        bad = status != 0
        longer[bad] = np.nan if (status[bad] == 1).all() else longer[bad]
        x[hard] = longer
        failed[hard] = bad
    return x, failed


def _columns(factors: Any, r: Array) -> Array:
    x = factors.solve(np.swapaxes(r, -1, -2))
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def _certified(posed: Posed) -> tuple[tuple[Array, Array], Array]:
    """The solution as a sum of two, and a bound of the error of that sum; inf where none is proved.

    With R an approximate inverse and G = I - R A, norm(G) <= alpha < 1 proves A regular, and

        |A^-1 b - x| <= |R r| + alpha / (1 - alpha) max |R r|,   r = b - A x

    (Rump, Acta Numerica 19, 2010, section 10). Each rounded sum of products has the bound of
    Higham, section 3.1, whatever the order of its operations; bounds are rounded up by factors.
    """
    a = posed.a
    n = a.shape[-1]
    gamma = (n + 4) * U / (1 - (n + 4) * U)
    up = 1 + 4 * (n + 8) * U  # for a bound computed by sums of n products that are not negative
    with np.errstate(all="ignore"):
        inverse = np.ascontiguousarray(_solver(posed).solve(np.eye(n)))
        sizes = np.abs(inverse)
        product = inverse @ a
        diagonal = np.einsum("...ii->...i", product)
        diagonal -= 1
        rows = np.abs(product).sum(axis=-1) * (1 + 2 * U)
        rounding = (sizes @ np.abs(a).sum(axis=-1)[..., None])[..., 0]
        underflow = TINY * (n + sizes.sum(axis=-1) + np.abs(a).sum(axis=-1).max(axis=-1)[..., None])
        alpha = ((rows + 2 * U + gamma * up * rounding) * up + underflow).max(axis=-1)

        transposed = np.swapaxes(inverse, -1, -2)
        high, low, _ = _refined(posed, lambda r: r @ transposed, most=4)
        r = _core.residual(a, high, low, posed.b)
        whole = (np.abs(high) + np.abs(low)) @ np.swapaxes(np.abs(a), -1, -2) + np.abs(posed.b)
        terms = 2 * n + 2
        of_r = (U * np.abs(r) + (2 * terms * U) ** 2 * whole * up) * up + TINY * (n + 1)
        correction = np.abs(r @ transposed)
        more = (np.abs(r) * (gamma * up) + of_r) @ np.swapaxes(sizes, -1, -2)
        first = (correction + more * up) * up + TINY * (n + 1)
        rest = alpha / (1 - alpha) * (1 + 8 * U)
        bound = (first + rest[:, None, None] * first.max(axis=-1, keepdims=True)) * (1 + 8 * U)
        proved = (alpha < 0.5)[:, None, None] & np.isfinite(bound)
    return (high, low), np.where(proved, bound, np.inf)
