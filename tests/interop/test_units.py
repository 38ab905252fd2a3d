"""Quantities of astropy, unyt and pint: the solution has the unit of b over that of a."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartsolve import explain, factorize, inspect, mldivide, solve

from .calls import CALLS

A = np.array([[4.0, 1.0], [2.0, 5.0]])
B = np.array([1.0, 2.0])


def _astropy() -> Callable[[Any, str], Any]:
    units = pytest.importorskip("astropy.units")
    return lambda values, unit: units.Quantity(values, unit)


def _unyt() -> Callable[[Any, str], Any]:
    unyt = pytest.importorskip("unyt")
    return lambda values, unit: unyt.unyt_array(values, unit)


def _pint() -> Callable[[Any, str], Any]:
    registry = pytest.importorskip("pint").UnitRegistry()
    return lambda values, unit: registry.Quantity(values, unit)


LIBRARIES = {"astropy": _astropy, "unyt": _unyt, "pint": _pint}


def unit_of(x: Any) -> Any:
    return x.units if hasattr(x, "units") else x.unit


def numbers(x: Any) -> np.ndarray:
    return np.asarray(x.magnitude if hasattr(x, "magnitude") else x.view(np.ndarray))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_volts_over_ohms_are_amperes(library: str, call: str) -> None:
    quantity = LIBRARIES[library]()
    ohm, volt = quantity(A, "ohm"), quantity(B, "V")
    expected = CALLS[call](A, B)
    for a, b, unit in [
        (ohm, volt, "A"),
        (A, volt, "V"),
        (ohm, B, "1/ohm"),
        (ohm, quantity(B, "mV"), "mA"),
    ]:
        x = CALLS[call](a, b)
        assert type(x) is type(volt)
        np.testing.assert_allclose(numbers(x), expected, rtol=1e-15)
        np.testing.assert_allclose(numbers(x.to(unit)), expected, rtol=1e-14)


@pytest.mark.parametrize("library", LIBRARIES)
def test_least_squares_and_stacks(library: str) -> None:
    quantity = LIBRARIES[library]()
    tall, rhs = np.arange(12.0).reshape(2, 3, 2) ** 2, np.arange(12.0).reshape(2, 3, 2)
    x = mldivide(quantity(tall, "s"), quantity(rhs, "m"))
    assert unit_of(x) == unit_of(quantity(1.0, "m/s"))
    np.testing.assert_allclose(numbers(x), mldivide(tall, rhs))


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_factors_answer_has_a_unit(library: str) -> None:
    quantity = LIBRARIES[library]()
    f = factorize(quantity(A, "m"))
    assert unit_of(f.inv()) == unit_of(quantity(1.0, "1/m"))
    np.testing.assert_allclose(numbers(f.inv()), np.linalg.inv(A))
    assert unit_of(f.det()) == unit_of(quantity(1.0, "m**2"))
    assert float(numbers(f.det())) == pytest.approx(18)
    with pytest.raises(
        TypeError, match=r"power of m(eter)? as its unit, whose logarithm is nothing"
    ):
        f.slogdet()
    assert (f.structure, f.rcond, f.shape) == (
        "general",
        factorize(A).rcond,
        (2, 2),
    )
    assert repr(f) == repr(factorize(A))
    assert f._repr_html_() == factorize(A)._repr_html_()


@pytest.mark.parametrize("library", LIBRARIES)
def test_factors_can_be_pickled(library: str) -> None:
    quantity = LIBRARIES[library]()
    kept = pickle.dumps((factorize(quantity(A, "ohm")), quantity(B, "V")))
    factors, volt = pickle.loads(kept)  # pint's units are then those of another registry
    np.testing.assert_allclose(numbers(factors.solve(volt).to("A")), solve(A, B), rtol=1e-15)


def test_quantities_of_two_libraries_do_not_meet() -> None:
    astropy, unyt, pint = (LIBRARIES[name]() for name in ("astropy", "unyt", "pint"))
    for one, other in [(astropy, unyt), (pint, astropy), (unyt, pint)]:
        with pytest.raises(TypeError, match="the solution could be only one of both"):
            mldivide(one(A, "m"), other(B, "s"))


def test_units_that_do_not_start_at_zero_are_refused() -> None:
    """Neither a temperature's scale nor a logarithm adds up; pint and astropy know."""
    astropy = pytest.importorskip("astropy.units")
    registry, unyt = pytest.importorskip("pint").UnitRegistry(), LIBRARIES["unyt"]()
    for b in (
        astropy.Magnitude(B),
        registry.Quantity(B, "degC"),
        unyt(B, "degC"),
        registry.Quantity(B, "dBm"),
    ):
        with pytest.raises(TypeError, match="do not add up as linear systems need it"):
            solve(A, b)


def test_a_column_with_a_unit_has_no_way_to_divide() -> None:
    """astropy's Column is an array with a unit that it does not compute with."""
    column = pytest.importorskip("astropy.table").Column
    for call in CALLS.values():
        with pytest.raises(TypeError, match=r"^a is a astropy\.table.*with a unit, which"):
            call(column(A, unit="m"), B)
        assert call(A, column(B, unit="s")).unit == "s"


def test_masked_quantities_are_refused() -> None:
    units = pytest.importorskip("astropy.units")
    masked = pytest.importorskip("astropy.utils.masked").Masked
    with pytest.raises(ValueError, match="1 masked element"):
        mldivide(A, masked(B, mask=[True, False]) * units.m)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_only_looks_at_a_matrix_needs_no_unit(library: str) -> None:
    a = LIBRARIES[library]()(A, "m")
    assert inspect(a).kind == explain(a, a).structure == "general"


@pytest.mark.parametrize("library", LIBRARIES)
def test_sparse_matrices_take_quantities(library: str) -> None:
    csc = pytest.importorskip("scipy.sparse").csc_array(A)
    b = LIBRARIES[library]()(B, "s")
    for x in (solve(csc, b), factorize(csc).solve(b), mldivide(csc, b)):
        assert unit_of(x) == unit_of(b)
        np.testing.assert_allclose(numbers(x), solve(A, B))
