"""Memory that is not to be had, threads that do not start, signals, forks, subinterpreters.

Each in a process of its own, which must end by itself: with right answers, or with the error that
Python has for it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what Linux offers")

# Systems that take every road through the native memory: single, stacked, structured, sparse.
SYSTEMS = """\
import numpy as np, pathlib, smartsolve, sys, tempfile, warnings
from smartsolve._files import FileError, read
warnings.simplefilter("ignore")
rng = np.random.default_rng(1)
def healthy(*shape):
    return rng.standard_normal(shape) + 4 * shape[-1] ** 0.5 * np.eye(shape[-1])
def symmetric(n):
    a = healthy(n, n)
    return a + a.T - 8 * n ** 0.5 * np.diag(np.arange(n) % 2)
a = healthy(150, 150)
pattern = healthy(200, 200) * (rng.random((200, 200)) < 0.01) + 9 * np.eye(200)
shuffle = rng.permutation(200)
band = np.triu(np.tril(healthy(300, 300), 3), -3)
CALLS = {
    "small": lambda: smartsolve.solve(a[:9, :9], np.ones(9)),
    "general": lambda: smartsolve.solve(a, np.ones((150, 3))),
    "large": lambda: smartsolve.solve(np.asfortranarray(np.tile(a, (4, 4)) + 99 * np.eye(600)),
                                      np.ones(600)),
    "definite": lambda: smartsolve.solve(a @ a.T, np.ones(150)),
    "indefinite": lambda: smartsolve.solve(symmetric_one, np.ones(150)),
    "band": lambda: smartsolve.solve(band, np.ones(300)),
    "shuffled band": lambda: smartsolve.solve(band[shuffled][:, shuffled], np.ones(300)),
    "sparse": lambda: smartsolve.solve(pattern[shuffle][:, shuffle], np.ones(200)),
    "triangle": lambda: smartsolve.solve(np.tril(a)[shuffle[shuffle < 150]], np.ones(150)),
    "stack": lambda: smartsolve.solve(stack, np.ones(5)),
    "stack of many": lambda: smartsolve.solve(stack, np.ones(5), workers=3),
    "stack of large": lambda: smartsolve.solve(large, np.ones(40), workers=2, return_info=True)[0],
    "mixed": lambda: smartsolve.solve(a, np.ones(150), precision="mixed"),
    "kept": lambda: smartsolve.factorize(a).solve(np.ones(150)),
    "kept stack": lambda: smartsolve.factorize(large).det(),
    "least squares": lambda: smartsolve.mldivide(a[:, :40], np.ones(150), minimum_norm=True),
    "wide": lambda: smartsolve.mldivide(a[:40], np.ones((40, 2))),
    "structure": lambda: np.asarray(smartsolve.inspect(pattern).lower_bandwidth),
    "wrong option": lambda: refusal(lambda: smartsolve.solve(a, a, assume_a="nonsense")),
    "file": lambda: np.asarray(read(path)),
}
def refusal(call):
    try:
        call()
    except ValueError as error:
        return np.array(str(error))
path = pathlib.Path(tempfile.mkdtemp()) / "a.mtx"
path.write_text("%%MatrixMarket matrix array real general\\n1 1\\n" + 40 * "1" + "D-02")
shuffled = rng.permutation(300)
symmetric_one, stack, large = symmetric(150), healthy(400, 5, 5), healthy(30, 40, 40)
EXPECTED = {name: call() for name, call in CALLS.items()}
def check(name, x):
    assert np.array_equal(x, EXPECTED[name]), name
"""


def run(script: str, **environment: str) -> str:
    """What a process prints that must end well."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", SYSTEMS + script],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def failing_memory(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    library = tmp_path_factory.mktemp("preloaded") / "failing_memory.so"
    source = Path(__file__).with_name("failing_memory.cpp")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-w", "-O1", "-o", str(library), str(source), "-ldl"],
        check=True,
    )
    return str(library)


