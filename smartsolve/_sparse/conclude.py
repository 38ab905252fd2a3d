"""After the solution: is it to be trusted, and what is said of it?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from .. import _condition, _errors
from .choose import Factored

__all__ = [
    "judge",
    "say_ill_conditioned",
    "say_singular",
]


def judge(factored: Factored, wanted: bool) -> float:
    """The estimate of rcond; NaN where the matrix passes the screen and nobody asks."""
    factors = factored.factors
    if factors is None:
        return np.nan if factored.singular is None else 0.0
    if factored.method.condition == "exact" or wanted or not factors.passes_screen():
        return factors.rcond()
    return np.nan


def say_ill_conditioned(method: str, rcond: float, dtype: np.dtype[Any]) -> None:
    """Warn, raise or pass, as `errstate` says, if rcond lies below eps."""
    eps = float(np.finfo(dtype).eps)
    if rcond < eps:
        text = _errors.ill_conditioned(method, rcond, eps, "", 1, dense=False)
        _condition.doubt(text, "IllConditionedWarning", rcond=rcond)


def say_singular(where: str, policy: str) -> None:
    """Raise, warn or pass."""
    if policy == "raise":
        raise LinAlgError(_errors.sparse_singular(where))
    if policy == "warn":
        _condition.doubt(_errors.sparse_singular_warning(where), "SingularMatrixWarning")
