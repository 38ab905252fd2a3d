"""Arrays that speak the array API standard, or DLPack: they get their own kind back, uncopied."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from smartsolve import explain, factorize, inspect, mldivide, mrdivide, solve

from .calls import CALLS

A = np.array([[4.0, 1.0], [2.0, 5.0]])
B = np.array([1.0, 2.0])


def _strict() -> ModuleType:
    return pytest.importorskip("array_api_strict")


def _jax() -> ModuleType:
    pytest.importorskip("jax").config.update("jax_enable_x64", True)
    return pytest.importorskip("jax.numpy")


def _torch() -> ModuleType:
    return pytest.importorskip("torch")


LIBRARIES: dict[str, Callable[[], ModuleType]] = {
    "array_api_strict": _strict,
    "jax": _jax,
    "torch": _torch,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_an_array_gets_its_own_kind_back(library: str, call: str) -> None:
    xp = LIBRARIES[library]()
    a, b, expected = xp.asarray(A), xp.asarray(B), CALLS[call](A, B)
    for x in (CALLS[call](a, b), CALLS[call](A, b), CALLS[call](a, B)):
        assert type(x) is type(b)
        assert x.dtype == xp.float64
        np.testing.assert_array_equal(np.from_dlpack(x), expected)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128", "int64"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_types_and_stacks(library: str, dtype: str) -> None:
    xp = LIBRARIES[library]()
    a = (np.random.default_rng(0).random((7, 3, 3)) * 9).astype(dtype) + 30 * np.eye(3, dtype=dtype)
    b = np.ones((7, 3, 2), dtype)
    x = solve(xp.asarray(a), xp.asarray(b))
    expected = solve(a, b)
    assert x.dtype == getattr(xp, expected.dtype.name)
    np.testing.assert_array_equal(np.from_dlpack(x), expected)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_factors_answer(library: str) -> None:
    xp = LIBRARIES[library]()
    f = factorize(xp.asarray(A))
    assert type(f.inv()) is type(xp.asarray(A))
    assert f.det() == factorize(A).det()
    assert f.slogdet() == factorize(A).slogdet()
    assert inspect(xp.asarray(A)).kind == explain(xp.asarray(A)).structure == "general"


def test_nothing_is_copied() -> None:
    """The kernel reads the tensor's memory, and may write where that is permitted."""
    torch = _torch()
    b = torch.tensor(B)
    x = solve(torch.tensor(A), b, overwrite_b=True)
    assert x.data_ptr() == b.data_ptr()
    strided = torch.tensor(A).T
    np.testing.assert_array_equal(solve(strided, B).numpy(), solve(A.T, B))


def test_views_that_torch_has_not_computed_yet() -> None:
    torch = _torch()
    a, b = A + 1j * np.eye(2), B * 1j
    tensor = torch.tensor(a)
    np.testing.assert_array_equal(solve(tensor.conj(), b).numpy(), solve(a.conj(), b))
    np.testing.assert_array_equal(solve(tensor.mH, b).numpy(), solve(a.conj().T, b))
    negated = torch.tensor(b).conj().imag
    np.testing.assert_array_equal(solve(A, negated).numpy(), solve(A, -b.imag))


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("library", ["jax", "torch"])
def test_half_precision_if_asked(library: str, name: str) -> None:
    xp = LIBRARIES[library]()
    half = getattr(xp, name)
    a, b = xp.asarray(A, dtype=half), xp.asarray(B, dtype=half)
    with pytest.raises(TypeError, match=rf"a has dtype .*{name}.*dtype='{name}'.*rounds"):
        solve(a, b)
    for dtype in (name, half):
        f = factorize(a, dtype=dtype)
        assert f.inv().dtype == half
        assert str(f.dtype).endswith(name)
        for x in (
            solve(a, b, dtype=dtype),
            mldivide(a, b, dtype=dtype),
            f.solve(b),
            f.solve(B),
            mrdivide(b, factorize(a.T, dtype=dtype)),
        ):
            assert x.dtype == half
            single = solve(A.astype(np.float32), B.astype(np.float32))
            assert (
                abs(np.asarray(x, np.float64) - single).max() < 2.0**-8
                if library == "jax"
                else (abs(x.double().numpy() - single).max() < 2.0**-8)
            )


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_half_precision_keeps_bounds_and_refuses_imaginary_parts(library: str) -> None:
    xp = LIBRARIES[library]()
    a = np.array([[3.0, 1.0], [2.0, 7.0]]) / 3
    options = {"dtype": "bfloat16", "accuracy": "certified", "return_info": True}
    x, info = solve(xp.asarray(a), B, **options)
    assert x.dtype == xp.bfloat16
    error = abs(np.asarray(x.tolist()) - solve(a, B))
    assert (error <= info.error_bound * (1 + 1e-9)).all()
    assert (info.error_bound < 0.01).all()
    with pytest.raises(TypeError, match=r"a is complex; dtype='bfloat16' would lose"):
        solve(xp.asarray(A + 1j), xp.asarray(B), dtype="bfloat16")


