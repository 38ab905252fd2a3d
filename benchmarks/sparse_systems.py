"""Sparse systems: smartsolve against every engine that is there, in time and in peak memory.

    python benchmarks/sparse_systems.py                       # all cases, about twenty minutes
    python benchmarks/sparse_systems.py --only 'Poisson'      # cases whose name the pattern finds
    python benchmarks/sparse_growth.py                        # time against n, 2-D and 3-D grids

Peers: SciPy's `spsolve` and the best of four `splu`, and what is installed of Octave's backslash,
CHOLMOD and UMFPACK (cvxopt), KLU (kvxopt), PARDISO (pypardiso) and rslab. Every run is a process of
its own, so that its peak of memory above what the matrix takes can be told; the peers take turns,
and what takes longer than the limit counts as such. Times are those of one call with one right-hand
side, factorization included, of a matrix that nobody has looked at: Octave remembers the type of
one that it has solved with. CSC, float64. Answers with a backward error above 1e-9 are no answers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from timing import Call, arguments, compare, machine, print_machine, write_json

ROOT = Path(__file__).resolve().parent.parent
WRONG = 1e-9


def load_generators() -> ModuleType:
    file = ROOT / "tests" / "smartsolve" / "sparse" / "generators.py"
    spec = importlib.util.spec_from_file_location("generators", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


g = load_generators()
DOUBLE = np.dtype(np.float64)


def rng() -> np.random.Generator:
    return np.random.default_rng(2026)


CASES: dict[str, Callable[[], Any]] = {
    "diagonal 1e7": lambda: g.diagonal(10_000_000, DOUBLE, rng()),
    "tridiagonal 1e6": lambda: g.tridiagonal(1_000_000, DOUBLE, rng()),
    "band 1e5 (10, 10)": lambda: g.band(100_000, DOUBLE, rng()),
    "the same, shuffled": lambda: g.permuted_band(100_000, DOUBLE, rng()),
    "lower triangular 1e5": lambda: g.lower_triangular(100_000, DOUBLE, rng()),
    "permuted triangular 1e5": lambda: g.permuted_triangular(100_000, DOUBLE, rng()),
    "block diagonal 1e5": lambda: g.block_diagonal(100_000, DOUBLE, rng()),
    "blocks, shuffled": lambda: g.permuted_block_diagonal(100_000, DOUBLE, rng()),
    "block triangular 1e5": lambda: g.block_triangular(100_000, DOUBLE, rng()),
    "circuit 5e4": lambda: g.circuit(50_000, DOUBLE, rng()),
    "2-D Poisson 300^2": lambda: g.grid(2, 300),
    "2-D Poisson 700^2": lambda: g.grid(2, 700),
    "3-D Poisson 30^3": lambda: g.grid(3, 30),
    "3-D Poisson 40^3": lambda: g.grid(3, 40),
    "2-D convection 300^2": lambda: g.grid(2, 300, convection=0.3),
    "saddle point 2e4": lambda: g.saddle_point(20_000, DOUBLE, rng()),
}
# What is wanted at least: times as fast as spsolve, and as the best peer.
TARGETS: dict[str, tuple[float, float]] = {
    "diagonal 1e7": (150, 1),
    "tridiagonal 1e6": (30, 1),
    "band 1e5 (10, 10)": (6, 1),
    "lower triangular 1e5": (10_000, 1),
    "permuted triangular 1e5": (500, 1),
    "block triangular 1e5": (100, 1),
    "circuit 5e4": (10, 0.7),
    "2-D Poisson 300^2": (2.5, 0.8),
    "2-D Poisson 700^2": (2.5, 0.8),
    "3-D Poisson 30^3": (8, 0.7),
    "3-D Poisson 40^3": (20, 0.7),
    "saddle point 2e4": (1.2, 0),
}


def growth_cases() -> dict[str, tuple[int, int, Callable[[], Any]]]:
    """Name to (dimensions, unknowns, matrix)."""
    sizes = {2: (50, 100, 200, 400, 700, 1000), 3: (10, 16, 25, 40, 63, 100)}
    return {
        f"{d}-D {k}": (d, k**d, lambda d=d, k=k: g.grid(d, k))
        for d, points in sizes.items()
        for k in points
    }


# --- the peers: each takes a matrix and a vector, in the child -----------------------------------


def smartsolve(a: Any, b: Any) -> Any:
    import smartsolve

    return lambda: smartsolve.solve(a, b)


def spsolve(a: Any, b: Any) -> Any:
    from scipy.sparse.linalg import spsolve

    return lambda: spsolve(a, b)


def splu(ordering: str, symmetric: bool) -> Callable[[Any, Any], Any]:
    def peer(a: Any, b: Any) -> Any:
        from scipy.sparse.linalg import splu

        options: dict[str, Any] = {"permc_spec": ordering}
        if symmetric:
            options |= {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        return lambda: splu(a, **options).solve(b)

    return peer


def engine(name: str) -> Callable[[Any, Any], Any]:
    """CHOLMOD, UMFPACK, KLU: as their wrappers are called by hand."""

    def peer(a: Any, b: Any) -> Any:
        package = "kvxopt" if name == "klu" else "cvxopt"
        module = importlib.import_module(f"{package}.{name}")
        matrix = importlib.import_module(package)
        c = a.tocoo()
        integers = [matrix.matrix(part.astype(np.int64)) for part in (c.row, c.col)]
        held = matrix.spmatrix(matrix.matrix(c.data), *integers, a.shape)

        def solve() -> Any:
            x = matrix.matrix(b)
            module.linsolve(held, x)
            return np.array(x).ravel()

        return solve

    return peer


def pardiso(a: Any, b: Any) -> Any:
    from pypardiso import PyPardisoSolver

    csr = a.tocsr()
    return lambda: PyPardisoSolver().solve(csr, b)


def rslab(a: Any, b: Any) -> Any:
    import rslab
    from scipy.sparse import csc_matrix

    held = csc_matrix(a)
    return lambda: rslab.spsolve(held, b)


PEERS: dict[str, Callable[[Any, Any], Any]] = {
    "smartsolve": smartsolve,
    "spsolve": spsolve,
    "splu COLAMD": splu("COLAMD", False),
    "splu MMD": splu("MMD_AT_PLUS_A", False),
    "splu symmetric": splu("MMD_AT_PLUS_A", True),
    "CHOLMOD": engine("cholmod"),
    "UMFPACK": engine("umfpack"),
    "KLU": engine("klu"),
    "PARDISO": pardiso,
    "rslab": rslab,
}
NEEDS = {"CHOLMOD": "cvxopt", "UMFPACK": "cvxopt", "KLU": "kvxopt", "PARDISO": "pypardiso"}
NEEDS |= {"rslab": "rslab"}


def installed(peer: str) -> bool:
    if peer == "Octave":
        return shutil.which("octave") is not None
    return peer not in NEEDS or importlib.util.find_spec(NEEDS[peer]) is not None


# --- one run, in a process of its own ------------------------------------------------------------


def memory(field: str) -> int:
    """Bytes: "VmRSS" now, "VmHWM" at most."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def forget_the_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def child(case: str, peer: str) -> dict[str, float]:
    make = CASES.get(case) or growth_cases()[case][2]
    a = make()
    b = np.ones(a.shape[0])
    solve = PEERS[peer](a, b)
    small = g.grid(2, 20)
    PEERS[peer](small, np.ones(400))()  # what it imports and starts is no part of the time
    forget_the_peak()
    before = memory("VmRSS")
    began = time.perf_counter()
    x = solve()
    seconds = time.perf_counter() - began
    peak = memory("VmHWM") - before
    if seconds < 0.5:
        times = [seconds]
        for _ in range(4):
            began = time.perf_counter()
            solve()
            times.append(time.perf_counter() - began)
        seconds = statistics.median(times)
    norm = abs(a).sum(axis=1).max()
    with np.errstate(all="ignore"):
        scale = norm * np.abs(x).max() + 1
        error = float(np.abs(a @ x - b).max() / scale)
    return {"seconds": seconds, "peak": peak, "error": error}


