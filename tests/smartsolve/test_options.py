"""No option is ignored in silence, whatever stands beside it and whatever the operands are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import smartsolve

from .options import NONSENSE, VALID, ignored, options_of, without_effect

POSES = {
    "arrays": lambda a, b: (a, b),
    "lists": lambda a, b: (a.tolist(), b),
    "a stack": lambda a, b: (np.stack([a, a]), np.stack([b, b])[..., None]),
    "single precision": lambda a, b: (a.astype("f"), b.astype("f")),
    "subclasses": lambda a, b: (a, np.ma.masked_array(b)),
    "sparse": lambda a, b: (sparse.csc_array(a), b),
    "sparse right-hand sides": lambda a, b: (a, sparse.csc_array(b[:, None])),
}


@pytest.mark.parametrize("is_factored", [False, True])
@pytest.mark.parametrize("pose", POSES)
def test_no_option_is_ignored(pose: str, is_factored: bool) -> None:
    assert not ignored(POSES[pose], is_factored)


@pytest.mark.parametrize("pose", [name for name in POSES if name != "single precision"])
def test_every_option_has_its_effect(pose: str) -> None:
    assert not without_effect(POSES[pose])
    assert not without_effect(POSES[pose], is_factored=True)


def test_the_walk_knows_every_option() -> None:
    for call in ("solve", "mldivide", "mrdivide", "factorize"):
        assert set(options_of(call)) <= VALID.keys()
    assert NONSENSE.keys() - {"no_option"} <= VALID.keys()


@pytest.mark.parametrize("accuracy", ["full", "certified"])
@pytest.mark.parametrize("shape", [(3,), (3, 2), (4, 3, 2)])
def test_factors_take_options_in_every_call(accuracy: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((3, 3)), rng.standard_normal(shape)
    row = b if b.ndim == 1 else np.swapaxes(b, -1, -2)
    f, options = smartsolve.factorize(a), {"accuracy": accuracy, "return_info": True}
    x, info = f.solve(b, **options)
    for call in (smartsolve.solve, smartsolve.mldivide):
        y, other = call(f, b, **options)
        assert np.array_equal(x, y)
        assert np.array_equal(info.error_bound, other.error_bound) or accuracy == "full"
    x, info = f.solve(b, transposed=True, **options)
    for matrix in (f, a):
        y, other = smartsolve.mrdivide(row, matrix, **options)
        assert np.array_equal(y if b.ndim == 1 else np.swapaxes(y, -1, -2), x)
        assert accuracy == "full" or (other.error_bound.shape == y.shape)


def test_types_keep_the_class_of_right_hand_sides() -> None:
    class Meant(np.ndarray): ...

    a, b = 2 * np.eye(3), np.ones(3)
    for call in (smartsolve.solve, smartsolve.mldivide):
        assert type(call(a, b.view(Meant), dtype="float32")) is Meant
        assert call(a, sparse.csc_array(b[:, None]), dtype="float32").dtype == np.float32
        with pytest.raises(ValueError, match="masked"):
            call(a, np.ma.masked_array(b, [0, 1, 0]), dtype="float32")
    assert type(smartsolve.mrdivide(b.view(Meant), a, dtype="float32")) is Meant


def test_factorize_says_where_an_option_belongs() -> None:
    for name, instead in {
        "accuracy": r"factorize\(a\)\.solve\(b, accuracy=",
        "return_info": r"\.solve\(b, return_info=True\)",
        "assume_a": "called structure",
        "on_singular": r"errstate\(singular=",
        "minimum_norm": r"mldivide\(a, b, minimum_norm=True\)",
    }.items():
        for a in (np.eye(2), sparse.eye_array(2)):
            with pytest.raises(TypeError, match=rf"factorize\(\) takes no {name}: .*{instead}"):
                smartsolve.factorize(a, **{name: VALID[name]})
    with pytest.raises(TypeError, match="unexpected keyword argument 'struct'"):
        smartsolve.factorize(np.eye(2), struct="general")  # type: ignore[call-overload]


def test_a_right_hand_side_without_axes_is_told_what_is_expected() -> None:
    a = 2 * np.eye(3)
    for matrix in (a, np.stack([a, a]), sparse.csc_array(a), sparse.csc_array(2 * np.eye(200))):
        f = smartsolve.factorize(matrix)
        for call in (smartsolve.solve, smartsolve.mldivide):
            for operand in (matrix, f):
                with pytest.raises(ValueError, match=r"shape \(\); expected .*at least one axis"):
                    call(operand, 1.0)
        with pytest.raises(ValueError, match=r"shape \(\); expected .*at least one axis"):
            f.solve(1.0)
        for operand in (matrix, f):
            with pytest.raises(ValueError, match=r"shape \(\); expected .*at least one axis"):
                smartsolve.mrdivide(1.0, operand)
            with pytest.raises(ValueError, match=r"shape \(2, 7\); its last axis must be"):
                smartsolve.mrdivide(np.ones((2, 7)), operand)


@pytest.mark.parametrize("tol", ["x", 1j, -1.0, np.nan])
def test_a_tolerance_that_is_none_is_named(tol: Any) -> None:
    for a in (np.ones((3, 2)), sparse.csc_array(np.ones((300, 200)))):
        with pytest.raises(ValueError, match=r"tol is .*expected a number from 0 on"):
            smartsolve.mldivide(a, np.ones(a.shape[0]), tol=tol)
