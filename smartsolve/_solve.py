"""The part of `solve` that only Python can do: operands that are not plain arrays."""

from typing import Any

import numpy as np

from . import _core, _errors

_numpy_solve = np.linalg.solve  # kept, lest a replaced one leads back here


def solve_other(a: Any, b: Any, **options: Any) -> Any:
    """Solve with an operand that is not a plain array, as NumPy would.

    Arrays of other libraries answer by their own ``__array_function__``; of
    subclasses of ``ndarray`` and of objects with ``__array__``, the type of
    `b` decides about the result through ``__array_wrap__``.
    """
    if isinstance(a, _core.Factors):
        return _solve_with(a, b, **options)
    for name, operand in (("a", a), ("b", b)):
        _errors.refuse_sparse(name, operand)
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


def _solve_with(factors: _core.Factors, b: Any, **options: Any) -> Any:
    """Solve with a `Factorization`; what was decided when it was made cannot be chosen again."""
    transposed = options.pop("transposed", False)
    if options.pop("check_finite", False):
        _errors.refuse_infinite("b", np.asarray(b))
    decided = sorted(set(options) - {"overwrite_a", "overwrite_b", "workers"})
    if decided:
        raise TypeError(
            f"solve() of a Factorization got {', '.join(decided)}; structure and singular "
            "matrices are decided about by factorize(), only transposed and check_finite are left"
        )
    return factors.solve(b, transposed=transposed)


def _has_own_functions(operand: Any) -> bool:
    own = getattr(type(operand), "__array_function__", None)
    return own is not None and own is not np.ndarray.__array_function__
