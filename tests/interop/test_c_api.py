"""The C interface: the header in C and C++, the table's functions, and the docs' examples."""

import ctypes
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve._c_api import table

PAGE = Path(__file__).parents[2] / "docs" / "c-api.md"
TYPES = {"f4": 0, "f8": 1, "c8": 2, "c16": 3}
OK, ILL, SINGULAR, INVALID, STOPPED = 0, 1, 2, -1, -4
PLAIN, TRANSPOSED, ADJOINT, CONJUGATED = range(4)
SIZE, POINTER, INT, DOUBLE = ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_int, ctypes.c_double
MATRIX = [POINTER, SIZE, SIZE]
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


class Findings(ctypes.Structure):
    _fields_ = (
        ("singular", SIZE),
        ("first_singular", SIZE),
        ("ill_conditioned", SIZE),
        ("first_ill_conditioned", SIZE),
        ("worst_rcond", DOUBLE),
    )


def function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """One of the table's, called without the GIL."""
    return ctypes.CFUNCTYPE(result, *arguments)(getattr(table(), name))


solve_at = function("solve", INT, INT, SIZE, SIZE, *MATRIX * 3, POINTER)
stack_at = function(
    "solve_stack", INT, INT, SIZE, SIZE, INT, *[POINTER] * 9, SIZE, POINTER, POINTER
)
factorize_at = function("factorize", INT, INT, SIZE, *MATRIX, POINTER)
solve_factored_at = function("solve_factored", INT, POINTER, INT, SIZE, *MATRIX * 2)
rcond_of = function("rcond", DOUBLE, POINTER)
structure_of = function("structure", ctypes.c_char_p, POINTER)
free = function("free_factors", None, POINTER)
message = function("message", ctypes.c_char_p, INT)


