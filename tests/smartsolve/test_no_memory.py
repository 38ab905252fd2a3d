"""No memory to be had, or no threads: an exception, or the work of one thread; never an abort."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from smartsolve import solve

LIMITED = """
import resource, sys
import numpy as np, smartsolve
n, workers, room = map(int, sys.argv[1:])
a = np.random.default_rng(1).standard_normal((64, n, n)) + 2 * np.sqrt(n) * np.eye(n)
b = np.ones((64, n, 1))
expected = smartsolve.solve(a, b)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
for _ in range(20):
    try:
        right = np.array_equal(smartsolve.solve(a, b, workers=workers), expected)
        assert right
    except MemoryError:
        pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux")
@pytest.mark.parametrize("room", [0, 1 << 16, 1 << 20, 9 << 20, 10 << 20, 80 << 20])
@pytest.mark.parametrize("n", [10, 100, 300])
def test_a_worker_without_memory_is_no_abort(n: int, room: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED, str(n), "2", str(room)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_a_million_workers_start_no_more_threads_than_pay() -> None:
    code = """
import os, threading, time
import numpy as np, smartsolve
a = np.random.default_rng(1).standard_normal((4000, 100, 100)) + 30 * np.eye(100)
before = len(os.listdir("/proc/self/task"))
most = 0
done = threading.Event()
def watch():
    global most
    while not done.is_set():
        most = max(most, len(os.listdir("/proc/self/task")))
        time.sleep(0.001)
watcher = threading.Thread(target=watch)
watcher.start()
smartsolve.solve(a, np.ones((100, 1)), workers=10**6)
done.set()
watcher.join()
assert most - before <= len(os.sched_getaffinity(0)) + 1, most
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_any_number_of_workers_gives_the_same_bits() -> None:
    a = np.random.default_rng(1).standard_normal((200, 30, 30)) + 10 * np.eye(30)
    b = np.ones((200, 30, 1))
    assert np.array_equal(solve(a, b, workers=10**6), solve(a, b))


LITTLE_STACK = """
import threading
import numpy as np
import smartsolve

def work():
    rng = np.random.default_rng(0)
    for n in (3, 33, 100, 200, 512):
        for dtype in ("float32", "float64", "complex64", "complex128"):
            a = rng.standard_normal((n, n)).astype(dtype) + n * np.eye(n, dtype=dtype)
            for matrix in (a, a @ a.conj().T, np.triu(a)):
                for nrhs in (1, 2, 9):
                    b = np.ones((n, nrhs), dtype)
                    smartsolve.solve(matrix, b)
                    factors = smartsolve.factorize(matrix)
                    factors.solve(b), factors.solve(b, transposed=True), factors.rcond

threading.stack_size(80 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("done")
"""


def test_threads_with_little_stack() -> None:
    # 128 KB are a thread's in musl, of which the interpreter and the caller take their part.
    done = subprocess.run(
        [sys.executable, "-P", "-c", LITTLE_STACK],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
