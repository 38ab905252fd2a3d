"""The calls: a plain solution first, which is then made accurate, or has its errors bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _condition, _core, _errors, _operands
from .._factorization import Factorization
from .._report import SolveInfo
from .certified import certified
from .full import LONG_UP_TO, full
from .posing import POSITIVE_DEFINITE, Factored, Posed, meant

__all__ = ["solve_accurately", "solve_factored"]

Array = npt.NDArray[Any]

ACCURACIES = ("full", "certified")


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
        return _improved(
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
        solved = _improved(a, rhs, x, info, accuracy, bool(return_info), factored)
    if not return_info:
        return _operands.like(b, solved)
    return _operands.like(b, solved[0]), solved[1]


def _solve_with(f: Any, b: Any, **options: Any) -> Any:
    return f.solve(b, **options)


def _improved(
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
        better, failed = full(posed, on_singular or _condition.policy().singular)
        x = posed.restored(better).reshape(x.shape).astype(x.dtype)
        x = np.where(keeps.reshape(x.shape), plain, x)
        if failed.any():
            rcond = float(np.min(info().rcond))
            text = _errors.not_accurate(int(failed.sum()))
            _condition.doubt(text, "IllConditionedWarning", rcond)
    else:
        pair, wide = certified(posed)
        x, bound = posed.rounded(pair, wide, x.shape, x.dtype)
        keeps = keeps.reshape(x.shape)
        x, bound = np.where(keeps, plain, x), np.where(keeps, np.nan, bound)
        if np.isinf(bound).any():
            axes = (-1,) if vector else (-2, -1)
            is_open: Any = np.isinf(bound).any(axis=axes)
            is_singular = is_open & np.isnan(x).any(axis=axes)
            on_singular = on_singular or _condition.policy().singular
            _say_what_is_not_proved(is_open, is_singular, info(), on_singular)
    if not return_info:
        return x
    return x, replace(info(), error_bound=bound)


def _say_what_is_not_proved(
    is_open: Array, is_singular: Array, info: SolveInfo, on_singular: str
) -> None:
    """Of singular matrices what is asked for; of others, that a bound is missing."""
    rcond = np.broadcast_to(info.rcond, is_open.shape)
    is_singular = is_singular & (rcond == 0)  # not an rcond beyond the range, whose x is a number
    if is_singular.any() and on_singular != "nan":
        first, count = int(np.argmax(is_singular)), int(is_singular.sum())
        text = _errors.singular_unproved(_errors.where(first, count, is_open.shape))
        _condition.doubt(text, "SingularMatrixWarning", rcond=0.0)
    is_open = is_open & ~is_singular
    if is_open.any():
        worst = float(np.min(rcond[is_open]))
        _condition.doubt(_errors.not_certified(), "IllConditionedWarning", worst)


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