OCTAVE = """
load("{file}"); b = ones(rows(A), 1); I = speye(20) \\ ones(20, 1);
x = A \\ b; t = []; for i = 1:{times}, B = A * 1; tic; x = B \\ b; t(end+1) = toc; end
r = norm(b - A * x, inf) / (norm(A, inf) * norm(x, inf) + 1);
printf("{{\\"seconds\\": %.9g, \\"peak\\": NaN, \\"error\\": %.9g}}\\n", median(t), r);
"""


def octave(case: str, limit: float) -> dict[str, float] | None:
    from scipy.io import savemat

    make = CASES.get(case) or growth_cases()[case][2]
    with tempfile.TemporaryDirectory() as directory:
        file = f"{directory}/a.mat"
        savemat(file, {"A": make()})
        script = OCTAVE.format(file=file, times=1)
        return parsed(["octave", "--no-gui", "-q", "--norc", "--eval", script], 2 * limit + 30)


def parsed(command: list[str], limit: float) -> dict[str, float] | None:
    """What a run prints last; None if it takes too long or ends otherwise."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"seconds": np.inf, "peak": np.nan, "error": 0.0}
    lines = run.stdout.strip().splitlines()
    try:
        found: dict[str, float] = json.loads(lines[-1])
    except (IndexError, ValueError):
        return None
    return found


def run(case: str, peer: str, limit: float) -> dict[str, float] | None:
    if peer == "Octave":
        return octave(case, limit)
    command = [sys.executable, __file__, "--child", case, peer]
    return parsed(command, limit + 30)


# --- tables --------------------------------------------------------------------------------------


def measured(case: str, peers: list[str], rounds: int, limit: float) -> dict[str, dict[str, float]]:
    """Medians over the rounds, the peers in turn; who was too slow is not asked again."""
    runs: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            last = runs[peer][-1] if runs[peer] else None
            if last is not None and not last["seconds"] < limit:
                continue
            found = run(case, peer, limit)
            if found is not None and found["error"] <= WRONG:
                runs[peer].append(found)
    return {
        peer: {key: statistics.median(r[key] for r in found) for key in ("seconds", "peak")}
        for peer, found in runs.items()
        if found
    }


def text(value: float) -> str:
    if value == np.inf:
        return "too long"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def report(case: str, found: dict[str, dict[str, float]], limit: float) -> str:
    ours = found.get("smartsolve")
    if ours is None:
        return f"{case}: no answer"
    cells = []
    for peer, figures in found.items():
        seconds = min(figures["seconds"], np.inf)
        peak = "" if np.isnan(figures["peak"]) else f", {figures['peak'] / 1e6:,.0f} MB"
        cells.append(f"{peer} {text(seconds) if seconds < limit else f'> {limit:.0f}'} s{peak}")
    others = {peer: f["seconds"] for peer, f in found.items() if peer != "smartsolve"}
    ratios = []
    if "spsolve" in others:
        scipys = min(others["spsolve"], limit)
        ratios.append(f"{scipys / ours['seconds']:.3g} times spsolve")
    if others:
        best = min(others, key=others.__getitem__)
        ratios.append(f"{others[best] / ours['seconds']:.2g} times {best}")
    line = ", ".join(ratios)
    if case in TARGETS and ratios:
        line += f" (wanted at least: {TARGETS[case][0]:g}, {TARGETS[case][1]:g})"
    return f"{case}: {line}\n    " + "\n    ".join(cells)


def tiny() -> None:
    """A system of three unknowns, where the call is all there is."""
    a, b = g.scattered(3, DOUBLE, rng()), np.ones(3)
    names: dict[str, Any] = {"a": a, "b": b}
    from scipy.sparse.linalg import spsolve

    import smartsolve

    calls = {
        "spsolve": Call("f(a, b)", names | {"f": spsolve}),
        "smartsolve": Call("f(a, b)", names | {"f": smartsolve.solve}),
    }
    timings = compare(calls)
    ours, theirs = (timings.time(peer).median * 1e6 for peer in ("smartsolve", "spsolve"))
    print(f"3 x 3: {ours:.3g} us, spsolve {theirs:.3g} us (wanted: at most 5)")


def crossover() -> None:
    """Where filling up ends to pay: the dense product against SuperLU, grids and scattered."""
    from scipy.sparse.linalg import spsolve

    import smartsolve

    for n in (50, 100, 200, 300, 350, 400, 500, 700):
        cells = []
        for name in ("positive definite", "general", "circuit"):
            a = g.STRUCTURES[name](n, DOUBLE, rng())
            names = {"a": a, "b": np.ones(a.shape[0])}
            dense = "f(a.toarray(order='F'), b)"
            timings = compare(
                {
                    "spsolve": Call("f(a, b)", names | {"f": spsolve}),
                    "smartsolve": Call(dense, names | {"f": smartsolve.solve}),
                }
            )
            cells.append(f"{name} {timings.ratio('spsolve').median:.2f}")
        print(f"n = {n}: dense is as many times as fast as spsolve: {', '.join(cells)}")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="")
    parser.add_argument("--peers", metavar="PATTERN", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=40.0, help="seconds of one call")
    parser.add_argument("--crossover", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("CASE", "PEER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child)))
        return
    facts = machine(options)
    print_machine(facts)
    peers = [p for p in [*PEERS, "Octave"] if installed(p) and re.search(options.peers, p)]
    print("peers:", ", ".join(peers), "\n")
    content: dict[str, Any] = {}
    if options.crossover:
        crossover()
    else:
        if not options.only:
            tiny()
        for case in (case for case in CASES if re.search(options.only, case)):
            content[case] = measured(case, peers, options.rounds, options.limit)
            print(report(case, content[case], options.limit), flush=True)
    write_json(options.json, facts, **content)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
