"""`inspect` says what is there: exact zeros, exact equality, nothing else."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve import Structure, inspect, solve

from .accuracy import assert_solves
from .matrices import (
    DTYPES,
    FOUND_FROM,
    KINDS,
    ORDERS,
    arranged,
    dtypes_of,
    kinds_and_dtypes,
    random_matrix,
    random_rhs,
)

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)

# Large enough for every band to be narrow and every kind to be looked for, small enough to look at.
N = 130


def bandwidths(a: np.ndarray) -> tuple[int, int]:
    i, j = np.nonzero(a)
    return max(0, int((i - j).max(initial=0))), max(0, int((j - i).max(initial=0)))


def assert_permuted_triangular(a: np.ndarray, structure: Structure) -> None:
    """a[rows][:, columns] is triangular, with None for the identity."""
    identity = np.arange(len(a))
    rows = identity if structure.row_permutation is None else structure.row_permutation
    columns = identity if structure.column_permutation is None else structure.column_permutation
    assert np.array_equal(np.sort(rows), identity)
    assert np.array_equal(np.sort(columns), identity)
    sorted_out = a[np.ix_(rows, columns)]
    assert not np.tril(sorted_out, -1).any() or not np.triu(sorted_out, 1).any()


def assert_blocks(a: np.ndarray, structure: Structure) -> None:
    """a[rows][:, columns] is block lower triangular, or block diagonal; every block is one."""
    rows, columns = structure.row_permutation, structure.column_permutation
    sizes = structure.block_sizes
    assert rows is not None
    assert columns is not None
    assert sizes is not None
    assert np.array_equal(np.sort(rows), np.arange(len(a)))
    assert np.array_equal(np.sort(columns), np.arange(len(a)))
    assert sizes.sum() == len(a)
    assert structure.factor_flops == pytest.approx(2 * (sizes**3).sum() / 3)
    block = np.repeat(np.arange(len(sizes)), sizes)
    nonzero = a[np.ix_(rows, columns)] != 0
    if structure.kind == "block diagonal":
        assert not nonzero[block[:, None] != block].any()
    else:
        assert not nonzero[block[:, None] < block].any()
        assert nonzero[block[:, None] > block].any()


def assert_permuted_band(a: np.ndarray, structure: Structure) -> None:
    """Rows and columns in one order have the bandwidths that are told."""
    order = structure.row_permutation
    assert order is not None
    assert np.array_equal(structure.column_permutation, order)
    assert np.array_equal(np.sort(order), np.arange(len(a)))
    kl, ku = bandwidths(a[np.ix_(order, order)])
    assert structure.permuted_bandwidths == (kl, ku)
    assert 4 * (kl + ku) <= len(a)
    assert structure.factor_flops == 2 * len(a) * min(kl, ku) * (kl + ku + 1)


@pytest.mark.parametrize("order", ORDERS)
@every_kind_and_dtype
def test_every_kind_is_recognised(kind: str, dtype: np.dtype, order: str) -> None:
    rng = np.random.default_rng(51)
    for n in (12, N) if kind not in FOUND_FROM else (max(N, FOUND_FROM[kind]),):
        a = random_matrix(kind, n, dtype, order, rng)
        before = a.tobytes()
        structure = inspect(a)
        assert a.tobytes() == before
        assert isinstance(structure, Structure)
        assert structure.kind == kind
        assert structure.n == n
        assert structure.dtype == dtype
        if kind == "permuted triangular":
            assert_permuted_triangular(a.astype(dtype), structure)
        elif "block" in kind:
            assert_blocks(a.astype(dtype), structure)
        elif kind == "permuted banded":
            assert_permuted_band(a.astype(dtype), structure)
        else:
            assert structure.row_permutation is None
            assert structure.column_permutation is None


@every_kind_and_dtype
def test_bandwidths_and_symmetry(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(52)
    for n, order in itertools.product((1, 2, 3, 10, N), "CF"):
        a = random_matrix(kind, n, dtype, order, rng)
        structure = inspect(a)
        assert (structure.lower_bandwidth, structure.upper_bandwidth) == bandwidths(a)
        assert structure.symmetric == np.array_equal(a, a.T)
        assert structure.hermitian == np.array_equal(a, a.conj().T)
        assert structure.symmetric in (True, False)


@pytest.mark.parametrize(
    ("kind", "row", "column"),
    [
        ("diagonal", 0, 1),
        ("diagonal", 1, 0),
        ("diagonal", 0, N - 1),
        ("diagonal", N - 1, 0),
        ("diagonal", 50, 49),
        ("upper triangular", N - 1, 0),
        ("upper triangular", 1, 0),
        ("upper triangular", N - 1, N - 2),
        ("lower triangular", 0, N - 1),
        ("lower triangular", 0, 1),
        ("lower triangular", N - 2, N - 1),
        ("tridiagonal", 0, 2),
        ("tridiagonal", 2, 0),
        ("tridiagonal", N - 1, 0),
        ("tridiagonal", 0, N - 1),
        ("spd tridiagonal", 0, 2),
        ("spd tridiagonal", N - 1, N - 3),
        ("banded", N - 1, 0),
        ("banded", 0, N - 1),
        ("spd banded", N - 1, 0),
        ("spd banded", 0, N - 1),
        ("upper hessenberg", 2, 0),
        ("upper hessenberg", N - 1, N - 3),
        ("upper hessenberg", N - 1, 0),
        ("lower hessenberg", 0, 2),
        ("lower hessenberg", N - 3, N - 1),
        ("lower hessenberg", 0, N - 1),
    ],
)
@pytest.mark.parametrize("value", [1.0, 5e-324, math.nan, math.inf])
def test_missed_by_one_element(kind: str, row: int, column: int, value: float) -> None:
    """One element outside the pattern, however small, and the matrix is of another kind."""
    for order in ("C", "F", "strided"):
        a = random_matrix(kind, N, np.float64, "C", np.random.default_rng(53))
        assert inspect(arranged(a, order)).kind == kind
        a[row, column] = value
        structure = inspect(arranged(a, order))
        assert structure.kind != kind
        assert structure.lower_bandwidth >= row - column
        assert structure.upper_bandwidth >= column - row


@pytest.mark.parametrize("kind", ["positive definite", "symmetric", "hermitian"])
@pytest.mark.parametrize(("row", "column"), [(0, 1), (1, 0), (0, N - 1), (N - 1, 0), (50, 49)])
def test_symmetry_missed_by_one_bit(kind: str, row: int, column: int) -> None:
    for dtype, order in itertools.product(dtypes_of(kind), "CF"):
        a = random_matrix(kind, N, dtype, "C", np.random.default_rng(54))
        assert inspect(arranged(a, order)).kind == kind
        a[row, column] = np.nextafter(a[row, column].real, 9) + (
            1j * a[row, column].imag if a.dtype.kind == "c" else 0
        )
        structure = inspect(arranged(a, order))
        assert structure.kind == "general"
        assert not structure.symmetric
        assert not structure.hermitian


def test_permuted_triangular_missed_by_one_element() -> None:
    """The only diagonal of a permutation matrix; one element that closes a cycle."""
    rng = np.random.default_rng(55)
    for n in (4, 20, N):
        p = np.eye(n)[rng.permutation(n)]
        p[[0, 1]] = p[[1, 0]] if np.array_equal(p, np.eye(n)) else p[[0, 1]]
        assert inspect(p).kind == "permuted triangular"
        full = random_matrix("permuted triangular", n, np.float64, "C", rng)
        assert inspect(full).kind == "permuted triangular"
        closed = np.where(full == 0, 1.0, full)
        assert inspect(closed).kind != "permuted triangular"
    cycle = np.eye(4) + np.eye(4)[[2, 3, 1, 0]]
    assert inspect(cycle).kind != "permuted triangular"
    assert_solves(cycle + np.eye(4), solve(cycle + np.eye(4), np.ones(4)), np.ones(4))


def test_hermitian_needs_a_real_diagonal() -> None:
    for kind in ("hermitian", "positive definite"):
        a = random_matrix(kind, 20, np.complex128, "C", np.random.default_rng(56))
        a[7, 7] += 1e-300j
        assert inspect(a).kind == "general"
        assert not inspect(a).hermitian


def test_neither_symmetric_nor_hermitian() -> None:
    """Each pair is symmetric or Hermitian, the matrix is neither."""
    a = np.array([[1, 1j, 2], [-1j, 0, 3], [2, 3, 0]])
    structure = inspect(a)
    assert (structure.symmetric, structure.hermitian) == (False, True)
    b = np.array([[1, 1j, 2], [1j, 0, 3j], [2, -3j, 0]])
    structure = inspect(b)
    assert (structure.symmetric, structure.hermitian) == (False, False)
    assert structure.kind == "general"


def test_positive_definite_is_only_said_where_nothing_speaks_against_it() -> None:
    a = random_matrix("positive definite", 20, np.float64, "C", np.random.default_rng(57))
    for i in (0, 10, 19):
        for value in (0.0, -0.0, -1.0):
            b = a.copy()
            b[i, i] = value
            assert inspect(b).kind == "symmetric"
    b = a.copy()
    b[3, 5] = b[5, 3] = 2 * a[3, 3] + 2 * a[5, 5]  # |b_ij|^2 > b_ii b_jj
    assert inspect(b).kind == "symmetric"


@pytest.mark.parametrize("n", [3, 10, 40, 70])
def test_a_candidate_that_is_indefinite_has_one_name_everywhere(n: int) -> None:
    """A positive diagonal and small elements beside it prove nothing: Cholesky does."""
    tridiagonal = np.eye(n) + 0.99 * (np.eye(n, k=1) + np.eye(n, k=-1))
    banded = tridiagonal + 0.9 * (np.eye(n, k=2) + np.eye(n, k=-2))
    dense = 0.01 * np.eye(n) + 0.99 * np.cos(np.arange(n) ** 2 - np.arange(n)[:, None] ** 2)
    np.fill_diagonal(dense, 1)
    for a in (tridiagonal, banded, dense, np.stack([tridiagonal, np.eye(n), dense])):
        kind = inspect(a).kind
        assert np.array_equal(kind, smartsolve.explain(a).structure)
        _, info = smartsolve.solve(a, np.ones(n), return_info=True)
        assert np.array_equal(kind, info.structure)
        assert np.array_equal(kind, smartsolve.factorize(a).structure)
    assert inspect(tridiagonal).kind == "tridiagonal"
    circulant = np.tile([1.0, -1.0], 64)[(np.arange(128)[:, None] - np.arange(128)) % 128]
    assert inspect(circulant).kind == smartsolve.explain(circulant).structure != "circulant"


def test_spd_tridiagonal_and_banded_need_a_positive_diagonal() -> None:
    for kind, other in (("spd tridiagonal", "tridiagonal"), ("spd banded", "banded")):
        a = random_matrix(kind, N, np.float64, "C", np.random.default_rng(58))
        a[4, 4] = -a[4, 4]
        assert inspect(a).kind == other


@pytest.mark.parametrize("dtype", DTYPES)
def test_minus_zero_is_zero(dtype: str) -> None:
    rng = np.random.default_rng(59)
    for kind in ("diagonal", "upper triangular", "tridiagonal", "banded", "lower hessenberg"):
        a = random_matrix(kind, N, dtype, "C", rng)
        minus = np.where(a == 0, np.array(-0.0, dtype), a).astype(dtype)
        if minus.dtype.kind == "c":
            minus.imag[a == 0] = -0.0
        for order in "CF":
            assert inspect(arranged(minus, order)).kind == kind
    a = np.array([[1, 0.0, 2], [-0.0, -3, 4], [2, 4, 5]], dtype)
    assert inspect(a).symmetric
    assert inspect(a).hermitian


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("where", ["on", "above", "below", "mirrored"])
def test_nan_is_not_zero_and_not_equal_to_itself(dtype: str, where: str) -> None:
    """Symmetric, Hermitian, positive definite: with a NaN anywhere the matrix is general."""
    rng = np.random.default_rng(60)
    places = {
        "on": [(5, 5)],
        "above": [(2, 9)],
        "below": [(9, 2)],
        "mirrored": [(2, 9), (9, 2)],
    }[where]
    for kind in ("symmetric", "positive definite", "hermitian", "general"):
        if np.dtype(dtype) in dtypes_of(kind):
            for order in "CF":
                a = random_matrix(kind, 12, dtype, "C", rng)
                for place in places:
                    a[place] = np.nan
                structure = inspect(arranged(a, order))
                assert structure.kind == "general"
                assert not structure.symmetric
                assert not structure.hermitian


def test_nan_outside_the_pattern_counts_as_an_element() -> None:
    a = np.diag(np.arange(1.0, 9.0))
    a[0, 7] = np.nan
    assert inspect(a).kind == "upper triangular"
    a[7, 0] = np.nan
    assert inspect(a).kind == "general"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 130, 257])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_last_element_read_is_read(n: int, dtype: str) -> None:
    """Vector loops and their remainders: an element in any corner of any block is seen."""
    for i, j in itertools.product({0, n // 2, max(n - 2, 0), n - 1}, repeat=2):
        for order in "CF":
            a = np.eye(n, dtype=dtype)
            a[i, j] += 1
            structure = inspect(arranged(a, order))
            assert structure.lower_bandwidth == max(i - j, 0)
            assert structure.upper_bandwidth == max(j - i, 0)
            assert (structure.kind == "diagonal") == (i == j)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_number_with_one_zero_part_is_not_zero(dtype: str) -> None:
    for value in (1e-30, 1e-30j):
        a = np.eye(9, dtype=dtype)
        a[0, 8] = value
        assert inspect(a).kind == "upper triangular"
        assert not inspect(a).symmetric


def test_small_ones() -> None:
    for kind in KINDS:
        a = random_matrix(kind, 1, dtypes_of(kind)[-1], "C", np.random.default_rng(61))
        assert inspect(a).kind == "diagonal"
    assert inspect(np.zeros((0, 0))).n == 0
    assert inspect([[0.0]]).kind == "diagonal"
    assert inspect([[1, 2], [0, 3]]).kind == "upper triangular"
    assert inspect([[1, 0], [2, 3]]).kind == "lower triangular"
    assert inspect([[0, 2], [3, 4]]).kind == "permuted triangular"
    assert inspect([[0, 2], [3, 0]]).kind == "permuted triangular"
    assert inspect(np.zeros((5, 5))).kind == "diagonal"


@pytest.mark.parametrize(
    ("given", "seen"),
    [(int, "float64"), (bool, "float64"), (np.uint8, "float64"), (">f4", "float32"), ("c8",) * 2],
)
def test_dtype_is_that_of_the_solution(given: Any, seen: str) -> None:
    structure = inspect(np.array([[2, 1], [0, 1]]).astype(given))
    assert structure.dtype == np.dtype(seen)
    assert structure.kind == "upper triangular"


def test_what_solve_refuses_inspect_refuses() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"\(2, 3\)"):
        inspect(np.ones((2, 3)))
    with pytest.raises(np.linalg.LinAlgError):
        inspect(np.ones(3))
    with pytest.raises(TypeError):
        inspect(np.eye(2, dtype=np.longdouble))
    with pytest.raises(TypeError):
        inspect(np.eye(2, dtype=object))


@every_kind_and_dtype
def test_inspect_says_what_solve_does(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(62)
    for n, order in itertools.product((1, 2, 3, 5, 17, 64, N), "CF"):
        a = random_matrix(kind, n, dtype, order, rng)
        _, info = solve(a, random_rhs(n, dtype, rng), return_info=True)
        assert info.structure == inspect(a).kind


def test_repr_shows_the_kind() -> None:
    assert "upper triangular" in repr(inspect(np.triu(np.ones((3, 3)))))
