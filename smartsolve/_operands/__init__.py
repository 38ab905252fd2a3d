"""Operands that are more than plain arrays, and the way back from numbers to what they were.

A library's arrays are a `Kind`: it takes the numbers out of them and puts them back around the
solution, with its unit, its labels, or its class. Kinds may lie in one another, as xarray's arrays
hold those of pint or dask: each call peels the outermost and calls itself. Nothing is imported
here: whoever holds such an array has imported its library.
"""

from .kind import WrappedFactorization, with_rounding
from .kinds import Kind, kind_of, outermost, rounded
from .numbers import has_own_functions, like, matrix, numbers, right_hand_side
from .precision import converted, types

__all__ = [
    "Kind",
    "WrappedFactorization",
    "converted",
    "has_own_functions",
    "kind_of",
    "like",
    "matrix",
    "numbers",
    "outermost",
    "right_hand_side",
    "rounded",
    "types",
    "with_rounding",
]
