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
    try:
        parameters = inspect.signature(model).parameters.values()
    except ValueError:
        parameters = {}.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = sum(p.kind in kinds and p.default is p.empty for p in parameters)
    if required not in (1, 2):
        raise TypeError(
            f"model {model!r} takes {required} positional arguments; it must be moment conditions "
            "g(theta, data), or a function of the data that answers with a model"
        )
    return required


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
