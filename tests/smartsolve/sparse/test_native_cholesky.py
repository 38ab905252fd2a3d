"""Own Cholesky: orders, fill, fronts of all sizes, and what is not definite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from .native import DTYPES, backward_error, definite, draw, grid, native, pattern

ORDERINGS = ("amd", "nd", "rcm", "natural", None)


@given(
    n=st.integers(0, 120),
    per_row=st.sampled_from([0.5, 1, 3, 20]),
    dtype=st.sampled_from(DTYPES),
    ordering=st.sampled_from(ORDERINGS),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_pattern_in_any_order(
    n: int, per_row: float, dtype: str, ordering: str | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = definite(pattern(n, int(per_row * n), rng), dtype, rng)
    m = native(scipy.sparse.csc_array(a))
    f = m.factor("cholesky", ordering=ordering)
    assert f.status == "ok"
    b = draw((n, 20), dtype, rng)
    assert backward_error(a, f.solve(b), b) < 20
    given_order = m.factor("cholesky", ordering=rng.permutation(n))
    assert backward_error(a, given_order.solve(b), b) < 20


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(45, 45), (11, 11, 11), (3, 400)])
def test_grids(sizes: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(2)
    a = grid(*sizes)
    n = a.shape[0]
    if dtype in "FD":  # another matrix with the same eigenvalues
        phases = scipy.sparse.diags_array(np.exp(2j * np.pi * rng.random(n)))
        a = phases @ a @ phases.conj()
        a = (a + a.conj().T) / 2
    m = native(scipy.sparse.csc_array(a.astype(dtype)))
    b = draw((n, 3), dtype, rng)
    for ordering in ORDERINGS:
        f = m.factor("cholesky", ordering=ordering)
        assert m.residual(f.solve(b), b) < 50 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [17, 150, 401, 590])
def test_one_front(n: int, dtype: str) -> None:
    rng = np.random.default_rng(n)
    a = definite(np.ones((n, n), bool), dtype, rng)
    f = native(scipy.sparse.csc_array(a)).factor("cholesky")
    b = draw((n, 3), dtype, rng)
    assert backward_error(a, f.solve(b), b) < 20
    bordered = np.zeros((2 * n, 2 * n), dtype)  # and one that leaves a large update
    bordered[:n, :n] = bordered[n:, n:] = a
    bordered[n, n - 1] = bordered[n - 1, n] = 0.5
    m = native(scipy.sparse.csc_array(bordered))
    order = np.r_[np.arange(n // 2), np.arange(n, 2 * n), np.arange(n // 2, n)]
    b = draw((2 * n,), dtype, rng)
    assert backward_error(bordered, m.factor("cholesky", ordering=order).solve(b), b) < 20


def test_fill_is_that_of_a_good_order() -> None:
    # Factors of the 300 x 300 grid: 2.65e6 entries by approximate minimum degree, here with the
    # upper halves of the diagonal blocks and what relaxed supernodes add.
    m = native(grid(60, 60))
    by_name = {name: m.factor("cholesky", ordering=name) for name in ORDERINGS}
    amd = by_name["amd"]
    assert amd.entries < by_name["natural"].entries / 2
    assert amd.flops < by_name["natural"].flops / 3
    assert amd.ordering == "amd"
    assert by_name["nd"].flops < 1.2 * amd.flops


def test_dissection_pays_in_three_dimensions() -> None:
    m = native(grid(20, 20, 20))
    amd, nd, chosen = (m.plan("cholesky", name) for name in ("amd", "nd", None))
    assert nd["flops"] < 0.7 * amd["flops"]
    assert chosen["ordering"] == ("nd" if amd["flops"] > 5e4 * 8000 else "amd")


@given(n=st.integers(0, 1500), seed=st.integers(0, 2**32 - 1))
def test_any_graph_can_be_dissected(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, max(n, 1), (2, int(n * rng.uniform(0, 2)))) % max(n, 1)
    if rng.random() < 0.3 and n:
        edges[0] = edges[0] // 50 * 50  # stars
    a = scipy.sparse.coo_array((np.ones(edges.shape[1]), (edges[0], edges[1])), shape=(n, n))
    m = native(scipy.sparse.csc_array(a + scipy.sparse.eye_array(n)))
    np.testing.assert_array_equal(np.sort(m.order("nd")), np.arange(n))


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_do_not_depend_on_workers(dtype: str) -> None:
    rng = np.random.default_rng(3)
    a = definite(pattern(400, 500, rng), dtype, rng)
    m = native(scipy.sparse.csr_array(a))
    b = draw((400, 5), dtype, rng)
    x = m.factor("cholesky").solve(b)
    for workers in 2, 3, 8:
        np.testing.assert_array_equal(m.factor("cholesky", workers=workers).solve(b), x)


@given(n=st.integers(2, 60), seed=st.integers(0, 2**32 - 1), workers=st.sampled_from([1, 3]))
def test_what_is_not_definite_is_told_and_harms_nothing(n: int, seed: int, workers: int) -> None:
    rng = np.random.default_rng(seed)
    a = definite(pattern(n, 3 * n, rng), "d", rng)
    a -= (np.linalg.eigvalsh(a)[rng.integers(n - 1)] + 1e-3) * np.eye(n)
    m = native(scipy.sparse.csc_array(a))
    before: Any = m.dense()
    f = m.factor("cholesky", workers=workers)
    assert f.status == "not_positive_definite"
    assert 0 <= f.index < n
    np.testing.assert_array_equal(m.dense(), before)


def test_dense_rows_come_last() -> None:
    n = 2000
    a = scipy.sparse.lil_array((n, n))
    a[0, :] = a[:, 0] = 1.0
    a.setdiag(np.full(n, 2.0 * n))
    f = native(scipy.sparse.csc_array(a)).factor("cholesky")
    assert f.status == "ok"
    assert f.entries < 12 * n
