"""The rows of the table: what is solved, what has to be reached, what is the goal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from systems import Array, matrices, stack, system
from timing import Call

TINY = (2, 3, 4, 8, 16)
LARGE = 2048
SEED = 2010


@dataclass(frozen=True)
class Target:
    """`factor` times as fast as numpy, scipy, the faster of the two, or the memory's limit."""

    factor: float
    over: str

    def __str__(self) -> str:
        if self.over == "limit":
            return f"{1 / self.factor:.2g}x the limit"
        return f"{self.factor:g}x {self.over}"


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    n: int
    make: Callable[[], tuple[Array, Array]]
    target: Target
    goals: tuple[Target, ...] = ()
    limit: str = ""  # "read" or "copy": what memory alone would take


@dataclass(frozen=True)
class Variant:
    dtype: str = "float64"
    nrhs: int = 1
    order: str | None = None  # None: C, and F as well where the layout matters most


FASTER = Target(1, "faster")
FIVE_TIMES = Target(5, "faster")


def all_cases(variant: Variant, full: bool) -> Iterator[Case]:
    yield from tiny(variant)
    yield from dense(variant, full)
    yield from structured(variant)
    yield from unordered_zeros(variant)
    yield from stacks(variant)
    yield from broadcast(variant)


def kinds(dtype: str) -> list[str]:
    return [kind for kind in matrices.KINDS if np.dtype(dtype) in matrices.dtypes_of(kind)]


def maker(kind: str, n: int, v: Variant, order: str) -> Callable[[], tuple[Array, Array]]:
    return lambda: system(kind, n, v.dtype, order, v.nrhs, SEED)


def tiny(v: Variant) -> Iterator[Case]:
    for n in TINY:
        for kind in kinds(v.dtype):
            diagonal = kind == "diagonal"
            bars = {8: (12,), 16: (20, 30) if diagonal else (3, 5)}.get(n, (25, 35))
            make = maker(kind, n, v, v.order or "C")
            target, *goals = (Target(bar, "numpy") for bar in bars)
            yield Case(f"{n}x{n}", f"{kind} {n}", n, make, target, tuple(goals))


def dense(v: Variant, full: bool) -> Iterator[Case]:
    order = v.order or "C"
    general = {32: (2, 3), 64: (1.6, 2), 128: (2.5, 4), 256: (1.8, 2.5), 512: (1,)}
    for n in (32, 64, 128, 256, 512, 1024, 2048) + ((4096,) if full else ()):
        target, *goals = (Target(bar, "numpy") for bar in general.get(n, (1.15,)))
        make = maker("general", n, v, order)
        yield Case("general", f"general {n}", n, make, target, tuple(goals))
    for n in (32, 64, 128, 256, 512, 1024, 2048):
        bars = (3,) if n < 128 else (3, 6) if n <= 256 else (2,)
        target, *goals = (Target(bar, "faster") for bar in bars)
        make = maker("positive definite", n, v, order)
        yield Case("positive definite", f"positive definite {n}", n, make, target, tuple(goals))


def structured(v: Variant) -> Iterator[Case]:
    read = Target(1 / 1.5, "limit")
    band = (Target(30, "numpy"), (Target(10, "scipy"), read))
    triangle = (Target(10, "numpy"), (Target(5, "scipy"), read))
    rows: dict[str, tuple[Target, tuple[Target, ...]]] = {
        "diagonal": band,
        "tridiagonal": band,
        "spd tridiagonal": band,
        "banded": band,
        "spd banded": band,
        "upper triangular": triangle,
        "lower triangular": triangle,
        "permuted triangular": triangle,
        "upper hessenberg": (FASTER, ()),
        "lower hessenberg": (FASTER, ()),
        "circulant": (FIVE_TIMES, ()),
        "block diagonal": (FIVE_TIMES, ()),
        "block triangular": (FIVE_TIMES, ()),
        "sparse": (FIVE_TIMES, ()),
        "permuted banded": (FIVE_TIMES, ()),
        "symmetric": (FASTER, ()),
        "hermitian": (FASTER, ()),
    }
    for kind, (target, goals) in rows.items():
        # Real Hermitian matrices are the symmetric ones.
        dtype = v.dtype if kind in kinds(v.dtype) else "complex128"
        variant = Variant(dtype, v.nrhs, v.order)
        for order in (v.order,) if v.order else ("C", "F"):
            name = f"{kind} {LARGE}, {order}" + (f", {dtype}" if dtype != v.dtype else "")
            make = maker(kind, LARGE, variant, order)
            yield Case("structured", name, LARGE, make, target, goals, "read" if goals else "")


def unordered_zeros(v: Variant) -> Iterator[Case]:
    """The whole pattern is looked at, in vain."""
    for n in (128, 256, 512, 1024, LARGE):
        yield Case("zeros", f"general {n}, half of it zero", n, half_zero(n, v), FASTER)


def half_zero(n: int, v: Variant) -> Callable[[], tuple[Array, Array]]:
    def make() -> tuple[Array, Array]:
        a, b = system("general", n, v.dtype, v.order or "C", v.nrhs, SEED)
        off = np.random.default_rng(SEED).random((n, n)) < 0.5
        off[np.arange(n), np.arange(n)] = False
        a[off] = 0
        a += 3 * np.eye(n, dtype=a.dtype)  # whose condition is then that of a random matrix
        return a, b

    return make


def stacks(v: Variant) -> Iterator[Case]:
    rows: tuple[tuple[int, int, float], ...] = (
        (2, 200_000, 40),
        (3, 100_000, 25),
        (4, 50_000, 14),
        (6, 25_000, 8),
        (8, 12_000, 5),
        (16, 3_000, 2.2),
        (32, 1_000, 1.8),
    )
    for n, count, factor in rows:
        goals = (Target(1 / 1.5, "limit"),) if n == 2 else ()
        make, target = stack_maker(count, n, v), Target(factor, "numpy")
        yield Case("stack", f"{count:,} of {n}x{n}", n, make, target, goals, "copy")


def stack_maker(count: int, n: int, v: Variant) -> Callable[[], tuple[Array, Array]]:
    return lambda: stack("general", count, n, v.dtype, v.nrhs, SEED)


def broadcast(v: Variant) -> Iterator[Case]:
    for n, count in ((4, 10_000), (32, 1_000), (256, 20)):
        yield Case("broadcast", f"one {n}x{n}, {count:,} b", n, one_for_all(n, count, v), FASTER)


def one_for_all(n: int, count: int, v: Variant) -> Callable[[], tuple[Array, Array]]:
    def make() -> tuple[Array, Array]:
        rng = np.random.default_rng([SEED, n, count])
        a = matrices.random_matrix("general", n, v.dtype, v.order or "C", rng)
        return a, matrices.random_rhs((count, n, v.nrhs), v.dtype, rng)

    return make


def memory_limit(case: Case, a: Array) -> dict[str, Call]:
    """One read of the matrix, or one copy of the stack."""
    if case.limit == "read":
        flat = a.ravel(order="K")  # no copy
        return {"limit": Call("dot(flat, flat)", {"dot": np.dot, "flat": flat})}
    if case.limit == "copy":
        return {"limit": Call("copyto(to, a)", {"copyto": np.copyto, "to": a.copy(), "a": a})}
    return {}
