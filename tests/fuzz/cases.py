"""A system from a number: shape, structure planted and then disturbed, values, layout, options.

A `Case` is all that is needed to repeat it; `make(seed)` always gives the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..smartsolve.matrices import DTYPES, KINDS, ORDERS, Array, arranged, dtypes_of, random_matrix

# Orders about which something changes: unrolled kernels, lanes, own kernels, blocks, LAPACK.
SMALL = (*range(9), 9, 10, 12, 16, 17, 24, 31, 32, 33)
LARGE = (45, 46, 64, 65, 100, 127, 128, 129, 200, 256, 257)
LARGEST = (512, 513, 600)
ENTRIES = ("solve", "factorize", "mldivide", "mrdivide")

# Kinds that may be declared, whose other triangle then counts for nothing.
DECLARED = {
    "diagonal", "tridiagonal", "banded", "upper triangular", "lower triangular", "symmetric",
    "hermitian", "positive definite", "general",
}  # fmt: skip


@dataclass
class Case:
    """A system, how it is to be solved, and the story of how it came about."""

    seed: int
    a: Array
    b: Array
    kind: str
    entry: str
    options: dict[str, Any] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    is_disturbed: bool = False  # by what leaves no small condition number

    def __str__(self) -> str:
        told = ", ".join(self.story)
        return (
            f"seed {self.seed}: {self.entry} of {self.kind}, a {self.a.shape} {self.a.dtype}, "
            f"b {self.b.shape} {self.b.dtype}, {self.options or 'no options'}; {told}"
        )


def make(seed: int, largest: bool = True) -> Case:
    """The case of a seed."""
    rng = np.random.default_rng([19, seed])
    kind = str(rng.choice(list(KINDS)))
    dtype = rng.choice(dtypes_of(kind))
    share = rng.random()
    orders = LARGEST if largest and share < 0.02 else LARGE if share < 0.15 else SMALL
    n = int(rng.choice(orders))
    batch = _batch(n, rng)
    case = Case(seed, np.empty(0), np.empty(0), kind, str(rng.choice(ENTRIES)))
    count = int(np.prod(batch)) if n else 0
    matrices = [random_matrix(kind, n, dtype, "C", rng) for _ in range(count)]
    a = np.array(matrices, dtype).reshape(*batch, n, n)
    b = _rhs(batch, n, rng)
    _disturb(case, a, b, rng)
    if rng.random() < 0.3 and n and not case.is_disturbed:
        a, b = _scale(case, a, b, rng)
    layouts = [str(rng.choice(ORDERS)) if rng.random() < 0.5 else "C" for _ in range(2)]
    case.a, case.b = arranged(a, layouts[0]), arranged(b, layouts[1])
    case.story += [f"a {layouts[0]}", f"b {layouts[1]}"]
    _choose_options(case, rng)
    return case


def _batch(n: int, rng: np.random.Generator) -> tuple[int, ...]:
    share = rng.random()
    if share < 0.6 or n > 64:
        return ()
    if share < 0.65:
        return tuple(int(x) for x in rng.integers(0, 3, 2))
    return (int(rng.choice([1, 2, 3, 7, 8, 9, 16, 17, 33])),)


def _rhs(batch: tuple[int, ...], n: int, rng: np.random.Generator) -> Array:
    nrhs = int(rng.choice([0, 1, 2, 3, 4, 5, 8, 9, 17], p=[0.04, *[0.12] * 8]))
    shape = (n,) if rng.random() < 0.5 else (*batch, n, nrhs)
    if batch and len(shape) > 1 and rng.random() < 0.3:
        shape = shape[1:]  # one for all
    values = rng.standard_normal(shape)
    dtype = np.dtype(rng.choice(DTYPES))
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def _disturb(case: Case, a: Array, b: Array, rng: np.random.Generator) -> None:
    """What real data do: a NaN, an Inf, an element out of the pattern, a lost row."""
    n = a.shape[-1]
    if a.size == 0 or rng.random() < 0.6:
        return
    how = str(rng.choice(["nan", "inf", "outlier", "zero row", "equal rows", "tiny", "graded"]))
    flat = a.reshape(-1, n, n)
    one = flat[int(rng.integers(len(flat)))]
    i, j = rng.integers(n, size=2)
    case.is_disturbed = True
    case.story.append(how)
    if how in ("nan", "inf"):
        one[i, j] = np.nan if how == "nan" else -np.inf
    elif how == "outlier":
        one[i, j] += one.dtype.type(rng.choice([1, 1e-3, -2]))
    elif how == "zero row":
        one[i] = 0
    elif how == "equal rows":
        one[i] = one[j]
    elif how == "tiny":
        one[i, j] = np.finfo(a.dtype).smallest_subnormal
    else:
        with np.errstate(under="ignore"):
            one *= np.logspace(0, -12, n).astype(np.finfo(a.dtype).dtype)[:, None]


def _scale(case: Case, a: Array, b: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """By a power of two, to an end of the range, without a lost bit; b along with it."""
    info = np.finfo(a.dtype)
    narrow = np.finfo(np.result_type(a, b)).bits == np.finfo(a.dtype).bits
    if not narrow or np.finfo(b.dtype).bits != info.bits:
        return a, b
    bits = 8 if info.bits == 32 else 12  # so many are kept, and survive below the normal numbers
    a, b = _rounded(a, bits), _rounded(b, bits)
    largest = max(float(np.abs(part).max(initial=0)) for m in (a, b) for part in (m.real, m.imag))
    if not largest:
        return a, b
    top = int(info.maxexp) - int(np.frexp(largest)[1])
    bottom = int(np.log2(float(info.smallest_subnormal))) + bits + 8
    power = int(rng.choice([bottom, bottom + 3, info.minexp, info.minexp + 4, top, top - 2]))
    case.story.append(f"scaled by 2^{power}")
    return _times_power(a, power), _times_power(b, power)


def _rounded(a: Array, bits: int) -> Array:
    """Each part a multiple of 2^-bits, so that its product with a power of two is exact."""
    scale = float(2**bits)
    if a.dtype.kind == "c":
        parts = np.rint(a.real * scale) / scale, np.rint(a.imag * scale) / scale
        return (parts[0] + 1j * parts[1]).astype(a.dtype)
    return (np.rint(a * scale) / scale).astype(a.dtype)


def _times_power(a: Array, power: int) -> Array:
    if a.dtype.kind == "c":
        out = np.empty_like(a)
        out.real, out.imag = np.ldexp(a.real, power), np.ldexp(a.imag, power)
        return out
    return np.ldexp(a, power)


def _choose_options(case: Case, rng: np.random.Generator) -> None:
    options = case.options
    flip = lambda share: bool(rng.random() < share)  # noqa: E731
    if case.entry == "factorize":
        options.update(transposed=flip(0.4))
    if case.entry != "solve":
        return
    if flip(0.3):
        options["transposed"] = True
    if flip(0.2):
        options["workers"] = int(rng.choice([1, 2, 3, -1]))
    if flip(0.2):
        options["on_singular"] = "nan"
    if flip(0.2):
        options[str(rng.choice(["overwrite_a", "overwrite_b"]))] = True
    if flip(0.1):
        options["precision"] = "mixed"
    if flip(0.2) and case.kind in DECLARED and not case.is_disturbed:
        options["assume_a"] = case.kind
        if case.kind in ("symmetric", "hermitian", "positive definite"):
            options["lower"] = flip(0.5)
