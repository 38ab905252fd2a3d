"""What `solve` says about a matrix that is singular, or nearly so; and that it is silent else."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse

import smartsolve
from smartsolve import IllConditionedWarning, _core, errstate, solve

from .accuracy import eps
from .matrices import (
    DTYPES,
    KINDS,
    arranged,
    dtypes_of,
    hilbert,
    kahan,
    kinds_and_dtypes,
    lotkin,
    magic4,
    ones_triangular,
    random_matrix,
    random_rhs,
    random_stack,
)

every_kind_and_dtype = pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)

SCIPYS_WORDS = "(Ill-conditioned matrix|An ill-conditioned matrix)"
METHODS = {row["method"] for row in _core.methods()}
NUMBER = r"\d+(?:\.\d+)?(?:e[-+]?\d+)?"


@contextmanager
def recorded() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def rcond_in(message: str) -> float:
    found = re.search(rf"rcond\D{{0,8}}({NUMBER})", message)
    assert found, message
    return float(found[1])


def ill_conditioned(kind: str, n: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """A matrix of that kind whose rcond is far below eps: a row and its column are scaled down.

    In a permuted triangular matrix that would be two pivots: there, one row twice as far.
    """
    tiny = 1e-5 if np.finfo(dtype).bits == 32 else 1e-10
    d = np.ones(n)
    d[n // 2] = tiny
    left, right = (d * d, 1.0) if kind == "permuted triangular" else (d, d)
    while True:
        a = (left[:, None] * random_matrix(kind, n, dtype, "C", rng) * right).astype(dtype)
        if np.linalg.cond(a.astype(np.complex128), 1) > 30 / eps(dtype):
            return a


# --- the warning ---------------------------------------------------------------------------------


def test_the_warning_is_one_of_scipys() -> None:
    assert issubclass(IllConditionedWarning, scipy.linalg.LinAlgWarning)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 20, 80])
@every_kind_and_dtype
def test_every_method_warns(kind: str, dtype: np.dtype, n: int) -> None:
    rng = np.random.default_rng(41)
    for order, transposed in itertools.product("CF", (False, True)):
        a = ill_conditioned(kind, n, dtype, rng)
        b = random_rhs(n, dtype, rng)
        with pytest.warns(IllConditionedWarning, match=SCIPYS_WORDS) as caught:
            solve(arranged(a, order), b, transposed=transposed)
        assert len(caught) == 1
        message = str(caught[0].message)
        assert rcond_in(message) < eps(dtype)
        assert any(method in message for method in METHODS)


@every_kind_and_dtype
def test_the_warning_names_the_method_that_ran(kind: str, dtype: np.dtype) -> None:
    a = ill_conditioned(kind, 30, dtype, np.random.default_rng(42))
    with pytest.warns(IllConditionedWarning) as caught:
        _, info = solve(a, np.ones(30, dtype), return_info=True)
    assert info.method in str(caught[0].message)
    assert caught[0].message.rcond == info.rcond
    assert np.log10(rcond_in(str(caught[0].message)) / info.rcond) == pytest.approx(0, abs=0.51)


@pytest.mark.parametrize(
    ("name", "a"),
    [
        ("hilbert 12", hilbert(12)),
        ("hilbert 15", hilbert(15)),
        ("hilbert 100", hilbert(100)),
        ("lotkin 12", lotkin(12)),
        ("lotkin 40", lotkin(40)),
        ("magic 4", magic4()),
        ("kahan 100", kahan(100)),
        ("ones triangular 60", ones_triangular(60)),
        ("vandermonde 20", np.vander(np.linspace(1.0, 2.0, 20))),
        ("almost parallel", np.array([[1.0, 1.0], [1.0, 1.0 + 2**-52]])),
        ("almost parallel, complex", np.array([[1j, 1.0], [1.0, -1j * (1 + 2**-52)]])),
        ("hilbert 8, single", hilbert(8).astype(np.float32)),
        ("lotkin 10, single", lotkin(10).astype(np.complex64)),
    ],
)
def test_famous_ill_conditioned_matrices_warn(name: str, a: np.ndarray) -> None:
    rng = np.random.default_rng(43)
    for order, transposed in itertools.product("CF", (False, True)):
        try:
            with pytest.warns(IllConditionedWarning, match=SCIPYS_WORDS):
                solve(arranged(a, order), random_rhs(len(a), a.dtype, rng), transposed=transposed)
        except np.linalg.LinAlgError:
            assert name.startswith("magic")  # singular: rounding may leave an exact zero


@pytest.mark.parametrize(("dtype", "n"), [(np.float64, 12), (np.float32, 8)])
def test_a_right_hand_side_cannot_hide_the_condition(dtype: Any, n: int) -> None:
    """The solution stays small where b is A times ones, and the matrix is as bad as before."""
    for a in (hilbert(n).astype(dtype), lotkin(n).astype(dtype)):
        for b in (a @ np.ones(n, dtype), np.zeros(n, dtype)):
            with pytest.warns(IllConditionedWarning):
                solve(a, b)


def test_rcond_itself() -> None:
    """diag(1, t): the warning starts where rcond = t falls below eps."""
    for dtype in DTYPES:
        for t, warn in ((4 * eps(dtype), False), (eps(dtype) / 4, True)):
            a = np.diag([1.0, t]).astype(dtype)
            with recorded() as caught:
                _, info = solve(a, np.ones(2, dtype), return_info=True)
            assert bool(caught) == warn
            assert info.rcond == pytest.approx(t, rel=4 * eps(dtype))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 16, 33, 64])
@pytest.mark.parametrize("dtype", DTYPES)
def test_healthy_random_matrices_never_warn(dtype: str, n: int) -> None:
    """Normally distributed elements; the few that really are within 100 of the limit, in single
    precision, are set aside by their true condition."""
    rng = np.random.default_rng(44)
    a = rng.standard_normal((500, n, n))
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.standard_normal((500, n, n))
    a = a[np.linalg.cond(a, 1) < 0.01 / eps(dtype)].astype(dtype)
    assert len(a) > 450
    b = rng.standard_normal((len(a), n, 1)).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solve(a, b)
        solve(np.swapaxes(a, 1, 2), b)
        for ai, bi in zip(a, b, strict=True):
            solve(ai, bi[:, 0])
            solve(ai.T, bi)


@every_kind_and_dtype
def test_healthy_structured_matrices_never_warn(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(45)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in (1, 2, 3, 4, 6, 9, 20, 50, 100):
            for a in random_stack(kind, 8, n, dtype, rng):
                for scale in (1.0, 2.0**-40, 2.0**40):
                    solve(a * dtype.type(scale), random_rhs(n, dtype, rng))


def test_the_scale_of_a_matrix_is_not_its_condition() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for exponent in (-300, -150, 0, 150, 300):
            for kind in KINDS:
                dtype = dtypes_of(kind)[-1]
                a = random_matrix(kind, 6, dtype, "C", np.random.default_rng(46))
                a = a * 10.0**exponent
                b = np.ones(6) * 10.0**exponent
                _, info = solve(a, b, return_info=True)
                assert info.rcond > 1e-3


# --- one warning a call --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 4, 12])
def test_a_stack_gives_one_warning_with_count_worst_rcond_and_first_index(n: int) -> None:
    a = np.array([2 * np.eye(n) + np.ones((n, n))] * 30)
    for index, tiny in ((7, 1e-18), (11, 1e-25), (23, 1e-20)):
        a[index] = np.diag(np.r_[np.ones(n - 1), tiny])
    with pytest.warns(IllConditionedWarning, match=SCIPYS_WORDS) as caught:
        _, info = solve(a, np.ones(n), return_info=True)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert re.search(r"\b3\b", message)
    assert re.search(r"\b30\b", message)
    assert re.search(r"\b7\b", message)
    assert rcond_in(message) == pytest.approx(1e-25, rel=1e-2)
    assert caught[0].message.rcond == pytest.approx(1e-25, rel=1e-12)
    assert np.flatnonzero(info.rcond < eps(float)).tolist() == [7, 11, 23]


def test_two_batch_axes_are_named_by_a_tuple() -> None:
    a = np.array([[np.eye(3)] * 4] * 3)
    a[1, 2, 0, 0] = a[2, 3, 1, 1] = 1e-20
    with pytest.warns(IllConditionedWarning, match=r"\(1, 2\)"):
        solve(a, np.ones(3))


def test_a_broadcast_matrix_is_one_matrix_in_the_warning_or_all_its_slices() -> None:
    a = np.diag([1.0, 1e-20])
    with pytest.warns(IllConditionedWarning) as caught:
        solve(a, np.ones((50, 2, 1)))
    assert len(caught) == 1


@pytest.mark.parametrize("stack", [False, True])
def test_the_warning_points_at_the_callers_line(stack: bool) -> None:
    a: Any = np.diag([1.0, 1e-20])
    b: Any = np.ones(2)
    if stack:
        a = np.array([a, a])
    calls: list[Callable[[], Any]] = [
        lambda: solve(a, b),
        lambda: smartsolve.solve(a.tolist(), b),
        lambda: solve(a, b, assume_a="diagonal", transposed=True),
        lambda: solve(a, np.ones(2).view(Subclass)),
        lambda: solve(a, b, return_info=True),
        lambda: solve(a, b, overwrite_b=True),
    ]
    for call in calls:
        with recorded() as caught:
            call()
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert caught[0].lineno == call.__code__.co_firstlineno


class Subclass(np.ndarray):
    pass


def test_a_warning_turned_into_an_error_leaves_b_alone_and_nothing_behind() -> None:
    a, b = np.diag([1.0, 1e-20]), np.ones(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            with pytest.raises(IllConditionedWarning):
                solve(a, b)
    assert np.array_equal(b, np.ones(2))


# --- the error -----------------------------------------------------------------------------------


def singular_matrix(kind: str, n: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Exactly singular, in every arithmetic: a zero row and the column that mirrors it."""
    a = random_matrix(kind, n, dtype, "C", rng)
    a[n // 2, :] = 0
    a[:, n // 2] = 0
    return a


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 40])
@every_kind_and_dtype
def test_every_method_finds_a_singular_matrix(kind: str, dtype: np.dtype, n: int) -> None:
    rng = np.random.default_rng(47)
    for order, transposed in itertools.product("CF", (False, True)):
        a = arranged(singular_matrix(kind, n, dtype, rng), order)
        before = a.tobytes()
        with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix.*") as raised:
            solve(a, random_rhs(n, dtype, rng), transposed=transposed)
        assert type(raised.value) is np.linalg.LinAlgError
        assert "singular" in str(raised.value)
        assert a.tobytes() == before


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 30])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_error_names_the_slice(n: int, dtype: str) -> None:
    identity, zero = np.eye(n, dtype=dtype), np.zeros((n, n), dtype)
    stack = np.array([identity, zero, identity])
    for a in (stack, np.array([identity] * 1 + [zero] * 2), np.swapaxes(stack, 1, 2)):
        for b in (np.ones(n, dtype), np.ones((3, n, 2), dtype)):
            with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix.*slice 1\b"):
                solve(a, b)