def test_bfloat16_of_numpy() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = solve(A.astype(bfloat16), B.astype(bfloat16), dtype=bfloat16)
    assert x.dtype == bfloat16
    with pytest.raises(TypeError, match="'bfloat16', solves in float32"):
        solve(A.astype(bfloat16), B)


def test_libraries_do_not_meet() -> None:
    jnp, torch = _jax(), _torch()
    with pytest.raises(TypeError, match=r"a and b are of jax and torch; the solution could be"):
        solve(jnp.asarray(A), torch.tensor(B))


def test_a_tensor_that_requires_a_gradient_says_so() -> None:
    torch = _torch()
    with pytest.raises(TypeError, match=r"b is a torch\.Tensor whose numbers cannot be had"):
        solve(A, torch.tensor(B, requires_grad=True))


class OnDevice:
    """What CuPy's arrays show of themselves where no GPU is."""

    def __init__(self, device: int) -> None:
        self.device, self.dtype = device, np.dtype(float)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("not on the host")

    def __array_namespace__(self, **options: Any) -> Any:
        return np


@pytest.mark.parametrize(
    ("device", "name"), [(2, "a CUDA GPU"), (10, "a ROCm GPU"), (99, "type 99")]
)
@pytest.mark.parametrize("call", CALLS)
def test_arrays_of_a_gpu_are_refused(call: str, device: int, name: str) -> None:
    for operands in ((OnDevice(device), B), (A, OnDevice(device))):
        with pytest.raises(
            TypeError, match=rf"OnDevice on .*{name}; smartsolve computes on the CPU"
        ):
            CALLS[call](*operands)


class Exchanged:
    """An array that speaks DLPack and nothing else."""

    def __init__(self, x: np.ndarray) -> None:
        self.x, self.dtype = x, x.dtype

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.x.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        return self.x.__dlpack__(**options)

    def __array_namespace__(self, **options: Any) -> Any:
        return np


def test_dlpack_alone_is_enough() -> None:
    """np.asarray sees no shape in such an object."""
    np.testing.assert_array_equal(solve(Exchanged(A), Exchanged(B)), solve(A, B))


def test_a_tracer_says_so() -> None:
    jax, jnp = pytest.importorskip("jax"), _jax()
    for function in (solve, mldivide):
        with pytest.raises(TypeError, match=r"a is a .*Tracer whose .*smartsolve\.jax\.solve"):
            jax.jit(function)(jnp.asarray(A), jnp.asarray(B))


def test_the_solver_for_tensors_names_what_is_none() -> None:
    torch = _torch()
    from smartsolve.torch import solve as solve_tensors

    with pytest.raises(TypeError, match=r"a is a ndarray; expected a torch\.Tensor"):
        solve_tensors(A, torch.tensor(B))
    with pytest.raises(TypeError, match=r"b is a list; expected a torch\.Tensor"):
        solve_tensors(torch.tensor(A), [1.0, 2.0])
