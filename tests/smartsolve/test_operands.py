"""Masks, sparse matrices, options about labels: numbers alone, or an error by name."""

import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve import Factorization, explain, factorize, inspect, mldivide, mrdivide, solve

A = np.array([[4.0, 1.0], [2.0, 5.0]])
B = np.array([1.0, 2.0])
X = np.array([1 / 6, 1 / 3])


# Each call on (a, b) that is not NumPy's own, and what it answers for the plain arrays.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "return_info": lambda a, b: solve(a, b, return_info=True)[0],
    "on_singular": lambda a, b: solve(a, b, on_singular="nan"),
    "assume_a": lambda a, b: solve(a, b, assume_a="general"),
    "overwrite_b": lambda a, b: solve(a, b.copy(), overwrite_b=True),
    "workers": lambda a, b: solve(a, b, workers=2),
    "check_finite": lambda a, b: solve(a, b, check_finite=True),
    "transposed": lambda a, b: solve(a, b, transposed=True),
    "mldivide": mldivide,
    "mldivide with info": lambda a, b: mldivide(a, b, return_info=True)[0],
    "minimum norm": lambda a, b: mldivide(a, b, minimum_norm=True),
    "mrdivide": lambda a, b: mrdivide(b, a),
    "factorize": lambda a, b: factorize(a).solve(b),
    "factorize transposed": lambda a, b: factorize(a).solve(b, transposed=True),
    "solve of a factorization": lambda a, b: solve(factorize(a), b),
    "mldivide of a factorization": lambda a, b: mldivide(factorize(a), b),
    "mrdivide of a factorization": lambda a, b: mrdivide(b, factorize(a)),
}
OF_A: dict[str, Callable[[Any], Any]] = {
    "inv": lambda a: factorize(a).inv(),
    "det": lambda a: factorize(a).det(),
    "slogdet": lambda a: factorize(a).slogdet(),
}


@pytest.mark.parametrize("call", ["solve", *CALLS])
def test_masked_elements_are_refused(call: str) -> None:
    """NumPy solves with the values under the mask, and the mask is gone; SciPy refuses."""
    function = {"solve": solve, **CALLS}[call]
    a = np.ma.masked_array(A, mask=[[0, 1], [0, 0]])
    b = np.ma.masked_array(B, mask=[1, 0])
    with pytest.raises(ValueError, match=r"a of shape \(2, 2\) has 1 masked element; .*filled"):
        function(a, B)
    with pytest.raises(ValueError, match=r"b of shape \(2,\) has 1 masked element; .*filled"):
        function(A, b)
    whole = np.ma.masked_array(A), np.ma.masked_array(B)
    np.testing.assert_array_equal(np.asarray(function(*whole)), function(A, B))


def test_a_masked_matrix_is_not_looked_at_either() -> None:
    for look in (inspect, explain):
        with pytest.raises(ValueError, match="masked"):
            look(np.ma.masked_array(A, mask=A > 4))


@pytest.mark.parametrize("call", ["solve", *CALLS, *OF_A])
def test_sparse_matrices_are_solved_everywhere(call: str) -> None:
    sparse = import_module("scipy.sparse").csc_array(A)
    if call in OF_A:
        np.testing.assert_allclose(OF_A[call](sparse), OF_A[call](A))
    else:
        function = {"solve": solve, **CALLS}[call]
        np.testing.assert_allclose(function(sparse, B), function(A, B))


def test_numpys_functions_stay_replaceable() -> None:
    """Under the patch NumPy's own answer is left to those who ask for it."""
    a = np.ma.masked_array(A, mask=A > 4)
    expected = np.linalg.solve(a, B)
    with smartsolve.patch_numpy():
        np.testing.assert_array_equal(np.linalg.solve(a, B), expected)


@pytest.mark.parametrize("function", [solve, mldivide, mrdivide])
def test_nothing_is_aligned_where_nothing_has_labels(function: Any) -> None:
    for a in (A, factorize(A)):
        with pytest.raises(TypeError, match=r"align='labels' is for labelled operands"):
            _of(function, a, B, align="labels")


def _of(function: Any, a: Any, b: Any, **options: Any) -> Any:
    return function(b, a, **options) if function is mrdivide else function(a, b, **options)


