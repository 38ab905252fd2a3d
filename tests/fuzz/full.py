"""Are all digits right? Hostile small systems, as many as one likes, against rational arithmetic.

    python -P tests/fuzz/full.py --systems 30000

Each solution of ``accuracy="full"`` is held to the exact one: to one unit in the last place, zeros
exactly, no warning, and an error for what is singular and for nothing else. What fails is printed
with the seed that repeats it.
"""

import sys
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import smartsolve

sys.path.append(str(Path(__file__).parents[2]))  # last: the installed package is tested

from tests.fuzz.loop import Seen, run
from tests.smartsolve.matrices import KINDS, random_matrix

Array = Any


def exact(a: Array, b: Array) -> list[list[Fraction]] | None:
    """Columns of the solution of a real system, by elimination without fractions (Bareiss, Math.
    Comp. 22, 1968); None if the matrix is singular.
    """
    n = len(a)
    rows = []
    for row in np.concatenate([a, b], axis=1).tolist():
        numbers = [float(v).as_integer_ratio() for v in row]
        common = max(q for _, q in numbers)  # powers of two
        rows.append([p * (common // q) for p, q in numbers])
    last = 1
    for k in range(n):
        p = next((i for i in range(k, n) if rows[i][k]), None)
        if p is None:
            return None
        rows[k], rows[p] = rows[p], rows[k]
        top, pivot = rows[k], rows[k][k]
        for i in range(n):
            if i != k:
                first = rows[i][k]
                rows[i] = [
                    (pivot * u - first * v) // last for u, v in zip(rows[i], top, strict=True)
                ]
        last = pivot
    return [[Fraction(row[n + c], row[i]) for i, row in enumerate(rows)] for c in range(b.shape[1])]


def real(a: Array, b: Array) -> tuple[Array, Array]:
    """A complex system as a real one."""
    if not np.iscomplexobj(a):
        return a, b
    block = np.block([[a.real, -a.imag], [a.imag, a.real]])
    return block, np.concatenate([b.real, b.imag])


def integers(rng: np.random.Generator, n: int) -> Array:
    return rng.integers(-9, 10, (n, n)).astype(float)


def spread(rng: np.random.Generator, n: int) -> Array:
    decades = 300 if n < 6 else 30  # exact elimination multiplies numbers of n times as many digits
    return rng.standard_normal((n, n)) * 10.0 ** rng.uniform(-decades, decades, (n, n))


def graded(rng: np.random.Generator, n: int) -> Array:
    a = np.ldexp(rng.standard_normal((n, n)), rng.integers(-380, 1, (n, 1)))
    return a if rng.random() < 0.5 else np.ldexp(a.T, rng.integers(-380, 1, (n, 1)))


def unimodular(rng: np.random.Generator, n: int) -> Array:
    """Integers of determinant 1 or -1, and as large a condition number as double precision has."""
    lower, upper = (
        np.tril(rng.integers(-99, 100, (n, n)), -1) + np.eye(n, dtype=int) for _ in "lu"
    )
    product = lower.astype(object) @ upper.T.astype(object)
    for _ in range(3):
        wider = product @ product.T
        if max(abs(int(v)) for v in wider.flat) >= 2**53:
            break
        product = wider
    return product[rng.permutation(n)].astype(float)


def triangle(rng: np.random.Generator, n: int) -> Array:
    """Of condition numbers up to 1e200: small on the diagonal."""
    a = np.tril(rng.standard_normal((n, n)))
    np.fill_diagonal(a, rng.standard_normal(n) * 10.0 ** -rng.integers(0, 12))
    a = a.T if rng.random() < 0.5 else a
    return a[rng.permutation(n)][:, rng.permutation(n)] if rng.random() < 0.5 else a


def band(rng: np.random.Generator, n: int) -> Array:
    a = np.triu(np.tril(rng.standard_normal((n, n)), 1), -1)
    np.fill_diagonal(a, np.diagonal(a) * 10.0 ** -rng.integers(0, 12, n))
    return a


def hilbert(rng: np.random.Generator, n: int) -> Array:
    i = np.arange(n)
    return 1 / (i[:, None] + i + 1 + rng.integers(0, 3))


def nearly_singular(rng: np.random.Generator, n: int) -> Array:
    a = integers(rng, n)
    a[-1] = a[: max(n - 1, 1)].sum(axis=0)
    a[rng.integers(n), rng.integers(n)] += 2.0 ** -rng.integers(20, 50)
    return a


def singular(rng: np.random.Generator, n: int) -> Array:
    a = integers(rng, n)
    a[-1] = 2 * a[0] - (a[1] if n > 2 else 2 * a[0])
    return a[rng.permutation(n)]


def structured(rng: np.random.Generator, n: int) -> Array:
    kinds = [kind for kind in KINDS if kind != "hermitian"]
    return random_matrix(str(rng.choice(kinds)), n, np.dtype(float), "C", rng)


MATRICES = (
    integers, integers, integers, spread, graded, unimodular, triangle, band, hilbert,
    nearly_singular, singular, structured,
)  # fmt: skip


def sides(rng: np.random.Generator, a: Array) -> Array:
    """A right-hand side: integers, a product with zeros and small numbers, or of all sizes."""
    n = len(a)
    how = rng.integers(5)
    if how == 0:
        return rng.integers(-9, 10, n).astype(float)
    if how == 1:
        return np.eye(n)[rng.integers(n)] * float(rng.integers(1, 9))
    if how == 2:
        return rng.standard_normal(n) * 10.0 ** rng.uniform(-300, 300, n)
    if how == 3:
        return rng.standard_normal(n)
    return a @ (rng.integers(-3, 4, n) * rng.integers(0, 2, n))


def draw(seed: int) -> tuple[Array, Array, str]:
    """A stack of systems, of one or more, and their story."""
    rng = np.random.default_rng([17, seed])
    make = MATRICES[rng.integers(len(MATRICES))]
    n = int(rng.integers(1, 6)) if rng.random() < 0.6 else int(rng.integers(6, 21))
    count = int(rng.choice([1, 1, 3, 9])) if n < 13 else 1
    is_complex = bool(rng.random() < 0.25) and n < 13
    nrhs = int(rng.choice([1, 1, 2]))
    matrices, columns = [], []
    with np.errstate(all="ignore"):
        for _ in range(count):
            a = make(rng, n)
            b = np.stack([sides(rng, a) for _ in range(nrhs)], axis=1)
            if is_complex:
                a = a + 1j * make(rng, n)
                b = b + 1j * np.stack([sides(rng, a.real) for _ in range(nrhs)], axis=1)
            matrices.append(a)
            columns.append(b)
        a, b = np.stack(matrices), np.stack(columns)
        if rng.random() < 0.2:
            a, b = (v.astype("F" if is_complex else "f") for v in (a, b))
    a, b = (np.where(np.isfinite(v), v, 1).astype(v.dtype) for v in (a, b))
    story = f"{make.__name__}, {count} of order {n}, {nrhs} columns, {a.dtype}"
    return (a, b, story) if count > 1 else (a[0], b[0], story)


def wrong(a: Array, b: Array) -> Iterator[str]:
    """What is wrong with the solution."""
    stack, columns = a.reshape(-1, *a.shape[-2:]), b.reshape(-1, *b.shape[-2:])
    true = [exact(*real(*system)) for system in zip(stack, columns, strict=True)]
    if any(t is None for t in true):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                smartsolve.solve(a, b, accuracy="full")
        except np.linalg.LinAlgError:
            pass
        else:
            yield "a singular matrix raises no error"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            x = smartsolve.solve(a, b, accuracy="full", on_singular="nan")
        except (smartsolve.IllConditionedWarning, np.linalg.LinAlgError) as error:
            yield repr(error)
            return
    for k, (value, t) in enumerate(zip(x.reshape(columns.shape), true, strict=True)):
        if t is None:
            if not np.isnan(value).all():
                yield f"system {k}: singular, and has a solution"
            continue
        parts = np.concatenate([value.real, value.imag]) if np.iscomplexobj(value) else value
        for c, column in enumerate(t):
            for i, component in enumerate(column):
                if not is_right(parts[i, c], component):
                    yield f"system {k}, component {i} of column {c}: {parts[i, c]!r}, true " + (
                        f"{rounded(component)!r}"
                    )


def rounded(true: Fraction) -> float:
    try:
        return float(true)
    except OverflowError:
        return np.inf if true > 0 else -np.inf


def is_right(value: Any, true: Fraction) -> bool:
    """To one unit in the last place of its type."""
    if true == 0:
        return bool(value == 0)
    with np.errstate(all="ignore"):
        nearest = value.dtype.type(rounded(true))
        if not np.isfinite(nearest) or not np.isfinite(value):
            return bool(nearest == value)
        return abs(Fraction(float(value)) - true) <= Fraction(float(np.spacing(abs(nearest))))


def look(seed: int) -> Seen:
    """One draw, and what is wrong with it."""
    a, b, story = draw(seed)
    return Seen(story, a.size // a.shape[-1] ** 2, {}, list(wrong(a, b)))


if __name__ == "__main__":
    sys.exit(run(__doc__, look))
