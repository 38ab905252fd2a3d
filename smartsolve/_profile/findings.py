"""The findings of a recording, as plain data."""

import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .. import _core
from .recorder import Group, Recording, Role, Site, Trace
from .source import find_call

__all__ = ["CallSite", "Example", "Findings", "Systems", "examples", "our_solve"]


_LIBRARIES = {"numpy": "NumPy", "scipy": "SciPy", "torch": "PyTorch", "jax": "JAX"}


@dataclass(frozen=True)
class Systems:
    """Calls of one site with the same shapes and dtypes, and the structures of their matrices."""

    a_shape: tuple[int, ...]
    a_dtype: str
    b_shape: tuple[int, ...] | None
    b_dtype: str | None
    calls: int
    structures: dict[str, int]

    @property
    def n(self) -> int:
        """Order of the matrices."""
        return self.a_shape[-1]


@dataclass(frozen=True)
class CallSite:
    """One place in the program that calls one function.

    `seconds` is what all its calls took in the function that ran. `other_seconds` is what they
    would have taken in the other one: its time on the `sampled` calls, for which both ran on the
    same operands, times the ratio of all calls to the sampled ones in the time of the first. None
    if nothing could be compared. `matrices` counts the different ones, None if too many to tell.
    """

    file: str
    line: int
    column: int | None
    where: str
    text: str
    function: str
    role: Role
    calls: int
    failed: int
    seconds: float
    other_seconds: float | None
    sampled: int
    matrices: int | None
    full_rank: int
    multiplied: int | None
    multiplied_as: str | None
    operands: tuple[str, ...] | None  # their texts
    instead: str | None  # what the program's text could say
    is_dot: bool
    systems: tuple[Systems, ...]
    traces: tuple[Trace, ...]

    @property
    def structures(self) -> dict[str, int]:
        """Structures over all shapes, with their counts; the most frequent first."""
        counts: Counter[str] = Counter()
        for systems in self.systems:
            counts.update(systems.structures)
        return dict(counts.most_common())

    @property
    def library(self) -> str:
        """Whose function it is."""
        return _LIBRARIES[self.function.partition(".")[0]]

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, repr=False)
class Findings:
    """The data of a `Profile`: what a program solved, where, and what it would cost otherwise.

    With `with_ours` the program ran with `smartsolve.solve`, and NumPy's time is the estimate.
    """

    program: str
    seconds: float
    overhead: float
    sites: tuple[CallSite, ...]
    with_ours: bool = False

    @classmethod
    def of(
        cls, recording: Recording, program: str, seconds: float, with_ours: bool = False
    ) -> Self:
        """Sites by the time they took; those of `inv` and `lstsq` only if they are findings."""
        sites = [_call_site(site) for site in list(recording.sites.values())]
        found = [site for site in sites if site.role == "solve" or site.systems]
        found.sort(key=lambda site: (site.role != "solve", -site.seconds))
        return cls(program, seconds, recording.overhead, tuple(found), with_ours)

    @property
    def solves(self) -> tuple[CallSite, ...]:
        """The sites that call a solve."""
        return tuple(site for site in self.sites if site.role == "solve")

    @property
    def library(self) -> str:
        """Whose functions were called, if they are one library's."""
        libraries = {site.library for site in self.sites}
        return libraries.pop() if len(libraries) == 1 else "original"

    def times(self, site: CallSite) -> tuple[float | None, float | None]:
        """NumPy's (or SciPy's) time and ours; None for what did not run."""
        pair = (site.seconds if site.calls else None, site.other_seconds)
        return (pair[1], pair[0]) if self.with_ours and site.role == "solve" else pair


@dataclass(frozen=True)
class Example:
    """Which systems one stands for: where they are solved, how often, in how many seconds."""

    place: str
    calls: int
    seconds: float
    structure: str  # the most frequent one


def examples(
    recording: Recording,
) -> list[tuple[Example, tuple[npt.NDArray[Any], npt.NDArray[Any]]]]:
    """What was kept of each call site and shape; those that took longest first."""
    found = []
    for site in recording.sites.values():
        for group in site.groups.values():
            group.settle()
            if group.example is None or not group.calls or site.role != "solve":
                continue
            place = f"{_short_path(site.code.co_filename)}:{site.line}"
            structure = _core.kinds()[int(np.argmax(group.kinds))]
            example = Example(place, group.calls, group.seconds, structure)
            found.append((example, group.example))
    return sorted(found, key=lambda pair: -pair[0].seconds)


def _call_site(site: Site) -> CallSite:
    ours = our_solve(site.function)
    call = find_call(site.code, site.instruction, site.line, ours)
    instead = call.instead if site.is_direct else None
    groups = list(site.groups.values())
    for group in groups:
        group.settle()
    sampled = sum(group.sampled for group in groups)
    return CallSite(
        file=_short_path(site.code.co_filename),
        line=site.line,
        column=call.column,
        where=site.code.co_qualname,
        text=call.text,
        function=site.function,
        role=site.role,
        calls=sum(group.calls for group in groups) + site.other_calls,
        failed=site.failed,
        seconds=sum(group.seconds for group in groups) + site.other_seconds,
        other_seconds=_estimate(groups, site.other_seconds),
        sampled=sampled,
        matrices=_different(groups),
        full_rank=sum(group.full_rank for group in groups),
        multiplied=call.multiplied,
        multiplied_as=call.name,
        operands=call.operands,
        instead=_by_its_rules(instead, groups) if "torch" in ours else instead,
        is_dot=call.is_dot,
        systems=tuple(map(_systems, groups)),
        traces=tuple(site.traces.values()),
    )


def our_solve(function: str) -> str:
    """What stands for another library's solve."""
    package = function.partition(".")[0]
    return f"smartsolve.{package}.solve" if package in ("torch", "jax") else "smartsolve.solve"


def _by_its_rules(call: str | None, groups: list[Group]) -> str | None:
    """PyTorch takes (m, n) for m vectors where a is (m, n, n)."""
    if call and any(group.b_shape == group.a_shape[:-1] != group.a_shape[-1:] for group in groups):
        return f"{call[:-1]}, shape_rules='torch')"
    return call


def _systems(group: Group) -> Systems:
    return Systems(
        group.a_shape,
        group.kind_of_arrays,
        group.b_shape,
        None if group.b_dtype is None else str(group.b_dtype),
        group.calls,
        group.structures,
    )


def _estimate(groups: list[Group], unsampled: float) -> float | None:
    """Group by group: a site may solve small and large systems, at different ratios."""
    total = unsampled  # calls that only their own library understands would go there again
    for group in groups:
        if not group.calls:
            continue
        if not group.sampled_seconds:
            return None
        total += group.seconds * group.other_seconds / group.sampled_seconds
    return total if any(group.sampled for group in groups) else None


def _different(groups: list[Group]) -> int | None:
    if any(group.unremembered for group in groups):
        return None
    return sum(len(group.matrices) for group in groups)


def _short_path(file: str) -> str:
    """Relative to the working directory, or to where packages are installed."""
    if "ipython-input-" in file or "ipykernel_" in file:
        return "cell"
    path = Path(file)
    if not path.is_absolute():
        return file
    shorter = [
        str(path.relative_to(directory))
        for directory in {os.getcwd(), *sys.path}
        if directory and path.is_relative_to(directory)
    ]
    return min([file, *shorter], key=len)
