"""smartsolve.solve, and on request np.linalg.solve, inside functions that Numba compiles."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import smartsolve

numba = pytest.importorskip("numba", reason="the extra numba is not installed")
from numba import njit, prange  # noqa: E402

import smartsolve.numba  # noqa: E402

DTYPES = ["f4", "f8", "c8", "c16"]


@njit
def solve(a: Any, b: Any) -> Any:
    return smartsolve.solve(a, b)


@njit
def solve_or_nan(a: Any, b: Any) -> Any:
    return smartsolve.solve(a, b, on_singular="nan")


def system(rng: np.random.Generator, shape: Any, dtype: str) -> Any:
    values = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return np.asarray(values if dtype[0] == "c" else values.real).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 16, 33, 100])
@pytest.mark.parametrize("nrhs", [None, 1, 3])
def test_the_bits_are_those_of_the_interpreter(n: int, nrhs: int | None, dtype: str) -> None:
    rng = np.random.default_rng(n)
    a = system(rng, (n, n), dtype)
    b = system(rng, (n,) if nrhs is None else (n, nrhs), dtype)
    x = solve(a, b)
    assert x.dtype == a.dtype
    assert np.array_equal(x, smartsolve.solve(a, b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((7, 4, 4), (7, 4, 2)),
        ((7, 4, 4), (4,)),
        ((4, 4), (7, 4, 2)),
        ((5, 1, 3, 3), (6, 3, 1)),
        ((1, 3, 3), (5, 3, 2)),
        ((0, 3, 3), (3,)),
        ((2, 0, 0), (2, 0, 1)),
        ((4, 1, 2, 2), (1, 3, 2, 0)),
    ],
)
def test_stacks_broadcast_as_in_numpy(of_a: Any, of_b: Any, dtype: str) -> None:
    rng = np.random.default_rng(3)
    a, b = system(rng, of_a, dtype), system(rng, of_b, dtype)
    x, expected = solve(a, b), smartsolve.solve(a, b)
    assert x.shape == expected.shape
    assert np.array_equal(x, expected)


def test_any_memory_order() -> None:
    rng = np.random.default_rng(4)
    large, right = rng.standard_normal((3, 12, 12)), rng.standard_normal((24, 24))
    for a in (
        large[0].T,
        large[0, ::2, ::2],
        large[0, ::-1],
        large[0, 3:9, 2:8],
        large[:, ::3, 2::3],
    ):
        n = a.shape[-1]
        for b in (right[:n, 0], right[: 2 * n : 2, 1], right[::-1][:n, :3], right.T[:n, ::5]):
            assert np.array_equal(solve(a, b), smartsolve.solve(a, b))
    kept = large.copy()
    solve(large[0].T, right[:12, 0])
    assert np.array_equal(kept, large)


def test_fields_of_records_are_read_where_strides_are_no_whole_elements() -> None:
    records = np.zeros((3, 3), dtype=np.dtype([("flag", "i1"), ("value", "f8")]))
    records["value"] = np.random.default_rng(0).standard_normal((3, 3))
    b = np.arange(3.0)
    expected = smartsolve.solve(records["value"], b)
    assert np.array_equal(solve(records["value"], b), expected)
    read_only = records["value"].copy()
    read_only.flags.writeable = False
    assert np.array_equal(solve(read_only, b), expected)


@pytest.mark.parametrize("of_a", ["i4", "?", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("of_b", ["u1", "f4", "f8", "c8"])
def test_types_meet_as_in_numpy(of_a: str, of_b: str) -> None:
    a = np.array([[1, 0], [1, 1]]).astype(of_a)
    b = np.array([1, 1]).astype(of_b)
    x, expected = solve(a, b), smartsolve.solve(a, b)
    assert x.dtype == expected.dtype
    assert np.array_equal(x, expected)


def test_half_precision_is_refused_by_name() -> None:
    with pytest.raises(numba.errors.TypingError, match="a has dtype float16; expected float32"):
        solve(np.eye(2, dtype="f2"), np.ones(2))


def test_errors_are_those_of_numba() -> None:
    """Numba 0.68, numba/np/linalg.py: classes and words."""
    own = njit(lambda a, b: np.linalg.solve(a, b))
    for a, b in (
        (np.zeros((2, 2)), np.ones(2)),
        (np.eye(2), np.ones(3)),
        (np.eye(2), np.ones((3, 1))),
    ):
        with pytest.raises(np.linalg.LinAlgError) as theirs:
            own(a, b)
        with pytest.raises(np.linalg.LinAlgError) as ours:
            solve(a, b)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(np.linalg.LinAlgError, match="Last 2 dimensions"):  # NumPy's words
        solve(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="broadcast"):
        solve(np.ones((2, 2, 2)), np.ones((3, 2, 1)))


def test_a_singular_slice_is_nan_if_that_is_wanted() -> None:
    a = np.stack([np.eye(3), np.zeros((3, 3)), 2 * np.eye(3)])
    x = solve_or_nan(a, np.ones(3))
    assert np.array_equal(x[[0, 2]], [[1, 1, 1], [0.5, 0.5, 0.5]])
    assert np.isnan(x[1]).all()
    with pytest.raises(np.linalg.LinAlgError):
        solve(a, np.ones(3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_travel_into_the_solution(bad: float) -> None:
    a = np.array([[1.0, bad], [0.0, 1.0]])
    for left, right in ((a, np.ones(2)), (a.T, np.ones(2)), (np.eye(2), np.array([1.0, bad]))):
        assert np.array_equal(solve(left, right), smartsolve.solve(left, right), equal_nan=True)


def test_threads_without_the_gil_and_parallel_loops() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((400, 6, 6)), rng.standard_normal((400, 6))

    @njit(parallel=True)
    def every(a: Any, b: Any) -> Any:
        x = np.empty_like(b)
        for i in prange(len(a)):
            x[i] = smartsolve.solve(a[i], b[i])
        return x

    @njit(nogil=True)
    def part(a: Any, b: Any, x: Any) -> None:
        for i in range(len(a)):
            x[i] = smartsolve.solve(a[i], b[i])

    expected = np.stack([smartsolve.solve(*each) for each in zip(a, b, strict=True)])
    assert np.array_equal(every(a, b), expected)
    x = np.zeros_like(b)
    threads = [threading.Thread(target=part, args=(a[k::4], b[k::4], x[k::4])) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(x, expected)


def test_parallel_loops_may_be_the_first_to_need_lapack() -> None:
    """The main thread holds the GIL and waits for the loop: nothing in it may want the GIL."""
    run(
        """
        import numpy as np, smartsolve
        from numba import njit, prange
        @njit(parallel=True)
        def every(a, b):
            x = np.empty_like(b)
            for i in prange(len(a)):
                x[i] = smartsolve.solve(a[i], b[i])
            return x
        a = np.random.default_rng(0).standard_normal((4, 600, 600))
        b = np.ones((4, 600))
        assert np.allclose(np.einsum("sij,sj->si", a, every(a, b)), b)
        """
    )


def run(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """The output of a program in a fresh interpreter."""
    command = [sys.executable, "-P", "-c", textwrap.dedent(program), *arguments]
    if cwd is not None:
        (cwd / "program.py").write_text(textwrap.dedent(program))
        command = [sys.executable, "program.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiled_code_is_cached_and_loaded_in_another_process(tmp_path: Path) -> None:
    """The functions lie elsewhere in each process: the cache must not hold their addresses."""
    program = """
        import numpy as np, smartsolve
        from numba import njit
        @njit(cache=True)
        def solve(a, b):
            return smartsolve.solve(a, b)
        x = solve(np.diag([2.0, 4.0]), np.ones(2))
        y = solve(np.broadcast_to(np.diag([2.0, 4.0]), (3, 2, 2)), np.ones(2))
        print(x.tolist(), y[2].tolist(), sum(solve.stats.cache_hits.values()))
        """
    assert run(program, cwd=tmp_path).split("]")[-1].strip() == "0"
    assert run(program, cwd=tmp_path) == "[0.5, 0.25] [0.5, 0.25] 2\n"


def test_numpys_name_is_compiled_as_ours_by_opt_in_alone() -> None:
    a, b = np.stack([np.eye(2), 2 * np.eye(2)]), np.ones(2)
    plain = njit(lambda a, b: np.linalg.solve(a, b))
    with pytest.raises(numba.errors.TypingError):  # Numba's takes no stacks
        plain(a, b)
    ours = njit(lambda a, b: np.linalg.solve(a, b))
    with smartsolve.numba.patch(), smartsolve.numba.patch():
        assert np.array_equal(ours(a, b), [[1, 1], [0.5, 0.5]])
        with pytest.raises(np.linalg.LinAlgError, match="singular to machine precision"):
            ours(np.zeros((2, 2)), b)
    assert np.array_equal(ours(a, b), [[1, 1], [0.5, 0.5]])
    after = njit(lambda a, b: np.linalg.solve(a, b))
    with pytest.raises(numba.errors.TypingError):
        after(a, b)
    with pytest.raises(np.linalg.LinAlgError, match="NaN"):  # Numba's own, once more
        after(a[0], np.array([1, np.nan]))


def test_numpys_name_may_be_led_here_before_anything_is_compiled() -> None:
    run(
        """
        import numpy as np, smartsolve.numba
        from numba import njit
        smartsolve.numba.patch().start()
        solve = njit(lambda a, b: np.linalg.solve(a, b))
        assert solve(np.ones((3, 1, 1)), np.ones(1)).shape == (3, 1)
        """
    )


PATCHED = """
    import numpy as np, smartsolve
    from numba import njit
    a, b = np.diag([2.0, 4.0]), np.array([2.0, 2.0])
    def new():
        def f(a, b):
            return np.linalg.solve(a, b)
        return njit(f)
    def is_numbas(f):
        try:
            f(a, np.array([1.0, np.nan]))
        except np.linalg.LinAlgError as error:
            return "NaN" in str(error)
    """


@pytest.mark.parametrize("everywhere", [False, True])
def test_patch_numpy_leaves_numba_alone(everywhere: bool) -> None:
    """A function that is first called inside the patch was a TypingError, if Numba had compiled.

    And if it had not, functions compiled after the patch were.
    """
    compiled_before = """
        assert new()(a, b).tolist() == [1.0, 0.5]
    """
    within = f"""
        with smartsolve.patch_numpy(everywhere={everywhere}):
            first = new()
            assert first(a, b).tolist() == [1.0, 0.5]
            assert is_numbas(first)
            assert np.linalg.solve(a, b).tolist() == [1.0, 0.5]
        second = new()
        assert second(a, b).tolist() == [1.0, 0.5]
        assert is_numbas(second)
        with smartsolve.patch_numpy(everywhere={everywhere}):
            assert is_numbas(new())
    """
    for before in ("", compiled_before):
        run(PATCHED + textwrap.indent(textwrap.dedent(before + within), "    "))


def test_a_profile_leaves_numba_alone() -> None:
    run(
        PATCHED
        + """
    from smartsolve._profile.recording import record
    with record():
        assert new()(a, b).tolist() == [1.0, 0.5]
    assert is_numbas(new())
    """
    )


def test_a_parallel_loop_learns_of_singular_matrices_from_nan_alone() -> None:
    """Numba loses what is raised in a prange, by its own solver as well."""

    @njit(parallel=True)
    def each(a: Any, b: Any) -> Any:
        x = np.empty_like(b)
        for i in prange(len(a)):
            x[i] = smartsolve.solve(a[i], b[i], on_singular="nan")
        return x

    rng = np.random.default_rng(5)
    a, b = system(rng, (500, 6, 6), "f8"), system(rng, (500, 6), "f8")
    a[[0, 77, 499]] = 1
    assert np.flatnonzero(np.isnan(each(a, b)).any(axis=1)).tolist() == [0, 77, 499]
