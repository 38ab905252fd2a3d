"""Eight threads at once, on one set of factors and on one stack: the same bits as alone.

`tests/sanitize.sh thread` runs these under the thread sanitizer.
"""

import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gmm
import smartsolve

from . import matrices

THREADS = 8


def together(work):
    """What work(i) gives in each thread; none begins before all are there."""
    ready = threading.Barrier(THREADS)

    def begin(i):
        ready.wait()
        return work(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


@pytest.mark.parametrize("n", [3, 20, 120, 300])
@pytest.mark.parametrize("kind", ["general", "positive definite", "tridiagonal", "sparse"])
@pytest.mark.parametrize("dtype", [np.float64, np.complex64])
def test_threads_share_factors(kind, n, dtype):
    rng = np.random.default_rng(8)
    a = matrices.random_matrix(kind, n, dtype, "C", rng)
    b = matrices.random_rhs((THREADS, n, 2), dtype, rng)

    def ask(factors, i):
        x = [factors.solve(b[i]), factors.solve(b[i, :, 0]), factors.solve(b[i], transposed=True)]
        return [*x, factors.rcond, *factors.slogdet(), factors.inv()]

    alone = [ask(smartsolve.factorize(a), i) for i in range(THREADS)]
    shared = smartsolve.factorize(a)
    for expected, found in zip(alone, together(lambda i: ask(shared, i)), strict=True):
        for x, y in zip(expected, found, strict=True):
            assert np.array_equal(x, y)


@pytest.mark.parametrize(("count", "n"), [(3000, 2), (500, 9), (40, 50)])
@pytest.mark.parametrize("workers", [1, 2])
def test_threads_share_a_stack(count, n, workers):
    rng = np.random.default_rng(9)
    a = matrices.random_stack("general", count, n, np.float64, rng)
    b = matrices.random_rhs((count, n, 1), np.float64, rng)
    a[count // 2, 1] = 0

    def solve(_):
        return smartsolve.solve(a, b, on_singular="nan", workers=workers, return_info=True)

    expected, info = solve(0)
    for x, others in together(solve):
        assert np.array_equal(x, expected, equal_nan=True)
        assert np.array_equal(info.rcond, others.rcond, equal_nan=True)


def test_threads_share_factors_of_a_stack():
    rng = np.random.default_rng(10)
    a = matrices.random_stack("positive definite", 200, 6, np.float64, rng)
    b = matrices.random_rhs((THREADS, 200, 6, 1), np.float64, rng)
    shared = smartsolve.factorize(a)
    for i, x in enumerate(together(lambda i: shared.solve(b[i]))):
        assert np.array_equal(x, smartsolve.factorize(a).solve(b[i]))


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter always has its lock"
)
def test_the_modules_leave_the_lock_off():
    assert gmm.__version__ == smartsolve.__version__  # both are loaded
    assert not sys._is_gil_enabled()
