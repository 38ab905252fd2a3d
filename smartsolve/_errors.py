"""Every message about a solve that a user can see, in one place.

Messages about the arguments' shapes and types, which the native entry finds
before any work, stand beside it in ``_native/arguments.hpp`` and
``_native/module.cpp``.
"""

import math
import os
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


def rank_deficient(
    rank: int, full: int, tolerance: float, place: str, method: str = "column-pivoted QR"
) -> str:
    """Text for a rectangular matrix of less than full rank."""
    subject = f"{place}: " if place else ""
    return (
        f"Rank-deficient matrix: {subject}rank = {rank} of {full}, tol = {tolerance:.5g} "
        f"({method}); the solution is a basic one of many. minimum_norm=True gives the shortest."
    )


def not_positive_definite(minor: int, place: str) -> str:
    """Text for a matrix declared positive definite that is not."""
    subject = place or "a"
    return (
        f"Singular matrix: {subject} was declared positive definite, but is singular or "
        f"indefinite: its leading minor of order {minor + 1} is not positive. Leave assume_a "
        "out, or use assume_a='symmetric' or 'hermitian'."
    )


def declared_definite(reason: str) -> str:
    """Text for a sparse matrix declared positive definite that is not."""
    return (
        f"Singular matrix: a was declared positive definite, but {reason}. Leave the structure "
        "out, or declare 'symmetric' or 'hermitian'."
    )


def only_definite(engine: str, reason: str) -> str:
    """Text for a matrix that an engine for positive definite ones does not take."""
    return (
        f"Singular matrix: engine={engine!r} takes positive definite matrices alone, but "
        f"{reason}. Leave the engine out, or take another."
    )


def ill_conditioned(
    method: str, rcond: float, eps: float, place: str, count: int, *, dense: bool = True
) -> str:
    """Text for a matrix whose rcond lies below the machine epsilon.

    It names the power of ten alone, so that a loop over many such matrices
    repeats a text, and Python's filter shows it once a line.
    """
    subject = f"{place}: " if place else ""
    worst = "worst rcond" if count > 1 else "rcond"
    remedy = " accuracy='full' gives all digits." * dense
    power = f"1e{round(math.log10(rcond)):03d}" if rcond > 0 else "0"
    return (
        f"Ill-conditioned matrix: {subject}{worst} = {power} < {eps:.3g} ({method}); "
        f"the solution may have no correct digit.{remedy}"
    )


def sparse_singular(where: str) -> str:
    """Text for a singular sparse matrix; `where` is a whole sentence about it."""
    return f"Singular matrix: {where}. Use on_singular='nan' to have NaN in its place."


def sparse_singular_warning(where: str) -> str:
    """Text for a singular sparse matrix whose solution is marked instead."""
    return f"Singular matrix: {where}; the solution holds Inf or NaN."


def not_square(shape: tuple[int, ...]) -> str:
    """Text for a matrix that `solve` does not take."""
    return (
        f"a has shape {shape}; expected (n, n), a square matrix. smartsolve.mldivide(a, b) "
        "solves rectangular systems by least squares"
    )


def misshapen_rhs(b: tuple[int, ...], rows: int, a: tuple[int, ...]) -> str:
    """Text for a right-hand side that does not fit; the native entry has the same words."""
    if not b:
        return "b has shape (); expected (n,) or (..., n, k), at least one axis"
    axis = "only axis" if len(b) == 1 else "second-to-last axis"
    return f"b has shape {b}; its {axis} must be {rows} to match a of shape {a}"


def misshapen_rows(b: tuple[int, ...], columns: int, a: tuple[int, ...]) -> str:
    """Text for a right-hand side of ``x @ a = b`` that does not fit."""
    if not b:
        return "b has shape (); expected (n,) or (..., k, n), at least one axis"
    return f"b has shape {b}; its last axis must be {columns} to match a of shape {a}"


def unsolvable_type(name: str, dtype: Any) -> str:
    """Text for numbers that nothing is solved in; the native entry has the same words."""
    return (
        f"{name} has dtype {dtype}; expected float32, float64, complex64 or complex128 (integers "
        "and bools become float64)"
    )


def refuse_dense_inverse(n: int, dtype: np.dtype[Any]) -> None:
    """Raise ``MemoryError`` for an inverse that would fill half of the memory."""
    needed = n * n * dtype.itemsize
    if needed > _memory() // 2:
        raise MemoryError(
            f"the inverse of a sparse {n} x {n} matrix is dense, {needed / 1e9:.3g} GB; solve for "
            "the columns that are wanted, or use as_linear_operator()"
        )


def not_accurate(count: int) -> str:
    """Text for systems that double-double arithmetic does not solve to the last bit."""
    systems = "the system is" if count == 1 else f"{count} systems are"
    return (
        f"Ill-conditioned matrix: {systems} not singular, but so nearly that twice the digits of "
        "double precision are not enough, and too large for more; the solution may have no correct "
        "digit."
    )


