"""Quantities, labels and masks: the right unit, numbers alone, or an error by name."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve import explain, factorize, inspect, mldivide, mrdivide, solve

A = np.array([[4.0, 1.0], [2.0, 5.0]])
B = np.array([1.0, 2.0])
X = np.array([1 / 6, 1 / 3])


def _astropy() -> tuple[Any, Any]:
    units = pytest.importorskip("astropy.units")
    return A * units.m, B * units.s


def _unyt() -> tuple[Any, Any]:
    unyt = pytest.importorskip("unyt")
    return unyt.unyt_array(A, "m"), unyt.unyt_array(B, "s")


def _pint() -> tuple[Any, Any]:
    registry = pytest.importorskip("pint").UnitRegistry()
    return registry.Quantity(A, "m"), registry.Quantity(B, "s")


def _column() -> tuple[Any, Any]:
    column = pytest.importorskip("astropy.table").Column
    return column(A, unit="m"), column(B, unit="s")


QUANTITIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "astropy": _astropy,
    "unyt": _unyt,
    "pint": _pint,
    "column": _column,
}
WITH_OWN_SOLVE = ["astropy", "unyt", "pint"]

# Each call on (a, b) that is not NumPy's own, and what it answers for the plain arrays.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "return_info": lambda a, b: solve(a, b, return_info=True)[0],
    "on_singular": lambda a, b: solve(a, b, on_singular="nan"),
    "assume_a": lambda a, b: solve(a, b, assume_a="general"),
    "overwrite_b": lambda a, b: solve(a, b.copy(), overwrite_b=True),
    "workers": lambda a, b: solve(a, b, workers=2),
    "check_finite": lambda a, b: solve(a, b, check_finite=True),
    "transposed": lambda a, b: solve(a, b, transposed=True),
    "mldivide": mldivide,
    "mldivide with info": lambda a, b: mldivide(a, b, return_info=True)[0],
    "minimum norm": lambda a, b: mldivide(a, b, minimum_norm=True),
    "mrdivide": lambda a, b: mrdivide(b, a),
    "factorize": lambda a, b: factorize(a).solve(b),
    "factorize transposed": lambda a, b: factorize(a).solve(b, transposed=True),
    "solve of a factorization": lambda a, b: solve(factorize(a), b),
    "mldivide of a factorization": lambda a, b: mldivide(factorize(a), b),
    "mrdivide of a factorization": lambda a, b: mrdivide(b, factorize(a)),
}
OF_A: dict[str, Callable[[Any], Any]] = {
    "inv": lambda a: factorize(a).inv(),
    "det": lambda a: factorize(a).det(),
    "slogdet": lambda a: factorize(a).slogdet(),
}


def unit_of(x: Any) -> str:
    return str(getattr(x, "units", getattr(x, "unit", None)))


def numbers(x: Any) -> np.ndarray:
    return np.asarray(getattr(x, "magnitude", x))


@pytest.mark.parametrize("library", WITH_OWN_SOLVE)
@pytest.mark.parametrize("plain", [None, "a", "b"])
def test_without_options_the_librarys_own_functions_answer(library: str, plain: str | None) -> None:
    a, b = QUANTITIES[library]()
    a, b = (A if plain == "a" else a), (B if plain == "b" else b)
    x, expected = solve(a, b), np.linalg.solve(a, b)
    assert type(x) is type(expected)
    assert unit_of(x) == unit_of(expected) != "None"
    np.testing.assert_allclose(numbers(x), X)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", QUANTITIES)
def test_a_matrix_with_a_unit_is_refused_by_name(library: str, call: str) -> None:
    """astropy 8, unyt 3 and pint 0.25: b's unit came back, or none, where s/m is right."""
    a, b = QUANTITIES[library]()
    for rhs in (b, B):
        with pytest.raises(TypeError, match=rf"^a is a {type(a).__module__}.*with a unit, which"):
            CALLS[call](a, rhs)


@pytest.mark.parametrize("call", OF_A)
@pytest.mark.parametrize("library", QUANTITIES)
def test_so_it_is_where_nothing_is_solved(library: str, call: str) -> None:
    with pytest.raises(TypeError, match=r"^a is a .*with a unit, which factorize\(\) would lose"):
        OF_A[call](QUANTITIES[library]()[0])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", QUANTITIES)
def test_right_hand_sides_keep_their_unit_or_are_refused(library: str, call: str) -> None:
    """Of a matrix of plain numbers, the solution has the unit of b: linear in b."""
    _, b = QUANTITIES[library]()
    if library == "pint":  # it has no __array_wrap__
        with pytest.raises(TypeError, match=r"^b is a pint.* with a unit, which"):
            CALLS[call](A, b)
    else:
        x = CALLS[call](A, b)
        assert type(x) is type(b)
        assert unit_of(x) == unit_of(b)
        np.testing.assert_allclose(numbers(x), CALLS[call](A, B), rtol=1e-15)


