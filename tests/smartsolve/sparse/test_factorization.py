"""`factorize` of sparse matrices: what the factors give, to whom, and for how long."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import gmres

import smartsolve
from smartsolve import SparseFactorization, factorize, mldivide, mrdivide, solve

from ..accuracy import assert_solves
from .generators import STRUCTURES

DTYPES = ("float32", "float64", "complex64", "complex128")


def made(structure: str, dtype: str = "float64", n: int = 400) -> sparse.csc_array:
    return STRUCTURES[structure](n, np.dtype(dtype), np.random.default_rng(n))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_all_four_systems(structure: str, dtype: str) -> None:
    for n in (30, 400):
        a = made(structure, dtype, n)
        f = factorize(a)
        dense = a.toarray()
        for transposed in (False, True):
            for conjugate in (False, True):
                matrix = dense.T if transposed else dense
                matrix = matrix.conj() if conjugate else matrix
                for b in (np.ones(len(matrix), dtype), np.ones((len(matrix), 9), dtype)):
                    x = f.solve(b, transposed=transposed, conjugate=conjugate)
                    assert x.dtype == dtype
                    assert_solves(matrix, x, b)


@pytest.mark.parametrize("b_type", [*DTYPES, "int64"])
@pytest.mark.parametrize("a_type", DTYPES)
def test_solutions_have_the_precision_of_the_factors(a_type: str, b_type: str) -> None:
    """SuperLU refuses complex right-hand sides of a real matrix, and double ones of a single."""
    for n in (30, 400):
        a = made("general", a_type, n)
        b = np.arange(n).astype(b_type)
        x = factorize(a).solve(b)
        expected = np.dtype(a_type)
        if b.dtype.kind == "c" and expected.kind != "c":
            expected = np.dtype(expected.char.upper())
        assert x.dtype == expected
        assert_solves(a.toarray().astype(expected), x, b.astype(expected))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_determinants_and_condition(structure: str) -> None:
    for dtype in ("float64", "complex128"):
        for n in (30, 400):
            a = made(structure, dtype, n)
            f = factorize(a)
            sign, log = np.linalg.slogdet(a.toarray())
            found = f.slogdet()
            assert found.logabsdet == pytest.approx(log, rel=1e-10, abs=1e-10)
            assert found.sign == pytest.approx(sign, abs=1e-9)
            assert 0 < f.rcond <= 1


def test_det_and_inverse() -> None:
    a = made("general", n=40)
    f = factorize(a)
    assert f.det() == pytest.approx(np.linalg.det(a.toarray()))
    assert np.allclose(f.inv() @ a.toarray(), np.eye(40), atol=1e-12)
    with pytest.raises(MemoryError, match="dense"):
        factorize(sparse.eye_array(3_000_000)).inv()


def test_what_is_told() -> None:
    a = made("positive definite", n=900)
    f = factorize(a)
    assert isinstance(f, SparseFactorization)
    assert (f.shape, f.dtype, f.nnz, f.structure) == (a.shape, a.dtype, a.nnz, "positive definite")
    assert f.entries >= (a.nnz + a.shape[0]) // 2
    assert f"{a.nnz} nonzeros: positive definite, {f.method}" in repr(f)
    assert copy.copy(f) is f
    assert copy.deepcopy(f) is f


@pytest.mark.parametrize("fmt", ["csc", "csr"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_pickles_and_later_changes(structure: str, fmt: str) -> None:
    """`scipy.sparse.linalg.SuperLU` cannot be pickled at all."""
    for n in (30, 400):
        a = made(structure, n=n).asformat(fmt)
        b = np.arange(1.0, a.shape[0] + 1)
        f = factorize(a)
        x = f.solve(b)
        a.data[:] = 7  # the factors keep what was
        copied = pickle.loads(pickle.dumps(f))
        assert np.array_equal(f.solve(b), x)
        assert np.array_equal(copied.solve(b), x)
        assert repr(copied) == repr(f)


def test_a_pickle_of_another_format_is_refused() -> None:
    function, (_, *rest) = factorize(made("general")).__reduce__()
    with pytest.raises(ValueError, match="has format 99"):
        function(99, *rest)


def test_a_pickle_keeps_what_was_declared() -> None:
    a = made("positive definite")
    f = factorize(sparse.tril(a), "positive definite", lower=True)
    x = pickle.loads(pickle.dumps(f)).solve(np.ones(a.shape[0]))
    assert_solves(a.toarray(), x, np.ones(a.shape[0]))


@pytest.mark.parametrize("structure", ["general", "positive definite", "circuit", "banded"])
def test_factors_outlive_their_thread(structure: str) -> None:
    """And are used and freed in others."""
    a = made(structure)
    b = np.ones(a.shape[0])
    box: list[Any] = []
    maker = threading.Thread(target=lambda: box.append(factorize(a)))
    maker.start()
    maker.join()
    assert_solves(a.toarray(), box[0].solve(b), b)

    def use_and_free() -> None:
        box[0].solve(b)
        box.clear()
        gc.collect()

    user = threading.Thread(target=use_and_free)
    user.start()
    user.join()
    assert not box


@pytest.mark.parametrize("structure", STRUCTURES)
def test_several_threads_solve_with_the_same_factors(structure: str) -> None:
    a = made(structure)
    f = factorize(a)
    rng = np.random.default_rng(4)
    sides = [rng.standard_normal((a.shape[0], 3)) for _ in range(12)]
    alone = [f.solve(b) for b in sides]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(f.solve, sides))
    for x, y in zip(alone, together, strict=True):
        assert np.array_equal(x, y)


def test_the_number_of_workers_changes_no_bit() -> None:
    for structure in STRUCTURES:
        a = made(structure)
        f = factorize(a)
        b = np.random.default_rng(4).standard_normal((a.shape[0], 37))
        assert np.array_equal(f.solve(b), f.solve(b, workers=2))
        assert np.array_equal(solve(a, b), solve(a, b, workers=2))


def test_sparse_right_hand_sides() -> None:
    a = made("general")
    f = factorize(a)
    b = sparse.random_array((400, 6), density=0.1, rng=np.random.default_rng(2), format="csr")
    x = f.solve(b)
    assert type(x) is np.ndarray
    assert_solves(a.toarray(), x, b.toarray())
    assert np.array_equal(f.solve(b, sparse_x=True).toarray(), x)


def test_it_stands_for_a_in_the_other_calls() -> None:
    a = made("general")
    f = factorize(a)
    b = np.ones(400)
    x = f.solve(b)
    assert np.array_equal(solve(f, b), x)
    assert np.array_equal(mldivide(f, b), x)
    assert np.array_equal(solve(f, b, transposed=True), f.solve(b, transposed=True))
    assert np.array_equal(mrdivide(b, f), f.solve(b, transposed=True))
    assert np.array_equal(mldivide(f, b, sparse_x=True).toarray().ravel(), x)
    for call in (lambda: solve(f, b, engine="klu"), lambda: mldivide(f, b, engine="klu")):
        with pytest.raises(TypeError, match="Factorization"):
            call()


def test_a_preconditioner() -> None:
    a = made("general")
    operator = factorize(a).as_linear_operator()
    x, failed = gmres(a, np.ones(400), M=operator, rtol=1e-12)
    assert failed == 0
    assert np.allclose(a @ x, 1)
    assert np.allclose(operator.H @ np.ones(400), np.linalg.solve(a.toarray().T, np.ones(400)))


def test_many_threads_factor_at_once() -> None:
    matrices = [made(structure) for structure in STRUCTURES] * 2
    with ThreadPoolExecutor(4) as pool:
        solutions = list(pool.map(lambda a: solve(a, np.ones(a.shape[0])), matrices))
    for a, x in zip(matrices, solutions, strict=True):
        assert np.array_equal(x, smartsolve.solve(a, np.ones(a.shape[0])))


@pytest.mark.parametrize("b_type", ["float64", "complex128"])
@pytest.mark.parametrize("a_type", ["float64", "complex128"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_info_tells_what_was_done(structure: str, a_type: str, b_type: str) -> None:
    a = made(structure, a_type)
    n = a.shape[0]
    f = factorize(a)
    rng = np.random.default_rng(n)
    b = rng.standard_normal((n, 2)).astype(b_type)
    if b_type == "complex128":
        b += 1j * rng.standard_normal((n, 2))
    for transposed in (False, True):
        for conjugate in (False, True):
            options = {"transposed": transposed, "conjugate": conjugate}
            x, info = f.solve(b, **options, return_info=True)
            np.testing.assert_array_equal(x, f.solve(b, **options))
            assert (info.structure, info.method, info.rcond) == (f.structure, f.method, f.rcond)
            assert 0 <= info.backward_error < 1e-13
    assert solve(a, b, return_info=True)[1].backward_error < 1e-13


def test_info_of_what_has_no_solution() -> None:
    bad = sparse.eye_array(400, format="lil")
    bad[3, 7] = np.nan
    bad[7, 3] = 1
    x, info = factorize(bad.tocsc()).solve(np.ones(400), return_info=True)
    assert np.isnan(x).any()
    assert np.isnan(info.backward_error)
    assert np.isnan(info.rcond)
