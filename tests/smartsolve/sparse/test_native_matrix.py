"""SparseMatrix: canonical arrays whatever is given, and what one pass sees of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smartsolve import _core

from .native import DTYPES, arrays_with_faults, draw, native, pattern

Array = np.ndarray


def summed(data: Array, indices: Array, indptr: Array, shape: tuple[int, int]) -> Array:
    dense = np.zeros(shape)
    for j in range(shape[1]):
        for k in range(indptr[j], indptr[j + 1]):
            dense[indices[k], j] += data[k]
    return dense


@given(arrays_with_faults(), st.sampled_from(["i4", "i8"]), st.booleans())
def test_any_arrays_become_canonical(given: Any, index: str, csr: bool) -> None:
    (data, indices, indptr), shape = given
    expected = summed(data, indices, indptr, shape)
    arrays = [data, indices.astype(index), indptr.astype(index)]
    before = [array.copy() for array in arrays]
    m = _core.SparseMatrix(*arrays, shape[::-1] if csr else shape, csr)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
    if csr:
        expected = expected.T
    np.testing.assert_array_equal(m.dense(), expected)
    assert m.shape == expected.shape
    assert m.nnz == np.count_nonzero(expected)
    values, rows, starts = m.csc()
    assert rows.dtype == starts.dtype == np.int32
    for j in range(expected.shape[1]):
        np.testing.assert_array_equal(
            rows[starts[j] : starts[j + 1]], np.flatnonzero(expected[:, j])
        )
    np.testing.assert_array_equal(values, expected.T[expected.T != 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_canonical_arrays_are_borrowed_and_owned_ones_are_not(dtype: str) -> None:
    a = scipy.sparse.csc_array(draw((5, 5), dtype, np.random.default_rng(1)))
    m = _core.SparseMatrix(a.data, a.indices, a.indptr, a.shape)
    assert m.borrowed
    assert np.shares_memory(m.arrays()[0], a.data)
    assert not any(array.flags.writeable for array in m.arrays())
    own = m.owned()
    expected = a.toarray()
    a.data[:] = 0
    assert not own.borrowed
    np.testing.assert_array_equal(own.dense(), expected)


@pytest.mark.parametrize("kind", ["?", "i1", "u8", "i4", ">f8", ">i8"])
def test_other_element_types_become_double(kind: str) -> None:
    a = np.array([[1, 0], [1, 1]]).astype(kind)
    m = _core.SparseMatrix(a.T.ravel()[[0, 1, 3]], np.array([0, 1, 1]), np.array([0, 2, 3]), (2, 2))
    assert m.dtype == np.float64
    np.testing.assert_array_equal(m.dense(), [[1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("data", "indices", "indptr", "shape", "error", "says"),
    [
        ([1.0], [2], [0, 1], (2, 1), ValueError, "indices"),
        ([1.0], [-1], [0, 1], (2, 1), ValueError, "indices"),
        ([1.0], [0], [0, 2], (2, 1), ValueError, "indptr"),
        ([1.0], [0], [1, 1], (2, 1), ValueError, "indptr"),
        ([1.0, 1.0], [0, 0], [0, 2, 1], (2, 2), ValueError, "indptr"),
        ([1.0], [0], [0, 1, 1], (2, 1), ValueError, "indptr"),
        ([1.0], [0.0], [0, 1], (2, 1), TypeError, "indices"),
        (["x"], [0], [0, 1], (2, 1), TypeError, "dtype"),
        ([1.0], [0], [0, 1], (2**31, 1), ValueError, "2147483647"),
        ([1.0], [2**33], [0, 1], (2, 1), ValueError, "indices"),
    ],
)
def test_inconsistent_arrays_are_refused(
    data: Any, indices: Any, indptr: Any, shape: Any, error: Any, says: str
) -> None:
    with pytest.raises(error, match=says):
        _core.SparseMatrix(np.array(data), np.array(indices), np.array(indptr), shape)


@given(
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 20),
    st.sampled_from(DTYPES),
    st.sampled_from(["csc", "csr"]),
    st.integers(0, 2**32 - 1),
)
def test_scan_says_what_is_there(
    m: int, n: int, entries: int, dtype: str, form: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = np.zeros((m, n), dtype)
    if m and n:
        a[rng.integers(0, m, entries), rng.integers(0, n, entries)] = rng.integers(1, 3, entries)
    if m == n and rng.random() < 0.5:
        a = a + a.conj().T if rng.random() < 0.5 else a + a.T
    seen = native(scipy.sparse.csc_array(a).asformat(form)).scan()
    i, j = np.nonzero(a)
    kl, ku = max(0, *(i - j), 0), max(0, *(j - i), 0)
    assert (seen["kl"], seen["ku"]) == (kl, ku)
    in_band = sum(-kl <= c - r <= ku for r in range(m) for c in range(n))
    assert seen["in_band"] == pytest.approx(len(i) / in_band if in_band else 0)
    diagonal = np.diag(a) if a.size else np.zeros(0)
    assert seen["diagonal"] == np.count_nonzero(diagonal)
    square = m == n
    assert seen["positive_diagonal"] == (square and bool(np.all(diagonal.real > 0)))
    assert seen["symmetric"] == (square and np.array_equal(a, a.T))
    assert seen["hermitian"] == (square and np.array_equal(a, a.conj().T))
    if seen["symmetric_pattern"] is not None:
        assert seen["symmetric_pattern"] == (square and np.array_equal(a != 0, a.T != 0))
    empty_rows, empty_columns = np.flatnonzero(~a.any(1)), np.flatnonzero(~a.any(0))
    assert seen["empty_row"] == (empty_rows[0] if empty_rows.size else -1)
    assert seen["empty_column"] == (empty_columns[0] if empty_columns.size else -1)


@given(
    st.integers(0, 300),
    st.integers(0, 900),
    st.sampled_from(DTYPES),
    st.sampled_from(["csc", "csr"]),
    st.sampled_from(["i4", "i8"]),
    st.sampled_from(["none", "duplicate", "zero", "unsorted", "inf"]),
    st.integers(0, 2**32 - 1),
)
def test_what_one_pass_sees_does_not_depend_on_how_the_entries_lie(
    n: int, entries: int, dtype: str, form: str, index: str, flaw: str, seed: int
) -> None:
    """Pieces of 128 lines, either kind of indices, and what has to be copied first."""
    rng = np.random.default_rng(seed)
    a = scipy.sparse.csc_array((n, n), dtype=dtype)
    if n:
        i, j = rng.integers(0, n, (2, entries))
        j = np.clip(i + rng.integers(-9, 9, entries), 0, n - 1) if rng.random() < 0.5 else j
        values = draw((entries,), dtype, rng)
        a = scipy.sparse.coo_array((values, (i, j)), shape=(n, n)).tocsc()
        a = (a + scipy.sparse.eye_array(n, dtype=dtype) * rng.choice([1, 90])).tocsc()
    a = a.asformat(form)
    a.sort_indices()
    expected = native(a.copy()).scan()
    plain = a.tocoo()
    assert expected["kl"] == max(0, *(plain.row - plain.col), 0)
    assert expected["ku"] == max(0, *(plain.col - plain.row), 0)
    if a.nnz and flaw != "none":
        at = int(rng.integers(a.nnz))
        if flaw == "inf":
            a.data[at] = np.inf
            assert native(a, index).scan()["not_finite"]
            return
        line = int(np.searchsorted(a.indptr, at, side="right")) - 1
        values, places = a.data, a.indices
        if flaw == "unsorted":
            part = slice(a.indptr[line], a.indptr[line + 1])
            values[part], places[part] = values[part][::-1].copy(), places[part][::-1].copy()
            a = type(a)((values, places, a.indptr), shape=a.shape)
        else:
            half = values[at] / 2 if flaw == "duplicate" else values[at]
            more = half if flaw == "duplicate" else 0
            place = places[at] if flaw == "duplicate" else int(rng.integers(n))
            values[at] = half
            indptr = a.indptr.copy()
            indptr[line + 1 :] += 1
            values, places = np.insert(values, at, more), np.insert(places, at, place)
            a = type(a)((values.astype(dtype), places, indptr), shape=a.shape)
    m = native(a, index)
    assert m.scan() == expected
    if expected["diagonal"] == n and n > 0 and m.factor("lu").status == "ok":
        # The probe goes through the lines: through rows it grows otherwise than through columns.
        same = native(scipy.sparse.csc_array(a.toarray()).asformat(form))
        for made in m, m.owned():
            assert made.factor("lu").passes_screen() == same.factor("lu").passes_screen()


def test_scan_of_complex_and_of_what_is_not_finite() -> None:
    a = np.array([[1, 2j], [-2j, 1]])
    seen = native(scipy.sparse.csc_array(a)).scan()
    assert seen["hermitian"]
    assert not seen["symmetric"]
    assert seen["positive_diagonal"]
    a[0, 0] = 1 + 1j
    assert not native(scipy.sparse.csc_array(a)).scan()["hermitian"]
    for bad in np.nan, np.inf:
        a[0, 0] = bad
        assert native(scipy.sparse.csc_array(a)).scan()["not_finite"]
    assert not native(scipy.sparse.csc_array(np.diag([np.nan, 1]))).scan()["symmetric"]


@given(st.integers(0, 10), st.integers(0, 40), st.booleans(), st.integers(0, 2**32 - 1))
def test_permuted_triangles_are_peeled_and_nothing_else(
    n: int, entries: int, triangular: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = pattern(n, entries, rng)
    if triangular:
        mask = np.tril(mask, -1) | np.eye(n, dtype=bool)
        mask = mask[rng.permutation(n)][:, rng.permutation(n)]
    for form in "csc", "csr":
        found = native(scipy.sparse.csc_array(mask * 1.0).asformat(form)).peel()
        if triangular:
            assert found is not None
        if found is None:
            continue
        rows, columns = found
        in_order = mask[rows][:, columns]
        assert not np.triu(in_order, 1).any()
        assert in_order.diagonal().all()


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_products_and_residuals(dtype: str, form: str) -> None:
    rng = np.random.default_rng(3)
    a = np.where(rng.random((7, 5)) < 0.4, draw((7, 5), dtype, rng), 0)
    m = native(scipy.sparse.csc_array(a).asformat(form))
    assert m.norm1() == pytest.approx(np.abs(a).sum(axis=0).max(), rel=1e-5)
    for transposed, conjugate in itertools.product([False, True], repeat=2):
        meant = a.T if transposed else a
        meant = meant.conj() if conjugate else meant
        for shape in (meant.shape[1],), (meant.shape[1], 3):
            x = draw(shape, dtype, rng)
            y = m.dot(x, transposed=transposed, conjugate=conjugate)
            np.testing.assert_allclose(y, meant @ x, rtol=1e-5, atol=1e-5)
    x, b = draw((5, 2), dtype, rng), draw((7, 2), dtype, rng)
    norm = np.abs(a).sum(axis=1).max()
    expected = np.abs(b - a @ x).max(axis=0) / (
        norm * np.abs(x).max(axis=0) + np.abs(b).max(axis=0)
    )
    assert m.residual(x, b) == pytest.approx(expected.max(), rel=1e-4)


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_diagonals_are_scanned_alike_however_they_are_known(dtype: str, form: str) -> None:
    one = np.ones(1, dtype)
    for values in [2, 3, 1], [2, -1, 1], [2, np.inf, 1], [np.nan, 1, -1], [1, 2 + 1j, 1]:
        if dtype in "fd" and np.iscomplexobj(values):
            continue
        diagonal = np.array(values, dtype)
        known = native(scipy.sparse.diags_array(diagonal).asformat(form))
        # The same with an explicit zero, which is dropped: read again.
        data, place = np.concatenate([diagonal, 0 * one]), np.array([0, 1, 2, 0])
        untidy = _core.SparseMatrix(data, place, np.array([0, 1, 2, 4]), (3, 3), form == "csr")
        assert untidy.nnz == 3
        assert known.scan() == untidy.scan()
        real = np.all(diagonal.imag == 0)
        finite = bool(np.isfinite(diagonal).all())
        assert known.scan()["not_finite"] is not finite
        assert known.scan()["positive_diagonal"] == bool(real and np.all(diagonal.real > 0))
        assert known.scan()["hermitian"] == bool(real and finite)


@given(n=st.integers(1, 6), entries=st.integers(0, 12), seed=st.integers(0, 2**32 - 1))
def test_no_order_is_narrower_than_the_bound(n: int, entries: int, seed: int) -> None:
    mask = pattern(n, entries, np.random.default_rng(seed))
    least, order = native(scipy.sparse.csc_array(mask * 1.0)).narrow(n * n)
    widths = []
    for p in itertools.permutations(range(n)):
        rows, columns = np.nonzero(mask[np.ix_(p, p)])
        if rows.size:
            widths.append(max(0, *(rows - columns)) + max(0, *(columns - rows)) + 1)
    assert least <= min(widths, default=0) or not mask.any()
    assert order is not None
    p, kl, ku = order
    rows, columns = np.nonzero(mask[np.ix_(p, p)])
    assert kl == max([0, *(rows - columns)])
    assert ku == max([0, *(columns - rows)])
    refused = native(scipy.sparse.csc_array(mask * 1.0)).narrow(least - 1)
    assert refused == (least, None)
