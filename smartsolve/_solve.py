"""The part of `solve` that only Python can do: operands that are not plain arrays."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _core, _errors, _operands
from ._factored import FactoredMatrix
from ._sparse import is_sparse

# By `factorize`.
DECIDED = frozenset(("assume_a", "lower", "on_singular", "precision", "engine", "dtype"))

_numpy_solve = np.linalg.solve  # kept, lest a replaced one leads back here


def solve_other(a: Any, b: Any, **options: Any) -> Any:
    """Solve with an operand that is not a plain array.

    Arrays of the kinds that are known here are peeled, solved for, and put around the solution.
    Those of other libraries answer by their own ``__array_function__``, unless there are options,
    which it does not know; of subclasses of ``ndarray`` and of objects with ``__array__``, the
    type of `b` decides about the result through ``__array_wrap__``.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if isinstance(a, FactoredMatrix):
        return _solve_with(a, b, **options)
    kind = _operands.outermost(a, b)
    if kind is not None:
        side: Any = "transposed" if options.get("transposed") else "left"
        return kind.through(_core.solve, a, b, side, **options)
    if "align" in options:
        raise TypeError(_errors.nothing_to_align(options["align"]))
    if is_sparse(a):
        for name in ("accuracy", "dtype", "precision"):
            if name in options:
                raise TypeError(_errors.only_for_dense(name))
        return _sparse_solve()(a, b, **options)
    if not options and any(map(_operands.has_own_functions, (a, b))):
        return _by_their_own(a, b)
    call = f"solve() with {', '.join(options)}" if options else "solve()"
    matrix, rhs = _operands.matrix(a, call), _operands.right_hand_side(b, call)
    if "dtype" in options:
        solved: Any = _operands.rounded(_core.solve, matrix, rhs, **options)
    else:
        solved = _core.solve(matrix, rhs, **options)
    if options.get("return_info"):
        x, info = solved
        return _operands.like(b, x), info
    return _operands.like(b, solved)


@functools.cache
def _sparse_solve() -> Callable[..., Any]:
    """Imported once: the import statement alone would take a microsecond of a small call."""
    from ._sparse.solve import solve

    return solve


def _by_their_own(a: Any, b: Any) -> Any:
    """NumPy's solve, which calls the functions of an operand that has its own.

    They may expect both operands to be of their kind.
    """
    try:
        return _numpy_solve(a, b)
    except AttributeError as error:
        if _operands.has_own_functions(a) and _operands.has_own_functions(b):
            raise
        raise TypeError(_errors.of_two_kinds(a, b, error)) from error


def _solve_with(factors: FactoredMatrix, b: Any, **options: Any) -> Any:
    """Solve with a `Factorization`; what was decided when it was made cannot be chosen again."""
    decided = sorted(set(options) & DECIDED)
    if decided:
        raise TypeError(_errors.decided("solve", decided))
    if options.pop("check_finite", False):
        _errors.refuse_infinite_factors(factors.shape, factors.rcond)
        _errors.refuse_infinite("b", b.tocoo().data if is_sparse(b) else _operands.numbers(b, "b"))
    for permission in ("overwrite_a", "overwrite_b"):
        options.pop(permission, None)
    if not factors.is_sparse:
        options.pop("workers", None)
        if options.pop("sparse_x", False):
            raise TypeError(_errors.only_for_sparse("sparse_x"))
    if "align" in options and not isinstance(factors, _operands.WrappedFactorization):
        raise TypeError(_errors.nothing_to_align(options["align"]))
    solve: Callable[..., Any] = factors.solve
    return solve(b, **options)
