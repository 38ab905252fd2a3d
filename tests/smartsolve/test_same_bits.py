"""The same call gives the same bits: asked for information or not, pickled or not; and an operand
that lies in what is overwritten is read before."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartsolve import factorize, solve

from .matrices import DTYPES, random_matrix, random_rhs

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.mark.parametrize(
    "kind", ["general", "positive definite", "upper triangular", "tridiagonal"]
)
@every_dtype
def test_with_and_without_information(dtype: str, kind: str) -> None:
    rng = np.random.default_rng(21)
    for n in (*range(1, 41), 100, 130):
        for order in ("C", "F", "strided"):
            a = random_matrix(kind, n, np.dtype(dtype), order, rng)
            for b in (
                random_rhs(n, np.dtype(dtype), rng),
                random_rhs((n, 3), np.dtype(dtype), rng),
            ):
                for right in (b, b * (1 + 0.5j)):
                    x = solve(a, right)
                    assert np.array_equal(solve(a, right, return_info=True)[0], x)
                    assert np.array_equal(solve(a, right, overwrite_b=True), x)


@every_dtype
def test_stacks_with_and_without_information(dtype: str) -> None:
    rng = np.random.default_rng(22)
    for n in (2, 3, 5, 8, 9, 12, 20, 40, 70):
        a = np.stack([random_matrix("general", n, np.dtype(dtype), "C", rng) for _ in range(21)])
        for stack in (a, np.swapaxes(a, 1, 2), a[::-1], np.asfortranarray(a)):
            b = random_rhs((21, n, 2), np.dtype(dtype), rng)
            x = solve(stack, b)
            assert np.array_equal(solve(stack, b, return_info=True)[0], x)
            assert np.array_equal(solve(stack, b, workers=2), x)


@pytest.mark.parametrize("n", [3, 20, 520])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_before_and_after_a_pickle(dtype: str, n: int) -> None:
    rng = np.random.default_rng(23)
    for kind in ("general", "upper triangular", "banded", "symmetric", "positive definite"):
        a = np.stack([random_matrix(kind, n, np.dtype(dtype), "C", rng) for _ in range(2)])
        axes_first = np.moveaxis(np.moveaxis(a, 0, 2).copy(), 2, 0)
        for given in (
            a,
            np.asfortranarray(a),
            np.swapaxes(a, 1, 2),
            axes_first,
            a[0].T,
            a[:, ::-1],
        ):
            f = factorize(given)
            for protocol in (2, pickle.HIGHEST_PROTOCOL):
                g = pickle.loads(pickle.dumps(f, protocol))
                b = random_rhs((n, 3), np.dtype(dtype), rng)
                assert np.array_equal(f.solve(b), g.solve(b))
                assert np.array_equal(f.rcond, g.rcond)


OVERLAPS: list[Callable[[Any], Any]] = [
    lambda a: a[:, 0],
    lambda a: a[0],
    lambda a: a,
    lambda a: a.T,
    lambda a: a[:, :2],
    lambda a: a[::-1, 3],
    lambda a: a[2:3].T,
]


@pytest.mark.parametrize("structure", [None, "general", "pos", "upper triangular"])
@pytest.mark.parametrize("n", [40, 513])
@every_dtype
def test_a_right_hand_side_that_lies_in_the_matrix(dtype: str, n: int, structure: str) -> None:
    rng = np.random.default_rng(24)
    kind = "positive definite" if structure == "pos" else "general"
    matrix = random_matrix(kind, n, np.dtype(dtype), "C", rng) + 2 * np.eye(n)
    for order in "CF":
        for part in OVERLAPS if n < 100 else OVERLAPS[:5]:
            a = np.array(matrix, dtype=dtype, order=order)
            expected = solve(a, part(a).copy(), assume_a=structure)
            for flags in ({"overwrite_a": True}, {"overwrite_a": True, "overwrite_b": True}):
                mine = a.copy(order="K")
                x = solve(mine, part(mine), assume_a=structure, **flags)
                assert np.allclose(x, expected, rtol=1e-3, atol=1e-3)


def test_the_first_column_of_an_overwritten_matrix() -> None:
    n = 513
    a = np.asfortranarray(np.random.default_rng(0).random((n, n)) + np.eye(n))
    x = solve(a, a[:, 0], overwrite_a=True)
    assert np.abs(x - np.eye(n)[0]).max() < 1e-10
