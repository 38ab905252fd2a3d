"""The peers at their best: as a user's machine runs them, and not otherwise.

What the environment says to a BLAS or to NumPy (kernels, caches, number of threads) is taken out of
it before anything is measured, in a process started anew. What OpenBLAS then chooses is printed. It
has to be kernels for the processor's own instruction set, or else the script ends: a ratio against
AVX2 kernels on an AVX-512 processor flatters smartsolve. The yardstick is the processor and not
OpenBLAS' own choice, with which a check of the choice could never fail. Where OpenBLAS itself
chooses less, as one does that is older than the processor, that is what its users have, and
`--lower-kernels` measures it; the table then says what it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from smartsolve import _core
from smartsolve._cli.blas import Blas, blas

# Of every BLAS that NumPy is built with, and of NumPy's own loops.
FORCING = ("OPENBLAS", "GOTO_", "OMP_", "GOMP_", "KMP_", "MKL_", "BLIS_", "VECLIB_", "FLEXIBLAS")
FORCING_NUMPY = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES")

# Kernels by the instruction set that they are for, named after x86-64 processors. A name that is
# not here is that of a processor with AVX-512, of one that is newer than this list, or of another
# architecture.
KERNELS = {
    "baseline": (
        *("sandybridge", "bulldozer", "piledriver", "steamroller", "excavator", "bobcat"),
        *("nehalem", "penryn", "dunnington", "core2", "atom", "nano", "prescott", "banias"),
        *("barcelona", "opteron", "opteron_sse3", "athlon", "katmai", "coppermine", "northwood"),
    ),
    "avx2": ("haswell", "zen", "zen2", "zen3"),
}

THREADPOOLCTL = "benchmarks name the peers' kernels with threadpoolctl: pip install threadpoolctl"


def forced(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that would make a peer run otherwise than by its own choice."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(FORCING) or name in FORCING_NUMPY
    }


def leave_to_themselves() -> None:
    """Start the script anew where the environment forces a peer."""
    found = forced(os.environ)
    if not found:
        return
    print("unset, as on a user's machine:", ", ".join(sorted(found)), file=sys.stderr, flush=True)
    left = {name: value for name, value in os.environ.items() if name not in found}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], left)


def lower_than(library: Blas, instruction_sets: tuple[str, ...]) -> str:
    """The set that a library's kernels are for, if the processor has a higher one."""
    below = instruction_sets[:-1]
    return next((lower for lower in below if library.kernels.lower() in KERNELS[lower]), "")


def held_back(libraries: Mapping[str, Blas], instruction_sets: tuple[str, ...]) -> str:
    """Which peers run kernels below the processor's instruction set; nothing if none does."""
    return "; ".join(
        f"{peer} runs {library.kernels} kernels ({lower}) on a processor with "
        f"{instruction_sets[-1]}"
        for peer, library in libraries.items()
        if (lower := lower_than(library, instruction_sets))
    )


def peers(lower_kernels: bool) -> dict[str, str]:
    """Each peer's BLAS in words; the end of the script if one is held back."""
    try:
        libraries = {name: blas(name.lower()) for name in ("NumPy", "SciPy")}
    except ImportError:
        raise SystemExit(THREADPOOLCTL) from None
    words = {name: str(library) for name, library in libraries.items()}
    if found := held_back(libraries, tuple(_core.instruction_sets())):
        if not lower_kernels:
            raise SystemExit(
                f"{found}: ratios would flatter smartsolve. Install a NumPy and a SciPy whose "
                "OpenBLAS knows this processor, or measure with --lower-kernels what these do."
            )
        words["not at their best"] = found
    return words
