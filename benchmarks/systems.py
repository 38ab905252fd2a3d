"""The systems that are timed, made by the tests' generators, and the solvers that are compared."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg
from timing import Call

import smartsolve

Array = npt.NDArray[Any]
ROOT = Path(__file__).resolve().parent.parent


def load_generators() -> ModuleType:
    file = ROOT / "tests" / "smartsolve" / "matrices.py"
    spec = importlib.util.spec_from_file_location("matrices", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["matrices"] = module
    spec.loader.exec_module(module)
    return module


matrices = load_generators()


def system(kind: str, n: int, dtype: str, order: str, nrhs: int, seed: int) -> tuple[Array, Array]:
    """A matrix of a kind and right-hand sides in its order; nrhs = 1 is a vector."""
    rng = np.random.default_rng([seed, n, nrhs])
    a = matrices.random_matrix(kind, n, dtype, order, rng)
    b = matrices.random_rhs(n if nrhs == 1 else (n, nrhs), dtype, rng)
    return a, matrices.arranged(b, order)


def stack(kind: str, count: int, n: int, dtype: str, nrhs: int, seed: int) -> tuple[Array, Array]:
    """Systems in a random order, from some hundred different ones: too many to be learnt by a
    branch predictor, and quickly made."""
    rng = np.random.default_rng([seed, n, count])
    different = matrices.random_stack(kind, min(count, 500), n, dtype, rng)
    a = different[rng.integers(len(different), size=count)]
    return a, matrices.random_rhs((count, n, nrhs), dtype, rng)


def solvers(a: Array, b: Array) -> dict[str, Call]:
    """The three peers, each as it is called without further knowledge."""
    functions = {
        "numpy": np.linalg.solve,
        "scipy": scipy.linalg.solve,
        "smartsolve": smartsolve.solve,
    }
    return {
        peer: Call("solve(a, b)", {"solve": solve, "a": a, "b": b})
        for peer, solve in functions.items()
    }


def jax_solver(a: Array, b: Array) -> dict[str, Call]:
    """JAX, where it is installed, at its best: compiled for this shape, and its arrays made."""
    jax = load_jax()
    if jax is None:
        return {}
    names = {"solve": jitted_solve(), "a": jax.numpy.asarray(a), "b": jax.numpy.asarray(b)}
    call = Call("solve(a, b).block_until_ready()", names)
    call.timer().timeit(1)
    return {"jax": call}


@functools.cache
def load_jax() -> Any:
    """The module, on the CPU and in double precision, or None."""
    try:
        jax: Any = importlib.import_module("jax")
    except ImportError:
        return None
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax


@functools.cache
def jitted_solve() -> Any:
    return load_jax().jit(load_jax().numpy.linalg.solve)


def method(a: Array, b: Array) -> str:
    """What smartsolve did, after a check that the answer is NumPy's up to rounding."""
    x, info = smartsolve.solve(a, b, return_info=True)
    expected = np.linalg.solve(a, b)
    error = np.linalg.norm(x - expected) / np.linalg.norm(expected)
    tolerance = 8 * matrices.CONDITION * a.shape[-1] * np.finfo(x.dtype).eps
    if not error <= tolerance:
        raise AssertionError(f"smartsolve and NumPy differ by {error:.3g}, above {tolerance:.3g}")
    return ", ".join(np.unique(info.method).tolist())
