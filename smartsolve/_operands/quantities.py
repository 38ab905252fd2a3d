"""Numbers with a unit: the solution of a @ x = b has that of b over that of a."""

from typing import Any, NamedTuple

import numpy as np

from .. import _errors
from .._types import Side
from .kind import Kind, is_loaded_class

__all__ = ["Astropy", "Pint", "Unyt"]


class _Shell(NamedTuple):
    """A unit, and what makes quantities of its kind, if the unit alone does not."""

    unit: Any
    one: Any = None


class Quantities(Kind):
    """What is alike in the libraries of quantities."""

    def unit(self, x: Any) -> Any:
        """The unit of an array."""
        return x.units

    def adds_up(self, x: Any) -> bool:
        """Whether its scale is linear and starts at zero: not degrees Celsius, and not decibels."""
        raise NotImplementedError

    def quantity(self, values: Any, shell: _Shell) -> Any:
        """Values with a unit, in the library's class."""
        raise NotImplementedError

    def shell(self, x: Any) -> _Shell:
        if not self.adds_up(x):
            raise TypeError(_errors.does_not_add_up(self.unit(x)))
        return _Shell(self.unit(x))

    def solution(self, a: _Shell | None, b: _Shell | None, x: Any, side: Side) -> Any:
        if hasattr(x, "units") or hasattr(x, "unit"):
            raise TypeError(
                _errors.of_two_libraries(type(self).__name__.lower(), type(x).__module__)
            )
        if a is None:
            assert b is not None
            return self.quantity(x, b)
        unit = a.unit**-1 if b is None else b.unit / a.unit
        return self.quantity(x, _Shell(unit, (b or a).one))

    def determinant(self, a: _Shell, det: Any, n: int) -> Any:
        return self.quantity(np.asarray(det)[()], _Shell(a.unit**n, a.one))

    def log_determinant(self, a: _Shell, result: Any) -> Any:
        raise TypeError(_errors.no_logarithm(a.unit))


class Astropy(Quantities):
    """astropy.units.Quantity, an ndarray."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "astropy.units", "Quantity")

    def inside(self, x: Any, name: str) -> Any:
        return x.value

    def unit(self, x: Any) -> Any:
        return x.unit

    def adds_up(self, x: Any) -> bool:
        return not hasattr(x.unit, "function_unit")

    def quantity(self, values: Any, shell: _Shell) -> Any:
        return values << shell.unit


class Unyt(Quantities):
    """unyt.unyt_array, an ndarray."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "unyt", "unyt_array")

    def inside(self, x: Any, name: str) -> Any:
        return x.view(np.ndarray)

    def adds_up(self, x: Any) -> bool:
        return bool(x.units.base_offset == 0)

    def quantity(self, values: Any, shell: _Shell) -> Any:
        return values * shell.unit


class Pint(Quantities):
    """pint's Quantity, around an array of any kind."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "pint", "Quantity")

    def inside(self, x: Any, name: str) -> Any:
        return x.magnitude

    def adds_up(self, x: Any) -> bool:
        one, two = (type(x)(i, x.units).to_root_units().magnitude for i in (1.0, 2.0))
        return bool(abs(two - 2 * one) <= 1e-12 * abs(one))

    def shell(self, x: Any) -> _Shell:
        # An instance is pickled, its class, which belongs to a registry, is not.
        return super().shell(x)._replace(one=type(x)(1.0, x.units))

    def quantity(self, values: Any, shell: _Shell) -> Any:
        return type(shell.one)(values, shell.unit)
