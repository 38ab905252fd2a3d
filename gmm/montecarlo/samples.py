"""What samplers answer: arrays with one sample a row, alone or in tuples, dicts and dataclasses."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np


def leaves(data: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays in `data`, in order; those of a dataclass too."""
    if isinstance(data, np.ndarray):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from leaves(value)
    elif isinstance(data, tuple | list):
        for value in data:
            yield from leaves(value)
    elif is_dataclass(data):
        for member in fields(data):
            yield from leaves(getattr(data, member.name))


def take(data: Any, rows: slice | int) -> Any:
    """The samples of these rows, in the form of `data`; an int takes the leading axis away.

    Raises
    ------
    TypeError
        If `data` is of a form that has no rows.
    """
    if isinstance(data, np.ndarray):
        return data[rows]
    if isinstance(data, dict):
        return {name: take(value, rows) for name, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):  # a named tuple
        return type(data)(*(take(value, rows) for value in data))
    if isinstance(data, tuple | list):
        return type(data)(take(value, rows) for value in data)
    if is_dataclass(data) and not isinstance(data, type):
        held = {member.name: getattr(data, member.name) for member in fields(data)}
        arrays = {name: take(v, rows) for name, v in held.items() if isinstance(v, np.ndarray)}
        return replace(data, **arrays)
    raise TypeError(
        f"samples of type {type(data).__name__} cannot be taken apart; a sampler answers with an "
        "array, or a tuple or dict of arrays, whose first axis counts the samples"
    )


def check(data: Any, samples: int, n: int) -> None:
    """Raise ValueError unless every array has one row for each sample."""
    if data is None or isinstance(data, str | bytes):
        raise ValueError(
            f"the sampler answers with {data!r}; it must be an array, or a tuple or dict of arrays"
        )
    for array in leaves(data):
        if array.ndim == 0 or len(array) != samples:
            raise ValueError(
                f"the sampler was asked for {samples} samples of n = {n} and answered with an "
                f"array of shape {array.shape}; its first axis must have length {samples}"
            )


def nbytes(data: Any) -> int:
    """What the arrays in `data` take."""
    return sum(array.nbytes for array in leaves(data))
