"""patch_numpy: what is replaced, what is restored, and that nothing is refused.

NumPy's and SciPy's own tests of `solve` run under it in `test_peer_suites.py`.
"""

import asyncio
import copy
import inspect
import pickle
import re
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.linalg import LinAlgError

import smartsolve
from smartsolve import patch_numpy

NUMPY = np.linalg.solve
SCIPY = scipy.linalg.solve
A = np.array([[4.0, 1.0], [2.0, 3.0]])
B = np.array([1.0, 2.0])
HILBERT = 1 / (np.arange(12)[:, None] + np.arange(12) + 1)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    assert np.linalg.solve is NUMPY
    assert scipy.linalg.solve is SCIPY
    assert scipy.linalg._basic.solve is SCIPY


@pytest.fixture
def module() -> Iterator[Any]:
    """A module that says ``from numpy.linalg import solve``."""
    module = types.ModuleType("an_old_module")
    exec("from numpy.linalg import solve as s\nfrom scipy.linalg import solve as t", vars(module))
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def is_ours(solve: Callable[..., Any]) -> bool:
    """Only ours names the pivot of a singular matrix."""
    try:
        solve(np.zeros((2, 2)), B)
    except LinAlgError as error:
        return "pivot" in str(error)
    raise AssertionError("a singular matrix was solved")


# --- what is replaced ----------------------------------------------------------------------------


def test_the_name_in_numpy_leads_to_ours_in_the_block_only() -> None:
    assert not is_ours(np.linalg.solve)
    with patch_numpy():
        assert is_ours(np.linalg.solve)
        assert is_ours(np.linalg._linalg.solve) is False  # NumPy's own use, without everywhere
        assert not is_ours(scipy.linalg.solve)
    assert not is_ours(np.linalg.solve)


def test_scipy_on_request() -> None:
    with patch_numpy(scipy=True):
        assert is_ours(scipy.linalg.solve)
        assert is_ours(np.linalg.solve)


@pytest.mark.parametrize(
    "shape", [(1, 1), (4, 4), (60, 60), (5, 3, 3), (0, 0), (3, 0, 0), (0, 4, 4)]
)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "?"])
def test_inverses_on_request(shape: tuple[int, ...], dtype: str) -> None:
    a = np.random.default_rng(0).standard_normal(shape) + 9 * np.sqrt(shape[-1]) * np.eye(shape[-1])
    a = (a if dtype != "?" else a > 5).astype(dtype)
    expected = np.linalg.inv(a)
    with patch_numpy(inv=True):
        x = np.linalg.inv(a)
        assert pickle.loads(pickle.dumps(np.linalg.inv)) is np.linalg.inv
    assert (x.shape, x.dtype, x.flags.c_contiguous) == (expected.shape, expected.dtype, True)
    assert type(x) is np.ndarray
    tolerance = 50 * np.finfo(x.dtype).eps * np.abs(expected).max(initial=0.0)
    assert np.allclose(x, expected, rtol=0, atol=tolerance)
    assert "smartsolve" not in type(np.linalg.inv).__module__


def test_inverses_of_what_numpy_refuses_or_returns_otherwise() -> None:
    inv = np.linalg.inv
    refused: list[Any] = [3.0, np.ones(2), np.ones((2, 3)), np.eye(2, dtype="f2"), [["x"]], None]
    with patch_numpy(inv=True):
        for a in refused:
            with pytest.raises(Exception) as theirs:  # noqa: PT011
                inv(a)
            with pytest.raises(type(theirs.value), match=re.escape(str(theirs.value))):
                np.linalg.inv(a)
        with pytest.raises(LinAlgError, match="pivot"):
            np.linalg.inv(np.ones((2, 2)))
        assert type(np.linalg.inv(A.view(np.matrix))) is np.matrix
        assert np.allclose(np.linalg.inv(A.tolist()), inv(A), rtol=1e-15)
        with pytest.warns(smartsolve.IllConditionedWarning):
            np.linalg.inv(HILBERT)
    with patch_numpy():
        assert np.linalg.inv is inv


def test_everywhere_finds_names_that_modules_have_bound(module: Any) -> None:
    with patch_numpy():
        assert module.s is NUMPY
    with patch_numpy(everywhere=True):
        assert is_ours(module.s)
        assert module.t is SCIPY
        assert is_ours(np.linalg._linalg.solve)  # tensorsolve calls this one
    assert module.s is NUMPY
    with patch_numpy(scipy=True, everywhere=True):
        assert is_ours(module.t)
    assert module.t is SCIPY
    assert np.linalg._linalg.solve is NUMPY


def test_lazy_modules_are_not_woken() -> None:
    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"woken by {name}")

    sys.modules["a_lazy_module"] = Lazy("a_lazy_module")
    try:
        with patch_numpy(everywhere=True):
            pass
    finally:
        del sys.modules["a_lazy_module"]