def test_the_error_names_a_slice_of_two_batch_axes_by_a_tuple() -> None:
    a = np.array([[np.eye(2)] * 4] * 3)
    a[2, 1] = [[1.0, 2.0], [2.0, 4.0]]
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix.*slice \(2, 1\)"):
        solve(a, np.ones(2))
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix.*slice \(2, 1\)"):
        solve(a[:, :, :, ::-1], np.ones(2))


def test_the_slice_is_one_of_the_result() -> None:
    """a broadcasts: the index is that of the first solution that does not exist."""
    a = np.array([np.eye(2), np.zeros((2, 2))])
    with pytest.raises(np.linalg.LinAlgError, match=r"slice \(0, 1\)"):
        solve(a, np.ones((3, 1, 2, 1)))


def test_one_singular_matrix_has_no_slice() -> None:
    with pytest.raises(np.linalg.LinAlgError) as raised:
        solve(np.ones((2, 2)), np.ones(2))
    assert str(raised.value) == (
        "Singular matrix: pivot 1 of the small LU is exactly zero. Use smartsolve.mldivide(a, b, "
        "minimum_norm=True) for a least-squares solution of a singular system, or "
        "on_singular='nan' to have NaN in its place."
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_singular_slice_of_many(workers: int) -> None:
    a = np.array([np.eye(3)] * 1000)
    a[[123, 124, 777]] = np.ones((3, 3))
    with pytest.raises(np.linalg.LinAlgError, match=r"slice 123\b"):
        solve(a, np.ones(3), workers=workers)


def test_a_loop_over_ill_conditioned_systems_is_heard_once() -> None:
    """Python's default filter shows a text once a line."""
    rng = np.random.default_rng(49)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(1000):
            a = rng.standard_normal((6, 6))
            a[5] = a[4] + 1e-16 * rng.standard_normal(6)
            with contextlib.suppress(np.linalg.LinAlgError):
                solve(a, np.ones(6))
    assert 0 < len(caught) < 6


def test_the_exception_has_the_rcond_too() -> None:
    with errstate(ill_conditioned="raise"), pytest.raises(np.linalg.LinAlgError) as raised:
        solve(np.diag([1.0, 1e-20]), np.ones(2))
    assert raised.value.rcond == pytest.approx(1e-20)
    with errstate(singular="warn"), pytest.warns(smartsolve.SingularMatrixWarning) as caught:
        solve(np.zeros((2, 2)), np.ones(2))
    assert caught[0].message.rcond == 0


@pytest.mark.parametrize("b_shape", [(0, 55, 3), (0, 55, 0), (0, 1, 55, 2)])
def test_no_systems_are_no_error_as_in_numpy(b_shape: tuple[int, ...]) -> None:
    """Of an empty stack no system is solved, and the matrix is not looked at; but without
    right-hand sides a system is a system, and its singular matrix is refused."""
    for a in (np.ones((55, 55)), np.full((55, 55), np.nan), np.ones((1, 55, 55))):
        b = np.zeros(b_shape)
        theirs = np.linalg.solve(a, b)
        for x in (solve(a, b), solve(a, b, return_info=True)[0], smartsolve.mldivide(a, b)):
            assert x.shape == theirs.shape
            assert x.dtype == theirs.dtype
    for solver in (np.linalg.solve, solve):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            solver(np.ones((55, 55)), np.zeros((55, 0)))
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            solver(np.ones((55, 55)), np.zeros((2, 55, 0)))


def test_a_singular_slice_comes_before_a_warning_about_another() -> None:
    a = np.array([np.diag([1.0, 1e-20]), np.zeros((2, 2))])
    with pytest.raises(np.linalg.LinAlgError, match=r"slice 1\b"):
        solve(a, np.ones(2))
    with pytest.warns(IllConditionedWarning) as caught:
        x = solve(a, np.ones(2), on_singular="nan")
    assert len(caught) == 1
    assert np.array_equal(x[0], [1.0, 1e20])
    assert np.isnan(x[1]).all()


# --- rcond without overflow ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "rcond"),
    [
        ([1e-310, 1.0], 1e-310),
        ([1.0, 1e-310], 1e-310),
        ([1e-200, 1e200], 0.0),
        ([1e300, 1e308], 1e-8),
        ([1e308, 1e308], 1.0),
        ([1e-320, 1e-320], 1.0),
        ([5e-324, 5e-324], 1.0),
        ([-4.0, 2.0, 1.0], 0.25),
        ([1e308j, 1e308], 1.0),
    ],
)
def test_rcond_of_a_diagonal_matrix_does_not_overflow(d: list[Any], rcond: float) -> None:
    with recorded() as caught:
        _, info = solve(np.diag(d), np.abs(d), return_info=True)
    assert bool(caught) == (rcond < eps(float))
    assert info.rcond == pytest.approx(rcond, rel=1e-6 if rcond > 1e-300 else 1e-3, abs=5e-324)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_rcond_of_a_triangular_matrix_does_not_overflow(scale: float) -> None:
    """[[1, 1], [0, 1]]: both norms are 2, so rcond is 1/4; an estimate is within a factor of 3."""
    for a in (np.triu(np.ones((2, 2))), np.tril(np.ones((2, 2))), np.array([[1.0, 1], [1, 0]])):
        x, info = solve(a * scale, np.full(2, scale), return_info=True)
        assert 1 / 12 <= info.rcond <= 3 / 4
        assert np.abs(np.sort(x) - [0.0, 1.0]).max() <= 4 * eps(float)


