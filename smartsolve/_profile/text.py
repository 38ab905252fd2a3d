"""A profile for the terminal."""

import textwrap

from .advice import advice
from .findings import CallSite, Findings, Systems
from .recorder import Trace

__all__ = ["as_text", "calls", "duration", "measured_how", "shapes", "summary"]

_WIDTH = 100
_INDENT = " " * 8
_MOST_SHAPES = 4


def as_text(profile: Findings) -> str:
    """Summary, one entry for each call site, and how it was measured."""
    lines = [line for text in summary(profile) for line in textwrap.wrap(text, _WIDTH)]
    if profile.sites:
        lines += ["", f"{'calls':>11}{profile.library:>11}{'smartsolve':>12}{'saving':>11}"]
    for site in profile.sites:
        lines += _entry(profile, site)
    if profile.sites:
        lines += ["", *textwrap.wrap(measured_how(profile), _WIDTH)]
    return "\n".join(lines)


def summary(profile: Findings) -> list[str]:
    """What ran, how long, and how much of it a change would save."""
    count = sum(site.calls for site in profile.solves)
    lines = [
        f"{profile.program}: ran for {duration(profile.seconds)}; profiling took "
        f"{duration(profile.overhead)} more"
    ]
    if not profile.sites:
        return [*lines, "It never called numpy.linalg.solve, inv or lstsq on a square matrix."]
    lines.append(f"{_plural(count, 'solve')} at {_plural(len(profile.solves), 'call site')}")
    pairs = [profile.times(site) for site in profile.solves]
    known = [(theirs, ours) for theirs, ours in pairs if theirs is not None and ours is not None]
    if known and profile.seconds > 0:
        theirs, ours = (sum(times) for times in zip(*known, strict=True))
        with_numpy = profile.seconds + (theirs - ours if profile.with_ours else 0.0)
        saved = max(0.0, theirs - ours) / with_numpy
        lines[-1] += (
            f": {profile.library} {duration(theirs)}, smartsolve {duration(ours)}; saves "
            f"{100 * saved:.0f} % of the run"
        )
    if any(site.traces for site in profile.solves):
        lines.append(
            "Calls inside of what JAX compiles are seen when they are traced, and not when they "
            "run: their times are those of one run, on random systems."
        )
    return lines


def shapes(site: CallSite) -> list[str]:
    """Shapes, dtypes and structures, those with the most calls."""
    ordered = sorted(site.systems, key=lambda systems: -systems.calls)
    lines = [_shape(systems) for systems in ordered] + [_traced(trace) for trace in site.traces]
    if len(lines) > _MOST_SHAPES:
        lines[_MOST_SHAPES:] = [f"and {len(lines) - _MOST_SHAPES} other shapes"]
    return lines


def _shape(systems: Systems) -> str:
    text = f"a {systems.a_shape} {systems.a_dtype}"
    if systems.b_shape is not None:
        text += f", b {systems.b_shape} {systems.b_dtype}"
    found = ", ".join(f"{kind} {count:,}" for kind, count in systems.structures.items())
    return f"{text}: {found}" if found else text


def _traced(trace: Trace) -> str:
    times = f" {trace.count:,} times" * (trace.count > 1)
    text = f"traced{times}: a {trace.a_shape} {trace.a_dtype}, "
    text += f"b {trace.b_shape} {trace.b_dtype}"
    if trace.seconds is None:
        return text
    theirs, ours = duration(trace.seconds), duration(trace.other_seconds)
    return f"{text}; JAX {theirs} a run, smartsolve {ours}"


def calls(site: CallSite) -> str:
    """How many, if that was seen."""
    return "compiled" if site.traces and not site.calls else f"{site.calls:,}"


def measured_how(profile: Findings) -> str:
    """What was measured, and on how many calls."""
    sampled = sum(site.sampled for site in profile.sites if site.role != "inv")
    total = sum(site.calls for site in profile.sites if site.role != "inv")
    first, second = ("smartsolve", profile.library)
    if not profile.with_ours:
        first, second = second, first
    compiled = ", and JAX's solve compiled," * any(site.library == "JAX" for site in profile.sites)
    return (
        f"Every call was timed with {first} and its matrix looked at. {second}'s time was measured "
        f"on {sampled:,} of {total:,} calls, on the same operands, and scaled to all by {first}'s "
        f"time. LAPACK was loaded{compiled} before the clock was started. Child processes are not "
        "seen."
    )


def duration(seconds: float | None) -> str:
    """Three digits and a unit."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= 0.9995 * size:
            return f"{seconds / size:.{max(0, 3 - len(str(int(abs(seconds) / size))))}f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _entry(profile: Findings, site: CallSite) -> list[str]:
    theirs, ours = profile.times(site)
    saving = None if theirs is None or ours is None else theirs - ours
    lines = [
        "",
        f"{calls(site):>11}{duration(theirs):>11}{duration(ours):>12}{duration(saving):>11}"
        f"   {_where(site)}",
        f"{_INDENT}{site.text}",
    ]
    lines += [f"{_INDENT}{line}" for line in shapes(site)]
    if site.failed:
        lines.append(f"{_INDENT}{_plural(site.failed, 'call')} failed")
    lines += textwrap.wrap(
        f"-> {advice(site, profile.with_ours)}",
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT + "   ",
    )
    return lines


def _where(site: CallSite) -> str:
    inside = site.where.rpartition("<locals>.")[2]
    where = site.place if inside == "<module>" else f"{site.place} in {inside}"
    for parts in (3, 2, 1):
        if len(where) <= _WIDTH - 48:
            break
        where = ".../" + "/".join(where.split("/")[-parts:])
    return where


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
