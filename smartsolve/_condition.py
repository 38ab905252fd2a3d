"""What happens after a solve that was singular, ill-conditioned, or asked about."""

import sys
import warnings
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from . import _errors
from ._core import methods
from ._report import SolveInfo

__all__ = ["conclude", "errstate"]

IllConditioned = Literal["ignore", "warn", "raise"]
Singular = Literal["raise", "nan"]

_policy: ContextVar[tuple[IllConditioned, Singular]] = ContextVar(
    "smartsolve.errstate", default=("warn", "raise")
)


class errstate(ContextDecorator):
    """Context that decides about ill-conditioned and singular matrices.

    Parameters
    ----------
    ill_conditioned : {"ignore", "warn", "raise"}, optional
        What a matrix with ``rcond`` below the machine epsilon does: nothing,
        an `IllConditionedWarning` (the default outside of any context), or a
        `numpy.linalg.LinAlgError`.
    singular : {"raise", "nan"}, optional
        What an exactly singular matrix does: raise
        `numpy.linalg.LinAlgError` (the default), or leave NaN in its place in
        the solution. The argument ``on_singular`` of `solve` has precedence.

    Raises
    ------
    ValueError
        If a choice is not one of the above.

    Notes
    -----
    The state is a context variable: threads and asynchronous tasks do not see
    each other's. Contexts nest; what is left out is inherited. Also a
    decorator.

    See Also
    --------
    numpy.errstate : The same idea for floating-point errors.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> stack = np.array([[[2.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]])
    >>> with smartsolve.errstate(singular="nan"):
    ...     smartsolve.solve(stack, np.array([2.0, 4.0]))
    array([[ 1.,  2.],
           [nan, nan]])
    """

    def __init__(
        self,
        *,
        ill_conditioned: IllConditioned | None = None,
        singular: Singular | None = None,
    ) -> None:
        if ill_conditioned not in (None, "ignore", "warn", "raise"):
            raise ValueError(
                f"ill_conditioned is {ill_conditioned!r}; expected 'ignore', 'warn' or 'raise'"
            )
        if singular not in (None, "raise", "nan"):
            raise ValueError(f"singular is {singular!r}; expected 'raise' or 'nan'")
        self._ill_conditioned = ill_conditioned
        self._singular = singular
        self._tokens: list[Token[tuple[IllConditioned, Singular]]] = []

    def _recreate_cm(self) -> "errstate":
        return errstate(ill_conditioned=self._ill_conditioned, singular=self._singular)

    def __enter__(self) -> "errstate":
        ill_conditioned, singular = _policy.get()
        self._tokens.append(
            _policy.set((self._ill_conditioned or ill_conditioned, self._singular or singular))
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _policy.reset(self._tokens.pop())


Finding = tuple[int, int, int, bool, int]


def conclude(
    x: npt.NDArray[Any],
    batch: tuple[int, ...],
    on_singular: Singular | None,
    singular: Finding | None,
    ill: Finding | None,
    worst_rcond: float,
    single: bool,
    details: tuple[npt.NDArray[Any], ...] | None,
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], SolveInfo]:
    """Raise, warn or report, and return what `solve` returns. Called by the native entry.

    A finding is (number of slices, the first's index, row of the table of
    methods, whether singular or else not positive definite, at which pivot).
    """
    ill_conditioned, otherwise = _policy.get()
    if singular is not None and (on_singular or otherwise) == "raise":
        count, first, row, is_singular, pivot = singular
        place = _errors.where(first, count, batch)
        if is_singular:
            raise LinAlgError(_errors.singular(methods()[row]["method"], pivot, place))
        raise LinAlgError(_errors.not_positive_definite(pivot, place))
    if ill is not None and ill_conditioned != "ignore":
        count, first, row, _, _ = ill
        eps = float(np.finfo(np.float32 if single else np.float64).eps)
        text = _errors.ill_conditioned(
            methods()[row]["method"], worst_rcond, eps, _errors.where(first, count, batch), count
        )
        if ill_conditioned == "raise":
            raise LinAlgError(text)
        from ._warnings import IllConditionedWarning

        warnings.warn(text, IllConditionedWarning, stacklevel=_callers_level())
    return x if details is None else (x, SolveInfo.from_table(*details))


def _callers_level() -> int:
    """The ``stacklevel`` of the first frame outside of this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    return level