@pytest.mark.parametrize("n", [10, 40, 60, 200])
def test_a_triangular_matrix_is_not_judged_by_the_size_of_its_elements_alone(n: int) -> None:
    """Ones above a diagonal of ones: the inverse has two diagonals and rcond is 1 / (2 n). With
    the signs changed the inverse holds 2^(n-2): bounds that forget signs cannot tell them apart."""
    for a in (np.triu(np.ones((n, n))), np.tril(np.ones((n, n)))):
        _, info = solve(a, np.ones(n), return_info=True)
        assert 1 / (20 * n) <= info.rcond <= 5 / n
    if n >= 60:
        with pytest.warns(IllConditionedWarning):
            solve(ones_triangular(n), np.ones(n))


# --- errstate ------------------------------------------------------------------------------------

BAD = np.diag([1.0, 1e-20])
SINGULAR = np.zeros((2, 2))
B = np.ones(2)


def state() -> tuple[str, str]:
    """How `solve` behaves here and now: what it does about each of the two."""
    with recorded() as caught:
        try:
            solve(BAD, B)
            ill = "warn" if caught else "ignore"
        except (np.linalg.LinAlgError, IllConditionedWarning):
            ill = "raise"
        try:
            singular = "nan" if np.isnan(solve(SINGULAR, B)).all() else "other"
        except np.linalg.LinAlgError:
            singular = "raise"
    return ill, singular


