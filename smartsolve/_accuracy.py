"""Answers that prove themselves: ``accuracy="full"`` and ``accuracy="certified"``.

Systems are posed in float64, single precision and integers exactly, a complex system of order n as
the real one of order 2 n, and scaled by powers of two, exactly, so that errors of products can be
represented.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from . import _condition, _core, _errors, _multiple_precision, _operands
from ._factorization import Factorization
from ._report import SolveInfo

__all__ = ["solve_accurately", "solve_factored"]

Array = npt.NDArray[Any]

ACCURACIES = ("full", "certified")
POSITIVE_DEFINITE = ("pos", "positive definite", "spd tridiagonal", "spd banded")
U = 2.0**-53  # half an ulp of 1
TINY = 2.0**-1060  # more than all that underflows in a sum of 2^13 products
NEAR = 100  # exponents of sizes that are left as they are
LONG_UP_TO = 12  # order up to which all is factored in double-double at once
SLOWEST = 0.05  # a refinement that gains less a step is left to double-double
# The least sizes in a matrix and in a right-hand side, when all are near 1 or less, for which no
# error of a product of an element with a component of the solution underflows.
LEAST = 2.0**-300, 2.0**-560
INVERTED_UP_TO = 64  # order up to which an inverse is tried even if its rounding is no proof
NEARLY_RIGHT = 2.0**-40  # a plain solution, where the least proof is worth a try
SETTLED = 2.0**-64  # of a component, what may still move


def _refuse(accuracy: object) -> None:
    """Raise ``ValueError`` for a word that is none of them."""
    if accuracy not in ACCURACIES:
        raise ValueError(f"accuracy is {accuracy!r}; expected None, 'full' or 'certified'")


def _refuse_long_integers(name: str, x: Array) -> None:
    """Raise ``ValueError`` for integers that are not numbers of double precision."""
    if x.dtype.char in "qQlL" and x.size and max(int(x.max()), -int(x.min())) > 2**53:
        raise ValueError(
            f"{name} holds integers beyond 2**53, which double precision rounds: nothing is proved "
            "of them. Scale the system, or round it yourself"
        )


def solve_accurately(a: Array, b: Array, accuracy: str, **options: Any) -> Any:
    """`solve` with an accuracy, for plain arrays; called by the native entry."""
    _refuse(accuracy)
    return_info = bool(options.pop("return_info", False))
    for name in ("overwrite_a", "overwrite_b", "workers", "precision"):
        options.pop(name, None)
    given = options.get("on_singular")
    if _is_worth_factors(a, b, options):
        try:
            with _condition.errstate(ill_conditioned="ignore", singular="raise"):
                f = Factorization(a, options.get("assume_a"), bool(options.get("lower")))
        except LinAlgError:
            pass  # perhaps for a pivot that rounding has made zero
        else:
            transposed = bool(options.get("transposed"))
            return solve_factored(f, b, transposed, False, accuracy, return_info)

    def solved(return_info: bool) -> Any:
        with _condition.errstate(ill_conditioned="ignore"):
            return _core.solve(a, b, return_info=return_info, **options)

    if accuracy == "full" and options.get("assume_a") not in POSITIVE_DEFINITE:
        options["on_singular"] = "nan"  # it is found out below
    x = solved(return_info=False)
    m = meant(a, options.get("assume_a"), bool(options.get("lower")))
    if options.get("transposed"):
        m = np.swapaxes(m, -1, -2)
    with np.errstate(all="ignore"):  # as elsewhere, Inf and NaN are seen in the solution
        return improved(
            m,
            b,
            x,
            lambda: solved(return_info=True)[1],
            accuracy,
            return_info,
            on_singular=given,
        )


def _is_worth_factors(a: Array, b: Array, options: dict[str, Any]) -> bool:
    """Whether the factors of the plain solve serve the refinement, too."""
    return (
        a.ndim == 2
        and len(a) > LONG_UP_TO
        and a.dtype.char in "dD"
        and b.dtype.char in ("d" if a.dtype.char == "d" else "dD")
        and b.ndim in (1, 2)
        and options.get("on_singular") is None
    )


def solve_factored(
    f: Any, b: Any, transposed: bool, conjugate: bool, accuracy: str | None, return_info: bool
) -> Any:
    """`Factorization.solve` with an accuracy, or asked for its info; called by the native entry."""

    def info() -> SolveInfo:
        rows = np.array([row["routine"] for row in _core.methods()])[f._rows()]
        routine = rows if rows.ndim else str(rows)
        return SolveInfo(f.structure, f.method, routine, f.rcond, math.nan)

    if accuracy is None:
        return f.solve(b, transposed=transposed, conjugate=conjugate), info()
    _refuse(accuracy)
    kind = _operands.kind_of(b)
    if kind is not None:
        side: Any = "transposed" if transposed else "left"
        options: dict[str, Any] = {"accuracy": accuracy, "return_info": bool(return_info)}
        options |= {"transposed": transposed, "conjugate": conjugate}
        return kind.through(_solve_with, f, b, side, **options)
    rhs = _operands.right_hand_side(b, "a Factorization")
    x = f.solve(rhs, transposed=transposed, conjugate=conjugate)
    a = meant(f._matrix, f._declared, f._lower)
    a = np.swapaxes(a, -1, -2) if transposed else a
    a = a.conj() if conjugate else a
    factored = Factored(f, transposed, conjugate) if a.ndim == 2 and a.dtype.char in "dD" else None
    with np.errstate(all="ignore"):
        solved = improved(a, rhs, x, info, accuracy, bool(return_info), factored)
    if not return_info:
        return _operands.like(b, solved)
    return _operands.like(b, solved[0]), solved[1]


def _solve_with(f: Any, b: Any, **options: Any) -> Any:
    return f.solve(b, **options)


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


def improved(
    a: Array,
    b: Array,
    x: Array,
    info: Callable[[], SolveInfo],
    accuracy: str,
    return_info: bool,
    factored: Factored | None = None,
    on_singular: str | None = None,
) -> Any:
    """The solution x of a plain solve, made accurate, or with a bound.

    What holds Inf or NaN, a system of a stack or a column, keeps its plain solution.
    """
    for name, given in (("a", a), ("b", b)):
        _refuse_long_integers(name, given)
    vector = b.ndim == 1
    if x.size == 0:
        return (x, replace(info(), error_bound=np.zeros(x.shape))) if return_info else x
    posed = Posed(a, b[:, None] if vector else b, x[..., None] if vector else x)
    posed.factored = factored
    if not posed.is_finite.any():
        return (x, replace(info(), error_bound=np.full(x.shape, np.nan))) if return_info else x
    plain, keeps = x, posed.set_aside()
    bound = None
    if accuracy == "full":
        better, failed = _full(posed, on_singular or _condition.policy().singular)
        x = posed.restored(better).reshape(x.shape).astype(x.dtype)
        x = np.where(keeps.reshape(x.shape), plain, x)
        if failed.any():
            rcond = float(np.min(info().rcond))
            text = _errors.not_accurate(int(failed.sum()))
            _condition.doubt(text, "IllConditionedWarning", rcond)
    else:
        pair, wide = _certified(posed)
        x, bound = posed.rounded(pair, wide, x.shape, x.dtype)
        keeps = keeps.reshape(x.shape)
        x, bound = np.where(keeps, plain, x), np.where(keeps, np.nan, bound)
        if np.isinf(bound).any():
            rcond = float(np.min(info().rcond))
            _condition.doubt(_errors.not_certified(), "IllConditionedWarning", rcond)
    if not return_info:
        return x
    return x, replace(info(), error_bound=bound)


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


def _over_last(ufunc: np.ufunc, a: Array) -> Array:
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
        _, e = np.frexp(a)
        e = np.where(a == 0, -1000, e)
        rows = e.max(axis=-1, keepdims=True)
        columns = (e - rows).max(axis=-2, keepdims=True)
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
            return lambda r: _rows(factors.solve(np.swapaxes(r, -1, -2)))
        half = self.a.shape[-1] // 2
        is_scaled = bool(self.of_a.any())
        power = self.of_a // 2  # in two steps, of which neither leaves the range

        def correct(r: Array) -> Array:
            r = (np.ldexp(r, power) if is_scaled else r)[0]
            columns = r[:, :half] + 1j * r[:, half:] if self.is_complex else r
            x = one.solve(columns.T)
            x = np.concatenate([x.real, x.imag]) if self.is_complex else x
            d = _rows(x)[None]
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


def _rows(x: Array) -> Array:
    """Columns as contiguous rows."""
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and, exactly, what rounding it left."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def _refined(posed: Posed, correct: Any, to_last_bit: bool) -> tuple[Array, Array, Array]:
    """Extra-precise refinement: the solution as a sum of two, and where it did not converge.

    Residuals and solution have twice the digits (Demmel, Hida, Kahan, Li, Mukherjee and Riedy, ACM
    TOMS 32, 2006), or three times where components that are small beside the others need them.
    """
    high = np.ascontiguousarray(posed.x)
    high = np.where(np.isfinite(high), high, 0.0)
    low, least = np.zeros_like(high), np.zeros_like(high)
    done = np.zeros(high.shape[:2], bool)
    relative_before, before = np.ones(done.shape), np.full(done.shape, np.inf)
    moved = _over_last(np.maximum, np.abs(high))
    in_three, enough = False, 2.0**-56 if to_last_bit else 1.0
    first = None
    for _ in range(24 if to_last_bit else 4):
        if in_three:
            r = _core.residual_of_three(posed.a, high, low, least, posed.b)
        else:
            r = _core.residual(posed.a, high, low, posed.b)
        d = correct(r)
        s, error = _two_sum(high, d)
        if in_three:
            error, rest = _two_sum(low, error)
            least = least + rest
        else:
            error = low + error
        high, low = _two_sum(s, error)
        sizes = np.abs(d)
        moves = _over_last(np.maximum, sizes)
        # 0 / 0 counts for nothing.
        relative = np.fmax(_over_last(np.fmax, sizes / np.abs(high)), 0.0)
        rate = np.fmax(relative / relative_before, 0.0)
        # No component will move by more, relative to itself, but for the rounding of residuals,
        # which is to the first move as u to 1, or as its square; this move is a sample.
        first = sizes if first is None else first
        rounding = first.shape[-1] * (U * U if in_three else U)
        rounding = rounding * np.fmax(_over_last(np.fmax, first / np.abs(high)), 0.0)
        is_small = (relative <= enough) & ((rounding <= enough) | (not to_last_bit))
        if to_last_bit:
            # That a small component does not move tells nothing of it while others do: the next
            # move of all is to be small beside it.
            smallest = _over_last(np.fmin, np.where(high == 0, np.inf, np.abs(high)))
            is_small &= moves * np.fmin(moves / moved, 1.0) <= enough * smallest
            moved = moves
        done |= (relative * rate <= SETTLED * (1 - rate)) & is_small & np.isfinite(moves)
        goes_on = (moves <= SLOWEST * before) & np.isfinite(moves)
        if not to_last_bit:
            goes_on &= moves > 2.0**-90 * _over_last(np.maximum, np.abs(high))
        if (done | ~goes_on).all():
            if in_three or not to_last_bit or done.all():
                break
            in_three, before = True, np.full(done.shape, np.inf)
        else:
            before = moves
        relative_before = relative
    return high, low, np.asarray(~done.all(axis=-1))


def _refined_in_steps(posed: Posed, correct: Any) -> tuple[Array, Array]:
    """`_refined` in a few steps for a proof of one matrix, whose columns converge alike."""
    high = np.ascontiguousarray(posed.x)
    high = np.where(np.isfinite(high), high, 0.0)
    low = np.zeros_like(high)
    relative_before, before = 1.0, math.inf
    for _ in range(4):
        d = correct(_core.residual(posed.a, high, low, posed.b))
        s, error = _two_sum(high, d)
        high, low = _two_sum(s, low + error)
        sizes, whole = np.abs(d), np.abs(high)
        moves = float(sizes.max())
        relative = float(np.fmax.reduce(sizes / whole, axis=None))  # 0 / 0 counts for nothing
        # What is left to move is to this move as this to the one before.
        settled = relative * relative <= SETTLED * (relative_before - relative)
        if settled or not 2.0**-90 * float(whole.max()) < moves <= SLOWEST * before:
            break
        relative_before, before = relative, moves
    return high, low


def _rid_of_noise(posed: Posed, x: Array) -> Array:
    """With zeros for what is nothing beside the largest component, where that solves exactly."""
    x = np.ascontiguousarray(x)
    size = np.abs(x)
    noise = size <= 2.0**-80 * size.max(axis=-1, keepdims=True)
    if not noise.any():
        return x
    exact, none = np.where(noise, 0.0, x), np.zeros_like(x)
    left = _core.residual_of_three(posed.a, exact, none, none, posed.b)
    return np.where((left == 0).all(axis=-1, keepdims=True), exact, x)


def _full(posed: Posed, on_singular: str) -> tuple[Array, Array]:
    """The solution rounded from more digits, and which systems failed."""
    count, n = posed.a.shape[:2]
    is_small = _multiple_precision.is_within_reach(n)
    posed.balance()
    x, is_settled, doubtful = _in_double_double(posed)
    if is_small:
        doubtful |= ~posed.in_range
    hard = doubtful | ~is_settled.all(axis=(1, 2))
    failed = np.zeros(count, bool)
    rounded = np.ldexp(x, posed.exponent)
    if not hard.any():
        return rounded, failed
    a, b = (np.ascontiguousarray(v[hard]) for v in (posed.a, posed.b))
    is_singular, is_zero = _core.residues(a, b)
    x = np.ldexp(np.where(is_zero, 0.0, x[hard]), posed.exponent[hard])
    x[is_singular] = np.nan
    is_open = doubtful[hard] | ~(is_settled[hard] | is_zero).all(axis=(1, 2))
    for k in np.flatnonzero(is_open & ~is_singular):
        found = None
        if is_small:
            exponents = np.broadcast_to(posed.exponent[hard][k], b[k].shape)
            found = _multiple_precision.rounded_solution(a[k], b[k], is_zero[k], exponents)
        failed[np.flatnonzero(hard)[k]] = found is None
        x[k] = x[k] if found is None else found
    rounded[hard] = x
    if is_singular.any() and on_singular != "nan":
        first = int(np.flatnonzero(hard)[is_singular][0])
        place = _errors.where(first, int(is_singular.sum()), posed.batch)
        if on_singular == "raise":
            raise LinAlgError(_errors.exactly_singular(place))
        text = _errors.exactly_singular(place, is_raised=False)
        _condition.doubt(text, "SingularMatrixWarning", rcond=0.0)
    return rounded, failed


def _in_double_double(posed: Posed) -> tuple[Array, Array, Array]:
    """The solution, which of its components are right, and which systems more digits may belie."""
    count, n = posed.a.shape[:2]
    x, hard = posed.x, np.ones(count, bool)
    is_settled, doubtful = np.zeros(x.shape, bool), np.zeros(count, bool)
    if n > LONG_UP_TO:
        correct = posed.corrections()
        x, _, hard = _refined(posed, correct, to_last_bit=True)
        x = _rid_of_noise(posed, x)
        if hard.any():
            none = np.zeros_like(x)
            hard &= (_core.residual_of_three(posed.a, x, none, none, posed.b) != 0).any(axis=(1, 2))
        size = np.abs(x)
        # Zeros whose refinement ended by underflow.
        noise = (size < 2.0**-400 * size.max(axis=-1, keepdims=True)) & (size > 0)
        hard |= noise.any(axis=(1, 2))
        doubtful |= _are_out_of_reach(posed, x, ~hard, correct)
        is_settled[~hard] = True
    if hard.any():
        some = np.ascontiguousarray(posed.a[hard]), np.ascontiguousarray(posed.b[hard])
        x = np.array(x)
        x[hard], is_settled[hard], status = _core.solve_long(*some)
        small_pivots = np.zeros(count, bool)
        small_pivots[hard] = (status != 0) & is_settled[hard].any(axis=(1, 2))
        doubtful |= _are_out_of_reach(posed, x, small_pivots, None)
    return x, is_settled, doubtful


def _are_out_of_reach(posed: Posed, x: Array, doubtful: Array, correct: Any) -> Array:
    """Which systems have more than one solution, x being one of them, or elements too small.

    Another right-hand side is solved, which no singular matrix has a solution for: there,
    corrections do not get smaller. It also tells what becomes of products that underflow.
    """
    result = np.zeros_like(doubtful)
    if not doubtful.any():
        return result
    count, n = posed.a.shape[:2]
    side = np.cos(np.arange(n) ** 2.0)
    sides = np.ascontiguousarray(np.broadcast_to(side, (count, 1, n)))
    if correct is not None:
        y = correct(sides)
        d = correct(_core.residual(posed.a, y, np.zeros_like(y), sides))
        moves, size = (_over_last(np.maximum, np.abs(v))[:, 0] for v in (d, y))
        unsure = doubtful & ~(moves <= SLOWEST * size)
        y = np.array(y)
    else:
        y, unsure = np.zeros_like(sides), doubtful
    if unsure.any():
        some = np.ascontiguousarray(posed.a[unsure]), sides[unsure]
        y[unsure], is_settled, _ = _core.solve_long(*some)
        result[unsure] = ~is_settled.all(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        lost = ~(TINY * n * np.abs(y) <= 2.0**-56 * np.abs(x)) & (x != 0)
    return np.asarray(result | (doubtful & lost.any(axis=(-2, -1))))


def _certified(posed: Posed) -> tuple[tuple[Array, Array], Array]:
    """The solution as a sum of two, and a bound of that sum's error; inf where none is proved."""
    correct = posed.corrections()
    count, n = posed.a.shape[:2]
    if count == 1:
        high, low = _refined_in_steps(posed, correct)
    else:
        high, low, _ = _refined(posed, correct, to_last_bit=False)
    if count == 1 and n > LONG_UP_TO:
        bound = _bound_by_triangles(posed, high[0], low[0])
        if bound is not None:
            return (high, low), bound[None]
        one = posed.factored
        if n > INVERTED_UP_TO and one is not None and one.f.rcond <= n * U:
            return (high, low), np.full(high.shape, np.inf)
    inverse = _rows(correct(np.broadcast_to(np.eye(n), posed.a.shape)))
    return (high, low), _core.bound_by_inverse(posed.a, inverse, high, low, posed.b)


def _bound_by_triangles(posed: Posed, high: Array, low: Array) -> Array | None:
    """For one matrix, by the triangles of its factors; None if that proves nothing."""
    a, b = posed.a[0], posed.b[0]
    n = len(a)
    up = 1 + 4 * (n + 8) * U
    of_sizes = (4 * (n + 1) * U) ** 3  # accuracy.hpp
    with np.errstate(all="ignore"):
        parts = high[None], low[None], np.zeros_like(high)[None]
        r = np.abs(_core.residual_of_three(posed.a, *parts, posed.b)[0])
        is_posed_as_given = not posed.is_complex and posed.of_a.item() == 0
        # Where refinement had little to do, the condition is good.
        may_do = bool(np.abs(high - posed.x[0]).max() <= NEARLY_RIGHT * np.abs(high).max())
        triangles = posed.factored.triangles() if posed.factored and is_posed_as_given else None
        bound = _core.bound_by_triangles(
            a,
            (r * (1 + 4 * U) + of_sizes * np.abs(b) + TINY * (n + 1)) * up,
            (np.abs(high) + np.abs(low) / U) * up,
            of_sizes * up,
            may_do,
            *(triangles or ()),
        )
    return None if bound is None else np.where(np.isfinite(bound), bound, np.inf)
