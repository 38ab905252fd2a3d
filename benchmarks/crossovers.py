"""Where one method overtakes another: the constants of crossovers.hpp, measured on this machine.

    python benchmarks/crossovers.py
    python benchmarks/crossovers.py --only getrf --dtype float64

Both methods solve the same matrix, through `smartsolve._core.solve_with_row` where a row of the
table of methods stands for each, else through `solve` with the structure declared. Figures are the
time of the first method over the time of the second: above 1 the second is faster. "from" is the
first size from which on it always is, beside the constant in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from systems import ROOT, Array, matrices, stack, system
from timing import (
    Call,
    Effort,
    Spread,
    Timings,
    arguments,
    compare,
    machine,
    microseconds,
    print_machine,
    write_json,
)

import smartsolve
from smartsolve import _core

EFFORT = Effort(turn=0.002, case=0.1, fewest=5, most=15)
QUICK = Effort(turn=0.0005, case=0.005, fewest=2, most=2)
SEED = 97

Calls = dict[str, Call]


@dataclass(frozen=True)
class Crossover:
    """first(n) and second(n) are two ways to solve the same system."""

    constant: str
    title: str
    sizes: tuple[int, ...]
    make: Callable[[int, str], Calls]  # size, dtype -> "first" and "second"
    dtypes: tuple[str, ...] = matrices.DTYPES
    size: str = "n"


# --- two ways to solve the same system -----------------------------------------------------------


def row(kind: str, method: str) -> int:
    """The row of the table of methods."""
    for index, found in enumerate(_core.methods()):
        if (found["kind"], found["method"]) == (kind, method):
            return index
    raise LookupError(f"the table of methods has no row {method!r} for {kind!r}")


def by_rows(kind: str, first: tuple[str, str], second: tuple[str, str]) -> Callable[..., Calls]:
    """A matrix of `kind`, solved by two rows, each given as its kind and method."""

    def make(n: int, dtype: str) -> Calls:
        a, b = system(kind, n, dtype, "C", 1, SEED)
        return {
            name: Call("solve(row, a, b)", names(_core.solve_with_row, a, b) | {"row": row(*which)})
            for name, which in (("first", first), ("second", second))
        }

    return make


def mixed(kind: str, method: str, nrhs: int) -> Callable[[int, str], Calls]:
    """A row in working precision, and the structure's in mixed; the latter's condition included."""

    def make(n: int, dtype: str) -> Calls:
        a, b = system(kind, n, dtype, "C", nrhs, SEED)
        known = names(_core.solve_with_row, a, b) | {"row": row(kind, method)}
        return {
            "first": Call("solve(row, a, b)", known),
            "second": Call("solve(row, a, b, True)", known),
        }

    return make


def of_columns(n: int, kind: str, method: str) -> Callable[[int, str], Calls]:
    return lambda nrhs, dtype: mixed(kind, method, nrhs)(n, dtype)


def names(solve: Any, a: Array, b: Array) -> dict[str, Any]:
    return {"solve": solve, "a": a, "b": b}


def declared(a: Array, b: Array, first: str, second: str) -> Calls:
    """The same matrix, declared as two structures; the bandwidth is still looked for."""
    return {
        name: Call("solve(a, b, assume_a=kind)", names(smartsolve.solve, a, b) | {"kind": kind})
        for name, kind in (("first", first), ("second", second))
    }


def band(n: int, kl: int, ku: int, dtype: str, definite: bool) -> tuple[Array, Array]:
    rng = np.random.default_rng([SEED, n, kl])
    scalar, inside = np.dtype(dtype), matrices.pattern(n, kl, ku)
    if definite:
        a = matrices.positive_definite_within(inside, scalar, rng)
    else:
        a = matrices.perturbed(matrices.block_core(n, scalar, rng), inside, scalar, rng)
    return a, matrices.random_rhs(n, scalar, rng)


def narrow_band(definite: bool) -> Callable[[int, str], Calls]:
    def make(n: int, dtype: str) -> Calls:
        a, b = band(n, 2, 2, dtype, definite)
        if definite:
            return declared(a, b, "positive definite", "spd banded")
        return declared(a, b, "general", "banded")

    return make


def wide_band(n: int, definite: bool) -> Callable[[int, str], Calls]:
    """The size is the bandwidth, and the dense method the one that overtakes."""

    def make(width: int, dtype: str) -> Calls:
        a, b = band(n, width, width, dtype, definite)
        if definite:
            return declared(a, b, "spd banded", "positive definite")
        return declared(a, b, "banded", "general")

    return make


def shuffled(a: Array) -> Array:
    rng = np.random.default_rng([SEED, len(a)])
    return np.ascontiguousarray(a[rng.permutation(len(a))][:, rng.permutation(len(a))])


def two_blocks(coupled: bool) -> Callable[[int, str], Calls]:
    """Of equal order: the least that pays, by the rule."""

    def make(n: int, dtype: str) -> Calls:
        a, b = system("general", n, dtype, "C", 1, SEED)
        a[: n // 2, n // 2 :] = 0
        if not coupled:
            a[n // 2 :, : n // 2] = 0
        a += 3 * np.eye(n, dtype=a.dtype)
        return declared(shuffled(a), b, "general", "block triangular")

    return make


def of_kind(kind: str) -> Callable[[int, str], Calls]:
    def make(n: int, dtype: str) -> Calls:
        a, b = system(kind, n, dtype, "C", 1, SEED)
        return declared(a, b, "general", kind)

    return make


def shuffled_band(n: int) -> Callable[[int, str], Calls]:
    """The size is the bandwidth w; the sparse LU's flops are about 4 n w^2."""

    def make(width: int, dtype: str) -> Calls:
        a, b = band(n, width, width, dtype, False)
        return declared(shuffled(a), b, "sparse", "general")

    return make


