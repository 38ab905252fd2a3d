"""All digits: refinement, or double-double, or as many as it takes; and what is singular."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _condition, _core, _errors
from . import multiple_precision
from .posing import TINY, Posed, over_last
from .refinement import SLOWEST, refined, rid_of_noise
from .residues import verdicts

__all__ = ["full"]

Array = npt.NDArray[Any]

LONG_UP_TO = 12  # order up to which all is factored in double-double at once


def full(posed: Posed, on_singular: str) -> tuple[Array, Array]:
    """The solution rounded from more digits, and which systems failed."""
    count, n = posed.a.shape[:2]
    is_small = multiple_precision.is_within_reach(n)
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
    is_open = doubtful[hard][:, None, None] | ~is_settled[hard]
    is_singular, is_zero = verdicts(a, b, is_open)
    x = np.ldexp(np.where(is_zero, 0.0, x[hard]), posed.exponent[hard])
    x[is_singular] = np.nan
    goes_on = doubtful[hard] | (is_open & ~is_zero).any(axis=(1, 2))
    for k in np.flatnonzero(goes_on & ~is_singular):
        found = None
        if is_small:
            exponents = np.broadcast_to(posed.exponent[hard][k], b[k].shape)
            found = multiple_precision.rounded_solution(a[k], b[k], is_zero[k], exponents)
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
        x, hard = refined(posed, correct)
        x = rid_of_noise(posed, x)
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
        moves, size = (over_last(np.maximum, np.abs(v))[:, 0] for v in (d, y))
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
