"""What must hold of an answer, each by a road that the solver does not take.

An oracle is a function of a `Case` and the `Answer` to it, and yields what is wrong.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

import smartsolve

from ..smartsolve.accuracy import FACTOR, backward_error, eps, wider
from ..smartsolve.matrices import Array
from .cases import Case

__all__ = ["ORACLES", "Answer", "answer", "complaints"]


@dataclass
class Answer:
    """A solution or an error, and the warnings."""

    x: Array | None
    error: Exception | None
    warned: list[str]


def ask(call: Callable[[], Any]) -> Answer:
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            x = call()
        except (ValueError, TypeError, Warning) as error:
            return Answer(None, error, [])
    return Answer(np.asarray(x), None, [type(warning.message).__name__ for warning in caught])


def solve(case: Case, a: Array, b: Array, **options: Any) -> Any:
    """By the case's entry."""
    if case.entry == "mldivide":
        return smartsolve.mldivide(a, b, **options)
    if case.entry == "mrdivide":
        swapped = b if b.ndim == 1 else np.swapaxes(b, -1, -2)
        x = smartsolve.mrdivide(swapped, np.swapaxes(a, -1, -2), **options)
        return x if b.ndim == 1 else np.swapaxes(x, -1, -2)
    if case.entry == "factorize":
        return smartsolve.factorize(a).solve(b, **case.options, **options)
    return smartsolve.solve(a, b, **case.options, **options)


def answer(case: Case) -> Answer:
    """Of operands that may be overwritten."""
    a, b = case.a.copy("K"), case.b.copy("K")
    return ask(lambda: solve(case, a, b))


def system(case: Case) -> tuple[Array, Array]:
    """The matrix whose equations are solved, and their right-hand side, in its precision."""
    a, b = case.a, case.b
    if case.options.get("transposed"):
        a = np.swapaxes(a, -1, -2)
    return a.astype(a.dtype.newbyteorder("=")), b.astype(b.dtype.newbyteorder("="))


def inputs_are_kept(case: Case, found: Answer) -> Iterator[str]:
    if "overwrite_a" in case.options or "overwrite_b" in case.options:
        return
    a, b = case.a.copy("K"), case.b.copy("K")
    ask(lambda: solve(case, case.a, case.b))
    if a.tobytes() != case.a.tobytes() or b.tobytes() != case.b.tobytes():
        yield "an input was changed"


def numpys_shape_and_type(case: Case, found: Answer) -> Iterator[str]:
    """And NumPy's refusals; a singular matrix may be one by one order of operations alone."""
    a, b = system(case)
    theirs = ask(lambda: np.linalg.solve(a, b))
    if isinstance(theirs.error, ValueError) and not isinstance(theirs.error, np.linalg.LinAlgError):
        if case.entry == "solve" and not isinstance(found.error, ValueError):
            yield f"NumPy raises {theirs.error}"
        return
    if found.x is None or theirs.x is None:
        return
    dtype = np.result_type(a, b)
    if found.x.shape != theirs.x.shape:
        yield f"shape {found.x.shape}, NumPy's {theirs.x.shape}"
    if found.x.dtype != dtype and case.entry != "factorize":
        yield f"dtype {found.x.dtype}, expected {dtype}"


def healthy_matrices_are_solved(case: Case, found: Answer) -> Iterator[str]:
    """Those whose condition is bounded by their making: no error, no warning, a small residual."""
    if case.is_disturbed or case.a.size == 0:
        return
    if found.x is None:
        a, b = system(case)
        if ask(lambda: np.linalg.solve(a, b)).error is None:
            yield f"raised {found.error!r}"
        return
    if found.warned:
        yield f"warned {found.warned}"