def test_errstate_default() -> None:
    assert state() == ("warn", "raise")


@pytest.mark.parametrize("singular", ["raise", "nan"])
@pytest.mark.parametrize("ill", ["ignore", "warn", "raise"])
def test_errstate(ill: str, singular: str) -> None:
    with errstate(ill_conditioned=ill, singular=singular):
        assert state() == (ill, singular)
    assert state() == ("warn", "raise")


def test_errstate_raise_says_what_the_warning_says() -> None:
    with (
        errstate(ill_conditioned="raise"),
        pytest.raises((np.linalg.LinAlgError, IllConditionedWarning), match=SCIPYS_WORDS) as raised,
    ):
        solve(BAD, B)
    assert rcond_in(str(raised.value)) == pytest.approx(1e-20, rel=1e-2)


def test_errstate_nests_and_sets_only_what_is_named() -> None:
    with errstate(singular="nan"):
        assert state() == ("warn", "nan")
        with errstate(ill_conditioned="ignore"):
            assert state() == ("ignore", "nan")
            with errstate(ill_conditioned="raise", singular="raise"):
                assert state() == ("raise", "raise")
            assert state() == ("ignore", "nan")
        assert state() == ("warn", "nan")
    assert state() == ("warn", "raise")


def test_errstate_is_left_by_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), errstate(ill_conditioned="ignore"):
        raise ZeroDivisionError
    assert state() == ("warn", "raise")


