"""Rectangular systems, of planted rank, stacked: held to definitions and to NumPy's SVD."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import smartsolve

from ..smartsolve.accuracy import eps, wider
from ..smartsolve.matrices import DTYPES, ORDERS, Array, arranged

SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 33, 64, 100)


@dataclass
class Rectangle:
    """A system, its rank, and how it is to be solved."""

    seed: int
    a: Array
    b: Array
    rank: Array  # of each slice
    by: str
    minimum_norm: bool

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.by}, a {self.a.shape} {self.a.dtype} of rank {self.rank}, "
            f"b {self.b.shape} {self.b.dtype}, minimum_norm={self.minimum_norm}"
        )


def make(seed: int) -> Rectangle:
    """The case of a seed."""
    rng = np.random.default_rng([23, seed])
    m, n = (int(v) for v in rng.choice(SIZES, 2))
    batch: tuple[int, ...] = ()
    if rng.random() < 0.4 and m * n <= 1024:
        batch = (int(rng.choice([0, 1, 2, 7, 8, 9, 17])),)
    dtype = np.dtype(rng.choice(DTYPES))
    full = min(m, n)
    rank = int(rng.integers(0, full + 1)) if rng.random() < 0.4 else full
    a = _values(rng, (*batch, m, n), dtype)
    if rank < full:  # of small integers, whose products are exact
        left, right = (
            np.rint(2 * _values(rng, (*batch, *s), dtype)) for s in ((m, rank), (rank, n))
        )
        a = left @ right
    ranks = np.full(batch, rank)
    if rank < full and a.size:
        ranks = np.linalg.matrix_rank(a.astype(np.result_type(a, np.float64)))  # well apart
    nrhs = int(rng.choice([0, 1, 2, 3, 9], p=[0.04, 0.4, 0.2, 0.2, 0.16]))
    shape: tuple[int, ...] = (m,) if rng.random() < 0.5 else (*batch, m, nrhs)
    if batch and len(shape) > 1 and rng.random() < 0.3:
        shape = shape[1:]
    b = _values(rng, shape, np.dtype(rng.choice(DTYPES)))
    if rng.random() < 0.2 and m and n:  # rows of all sizes
        with np.errstate(all="ignore"):
            scale = 2.0 ** rng.integers(-6, 7)
        a, b = (v * v.real.dtype.type(scale) for v in (a, b))
    a, b = arranged(a, str(rng.choice(ORDERS))), arranged(b, str(rng.choice(ORDERS)))
    return Rectangle(
        seed, a, b, ranks, str(rng.choice(["mldivide", "mrdivide"])), rng.random() < 0.5
    )


def _values(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def solved(case: Rectangle, a: Array, b: Array) -> tuple[Any, list[str]]:
    """The solution and what was told, and the names of the warnings."""
    options: dict[str, Any] = {"minimum_norm": case.minimum_norm, "return_info": True}
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        if case.by == "mldivide":
            x, info = smartsolve.mldivide(a, b, **options)
        else:
            swapped = b if b.ndim == 1 else np.swapaxes(b, -1, -2)
            x, info = smartsolve.mrdivide(swapped, np.swapaxes(a, -1, -2), **options)
            x = x if b.ndim == 1 else np.swapaxes(x, -1, -2)
    return (x, info), [type(warning.message).__name__ for warning in caught]


def complaints(case: Rectangle) -> list[str]:
    """All that is wrong with a case."""
    a, b = case.a.copy("K"), case.b.copy("K")
    try:
        (x, info), warned = solved(case, a, b)
    except (ValueError, TypeError, IndexError) as error:
        return [f"raised {error!r}"]
    found = []
    if a.tobytes() != case.a.tobytes() or b.tobytes() != case.b.tobytes():
        found.append("an input was changed")
    a, b = (v.astype(v.dtype.newbyteorder("=")) for v in (a, b))
    m, n = a.shape[-2:]
    dtype = np.result_type(a, b)
    columns = b[:, None] if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    shape = (*batch, n) if b.ndim == 1 else (*batch, n, b.shape[-1])
    if x.shape != shape or x.dtype != dtype:
        return [*found, f"{x.shape} {x.dtype}, expected {shape} {dtype}"]
    again, _ = solved(case, a, b)
    if again[0].tobytes() != x.tobytes():
        found.append("another call gives other bits")
    if m == n and not case.minimum_norm:
        return found  # the other fuzzer's
    if x.size == 0 or 0 in a.shape:
        return found if not x.any() else [*found, "not zero, where there are no equations"]
    deficient = bool((case.rank < min(m, n)).any())
    if ("RankDeficientWarning" in warned) != (deficient and not case.minimum_norm):
        found.append(f"warned {warned}, of rank {case.rank} of {min(m, n)}")
    if (np.asarray(info.rank) != case.rank).any():
        found.append(f"rank {info.rank}, expected {case.rank}")
        return found
    slices = zip(
        np.broadcast_to(a, (*batch, m, n)).reshape(-1, m, n),
        np.broadcast_to(columns, (*batch, m, columns.shape[-1])).reshape(-1, m, columns.shape[-1]),
        x.reshape(-1, n, columns.shape[-1]),
        strict=True,
    )
    ranks = np.broadcast_to(case.rank, batch).reshape(-1)
    for k, (rank, one) in enumerate(zip(ranks.tolist(), slices, strict=True)):
        found += [f"slice {k}: {what}" for what in wrong(rank, case.minimum_norm, *one)]
    return found


def wrong(rank: int, minimum_norm: bool, a: Array, b: Array, x: Array) -> Iterator[str]:
    """Definitions, in a wider type, and NumPy's solution by singular values."""
    m, n = a.shape
    if not np.isfinite(x).all():
        yield "Inf or NaN"
        return
    double = np.complex128 if x.dtype.kind == "c" else np.float64
    values = np.linalg.svd(a.astype(double), compute_uv=False)
    if not rank:
        if x.any():
            yield "not zero, for a matrix of zeros"
        return
    condition = float(values[0] / values[rank - 1])
    unit = 40 * (m + n) * eps(x.dtype)
    norm, size, rhs = float(values[0]), np.linalg.norm(x, axis=0), np.linalg.norm(b, axis=0)
    r = wider(b) - wider(a) @ wider(x)
    gradient = np.linalg.norm(np.asarray(wider(a).conj().T @ r, double), axis=0)
    if (gradient > unit * norm * (norm * size + rhs)).any():
        yield f"the residual is not orthogonal: {gradient.max():.3g}"
    if not minimum_norm:
        if (np.count_nonzero(x, axis=0) > rank).any():
            yield f"more than {rank} nonzeros"
        return
    theirs = np.linalg.lstsq(a.astype(double), b.astype(double), rcond=1e-4)[0]
    off = np.linalg.norm(x - theirs, axis=0)
    bound = unit * condition * (np.linalg.norm(theirs, axis=0) + condition * rhs / norm)
    if condition < 1e3 and (off > bound).any():
        yield f"differs from the shortest solution by {off.max():.3g}"
