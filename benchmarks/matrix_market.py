"""How long reading a Matrix Market file takes here and in SciPy, in turn, on the same files.

    python benchmarks/matrix_market.py

A sparse matrix of a million elements with 17 and with 5 digits, and a dense one of order 1000.
SciPy reads with all processors, this package with one: so the processor time is compared beside the
time that passes. Prints the medians of the ratios; both must give the same numbers.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import scipy.io
import scipy.sparse

from smartsolve._files import matrix_market

TURNS = 7


def files(directory: Path) -> Iterator[tuple[str, Path]]:
    rng = np.random.default_rng(1)
    sparse = scipy.sparse.random_array((200_000, 200_000), density=2.5e-5, rng=rng).tocoo()
    dense = rng.standard_normal((1000, 1000))
    for name, matrix, digits in (
        ("sparse, 17 digits", sparse, 17),
        ("sparse, 5 digits", sparse, 5),
        ("dense, 17 digits", dense, 17),
    ):
        path = directory / "a.mtx"
        scipy.io.mmwrite(path, matrix, precision=digits)
        yield f"{name}, {path.stat().st_size / 1e6:.0f} MB", path


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, path in files(Path(directory)):
            passed, worked = [], []
            for _ in range(TURNS):
                times = [(perf_counter(), process_time())]
                expected = scipy.io.mmread(path, spmatrix=False)
                times.append((perf_counter(), process_time()))
                found = matrix_market.read(path, None)
                times.append((perf_counter(), process_time()))
                theirs, ours = np.diff(times, axis=0)
                passed.append(ours[0] / theirs[0])
                worked.append(ours[1] / theirs[1])
            assert (found != expected).sum() == 0
            print(
                f"{name:30} {statistics.median(passed):.2f} of SciPy's time, "
                f"{statistics.median(worked):.2f} of its processor time "
                f"({min(worked):.2f} to {max(worked):.2f})"
            )


if __name__ == "__main__":
    main()
