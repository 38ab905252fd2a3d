"""What a study and a run may be asked for."""

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

LARGEST = 10**9
MOST_WORKERS = 1024


def check_run(replications: int, seed: int, workers: int) -> tuple[int, int, int]:
    """The three as whole numbers, or an error that says which one no run can have."""
    return (
        check_count("replications", replications, LARGEST),
        check_seed(seed),
        check_count("workers", workers, MOST_WORKERS),
    )


def check_count(name: str, value: int, largest: int) -> int:
    """A whole number between 1 and `largest`, or an error that says so."""
    value = _whole(name, value)
    if not 1 <= value <= largest:
        raise ValueError(f"{name} is {value}; it must be between 1 and {largest:,}")
    return value


def _whole(name: str, value: Any) -> int:
    """A whole number; 1e3 is one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; it must be a whole number") from None


def check_seed(seed: int) -> int:
    """A seed that names streams."""
    seed = _whole("seed", seed)
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must not be negative")
    return seed


def positional_arguments(model: Callable[..., Any]) -> int:
    """1 for a function of the data, 2 for moment conditions of theta and the data."""
    required = _required(model)
    if required not in (1, 2):
        raise TypeError(
            f"model {model!r} takes {required} positional arguments; it must be moment conditions "
            "g(theta, data), or a function of the data that answers with a model"
        )
    return required


def check_record(record: Mapping[str, Callable[..., Any]] | None) -> dict[str, Callable[..., Any]]:
    """Functions of a result by name, each with at most its sample and random numbers besides."""
    if record is None:
        return {}
    if not isinstance(record, Mapping):
        raise TypeError(f"record is {record!r}; it must be a dict of names and functions")
    for name, function in record.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"record has the name {name!r}; names are strings")
        if not callable(function):
            raise TypeError(f"record[{name!r}] is {function!r}; it must be a function")
        if (required := _required(function)) not in (1, 2, 3):
            raise TypeError(
                f"record[{name!r}] takes {required} positional arguments; it must be a function "
                "of a result, of (result, data), or of (result, data, rng)"
            )
    return dict(record)


def call_with(function: Callable[..., Any], *given: Any) -> Any:
    """Call a function with as many of these as it takes."""
    return function(*given[: _required(function)])


def _required(function: Callable[..., Any]) -> int:
    """How many positional arguments have no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        parameters = {}.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters)


def check_truth(truth: Mapping[str, float]) -> dict[str, float]:
    """Names and true values of the parameters."""
    if not isinstance(truth, Mapping) or not truth:
        raise TypeError(f"truth is {truth!r}; it must be a dict of parameter names and values")
    values = {}
    for name, value in truth.items():
        if not isinstance(name, str):
            raise TypeError(f"truth has the name {name!r}; names are strings")
        values[name] = float(value)
        if not np.isfinite(values[name]):
            raise ValueError(f"truth[{name!r}] is {value!r}; it must be finite")
    return values