def test_a_decorator_of_functions_and_coroutine_functions() -> None:
    @patch_numpy()
    def function() -> bool:
        return is_ours(np.linalg.solve)

    @patch_numpy()
    async def coroutine_function() -> bool:
        await asyncio.sleep(0)
        return is_ours(np.linalg.solve)

    assert function()
    assert function()
    assert asyncio.run(coroutine_function())


def test_a_generator_function_is_refused_rather_than_not_patched() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="numbers is a generator function"):
        patch_numpy()(numbers)


# --- what is restored ----------------------------------------------------------------------------


def test_restored_after_an_exception(module: Any) -> None:
    with pytest.raises(KeyError), patch_numpy(scipy=True, everywhere=True):
        raise KeyError
    assert module.s is NUMPY
    assert module.t is SCIPY


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1)])
def test_contexts_may_end_in_any_order(module: Any, order: tuple[int, ...]) -> None:
    contexts = [patch_numpy(), patch_numpy(everywhere=True), patch_numpy(scipy=True)]
    for context in contexts:
        context.__enter__()
    left = set(range(3))
    for index in order:
        assert is_ours(np.linalg.solve)
        contexts[index].__exit__(None, None, None)
        left.discard(index)
        assert is_ours(module.s) == (1 in left)
        assert is_ours(scipy.linalg.solve) == (2 in left)
        assert module.t is SCIPY


def test_one_context_entered_twice() -> None:
    context = patch_numpy()
    with context:
        with context:
            assert is_ours(np.linalg.solve)
        assert is_ours(np.linalg.solve)
    assert np.linalg.solve is NUMPY


def test_a_module_imported_meanwhile_gets_the_original_back() -> None:
    module: Any = types.ModuleType("imported_meanwhile")
    with patch_numpy():
        sys.modules[module.__name__] = module
        exec("from numpy.linalg import solve", vars(module))
        assert is_ours(module.solve)
    del sys.modules[module.__name__]
    assert module.solve is NUMPY


def test_what_the_program_had_put_there_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = lambda a, b: "spied"  # noqa: E731
    monkeypatch.setattr(np.linalg, "solve", spy)
    with patch_numpy():
        assert is_ours(np.linalg.solve)
    assert np.linalg.solve is spy
    monkeypatch.undo()


def test_what_the_program_puts_there_meanwhile_is_left_alone() -> None:
    spy = lambda a, b: "spied"  # noqa: E731
    with patch_numpy():
        np.linalg.solve = spy
        with patch_numpy():
            assert np.linalg.solve is spy
    assert np.linalg.solve is spy
    np.linalg.solve = NUMPY


def test_threads_that_overlap() -> None:
    """Each thread sees ours within its own blocks, whatever the others do."""
    wrong = []

    def work() -> None:
        for _ in range(50):
            with patch_numpy():
                if not is_ours(np.linalg.solve):
                    wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert np.linalg.solve is NUMPY


# --- nothing is refused --------------------------------------------------------------------------


REFUSED: list[tuple[Any, Any]] = [
    (np.eye(2, dtype=object), B),
    (np.eye(2, dtype=np.float16), B),
    (np.eye(2, dtype=np.longdouble), B),
    (np.array([["a", "b"], ["c", "d"]]), B),
    (np.ones((2, 3)), B),
    (np.ones((3, 2, 2)), np.ones((3, 2))),
    (1.0, 1.0),
    (None, None),
    (scipy.sparse.eye_array(2), B),
]


@pytest.mark.parametrize(("a", "b"), REFUSED, ids=range(len(REFUSED)))
def test_what_numpy_refuses_is_refused_in_its_words(a: Any, b: Any) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        NUMPY(a, b)
    with patch_numpy(), pytest.raises(type(theirs.value)) as ours:
        np.linalg.solve(a, b)
    assert str(ours.value) == str(theirs.value)


def test_arguments_are_named_as_numpys_and_no_others_are_taken() -> None:
    with patch_numpy():
        np.testing.assert_allclose(np.linalg.solve(b=B, a=A), NUMPY(A, B))
        assert inspect.signature(np.linalg.solve) == inspect.signature(NUMPY)
        with pytest.raises(TypeError, match="check_finite"):
            np.linalg.solve(A, B, check_finite=True)


def test_a_warning_that_is_an_error_stops_nothing() -> None:
    with patch_numpy():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = np.linalg.solve(HILBERT, HILBERT.sum(axis=1))
        assert np.array_equal(x, NUMPY(HILBERT, HILBERT.sum(axis=1)))
        with pytest.warns(smartsolve.IllConditionedWarning) as caught:
            np.linalg.solve(HILBERT, HILBERT.sum(axis=1))
        assert caught[0].filename == __file__
        with smartsolve.errstate(ill_conditioned="raise"), pytest.raises(LinAlgError, match="Ill"):
            np.linalg.solve(HILBERT, HILBERT.sum(axis=1))