def at(array: Any) -> list[int]:
    """Address and strides of the last two axes; a vector is a column."""
    strides = [step // array.itemsize for step in array.strides[-2:]]
    return [array.ctypes.data, *strides, *[0] * (2 - len(strides))]


def solve(a: Any, b: Any, x: Any = None, rcond: Any = None) -> tuple[int, Any]:
    x = np.empty_like(b) if x is None else x
    nrhs = 1 if b.ndim == 1 else b.shape[1]
    return solve_at(TYPES[a.dtype.str[1:]], len(a), nrhs, *at(a), *at(b), *at(x), rcond), x


def lengths(*numbers: int) -> Any:
    return (SIZE * max(len(numbers), 1))(*numbers)


def solve_stack(
    a: Any, b: Any, workers: int = 1, rconds: Any = None, going: Any = None
) -> tuple[int, Any, Findings]:
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    n, nrhs = b.shape[-2:]
    x, findings = np.empty((*batch, n, nrhs), a.dtype), Findings()
    strides = [
        lengths(
            *(step // a.itemsize for step in np.broadcast_to(m, (*batch, *m.shape[-2:])).strides)
        )
        for m in (a, b, x)
    ]
    answer = stack_at(
        TYPES[a.dtype.str[1:]], n, nrhs, len(batch), lengths(*batch),
        a.ctypes.data, strides[0], b.ctypes.data, strides[1], x.ctypes.data, strides[2],
        None if rconds is None else rconds.ctypes.data, ctypes.byref(findings),
        workers, going, None,
    )  # fmt: skip
    return answer, x, findings


def random(shape: Any, dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return np.asarray(values if dtype[0] == "c" else values.real).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, 16, 65, 130])
def test_one_system_has_the_bits_of_solve(n: int, dtype: str) -> None:
    a = random((n, n), dtype)
    for matrix in (
        a,
        np.asfortranarray(a),
        a[::-1],
        np.tril(a) + n * np.eye(n, dtype=dtype),
        np.diag(np.diag(a)) + 0,
    ):
        kept = matrix.copy()
        for b in (random(n, dtype), random((n, 3), dtype), random((2 * n, 6), dtype)[::2, ::2]):
            answer, x = solve(matrix, b)
            assert answer == OK
            assert np.array_equal(x, smartsolve.solve(matrix, b))
        assert np.array_equal(matrix, kept)


@pytest.mark.parametrize("dtype", TYPES)
def test_x_may_be_b_and_may_have_strides(dtype: str) -> None:
    a, b = random((5, 5), dtype), random((5, 2), dtype)
    expected = smartsolve.solve(a, b)
    for start in (b, b.T.copy().T):
        x = start.copy("K")
        assert solve(a, x, x)[0] == OK
        assert np.array_equal(x, expected)
    room = np.zeros((10, 4), dtype)
    assert solve(a, b, room[::2, ::2])[0] == OK
    assert np.array_equal(room[::2, ::2], expected)
    assert not room[1::2].any()
    assert not room[:, 1::2].any()


def test_status_and_condition() -> None:
    rcond = DOUBLE(-1)
    reference = ctypes.byref(rcond)
    answer, x = solve(np.zeros((3, 3)), np.ones((3, 2)), rcond=reference)
    assert (answer, rcond.value) == (SINGULAR, 0)
    assert np.isnan(x).all()
    hilbert = 1 / (np.arange(12)[:, None] + np.arange(12) + 1)
    answer, x = solve(hilbert, np.ones(12), rcond=reference)
    assert answer == ILL
    assert 1e-18 < rcond.value < 1e-15
    assert solve(hilbert, np.ones(12))[0] == ILL
    assert solve(np.diag([1.0, 4.0]), np.ones(2), rcond=reference)[0] == OK
    assert rcond.value == 0.25
    assert b"NaN" in message(SINGULAR)
    assert message(99) == b"no answer of smartsolve's"


def test_bad_arguments_are_answered() -> None:
    a, x = np.eye(2), np.ones(2)
    good = [1, 2, 1, *at(a), *at(x), *at(x), None]
    assert solve_at(*good) == OK
    for place, bad in ((0, 4), (0, -1), (1, -2), (2, -1), (1, 1 << 40), (3, None), (6, None)):
        assert solve_at(*good[:place], bad, *good[place + 1 :]) == INVALID
    factors = POINTER(1)
    assert factorize_at(1, 2, None, 2, 1, ctypes.byref(factors)) == INVALID
    assert factors.value is None
    assert factorize_at(1, 2, a.ctypes.data, 2, 1, None) == INVALID
    assert solve_factored_at(None, 0, 1, *at(x), *at(x)) == INVALID
    assert rcond_of(None) == INVALID
    assert structure_of(None) == b""
    free(None)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((50, 4, 4), (50, 4, 1)),
        ((50, 4, 4), (1, 4, 3)),
        ((1, 4, 4), (50, 4, 3)),
        ((3, 1, 20, 20), (1, 5, 20, 2)),
        ((4, 4), (4, 2)),
        ((0, 3, 3), (0, 3, 1)),
        ((3, 0, 0), (3, 0, 2)),
        ((70, 33, 33), (70, 33, 1)),
    ],
)
def test_a_stack_has_the_bits_of_solve(of_a: Any, of_b: Any, dtype: str) -> None:
    a, b = random(of_a, dtype), random(of_b, dtype, 1)
    for workers in (1, 3):
        answer, x, findings = solve_stack(a, b, workers)
        assert answer == OK
        assert np.array_equal(x, smartsolve.solve(a, b))
        assert (findings.singular, findings.first_singular, findings.worst_rcond) == (0, -1, 1)


def test_findings_and_conditions_of_a_stack() -> None:
    a = np.stack([np.eye(3)] * 200)
    a[7] = a[150] = 0
    a[9, 2, 2] = 1e-30
    rconds = np.zeros(200)
    answer, x, findings = solve_stack(a, np.ones((1, 3, 1)), rconds=rconds)
    assert answer == SINGULAR
    assert (findings.singular, findings.first_singular) == (2, 7)
    assert (findings.ill_conditioned, findings.first_ill_conditioned) == (1, 9)
    assert findings.worst_rcond == rconds[9] == 1e-30
    assert rconds[7] == rconds[150] == 0
    assert rconds[0] == 1
    assert np.isnan(x[[7, 150]]).all()
    assert np.isfinite(np.delete(x, [7, 150], 0)).all()


def test_a_stack_can_be_stopped() -> None:
    asked = []

    @ctypes.CFUNCTYPE(INT, POINTER)
    def going(context: Any) -> int:
        asked.append(context)
        return len(asked) < 3

    a = np.broadcast_to(np.eye(8), (100_000, 8, 8)).copy()
    answer, _, _ = solve_stack(a, np.ones((1, 8, 1)), going=ctypes.cast(going, POINTER))
    assert answer == STOPPED
    assert len(asked) == 3


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", "CF")
def test_factors_solve_with_every_meaning_and_outlive_the_matrix(dtype: str, order: Any) -> None:
    a = np.array(random((9, 9), dtype), order=order)
    b = random((9, 4), dtype)
    whole, factors = a.copy("K"), POINTER()
    assert factorize_at(TYPES[dtype], 9, *at(a), ctypes.byref(factors)) == OK
    a[:] = 0
    assert structure_of(factors) == b"general"
    expected = smartsolve.factorize(whole)
    assert rcond_of(factors) == expected.rcond
    meanings = {
        PLAIN: {},
        TRANSPOSED: {"transposed": True},
        ADJOINT: {"transposed": True, "conjugate": True},
        CONJUGATED: {"conjugate": True},
    }
    for meant, options in meanings.items():
        x = np.empty_like(b)
        assert solve_factored_at(factors, meant, 4, *at(b), *at(x)) == OK
        assert np.array_equal(x, expected.solve(b, **options))
    assert solve_factored_at(factors, 4, 4, *at(b), *at(b)) == INVALID
    free(factors)


