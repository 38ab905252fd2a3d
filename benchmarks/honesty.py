"""How honest are the warnings about ill-conditioned matrices? Ours and SciPy's, on the same ones.

    python benchmarks/honesty.py            # a table in Markdown, as docs/conditioning.md shows it
    python benchmarks/honesty.py --sparse   # of the same matrices, stored as sparse ones

A matrix of each structure, of bounded condition, loses its regularity by one element of its
pattern: a' = a + t e_i e_j^T with t = -(1 - delta) / (a^-1)_ji is singular for delta = 0, and by
Sherman and Morrison

    a'^-1 = a^-1 - t (a^-1 e_i) (e_j^T a^-1) / (1 + t (a^-1)_ji),

so that its condition number is known to three digits, whatever it is: a^-1 is found in extended
precision, and t is what rounding has left of it. A warning is deserved if the true reciprocal
condition number in the 1-norm lies below the machine epsilon. It is missed if it is deserved and
does not come, and false if it comes and is not deserved; in parentheses stands the true rcond over
the epsilon
of the one that is farthest from 1. An error for a singular matrix counts as a warning. The last
column of sparse matrices tells how far above the true rcond our estimate is: the median, and the
largest.
"""

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.linalg
from scipy import sparse
from scipy.sparse.linalg import MatrixRankWarning, spsolve

import smartsolve

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "smartsolve"))
from matrices import DTYPES, FOUND_FROM, KINDS, Array, dtypes_of, random_matrix

ORDERS = (3, 8, 16, 33, 64, 150)
SPARSE_ORDERS = (40, 64, 130)
DECADES = (8, 10, 12, 14, 15, 16, 17, 18, 20)
# Declared as such to nobody; an element that changes would leave these classes.
LEFT_OUT = {"circulant"}


@dataclass
class Count:
    """Of one structure: matrices, deserved warnings, and those missed and false of each solver."""

    matrices: int = 0
    deserved: int = 0
    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    false: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    farthest: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(lambda: 1.0))
    estimates: list[float] = field(default_factory=list)  # over the true rcond

    def add(self, true: float, eps: float, warned: dict[str, bool]) -> None:
        self.matrices += 1
        self.deserved += true < eps
        for solver, has in warned.items():
            self.missed[solver] += true < eps and not has
            self.false[solver] += true >= eps and has
            if true < eps and not has:
                self._far((solver, "missed"), true / eps, min)
            if true >= eps and has:
                self._far((solver, "false"), true / eps, max)

    def _far(self, which: tuple[str, str], ratio: float, pick: Callable[..., float]) -> None:
        self.farthest[which] = pick(self.farthest[which], ratio)

    def __iadd__(self, other: "Count") -> "Count":
        self.matrices += other.matrices
        self.deserved += other.deserved
        self.estimates += other.estimates
        for solver in other.missed:
            self.missed[solver] += other.missed[solver]
            self.false[solver] += other.false[solver]
            self._far((solver, "missed"), other.farthest[solver, "missed"], min)
            self._far((solver, "false"), other.farthest[solver, "false"], max)
        return self


def nearly_singular(
    kind: str, n: int, dtype: np.dtype, decades: float, rng: np.random.Generator
) -> tuple[Array, float]:
    """A matrix of the kind whose condition number is about 10^decades, and its rcond."""
    wide = np.clongdouble if dtype.kind == "c" else np.longdouble
    a = random_matrix(kind, n, dtype, "C", rng).astype(wide)
    inverse = _inverse(a)
    weight = np.abs(inverse.T) * (a != 0)
    if weight.diagonal().max() > 1e-3:  # which keeps every symmetry
        weight = np.diag(weight.diagonal())
    i, j = np.unravel_index(np.argmax(weight), weight.shape)
    t = -(1 - wide(10.0) ** -decades) / inverse[j, i]
    disturbed = a.copy()
    disturbed[i, j] += t.real if a[i, j].imag == 0 else t
    disturbed = disturbed.astype(dtype)
    t = disturbed[i, j].astype(wide) - a[i, j]
    left = 1 + t * inverse[j, i]
    if left == 0:
        return disturbed, 0.0
    outer = np.outer(inverse[:, i], inverse[j])
    return disturbed, float(1 / (_norm(disturbed.astype(wide)) * _norm(inverse - t * outer / left)))


