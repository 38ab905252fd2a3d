"""Block triangular form and own LU: structural rank, pivots, growth, where it is singular."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import given
from hypothesis import strategies as st

from .native import DTYPES, Array, backward_error, draw, grid, native, pattern


@given(
    n=st.integers(0, 40),
    per_row=st.sampled_from([0.5, 1, 1.5, 2, 4]),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_blocks_and_structural_rank(n: int, per_row: float, form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = pattern(n, int(per_row * n), rng)
    if rng.random() < 0.5:
        mask[rng.permutation(n), np.arange(n)] = True
    a = scipy.sparse.csc_array(mask * 1.0).asformat(form)
    found = native(a).blocks()
    rank = int((scipy.sparse.csgraph.maximum_bipartite_matching(a.tocsr()) >= 0).sum()) if n else 0
    assert found["structural_rank"] == rank
    rows, columns, starts = found["rows"], found["columns"], found["starts"]
    np.testing.assert_array_equal(np.sort(rows), np.arange(n))
    np.testing.assert_array_equal(np.sort(columns), np.arange(n))
    if rank < n:
        assert found["unmatched_row"] >= 0
        assert found["unmatched_column"] >= 0
        return
    in_order = mask[rows][:, columns]
    assert in_order.diagonal().all()
    for begin, end in itertools.pairwise(starts):
        assert not in_order[end:, begin:end].any()
        block = scipy.sparse.csr_array(in_order[begin:end, begin:end])
        assert scipy.sparse.csgraph.connected_components(block, connection="strong")[0] == 1


@given(
    n=st.integers(0, 80),
    per_row=st.sampled_from([0.2, 1, 2, 5]),
    dtype=st.sampled_from(DTYPES),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_pattern(n: int, per_row: float, dtype: str, form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = pattern(n, int(per_row * n), rng)
    mask[rng.permutation(n), np.arange(n)] = True
    a = np.where(mask, draw((n, n), dtype, rng) * 10.0 ** rng.integers(-3, 3, (n, n)), 0)
    a = a.astype(dtype)
    f = native(scipy.sparse.csc_array(a).asformat(form)).factor("lu")
    if f.status != "ok":
        assert f.status == "singular"
        assert np.linalg.matrix_rank(a.astype("D")) < n
        return
    b = draw((n, 5), dtype, rng)
    assert backward_error(a, f.solve(b), b) < 20
    assert backward_error(a.conj().T, f.solve(b, transposed=True, conjugate=True), b) < 20


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["csc", "csr"])
def test_grids_with_drawn_values(dtype: str, form: str) -> None:
    rng = np.random.default_rng(4)
    a = grid(30, 30)
    a = a.astype(dtype)
    a.data[:] = draw(a.data.shape, dtype, rng)
    m = native(a.asformat(form))
    f = m.factor("lu")
    b = draw((900, 2), dtype, rng)
    assert m.residual(f.solve(b), b) < 20 * np.finfo(dtype).eps
    plan = m.plan("lu")
    assert f.flops < 20 * plan["flops"]
    assert f.entries < 6 * plan["entries"]


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize(
    ("a", "index", "axis", "exact"),
    [
        ([[1.0, 2], [2, 4]], None, None, False),
        ([[1.0, 0, 1], [0, 0, 2], [2, 0, 1]], 1, "column", True),
        ([[1.0, 0, 1], [0, 0, 0], [2, 1, 1]], 1, "row", True),
        ([[1.0, 1, 0], [0, 0, 1], [0, 0, 1]], None, None, True),
    ],
)
def test_where_it_is_singular(
    a: Array, index: int | None, axis: str | None, exact: bool, form: str
) -> None:
    f = native(scipy.sparse.csc_array(np.array(a)).asformat(form)).factor("lu")
    assert f.status == "singular"
    assert f.exact == exact
    assert f.index >= 0
    if index is not None:
        assert (f.index, f.axis) == (index, axis)


def test_nan_travels_into_the_solution() -> None:
    a = np.array([[np.nan, 1.0, 0], [1, 1, 1], [0, 1, 5]])
    f = native(scipy.sparse.csc_array(a)).factor("lu")
    assert np.isnan(f.solve(np.ones(3))).any()


def test_the_classic_tiny_pivot() -> None:
    f = native(scipy.sparse.csc_array(np.array([[1e-20, 1], [1, 1]]))).factor("lu")
    np.testing.assert_allclose(f.solve(np.array([1.0, 2])), [1, 1], rtol=1e-15)


def test_orders_and_bands() -> None:
    a = grid(12, 7)
    m = native(a)
    for name in "amd", "rcm", "natural":
        np.testing.assert_array_equal(np.sort(m.order(name)), np.arange(84))
    p = m.order("rcm")
    b = scipy.sparse.coo_array(a[p][:, p])
    kl, ku = m.band(p)
    assert kl == ku == (b.coords[0] - b.coords[1]).max()
    assert kl <= 10
    with pytest.raises(ValueError, match="magic"):
        m.order("magic")
    plan = m.plan("cholesky", "amd")
    assert plan["ordering"] == "amd"
    assert plan["entries"] <= m.factor("cholesky", ordering="amd").entries


@pytest.mark.parametrize("small", [0, 1, 64])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tenth_of_the_largest_is_not_enough_at_every_step(dtype: str, small: int) -> None:
    """The diagonal is accepted throughout, and the last column grows by ten a row; small blocks
    beside it are eliminated anew, too."""
    rng = np.random.default_rng(1)
    for n in (20, 60, 200):
        a = np.tril(-rng.uniform(0.5, 1, (n, n)), -1) + 0.11 * np.eye(n)
        a = (a + 1e-9 * np.triu(rng.uniform(0.5, 1, (n, n)), 1)).astype(dtype)
        a[:, -1] = 1
        a = scipy.linalg.block_diag(a, *draw((small, 3, 3), dtype, rng))
        f = native(scipy.sparse.csc_array(a)).factor("lu")
        assert f.growth < 1 / np.sqrt(np.finfo(dtype).eps)
        b = draw((len(a),), dtype, rng)
        for transposed in (False, True):
            x = f.solve(b, transposed=transposed)
            assert backward_error(a.T if transposed else a, x, b) < 20


@given(
    n=st.integers(1, 120),
    extra=st.integers(0, 30),
    hubs=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_trees_and_chains_fill_in_no_more_than_they_must(
    n: int, extra: int, hubs: int, seed: int
) -> None:
    """A tree has an order without any fill, and minimum degree finds it; some more edges and nodes
    that all others touch change the order, but never that it is one."""
    rng = np.random.default_rng(seed)
    mask = np.eye(n, dtype=bool)
    for i in range(1, n):
        mask[i, rng.integers(max(0, i - 5), i)] = True
    mask |= mask.T
    tree = scipy.sparse.csc_array(mask * 1.0)
    order = native(tree).order("amd")
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    if n > 16:  # smaller ones are dense
        assert native(tree).plan("lu")["entries"] == 3 * n - 2
    mask[rng.integers(0, n, extra), rng.integers(0, n, extra)] = True
    mask[:hubs] = True
    mask[:, :hubs] = True
    a = mask * draw((n, n), "d", rng)
    order = native(scipy.sparse.csc_array(a)).order("amd")
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    a[np.diag_indices(n)] = 1 + abs(a).sum(axis=0) * rng.choice([0.05, 1], n)
    f = native(scipy.sparse.csc_array(a)).factor("lu")
    assert f.status == "ok"
    b = draw((n,), "d", rng)
    for transposed in (False, True):
        x = f.solve(b, transposed=transposed)
        assert backward_error(a.T if transposed else a, x, b) < 100


@given(
    n=st.integers(17, 150),
    per_row=st.sampled_from([0.3, 1, 3, 8]),
    hubs=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_lu_is_said_to_take_is_what_its_order_takes(
    n: int, per_row: float, hubs: int, seed: int
) -> None:
    """The tree that minimum degree makes on its way counts as the one made from its order; where
    some nodes touch most others it may count a little more."""
    rng = np.random.default_rng(seed)
    mask = pattern(n, int(per_row * n), rng)
    i = np.arange(1, n)
    mask[i, i // 2] = True  # one block
    np.fill_diagonal(mask, True)
    for hub in range(hubs):
        mask[hub] |= rng.random(n) < 0.6
    a = scipy.sparse.csc_array((mask | mask.T) * 1.0)
    planned = native(a).plan("lu")
    exact = native(a).plan("cholesky", ordering="amd")
    entries = 2 * exact["entries"] - n
    assert entries <= planned["entries"] <= (1 if hubs == 0 else 1.2) * entries
    assert 2 * exact["flops"] <= planned["flops"]
