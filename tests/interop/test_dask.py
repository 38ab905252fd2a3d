"""Dask arrays: solved block by block, when they are computed, on a cluster that loses a worker."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartsolve import errstate, factorize, inspect, mldivide, mrdivide, solve

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")

RNG = np.random.default_rng(0)
STACK = RNG.random((100, 4, 4)) + 4 * np.eye(4)
RHS = RNG.random((100, 4, 3))
VECTOR = RNG.random(4)


def lazy(x: np.ndarray, *chunks: int) -> Any:
    return da.from_array(x, chunks=chunks)


# Operands of which at least one is dask's, with chunks that meet and that do not.
PAIRS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "both": lambda: (lazy(STACK, 30, 4, 4), lazy(RHS, 25, 4, 2)),
    "a": lambda: (lazy(STACK, 30, 4, 4), RHS),
    "b": lambda: (STACK, lazy(RHS, 25, 4, 3)),
    "a and a vector": lambda: (lazy(STACK, 30, 4, 4), VECTOR),
    "a stack and b a vector": lambda: (STACK, lazy(VECTOR, 4)),
    "one matrix": lambda: (STACK[0], lazy(RHS, 25, 4, 3)),
    "one matrix of dask": lambda: (lazy(STACK[0], 4, 4), lazy(VECTOR, 4)),
    "broadcast": lambda: (lazy(STACK[:1], 1, 4, 4), lazy(RHS, 25, 4, 3)),
    "two axes": lambda: (lazy(STACK.reshape(10, 10, 4, 4), 3, 10, 4, 4), lazy(RHS[:10], 4, 4, 3)),
}


def swapped(b: Any) -> Any:
    return b if b.ndim < 2 else np.swapaxes(b, -1, -2)


@pytest.mark.parametrize("pair", PAIRS)
def test_blocks_have_the_bits_of_the_stack(pair: str) -> None:
    a, b = PAIRS[pair]()
    all_a, all_b = (np.asarray(x) for x in (a, b))
    for options in ({}, {"transposed": True}, {"dtype": "float32"}, {"assume_a": "general"}):
        x, expected = solve(a, b, **options), solve(all_a, all_b, **options)
        assert isinstance(x, da.Array)
        assert (x.shape, x.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(x.compute(), expected)


@pytest.mark.parametrize("pair", PAIRS)
def test_backslash_slash_and_factors(pair: str) -> None:
    a, b = PAIRS[pair]()
    all_a, all_b = (np.asarray(x) for x in (a, b))
    f, all_f = factorize(a), factorize(all_a)
    for x, expected in [
        (mldivide(a, b), mldivide(all_a, all_b)),
        (mldivide(a, b, minimum_norm=True), mldivide(all_a, all_b, minimum_norm=True)),
        (mrdivide(swapped(b), a), mrdivide(swapped(all_b), all_a)),
        (f.solve(b), all_f.solve(all_b)),
        (f.solve(b, transposed=True), all_f.solve(all_b, transposed=True)),
        (solve(f, b), all_f.solve(all_b)),
        (mldivide(f, b), all_f.solve(all_b)),
    ]:
        assert isinstance(x, da.Array)
        assert (x.shape, x.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(x.compute(), expected, rtol=1e-13, atol=1e-15)


def test_least_squares_of_tall_stacks() -> None:
    tall, rhs = RNG.random((100, 6, 4)), RNG.random((100, 6, 2))
    x = mldivide(lazy(tall, 30, 6, 4), lazy(rhs, 30, 6, 2))
    assert x.shape == (100, 4, 2)
    np.testing.assert_allclose(x.compute(), mldivide(tall, rhs), rtol=1e-11)


def test_what_factors_of_blocks_answer() -> None:
    f, expected = factorize(lazy(STACK, 30, 4, 4)), factorize(STACK)
    np.testing.assert_array_equal(f.det().compute(), expected.det())
    for part, other in zip(f.slogdet(), expected.slogdet(), strict=True):
        np.testing.assert_array_equal(part.compute(), other)
    np.testing.assert_array_equal(f.rcond.compute(), expected.rcond)
    np.testing.assert_allclose(f.inv().compute(), expected.inv(), rtol=1e-13)
    kept = f.persist()
    np.testing.assert_allclose(kept.solve(RHS).compute(), expected.solve(RHS), rtol=1e-13)
    assert (f.shape, f.dtype) == ((100, 4, 4), np.float64)
    assert repr(f) == "DaskFactorization(100 x 4 x 4 float64)"


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    def never(block: np.ndarray) -> np.ndarray:
        raise AssertionError

    a = lazy(STACK, 30, 4, 4).map_blocks(never, dtype=float, meta=np.empty((0, 0, 0)))
    for x in (solve(a, RHS), mldivide(a, RHS), factorize(a).solve(RHS)):
        with pytest.raises(AssertionError):
            x.compute()


def test_a_block_is_a_task_and_no_more_than_its_operands() -> None:
    x = solve(lazy(STACK, 25, 4, 4), lazy(RHS, 25, 4, 3))
    graph = dask.optimize(x)[0].__dask_graph__()
    assert len(x.chunks[0]) == 4
    assert len(graph) <= 3 * 4


def test_matrices_in_several_blocks_are_refused_with_what_to_do() -> None:
    for a, words in [
        (lazy(STACK, 50, 2, 4), r"a\.rechunk\(\{-2: -1\}\)"),
        (lazy(STACK, 50, 4, 2), r"a\.rechunk\(\{-1: -1\}\)"),
        (lazy(STACK, 50, 2, 2), r"a\.rechunk\(\{-2: -1, -1: -1\}\)"),
    ]:
        for call in (solve, mldivide):
            with pytest.raises(ValueError, match=words):
                call(a, RHS)
        with pytest.raises(ValueError, match=words):
            factorize(a)
    with pytest.raises(ValueError, match=r"b\.rechunk\(\{-2: -1\}\)"):
        solve(STACK, lazy(RHS, 100, 2, 3))


def test_shapes_types_and_options_are_refused_at_once() -> None:
    a = lazy(STACK, 30, 4, 4)
    with pytest.raises(ValueError, match=r"b has shape \(5,\)"):
        solve(a, np.ones(5))
    with pytest.raises(np.linalg.LinAlgError, match="expected \\(n, n\\)"):
        solve(a[:, :3], VECTOR)
    with pytest.raises(TypeError, match="expected float32"):
        solve(a.astype("float16"), VECTOR)
    with pytest.raises(TypeError, match="return_info is not for dask arrays"):
        solve(a, VECTOR, return_info=True)
    with pytest.raises(TypeError, match="is for labelled operands"):
        solve(a, VECTOR, align="labels")
    assert inspect(a[0]).kind == "general"


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64"])
def test_factors_say_what_type_their_solutions_will_have(dtype: str) -> None:
    b = np.ones((100, 4, 2), np.float64)
    half = STACK.astype(np.float16)
    expected = factorize(half, dtype=dtype).solve(b)
    for factors in (
        factorize(lazy(half, 25, 4, 4), dtype=dtype),
        factorize(half, dtype=dtype),
    ):
        x = factors.solve(lazy(b, 25, 4, 2))
        assert x.dtype == x.compute().dtype == np.dtype(dtype)
        np.testing.assert_allclose(x.compute(), expected, rtol=1e-3)
    lazily = factorize(lazy(half, 25, 4, 4), dtype=dtype)
    for x in (lazily.det(), lazily.inv(), factorize(half[0], dtype=dtype).solve(lazy(b, 25, 4, 2))):
        assert x.dtype == x.compute().dtype
    if dtype != "float16":  # and so without the option
        x = factorize(lazy(STACK.astype(dtype), 25, 4, 4)).solve(lazy(b, 25, 4, 2))
        assert x.dtype == x.compute().dtype == np.dtype(dtype)


def test_the_policy_is_that_of_the_call() -> None:
    stack = STACK.copy()
    stack[77] = 1.0
    a = lazy(stack, 30, 4, 4)
    with errstate(singular="nan"):
        x = solve(a, VECTOR)
    np.testing.assert_array_equal(np.isnan(x.compute()).any(axis=1).nonzero()[0], [77])
    np.testing.assert_array_equal(
        np.isnan(solve(a, VECTOR, on_singular="nan").compute()).any(axis=1).nonzero()[0], [77]
    )
    with pytest.raises(np.linalg.LinAlgError, match="slice 17 of 30") as raised:
        solve(a, VECTOR).compute()
    assert raised.value.__notes__ == ["in block (2,) of the stack's axes, counted there"]


def test_a_cluster_that_loses_a_worker() -> None:
    distributed = pytest.importorskip("distributed")

    def slowly(block: np.ndarray) -> np.ndarray:  # in here, lest the workers import this file
        time.sleep(0.2)
        return block

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 10}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=100
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        a = lazy(STACK, 5, 4, 4).map_blocks(slowly, dtype=float, meta=np.empty((0, 0, 0)))
        future = client.compute(solve(a, lazy(RHS, 5, 4, 3)))
        time.sleep(0.7)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        np.testing.assert_array_equal(future.result(timeout=120), solve(STACK, RHS))
        factors = factorize(lazy(STACK, 25, 4, 4)).persist()
        np.testing.assert_allclose(
            factors.solve(RHS).compute(), factorize(STACK).solve(RHS), rtol=1e-12
        )
