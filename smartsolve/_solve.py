"""The part of `solve` that only Python can do: operands that are not plain arrays."""

from typing import Any

import numpy as np

from . import _core

_numpy_solve = np.linalg.solve  # kept, lest a replaced one leads back here


def solve_other(a: Any, b: Any, **options: Any) -> Any:
    """Solve with an operand that is not a plain array, as NumPy would.

    Arrays of other libraries answer by their own ``__array_function__``; of
    subclasses of ``ndarray`` and of objects with ``__array__``, the type of
    `b` decides about the result through ``__array_wrap__``.
    """
    for name, operand in (("a", a), ("b", b)):
        if hasattr(operand, "tocsc") and hasattr(operand, "nnz"):
            raise TypeError(
                f"{name} is a sparse {type(operand).__name__}; expected a dense array. "
                "Use scipy.sparse.linalg.spsolve, or a.toarray()"
            )
    if not options and any(_has_own_functions(operand) for operand in (a, b)):
        return _numpy_solve(a, b)
    solved = _core.solve(np.asarray(a), np.asarray(b), **options)
    wrap = getattr(b, "__array_wrap__", None)
    if wrap is None:
        return solved
    if options.get("return_info"):
        x, info = solved
        return wrap(x), info
    return wrap(solved)


def _has_own_functions(operand: Any) -> bool:
    own = getattr(type(operand), "__array_function__", None)
    return own is not None and own is not np.ndarray.__array_function__