def permuted_band(n: int, definite: bool, first: str, second: str) -> Callable[[int, str], Calls]:
    """The size is the bandwidth; rows and columns are shuffled alike."""

    def make(width: int, dtype: str) -> Calls:
        a, b = band(n, width, width, dtype, definite)
        order = np.random.default_rng([SEED, n]).permutation(n)
        return declared(np.ascontiguousarray(a[order][:, order]), b, first, second)

    return make


def permuted_band_of(part: int, definite: bool) -> Callable[[int, str], Calls]:
    """The size is n, and the bandwidth a part of it."""
    dense = "positive definite" if definite else "general"
    return lambda n, dtype: permuted_band(n, definite, dense, "permuted banded")(n // part, dtype)


def substitution(nrhs: int) -> Callable[[int, str], Calls]:
    """Lines in descending order are no layout of LAPACK's: such a view is never given to trtrs."""

    def make(n: int, dtype: str) -> Calls:
        a, b = system("upper triangular", n, dtype, "F", nrhs, SEED)
        own = smartsolve.factorize(np.asfortranarray(a[:, ::-1])[:, ::-1])
        (trtrs,) = scipy.linalg.get_lapack_funcs(("trtrs",), (a,))
        return {
            "first": Call("f.solve(b)", {"f": own, "b": b}),
            "second": Call("trtrs(a, b)", {"trtrs": trtrs, "a": a, "b": np.asfortranarray(b)}),
        }

    return make


def least_squares(aspect: int) -> Callable[[int, str], Calls]:
    """n columns and aspect * n rows, by the own QR and by geqp3."""

    def make(n: int, dtype: str) -> Calls:
        rng = np.random.default_rng([SEED, n, aspect])
        a = matrices.random_rhs((aspect * n, n), dtype, rng)
        b = matrices.random_rhs(aspect * n, dtype, rng)
        return {
            name: Call("solve(a, b, False, -1.0, below)", names(_core.least_squares, a, b) | limit)
            for name, limit in (("first", {"below": n + 1}), ("second", {"below": 0}))
        }

    return make


def lanes_or_slices(n: int, dtype: str) -> Calls:
    """A stack in lanes, and its slices by the general row; the loop's own tenth of a microsecond
    a slice stands in its figure."""
    a, b = stack("general", 64, n, dtype, 1, SEED)
    slices = [(row("general", SMALL_LU), ai, bi[:, 0].copy()) for ai, bi in zip(a, b, strict=True)]
    loop = "for r, a, b in slices: solve(r, a, b)"
    return {
        "first": Call("solve(a, b)", names(smartsolve.solve, a, b)),
        "second": Call(loop, {"solve": _core.solve_with_row, "slices": slices}),
    }


def workers(n: int) -> Callable[[int, str], Calls]:
    """Stacks of so many elements, by one thread and by two."""

    def make(elements: int, dtype: str) -> Calls:
        a, b = stack("general", elements // (n * n), n, dtype, 1, SEED)
        return {
            name: Call("solve(a, b, workers=w)", names(smartsolve.solve, a, b) | {"w": w})
            for name, w in (("first", 1), ("second", 2))
        }

    return make


# --- the constants -------------------------------------------------------------------------------

SMALL = (4, 6, 8, 10, 12, 16, 20, 24, 32)
MIDDLE = (64, 96, 128, 160, 192, 256, 320, 384, 448, 512)
LARGE = (64, 96, 128, 192, 256, 384, 512, 1024)
REAL, COMPLEX = matrices.DTYPES[:2], matrices.DTYPES[2:]
SMALL_LU, LU = "small LU", "LU"


def crossovers() -> Iterator[Crossover]:
    def rows(
        constant: str, kind: str, first: str, second: str, sizes: tuple[int, ...]
    ) -> Crossover:
        make = by_rows(kind, (kind, first), (kind, second))
        dtypes = COMPLEX if kind == "hermitian" else matrices.DTYPES
        return Crossover(constant, f"{kind}: {first} / {second}", sizes, make, dtypes)

    ldl, tridiagonal_ldl = "Bunch-Kaufman LDL", "tridiagonal LDL"
    yield rows("getrf_from", "general", SMALL_LU, LU, MIDDLE)
    yield rows("potrf_from", "positive definite", "small Cholesky", "Cholesky", MIDDLE)
    for kind in ("symmetric", "hermitian"):
        dtypes = COMPLEX if kind == "hermitian" else matrices.DTYPES
        yield rows("sytrf_from", kind, SMALL_LU, ldl, MIDDLE)
        make = by_rows(kind, ("general", LU), (kind, ldl))
        yield Crossover("sytrf_from", f"{kind}: {LU} / {ldl}", LARGE, make, dtypes)
    double, dense = ("float64", "complex128"), (("general", LU), ("positive definite", "Cholesky"))
    for kind, method in dense:
        title = f"{kind}: {method} / in single precision, refined"
        sizes = (256, 384, 512, 768, 1024, 2048)
        yield Crossover("mixed_pays", title, sizes, mixed(kind, method, 1), double)
        for n in (512, 1024, 2048):
            title = f"{kind}, n = {n}: {method} / in single precision, refined"
            sizes, make = (1, 2, 4, 8, 16, 32, 64), of_columns(n, kind, method)
            yield Crossover("mixed_pays", title, sizes, make, double, size="nrhs")
    yield rows("tridiagonal_from", "tridiagonal", SMALL_LU, "tridiagonal LU", SMALL)
    yield rows("tridiagonal_from", "spd tridiagonal", "small Cholesky", tridiagonal_ldl, SMALL)
    gathered = "permuted substitution"
    yield rows("permuted_from", "permuted triangular", SMALL_LU, gathered, SMALL)
    title, in_place = "permuted triangular", "permuted substitution in place"
    yield rows("as_it_lies_from", title, gathered, in_place, LARGE)
    for kind in ("upper hessenberg", "lower hessenberg"):
        yield rows("hessenberg_from", kind, SMALL_LU, "Hessenberg LU", (*SMALL, 48, 64))
    sizes = (8, 12, 16, 20, 24, 32, 48, 64, 96)
    yield Crossover("banded_from", "kl = ku = 2: general / banded", sizes, narrow_band(False))
    title = "kl = ku = 2: positive definite / spd banded"
    yield Crossover("banded_from", title, sizes, narrow_band(True))
    for n in (64, 200, 512):
        widths = tuple(max(2, n * eighths // 32) for eighths in (1, 2, 3, 4, 5, 6, 8, 12))
        for definite in (False, True):
            dense = "positive definite" if definite else "general"
            title = f"n = {n}: {'spd banded' if definite else 'banded'} / {dense}"
            make = wide_band(n, definite)
            yield Crossover("band_pays", title, widths, make, size="kl = ku")
    sizes = (64, 96, 128, 192, 256, 512)
    for kind in ("circulant", "block diagonal", "block triangular", "sparse"):
        yield Crossover("more_from", f"general / {kind}", sizes, of_kind(kind))
    for coupled in (False, True):
        title = f"general / two {'coupled' if coupled else 'separate'} blocks"
        yield Crossover("blocks_pay", title, sizes, two_blocks(coupled))
    for n in (256, 512, 1024):
        widths = tuple(n // part for part in (64, 48, 32, 24, 16, 12, 8))
        title = f"n = {n}, shuffled band: sparse / general"
        yield Crossover("sparse_pays", title, widths, shuffled_band(n), size="kl = ku")
    for part in (20, 8):
        for definite in (False, True):
            dense = "positive definite" if definite else "general"
            title = f"kl = ku = n/{part}: {dense} / permuted banded"
            sizes = (64, 96, 128, 160, 192, 256, 384, 512)
            yield Crossover("permuted_band_from", title, sizes, permuted_band_of(part, definite))
    for n in (256, 1024):
        widths = tuple(n // part for part in (64, 32, 24, 16, 12, 8, 6, 4))
        for definite, other in ((False, "general"), (True, "positive definite"), (False, "sparse")):
            ways = ("permuted banded", other)
            title = f"n = {n}: {' / '.join(ways)}"
            make = permuted_band(n, definite, *(ways if other != "sparse" else ways[::-1]))
            yield Crossover("widest_permuted_band", title, widths, make, size="kl = ku")
    title = "stacks: in lanes / slice by slice"
    sizes = (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80)
    yield Crossover("slices_from", title, sizes, lanes_or_slices)
    for n, constant in ((2, "share_in_lanes"), (16, "share_in_lanes"), (48, "share_of_slices")):
        title = f"stacks of {n}x{n}: one thread / two"
        sizes = tuple(1 << bits for bits in range(14, 21))
        yield Crossover(constant, title, sizes, workers(n), size="elements")
    for nrhs in (16, 64, 256):
        title = f"upper triangular, {nrhs} right-hand sides: own substitution / trtrs"
        yield Crossover("trtrs_from", title, (128, 256, 512, 1024, 2048), substitution(nrhs))
    for n in (512, 1024, 2048):
        title = f"upper triangular {n}: own substitution / trtrs"
        yield Crossover("trtrs_from_nrhs", title, (8, 16, 32, 64, 128), of_nrhs(n), size="nrhs")
    for aspect in (1, 4, 16):
        title = f"{aspect} n x n: own QR / geqp3"
        sizes = (8, 16, 32, 64, 96, 128, 192, 256)
        yield Crossover("geqp3_from", title, sizes, least_squares(aspect))


def of_nrhs(n: int) -> Callable[[int, str], Calls]:
    return lambda nrhs, dtype: substitution(nrhs)(n, dtype)


def constants() -> dict[str, str]:
    """Those in use, from the header's text."""
    text = (ROOT / "smartsolve" / "_native" / "crossovers.hpp").read_text()
    found = dict(re.findall(r"constexpr ptrdiff_t (\w+) = ([^;]+);", text))
    tables = re.findall(r"constexpr ptrdiff_t (\w+)\[[^=]*= (\{[^;]+\});", text)
    rules = re.findall(r"constexpr \w+ (\w+)\([^)]*\) \{\s*return (.*?);", text)
    return found | dict(tables) | dict(rules)


# --- measuring and printing ----------------------------------------------------------------------


def measure(crossover: Crossover, dtype: str, effort: Effort) -> list[Spread]:
    ratios = []
    for size in crossover.sizes:
        # No rest between turns: both sides have the same BLAS, whose threads do not disturb it.
        timings = compare(crossover.make(size, dtype), effort)
        ratios.append(timings.ratio("first", "second"))
    return ratios


def overtakes_at(sizes: tuple[int, ...], ratios: list[Spread]) -> int | None:
    """The first size from which on the second method is always faster."""
    for index, size in enumerate(sizes):
        if all(ratio.median > 1 for ratio in ratios[index:]):
            return size
    return None


def print_crossover(c: Crossover, in_use: str, results: dict[str, list[Spread]]) -> None:
    print(f"{c.constant} = {in_use}   {c.title}")
    print(f"  {c.size:<11}" + "".join(f"{size:>8}" for size in c.sizes) + "     from")
    for dtype, ratios in results.items():
        at = overtakes_at(c.sizes, ratios)
        figures = "".join(f"{ratio.median:8.2f}" for ratio in ratios)
        print(f"  {dtype:<11}{figures}  {at if at is not None else 'never':>7}")
    print(flush=True)


def conditions(dtype: str, effort: Effort) -> list[dict[str, Any]]:
    """What the verdict on the condition costs, beside the row alone.

    `solve` screens, or estimates from estimate_from on; with `return_info` it always estimates,
    and computes a backward error as well: an upper bound of the estimate's cost.
    """
    found = []
    for kind in ("general", "positive definite", "tridiagonal", "upper triangular"):
        for n in (8, 16, 32, 64, 128, 256, 512, 1024):
            a, b = system(kind, n, dtype, "C", 1, SEED)
            _, info = smartsolve.solve(a, b, return_info=True)
            which = row(kind, str(info.method))
            calls = {
                "row": Call("solve(row, a, b)", names(_core.solve_with_row, a, b) | {"row": which}),
                "solve": Call("solve(a, b)", names(smartsolve.solve, a, b)),
                "info": Call("solve(a, b, return_info=True)", names(smartsolve.solve, a, b)),
            }
            t = compare(calls, effort)
            found.append({"kind": kind, "n": n, "dtype": dtype, **condition_times(t)})
    return found


def condition_times(t: Timings) -> dict[str, Any]:
    return {
        "row seconds": t.time("row").median,
        "solve over row": t.ratio("solve", "row").as_dict(),
        "info over row": t.ratio("info", "row").as_dict(),
    }


def print_conditions(found: list[dict[str, Any]], in_use: dict[str, str]) -> None:
    which = ("certificate_from", "estimate_from")
    print(", ".join(f"{name} = {in_use[name]}" for name in which), "  cost of the condition")
    print(f"  {'structure':<20}{'n':>6}{'row us':>10}{'solve / row':>13}{'with info / row':>17}")
    for f in found:
        ratios = f"{f['solve over row']['median']:13.2f}{f['info over row']['median']:17.2f}"
        print(f"  {f['kind']:<20}{f['n']:>6}{microseconds(f['row seconds']):>10}{ratios}")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="", help="constants or titles")
    parser.add_argument("--dtype", nargs="+", default=matrices.DTYPES, choices=matrices.DTYPES)
    options = parser.parse_args()
    facts, in_use = machine(options), constants()
    print_machine(facts)
    effort = QUICK if options.quick else EFFORT
    found: list[dict[str, Any]] = []
    for c in crossovers():
        dtypes = [dtype for dtype in c.dtypes if dtype in options.dtype]
        if not dtypes or not re.search(options.only, f"{c.constant} {c.title}"):
            continue
        results = {dtype: measure(c, dtype, effort) for dtype in dtypes}
        print_crossover(c, in_use.get(c.constant, "?"), results)
        found += [as_dict(c, dtype, ratios, in_use) for dtype, ratios in results.items()]
    costs: list[dict[str, Any]] = []
    if re.search(options.only, "certificate_from estimate_from condition"):
        costs = conditions("float64" if "float64" in options.dtype else options.dtype[0], effort)
        print_conditions(costs, in_use)
    write_json(options.json, facts, crossovers=found, conditions=costs)


def as_dict(
    c: Crossover, dtype: str, ratios: list[Spread], in_use: dict[str, str]
) -> dict[str, Any]:
    return {
        "constant": c.constant,
        "in use": in_use.get(c.constant),
        "title": c.title,
        "dtype": dtype,
        "size": c.size,
        "first over second": {
            str(n): ratio.as_dict() for n, ratio in zip(c.sizes, ratios, strict=True)
        },
        "from": overtakes_at(c.sizes, ratios),
    }


if __name__ == "__main__":
    main()