@given(
    st.integers(2, 6).flatmap(
        lambda n: arrays(np.float64, (n, n), elements=st.integers(-3, 3).map(float))
    )
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whoever_is_refused_was_refused_before(a: Any) -> None:
    """Small integers make matrices that are singular, exactly or but for rounding."""
    a = a.copy()
    a[-1] = a[:-1].sum(axis=0) / 3
    b = np.ones(len(a))
    try:
        NUMPY(a, b)
    except LinAlgError:
        return
    with patch_numpy(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.linalg.solve(a, b)


def test_a_refusal_is_no_part_of_numpys_error() -> None:
    with patch_numpy(), pytest.raises(LinAlgError, match="must be square") as caught:
        np.linalg.solve(np.ones((2, 3)), B)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


class Quantity:
    """An array of another library, with a table of functions as Astropy and unyt keep one."""

    table: dict[Any, Callable[..., Any]]

    def __array_function__(self, func: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        return self.table[func](*args, **kwargs) if func in self.table else NotImplemented


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_arrays_of_other_libraries_answer_by_their_own_function(when: str) -> None:
    if when == "before":
        Quantity.table = {np.linalg.solve: lambda a, b: "theirs"}
    with patch_numpy():
        if when == "meanwhile":
            Quantity.table = {np.linalg.solve: lambda a, b: "theirs"}
        assert np.linalg.solve(Quantity(), B) == "theirs"
        assert NUMPY(Quantity(), B) == "theirs"
    assert np.linalg.solve(Quantity(), B) == "theirs"


def test_the_replacement_passes_for_the_function() -> None:
    with patch_numpy(scipy=True):
        for ours, theirs in [(np.linalg.solve, NUMPY), (scipy.linalg.solve, SCIPY)]:
            assert ours == theirs
            assert hash(ours) == hash(theirs)
            assert (ours.__name__, ours.__doc__) == (theirs.__name__, theirs.__doc__)
            assert repr(theirs) in repr(ours)
            assert copy.copy(ours) is ours
        assert np.linalg.solve._implementation is NUMPY._implementation
        holder = type("Holder", (), {"method": np.linalg.solve})()
        assert isinstance(holder.method, types.MethodType)


def test_pickled_by_name() -> None:
    """What is pickled in a block is NumPy's name, and means NumPy's function elsewhere."""
    plain = pickle.dumps(NUMPY)
    with patch_numpy(scipy=True):
        texts = [pickle.dumps(f) for f in (np.linalg.solve, NUMPY, scipy.linalg.solve)]
        assert texts[0] == plain
        assert is_ours(pickle.loads(plain))
        assert pickle.loads(pickle.dumps(np.sum)) is np.sum
    assert all(b"smartsolve" not in text for text in texts)
    assert [pickle.loads(text) for text in texts] == [NUMPY, NUMPY, SCIPY]
    assert pickle.dumps(NUMPY) == plain


# --- SciPy's contract ----------------------------------------------------------------------------


def test_scipys_positional_arguments() -> None:
    spd = np.array([[4.0, 1.0], [-9.0, 3.0]])  # the upper triangle counts, the lower one is junk
    with patch_numpy(scipy=True):
        x = scipy.linalg.solve(spd, B.copy(), False, True, True, True, "pos", False)
        np.testing.assert_allclose(x, SCIPY(spd, B, assume_a="pos"))
        np.testing.assert_allclose(scipy.linalg.solve(spd, B, True), SCIPY(spd, B))
        np.testing.assert_allclose(scipy.linalg.solve(A, B, transposed=True), SCIPY(A.T, B))
        assert inspect.signature(scipy.linalg.solve) == inspect.signature(SCIPY)


SCIPY_TAKES: list[tuple[Any, Any]] = [
    (2.0, np.arange(3.0)),
    ([[2.0]], np.arange(3.0)),
    ([2.0], [[1.0, 2.0], [3.0, 4.0]]),
    (A.tolist(), B.tolist()),
    (A.view(np.matrix), B.reshape(-1, 1).view(np.matrix)),
    (np.empty((0, 0)), np.empty((0, 3))),
    (np.stack([A, A]), B),
]


@pytest.mark.parametrize(("a", "b"), SCIPY_TAKES, ids=range(len(SCIPY_TAKES)))
def test_what_scipy_takes_is_taken(a: Any, b: Any) -> None:
    expected = SCIPY(a, b)
    with patch_numpy(scipy=True):
        x = scipy.linalg.solve(a, b)
    assert type(x) is type(expected)
    assert (x.dtype, x.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(x, expected, rtol=1e-14)


def outcome(solve: Callable[..., Any], a: Any, b: Any) -> tuple[Any, list[tuple[Any, str]]]:
    """The solution, or the refusal, and the warnings: SciPy 1.18 deprecates some dtypes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            x = solve(a, b)
        except (TypeError, ValueError) as refusal:
            x = refusal
    return x, [(warning.category, str(warning.message)) for warning in caught]


DTYPES = ["?", "b", "i", "q", "e", "f", "d", "g", "F", "D", "G", "O"]


@pytest.mark.parametrize("b_dtype", DTYPES)
@pytest.mark.parametrize("a_dtype", DTYPES)
def test_dtypes_are_scipys(a_dtype: str, b_dtype: str) -> None:
    a, b = (4 * np.eye(2)).astype(a_dtype), np.ones(2).astype(b_dtype)
    expected, their_warnings = outcome(SCIPY, a, b)
    with patch_numpy(scipy=True):
        x, our_warnings = outcome(scipy.linalg.solve, a, b)
    assert our_warnings == their_warnings
    assert type(x) is type(expected)
    if not isinstance(x, Exception):
        assert x.dtype == expected.dtype
        assert np.array_equal(x, expected)


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        (np.diag([1.0, np.nan]), B, {}),
        (np.ma.masked_array(A, mask=A > 3), B, {}),
        (A, B, {"assume_a": "nonsense"}),
        (A, np.ones(3), {}),
    ],
    ids=["nan", "masked", "nonsense", "shapes"],
)
def test_what_scipy_refuses_is_refused_in_its_words(
    a: Any, b: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError) as theirs:  # noqa: PT011
        SCIPY(a, b, **options)
    with patch_numpy(scipy=True), pytest.raises(ValueError) as ours:  # noqa: PT011
        scipy.linalg.solve(a, b, **options)
    assert str(ours.value) == str(theirs.value)


def test_scipy_warns_and_so_does_ours() -> None:
    with patch_numpy(scipy=True), pytest.warns(scipy.linalg.LinAlgWarning, match="Ill-condition"):
        scipy.linalg.solve(HILBERT, HILBERT.sum(axis=1))


def test_the_solution_is_in_bs_memory_where_scipy_puts_it_there() -> None:
    b = B.copy()
    with patch_numpy(scipy=True):
        assert scipy.linalg.solve(A, b, overwrite_b=True) is b
    np.testing.assert_allclose(b, SCIPY(A, B))


def test_inputs_are_intact_when_a_system_goes_to_scipy() -> None:
    """A warning that is an exception comes after the solution; nothing may be overwritten then."""
    a, b = np.asfortranarray(HILBERT), HILBERT.sum(axis=1)
    with patch_numpy(scipy=True), warnings.catch_warnings():
        warnings.filterwarnings("error", category=smartsolve.IllConditionedWarning)
        warnings.filterwarnings("ignore", message="An ill-conditioned", category=Warning)
        x = scipy.linalg.solve(a.copy("F"), b.copy(), overwrite_a=True, overwrite_b=True)
    residual = np.abs(HILBERT @ x - b).max()
    assert residual <= 100 * 12 * np.finfo(float).eps * np.abs(x).max() * HILBERT.sum(axis=1).max()


def test_the_branch_for_singular_matrices_is_kept() -> None:
    """NumPy's rounding ends in an exact zero where other orders of operations leave 1e-16."""
    a = np.arange(1.0, 10.0).reshape(3, 3)
    original = np.linalg.solve

    def takes_the_branch(m: np.ndarray) -> bool:
        try:
            np.linalg.solve(m, np.ones(3))
        except np.linalg.LinAlgError:
            return True
        return False

    assert takes_the_branch(a)
    with smartsolve.patch_numpy(ill_conditioned="raise"):
        assert takes_the_branch(a)
        assert takes_the_branch(a[[1, 0, 2]])
        assert not takes_the_branch(np.eye(3))
        with smartsolve.patch_numpy(ill_conditioned="ignore"):
            assert not takes_the_branch(np.diag([1.0, 1.0, 1e-20]))
        with pytest.raises(np.linalg.LinAlgError):
            np.linalg.solve(np.ones((2, 3)), np.ones(2))
    assert np.linalg.solve is original

    @smartsolve.patch_numpy(scipy=True, ill_conditioned="raise")
    def through_scipy() -> None:
        import scipy.linalg

        scipy.linalg.solve(a, np.ones(3))

    with pytest.raises(np.linalg.LinAlgError):
        through_scipy()
    with pytest.raises(ValueError, match="ill_conditioned is 'stop'"):
        smartsolve.patch_numpy(ill_conditioned="stop")  # type: ignore[arg-type]
