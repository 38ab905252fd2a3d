"""pandas and xarray: the solution is labelled by the columns of a, and rows must be the same."""

import pickle
from typing import Any

import numpy as np
import pytest

from smartsolve import factorize, mldivide, mrdivide, solve

from .calls import CALLS, TURNED

A = np.array([[4.0, 1.0], [2.0, 5.0]])
B = np.array([1.0, 2.0])
ROWS, COLUMNS = ["p", "q"], ["x", "y"]


def pandas_pair() -> tuple[Any, Any]:
    pandas = pytest.importorskip("pandas")
    return (
        pandas.DataFrame(A, index=ROWS, columns=COLUMNS),
        pandas.Series(B, index=ROWS, name="load"),
    )


def xarray_pair() -> tuple[Any, Any]:
    xarray = pytest.importorskip("xarray")
    return (
        xarray.DataArray(A, dims=("r", "c"), coords={"r": ROWS, "c": COLUMNS}),
        xarray.DataArray(B, dims="r", coords={"r": ROWS}),
    )


@pytest.mark.parametrize("call", CALLS)
def test_series_of_the_unknowns(call: str) -> None:
    a, b = pandas_pair()
    if call in TURNED:
        b.index = COLUMNS
    x = CALLS[call](a, b)
    assert list(x.index) == (ROWS if call in TURNED else COLUMNS)
    assert x.name == "load"
    np.testing.assert_array_equal(x.to_numpy(), CALLS[call](A, B))
    plain = CALLS[call](a, B)
    assert list(plain.index) == list(x.index)
    assert type(CALLS[call](A, b)) is np.ndarray


@pytest.mark.parametrize("call", CALLS)
def test_arrays_over_the_unknowns(call: str) -> None:
    a, b = xarray_pair()
    if call in TURNED:
        b = b.rename(r="c").assign_coords(c=COLUMNS)
    x = CALLS[call](a, b)
    dim = "r" if call in TURNED else "c"
    assert x.dims == (dim,)
    assert x[dim].to_numpy().tolist() == (ROWS if call in TURNED else COLUMNS)
    np.testing.assert_array_equal(x.to_numpy(), CALLS[call](A, B))
    assert CALLS[call](a, B).dims == (dim,)
    assert type(CALLS[call](A, b)) is np.ndarray


def test_frames_of_several_right_hand_sides() -> None:
    pandas = pytest.importorskip("pandas")
    a, _ = pandas_pair()
    b = pandas.DataFrame(np.eye(2), index=ROWS, columns=["one", "two"])
    x = solve(a, b)
    assert (list(x.index), list(x.columns)) == (COLUMNS, ["one", "two"])
    np.testing.assert_allclose(x.to_numpy(), np.linalg.inv(A))
    right = mrdivide(pandas.DataFrame(np.eye(2), index=["one", "two"], columns=COLUMNS), a)
    assert (list(right.index), list(right.columns)) == (["one", "two"], ROWS)
    inverse = factorize(a).inv()
    assert (list(inverse.index), list(inverse.columns)) == (COLUMNS, ROWS)


@pytest.mark.parametrize("call", [name for name in CALLS if name not in TURNED])
def test_rows_with_other_labels_are_an_error_or_are_aligned(call: str) -> None:
    a, b = pandas_pair()
    with pytest.raises(ValueError, match=r"b does not have the labels of a: 'q' at 0, where a has"):
        CALLS[call](a, b[::-1])
    xa, xb = xarray_pair()
    with pytest.raises(ValueError, match=r"dimension 'r' of b does not have the labels of a"):
        CALLS[call](xa, xb[::-1])


@pytest.mark.parametrize(
    "function", [solve, mldivide, lambda a, b, **o: factorize(a).solve(b, **o)]
)
@pytest.mark.parametrize("pair", [pandas_pair, xarray_pair])
def test_alignment_as_asked(function: Any, pair: Any) -> None:
    a, b = pair()
    x = function(a, b, align="exact")
    np.testing.assert_array_equal(function(a, b[::-1], align="labels"), x)
    np.testing.assert_array_equal(function(a, b[::-1], align="position"), function(A, B[::-1]))
    with pytest.raises(ValueError, match="expected 'exact', 'labels' or 'position'"):
        function(a, b, align="inner")


def test_labels_that_cannot_be_aligned() -> None:
    pandas = pytest.importorskip("pandas")
    a, b = pandas_pair()
    b.index = ["p", "z"]
    with pytest.raises(ValueError, match="they are not the same labels in another order"):
        solve(a, b, align="labels")
    with pytest.raises(ValueError, match="3 instead of 2"):
        solve(a, pandas.Series([1.0, 2, 3], index=[*ROWS, "r"]))
    twice = a.set_axis(["p", "p"])
    with pytest.raises(ValueError, match="each once"):
        solve(twice, pandas.Series(B, index=["p", "q"]), align="labels")


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "Float32", "boolean", "double[pyarrow]"])
def test_nullable_and_arrow_columns(dtype: str) -> None:
    pandas = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    a = pandas.DataFrame({"x": [1, 0], "y": [1, 1]}).astype(dtype)
    b = pandas.Series([1, 0], dtype=dtype)
    numbers = a.to_numpy(dtype=np.float32 if dtype == "Float32" else float)
    x = solve(a, b)
    assert x.dtype == numbers.dtype
    np.testing.assert_array_equal(x, solve(numbers, b.to_numpy(dtype=numbers.dtype)))
    missing = a.copy()
    missing.iloc[0, 1] = pandas.NA
    with pytest.raises(ValueError, match=r"column 'y' of a has 1 missing value; expected none"):
        solve(missing, b)


