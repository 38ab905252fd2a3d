"""`torch.linalg.solve` led to `smartsolve.torch.solve`, for code that cannot be changed."""

import functools
from collections.abc import Iterator
from typing import Any

import torch

from .._condition import IllConditioned
from .._patch.context import Patch
from .._patch.function import Function, Replacement, function
from ._linalg import solve

__all__ = ["patch", "replacements", "torch_solve"]


class _TorchSolve(Replacement):
    """`smartsolve.torch.solve` with PyTorch's rules, and PyTorch's own for what that refuses."""

    __slots__ = ()

    singular = torch.linalg.LinAlgError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():  # no context; errstate is asked when the code runs
            return self._call(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def _call(self, A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:
        if out is None and type(A) in _PLAIN and type(B) in _PLAIN and A.dtype == B.dtype:
            try:
                return solve(A, B, left=left, shape_rules="torch")
            except (TypeError, ValueError, RuntimeError, Warning) as refusal:
                return self._instead(refusal, A, B, left=left)
        return self._original(A, B, left=left, out=out)


_PLAIN = (torch.Tensor, torch.nn.Parameter)


@functools.cache
def torch_solve(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`torch.linalg.solve`, and what stands for it."""
    own = function("torch.linalg", "solve")
    return own, _TorchSolve(own.original, ill_conditioned)


def replacements(
    ill_conditioned: IllConditioned | None = None,
) -> Iterator[tuple[Function, Replacement]]:
    """For `patch_numpy`."""
    yield torch_solve(ill_conditioned)


class patch(Patch):
    """Context in which ``torch.linalg.solve`` is `smartsolve.torch.solve`.

    With PyTorch's rules for shapes; what that refuses goes to PyTorch's own,
    as do calls with ``out=``.

    Parameters
    ----------
    everywhere : bool, default False
        Replace also what modules imported so far have bound to names of their
        own.

    Notes
    -----
    The name is the process's: all its threads see it replaced. Contexts nest.

    Examples
    --------
    >>> import torch
    >>> import smartsolve.torch
    >>> with smartsolve.torch.patch():
    ...     torch.linalg.solve(2 * torch.eye(2), torch.ones(2))
    tensor([0.5000, 0.5000])
    """

    _name = "smartsolve.torch.patch"

    def _pairs(self) -> Iterator[tuple[Function, Replacement]]:
        return replacements()
