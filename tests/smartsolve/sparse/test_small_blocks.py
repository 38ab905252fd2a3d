"""Small diagonal blocks, side by side in the lanes: by themselves, and joined level by level."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import given
from hypothesis import strategies as st

import smartsolve

from .native import DTYPES, Array, backward_error, draw, native

COUPLINGS = ("none", "chain", "some")


def of_blocks(
    orders: Array, dtype: str, rng: np.random.Generator, coupling: str = "none", full: float = 1.0
) -> Any:
    """Blocks on the diagonal, and above them what joins neighbours, or some of them."""
    n, ends = int(orders.sum()), np.cumsum(orders)
    a = np.zeros((n, n), dtype)
    for order, end in zip(orders, ends, strict=True):
        block = draw((order, order), dtype, rng)
        block[(rng.random(block.shape) > full) & ~np.eye(order, dtype=bool)] = 0
        a[end - order : end, end - order : end] = block
    for k, end in enumerate(ends[:-1]):
        if coupling == "chain" or (coupling == "some" and rng.random() < 0.5):
            i = end - 1 - rng.integers(orders[k])
            a[i, rng.integers(end, n if coupling == "some" else end + orders[k + 1])] = 1
    return a


def shuffled(a: Array, rng: np.random.Generator) -> Array:
    return a[rng.permutation(len(a))][:, rng.permutation(len(a))]


@given(
    orders=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    repeated=st.sampled_from([1, 2, 9, 18]),
    coupling=st.sampled_from(COUPLINGS),
    full=st.sampled_from([1.0, 0.7]),
    is_shuffled=st.booleans(),
    method=st.sampled_from(["lu", "block_diagonal"]),
    dtype=st.sampled_from(DTYPES),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_blocks_of_any_order_joined_in_any_way(
    orders: list[int],
    repeated: int,
    coupling: str,
    full: float,
    is_shuffled: bool,
    method: str,
    dtype: str,
    form: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    a = of_blocks(np.array(orders * repeated), dtype, rng, coupling, full)
    a = shuffled(a, rng) if is_shuffled else a
    m = native(scipy.sparse.csc_array(a).asformat(form))
    f = m.factor(method)
    assert f.status == "ok"
    for columns in (1, 6):
        b = draw((len(a), columns), dtype, rng)
        assert backward_error(a, f.solve(b), b) < 20
        assert backward_error(a.T, f.solve(b, transposed=True), b) < 20
        adjoint = f.solve(b, transposed=True, conjugate=True)
        assert backward_error(a.conj().T, adjoint, b) < 20
    x = f.solve(b)
    np.testing.assert_array_equal(f.solve(b, workers=2), x)
    mantissa, exponent = f.determinant()
    sign, logarithm = np.linalg.slogdet(a.astype("D"))
    eps = np.finfo(dtype).eps
    close = 100 * len(a) * eps / max(f.rcond(), eps)
    assert abs(np.log(abs(mantissa)) + exponent * np.log(2) - logarithm) < close
    assert abs(mantissa / abs(mantissa) - sign) < close


@given(
    n=st.integers(1, 60),
    per_row=st.sampled_from([0.2, 0.5, 1.0, 2.0]),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_independent_blocks_are_the_components(
    n: int, per_row: float, form: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((n, n), bool)
    mask[rng.permutation(n), np.arange(n)] = rng.random() < 0.8
    many = int(per_row * n)
    i = rng.integers(0, n, many)
    mask[i, np.clip(i + rng.integers(-3, 4, many), 0, n - 1)] = True
    a = scipy.sparse.csc_array(mask * 1.0).asformat(form)
    m = native(a)
    found = m.independent_blocks()
    assert m.has_independent_blocks(False) == (found is not None)
    both = scipy.sparse.block_array([[None, a], [a.T, None]])
    count, component = scipy.sparse.csgraph.connected_components(both, directed=False)
    orders = np.bincount(component, minlength=count)
    rank = int((scipy.sparse.csgraph.maximum_bipartite_matching(a.tocsr()) >= 0).sum())
    if rank < n or orders.max() > 32:
        assert found is None
        return
    assert found is not None
    sizes = np.diff(found["starts"])
    if m.has_independent_blocks(True):  # each of which may be of several components
        assert sizes.max() <= 16
    else:
        np.testing.assert_array_equal(np.sort(sizes), np.sort(orders // 2))
    in_order = mask[found["rows"]][:, found["columns"]]
    for begin, end in itertools.pairwise(found["starts"]):
        in_order[begin:end, begin:end] = False
    assert not in_order.any()


@pytest.mark.parametrize("coupling", ["none", "chain"])
@pytest.mark.parametrize("is_shuffled", [False, True])
def test_a_singular_block_is_named(coupling: str, is_shuffled: bool) -> None:
    rng = np.random.default_rng(8)
    a = of_blocks(np.full(200, 3), "d", rng, coupling)
    a[300:303, 300:303] = [[1, 2, 4], [2, 4, 8], [3, 6, 12]]
    columns = rng.permutation(600) if is_shuffled else np.arange(600)
    rows = rng.permutation(600) if is_shuffled else np.arange(600)
    s = scipy.sparse.csc_array(a[rows][:, columns])
    f = native(s).factor("lu" if coupling == "chain" else "block_diagonal")
    assert f.status == "singular"
    assert not f.exact
    assert columns[f.index] in (300, 301, 302)
    with pytest.raises(np.linalg.LinAlgError, match=f"column {f.index} in the .* is exactly zero"):
        smartsolve.solve(s, np.ones(600))


def test_blocks_that_no_values_make_regular_are_named_by_their_pattern() -> None:
    rng = np.random.default_rng(8)
    a = of_blocks(np.full(200, 3), "d", rng)
    a[300:303, 300:303] = [[1, 2, 3], [0.1, 0, 0], [0.3, 0, 0]]
    a = shuffled(a, rng)
    with pytest.raises(np.linalg.LinAlgError, match="the pattern of zeros leaves no pivot"):
        smartsolve.solve(scipy.sparse.csc_array(a), np.ones(600))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_finite_or_out_of_range_stays_in_its_block(dtype: str) -> None:
    rng = np.random.default_rng(5)
    a = of_blocks(np.full(150, 4), dtype, rng)
    a[100:104, 100:104] *= np.finfo(dtype).tiny
    a[200:204, 200:204] *= np.finfo(dtype).max / 16
    f = native(scipy.sparse.csc_array(a)).factor("block_diagonal")
    x = draw((600,), dtype, rng)
    b = (a @ x).astype(dtype)
    b[301], b[402] = np.nan, np.inf
    found = f.solve(b)
    spoiled = np.zeros(600, bool)
    spoiled[300:304] = spoiled[400:404] = True
    np.testing.assert_array_equal(np.isfinite(found), ~spoiled)
    for k in range(0, 600, 4):
        at = slice(k, k + 4)
        if not spoiled[k] and k not in (100, 200):
            assert backward_error(a[at, at], found[at, None], b[at, None]) < 20
    # Subnormal numbers have few digits.
    rounded = a[200:204, 200:204].astype("D") @ found[200:204].astype("D") - b[200:204]
    assert abs(rounded).max() < 100 * np.finfo(dtype).eps * abs(b[200:204]).max()


def test_a_bad_condition_is_told_whether_of_one_block_or_between_blocks() -> None:
    rng = np.random.default_rng(5)
    a = of_blocks(np.full(150, 4), "d", rng)
    a[100:104, 100:104] = 1 / (1 + np.add.outer(np.arange(4), np.arange(4)))
    a[103, 103] += 1e-17
    good = smartsolve.solve(scipy.sparse.csc_array(a), np.ones(600), return_info=True)[1]
    assert good.structure == "block diagonal"
    assert good.rcond > 1e-10
    nearly = a.copy()
    nearly[100:104, 100:104] = 1 + 1e-15 * rng.random((4, 4))
    apart = a.copy()
    apart[100:104, 100:104] *= 1e-20
    for bad in (nearly, apart):
        with pytest.warns(smartsolve.IllConditionedWarning, match="blockwise LU"):
            smartsolve.solve(scipy.sparse.csc_array(bad), np.ones(600))


def test_they_are_chosen_told_and_pickled() -> None:
    rng = np.random.default_rng(5)
    a = of_blocks(np.array([5, 2, 7] * 40), "d", rng)
    b = rng.random(len(a))
    for order in (np.arange(len(a)), rng.permutation(len(a))):
        s = scipy.sparse.csr_array(a[order])
        structure = smartsolve.inspect(s)
        assert structure.kind == "block diagonal"
        assert structure.block_sizes is not None
        np.testing.assert_array_equal(structure.block_sizes, [2] * 40 + [5] * 40 + [7] * 40)
        (part,) = smartsolve.explain(s).parts
        assert part.method == "blockwise LU"
        f = smartsolve.factorize(s)
        x = f.solve(b)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(f)).solve(b), x)
        np.testing.assert_array_equal(
            smartsolve.solve(s, b, assume_a="block diagonal"), smartsolve.solve(s, b)
        )
    full = scipy.sparse.csc_array(rng.random((400, 400)))
    with pytest.raises(ValueError, match="was declared block diagonal, but no order of rows"):
        smartsolve.solve(full, np.ones(400), assume_a="block diagonal")