def test_the_argument_is_stronger_than_errstate() -> None:
    with errstate(singular="nan"), pytest.raises(np.linalg.LinAlgError):
        solve(SINGULAR, B, on_singular="raise")
    with errstate(singular="raise"):
        assert np.isnan(solve(SINGULAR, B, on_singular="nan")).all()


@pytest.mark.parametrize(
    ("option", "valid"), [("ill_conditioned", "ignore warn raise"), ("singular", "raise nan")]
)
def test_errstate_refuses_an_unknown_value_and_lists_the_valid_ones(
    option: str, valid: str
) -> None:
    with pytest.raises(ValueError, match=option) as raised, errstate(**{option: "print"}):
        pass
    for word in valid.split():
        assert word in str(raised.value)
    with pytest.raises(TypeError), errstate(invalid="ignore"):
        pass
    assert state() == ("warn", "raise")


def solve_stubbornly(a: np.ndarray) -> bool:
    """True if `solve` raises."""
    try:
        solve(a, B)
    except (np.linalg.LinAlgError, IllConditionedWarning):
        return True
    return False


def test_errstate_belongs_to_its_thread() -> None:
    barrier = threading.Barrier(2, timeout=60)
    raised = {"raise": 0, "ignore": 0}

    def work(setting: str) -> None:
        for _ in range(50):
            with errstate(ill_conditioned=setting):
                barrier.wait()
                raised[setting] += solve_stubbornly(BAD)
                barrier.wait()

    threads = [threading.Thread(target=work, args=(setting,)) for setting in raised]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == {"raise": 50, "ignore": 0}
    assert state() == ("warn", "raise")


def test_errstate_belongs_to_its_task() -> None:
    raised = {"raise": 0, "ignore": 0}

    async def work(setting: str) -> None:
        with errstate(ill_conditioned=setting):
            for _ in range(20):
                await asyncio.sleep(0)
                raised[setting] += solve_stubbornly(BAD)

    async def both() -> None:
        await asyncio.gather(work("raise"), work("ignore"))

    asyncio.run(both())
    assert raised == {"raise": 20, "ignore": 0}
    assert state() == ("warn", "raise")


