"""What to do about a call site, in one line."""

from .findings import CallSite, our_solve

__all__ = ["advice"]

_REPEATED = 10  # as many solves for each matrix make a factorization worth its name
_MANY, _SMALL = 1000, 32  # as many calls of such small systems are better one call
_WORTH_IT = 1.1

_LONGEST = 80

# What one would write by hand for one matrix a, by the number of axes of b. Bands are wanted in a
# form of their own there, which one line does not make.
_BY_HAND = {
    "diagonal": {1: "{b} / np.diagonal({a})", 2: "{b} / np.diagonal({a})[:, None]"},
    "upper triangular": dict.fromkeys((1, 2), "scipy.linalg.solve_triangular({a}, {b})"),
    "lower triangular": dict.fromkeys(
        (1, 2), "scipy.linalg.solve_triangular({a}, {b}, lower=True)"
    ),
}


def advice(site: CallSite, with_ours: bool = False) -> str:
    """The most that can be said for certain first, then what only its author can know."""
    if site.traces and not site.calls:
        return _about_traces(site)
    if not site.calls:
        return "every call failed"
    if site.role == "inv":
        return _about_inverse(site)
    if site.role == "lstsq":
        return _about_least_squares(site)
    if site.role == "factor":
        return _about_factors(site, with_ours)
    if not site.systems:
        return "its arrays are another library's: not looked at"
    parts = [_repetition(site) or _structure(site, with_ours)]
    dense = not site.function.startswith("scipy.sparse")
    if (
        dense
        and site.calls >= _MANY
        and all(len(s.a_shape) == 2 and s.n <= _SMALL for s in site.systems)
    ):
        parts.append(
            f"these {site.calls:,} calls could be one stacked call, if none needs the "
            "result of another"
        )
    return "; ".join(parts)


def _repetition(site: CallSite) -> str:
    if site.matrices is None or not 0 < site.matrices * _REPEATED <= site.calls:
        return ""
    if site.library == "PyTorch":  # whose tensors have derivatives, and factors have none
        return ""
    if site.matrices == 1:
        found = f"the same matrix was solved {site.calls:,} times: factorize it once"
    else:
        found = (
            f"only {site.matrices:,} different matrices in {site.calls:,} calls: "
            "factorize each once"
        )
    a, b = site.operands if site.operands and len(site.operands) == 2 else ("a", "b")
    package = our_solve(site.function).rpartition(".")[0]
    return f"{found}, `{package}.factorize({a}).solve({b})`"


def _structure(site: CallSite, with_ours: bool) -> str:
    counts = site.structures
    total = sum(counts.values())
    found = next(iter(counts), "general")
    faster = _times_as_fast(site, with_ours)
    whose = site.library
    if len(counts) == 1 and found != "general":
        subject = f"all {total:,} matrices were" if total > 1 else "the matrix was"
        by_hand = _by_hand(site, found)
        if faster is not None and faster < _WORTH_IT:
            return f"{subject} {found}, but {whose} was as fast"
        return f"{subject} {found}: `{_instead(site)}`{by_hand}"
    if faster is None:
        return "nothing could be compared"
    if faster < _WORTH_IT:
        return f"nothing to gain: {whose} was as fast"
    several = ""
    if len(counts) > 1:
        several = f"{counts[found]:,} of {total:,} matrices were {found}: "
    return f"{several}`{_instead(site)}` is {_digits(faster)} times as fast"


def _digits(ratio: float) -> str:
    """Two, and no exponent."""
    return f"{float(f'{ratio:.2g}'):g}"


def _about_traces(site: CallSite) -> str:
    pairs = [(t.seconds, t.other_seconds) for t in site.traces if t.seconds and t.other_seconds]
    if not pairs:
        return "compiled: `smartsolve.jax.solve` in its place could not be compared"
    theirs, ours = max(pairs)
    if theirs < _WORTH_IT * ours:
        return f"compiled: nothing to gain, {site.library} was as fast"
    return (
        "compiled: `smartsolve.jax.solve` in place of jnp.linalg.solve is "
        f"{_digits(theirs / ours)} times as fast in each run, on random systems"
    )


