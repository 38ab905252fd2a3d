"""The numbers of operands, and the class of an answer, where one side alone has a meaning."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors
from .._sparse import is_sparse
from .._sparse.indices import refuse_indices_outside
from .kinds import kind_of

__all__ = ["has_own_functions", "like", "matrix", "numbers", "right_hand_side"]


def matrix(operand: Any, call: str, name: str = "a") -> npt.NDArray[Any]:
    """The numbers of a matrix; ``TypeError`` if it has a unit of no kind, which would be lost."""
    if type(operand) is np.ndarray:
        return operand
    if _unit(operand) is not None:
        raise TypeError(_errors.unit_lost(name, operand, call))
    return numbers(operand, name)


def right_hand_side(operand: Any, call: str, name: str = "b") -> npt.NDArray[Any]:
    """The numbers of right-hand sides, whose meaning `like` can put on the answer."""
    if type(operand) is np.ndarray:
        return operand
    if kind_of(operand) is None and _unit(operand) is not None and _wrap(operand) is None:
        raise TypeError(_errors.unit_lost(name, operand, call))
    return numbers(operand, name)


def numbers(operand: Any, name: str) -> npt.NDArray[Any]:
    """The numbers of an operand, whatever they mean: sparse ones filled up, and none masked."""
    while (kind := kind_of(operand)) is not None:
        operand = kind.inside(operand, name)
    if type(operand) is np.ndarray:
        return operand
    if is_sparse(operand):
        refuse_indices_outside(operand)
        return np.asarray(operand.toarray())
    if isinstance(operand, np.ndarray):
        masked = int(np.count_nonzero(getattr(operand, "mask", False)))
        if masked:
            raise ValueError(_errors.masked(name, operand, masked))
    return np.asarray(operand)


def like(b: Any, x: Any) -> Any:
    """The solution of a plain matrix as right-hand sides have it, where that is right."""
    if type(b) is np.ndarray:
        return x
    kind = kind_of(b)
    if kind is not None:
        return kind.solution(None, kind.shell(b), like(kind.inside(b, "b"), x), "left")
    wrap = _wrap(b)
    return x if wrap is None else wrap(x)


def has_own_functions(operand: Any) -> bool:
    """Whether NumPy's functions call this operand's own."""
    own = getattr(type(operand), "__array_function__", None)
    return own is not None and own is not np.ndarray.__array_function__


def _wrap(operand: Any) -> Any:
    """What NumPy calls for the class of a result."""
    if not isinstance(operand, np.ndarray) and hasattr(type(operand), "__array_ufunc__"):
        return None
    return getattr(operand, "__array_wrap__", None)


def _unit(operand: Any) -> Any:
    """The unit of a quantity, unless it is 1.

    Of what is no ndarray only if its class has units: a label may bear that name.
    """
    holder = operand if isinstance(operand, np.ndarray) else type(operand)
    for name in ("unit", "units"):
        if getattr(holder, name, None) is not None:
            unit = getattr(operand, name, None)
            return None if str(unit) in ("", "dimensionless", "None") else unit
    return None
