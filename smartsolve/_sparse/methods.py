"""The table: one row a method, in the order in which they are preferred.

Of each row `fits` tells what speaks against the structure, `pays` what against the method for it;
both give None if nothing does, else a function that puts it into words. What `solve` does and what
`explain` says is read from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from . import DENSE_BELOW
from .dense import DenseFactors
from .factors import Factors
from .scan import BAND_DENSITY, Facts
from .superlu import SuperLUFactors

__all__ = ["METHODS", "NOT_FINITE", "SMALL", "Method", "Price"]

# Up to DENSE_BELOW dense; up to here before a structure is looked for, as the dense scan does it.
DENSE_AT_ONCE = 32
# Own LU is 1.0 to 1.8 times as fast as SuperLU up to 1400 flops per entry of the factors, with half
# of its memory; beyond, SuperLU's panels win. benchmarks/sparse_systems.py: convection, scattered.
LU_FLOPS_PER_ENTRY = 1500
# Up to this order blocks are dense: as the native core has it.
LARGEST_DENSE_BLOCK = 16


Against = Callable[[], str] | None


class Price(NamedTuple):
    """Flops of factorization and solution, and bytes of the factors."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Method:
    """A row.

    `condition` is "exact" or "when suspicious". The screen takes one pass over the matrix if its
    diagonal dominates, else one solution; an estimate takes about five.
    """

    structure: str
    method: str
    routine: str
    condition: Literal["exact", "when suspicious"]
    fits: Callable[[Facts], Against]
    pays: Callable[[Facts], Against]
    factor: Callable[[Facts, int], Factors]
    price: Callable[[Facts, int], Price]
    # Whether a matrix near the ends of the range is scaled for it.
    is_scaled: bool = True

    @property
    def may_fail(self) -> bool:
        """Whether the factorization may find that the matrix is not definite after all."""
        return self.fits in (_is_candidate, _is_spd_tridiagonal)


# --- structures ----------------------------------------------------------------------------------


def _always(facts: Facts) -> Against:
    return None


def _is_diagonal(facts: Facts) -> Against:
    return (lambda: facts.nonzero_off(0, 0)) if facts.kl or facts.ku else None


def _is_upper(facts: Facts) -> Against:
    return (lambda: facts.nonzero_off(0, facts.n)) if facts.kl else None


def _is_lower(facts: Facts) -> Against:
    return (lambda: facts.nonzero_off(facts.n, 0)) if facts.ku else None


def _is_tridiagonal(facts: Facts) -> Against:
    return (lambda: facts.nonzero_off(1, 1)) if max(facts.kl, facts.ku) > 1 else None


def _is_candidate(facts: Facts) -> Against:
    return _is_hermitian(facts) or (None if facts.scan["positive_diagonal"] else facts.not_positive)


def _is_spd_tridiagonal(facts: Facts) -> Against:
    return _is_tridiagonal(facts) or _is_candidate(facts)


def _is_permuted_triangular(facts: Facts) -> Against:
    return None if facts.peeled is not None else (lambda: "peeling single entries ends early")


def _is_block_diagonal(facts: Facts) -> Against:
    if facts.has_blocks(neighbouring=False):
        return None
    return lambda: f"not every component has an order up to {LARGEST_DENSE_BLOCK}"


def _is_block_triangular(facts: Facts) -> Against:
    if facts.is_definite_candidate:
        return lambda: "Cholesky takes the components of a definite matrix by themselves"
    if facts.blocks["structural_rank"] < facts.n:
        return lambda: "the pattern of zeros is that of a singular matrix"
    if len(facts.block_sizes) > 1:
        return None
    return lambda: "no order of rows and columns makes more than one block"


def _is_permuted_banded(facts: Facts) -> Against:
    if facts.is_definite_candidate:
        return lambda: "Cholesky finds an order of its own"
    if facts.ordered_band_density >= BAND_DENSITY:
        return None
    if facts.narrow[1] is None:
        return lambda: (
            f"kl + ku is at least {facts.narrow[0] - 1} in any order: less than "
            f"{BAND_DENSITY:.0%} of the band's places would be filled"
        )
    return lambda: (
        f"reverse Cuthill-McKee order makes kl, ku = {facts.ordered_band}: "
        f"{facts.ordered_band_density:.0%} of the band's places are filled"
    )