def not_certified() -> str:
    """Text for a solution of which no error bound was proved."""
    return (
        "Ill-conditioned matrix: no bound of the error could be proved; info.error_bound is inf "
        "where none is. accuracy='full' gives all digits."
    )


def singular_unproved(place: str) -> str:
    """Text for a matrix whose factors have a pivot of zero, and the solution no bound."""
    subject = f"{place}: " if place else ""
    return (
        f"Singular matrix: {subject}a pivot is exactly zero; the solution holds NaN, and has no "
        "bound. accuracy='full' tells whether rounding has made it zero."
    )


def exactly_singular(place: str, is_raised: bool = True) -> str:
    """Text for a matrix whose determinant is zero without any rounding."""
    subject = f"{place}: " if place else ""
    zero = f"Singular matrix: {subject}the determinant of these very numbers is zero"
    if not is_raised:
        return f"{zero}; the solution holds NaN."
    return (
        f"{zero}. Use smartsolve.mldivide(a, b, minimum_norm=True) for a least-squares solution of "
        "a singular system, or on_singular='nan' to have NaN in its place."
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


def _class(x: Any) -> str:
    return f"{type(x).__module__}.{type(x).__qualname__}"


def does_not_add_up(unit: Any) -> str:
    """Text for scales of temperatures and of logarithms."""
    return (
        f"quantities in {unit} do not add up as linear systems need it; convert them to a unit "
        "whose scale is linear and starts at zero"
    )


def no_logarithm(unit: Any) -> str:
    """Text for the logarithm of a determinant with a unit."""
    return (
        f"the determinant has a power of {unit} as its unit, whose logarithm is nothing; det() "
        "gives it with its unit"
    )


def of_two_libraries(one: str, other: str) -> str:
    """Text for operands whose answer could only be of one of them."""
    return (
        f"a and b are of {one.partition('.')[0]} and {other.partition('.')[0]}; the solution could "
        "be only one of both. Convert one of them, to the other's or to NumPy's arrays"
    )


def nothing_to_align(align: Any) -> str:
    """Text for an option about labels where there are none."""
    return f"align={align!r} is for labelled operands (pandas, xarray); a and b have no labels"


def no_numbers(name: str, label: Any, dtype: Any) -> str:
    """Text for a column of a table that holds no numbers."""
    column = name if label is None else f"column {label!r} of {name}"
    return f"{column} has dtype {dtype}; expected numbers. Leave it out, or code its values"


def missing(name: str, label: Any, count: int) -> str:
    """Text for missing values of a column."""
    column = name if label is None else f"column {label!r} of {name}"
    values = "1 missing value" if count == 1 else f"{count} missing values"
    return f"{column} has {values}; expected none. Fill them, or leave their equations out"


def other_labels(
    name: str, axis: str, wanted: list[Any], labels: list[Any], asked: bool = False
) -> str:
    """Text for labels of b that are not those of a."""
    verb = "do" if axis == "columns" else "does"
    head = f"the {axis} of {name} {verb} not have the labels of a"
    if len(wanted) != len(labels):
        return f"{head}: {len(labels)} instead of {len(wanted)}"
    first = next(i for i, pair in enumerate(zip(wanted, labels, strict=True)) if pair[0] != pair[1])
    head += f": {labels[first]!r} at {first}, where a has {wanted[first]!r}"
    if asked:
        return f"{head}, and they are not the same labels in another order, each once"
    return f"{head}. align='labels' takes them in the order of a's, align='position' as they stand"


def other_dimension(a: Any, b: Any, wanted: Any, dim: Any) -> str:
    """Text for dimensions that meet and have other names."""
    return (
        f"dimension {dim!r} of b {tuple(b)} meets {wanted!r} of a {tuple(a)}; rename one, or "
        "align='position'"
    )


def dimension_twice(dims: list[Any]) -> str:
    """Text for a solution that would have two dimensions of one name."""
    return f"the solution would have the dimensions {tuple(dims)}; rename one of b's"


def half_precision(name: str, dtype: Any) -> str:
    """Text for half precision, in which nothing is computed."""
    short = str(dtype).rpartition(".")[2]
    return (
        f"{name} has dtype {dtype}, in which nothing is computed; dtype={short!r} solves in "
        "float32 and rounds the solution"
    )


def unsolvable_dtype(dtype: Any) -> str:
    """Text for a type that no solution has."""
    return (
        f"dtype is {dtype!r}; expected float32, float64, complex64, complex128, or float16 or "
        "bfloat16, which are computed in float32 and rounded"
    )


def not_on_the_host(name: str, operand: Any, device: int) -> str:
    """Text for an array in the memory of another device."""
    owns = {"jax": "jnp.linalg.solve", "jaxlib": "jnp.linalg.solve", "torch": "torch.linalg.solve"}
    package = type(operand).__module__.partition(".")[0]
    own = owns.get(package)
    instead = "its library's own solve"
    if own is not None:
        instead = f"{own} (smartsolve.{package.removesuffix('lib')}.solve leaves it to that)"
    devices = {2: "a CUDA GPU", 8: "a Metal GPU", 10: "a ROCm GPU", 14: "a oneAPI device"}
    return (
        f"{name} is a {_class(operand)} on {devices.get(device, f'device type {device}')}; "
        f"smartsolve computes on the CPU. Use {instead}, or copy it to the host"
    )


def not_exchanged(name: str, operand: Any, error: Exception) -> str:
    """Text for an array that does not hand out its memory."""
    library = type(operand).__module__.partition(".")[0]
    library = "jax" if library == "jaxlib" else library
    knows = f". smartsolve.{library}.solve follows gradients and transformations"
    return (
        f"{name} is a {_class(operand)} whose numbers cannot be had by DLPack: "
        f"{str(error).splitlines()[0].rstrip('.') if str(error) else type(error).__name__}"
        f"{knows if library in ('jax', 'torch') else ''}"
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


def refuse_filling_up(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise ``MemoryError`` for a matrix that would fill half of the memory if it were dense."""
    needed = shape[0] * shape[1] * dtype.itemsize
    if needed > _memory() // 2:
        raise MemoryError(
            f"a of shape {shape} would take {needed / 1e9:.3g} GB as a dense matrix, which this "
            "solution needs"
        )


def only_for_dense(option: str) -> str:
    """Text for an option of dense matrices that came with a sparse one."""
    instead = {
        "dtype": "convert a and b themselves",
        "precision": "a.astype('float32') is factored in single precision",
    }.get(option, "give a.toarray()")
    return f"{option} is an option for dense matrices, and a is sparse; {instead}"


def decided(call: str, names: list[str]) -> str:
    """Text for options that came with factors, and too late."""
    return (
        f"{call}() of a Factorization got {', '.join(names)}; structure, type and method are "
        "decided about by factorize(), and its matrices are square"
    )


# What other calls take, and what to write in place of it for factors.
_ELSEWHERE = {
    "accuracy": "factorize(a).solve(b, accuracy=...) does",
    "return_info": "factorize(a).solve(b, return_info=True) does",
    "transposed": "factorize(a).solve(b, transposed=True) does",
    "align": "factorize(a).solve(b, align=...) does",
    "sparse_x": "factorize(a).solve(b, sparse_x=True) does, for a sparse a",
    "workers": "factorize(a).solve(b, workers=...) does, for a sparse a",
    "assume_a": "it is called structure here",
    "on_singular": "errstate(singular=...) decides, around the call",
    "check_finite": "solve(factorize(a), b, check_finite=True) looks at b",
    "overwrite_a": "the matrix is copied",
    "overwrite_b": "the solution is an array of its own",
    "precision": "a.astype('float32') is factored in single precision",
    "minimum_norm": "mldivide(a, b, minimum_norm=True) does",
    "tol": "mldivide(a, b, tol=...) does",
}


def not_of_factorize(name: str) -> str:
    """Text for an option of other calls."""
    if name not in _ELSEWHERE:
        return f"factorize() got an unexpected keyword argument {name!r}"
    return f"factorize() takes no {name}: {_ELSEWHERE[name]}"


def refuse_tolerance(tol: Any) -> None:
    """Raise ``ValueError`` for a tolerance that is no number from 0 on."""
    try:
        is_one = tol is None or float(tol) >= 0
    except (TypeError, ValueError):
        is_one = False
    if not is_one:
        raise ValueError(f"tol is {tol!r}; expected a number from 0 on")


def only_for_sparse(option: str) -> str:
    """Text for an option of sparse matrices that came with a dense one."""
    return f"{option} is an option for sparse matrices; a is dense"


def _memory() -> int:
    """Bytes of this machine's memory; where it does not tell, enough for order 30 000."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 16_000_000_000


def check_finite(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> None:
    """Raise ``ValueError`` naming the operand that holds an inf or a NaN."""
    refuse_infinite("a", a)
    refuse_infinite("b", b)


def refuse_infinite(
    name: str, array: npt.NDArray[Any], shape: tuple[int, ...] | None = None
) -> None:
    """Raise ``ValueError`` if the array, what is stored of that `shape`, holds an inf or a NaN."""
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must not contain infs or NaNs (check_finite=True); "
            f"{name} of shape {shape or array.shape} has {np.count_nonzero(~np.isfinite(array))}"
        )


def refuse_infinite_factors(shape: tuple[int, ...], rcond: Any) -> None:
    """Raise ``ValueError`` for factors of a matrix that holds an inf or a NaN."""
    if np.isnan(rcond).any():
        raise ValueError(
            "a must not contain infs or NaNs (check_finite=True); the matrix of shape "
            f"{shape} was factored with some"
        )
