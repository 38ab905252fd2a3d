"""Whatever the pattern, format and index type: as small a backward error as the dense solve's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from smartsolve import IllConditionedWarning, errstate, factorize, inspect, mldivide, solve
from smartsolve._sparse import DENSE_BELOW

from ..accuracy import FACTOR, backward_error, eps
from .generators import FORMATS, STRUCTURES, numbers, shuffled, untidy

DTYPES = ("float32", "float64", "complex64", "complex128")


@st.composite
def systems(draw: st.DrawFn) -> tuple[Any, np.ndarray]:
    """A matrix of a drawn structure in a drawn format, perhaps untidy, and right-hand sides."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    structure = draw(st.sampled_from(sorted(STRUCTURES)))
    n = draw(st.one_of(st.integers(17, 40), st.integers(351, 460)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    a = STRUCTURES[structure](n, dtype, rng)
    if draw(st.booleans()):
        a = shuffled(a, rng)
    if draw(st.booleans()):  # scaled by rows and columns
        scales = 2.0 ** rng.integers(-20, 20, (2, a.shape[0]))
        a = (sparse.diags_array(scales[0]) @ a @ sparse.diags_array(scales[1])).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)
        a = sparse.csc_array(a).asformat(draw(st.sampled_from(FORMATS)))
    if a.format in ("csc", "csr"):
        if draw(st.booleans()):
            a = untidy(a, rng).asformat("csc")
            if a.format == "csr":
                a = a.T
        index = np.dtype(draw(st.sampled_from(["int32", "int64"])))
        a.indices, a.indptr = a.indices.astype(index), a.indptr.astype(index)
    columns = draw(st.sampled_from([(), (1,), (3,)]))
    return a, numbers(int(np.prod((a.shape[0], *columns))), dtype, rng).reshape(-1, *columns)


def as_good_as_dense(a: Any, b: np.ndarray, x: np.ndarray, transposed: bool) -> None:
    dense = a.toarray()
    error = backward_error(dense, x, b, transposed)
    with errstate(ill_conditioned="ignore"):
        other = solve(dense, b, transposed=transposed)
    bound = FACTOR * len(dense) * eps(x.dtype)
    assert error <= max(bound, 4 * backward_error(dense, other, b, transposed))


@settings(deadline=None, max_examples=150)
@given(systems(), st.booleans())
def test_backward_error(system: tuple[Any, np.ndarray], transposed: bool) -> None:
    a, b = system
    with errstate(ill_conditioned="ignore"):
        x, info = solve(a, b, transposed=transposed, return_info=True)
        plain = solve(a, b, transposed=transposed)
        again = factorize(a).solve(b, transposed=transposed)
    assert x.shape == b.shape
    assert x.dtype == a.dtype
    if a.shape[0] > DENSE_BELOW:  # below, the bits are the dense product's
        assert np.array_equal(x, plain)
    as_good_as_dense(a, b, x, transposed)
    as_good_as_dense(a, b, again, transposed)
    assert info.backward_error <= 4 * FACTOR * a.shape[0] * eps(x.dtype)


@st.composite
def patterns(draw: st.DrawFn) -> sparse.csc_array:
    """Any pattern at all: empty rows, dependent columns, and small integers, so often singular."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.one_of(st.integers(0, 12), st.integers(351, 400)))
    count = draw(st.integers(0, 3 * n))
    rows, columns = rng.integers(0, max(n, 1), (2, count))
    values = rng.integers(-2, 3, count).astype(float)
    a = sparse.coo_array((values, (rows, columns)), shape=(n, n))
    if draw(st.booleans()):
        a = a + sparse.eye_array(n)
    return sparse.csc_array(a)


@settings(deadline=None, max_examples=150)
@given(patterns())
def test_singular_or_solved(a: sparse.csc_array) -> None:
    """The rank of a matrix of small integers is certain, but for rounding in the elimination."""
    b = np.ones(a.shape[0])
    dense = a.toarray()
    rank = np.linalg.matrix_rank(dense) if a.shape[0] else 0
    with errstate(ill_conditioned="ignore"):
        try:
            x, info = solve(a, b, return_info=True)
        except np.linalg.LinAlgError:
            assert rank < a.shape[0]
            assert not np.isfinite(mldivide(a, b)).all()
        else:
            if rank < a.shape[0]:
                assert info.rcond < eps(x.dtype)
            else:
                as_good_as_dense(a, b, x, False)


@settings(deadline=None, max_examples=60)
@given(patterns())
def test_inspect_agrees_with_the_dense_scan(a: sparse.csc_array) -> None:
    found, dense = inspect(a), inspect(a.toarray())
    assert found.n == dense.n
    assert found.nnz == np.count_nonzero(a.toarray())
    if a.shape[0] > 2:
        for name in ("lower_bandwidth", "upper_bandwidth", "symmetric", "hermitian"):
            assert getattr(found, name) == getattr(dense, name), name


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_is_found(structure: str) -> None:
    a = STRUCTURES[structure](500, np.dtype("complex128"), np.random.default_rng(3))
    found = inspect(a).kind
    assert found == {"saddle point": "hermitian", "circuit": "general"}.get(structure, structure)


@st.composite
def nearly_singular(draw: st.DrawFn) -> Any:
    """One line another's, or nearly so, anywhere in the range."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    n = draw(st.integers(2, 60))
    a = STRUCTURES[draw(st.sampled_from(sorted(STRUCTURES)))](n, dtype, rng).toarray()
    if draw(st.booleans()):
        a = rng.permutation(rng.permutation(a), axis=1)
    i, j = rng.integers(0, len(a), 2)
    a[i] = a[j] * (1 + draw(st.sampled_from([0, 1, 4])) * np.finfo(dtype).eps)
    largest = np.finfo(dtype).maxexp - 8
    power = draw(st.sampled_from([0, largest, -largest // 2]))
    return sparse.csc_array(a * a.real.dtype.type(2.0**power))


@settings(deadline=None, max_examples=150)
@given(nearly_singular(), st.sampled_from(["csc", "csr", "coo"]))
def test_no_road_is_silent_where_another_finds_it_singular(a: Any, form: str) -> None:
    a = a.asformat(form)
    b = np.ones(a.shape[0], a.dtype)
    roads = {
        "plain": lambda: solve(a, b),
        "told": lambda: solve(a, b, return_info=True),
        "columns": lambda: solve(a, np.stack([b, b], axis=1)),
        "declared": lambda: solve(a, b, assume_a="general"),
        "factors": lambda: factorize(a).solve(b),
        "declared factors": lambda: factorize(a, structure="general").solve(b),
    }
    silent, singular = [], []
    for name, road in roads.items():
        try:
            road()
            silent.append(name)
        except IllConditionedWarning:
            pass
        except np.linalg.LinAlgError:
            singular.append(name)
    assert not (silent and singular)
