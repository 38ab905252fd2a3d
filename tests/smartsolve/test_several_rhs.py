"""Right-hand sides that are solved side by side: each as well as if it were alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve

from .accuracy import assert_solves
from .matrices import DTYPES, ORDERS, arranged, kinds_and_dtypes, random_matrix, random_rhs

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)


@every_kind_and_dtype
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    n=st.integers(1, 40) | st.sampled_from([64, 101]),
    nrhs=st.integers(2, 20),
    order=st.sampled_from(ORDERS),
    transposed=st.booleans(),
    conjugate=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_error_of_each(
    kind: str,
    dtype: np.dtype,
    n: int,
    nrhs: int,
    order: str,
    transposed: bool,
    conjugate: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    a = random_matrix(kind, n, dtype, order, rng)
    b = random_rhs((n, nrhs), dtype, rng) * dtype.type(2.0) ** rng.integers(-9, 9, nrhs)
    b = b.astype(dtype)
    x = smartsolve.factorize(a).solve(b, transposed=transposed, conjugate=conjugate)
    assert_solves(a.conj() if conjugate else a, x, b, transposed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "kind",
    [
        "upper triangular",
        "lower triangular",
        "permuted triangular",
        "upper hessenberg",
        "lower hessenberg",
        "positive definite",
        "symmetric",
        "general",
    ],
)
def test_the_bits_do_not_depend_on_the_neighbours(kind: str, dtype: str) -> None:
    """In another order, and beside columns of NaN, Inf and zeros: by our own kernels."""
    rng = np.random.default_rng(21)
    for n, nrhs in itertools.product((2, 3, 7, 9, 16, 23, 40), (2, 5, 8, 13)):
        a = random_matrix(kind, n, np.dtype(dtype), "C", rng)
        b = random_rhs((n, nrhs), dtype, rng)
        x = smartsolve.solve(a, b)
        order = rng.permutation(nrhs)
        np.testing.assert_array_equal(smartsolve.solve(a, b[:, order]), x[:, order])
        for value in (np.nan, np.inf, 0):
            spoiled = b.copy()
            spoiled[:, nrhs // 2] = value
            kept = np.arange(nrhs) != nrhs // 2
            y = smartsolve.solve(a, spoiled)
            np.testing.assert_array_equal(y[:, kept], x[:, kept])
            assert np.isfinite(y[:, ~kept]).all() == (value == 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangles_with_a_narrow_band(dtype: str) -> None:
    """Lines that go together have their bands side by side; what is beside them is zero."""
    rng = np.random.default_rng(22)
    for n, width, upper in itertools.product((10, 31, 64), (1, 2, 3, 5, 9), (False, True)):
        a = np.tril(np.triu(random_rhs((n, n), dtype, rng), -width)) / 2
        a += 3 * np.eye(n, dtype=dtype)
        a = a.T.copy() if upper else a
        for order, nrhs in itertools.product(ORDERS, (2, 8, 11)):
            b = random_rhs((n, nrhs), dtype, rng)
            f = smartsolve.factorize(arranged(a, order))
            assert f.structure == ("upper triangular" if upper else "lower triangular")
            for transposed in (False, True):
                assert_solves(a, f.solve(b, transposed=transposed), b, transposed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_very_many_go_to_lapack(dtype: str, order: str) -> None:
    """From crossover.trtrs_from and trtrs_from_nrhs on."""
    rng = np.random.default_rng(23)
    a = random_matrix("lower triangular", 1100, np.dtype(dtype), order, rng)
    b = random_rhs((1100, 70), dtype, rng)
    f = smartsolve.factorize(a)
    for transposed, conjugate in itertools.product((False, True), (False, True)):
        x = f.solve(b, transposed=transposed, conjugate=conjugate)
        assert_solves(a.conj() if conjugate else a, x, b, transposed)
