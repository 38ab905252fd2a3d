"""`smartsolve.solve` takes what `numpy.linalg.solve` takes, refuses what it refuses, and adds
SciPy's keyword arguments with SciPy's meaning."""

from __future__ import annotations

import contextlib
import itertools
import re
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import smartsolve
from smartsolve import _core

from .accuracy import FACTOR, assert_same_solution, assert_solves, backward_error, eps
from .matrices import (
    DTYPES,
    KINDS,
    arranged,
    dtypes_of,
    kinds_and_dtypes,
    random_matrix,
    random_rhs,
    random_stack,
)

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)

# The order matters: LinAlgError is a ValueError.
ERRORS = (np.linalg.LinAlgError, ValueError, TypeError)

ASSUME_A = {
    "diagonal": ("diagonal",),
    "upper triangular": ("upper triangular",),
    "lower triangular": ("lower triangular",),
    "permuted triangular": ("permuted triangular",),
    "tridiagonal": ("tridiagonal",),
    "spd tridiagonal": ("tridiagonal", "positive definite"),
    "banded": ("banded",),
    "spd banded": ("banded", "positive definite"),
    "upper hessenberg": ("upper hessenberg",),
    "lower hessenberg": ("lower hessenberg",),
    "circulant": ("circulant",),
    "block diagonal": ("block diagonal",),
    "block triangular": ("block triangular",),
    "sparse": ("sparse",),
    "permuted banded": ("permuted banded",),
    "positive definite": ("positive definite", "pos"),
    "symmetric": ("symmetric", "sym"),
    "hermitian": ("hermitian", "her"),
    "general": ("general", "gen"),
}
SCIPYS_NAMES = (
    "diagonal",
    "tridiagonal",
    "upper triangular",
    "lower triangular",
    "symmetric",
    "sym",
    "hermitian",
    "her",
    "positive definite",
    "pos",
    "general",
    "gen",
)


def outcome(solve: Callable[..., Any], *args: Any) -> Any:
    """What `solve` returns, or the class of error that it raises."""
    try:
        return solve(*args)
    except ERRORS as error:
        return next(kind for kind in ERRORS if isinstance(error, kind))


