"""Proved bounds of errors, by the triangles of a matrix or by its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .posing import TINY, Posed, U, rows_of
from .refinement import refined_in_steps

__all__ = ["certified"]

Array = npt.NDArray[Any]

BY_TRIANGLES_FROM = 13  # order
INVERTED_UP_TO = 64  # order up to which an inverse is tried even if its rounding is no proof
NEARLY_RIGHT = 2.0**-40  # a plain solution, where the least proof is worth a try


def certified(posed: Posed) -> tuple[tuple[Array, Array], Array]:
    """The solution as a sum of two, and a bound of that sum's error; inf where none is proved."""
    correct = posed.corrections()
    count, n = posed.a.shape[:2]
    high, low = refined_in_steps(posed, correct)
    if count == 1 and n >= BY_TRIANGLES_FROM:
        bound = _bound_by_triangles(posed, high[0], low[0])
        if bound is not None:
            return (high, low), bound[None]
        one = posed.factored
        if n > INVERTED_UP_TO and one is not None and one.f.rcond <= n * U:
            return (high, low), np.full(high.shape, np.inf)
    inverse = rows_of(correct(np.broadcast_to(np.eye(n), posed.a.shape)))
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