def _norm(a: Array) -> np.longdouble:
    return np.abs(a).sum(axis=0).max()


def _inverse(a: Array) -> Array:
    """In extended precision: a step of Newton's, which doubles the digits of NumPy's inverse."""
    x = np.linalg.inv(a.astype(np.complex128 if np.iscomplexobj(a) else np.float64)).astype(a.dtype)
    return x + x @ (np.eye(len(a), dtype=a.dtype) - a @ x)


def warns(solve: Callable[..., object], a: Array, b: Array) -> bool:
    """Whether a solver warns, or raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            solve(a, b)
        except np.linalg.LinAlgError:
            return True
    said = scipy.linalg.LinAlgWarning, MatrixRankWarning
    return any(issubclass(warning.category, said) for warning in caught)


SOLVERS = {"smartsolve": smartsolve.solve, "SciPy": scipy.linalg.solve}
SPARSE_SOLVERS = {"smartsolve": smartsolve.solve, "spsolve": spsolve}


def estimate(a: object) -> float:
    """Ours, of a sparse matrix."""
    with smartsolve.errstate(ill_conditioned="ignore", singular="nan"):
        return float(smartsolve.factorize(a).rcond)


def measure(
    repetitions: int, orders: tuple[int, ...] = ORDERS, as_sparse: bool = False
) -> Iterator[tuple[str, Count]]:
    """The counts of each structure."""
    solvers = SPARSE_SOLVERS if as_sparse else SOLVERS
    for kind in KINDS:
        if kind in LEFT_OUT:
            continue
        count = Count()
        for dtype in dtypes_of(kind):
            eps = float(np.finfo(dtype).eps)
            half = (
                0.5 if np.finfo(dtype).bits == 32 else 1.0
            )  # half as many digits, half the decades
            for n in orders:
                if n < FOUND_FROM.get(kind, 0) and kind not in ("banded", "spd banded"):
                    continue
                for decades in DECADES:
                    rng = np.random.default_rng([n, decades, DTYPES.index(dtype.name)])
                    for _ in range(repetitions):
                        a, true = nearly_singular(kind, n, dtype, half * decades, rng)
                        b = np.ones(n, dtype)
                        given = sparse.csc_array(a) if as_sparse else a
                        warned = {name: warns(s, given, b) for name, s in solvers.items()}
                        count.add(true, eps, warned)
                        if as_sparse and true > eps:
                            count.estimates.append(estimate(given) / true)
        if count.matrices:
            yield kind, count


def row(name: str, count: Count) -> str:
    """One of the table."""
    cells = [name, f"{count.matrices:,}", f"{count.deserved:,}"]
    for solver in count.missed:
        for what, counts in (("missed", count.missed), ("false", count.false)):
            far = f" ({count.farthest[solver, what]:.2g})" if counts[solver] else ""
            cells.append(f"{counts[solver]}{far}")
    if count.estimates:
        cells.append(f"{np.median(count.estimates):.2g}, {max(count.estimates):.2g}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Missed and false warnings, against SciPy's.")
    parser.add_argument("--repetitions", type=int, default=3, help="matrices of each sort")
    parser.add_argument("--sparse", action="store_true", help="stored as sparse matrices")
    options = parser.parse_args()
    heads = ["structure", "matrices", "deserved"]
    solvers = SPARSE_SOLVERS if options.sparse else SOLVERS
    orders = SPARSE_ORDERS if options.sparse else ORDERS
    heads += [f"{solver}: {what}" for solver in solvers for what in ("missed", "false")]
    heads += ["estimate over rcond"] if options.sparse else []
    print(f"| {' | '.join(heads)} |\n|---{'|---:' * (len(heads) - 1)}|")
    total = Count()
    for kind, count in measure(options.repetitions, orders, options.sparse):
        print(row(kind, count), flush=True)
        total += count
    print(row("all", total))


if __name__ == "__main__":
    main()
