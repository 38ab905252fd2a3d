"""The table of kinds of operands, and how a call goes through one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .dlpack import Exchanged
from .kind import Kind, with_rounding
from .labels import Pandas, Xarray
from .lazy import Dask
from .precision import converted, types
from .quantities import Astropy, Pint, Unyt

__all__ = ["KINDS", "Kind", "kind_of", "outermost", "rounded"]

# The outer ones first: what may hold the others.
KINDS: tuple[Kind, ...] = (Xarray(), Pandas(), Pint(), Astropy(), Unyt(), Dask(), Exchanged())


_known: dict[type, Kind | None] = {}


def kind_of(operand: Any) -> Kind | None:
    """The kind of one operand, if it is more than numbers.

    By its class alone: whoever has an object of a library's class has loaded the library.
    """
    cls = type(operand)
    try:
        return _known[cls]
    except KeyError:
        kind = next((kind for kind in KINDS if kind.has(cls)), None)
    if len(_known) < 1000:  # classes may be made without end
        _known[cls] = kind
    return kind


def outermost(a: Any, b: Any) -> Kind | None:
    """The kind that a call has to do with first."""
    of_a, of_b = kind_of(a), kind_of(b)
    if of_a is None or of_b is None:
        return of_a or of_b
    return min(of_a, of_b, key=KINDS.index)


def rounded(
    function: Callable[..., Any], a: Any, b: Any, dtype: npt.DTypeLike, **options: Any
) -> Any:
    """A call in the type that is asked for; half precision is computed in single, and rounded.

    With an ``accuracy`` the numbers stay as they are, in double precision, and the answer is
    rounded.
    """
    wanted, working = types(dtype)
    if options.get("accuracy") is not None:
        working = np.dtype(np.complex128 if working.kind == "c" else np.float64)
    arrays = [converted(x, name, working, dtype) for name, x in (("a", a), ("b", b))]
    solved = function(*arrays, **options)
    if working == wanted:
        return solved
    if options.get("return_info"):
        x, info = solved
        narrow = x.astype(wanted)
        return narrow, with_rounding(info, x, narrow)
    return solved.astype(wanted)
