"""Other libraries' engines, each where it is installed; the tests need none of them."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.linalg import LinAlgError
from scipy import sparse

import smartsolve
from smartsolve._sparse.engines import ENGINES

from .generators import STRUCTURES

SYMMETRIC_ONLY = {"cholmod"}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Any:
    name: str = request.param
    package = ENGINES[name][2]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    try:
        smartsolve.solve(sparse.eye_array(2, format="csc"), np.ones(2), engine=name)
    except ImportError as error:
        pytest.skip(str(error))
    return name


def matrix(engine: str, dtype: str) -> Any:
    name = "positive definite" if engine in SYMMETRIC_ONLY else "circuit"
    return STRUCTURES[name](400, np.dtype(dtype), np.random.default_rng(8))


@pytest.mark.parametrize("dtype", ["f", "d", "F", "D"])
def test_solutions_of_every_kind(engine: str, dtype: str) -> None:
    a = matrix(engine, dtype)
    n = a.shape[0]
    tolerance = 100 * float(np.finfo(dtype).eps)
    f = smartsolve.factorize(a, engine=engine)
    again = pickle.loads(pickle.dumps(f))
    rng = np.random.default_rng(9)
    for shape in (n,), (n, 1), (n, 3), (n, 0):
        b = rng.standard_normal(shape).astype(dtype)
        x = smartsolve.solve(a, b, engine=engine)
        assert x.shape == b.shape
        assert x.dtype == np.dtype(dtype)
        np.testing.assert_allclose(a @ x, b, atol=tolerance * n)
        np.testing.assert_array_equal(again.solve(b), f.solve(b))
        x = f.solve(b, transposed=True)
        np.testing.assert_allclose(a.T @ x, b, atol=tolerance * n)
        x = f.solve(b, transposed=True, conjugate=True)
        np.testing.assert_allclose(a.T.conj() @ x, b, atol=tolerance * n)
    b = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    np.testing.assert_allclose(a @ f.solve(b), b, atol=tolerance * n)
    assert 0 < f.rcond < 1
    x, info = smartsolve.solve(a, np.ones(n, dtype), engine=engine, return_info=True)
    assert info.method == ENGINES[engine][1]
    assert info.backward_error < tolerance


def test_a_singular_matrix_is_no_answer(engine: str) -> None:
    a = matrix(engine, "d").tolil()
    a[5, :] = 0
    a[:, 5] = 0
    with pytest.raises(LinAlgError):
        smartsolve.solve(a.tocsc(), np.ones(a.shape[0]), engine=engine)
    if engine in SYMMETRIC_ONLY:
        return
    dense = np.random.default_rng(3).integers(-3, 4, (40, 40)) * 1.0
    dense[7] = dense[3] + dense[11]
    # By rounding the last pivot may be none.
    with pytest.raises((LinAlgError, smartsolve.IllConditionedWarning)):
        smartsolve.solve(sparse.csc_array(dense), np.ones(40), engine=engine)


def test_what_is_not_definite_is_refused_by_a_cholesky(engine: str) -> None:
    if engine not in SYMMETRIC_ONLY:
        pytest.skip("takes any matrix")
    a = sparse.csc_array([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(LinAlgError, match="definite"):
        smartsolve.solve(a, np.ones(2), engine=engine)


def test_nothing_of_the_caller_changes(engine: str) -> None:
    a = matrix(engine, "d").tocsr()
    b = np.ones(a.shape[0])
    for array in (a.data, a.indices, a.indptr, b):
        array.flags.writeable = False
    before = a.copy()
    smartsolve.solve(a, b, engine=engine)
    assert (a != before).nnz == 0


@pytest.mark.parametrize("name", ENGINES)
def test_a_missing_engine_names_its_install_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {module!r}")

    monkeypatch.setattr("smartsolve._sparse.engines.import_module", missing)
    with pytest.raises(ImportError, match=rf"pip install .*sparse-{name}"):
        smartsolve.solve(sparse.eye_array(9, format="csc"), np.ones(9), engine=name)


def test_an_unknown_engine_lists_the_known() -> None:
    with pytest.raises(ValueError, match="'cholmod', 'umfpack', 'klu', 'pardiso'"):
        smartsolve.solve(sparse.eye_array(9), np.ones(9), engine="mumps")