@pytest.mark.filterwarnings("ignore:The unit of the quantity is stripped")  # pint, of 1 as well
def test_a_unit_of_one_is_none() -> None:
    units = pytest.importorskip("astropy.units")
    registry = pytest.importorskip("pint").UnitRegistry()
    for a in (A * units.one, registry.Quantity(A, "")):
        np.testing.assert_allclose(factorize(a).solve(B), X)
        assert unit_of(mldivide(a, B * units.s)) == "s"


@pytest.mark.parametrize("call", ["solve", *CALLS])
@pytest.mark.parametrize("labelled", ["a", "b", "both"])
def test_labels_are_left_off(labelled: str, call: str) -> None:
    """Those of b name rows; x has a row for each column. SciPy answers plain arrays as well."""
    xarray, pandas = pytest.importorskip("xarray"), pytest.importorskip("pandas")
    function = {"solve": solve, **CALLS}[call]
    rows, columns = ["p", "q"], ["x", "y"]
    pairs = [
        (
            xarray.DataArray(A, dims=("r", "c"), coords={"r": rows, "c": columns}),
            xarray.DataArray(B, dims="r", coords={"r": rows}, attrs={"units": "m"}),
        ),
        (pandas.DataFrame(A, index=rows, columns=columns), pandas.Series(B, index=rows)),
    ]
    for a, b in pairs:
        x = function(A if labelled == "b" else a, B if labelled == "a" else b)
        assert type(x) is np.ndarray
        np.testing.assert_array_equal(x, function(A, B))


@pytest.mark.parametrize("call", ["solve", *CALLS])
def test_masked_elements_are_refused(call: str) -> None:
    """NumPy solves with the values under the mask, and the mask is gone; SciPy refuses."""
    function = {"solve": solve, **CALLS}[call]
    a = np.ma.masked_array(A, mask=[[0, 1], [0, 0]])
    b = np.ma.masked_array(B, mask=[1, 0])
    with pytest.raises(ValueError, match=r"a of shape \(2, 2\) has 1 masked element; .*filled"):
        function(a, B)
    with pytest.raises(ValueError, match=r"b of shape \(2,\) has 1 masked element; .*filled"):
        function(A, b)
    whole = np.ma.masked_array(A), np.ma.masked_array(B)
    np.testing.assert_array_equal(np.asarray(function(*whole)), function(A, B))


def test_what_only_looks_at_a_matrix_needs_no_unit() -> None:
    for make in QUANTITIES.values():
        a, b = make()
        if type(a).__name__ != "Quantity" or hasattr(a, "unit"):  # pint warns of what it strips
            assert inspect(a).kind == "general"
            assert explain(a, b).structure == "general"
    with pytest.raises(ValueError, match="masked"):
        inspect(np.ma.masked_array(A, mask=A > 4))
    with pytest.raises(ValueError, match="masked"):
        explain(np.ma.masked_array(A, mask=A > 4))


@pytest.mark.parametrize("call", ["solve", *CALLS, *OF_A])
def test_sparse_matrices_are_solved_everywhere(call: str) -> None:
    sparse = import_module("scipy.sparse").csc_array(A)
    if call in OF_A:
        np.testing.assert_allclose(OF_A[call](sparse), OF_A[call](A))
    else:
        function = {"solve": solve, **CALLS}[call]
        np.testing.assert_allclose(function(sparse, B), function(A, B))


def test_numpys_matrix_and_a_dask_right_hand_side() -> None:
    """dask 2026.8 asks the matrix for its chunks."""
    array = pytest.importorskip("dask.array")
    chunked = array.from_array(B)
    with pytest.raises(TypeError, match=r"a is a numpy\.ndarray and b a dask\.array\..*own kind"):
        solve(A, chunked)
    np.testing.assert_allclose(solve(array.from_array(A), chunked).compute(), X)
    for call in CALLS.values():
        if call is not CALLS["overwrite_b"]:
            np.testing.assert_allclose(call(A, chunked), call(A, B))


def test_numpys_functions_stay_replaceable() -> None:
    """Under the patch NumPy's own answer is left to those who ask for it."""
    a = np.ma.masked_array(A, mask=A > 4)
    expected = np.linalg.solve(a, B)
    with smartsolve.patch_numpy():
        np.testing.assert_array_equal(np.linalg.solve(a, B), expected)
