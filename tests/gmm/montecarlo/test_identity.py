"""montecarlo/identity.py and samples.py: what is the same, and what is not."""

import functools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gmm
from gmm.montecarlo import samples
from gmm.montecarlo.identity import describe, differences, fingerprint


class Holder:
    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(frozen=True)
class Record:
    a: Any
    b: Any


VALUES = [
    None,
    True,
    3,
    0.1,
    float("inf"),
    "text",
    [1, (2, 3)],
    {"a": {"b": 1}},
    np.float64(0.1),
    np.arange(3.0),
    np.zeros((100, 100)),
    np.mean,
    gmm.GaussianMeanSD,
    gmm.GaussianMeanSD.from_central_moments,
    functools.partial(np.quantile, q=0.5),
    gmm.HAC("bartlett", 3),
    Holder(Holder(1)),
    Record(1, np.ones(2)),
    lambda x: x,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_description_is_json_and_has_no_address(value: Any) -> None:
    text = json.dumps(describe(value), allow_nan=False)
    assert "0x" not in text
    assert len(text) < 400


def test_descriptions_tell_values_apart() -> None:
    texts = [json.dumps(describe(value)) for value in VALUES]
    # 0.1 and np.float64(0.1) are the same.
    assert len(set(texts)) == len(VALUES) - 1
    assert describe(gmm.HAC("bartlett", 3)) != describe(gmm.HAC("bartlett", 4))
    a, b = np.zeros(1000), np.zeros(1000)
    b[-1] = 1
    assert describe(a) != describe(b)


def test_differences_are_named_by_their_path() -> None:
    found = {"n": 1, "fit": {"steps": 2, "start": [0.0]}, "old": 1}
    wanted = {"n": 1, "fit": {"steps": 1, "start": [0.0]}, "new": None}
    assert differences(found, wanted) == [("fit.steps", 2, 1), ("old", 1, None)]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.integers(0, 19))
def test_a_fingerprint_feels_changes_and_not_rounding(values: list[float], place: int) -> None:
    # Values on the grid of six digits, so that none lies where rounding turns.
    x = np.round(np.array(values) / 1e6, 3)
    x[0] = 1.0
    eps = np.finfo(float).eps
    assert fingerprint([x * (1 + 4 * eps)]) == fingerprint([x])
    changed = x.copy()
    changed[place % len(x)] += 1e-3
    assert fingerprint([changed]) != fingerprint([x])
    assert fingerprint([x.reshape(1, -1)]) != fingerprint([x])


def test_a_fingerprint_of_what_is_not_finite_or_not_a_number() -> None:
    nan = np.array([np.nan, np.inf, 0.0])
    assert fingerprint([nan]) == fingerprint([nan.copy()])
    assert fingerprint([nan]) != fingerprint([np.array([np.nan, -np.inf, 0.0])])
    assert fingerprint([np.array(["a"])]) != fingerprint([np.array(["b"])])


@pytest.mark.parametrize(
    "data",
    [
        np.arange(12.0).reshape(4, 3),
        (np.arange(8).reshape(4, 2), np.zeros((4, 2))),
        {"y": np.arange(4)[:, None], "x": [np.zeros((4, 2)), np.ones((4, 1, 5))]},
        Record(np.arange(4)[:, None], 7),
    ],
    ids=["array", "tuple", "dict", "dataclass"],
)
def test_rows_are_taken_from_every_array(data: Any) -> None:
    samples.check(data, 4, 3)
    part = samples.take(data, slice(1, 3))
    assert type(part) is type(data)
    for whole, some in zip(samples.leaves(data), samples.leaves(part), strict=True):
        np.testing.assert_array_equal(some, whole[1:3])
    one = samples.take(data, 2)
    for whole, single in zip(samples.leaves(data), samples.leaves(one), strict=True):
        np.testing.assert_array_equal(single, whole[2])


def test_what_has_no_rows_cannot_be_taken_apart() -> None:
    with pytest.raises(TypeError, match="samples of type int cannot be taken apart"):
        samples.take(3, slice(0, 1))