def _instead(site: CallSite) -> str:
    """The call with our name; of one that is too long to be shown, its form."""
    found = site.instead
    if site.function.startswith("scipy.sparse"):  # whose options are not ours
        found = f"smartsolve.solve({', '.join(site.operands)})" if site.operands else None
    return found if found and len(found) <= _LONGEST else f"{our_solve(site.function)}(a, b)"


def _by_hand(site: CallSite, structure: str) -> str:
    """Only where each call has one matrix, and right-hand sides of the same number of axes."""
    axes = {(len(s.a_shape), len(s.b_shape or ())) for s in site.systems}
    if len(axes) != 1 or site.operands is None or len(site.operands) != 2:
        return ""
    ((of_a, of_b),) = axes
    form = _BY_HAND.get(structure, {}).get(of_b)
    if of_a != 2 or form is None or not site.function.startswith(("numpy", "scipy.linalg")):
        return ""
    a, b = site.operands
    text = form.format(a=a, b=b if form.startswith("scipy") or b.isidentifier() else f"({b})")
    return f", or `{text}`" if len(text) <= _LONGEST else ""


def _times_as_fast(site: CallSite, with_ours: bool) -> float | None:
    if not site.other_seconds:
        return None
    ratio = site.seconds / site.other_seconds
    return 1 / ratio if with_ours and ratio else ratio


def _about_inverse(site: CallSite) -> str:
    faster = "faster and more accurate"
    if site.multiplied is None:
        return (
            "the text does not show what the inverse is for; `smartsolve.solve(a, b)` in place of "
            f"inv(a) @ b and `smartsolve.mrdivide(b, a)` in place of b @ inv(a) are {faster}"
        )
    several = any(len(systems.a_shape) > 2 for systems in site.systems)
    if site.instead is None or (site.is_dot and several):
        return f"the inverse is multiplied in line {site.multiplied}; a solve would be {faster}"
    unless = ", unless the other factor has more than two axes" if site.is_dot else ""
    if site.multiplied_as is None:
        return f"the inverse is multiplied at once: `{site.instead}` in place of both{unless}"
    return (
        f"the inverse, kept as `{site.multiplied_as}`, is multiplied in line {site.multiplied}: "
        f"`{site.instead}` in place of that product{unless}"
    )


def _about_factors(site: CallSite, with_ours: bool) -> str:
    if not site.systems:
        return "it is no square sparse matrix: not looked at"
    a = site.operands[0] if site.operands else "a"
    if (matrices := site.matrices) is not None and matrices < site.calls:
        found = "one matrix was" if matrices == 1 else f"{matrices:,} different matrices were"
        return (
            f"{found} factored {site.calls:,} times: keep what `smartsolve.factorize({a})` returns"
        )
    counts = site.structures
    found = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    faster = _times_as_fast(site, with_ours)
    if faster is None:
        return "nothing could be compared"
    if faster < _WORTH_IT:
        return f"nothing to gain in factoring ({found}): SciPy was as fast"
    return f"{found}: `smartsolve.factorize({a})` is {_digits(faster)} times as fast"


def _about_least_squares(site: CallSite) -> str:
    deficient = site.calls - site.full_rank
    if deficient:
        return (
            f"square, but {deficient:,} of {site.calls:,} had not full rank: "
            "least squares is right there"
        )
    calls = f"all {site.calls:,} systems were" if site.calls > 1 else "the system was"
    operands = site.operands if site.operands and len(site.operands) == 2 else ("a", "b")
    instead = f"smartsolve.solve({', '.join(operands)})"
    if len(instead) > _LONGEST:
        instead = "smartsolve.solve(a, b)"
    return f"{calls} square and of full rank: `{instead}` gives the same solution"
