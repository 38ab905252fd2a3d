"""Do proved bounds hold? Small systems, as many as one likes, against rational arithmetic.

    python -P tests/fuzz/certify.py --systems 1000000

Each bound of ``accuracy="certified"`` is held to the exact solution, computed by python-flint's
rational matrices: stacks of one kind, single systems (from order 13 on by their triangles), all
types, structures planted and disturbed, nearly singular and badly scaled. A bound that fails is
printed with all that repeats it.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import flint
import numpy as np

import smartsolve

sys.path.append(str(Path(__file__).parents[2]))  # last: the installed package is tested

from tests.fuzz.loop import Seen, run
from tests.smartsolve.matrices import KINDS, dtypes_of, random_matrix

COUNT = 500  # systems of one draw


def rational(value: Any) -> flint.fmpq:
    """The number itself."""
    p, q = float(value).as_integer_ratio()
    return flint.fmpq(p, q)


def exact(a: Any, b: Any) -> list[Any] | None:
    """The solution of a real system; None if the matrix is singular."""
    matrix = flint.fmpq_mat([[rational(v) for v in row] for row in a.tolist()])
    try:
        x = matrix.solve(flint.fmpq_mat([[rational(v)] for v in b.tolist()]))
    except ZeroDivisionError:
        return None
    return [x[i, 0] for i in range(len(b))]


def real(a: Any, b: Any) -> tuple[Any, Any]:
    """A complex system as a real one."""
    if not np.iscomplexobj(a):
        return a, b
    block = np.block([[a.real, -a.imag], [a.imag, a.real]])
    return block, np.concatenate([b.real, b.imag])


def draw(seed: int) -> tuple[Any, Any, str]:
    """A stack of systems of one kind, disturbed in one way."""
    rng = np.random.default_rng([91, seed])
    kind = str(rng.choice(list(KINDS)))
    dtype = np.dtype(rng.choice(dtypes_of(kind)))
    n = int(rng.integers(13, 49)) if seed % 8 == 0 else int(rng.integers(1, 7))
    count = COUNT // n if n > 12 else COUNT
    a = np.stack([random_matrix(kind, n, dtype, "C", rng) for _ in range(count)])
    b = rng.standard_normal((count, n)).astype(dtype)
    how = str(rng.choice(["as drawn", "nearly singular", "scaled", "integers", "tiny"]))
    if how == "nearly singular" and n > 1:
        a[:, -1] = a[:, 0] * (1 + rng.uniform(0, 10.0 ** -rng.integers(3, 15, (count, 1))))
    elif how == "scaled":
        a *= 2.0 ** rng.integers(-20, 21, (count, n, 1))
        a *= 2.0 ** rng.integers(-20, 21, (count, 1, n))
    elif how == "integers":
        a, b = np.round(8 * a), np.round(8 * b)
    elif how == "tiny":
        a, b = (v * np.finfo(dtype).smallest_normal * 64 for v in (a, b))
    return a.astype(dtype), b.astype(dtype), f"{kind}, {dtype}, n = {n}, {how}"


def failures(a: Any, b: Any, alone: bool) -> tuple[int, int, int]:
    """How many bounds there are, how many of them are finite, how many fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with smartsolve.errstate(singular="nan"):
            if alone:
                answers = [
                    smartsolve.solve(m, v, accuracy="certified", return_info=True)
                    for m, v in zip(a, b, strict=True)
                ]
                x = np.stack([value for value, _ in answers])
                bound = np.stack([info.error_bound for _, info in answers])
            else:
                x, info = smartsolve.solve(a, b[..., None], accuracy="certified", return_info=True)
                x, bound = x[..., 0], info.error_bound[..., 0]
    finite = failed = 0
    for matrix, rhs, given, width in zip(a, b, x, bound, strict=True):
        if not np.isfinite(width).any():
            continue
        true = exact(*real(matrix, rhs))
        n = len(given)
        for i in np.flatnonzero(np.isfinite(width)):
            finite += 1
            if true is None:
                failed += 1
                continue
            square = (rational(given[i].real) - true[i]) ** 2
            if np.iscomplexobj(given):
                square += (rational(given[i].imag) - true[n + i]) ** 2
            failed += not square <= rational(width[i]) ** 2
    return bound.size, finite, failed


def look(seed: int) -> Seen:
    """One draw: how many bounds it has, and whether they hold."""
    a, b, story = draw(seed)
    bounds, finite, failed = failures(a, b, alone=seed % 4 == 0)
    wrong = [f"{failed} bounds fail"] * (failed > 0)
    return Seen(story, len(a), {"components": bounds, "bounds": finite}, wrong)


if __name__ == "__main__":
    sys.exit(run(__doc__, look))