def assert_as_numpy(a: Any, b: Any) -> None:
    """Same class of error; or same class, dtype, shape and (to rounding) values of the result."""
    expected, actual = outcome(np.linalg.solve, a, b), outcome(smartsolve.solve, a, b)
    if isinstance(expected, type):
        assert actual is expected
        return
    assert type(actual) is type(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert actual.flags.writeable
    assert_same_solution(np.asarray(a), np.asarray(actual), np.asarray(expected))


def well_conditioned(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Not square where the shape is not; else far from singular, and symmetric in no dtype."""
    a = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape) % 7
    if len(shape) > 1 and shape[-1] == shape[-2]:
        a = a + 20 * np.eye(shape[-1])
    return a.astype(dtype)


# --- shapes --------------------------------------------------------------------------------------

A_SHAPES = [
    (), (3,), (0,), (2, 3), (3, 2), (0, 1), (1, 0), (0, 0), (1, 1), (2, 2), (3, 3),
    (1, 2, 2), (2, 2, 2), (3, 2, 2), (2, 1, 2, 2), (0, 2, 2), (2, 0, 0), (0, 0, 0), (2, 3, 3),
    (2, 2, 3), (2, 0, 1), (5, 1, 1), (2, 3, 2, 2), (3, 0, 2, 2),
]  # fmt: skip
B_SHAPES = [
    (), (0,), (1,), (2,), (3,), (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1),
    (2, 2), (2, 3), (3, 1), (3, 2), (1, 2, 3), (2, 2, 1), (2, 2, 2), (3, 2, 1), (2, 1, 2),
    (2, 1, 2, 1), (0, 2, 1), (0, 0, 1), (2, 0, 0), (3, 1, 2, 2), (2, 4),
]  # fmt: skip


@pytest.mark.parametrize("b_shape", B_SHAPES, ids=str)
@pytest.mark.parametrize("a_shape", A_SHAPES, ids=str)
def test_shapes(a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> None:
    b = np.ones(b_shape) + np.arange(np.prod(b_shape, dtype=int)).reshape(b_shape)
    assert_as_numpy(well_conditioned(a_shape), b)


def test_b_is_a_vector_if_and_only_if_it_has_one_axis() -> None:
    a = well_conditioned((4, 3, 3))
    assert smartsolve.solve(a, np.ones(3)).shape == (4, 3)
    assert smartsolve.solve(a, np.ones((3, 4))).shape == (4, 3, 4)
    assert smartsolve.solve(a[:3], np.ones((3, 3))).shape == (3, 3, 3)
    with pytest.raises(ValueError, match=r"\(4, 3\)"):
        smartsolve.solve(a, np.ones((4, 3)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [((0, 0), (0,)), ((0, 0), (0, 3)), ((2, 2), (2, 0)), ((0, 2, 2), (2,)), ((3, 0, 0), (0, 2))],
)
def test_empty_systems_have_the_dtype_of_others(
    a_shape: tuple[int, ...], b_shape: tuple[int, ...], dtype: str
) -> None:
    a, b = well_conditioned(a_shape, dtype), np.ones(b_shape, np.float32)
    assert_as_numpy(a, b)
    for options in ({"transposed": True}, {"assume_a": "pos"}, {"check_finite": True}):
        x = smartsolve.solve(a, b, **options)
        assert x.shape == np.linalg.solve(a, b).shape
        assert x.dtype == np.linalg.solve(a, b).dtype


def test_a_singular_matrix_is_an_error_even_without_right_hand_sides() -> None:
    assert_as_numpy(np.ones((2, 2)), np.ones((2, 0)))
    for count, n in ((3, 2), (20, 2), (20, 9)):  # slice by slice, and in lanes
        assert_as_numpy(np.zeros((count, n, n)), np.ones((count, n, 0)))


# --- dtypes --------------------------------------------------------------------------------------

CODES = "?bBhHiIlLqQefdgFDGOSUmM"


def with_code(values: np.ndarray, code: str) -> np.ndarray:
    if code in "mM":
        return values.astype(np.int64).astype(f"{code}8[s]")
    return values.astype(code)


@pytest.mark.parametrize("b_code", CODES)
@pytest.mark.parametrize("a_code", CODES)
def test_dtypes(a_code: str, b_code: str) -> None:
    a, b = np.array([[2, 1], [0, 1]]), np.array([3, 1])
    assert_as_numpy(with_code(a, a_code), with_code(b, b_code))
    assert_as_numpy(with_code(a, a_code), with_code(b[:, None], b_code))
    assert_as_numpy(with_code(np.array([a, a]), a_code), with_code(b, b_code))


@pytest.mark.parametrize("code", "egGOSUmM")
def test_unsupported_dtype_is_a_type_error_that_names_it(code: str) -> None:
    bad = with_code(np.eye(2), code)
    name = f"({re.escape(bad.dtype.name)}|{re.escape(bad.dtype.str)})"
    with pytest.raises(TypeError, match=rf"\ba\b.*{name}"):
        smartsolve.solve(bad, np.ones(2))
    with pytest.raises(TypeError, match=rf"\bb\b.*{name}"):
        smartsolve.solve(np.eye(2), bad)


@pytest.mark.parametrize("code", ["i2", "i4", "f4", "f8", "c8", "c16"])
def test_byte_swapped_gives_native(code: str) -> None:
    a = well_conditioned((3, 3)).astype(">" + code)
    b = np.arange(3).astype("<" + code)
    assert_as_numpy(a, b)
    assert smartsolve.solve(a, b).dtype.isnative


# --- what an array may be ------------------------------------------------------------------------


class Plain(np.ndarray):
    """A subclass that NumPy's default `__array_wrap__` carries along."""


class Remembering(np.ndarray):
    """A subclass with state: `__array_finalize__` hands it on."""

    def __array_finalize__(self, source: Any) -> None:
        self.unit = getattr(source, "unit", None)


class Wrapping(np.ndarray):
    """A subclass that decides in `__array_wrap__` what a result is."""

    def __array_wrap__(self, out: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return ("wrapped", np.asarray(out))


class ArrayLike:
    """Not an array, but knows how to become one."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype)


SUBCLASSES: dict[str, Callable[[np.ndarray], Any]] = {
    "ndarray": lambda a: a,
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())),
    "matrix": lambda a: np.matrix(a),
    "masked": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    "plain subclass": lambda a: a.view(Plain),
    "array-like": ArrayLike,
    "memoryview": lambda a: memoryview(np.ascontiguousarray(a)),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("b_class", SUBCLASSES)
@pytest.mark.parametrize("a_class", SUBCLASSES)
def test_classes(a_class: str, b_class: str) -> None:
    a = SUBCLASSES[a_class](well_conditioned((3, 3)))
    b = SUBCLASSES[b_class](well_conditioned((3, 2)))
    expected, actual = np.linalg.solve(a, b), smartsolve.solve(a, b)
    assert type(actual) is type(expected)
    assert_same_solution(well_conditioned((3, 3)), np.asarray(actual), np.asarray(expected))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("shape", [(1, 2), (2, 1)])
def test_a_matrix_is_never_a_vector(shape: tuple[int, int]) -> None:
    a, b = np.matrix([[2.0, 1.0], [0.0, 1.0]]), np.matrix(np.ones(shape))
    if shape == (1, 2):
        assert outcome(smartsolve.solve, a, b) is outcome(np.linalg.solve, a, b) is ValueError
    else:
        assert type(smartsolve.solve(a, b)) is np.matrix


def test_a_subclass_keeps_what_it_remembers() -> None:
    b = np.ones(2).view(Remembering)
    b.unit = "metre"
    expected, actual = np.linalg.solve(np.eye(2), b), smartsolve.solve(np.eye(2), b)
    assert type(actual) is type(expected) is Remembering
    assert actual.unit == expected.unit


def test_a_subclass_decides_in_array_wrap() -> None:
    b = np.ones(2).view(Wrapping)
    expected, actual = np.linalg.solve(2 * np.eye(2), b), smartsolve.solve(2 * np.eye(2), b)
    assert type(actual) is type(expected) is tuple
    assert actual[0] == expected[0]
    assert np.array_equal(actual[1], expected[1])


@pytest.mark.parametrize("bad", [None, "abc", [[1.0, 2.0], [3.0]], {}, ...], ids=repr)
def test_what_is_no_array_of_numbers(bad: Any) -> None:
    for args in ((bad, [1.0, 2.0]), (np.eye(2), bad)):
        expected = outcome(np.linalg.solve, *args)
        assert isinstance(expected, type)
        assert outcome(smartsolve.solve, *args) is expected


# --- messages ------------------------------------------------------------------------------------


def test_not_square_names_the_argument_its_shape_and_what_was_expected() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"\ba\b.*\(2, 3\).*square"):
        smartsolve.solve(np.ones((2, 3)), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError, match=r"\ba\b.*\(4,\)"):
        smartsolve.solve(np.ones(4), np.ones(4))


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [((4, 4), (5, 2)), ((4, 4), (3,)), ((2, 2, 2), (1, 2)), ((3, 2, 2), (2, 2, 1)), ((1, 1), (3,))],
)
def test_mismatch_names_both_shapes(a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> None:
    shapes = rf"(?s)(?=.*{re.escape(str(b_shape))})(?=.*{re.escape(str(a_shape))})(?=.*\bb\b)"
    with pytest.raises(ValueError, match=shapes):
        smartsolve.solve(well_conditioned(a_shape), np.ones(b_shape))


# --- keyword arguments ---------------------------------------------------------------------------


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        smartsolve.solve(np.eye(2), np.ones(2), True)
    with pytest.raises(TypeError, match="sym_pos"):
        smartsolve.solve(np.eye(2), np.ones(2), sym_pos=True)
    with pytest.raises(TypeError):
        smartsolve.solve(np.eye(2))


def test_a_and_b_may_be_named() -> None:
    assert np.array_equal(smartsolve.solve(a=2 * np.eye(2), b=np.ones(2)), [0.5, 0.5])
    assert np.array_equal(smartsolve.solve(2 * np.eye(2), b=np.ones(2)), [0.5, 0.5])


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in ASSUME_A.items() for name in names]
)
def test_assume_a(kind: str, name: str, transposed: bool) -> None:
    rng = np.random.default_rng(31)
    for dtype, n, lower in itertools.product(dtypes_of(kind), (1, 2, 3, 8, 33), (False, True)):
        if n == 1 and kind == "permuted triangular":
            continue
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs((n, 2), dtype, rng)
        x = smartsolve.solve(a, b, assume_a=name, lower=lower, transposed=transposed)
        assert_solves(a, x, b, transposed)
        x = smartsolve.solve(np.array([a] * 3), b, assume_a=name, lower=lower)
        assert_solves(np.array([a] * 3), x, b)


def test_every_kind_of_the_table_can_be_declared() -> None:
    assert {row["kind"] for row in _core.methods()} == set(ASSUME_A)


def test_assume_a_none_is_the_default() -> None:
    a = well_conditioned((3, 3))
    x = smartsolve.solve(a, np.ones(3), assume_a=None)
    assert x.tobytes() == smartsolve.solve(a, np.ones(3)).tobytes()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCIPYS_NAMES)
def test_a_declared_structure_reads_what_scipy_reads(
    name: str, dtype: str, lower: bool, transposed: bool
) -> None:
    """What the declaration says is zero or mirrored is not looked at: NaN there does no harm."""
    n = 7
    rng = np.random.default_rng(32)
    base = random_matrix("positive definite", n, dtype, "C", rng)
    if name in ("symmetric", "sym"):
        base = random_matrix("symmetric", n, dtype, "C", rng)
    read = {
        "diagonal": np.eye(n, dtype=bool),
        "tridiagonal": abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 1,
        "upper triangular": np.tri(n, dtype=bool).T,
        "lower triangular": np.tri(n, dtype=bool),
        "general": np.ones((n, n), bool),
        "gen": np.ones((n, n), bool),
    }.get(name, np.tri(n, dtype=bool) if lower else np.tri(n, dtype=bool).T)
    mirrored = name in ("symmetric", "sym", "hermitian", "her", "positive definite", "pos")
    meant = base if mirrored else np.where(read, base, 0)
    dirty = np.where(read, base, np.nan).astype(dtype)
    noisy = np.where(read, base, 100.0).astype(dtype)
    b = random_rhs((n, 2), dtype, rng)
    for order in ("C", "F"):
        x = smartsolve.solve(
            arranged(dirty, order), b, assume_a=name, lower=lower, transposed=transposed
        )
        assert_solves(meant, x, b, transposed)
        if not (transposed and np.iscomplexobj(base)):
            a = arranged(noisy, order)
            theirs = scipy.linalg.solve(a, b, assume_a=name, lower=lower, transposed=transposed)
            assert_same_solution(meant.T if transposed else meant, x, theirs)


def test_hermitian_ignores_the_imaginary_part_of_the_diagonal() -> None:
    """LAPACK's convention for hetrf and potrf: the diagonal is real."""
    a = np.array([[4.0 + 1j, 1j], [-1j, 3.0]])
    for name in ("hermitian", "positive definite"):
        x = smartsolve.solve(a, np.ones(2), assume_a=name)
        assert_solves(np.array([[4.0, 1j], [-1j, 3.0]]), x, np.ones(2, complex))


@pytest.mark.parametrize("bad", ["zxcv", "Diagonal", "", "pos "])
def test_unknown_assume_a_lists_the_valid_names(bad: str) -> None:
    with pytest.raises(ValueError, match="assume_a") as raised:
        smartsolve.solve(np.eye(2), np.ones(2), assume_a=bad)
    message = str(raised.value)
    assert repr(bad) in message
    for name in itertools.chain(SCIPYS_NAMES, ("banded",), *ASSUME_A.values()):
        assert name in message


@pytest.mark.parametrize("bad", [3, b"pos", ["pos"]], ids=repr)
def test_assume_a_that_is_no_string(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="assume_a"):
        smartsolve.solve(np.eye(2), np.ones(2), assume_a=bad)


def test_assumed_positive_definite_does_not_fall_back() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        smartsolve.solve([[0.0, 1.0], [1.0, 0.0]], [1.0, 1.0], assume_a="pos")


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed_is_not_conjugated(dtype: str) -> None:
    rng = np.random.default_rng(33)
    for kind in KINDS:
        if np.dtype(dtype) in dtypes_of(kind):
            a, b = random_matrix(kind, 6, dtype, "C", rng), random_rhs(6, dtype, rng)
            x = smartsolve.solve(a, b, transposed=True)
            assert_same_solution(a.T, x, np.linalg.solve(a.T, b))


@pytest.mark.parametrize("order", ["C", "F", "strided", "readonly", "unaligned", "swapped"])
@every_kind_and_dtype
def test_overwrite_a_is_a_permission(kind: str, dtype: np.dtype, order: str) -> None:
    """Whatever becomes of `a`, the answer is right, and a read-only `a` stays."""
    rng = np.random.default_rng(34)
    for n in (2, 5, 40):
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs((n, 2), dtype, rng)
        spoiled = arranged(a, order)
        x = smartsolve.solve(spoiled, b, overwrite_a=True)
        assert_solves(a, x, b)
        assert not np.shares_memory(x, spoiled)
        if order == "readonly":
            assert np.array_equal(spoiled, a)


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3)])
@every_kind_and_dtype
def test_overwrite_b_returns_the_memory_of_b(
    kind: str, dtype: np.dtype, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(35)
    a, b = random_matrix(kind, 6, dtype, "C", rng), random_rhs(shape, dtype, rng)
    expected = smartsolve.solve(a, b)
    for transposed in (False, True):
        memory = arranged(b, "F")
        x = smartsolve.solve(a, memory, overwrite_b=True, transposed=transposed)
        assert x.ctypes.data == memory.ctypes.data
        assert x.shape == memory.shape
        assert np.array_equal(x, memory)
        assert_solves(a, x, b, transposed)
        if not transposed:
            assert_same_solution(a, x, expected)


@pytest.mark.parametrize(
    ("why", "make"),
    [
        ("C order", lambda b: np.ascontiguousarray(b)),
        ("read-only", lambda b: arranged(b.T, "readonly").T),
        ("unaligned", lambda b: arranged(b.T, "unaligned").T),
        ("byte-swapped", lambda b: arranged(b.T, "swapped").T),
        ("strided", lambda b: arranged(b, "strided")),
        ("negative strides", lambda b: arranged(b, "reversed")),
        ("integers", lambda b: np.asfortranarray(b.astype(int))),
        ("float32", lambda b: np.asfortranarray(b.astype(np.float32))),
        ("complex", lambda b: b[:, :0].astype(complex)),
        ("three axes", lambda b: np.array(b)[None]),
        ("a list", lambda b: b.tolist()),
    ],
)
def test_overwrite_b_leaves_an_unsuitable_b_alone(why: str, make: Callable[..., Any]) -> None:
    a = well_conditioned((4, 4))
    b = make(np.asfortranarray(np.arange(8.0).reshape(4, 2)))
    before = np.array(b)
    x = smartsolve.solve(a, b, overwrite_b=True)
    assert not np.shares_memory(x, np.asarray(b))
    assert np.array_equal(before, b)
    assert_same_solution(a, x, np.linalg.solve(a, before))


def test_overwrite_b_needs_the_shape_and_dtype_of_the_result() -> None:
    b = np.arange(3.0)
    stack = np.array([well_conditioned((3, 3))] * 2)
    x = smartsolve.solve(stack, b, overwrite_b=True)
    assert x.shape == (2, 3)
    assert np.array_equal(b, np.arange(3.0))
    x = smartsolve.solve(stack[0].astype(complex), b, overwrite_b=True)
    assert x.dtype == complex
    assert np.array_equal(b, np.arange(3.0))


def test_overwriting_b_that_is_part_of_a() -> None:
    a = np.asfortranarray(well_conditioned((4, 4)))
    before = a.copy()
    b = a[:, 1]
    x = smartsolve.solve(a, b, overwrite_b=True)
    assert_solves(before, np.array(x), before[:, 1])
    a = before.copy(order="F")
    x = smartsolve.solve(a, a[:, 1], overwrite_a=True, overwrite_b=True)
    assert_solves(before, np.array(x), before[:, 1])
    a = before.copy(order="F")
    x = smartsolve.solve(a, a, overwrite_a=True, overwrite_b=True)
    assert_solves(before, np.array(x), before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_check_finite(dtype: str, value: float) -> None:
    a, b = well_conditioned((3, 3), dtype), np.ones(3, dtype)
    bad_a, bad_b = a.copy(), b.copy()
    bad_a[2, 1] = bad_b[1] = value
    if np.dtype(dtype).kind == "c":
        bad_b[1] = complex(0.0, value)
    with pytest.raises(ValueError, match=r"\ba\b.*(NaN|inf)"):
        smartsolve.solve(bad_a, b, check_finite=True)
    with pytest.raises(ValueError, match=r"\bb\b.*(NaN|inf)"):
        smartsolve.solve(a, bad_b, check_finite=True)
    with pytest.raises(ValueError, match=r"\ba\b.*(NaN|inf)"):
        smartsolve.solve(np.array([a, a, bad_a]), b, check_finite=True)
    assert_solves(a, smartsolve.solve(a, b, check_finite=True), b)
    expected = np.linalg.solve(a, bad_b)
    assert np.array_equal(np.isfinite(smartsolve.solve(a, bad_b)), np.isfinite(expected))


def test_check_finite_with_a_declared_structure() -> None:
    a = np.triu(well_conditioned((5, 5)))
    x = smartsolve.solve(a, np.ones(5), check_finite=True, assume_a="upper triangular")
    assert_solves(a, x, np.ones(5))


# --- on_singular, workers, return_info -----------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "hermitian"])
def test_on_singular_nan_marks_the_slice_and_keeps_the_others(kind: str, dtype: str) -> None:
    rng = np.random.default_rng(36)
    for n in (1, 2, 3, 4, 8, 20):
        stack = random_stack(kind, 6, n, dtype, rng)
        stack[4] = stack[1] = 0.0
        good = [0, 2, 3, 5]
        for b in (random_rhs(n, dtype, rng), random_rhs((6, n, 2), dtype, rng)):
            with pytest.raises(np.linalg.LinAlgError):
                smartsolve.solve(stack, b)
            x = smartsolve.solve(stack, b, on_singular="nan")
            assert np.isnan(x[[1, 4]]).all()
            assert_solves(stack[good], x[good], b[good] if b.ndim == 3 else b)


def test_on_singular_nan_for_one_matrix() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    for options in ({}, {"assume_a": "general"}, {"assume_a": "sym"}, {"transposed": True}):
        assert np.isnan(smartsolve.solve(singular, np.ones(2), on_singular="nan", **options)).all()
    x = smartsolve.solve(singular, np.ones((2, 3)), on_singular="nan")
    assert x.shape == (2, 3)
    assert np.isnan(x).all()


@pytest.mark.parametrize("option", ["on_singular", "workers"])
def test_bad_value_names_the_option(option: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s){option}"):
        smartsolve.solve(np.eye(2), np.ones(2), **{option: "ignore" if option[0] == "o" else 0})


def test_unknown_on_singular_lists_the_valid_values() -> None:
    with pytest.raises(ValueError, match=r"(?s)(?=.*raise)(?=.*nan)"):
        smartsolve.solve(np.eye(2), np.ones(2), on_singular="inf")


@pytest.mark.parametrize("bad", [1.5, "two", True, np.True_, np.ones(2)], ids=repr)
def test_workers_that_are_no_whole_number(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"^workers is .*; expected a whole number of threads"):
        smartsolve.solve(np.eye(2), np.ones(2), workers=bad)


def test_an_error_of_workers_own_is_passed_on() -> None:
    class Fails:
        def __index__(self) -> int:
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match=r"^lost$"):
        smartsolve.solve(np.eye(2), np.ones(2), workers=Fails())


@pytest.mark.parametrize("bad", [0, -2, -(10**30)])
def test_workers_that_are_too_few(bad: int) -> None:
    with pytest.raises(ValueError, match=rf"^workers is {bad}; expected .* from 1 on"):
        smartsolve.solve(np.eye(2), np.ones(2), workers=bad)


@pytest.mark.parametrize("dtype", DTYPES)
def test_workers_never_change_a_bit(dtype: str) -> None:
    rng = np.random.default_rng(37)
    for n in (2, 3, 4, 7, 20):
        kinds = [kind for kind in KINDS if np.dtype(dtype) in dtypes_of(kind)]
        a = np.array([random_matrix(kinds[i % len(kinds)], n, dtype, "C", rng) for i in range(300)])
        b = random_rhs((300, n, 1), dtype, rng)
        expected = smartsolve.solve(a, b).tobytes()
        for workers in (1, 2, 3, 7, 1000, 10**30, -1, np.int64(2)):
            assert smartsolve.solve(a, b, workers=workers).tobytes() == expected


def test_workers_do_not_change_which_singular_slice_is_named() -> None:
    a = np.array([np.eye(3)] * 400)
    a[[57, 390]] = 0.0
    for workers in (1, 2, 5, -1):
        with pytest.raises(np.linalg.LinAlgError, match=r"\b57\b"):
            smartsolve.solve(a, np.ones(3), workers=workers)


FIELDS = ("structure", "method", "routine", "rcond", "backward_error")


@every_kind_and_dtype
def test_return_info(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(38)
    kinds = {row["kind"] for row in _core.methods()}
    methods = {row["method"] for row in _core.methods()}
    for n in (2, 8, 100):
        a, b = random_matrix(kind, n, dtype, "C", rng), random_rhs((n, 2), dtype, rng)
        x, info = smartsolve.solve(a, b, return_info=True)
        assert isinstance(info, smartsolve.SolveInfo)
        assert x.tobytes() == smartsolve.solve(a, b).tobytes()
        assert info.structure in kinds
        assert info.structure == smartsolve.inspect(a).kind
        assert isinstance(info.routine, str)
        assert info.routine
        assert info.method in methods
        # The norm may be that of the transpose; estimators are seldom wrong by more than a
        # factor of 3 (Higham, ASNA, section 15.4).
        true = [1.0 / np.linalg.cond(a.astype(np.complex128), norm) for norm in (1, np.inf)]
        assert min(true) / 10 <= info.rcond <= min(10 * max(true), 1 + n * eps(dtype))
        assert 0.0 <= info.backward_error <= FACTOR * n * eps(dtype)
        assert info.backward_error <= 10 * backward_error(a, x, b) + 2 * n * eps(dtype)
        for name in FIELDS:
            assert name in repr(info)


@pytest.mark.parametrize("batch", [(5,), (2, 3), (0,), (1,), (2, 0)])
def test_return_info_for_stacks(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(39)
    count = int(np.prod(batch))
    kinds = [list(KINDS)[i % 3] for i in range(count)]
    a = np.array([random_matrix(kind, 4, float, "C", rng) for kind in kinds])
    a, b = a.reshape(*batch, 4, 4), random_rhs((*batch, 4, 1), float, rng)
    x, info = smartsolve.solve(a, b, return_info=True)
    assert x.tobytes() == smartsolve.solve(a, b).tobytes()
    for name in FIELDS:
        assert isinstance(getattr(info, name), np.ndarray)
        assert getattr(info, name).shape == batch
    assert info.rcond.dtype == info.backward_error.dtype == np.float64
    for i, index in enumerate(np.ndindex(*batch)):
        assert info.structure[index] == kinds[i]
        assert 0 < info.rcond[index] <= 1
        assert 0 <= info.backward_error[index] <= FACTOR * 4 * eps(float)


def test_return_info_of_a_singular_slice() -> None:
    a = np.array([np.eye(3), np.zeros((3, 3)), np.eye(3)])
    x, info = smartsolve.solve(a, np.ones(3), on_singular="nan", return_info=True)
    assert np.isnan(x[1]).all()
    assert info.rcond[1] == 0.0
    assert (info.rcond[[0, 2]] == 1.0).all()


def test_return_info_with_overwrite_b() -> None:
    a, b = well_conditioned((3, 3)), np.arange(3.0)
    x, info = smartsolve.solve(a, b, overwrite_b=True, return_info=True)
    assert x.ctypes.data == b.ctypes.data
    assert info.backward_error <= FACTOR * 3 * eps(float)


def test_a_fallback_is_reported() -> None:
    """A matrix that passes for positive definite and is not: the info names what did run."""
    a = np.array([[2.0, 1.9, 1.9], [1.9, 2.0, -1.9], [1.9, -1.9, 2.0]])
    assert (np.linalg.eigvalsh(a) < 0).any()
    x, info = smartsolve.solve(a, np.ones(3), return_info=True)
    assert_solves(a, x, np.ones(3))
    cholesky = {row["method"] for row in _core.methods() if row["kind"] == "positive definite"}
    assert info.method not in cholesky


def test_no_warning_and_no_error_for_a_healthy_system() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        smartsolve.solve(well_conditioned((5, 5)), np.zeros(5))


# --- what a caller does not see ------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 40])
def test_references_are_given_back_on_every_way_out(n: int) -> None:
    a, b, singular = well_conditioned((n, n)), np.ones(n), np.zeros((n, n))
    ill = np.diag(np.r_[np.ones(n - 1), 1e-20])
    calls: list[Callable[[], Any]] = [
        lambda: smartsolve.solve(a, b),
        lambda: smartsolve.solve(a, b, overwrite_b=True),
        lambda: smartsolve.solve(a, b, return_info=True, workers=2, assume_a="general"),
        lambda: smartsolve.solve(np.broadcast_to(a, (3, n, n)), b),
        lambda: smartsolve.solve(singular, b),
        lambda: smartsolve.solve(singular, b, on_singular="nan"),
        lambda: smartsolve.solve(ill, b),
        lambda: smartsolve.solve(a, b[1:]),
        lambda: smartsolve.solve(a, b, assume_a="nonsense"),
        lambda: smartsolve.solve(a, b, unknown=singular),
        lambda: smartsolve.solve(a.astype(np.longdouble), b),
        lambda: smartsolve.solve(a, b.view(Plain)),
    ]
    for call in calls:
        before = [sys.getrefcount(array) for array in (a, b, singular, ill)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(20):
                with contextlib.suppress(*ERRORS, Warning):
                    call()
        assert [sys.getrefcount(array) for array in (a, b, singular, ill)] == before


@pytest.mark.parametrize("n", [3, 64, 150])
def test_threads_may_solve_with_the_same_arrays(n: int) -> None:
    rng = np.random.default_rng(40)
    systems = [(random_matrix(kind, n, float, "C", rng), random_rhs(n, float, rng))
               for kind in KINDS if kind != "hermitian"]  # fmt: skip
    expected = [smartsolve.solve(a, b).tobytes() for a, b in systems]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            solved = pool.map(lambda system: smartsolve.solve(*system).tobytes(), systems * 3)
            assert list(solved) == expected * 3


def test_threads_do_not_share_the_memory_that_large_solves_leave_to_the_next() -> None:
    rng = np.random.default_rng(41)
    orders = (750, 770, 790, 810)
    systems = [(random_matrix("general", n, float, "C", rng), np.ones(n)) for n in orders]
    with ThreadPoolExecutor(4) as pool:
        solutions = list(pool.map(lambda system: smartsolve.solve(*system), systems * 5))
    for (a, b), x in zip(systems * 5, solutions, strict=True):
        assert_solves(a, x, b)
