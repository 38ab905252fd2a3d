"""What to do about a call site, in one line."""

from .findings import CallSite

__all__ = ["advice"]

_REPEATED = 10  # as many solves for each matrix make a factorization worth its name
_MANY, _SMALL = 1000, 32  # as many calls of such small systems are better one call
_WORTH_IT = 1.1

# What one would write by hand.
_BY_HAND = {
    "diagonal": "divide by `np.diagonal(a)`",
    "upper triangular": "`scipy.linalg.solve_triangular`",
    "lower triangular": "`scipy.linalg.solve_triangular`",
    "tridiagonal": "`scipy.linalg.solve_banded`",
    "banded": "`scipy.linalg.solve_banded`",
    "spd tridiagonal": "`scipy.linalg.solveh_banded`",
    "spd banded": "`scipy.linalg.solveh_banded`",
}


def advice(site: CallSite, with_ours: bool = False) -> str:
    """The most that can be said for certain first, then what only its author can know."""
    if not site.calls:
        return "every call failed"
    if site.role == "inv":
        return _about_inverse(site)
    if site.role == "lstsq":
        return _about_least_squares(site)
    if not site.systems:
        return "its arrays are another library's: not looked at"
    parts = [_repetition(site) or _structure(site, with_ours)]
    if site.calls >= _MANY and all(len(s.a_shape) == 2 and s.n <= _SMALL for s in site.systems):
        parts.append(
            f"these {site.calls:,} calls could be one stacked call, if none needs the "
            "result of another"
        )
    return "; ".join(parts)


def _repetition(site: CallSite) -> str:
    if site.matrices is None or not 0 < site.matrices * _REPEATED <= site.calls:
        return ""
    if site.matrices == 1:
        found = f"the same matrix was solved {site.calls:,} times: factorize it once"
    else:
        found = (
            f"only {site.matrices:,} different matrices in {site.calls:,} calls: "
            "factorize each once"
        )
    return f"{found}, `smartsolve.factorize(a)`"


def _structure(site: CallSite, with_ours: bool) -> str:
    counts = site.structures
    total = sum(counts.values())
    found = next(iter(counts), "general")
    faster = _times_as_fast(site, with_ours)
    whose = site.function.partition(".")[0].replace("numpy", "NumPy").replace("scipy", "SciPy")
    if len(counts) == 1 and found != "general":
        subject = f"all {total:,} matrices were" if total > 1 else "the matrix was"
        by_hand = f", or {_BY_HAND[found]}" if found in _BY_HAND else ""
        if faster is not None and faster < _WORTH_IT:
            return f"{subject} {found}, but {whose} was as fast"
        return f"{subject} {found}: `smartsolve.solve`{by_hand}"
    if faster is None:
        return "nothing could be compared"
    if faster < _WORTH_IT:
        return f"nothing to gain: {whose} was as fast"
    several = ""
    if len(counts) > 1:
        several = f"{counts[found]:,} of {total:,} matrices were {found}: "
    return f"{several}`smartsolve.solve` is {faster:.2g} times as fast"


def _times_as_fast(site: CallSite, with_ours: bool) -> float | None:
    if not site.other_seconds:
        return None
    ratio = site.seconds / site.other_seconds
    return 1 / ratio if with_ours and ratio else ratio


def _about_inverse(site: CallSite) -> str:
    if site.multiplied is None:
        return (
            "the text does not show what the inverse is for; if it is multiplied, "
            "`smartsolve.solve(a, b)` is faster and more accurate"
        )
    if site.multiplied_as is None:
        return "the inverse is multiplied at once: `smartsolve.solve(a, b)` in place of both"
    return (
        f"the inverse, kept as `{site.multiplied_as}`, is multiplied in line {site.multiplied}: "
        "`smartsolve.solve(a, b)` in its place"
    )


def _about_least_squares(site: CallSite) -> str:
    deficient = site.calls - site.full_rank
    if deficient:
        return (
            f"square, but {deficient:,} of {site.calls:,} had not full rank: "
            "least squares is right there"
        )
    calls = f"all {site.calls:,} systems were" if site.calls > 1 else "the system was"
    return f"{calls} square and of full rank: `smartsolve.solve(a, b)` gives the same solution"