def test_one_errstate_may_be_shared() -> None:
    """Threads enter and leave the same object in any order, and it may be entered twice."""
    shared = errstate(singular="nan")
    entered, leave = threading.Barrier(2), threading.Event()

    def inside() -> None:
        with shared:
            entered.wait()
            leave.wait()
            assert smartsolve.geterr()["singular"] == "nan"
        assert smartsolve.geterr()["singular"] == "raise"

    thread = threading.Thread(target=inside)
    thread.start()
    with shared, shared:
        entered.wait()
        assert smartsolve.geterr()["singular"] == "nan"
    assert smartsolve.geterr()["singular"] == "raise"
    leave.set()
    thread.join()


def test_errstate_decorates_functions_and_coroutines() -> None:
    @errstate(singular="nan")
    def called() -> str:
        return smartsolve.geterr()["singular"]

    @errstate(singular="nan")
    async def awaited() -> str:
        await asyncio.sleep(0)
        return smartsolve.geterr()["singular"]

    async def several() -> list[str]:
        found = await asyncio.gather(awaited(), awaited())
        return [*found, smartsolve.geterr()["singular"]]

    assert called() == called() == "nan"
    assert asyncio.run(several()) == ["nan", "nan", "raise"]
    assert smartsolve.geterr()["singular"] == "raise"


def test_the_defaults_can_be_set() -> None:
    found = []
    old = smartsolve.seterr(singular="nan")
    try:
        assert old == {"ill_conditioned": "warn", "singular": "raise"}
        assert np.isnan(solve(np.ones((2, 2)), np.ones(2))).all()
        with errstate(ill_conditioned="ignore"):
            assert smartsolve.geterr() == {"ill_conditioned": "ignore", "singular": "nan"}
            smartsolve.seterr(ill_conditioned="raise")
            assert smartsolve.geterr() == {"ill_conditioned": "ignore", "singular": "nan"}
        thread = threading.Thread(target=lambda: found.append(smartsolve.geterr()))
        thread.start()
        thread.join()
        assert found == [{"ill_conditioned": "raise", "singular": "nan"}]
        with pytest.raises(ValueError, match="singular is 'none'; expected 'raise', 'warn' or"):
            smartsolve.seterr(singular="none")
    finally:
        smartsolve.seterr(**old)
    assert smartsolve.geterr() == old


def test_errstate_reaches_the_workers() -> None:
    a = np.array([np.eye(2)] * 500)
    a[400] = BAD
    a[450] = SINGULAR
    with errstate(ill_conditioned="ignore", singular="nan"):
        x = solve(a, B, workers=2)
    assert np.isnan(x[450]).all()
    assert np.array_equal(x[400], [1.0, 1e20])


def test_an_inverse_that_overflows_is_not_taken_for_an_ill_conditioned_matrix() -> None:
    """Elements of 1e-36 in single precision: |A^-1| overflows, but neither x nor rcond does."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        a = (1e-36 * rng.standard_normal((255, 255))).astype(np.float32)
        b = (1e-36 * rng.standard_normal(255)).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = smartsolve.solve(a, b)
        assert np.isfinite(x).all()
        scaled = np.linalg.cond(a.astype(np.float64) * 1e36, 1)
        rcond = smartsolve.factorize(a).rcond
        assert 1 / scaled <= 1.1 * rcond <= 10 / scaled


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("n", [2, 3, 9, 20])
def test_a_diagonal_that_is_not_finite_has_no_rcond_wherever_it_is_so(
    n: int, bad: float, dtype: type, sparse: bool
) -> None:
    for place in range(n):
        a = np.diag(np.linspace(1, 2, n)).astype(dtype)
        a[place, place] = bad
        given = scipy.sparse.csc_array(a) if sparse else a
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            info = smartsolve.solve(given, np.ones(n, dtype), return_info=True)[1]
        assert np.isnan(info.rcond)
        assert np.isnan(smartsolve.factorize(given).rcond)
        if not sparse:
            stack = smartsolve.solve(np.stack([a] * 9), np.ones(n, dtype), return_info=True)[1]
            assert np.isnan(stack.rcond).all()