def _is_symmetric(facts: Facts) -> Against:
    return None if facts.scan["symmetric"] else (lambda: facts.asymmetry(False))


def _is_hermitian(facts: Facts) -> Against:
    return None if facts.scan["hermitian"] else (lambda: facts.asymmetry(True))


def _is_not_finite(facts: Facts) -> Against:
    return None if facts.scan["not_finite"] else (lambda: "every entry is finite")


# --- what pays -----------------------------------------------------------------------------------


def _band_pays(facts: Facts) -> Against:
    if facts.n < 3:
        return lambda: "the order is below 3"
    if facts.scan["not_finite"]:
        return lambda: "an entry is Inf or NaN, which elimination may lose"
    if facts.kl == 0 or facts.ku == 0:
        return lambda: "a triangle needs no elimination"
    if facts.scan["in_band"] >= BAND_DENSITY:
        if min(facts.kl, facts.ku) < 2 or facts.n <= DENSE_BELOW:
            return None
        if not facts.has_blocks(neighbouring=True):
            return None
        return lambda: "small blocks that nothing joins are solved side by side"
    return lambda: (
        f"kl = {facts.kl} and ku = {facts.ku}: {facts.scan['in_band']:.0%} of the band's places "
        f"are filled, less than {BAND_DENSITY:.0%}"
    )


def _dense_pays(facts: Facts) -> Against:
    return None if facts.n <= DENSE_BELOW else (lambda: f"the order is above {DENSE_BELOW}")


def _blocks_pay(facts: Facts) -> Against:
    largest = int(facts.block_sizes.max())
    if 2 * largest <= facts.n:
        return None
    return lambda: f"the largest block has order {largest}, more than half"


def _lu_pays(facts: Facts) -> Against:
    plan = facts.plan("lu")
    if plan["flops"] <= LU_FLOPS_PER_ENTRY * plan["entries"]:
        return None
    return lambda: f"more than {LU_FLOPS_PER_ENTRY} flops per entry of the factors"


# --- how to factor, and for what -----------------------------------------------------------------


def _native(name: str, **options: Any) -> Callable[[Facts, int], Factors]:
    def factor(facts: Facts, workers: int) -> Factors:
        factors: Factors = facts.matrix.factor(name, workers=workers, **options)
        return factors

    return factor


def _ordered_band(facts: Facts, workers: int) -> Factors:
    factors: Factors = facts.matrix.factor("banded", ordering=facts.band_order, workers=workers)
    return factors


def _superlu(facts: Facts, workers: int) -> Factors:
    return SuperLUFactors(facts.matrix)


def _small(facts: Facts, workers: int) -> Factors:
    return DenseFactors(facts.matrix)


def _scale(facts: Facts) -> int:
    """Real operations of a complex one."""
    return 4 if facts.matrix.dtype.kind == "c" else 1


def _price_of_diagonal(facts: Facts, nrhs: int) -> Price:
    return Price(_scale(facts) * facts.n * nrhs, facts.n * facts.matrix.dtype.itemsize)


def _price_of_triangle(facts: Facts, nrhs: int) -> Price:
    return Price(_scale(facts) * 2.0 * facts.nnz * nrhs, 0)


def _price_of_band(facts: Facts, nrhs: int) -> Price:
    kl, ku = facts.kl, facts.ku
    flops = facts.n * (2.0 * kl * (kl + ku) + kl + 2 * (2 * kl + ku) * nrhs)
    return Price(_scale(facts) * flops, facts.n * (2 * kl + ku + 1) * facts.matrix.dtype.itemsize)


def _price_of_definite_band(facts: Facts, nrhs: int) -> Price:
    k = facts.kl
    flops = facts.n * (k * (k + 3.0) + 4 * k * nrhs)
    return Price(_scale(facts) * flops, facts.n * (k + 1) * facts.matrix.dtype.itemsize)