def test_columns_without_numbers_are_named() -> None:
    pandas = pytest.importorskip("pandas")
    a = pandas.DataFrame({"x": [1.0, 0.0], "y": ["one", "two"]})
    with pytest.raises(
        TypeError, match=r"column 'y' of a has dtype (str|object); expected numbers"
    ):
        mldivide(a, B)
    with pytest.raises(TypeError, match=r"column 't' of b has dtype datetime64"):
        solve(A, pandas.Series(pandas.to_datetime(["2026-01-01"] * 2), name="t"))


def test_stacks_keep_their_dimensions() -> None:
    xarray = pytest.importorskip("xarray")
    rng = np.random.default_rng(0)
    a, b = rng.random((5, 3, 3)) + 3 * np.eye(3), rng.random((5, 3, 2))
    times, rhs = list("abcde"), ["u", "v"]
    xa = xarray.DataArray(a, dims=("time", "r", "c"), coords={"time": times, "c": [7, 8, 9]})
    xb = xarray.DataArray(b, dims=("time", "r", "k"), coords={"time": times, "k": rhs})
    x = solve(xa, xb)
    assert x.dims == ("time", "c", "k")
    assert x.k.to_numpy().tolist() == rhs
    np.testing.assert_array_equal(x.sel(time="c", k="v"), solve(a, b)[2, :, 1])
    np.testing.assert_array_equal(solve(xa, xb[::-1], align="labels"), x)
    with pytest.raises(ValueError, match="dimension 'time' of b does not have the labels"):
        solve(xa, xb[::-1])
    one = solve(xa.isel(time=[0]).drop_vars("time"), xb)
    assert one.time.to_numpy().tolist() == times
    assert solve(xa, b).dims == ("time", "c", "dim_2")
    assert factorize(xa).inv().dims == ("time", "c", "r")


def test_dimensions_that_do_not_meet_are_named() -> None:
    a, b = xarray_pair()
    with pytest.raises(ValueError, match=r"dimension 's' of b \('s',\) meets 'r' of a"):
        solve(a, b.rename(r="s"))
    assert solve(a, b.rename(r="s"), align="position").dims == ("c",)
    with pytest.raises(ValueError, match=r"the solution would have the dimensions \('c', 'c'\)"):
        solve(a, a)


def test_units_within_labels() -> None:
    xarray = pytest.importorskip("xarray")
    registry = pytest.importorskip("pint").UnitRegistry()
    a = xarray.DataArray(registry.Quantity(A, "ohm"), dims=("r", "c"))
    b = xarray.DataArray(registry.Quantity(B, "V"), dims="r")
    for x in (solve(a, b), mldivide(a, b), factorize(a).solve(b)):
        assert x.dims == ("c",)
        assert x.data.units == registry.Unit("V/ohm")
    pandas, units = pytest.importorskip("pandas"), pytest.importorskip("astropy.units")
    with pytest.raises(TypeError, match="the solution could be only one of both"):
        solve(pandas.DataFrame(A), B * units.m)


def test_tasks_within_labels() -> None:
    xarray, dask = pytest.importorskip("xarray"), pytest.importorskip("dask")
    a = np.random.default_rng(0).random((6, 3, 3))
    x = solve(xarray.DataArray(a, dims=("t", "r", "c")).chunk(t=2), np.ones(3))
    assert dask.is_dask_collection(x)
    assert x.dims == ("t", "c")
    np.testing.assert_array_equal(x, solve(a, np.ones(3)))


def test_labelled_factors_can_be_pickled() -> None:
    for a, b in (pandas_pair(), xarray_pair()):
        f = pickle.loads(pickle.dumps(factorize(a)))
        assert f.solve(b).equals(factorize(a).solve(b))


def test_labelled_factors_tell_of_their_solution() -> None:
    pd = pytest.importorskip("pandas")
    f = factorize(pd.DataFrame(2 * np.eye(2), columns=["x", "y"]))
    x, info = f.solve(np.ones(2), return_info=True)
    assert list(x.index) == ["x", "y"]
    assert info.rcond == 1


def test_columns_with_other_labels_are_an_error() -> None:
    pandas = pytest.importorskip("pandas")
    a, _ = pandas_pair()
    b = pandas.DataFrame(np.eye(2), columns=COLUMNS[::-1])
    with pytest.raises(ValueError, match="the columns of b do not have the labels of a"):
        mrdivide(b, a)
