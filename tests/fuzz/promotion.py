"""Operands of all types, alike and mixed: the type of the answer, and its numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import smartsolve

from ..smartsolve.accuracy import eps
from ..smartsolve.matrices import Array

TYPES = (
    "?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d", "F", "D", ">f8", ">f4", ">i4",
    "e", "g", "G", "O", "M8[s]",
)  # fmt: skip
ENTRIES = ("solve", "factorize", "mldivide", "mrdivide", "solve a list", "solve an array-like")


@dataclass
class Mixed:
    """A system of two types."""

    seed: int
    a: Array
    b: Array
    entry: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.entry}, a {self.a.shape} {self.a.dtype}, b {self.b.dtype}"


class Wrapped:
    """What has an array inside, and no functions of its own."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array if dtype is None else self.array.astype(dtype)


def make(seed: int) -> Mixed:
    """The case of a seed."""
    rng = np.random.default_rng([29, seed])
    common = len(TYPES) - 5 if rng.random() < 0.8 else len(TYPES)
    of_a, of_b = (np.dtype(TYPES[rng.integers(common)]) for _ in "ab")
    n = int(rng.choice([1, 2, 3, 5, 8, 13, 33]))
    batch = (int(rng.choice([1, 3, 9])),) if rng.random() < 0.3 else ()
    # Of integers and zeros on purpose: all types hold them, and the diagonal dominates.
    a = rng.integers(0, 2, (*batch, n, n)) + (
        np.eye(n, dtype=int) * (3 * n) if of_a.kind != "b" else 0
    )
    if of_a.kind == "b":
        a = np.broadcast_to(np.triu(np.ones((n, n), int)), (*batch, n, n))
    b = rng.integers(0, 5, (n,) if rng.random() < 0.5 else (*batch, n, 2))
    return Mixed(seed, a.astype(of_a), b.astype(of_b), str(rng.choice(ENTRIES)))


def solved(entry: str, a: Array, b: Array) -> Any:
    if entry == "mldivide":
        return smartsolve.mldivide(a, b)
    if entry == "mrdivide":
        swapped = b if b.ndim == 1 else np.swapaxes(b, -1, -2)
        x = smartsolve.mrdivide(swapped, np.swapaxes(a, -1, -2))
        return x if b.ndim == 1 else np.swapaxes(x, -1, -2)
    if entry == "factorize":
        return smartsolve.factorize(a).solve(b)
    if entry == "solve a list":
        return smartsolve.solve(a.tolist(), b.tolist())
    if entry == "solve an array-like":
        return smartsolve.solve(Wrapped(a), Wrapped(b))
    return smartsolve.solve(a, b)


def complaints(case: Mixed) -> list[str]:
    """All that is wrong with a case."""
    a, b = case.a, case.b
    if case.entry == "solve a list":
        a, b = (np.asarray(v.tolist()) for v in (a, b))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = _or_error(lambda: np.linalg.solve(a, b))
        ours = _or_error(lambda: solved(case.entry, case.a, case.b))
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        alike = isinstance(theirs, TypeError) and isinstance(ours, TypeError)
        return [] if alike else [f"{ours!r}, NumPy: {theirs!r}"]
    if isinstance(ours, Warning):
        return [f"warned {ours}"]
    # Factors have the type of the matrix; NumPy's answer that of both.
    wanted = theirs.dtype
    if case.entry == "factorize":
        of_a = a.dtype if a.dtype.kind in "fc" else np.dtype(float)
        wanted = np.dtype(of_a.char.upper() if wanted.kind == "c" else of_a.char)
    found = []
    if ours.dtype != wanted or not ours.dtype.isnative:
        found.append(f"{ours.dtype}, expected {wanted}")
    if ours.shape != theirs.shape:
        return [*found, f"{ours.shape}, NumPy's {theirs.shape}"]
    if case.entry != "factorize":
        entry = case.entry if case.entry in ("mldivide", "mrdivide") else "solve"
        converted = solved(entry, a.astype(theirs.dtype), b.astype(theirs.dtype))
        if not _are_close(ours, converted, 8):
            found.append("other numbers than of operands of the common type")
    if not _are_close(ours, theirs, 200 * a.shape[-1]):
        found.append(f"differs from NumPy's by {np.abs(ours - theirs).max():.3g}")
    return found


def _are_close(x: Array, y: Array, units: float) -> bool:
    unit = max(eps(x.dtype), eps(y.dtype))
    return bool((np.abs(x - y) <= units * unit * (np.abs(y).max(initial=0) + 1e-30)).all())


def _or_error(call: Any) -> Any:
    try:
        return call()
    except (TypeError, ValueError, Warning) as error:
        return error