def residual(case: Case, found: Answer) -> Iterator[str]:
    """In a wider type, slice by slice where the matrix is finite and the answer is."""
    if found.x is None or case.a.size == 0 or found.x.size == 0:
        return
    a, b = system(case)
    n = a.shape[-1]
    if b.ndim == 1:
        b = b[:, None]
        x = found.x[..., None]
    else:
        x = found.x
    batch = x.shape[:-2]
    slices = zip(
        np.broadcast_to(a, (*batch, n, n)).reshape(-1, n, n),
        np.broadcast_to(b, (*batch, *b.shape[-2:])).reshape(-1, *b.shape[-2:]),
        x.reshape(-1, *x.shape[-2:]),
        strict=True,
    )
    tiny = wider(np.array(np.finfo(x.dtype).tiny, x.dtype)).real
    for k, (one, rhs, solution) in enumerate(slices):
        if not (np.isfinite(one).all() and np.isfinite(rhs).all()):
            continue
        if not np.isfinite(solution).all():
            if not case.is_disturbed:
                yield f"slice {k}: Inf or NaN"
            continue
        error = backward_error(one, solution, rhs)
        # A solution below the normal numbers is rounded to a multiple of the smallest.
        slack = float(tiny * eps(x.dtype) / max(np.abs(wider(solution)).max(), tiny**2))
        if error > FACTOR * max(n, 4) * eps(x.dtype) + n * slack:
            yield f"slice {k}: backward error {error / eps(x.dtype):.3g} eps"


def exact_solution(case: Case, found: Answer) -> Iterator[str]:
    """By rational arithmetic, for a single small real system of bounded condition."""
    a, b = system(case)
    n = a.shape[-1]
    if found.x is None or a.ndim != 2 or not 0 < n <= 5 or case.is_disturbed or b.ndim != 1:
        return
    if a.dtype.kind == "c" or b.dtype.kind == "c":
        return
    exact = rational(a.astype(np.float64).tolist(), b.astype(np.float64).tolist())
    largest = max(map(abs, exact))
    tiny = Fraction(float(np.finfo(found.x.dtype).tiny))
    bound = largest * Fraction(300 * n * eps(found.x.dtype)) + tiny * Fraction(eps(found.x.dtype))
    if largest > Fraction(float(np.finfo(found.x.dtype).max)):
        return
    for value, wanted in zip(found.x.astype(np.float64).tolist(), exact, strict=True):
        if not np.isfinite(value) or abs(Fraction(value) - wanted) > bound:
            yield f"{value} for {float(wanted)} by rational arithmetic"
            return


def with_an_accuracy(case: Case, found: Answer) -> Iterator[str]:
    """All digits, and bounds that hold, by rational arithmetic; also of what is nearly singular."""
    a, b = system(case)
    n = a.shape[-1]
    if found.x is None or case.entry == "mrdivide" or a.ndim != 2 or not 0 < n <= 6 or b.ndim != 1:
        return
    if a.dtype.kind == "c" or b.dtype.kind == "c" or not (np.isfinite(a).all() and b.any()):
        return
    try:
        exact = rational(a.astype(np.float64).tolist(), b.astype(np.float64).tolist())
    except StopIteration:  # no pivot
        return
    least = Fraction(float(np.finfo(np.float64).smallest_normal))
    for accuracy in ("full", "certified"):
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            try:
                x, info = smartsolve.solve(a, b, accuracy=accuracy, return_info=True)
            except np.linalg.LinAlgError as error:
                yield f"{accuracy}: raised {error}"
                continue
        bounds = info.error_bound if accuracy == "certified" else [None] * n
        for value, true, bound in zip(x, exact, bounds, strict=True):
            if not np.isfinite(value) or 0 < abs(true) < least:
                continue
            off = abs(Fraction(float(value)) - true)
            allowed = Fraction(float(np.spacing(abs(value)))) if bound is None else bound
            if bound is None and caught:
                continue  # it says that it is not
            if np.isfinite(float(allowed)) and off > Fraction(float(allowed)):
                yield f"{accuracy}: {value} for {float(true)}, bound {float(allowed):.3g}"
                break


def as_a_sparse_matrix(case: Case, found: Answer) -> Iterator[str]:
    """The same system, stored by its nonzeros, in each format: a small residual."""
    a, b = system(case)
    if found.x is None or case.is_disturbed or a.ndim != 2 or a.size == 0 or found.x.size == 0:
        return
    if b.ndim > 2 or len(a) > 130 or "assume_a" in case.options or not b.any():
        return
    form = ("csr", "csc", "coo", "dia", "lil")[case.seed % 5]
    for call in (
        lambda m: smartsolve.solve(m, b),
        lambda m: smartsolve.factorize(m).solve(b),
        lambda m: smartsolve.mldivide(m, b),
    ):
        got = ask(lambda call=call: call(sparse.coo_array(a).asformat(form)))
        if got.x is None:
            yield f"as {form}: {got.error!r}"
            continue
        for what in residual(case, got):
            yield f"as {form}: {what}"