def test_factors_of_a_singular_matrix_solve_nothing() -> None:
    a, x, factors = np.zeros((2, 2)), np.ones(2), POINTER()
    assert factorize_at(1, 2, *at(a), ctypes.byref(factors)) == SINGULAR
    assert rcond_of(factors) == 0
    assert solve_factored_at(factors, PLAIN, 1, *at(x), *at(x)) == SINGULAR
    assert np.isnan(x).all()
    free(factors)


def test_threads_share_factors() -> None:
    a, b = random((40, 40), "f8"), random((40, 8), "f8")
    factors, x = POINTER(), np.empty((8, 40))
    assert factorize_at(1, 40, *at(a), ctypes.byref(factors)) == OK

    def one(k: int) -> None:
        for _ in range(200):
            solve_factored_at(factors, PLAIN, 1, *at(b[:, k]), *at(x[k]))

    threads = [threading.Thread(target=one, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = smartsolve.factorize(a)
    for k in range(8):
        assert np.array_equal(x[k], expected.solve(b[:, k].copy()))
    free(factors)


def block(kind: str) -> str:
    """The docs' block of code that says it is tested."""
    found = re.search(rf"<!-- test: {kind} -->\n```\w+\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert found is not None
    return found[1]


def run(*command: Any, cwd: Path) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@needs_cc
@pytest.mark.parametrize(("compiler", "standard"), [("cc", "c99"), ("c++", "c++11")])
@pytest.mark.parametrize("python", [False, True])
def test_the_header_compiles_without_a_warning(
    compiler: str, standard: str, python: bool, tmp_path: Path
) -> None:
    suffix = ".c" if compiler == "cc" else ".cpp"
    source = tmp_path / f"only{suffix}"
    use = "const smartsolve_api* api(void);\n"
    if python:
        use += "const smartsolve_api* api(void) { return smartsolve_import(); }\n"
    source.write_text("#include <Python.h>\n" * python + "#include <smartsolve.h>\n" + use)
    places = ["-I", smartsolve.get_include(), "-isystem", sysconfig.get_path("include")]
    warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
    run(compiler, f"-std={standard}", *warnings, *places, "-c", source, cwd=tmp_path)


@needs_cc
def test_the_example_in_cython(tmp_path: Path) -> None:
    pytest.importorskip("Cython", reason="Cython is not installed")
    (tmp_path / "newton.pyx").write_text(block("cython"))
    run(sys.executable, "-m", "cython", "-3", "newton.pyx", cwd=tmp_path)
    places = [f"-I{smartsolve.get_include()}", f"-I{sysconfig.get_path('include')}"]
    module = "newton" + sysconfig.get_config_var("EXT_SUFFIX")
    run("cc", "-shared", "-fPIC", "-O1", *places, "newton.c", "-o", module, cwd=tmp_path)
    program = """
import newton
import numpy as np
points = np.array([[2.0, 0.5], [-2.0, -0.4], [0.6, 2.0], [0.0, 0.0]])
assert newton.newton(points, 20) == 1
assert np.allclose(points[:3, 0] ** 2 + points[:3, 1] ** 2, 4)
assert np.allclose(points[:3, 0] * points[:3, 1], 1)
"""
    run(sys.executable, "-c", program, cwd=tmp_path)


@needs_cc
def test_the_example_in_c_through_cffi(tmp_path: Path) -> None:
    pytest.importorskip("cffi", reason="cffi is not installed")
    pytest.importorskip("setuptools", reason="cffi compiles with setuptools")
    (tmp_path / "autoregressions.c").write_text(block("c"))
    shown = re.search(r"^```text\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    (tmp_path / "program.py").write_text(block("cffi"))
    assert run(sys.executable, "program.py", cwd=tmp_path) == shown[1]


def test_the_table_says_its_size_and_version() -> None:
    found = table()
    assert found.size == ctypes.sizeof(type(found))
    assert (found.major, found.minor) == (1, 0)
