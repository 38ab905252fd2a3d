"""The benchmarks' peers: not forced by the environment, and not measured below their best."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smartsolve import _core

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
SETS = tuple(_core.instruction_sets())
# Kernels that every OpenBLAS with a choice has, below the instruction set of this processor.
LOWER = {"avx512": "Haswell", "avx2": "Nehalem"}.get(SETS[-1])

sys.path.append(str(BENCHMARKS))
from peers import Blas, forced, held_back, lower_than  # noqa: E402

sys.path.remove(str(BENCHMARKS))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BENCHMARKS,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def test_what_forces_a_peer_is_found_and_nothing_else():
    forcing = {
        "OPENBLAS_CORETYPE": "Haswell",
        "OPENBLAS_L2_SIZE": "262144",
        "OPENBLAS_NUM_THREADS": "1",
        "GOTO_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "BLIS_NUM_THREADS": "1",
        "BLIS_ARCH_TYPE": "haswell",
        "VECLIB_MAXIMUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F",
    }
    harmless = {"PATH": "/usr/bin", "HOME": "/", "SMARTSOLVE_ISA": "avx2", "COMPILER": "c++"}
    assert forced(forcing | harmless) == forcing


@pytest.mark.parametrize(
    ("kernels", "sets", "lower"),
    [
        ("Haswell", ("baseline", "avx2", "avx512"), "avx2"),
        ("Zen", ("baseline", "avx2", "avx512"), "avx2"),
        ("Nehalem", ("baseline", "avx2", "avx512"), "baseline"),
        ("Sandybridge", ("baseline", "avx2"), "baseline"),
        ("SkylakeX", ("baseline", "avx2", "avx512"), ""),
        ("Cooperlake", ("baseline", "avx2", "avx512"), ""),
        ("SapphireRapids", ("baseline", "avx2", "avx512"), ""),
        ("a processor of tomorrow", ("baseline", "avx2", "avx512"), ""),
        ("Zen", ("baseline", "avx2"), ""),
        ("Prescott", ("baseline",), ""),
        ("neoversen1", ("baseline",), ""),
        ("", ("baseline", "avx2", "avx512"), ""),
    ],
)
def test_kernels_are_compared_with_the_processor(kernels, sets, lower):
    library = Blas("openblas", "0.3.30", kernels, 2)
    assert lower_than(library, sets) == lower
    assert bool(held_back({"NumPy": library}, sets)) == bool(lower)


@pytest.mark.skipif(LOWER is None, reason="this processor has nothing beyond its baseline")
def test_lower_kernels_are_refused_or_named():
    ask = "import peers; print(peers.peers({}))"
    refused = run("-c", ask.format(False), OPENBLAS_CORETYPE=LOWER)
    assert refused.returncode != 0
    assert f"NumPy runs {LOWER} kernels" in refused.stderr
    assert f"SciPy runs {LOWER} kernels" in refused.stderr
    assert "--lower-kernels" in refused.stderr
    named = run("-c", ask.format(True), OPENBLAS_CORETYPE=LOWER)
    assert "'not at their best'" in named.stdout


def test_a_script_measures_unforced_peers():
    script = ("table.py", "--quick", "--only", "^diagonal 2$")
    forcing = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    held, free = run(*script, OPENBLAS_CORETYPE=LOWER or "Prescott", **forcing), run(*script)
    assert free.returncode == 0, free.stderr
    assert held.returncode == 0, held.stderr
    assert "unset" in held.stderr
    assert "OPENBLAS_CORETYPE" in held.stderr
    for peer in ("NumPy", "SciPy"):
        lines = [
            next(line for line in done.stdout.splitlines() if line.startswith(peer))
            for done in (held, free)
        ]
        assert lines[0] == lines[1]
        assert "kernels" in lines[0]


def test_no_script_is_taken_for_a_package():
    """dask imports whatever is called sparse, and takes it for pydata's."""
    pytest.importorskip("dask.array")
    beside = run("-c", "import dask.array")
    assert beside.returncode == 0, beside.stderr


def test_two_builds_are_compared_case_by_case():
    case = "^tiny: diagonal 2, complex64, F, 1 rhs$"
    made = run("compare_builds.py", sys.executable, sys.executable, "--quick", "--only", case)
    assert made.returncode == 0, made.stderr
    assert case.strip("^$") in made.stdout
    assert "1 cases" in made.stdout