def rational(a: list[list[float]], b: list[float]) -> list[Fraction]:
    """Gauss-Jordan elimination of the augmented matrix."""
    n = len(b)
    rows = [[*map(Fraction, row), Fraction(value)] for row, value in zip(a, b, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def the_same_call_again(case: Case, found: Answer) -> Iterator[str]:
    """The same bits, with information asked for, by any number of workers, after a pickle."""
    roads: dict[str, Callable[[], Any]] = {"again": lambda: solve(case, *copies(case))}
    if case.entry in ("solve", "mldivide"):
        roads["with return_info"] = lambda: solve(case, *copies(case), return_info=True)[0]
    if case.entry == "solve" and "workers" not in case.options:
        roads["with 3 workers"] = lambda: solve(case, *copies(case), workers=3)
    if case.entry == "factorize":
        roads["pickled"] = lambda: pickle.loads(pickle.dumps(smartsolve.factorize(case.a))).solve(
            case.b, **case.options
        )
    for name, road in roads.items():
        other = ask(road)
        if (other.x is None) != (found.x is None):
            yield f"{name}: {other.error!r}, and {found.error!r} before"
        elif found.x is not None and found.x.tobytes() != other.x.tobytes():  # type: ignore[union-attr]
            yield f"{name}: other bits"
        elif sorted(other.warned) != sorted(found.warned) and name != "pickled":
            yield f"{name}: warned {other.warned}, and {found.warned} before"


def copies(case: Case) -> tuple[Array, Array]:
    return case.a.copy("K"), case.b.copy("K")


def the_same_scaled(case: Case, found: Answer) -> Iterator[str]:
    """Matrix and right-hand sides by powers of four that lose nothing: the answer's bits.

    Roots of what is scaled by an odd power of two are rounded otherwise.
    """
    if found.x is None or case.a.size == 0 or found.x.size == 0 or case.a.dtype.byteorder == ">":
        return
    a, b = case.a, case.b
    if not all(map(has_room, (a, b, found.x))):
        return
    for power in (4, -6):
        factor = 2.0**power
        scaled = ask(lambda f=factor: solve(case, *(x * x.dtype.type(f) for x in copies(case))))
        if scaled.x is None or not np.array_equal(scaled.x, found.x, equal_nan=True):
            yield f"scaled by 2^{power}: other bits ({scaled.error})"


def has_room(a: Array) -> bool:
    """Whether all that is not zero lies well within the range of its type."""
    parts = np.abs(np.stack([a.real, a.imag]).astype(np.longdouble))
    nonzero = parts[parts != 0]
    if not nonzero.size or not np.isfinite(nonzero).all():
        return False
    room = -float(np.finfo(a.dtype).minexp) - 40
    return bool(-room < np.log2(nonzero.min()) and np.log2(nonzero.max()) < room)


def the_same_permuted(case: Case, found: Answer) -> Iterator[str]:
    """Equations in reverse order: another structure, another method, the same solution."""
    a, b = system(case)
    if found.x is None or case.is_disturbed or a.ndim != 2 or a.size == 0 or found.x.size == 0:
        return
    other = ask(lambda: smartsolve.solve(a[::-1], b[::-1]))
    if other.x is None:
        yield f"with its rows reversed: {other.error!r}"
        return
    tiny = float(np.finfo(found.x.dtype).tiny)
    bound = 16 * 2 * FACTOR * max(len(a), 4) * len(a) * eps(found.x.dtype)
    x, y = wider(found.x), wider(other.x.astype(found.x.dtype))
    difference = np.abs(x - y).max()
    if not difference <= bound * np.abs(y).max() + tiny * eps(found.x.dtype) * 64:
        yield f"with its rows reversed: differs by {difference:.3g} of {np.abs(y).max():.3g}"


def in_a_stack(case: Case, found: Answer) -> Iterator[str]:
    """A slice of a stack is solved as it is alone, to rounding; its fellows do not matter."""
    a, b = system(case)
    if case.a.ndim != 2 or a.size == 0 or found.x is None or case.is_disturbed or len(a) > 64:
        return
    if case.entry != "solve" or "assume_a" in case.options or b.size == 0:
        return
    column = b[:, None] if b.ndim == 1 else b
    with_eye = np.stack([np.eye(len(a), dtype=a.dtype), a, a])
    stacked = ask(lambda: smartsolve.solve(with_eye, column))
    if stacked.x is None:
        yield f"in a stack: {stacked.error!r}"
        return
    if stacked.x[1].tobytes() != stacked.x[2].tobytes():
        yield "two equal slices of a stack differ"
    again = stacked.x[1].reshape(found.x.shape)
    yield from residual(case, Answer(again, None, []))


def overlapping(case: Case, found: Answer) -> Iterator[str]:
    """A right-hand side that is a part of the matrix, which may be overwritten."""
    if case.entry != "solve" or case.a.ndim != 2 or case.a.size == 0 or case.is_disturbed:
        return
    if {"assume_a", "precision"} & set(case.options):
        return
    for view in (lambda a: a[:, 0], lambda a: a[0], lambda a: a[:, :2], lambda a: a):
        for flags in ({"overwrite_a": True}, {"overwrite_a": True, "overwrite_b": True}):
            a = np.array(case.a, order="F" if case.seed % 2 else "C")
            a = a.astype(a.dtype.newbyteorder("="))
            expected_b = view(a).copy()
            matrix = a.copy()
            got = ask(lambda v=view, m=a, f=flags: smartsolve.solve(m, v(m), **f))
            if got.x is None:
                yield f"overlapping: {got.error!r}"
                continue
            plain = Case(case.seed, matrix, expected_b, case.kind, "solve")
            for what in residual(plain, got):
                yield f"b a part of a, {', '.join(flags)}: {what}"


def what_it_says_of_itself(case: Case, found: Answer) -> Iterator[str]:
    """rcond between the true one and what an estimate may add; the structure that explain names."""
    if case.entry != "solve" or found.x is None or case.a.ndim != 2 or case.a.size == 0:
        return
    n = case.a.shape[-1]
    a, b = case.a, case.b
    info = None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        plain = {"on_singular": "nan"}
        info = smartsolve.solve(a, b, return_info=True, **plain)[1]
        plan = smartsolve.explain(a, b)
        # A Hessenberg solution that overflows is left to the general method.
        is_left = info.rcond == 0 and plan.structure.endswith("hessenberg")
        if info.structure not in {plan.structure, "general" if is_left else plan.structure}:
            yield f"return_info says {info.structure!r}, explain {plan.structure!r}"
        if case.is_disturbed or n > 64:
            return
        native = wider(a.astype(a.dtype.newbyteorder("=")))
        scaled = (native / np.abs(native).max()).astype(
            np.complex128 if a.dtype.kind == "c" else float
        )
        true = [1 / np.linalg.cond(scaled, norm) for norm in (1, np.inf, 2)]
    # An estimate never takes the inverse for larger than it is. C order has the inf-norm for the
    # 1-norm, and a diagonal matrix the 2-norm.
    if not 0.99 * min(true) <= info.rcond <= 12 * n * max(true):
        yield f"rcond {info.rcond:.3g}, true {true[0]:.3g}"


ORACLES: dict[str, Callable[[Case, Answer], Iterator[str]]] = {
    oracle.__name__: oracle
    for oracle in (
        inputs_are_kept,
        numpys_shape_and_type,
        healthy_matrices_are_solved,
        residual,
        exact_solution,
        with_an_accuracy,
        as_a_sparse_matrix,
        the_same_call_again,
        the_same_scaled,
        the_same_permuted,
        in_a_stack,
        overlapping,
        what_it_says_of_itself,
    )
}


def complaints(case: Case) -> list[str]:
    """All that is wrong with a case."""
    found = answer(case)
    complaints = []
    for name, oracle in ORACLES.items():
        complaints += [f"{name}: {what}" for what in oracle(case, found)]
        # Nothing is to be compared with an answer of another shape.
        if complaints and oracle is numpys_shape_and_type:
            break
    return complaints
