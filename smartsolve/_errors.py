"""Every message about a solve that a user can see, in one place.

Messages about the arguments' shapes and types, which the native entry finds
before any work, stand beside it in ``_native/arguments.hpp`` and
``_native/module.cpp``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt


def where(first: int, count: int, batch: tuple[int, ...]) -> str:
    """The slices of a stack a message speaks of; nothing for a single system."""
    if not batch:
        return ""
    total = 1
    for size in batch:
        total *= size
    index = tuple(int(i) for i in np.unravel_index(first, batch))
    name = f"slice {index[0] if len(index) == 1 else index}"
    return f"{name} (the first of {count} among {total})" if count > 1 else f"{name} of {total}"


def singular(method: str, pivot: int, place: str) -> str:
    """Text for an exactly singular matrix."""
    return (
        f"{_where_singular(method, pivot, place)}. Use smartsolve.mldivide(a, b, "
        "minimum_norm=True) for a least-squares solution of a singular system, or "
        "on_singular='nan' to have NaN in its place."
    )


def singular_warning(method: str, pivot: int, place: str) -> str:
    """Text for an exactly singular matrix whose solution is marked instead."""
    return (
        f"{_where_singular(method, pivot, place)}; the solution holds Inf or NaN. "
        "smartsolve.mldivide(a, b, minimum_norm=True) gives a least-squares solution."
    )


def _where_singular(method: str, pivot: int, place: str) -> str:
    subject = f"{place}: " if place else ""
    return f"Singular matrix: {subject}pivot {pivot} of the {method} is exactly zero"


def rank_deficient(rank: int, full: int, tolerance: float, place: str) -> str:
    """Text for a rectangular matrix of less than full rank."""
    subject = f"{place}: " if place else ""
    return (
        f"Rank-deficient matrix: {subject}rank = {rank} of {full}, tol = {tolerance:.5g} "
        "(column-pivoted QR); the solution is a basic one of many. minimum_norm=True gives the "
        "shortest."
    )


def not_positive_definite(minor: int, place: str) -> str:
    """Text for a matrix declared positive definite that is not."""
    subject = place or "a"
    return (
        f"Singular matrix: {subject} was declared positive definite, but is singular or "
        f"indefinite: its leading minor of order {minor + 1} is not positive. Leave assume_a "
        "out, or use assume_a='symmetric' or 'hermitian'."
    )


def ill_conditioned(method: str, rcond: float, eps: float, place: str, count: int) -> str:
    """Text for a matrix whose rcond lies below the machine epsilon."""
    subject = f"{place}: " if place else ""
    worst = "worst rcond" if count > 1 else "rcond"
    return (
        f"Ill-conditioned matrix: {subject}{worst} = {rcond:.3g} < {eps:.3g} ({method}); "
        "the solution may have no correct digit."
    )


def refuse_sparse(name: str, operand: Any) -> None:
    """Raise ``TypeError`` for a sparse array or matrix."""
    if hasattr(operand, "tocsc") and hasattr(operand, "nnz"):
        raise TypeError(
            f"{name} is a sparse {type(operand).__name__}; expected a dense array. "
            "Use scipy.sparse.linalg.spsolve, or a.toarray()"
        )


def unit_lost(name: str, operand: Any, call: str) -> str:
    """Text for a quantity in a call that knows numbers alone."""
    kind = type(operand)
    own = " Without options solve(a, b) asks the quantities' own functions." * (
        call.startswith("solve") and hasattr(kind, "__array_function__")
    )
    return (
        f"{name} is a {kind.__module__}.{kind.__qualname__} with a unit, which {call} would lose; "
        f"pass its numbers, and give the solution the unit of b divided by that of a.{own}"
    )


def masked(name: str, operand: Any, count: int) -> str:
    """Text for elements that are masked, and would count with the values under the mask."""
    elements = "1 masked element" if count == 1 else f"{count} masked elements"
    return (
        f"{name} of shape {operand.shape} has {elements}; expected none. Fill them "
        f"({name}.filled(...)) or leave their equations out"
    )


def of_two_kinds(a: Any, b: Any, error: Exception) -> str:
    """Text for operands of two libraries, of which one takes only arrays of its own."""
    of_a, of_b = (f"{type(x).__module__}.{type(x).__qualname__}" for x in (a, b))
    return (
        f"a is a {of_a} and b a {of_b}, whose own solve takes arrays of its own kind alone "
        f"({error}). Convert the other one to it, or this one by numpy.asarray"
    )


def check_finite(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> None:
    """Raise ``ValueError`` naming the operand that holds an inf or a NaN."""
    refuse_infinite("a", a)
    refuse_infinite("b", b)


def refuse_infinite(name: str, array: npt.NDArray[Any]) -> None:
    """Raise ``ValueError`` if the array holds an inf or a NaN."""
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must not contain infs or NaNs (check_finite=True); "
            f"{name} of shape {array.shape} has {np.count_nonzero(~np.isfinite(array))}"
        )