@pytest.mark.parametrize("function", [solve, mldivide, mrdivide])
def test_half_precision_is_computed_in_single_and_rounded_if_asked(function: Any) -> None:
    a, b = A.astype(np.float16), B.astype(np.float16)
    with pytest.raises(TypeError, match=r"has dtype float16; .*dtype='float16'.*rounds"):
        _of(function, a, b)
    x = _of(function, a, b, dtype="float16")
    assert x.dtype == np.float16
    single = _of(function, a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_array_equal(x, single.astype(np.float16))
    x, info = _of(function, a, b, dtype=np.float16, return_info=True)
    assert x.dtype == np.float16
    assert info.backward_error < np.finfo(np.float32).eps


@pytest.mark.parametrize("dtype", [np.float16, "float32"])
def test_factors_of_another_type(dtype: Any) -> None:
    stack = np.stack([A, A.T, A + np.eye(2)])
    for a in (A, stack):
        f = factorize(a, dtype=dtype)
        assert f.dtype == dtype
        for g in (f, pickle.loads(pickle.dumps(f))):
            for b in (B, B.astype(dtype), np.stack([B, B], axis=-1)):
                for transposed in (False, True):
                    x = g.solve(b, transposed=transposed)
                    expected = solve(a.mT if transposed else a, b, dtype=dtype)
                    np.testing.assert_allclose(x, expected, rtol=2 * np.finfo(dtype).eps)
                    assert x.dtype == expected.dtype == np.dtype(dtype)
            inverse = solve(a, np.eye(2), dtype=dtype)
            np.testing.assert_allclose(g.inv(), inverse, rtol=2 * np.finfo(dtype).eps)
        np.testing.assert_array_equal(mldivide(f, B), f.solve(B))
        np.testing.assert_array_equal(solve(f, B), f.solve(B))
        assert f.det().dtype == np.float32 if a.ndim > 2 else isinstance(f.det(), float)
    x = mrdivide(B, factorize(A, dtype=dtype))
    np.testing.assert_allclose(x, mrdivide(B, A, dtype=dtype), rtol=2 * np.finfo(dtype).eps)
    assert "float32" in repr(factorize(A, dtype=dtype))


def test_half_precision_is_factored_if_asked_alone() -> None:
    half = A.astype(np.float16)
    with pytest.raises(TypeError, match=r"a has dtype float16; .*dtype='float16'.*rounds"):
        factorize(half)
    f = factorize(half, dtype=np.float16)
    with pytest.raises(TypeError, match=r"b is complex; dtype='float16' would lose"):
        f.solve(B * 1j)
    with pytest.raises(TypeError, match=r"solve\(a, b, dtype='float16', accuracy=...\) does"):
        f.solve(B, accuracy="full")
    x, info = f.solve(B, return_info=True)
    assert (x.dtype, info.structure) == (np.float16, f.structure)
    with pytest.raises(TypeError, match=r"a is complex; dtype='float64' would lose"):
        factorize(A * 1j, dtype="float64")
    with pytest.raises(TypeError, match=r"dtype is 'int64'; expected float32"):
        factorize(A, dtype="int64")
    with pytest.raises(TypeError, match="dense"):
        factorize(import_module("scipy.sparse").csc_array(A), dtype="float32")
    # What no number is lost in is a Factorization as any other.
    assert type(factorize(A.astype(np.float32), dtype=float)) is Factorization
    assert factorize(A.astype(int), dtype=complex).dtype == np.complex128


@pytest.mark.parametrize("function", [solve, mldivide, mrdivide])
def test_another_type_is_computed_in(function: Any) -> None:
    x = _of(function, A, B, dtype=np.float32)
    np.testing.assert_array_equal(x, _of(function, A.astype(np.float32), B.astype(np.float32)))
    assert _of(function, A, B, dtype=complex).dtype == np.complex128
    with pytest.raises(TypeError, match=r"a is complex; dtype='float64' would lose"):
        _of(function, A * 1j, B, dtype="float64")
    for wrong in ("int64", "float128", "float8", object):
        with pytest.raises(TypeError, match=r"dtype is .*; expected float32"):
            _of(function, A, B, dtype=wrong)