def test_every_request_for_memory_refused_once(failing_memory: str) -> None:
    """A MemoryError, or an answer without it; and the next call is as if nothing had been."""
    out = run(
        """
import ctypes, os
memory = ctypes.CDLL(os.environ["LD_PRELOAD"])
memory.fail_at.restype = memory.fail_at.argtypes = None
memory.fail_at.argtypes, memory.fail_at.restype = [ctypes.c_long], ctypes.c_long
total = refused = 0
for name, call in CALLS.items():
    memory.fail_at(-1)
    call()
    count = memory.fail_at(-1)
    for n in range(count + 1):
        memory.fail_at(n)
        try:
            x = call()
        except (MemoryError, FileError):
            refused += 1
        else:
            check(name, x)
        memory.fail_at(-1)
        total += 1
    check(name, call())
print(total, refused)
""",
        LD_PRELOAD=failing_memory,
    )
    total, refused = map(int, out.split())
    assert total > 30
    assert refused > 10


def test_no_threads_to_be_had(failing_memory: str) -> None:
    """The caller does the work alone."""
    run(
        """
import ctypes, os
threads = ctypes.CDLL(os.environ["LD_PRELOAD"])
threads.refuse_threads(1)
for name in ("stack of many", "stack of large"):
    check(name, CALLS[name]())
for workers in (2, 7, 10**6, -1):
    check("stack of many", smartsolve.solve(stack, np.ones(5), workers=workers))
""",
        LD_PRELOAD=failing_memory,
    )


def test_a_limit_of_the_address_space() -> None:
    """From none left to enough for all: right, or MemoryError."""
    out = run(
        """
import resource
def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
refused = 0
for name in ("general", "definite", "stack", "mixed", "kept", "least squares", "structure"):
    for room in (1 << 12, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24):
        resource.setrlimit(resource.RLIMIT_AS, (used() + room, hard))
        try:
            x = CALLS[name]()
        except MemoryError:
            refused += 1
        else:
            check(name, x)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
big = np.ones(1)
resource.setrlimit(resource.RLIMIT_AS, (used() + (1 << 20), hard))
for call in (lambda: smartsolve.solve(np.broadcast_to(a, (300, 150, 150)), np.ones(150)),
             lambda: smartsolve.factorize(np.broadcast_to(a, (300, 150, 150)))):
    try:
        call()
    except MemoryError:
        refused += 1
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
for name, call in CALLS.items():
    check(name, call())
print(refused)
"""
    )
    assert int(out) >= 1


def test_signals_at_any_moment() -> None:
    """A handler that raises ends the call; what comes back came back whole."""
    out = run(
        """
import signal, time
class Alarm(Exception):
    pass
def ring(*_):
    raise Alarm
signal.signal(signal.SIGALRM, ring)
long = np.broadcast_to(stack, (100, *stack.shape))
expected = smartsolve.solve(long, np.ones(5))
ended = whole = 0
until = time.monotonic() + 4
while time.monotonic() < until:
    for workers in (1, 2):
        try:
            signal.setitimer(signal.ITIMER_REAL, 10 ** rng.uniform(-5, -2))
            x = smartsolve.solve(long, np.ones(5), workers=workers)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Alarm:
            ended += 1
        else:
            whole += 1
            assert np.array_equal(x, expected)
signal.setitimer(signal.ITIMER_REAL, 0)
for name, call in CALLS.items():
    check(name, call())
print(ended, whole)
"""
    )
    ended, _ = map(int, out.split())
    assert ended > 0


def test_a_fork_in_the_middle() -> None:
    """Children of a process whose threads are solving solve as well."""
    run(
        """
import os, threading, warnings
stop = False
def work():
    while not stop:
        for name in ("small", "stack of many", "kept", "general"):
            check(name, CALLS[name]())
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(25):
    child = os.fork()
    if child == 0:
        for name in ("small", "stack", "stack of many", "kept", "definite", "sparse"):
            check(name, CALLS[name]())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop = True
for thread in threads:
    thread.join()
"""
    )


def test_a_subinterpreter_is_refused_or_right() -> None:
    """NumPy 2 itself may refuse to be imported there."""
    out = run(
        """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
try:
    import smartsolve
except ImportError as error:
    print("refused", flush=True)
else:
    import numpy as np
    x = smartsolve.solve(np.diag([2.0, 4.0]), np.ones(2))
    assert x.tolist() == [0.5, 0.25]
    print("right", flush=True)
'''
try:
    made = interpreters.create(isolated=False)
except TypeError:
    made = interpreters.create("legacy")
interpreters.run_string(made, code)
check("general", CALLS["general"]())
"""
    )
    assert out.split() in (["refused"], ["right"])
