"""Calls of `torch.linalg.solve`."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

from .._patch.function import Function
from ..torch._operator import holds_numbers
from ..torch._patch import torch_solve
from .recorder import Group, Recorder, Recording, Site, silence

__all__ = ["recorders"]


class _TorchRecorder(Recorder):
    """A solve of tensors, eager ones: what is compiled or transformed is left alone."""

    __slots__ = ()

    tiny = (torch.eye(2), torch.eye(2))

    def __call__(self, A: Any, B: Any, **options: Any) -> Any:  # type: ignore[override]
        if torch.compiler.is_compiling() or "out" in options:  # which may be an operand
            return self._runs(A, B, **options)
        frame = sys._getframe(1)
        if frame.f_globals.get("__name__", "").startswith("torch."):
            return self._runs(A, B, **options)  # one of PyTorch's functions calls another
        return self._recorded(frame, A, B, (), options)

    def _group(self, site: Site, a: Any, b: Any) -> tuple[Group | None, Any]:
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

    def _copied(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a, b  # no option permits overwriting

    def _look(self, group: Group, matrix: Any, x: Any) -> None:
        group.look(_as_numpy(matrix))

    def _keep(self, group: Group, a: Any, b: Any) -> None:
        """As NumPy takes it: m vectors are m columns there."""
        if b.shape == a.shape[:-1] != a.shape[-1:]:
            b = b.unsqueeze(-1)
        group.keep(_as_numpy(a), _as_numpy(b))


def _as_numpy(tensor: Any) -> Any:
    return tensor.detach().resolve_conj().resolve_neg().numpy()


def recorders(recording: Recording, with_ours: bool) -> Iterator[tuple[Function, Recorder]]:
    """Each function of PyTorch's with what records its calls."""
    solver, ours = torch_solve()
    pair = (ours, solver.original) if with_ours else (solver.original, ours)
    yield solver, _TorchRecorder("torch.linalg.solve", recording, solver.original, *pair)
