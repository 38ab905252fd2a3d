"""Calls of `torch.linalg.solve`."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import numpy as np
import torch
import torch._C._functorch as functorch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from .._patch.function import Function
from ..torch._operator import holds_numbers
from ..torch._patch import torch_solve
from .recorder import Group, Recorder, Recording, Site, silence

__all__ = ["recorders"]

_TRANSFORMS = "torch._functorch"


class _TorchRecorder(Recorder):
    """A solve of tensors, transformed ones too: what is compiled is left alone."""

    __slots__ = ()

    tiny = (torch.eye(2), torch.eye(2))

    def __call__(self, A: Any, B: Any, **options: Any) -> Any:  # type: ignore[override]
        if torch.compiler.is_compiling() or "out" in options:  # which may be an operand
            return self._runs(A, B, **options)
        called = sys._getframe(1)
        frame: FrameType | None = called
        while frame is not None and _module(frame).startswith(_TRANSFORMS):
            frame = frame.f_back  # vmap(solve)(A, B): the program's line is further out
        if frame is None or _module(frame).startswith("torch."):
            return self._runs(A, B, **options)  # one of PyTorch's functions calls another
        if frame is not called:
            self._site(frame).is_direct = False
        return self._recorded(frame, A, B, (), options)

    def _group(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
        if torch._C._are_functorch_transforms_active():
            return self._group_of_mapped(site, a, b)
        if not holds_numbers(a, b) or a.dim() < 2:
            return None, None
        key = (a.shape, a.dtype, b.shape, b.dtype)
        group = site.groups.get(key)
        if group is None:
            for right in (a, b):  # a fits from either side
                with suppress(Exception), silence:  # what is loaded and started by the first call
                    self._runs(a, right)
                    self._other(a, right)
            with self._recording.lock:
                group = site.groups.setdefault(key, Group(_as_numpy(a), _as_numpy(b)))
        return group, a

    def _group_of_mapped(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
        """Inside of vmap and torch.func the numbers are there, below what stands for them."""
        try:
            matrix, right = _as_numpy(a), _as_numpy(b)
        except Exception:  # on another device, say
            return None, None
        if matrix.ndim < 2:
            return None, None
        key = (matrix.shape, a.dtype, right.shape, b.dtype, a.shape)
        with self._recording.lock:
            return site.groups.setdefault(key, Group(matrix, right)), matrix

    def _copied(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a, b  # no option permits overwriting

    def _look(self, group: Group, matrix: Any, x: Any) -> None:
        group.look(_as_numpy(matrix))

    def _keep(self, group: Group, a: Any, b: Any) -> None:
        """As NumPy takes it: m vectors are m columns there. What is mapped is not kept."""
        if torch._C._are_functorch_transforms_active():
            return
        if b.shape == a.shape[:-1] != a.shape[-1:]:
            b = b.unsqueeze(-1)
        group.keep(_as_numpy(a), _as_numpy(b))


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _as_numpy(tensor: Any) -> Any:
    """The numbers; those of vmap's tensors with the mapped axes in front, the outermost first."""
    if isinstance(tensor, np.ndarray):
        return tensor
    mapped: list[int | None] = []
    while functorch.is_functorch_wrapped_tensor(tensor):
        is_mapped = functorch.is_batchedtensor(tensor)
        mapped.append(functorch.maybe_get_bdim(tensor) if is_mapped else None)
        tensor = functorch.get_unwrapped(tensor)
    if not mapped:
        return tensor.detach().resolve_conj().resolve_neg().numpy()
    with temporarily_clear_interpreter_stack():  # else it would be wrapped again
        values = tensor.detach().resolve_conj().resolve_neg().numpy()
    axes = list(range(values.ndim))
    in_front = [axes.pop(axis) for axis in reversed(mapped) if axis is not None]
    return values.transpose(in_front + axes)


def recorders(recording: Recording, with_ours: bool) -> Iterator[tuple[Function, Recorder]]:
    """Each function of PyTorch's with what records its calls."""
    solver, ours = torch_solve()
    pair = (ours, solver.original) if with_ours else (solver.original, ours)
    yield solver, _TorchRecorder("torch.linalg.solve", recording, solver.original, *pair)
