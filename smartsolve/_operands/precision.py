"""The type that is asked for, and the one that is computed in."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _errors

__all__ = ["converted", "types"]


def types(dtype: npt.DTypeLike) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The type that is asked for, and the one that is computed in."""
    wanted = _dtype(dtype)
    working = np.dtype(np.float32) if wanted.itemsize == 2 else wanted
    if working.char not in "fdFD":
        raise TypeError(_errors.unsolvable_dtype(dtype))
    return wanted, working


def converted(x: Any, name: str, working: np.dtype[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An operand in the type that is computed in; ``TypeError`` if it loses imaginary parts."""
    array = np.asarray(x)
    if array.dtype.kind == "c" and working.kind != "c":
        raise TypeError(f"{name} is complex; dtype={dtype!r} would lose its imaginary part")
    return array.astype(working, copy=False)


def _dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    try:
        return np.dtype(dtype)
    except TypeError:
        if dtype == "bfloat16":
            raise TypeError(
                "NumPy has bfloat16 from the package ml_dtypes: pip install ml_dtypes, import it"
            ) from None
        raise TypeError(_errors.unsolvable_dtype(dtype)) from None
