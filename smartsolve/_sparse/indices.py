"""Indices that lie where SciPy, which converts formats without a look at them, may write."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["refuse_indices_outside"]


def refuse_indices_outside(a: Any) -> None:
    """ValueError if a container of SciPy's names places that it has not."""
    form = getattr(a, "format", None)
    if form == "coo":
        for axis, places in enumerate(getattr(a, "coords", ())):
            _refuse(places, a.shape[axis], f"axis {axis}")
    elif form in ("csc", "csr", "bsr"):
        shape = a.shape if len(a.shape) == 2 else (1, *a.shape)
        if form == "bsr":
            shape = tuple(n // size for n, size in zip(shape, a.blocksize, strict=True))
        lines, places = shape if form != "csc" else shape[::-1]
        starts = a.indptr
        stored = min(len(a.indices), len(a.data))
        rises = len(starts) == lines + 1 and starts[0] == 0 and bool(np.all(np.diff(starts) >= 0))
        if not rises or starts[-1] > stored:
            raise ValueError(f"indptr must rise from 0 to at most the {stored} entries stored")
        _refuse(a.indices[: starts[-1]], places, "block" if form == "bsr" else "place")


def _refuse(indices: npt.NDArray[Any], count: int, what: str) -> None:
    if indices.size and not 0 <= indices.min() <= indices.max() < count:
        raise ValueError(f"indices must lie between 0 and {count - 1}, the last {what}")