def _price_of_dense(facts: Facts, nrhs: int) -> Price:
    n = facts.n
    flops = 2 * n**3 / 3 + 2 * n * n * nrhs
    return Price(_scale(facts) * flops, n * n * facts.matrix.dtype.itemsize)


def _price_of_ordered_band(facts: Facts, nrhs: int) -> Price:
    kl, ku = facts.ordered_band
    flops = facts.n * (2.0 * kl * (kl + ku) + kl + 2 * (2 * kl + ku) * nrhs)
    return Price(_scale(facts) * flops, facts.n * (2 * kl + ku + 1) * facts.matrix.dtype.itemsize)


def _planned(name: str) -> Callable[[Facts, int], Price]:
    """What the pattern tells; of LU a bound."""

    def price(facts: Facts, nrhs: int) -> Price:
        plan = facts.plan(name)
        flops = plan["flops"] + 4.0 * plan["entries"] * nrhs
        return Price(_scale(facts) * flops, plan["bytes"])

    return price


SMALL = Method(
    *("small", "dense", "as for a dense matrix", "when suspicious"),
    *(_always, _dense_pays, _small, _price_of_dense),
    is_scaled=False,
)
NOT_FINITE = Method(
    *("not finite", "none: x is NaN", "none", "exact"),
    *(_is_not_finite, _always, _small, lambda facts, nrhs: Price(0, 0)),
    is_scaled=False,
)

METHODS: tuple[Method, ...] = (
    Method(
        *("diagonal", "division", "own", "exact"),
        *(_is_diagonal, _always, _native("diagonal"), _price_of_diagonal),
        is_scaled=False,
    ),
    Method(
        *("spd tridiagonal", "tridiagonal LDL", "pttrf, pttrs", "when suspicious"),
        *(_is_spd_tridiagonal, _band_pays, _native("spd_tridiagonal"), _price_of_definite_band),
    ),
    Method(
        *("tridiagonal", "tridiagonal LU", "own", "when suspicious"),
        *(_is_tridiagonal, _band_pays, _native("tridiagonal"), _price_of_band),
    ),
    Method(
        *("spd banded", "banded Cholesky", "pbtrf, pbtrs", "when suspicious"),
        *(_is_candidate, _band_pays, _native("spd_banded"), _price_of_definite_band),
    ),
    Method(
        *("banded", "banded LU", "own or gbtrf, gbtrs", "when suspicious"),
        *(_always, _band_pays, _native("banded"), _price_of_band),
    ),
    Method(
        *("upper triangular", "substitution", "own", "when suspicious"),
        *(_is_upper, _always, _native("triangular"), _price_of_triangle),
    ),
    Method(
        *("lower triangular", "substitution", "own", "when suspicious"),
        *(_is_lower, _always, _native("triangular"), _price_of_triangle),
    ),
    Method(
        *("permuted triangular", "permuted substitution", "own", "when suspicious"),
        *(_is_permuted_triangular, _always, _native("permuted_triangular"), _price_of_triangle),
    ),
    NOT_FINITE,
    SMALL,
    Method(
        *("block diagonal", "blockwise LU", "own", "when suspicious"),
        *(_is_block_diagonal, _always),
        *(_native("block_diagonal"), _planned("block_diagonal")),
    ),
    Method(
        *("block triangular", "LU of blocks", "own", "when suspicious"),
        *(_is_block_triangular, _blocks_pay, _native("lu"), _planned("lu")),
    ),
    Method(
        *("permuted banded", "permuted banded LU", "own or gbtrf, gbtrs", "when suspicious"),
        *(_is_permuted_banded, _always, _ordered_band, _price_of_ordered_band),
    ),
    Method(
        *("positive definite", "sparse Cholesky", "own", "when suspicious"),
        *(_is_candidate, _always, _native("cholesky"), _planned("cholesky")),
    ),
    *(
        Method(structure, method, routine, "when suspicious", fits, pays, factor, _planned("lu"))
        for structure, fits in (
            ("symmetric", _is_symmetric),
            ("hermitian", _is_hermitian),
            ("general", _always),
        )
        for method, routine, pays, factor in (
            ("sparse LU", "own", _lu_pays, _native("lu")),
            ("supernodal LU", "SuperLU", _always, _superlu),
        )
    ),
)
