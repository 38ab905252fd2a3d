"""Extra-precise refinement of posed systems."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .posing import Posed, U, over_last

__all__ = ["SLOWEST", "refined", "refined_in_steps", "rid_of_noise"]

Array = npt.NDArray[Any]

SLOWEST = 0.05  # a refinement that gains less a step is left to double-double
SETTLED = 2.0**-64  # of a component, what may still move
ENOUGH = 2.0**-56  # of the same, by a last bit


def refined(posed: Posed, correct: Any) -> tuple[Array, Array]:
    """Extra-precise refinement to the last bit, and which systems did not converge.

    Residuals and solution have twice the digits (Demmel, Hida, Kahan, Li, Mukherjee and Riedy, ACM
    TOMS 32, 2006), or three times where components that are small beside the others need them.
    """
    high = np.ascontiguousarray(posed.x)
    high = np.where(np.isfinite(high), high, 0.0)
    low, least = np.zeros_like(high), np.zeros_like(high)
    done = np.zeros(high.shape[:2], bool)
    relative_before, before = np.ones(done.shape), np.full(done.shape, np.inf)
    moved = over_last(np.maximum, np.abs(high))
    in_three, first = False, None
    for _ in range(24):
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
        moves = over_last(np.maximum, sizes)
        # 0 / 0 counts for nothing.
        relative = np.fmax(over_last(np.fmax, sizes / np.abs(high)), 0.0)
        rate = np.fmax(relative / relative_before, 0.0)
        # No component will move by more, relative to itself, but for the rounding of residuals,
        # which is to the first move as u to 1, or as its square; this move is a sample.
        first = sizes if first is None else first
        rounding = first.shape[-1] * (U * U if in_three else U)
        rounding = rounding * np.fmax(over_last(np.fmax, first / np.abs(high)), 0.0)
        is_small = (relative <= ENOUGH) & (rounding <= ENOUGH)
        # That a small component does not move tells nothing of it while others do: the next move of
        # all is to be small beside it.
        smallest = over_last(np.fmin, np.where(high == 0, np.inf, np.abs(high)))
        is_small &= moves * np.fmin(moves / moved, 1.0) <= ENOUGH * smallest
        moved = moves
        done |= (relative * rate <= SETTLED * (1 - rate)) & is_small & np.isfinite(moves)
        goes_on = (moves <= SLOWEST * before) & np.isfinite(moves)
        if (done | ~goes_on).all():
            if in_three or done.all():
                break
            in_three, before = True, np.full(done.shape, np.inf)
        else:
            before = moves
        relative_before = relative
    return high, np.asarray(~done.all(axis=-1))


def refined_in_steps(posed: Posed, correct: Any) -> tuple[Array, Array]:
    """In a few steps, as far as a proof makes use of them: a sum of two, in which nothing is
    promised of what did not converge.
    """
    high = np.ascontiguousarray(posed.x)
    high = np.where(np.isfinite(high), high, 0.0)
    low = np.zeros_like(high)
    relative_before: Any = 1.0
    before: Any = math.inf
    for _ in range(4):
        d = correct(_core.residual(posed.a, high, low, posed.b))
        s, error = _two_sum(high, d)
        high, low = _two_sum(s, low + error)
        sizes, whole = np.abs(d), np.abs(high)
        moves = over_last(np.maximum, sizes)
        relative = over_last(np.fmax, sizes / whole)  # 0 / 0 counts for nothing
        # What is left to move is to this move as this to the one before.
        settled = relative * relative <= SETTLED * (relative_before - relative)
        largest = over_last(np.maximum, whole)
        if (settled | ~((moves > 2.0**-90 * largest) & (moves <= SLOWEST * before))).all():
            break
        relative_before, before = relative, moves
    return high, low


def rid_of_noise(posed: Posed, x: Array) -> Array:
    """With zeros for what is nothing beside the largest component, where that solves exactly."""
    x = np.ascontiguousarray(x)
    size = np.abs(x)
    noise = size <= 2.0**-80 * size.max(axis=-1, keepdims=True)
    if not noise.any():
        return x
    exact, none = np.where(noise, 0.0, x), np.zeros_like(x)
    left = _core.residual_of_three(posed.a, exact, none, none, posed.b)
    return np.where((left == 0).all(axis=-1, keepdims=True), exact, x)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and, exactly, what rounding it left."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)
