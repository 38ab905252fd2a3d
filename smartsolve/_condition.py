"""What happens after a solve that was singular, ill-conditioned, or asked about."""

import functools
import math
import sys
import warnings
from contextlib import ContextDecorator
from contextvars import ContextVar
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from . import _errors
from ._core import methods
from ._report import SolveInfo

__all__ = ["conclude", "doubt", "errstate", "geterr", "policy", "seterr"]

IllConditioned = Literal["ignore", "warn", "raise"]
Singular = Literal["raise", "warn", "nan"]


class Policy(NamedTuple):
    """What doubtful and singular matrices do; `outer` is the policy around a block's."""

    ill_conditioned: IllConditioned
    singular: Singular
    outer: "Policy | None" = None


_default = Policy("warn", "raise")
_block: ContextVar[Policy | None] = ContextVar("smartsolve.errstate", default=None)


def policy() -> Policy:
    """What is in force here and now."""
    return _block.get() or _default


def _check(ill_conditioned: object, singular: object) -> None:
    if ill_conditioned not in (None, "ignore", "warn", "raise"):
        raise ValueError(
            f"ill_conditioned is {ill_conditioned!r}; expected 'ignore', 'warn' or 'raise'"
        )
    if singular not in (None, "raise", "warn", "nan"):
        raise ValueError(f"singular is {singular!r}; expected 'raise', 'warn' or 'nan'")


def geterr() -> dict[str, str]:
    """Return what ill-conditioned and singular matrices do here and now.

    Returns
    -------
    dict of str
        The choices of `errstate`, by the names of its arguments.

    See Also
    --------
    seterr, errstate
    numpy.geterr : The same for floating-point errors.

    Examples
    --------
    >>> import smartsolve
    >>> smartsolve.geterr()
    {'ill_conditioned': 'warn', 'singular': 'raise'}
    >>> with smartsolve.errstate(singular="nan"):
    ...     smartsolve.geterr()
    {'ill_conditioned': 'warn', 'singular': 'nan'}
    """
    now = policy()
    return {"ill_conditioned": now.ill_conditioned, "singular": now.singular}


def seterr(
    *, ill_conditioned: IllConditioned | None = None, singular: Singular | None = None
) -> dict[str, str]:
    """Set what ill-conditioned and singular matrices do where no `errstate` says otherwise.

    Parameters
    ----------
    ill_conditioned : {"ignore", "warn", "raise"}, optional
        As in `errstate`.
    singular : {"raise", "warn", "nan"}, optional
        As in `errstate`.

    Returns
    -------
    dict of str
        The defaults until now; ``seterr(**old)`` restores them.

    Raises
    ------
    ValueError
        If a choice is not one of the above.

    Notes
    -----
    The defaults are the process's: every thread and task sees them, those that
    run already included. `numpy.seterr` sets its own thread's alone; a program
    that wants that uses `errstate`.

    See Also
    --------
    geterr, errstate
    numpy.seterr : The same for floating-point errors.

    Examples
    --------
    >>> import smartsolve
    >>> old = smartsolve.seterr(singular="nan")
    >>> smartsolve.solve([[1.0, 1.0], [1.0, 1.0]], [1.0, 2.0])
    array([nan, nan])
    >>> smartsolve.seterr(**old)
    {'ill_conditioned': 'warn', 'singular': 'nan'}
    """
    global _default
    _check(ill_conditioned, singular)
    old = _default
    _default = Policy(ill_conditioned or old.ill_conditioned, singular or old.singular)
    return {"ill_conditioned": old.ill_conditioned, "singular": old.singular}


class errstate(ContextDecorator):
    """Context that decides about ill-conditioned and singular matrices.

    Parameters
    ----------
    ill_conditioned : {"ignore", "warn", "raise"}, optional
        What a matrix with ``rcond`` below the machine epsilon does: nothing,
        an `IllConditionedWarning` (the default outside of any context), or a
        `numpy.linalg.LinAlgError`. So with the warnings derived from it.
    singular : {"raise", "warn", "nan"}, optional
        What an exactly singular matrix does: raise
        `numpy.linalg.LinAlgError` (the default), or leave NaN in its place in
        the solution, with a `SingularMatrixWarning`, as far as
        `ill_conditioned` lets it, or without. The argument ``on_singular`` of
        `solve` has precedence.

    Raises
    ------
    ValueError
        If a choice is not one of the above.

    Notes
    -----
    The state is a context variable: threads and asynchronous tasks do not see
    each other's. Contexts nest; what is left out is inherited, in the end from
    the defaults that `seterr` sets. Also a decorator, of coroutine functions
    too.

    See Also
    --------
    seterr : The defaults.
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
        _check(ill_conditioned, singular)
        self._ill_conditioned = ill_conditioned
        self._singular = singular

    def __call__(self, function: Any) -> Any:
        if not iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return decorated

    def __enter__(self) -> "errstate":
        now = policy()
        _block.set(
            Policy(
                self._ill_conditioned or now.ill_conditioned,
                self._singular or now.singular,
                outer=_block.get(),
            )
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The way back is in the policy, not in this object, which threads and tasks may share.
        left = _block.get()
        _block.set(left and left.outer)


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
    on_singular = on_singular or policy().singular
    if singular is not None and on_singular != "nan":
        count, first, row, is_singular, pivot = singular
        place = _errors.where(first, count, batch)
        method = methods()[row]["method"]
        if not is_singular:
            raise LinAlgError(_errors.not_positive_definite(pivot, place))
        if on_singular == "raise":
            raise LinAlgError(_errors.singular(method, pivot, place))
        doubt(_errors.singular_warning(method, pivot, place), "SingularMatrixWarning", rcond=0.0)
    if ill is not None:
        count, first, row, _, _ = ill
        eps = float(np.finfo(np.float32 if single else np.float64).eps)
        text = _errors.ill_conditioned(
            methods()[row]["method"], worst_rcond, eps, _errors.where(first, count, batch), count
        )
        doubt(text, "IllConditionedWarning", rcond=worst_rcond)
    return x if details is None else (x, SolveInfo.from_table(*details))


def doubt(text: str, warning: str, rcond: float = math.nan) -> None:
    """Say that an answer is doubtful, as `errstate` wants it: a warning, an error, or nothing.

    Both have `rcond` as an attribute.
    """
    ill_conditioned = policy().ill_conditioned
    if ill_conditioned == "raise":
        error = LinAlgError(text)
        error.rcond = rcond  # type: ignore[attr-defined]
        raise error
    if ill_conditioned == "warn":
        from . import _warnings

        said = getattr(_warnings, warning)(text)
        said.rcond = rcond
        warnings.warn(said, stacklevel=_callers_level())


def _callers_level() -> int:
    """The ``stacklevel`` of the first frame outside of this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals):
        level, frame = level + 1, frame.f_back
    return level


def _is_ours(module: dict[str, Any]) -> bool:
    return str(module.get("__package__")).partition(".")[0] == __package__
