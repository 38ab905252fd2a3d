"""What an experiment is, in JSON values that a checkpoint can keep and compare."""

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def describe(value: Any) -> Any:
    """A value as JSON: numbers as they are, functions by name, objects by what they hold.

    Two values that decide the results alike must have the same description in every process, so
    no address in memory may enter it; what a function does, `fingerprint` tells.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return value.tolist() if value.size <= 64 else {"shape": value.shape, "sha256": digest}
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if isinstance(value, functools.partial):
        arguments = {str(i): describe(item) for i, item in enumerate(value.args)}
        return {"function": describe(value.func), **arguments, **describe(value.keywords)}
    if (name := getattr(value, "__qualname__", None)) is not None:
        return name
    if is_dataclass(value):
        held = {member.name: getattr(value, member.name) for member in fields(value)}
    else:
        held = getattr(value, "__dict__", {})
    return {"type": type(value).__qualname__, **describe(held)}


def fingerprint(arrays: Iterable[np.ndarray[Any, Any]]) -> str:
    """A hash of arrays to six digits of their largest entry.

    Code that draws or estimates something else has another one; a processor that rounds the
    last bits otherwise has not.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if not np.issubdtype(array.dtype, np.number):
            digest.update(str(array.tolist()).encode())
            continue
        values = array.reshape(-1)[:10_000]
        scale = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
        rounded = np.round(values / scale, 6) + 0.0  # no negative zeros
        digest.update(f"{array.shape}{scale:.5e}{rounded.tolist()}".encode())
    return digest.hexdigest()


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Where two descriptions differ: dotted name, what is found, what is wanted."""
    result: list[tuple[str, Any, Any]] = []
    for name in sorted(found.keys() | wanted.keys()):
        one, other = found.get(name), wanted.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            inner = differences(one, other)
            result += [(f"{name}.{rest}", this, that) for rest, this, that in inner]
        elif json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
            result.append((name, one, other))
    return result
