"""Sets of values that a test accepts: they need be neither bounded, nor connected."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.labelled import PerSample

__all__ = ["ConfidenceSet"]


@dataclass(frozen=True)
class ConfidenceSet:
    """The values of one parameter that a test does not reject, for one sample or for many.

    Attributes
    ----------
    name, parameter : str
        The test that was inverted, and the parameter.
    level : float
        Nominal coverage.
    intervals : (..., m, 2) ndarray
        Disjoint intervals in ascending order, unbounded ends as infinities; what is not used is
        NaN. A single sample has no unused ones: an empty set has shape (0, 2).
    missing : (...) bool
        Where there is no set, as it could not be computed.
    reason : str
        Why a single sample has none.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rays = gmm.ConfidenceSet("AR", "w", 0.95, np.array([[-np.inf, 1.0], [2.5, np.inf]]))
    >>> print(rays)
    95 % AR set of w: (-inf, 1] or [2.5, inf)
    >>> rays.contains([0.0, 2.0]), rays.bounded, rays.empty
    (array([ True, False]), np.False_, np.False_)
    """

    name: str
    parameter: str
    level: float
    intervals: Array
    missing: Any = False
    reason: str = ""

    @property
    def bounded(self) -> PerSample:
        """Whether (...) all ends are finite; an empty set is bounded, a missing one is not."""
        return ~np.isinf(self.intervals).any(axis=(-2, -1)) & ~np.asarray(self.missing)

    @property
    def empty(self) -> PerSample:
        """Whether (...) no value is accepted; a missing set accepts and rejects none."""
        return np.isnan(self.intervals).all(axis=(-2, -1)) & ~np.asarray(self.missing)

    @property
    def length(self) -> PerSample:
        """The total length (...) of the intervals; NaN where the set is missing."""
        total = np.nansum(self.intervals[..., 1] - self.intervals[..., 0], axis=-1)
        return np.where(self.missing, np.nan, total)[()]

    def contains(self, value: npt.ArrayLike) -> PerSample:
        """Whether (...) each value is in the set of its sample."""
        x = np.asarray(value, dtype=np.float64)[..., np.newaxis]
        lower, upper = self.intervals[..., 0], self.intervals[..., 1]
        return ((lower <= x) & (x <= upper)).any(axis=-1)

    def __str__(self) -> str:
        head = f"{100 * self.level:g} % {self.name} set of {self.parameter}"
        if self.intervals.ndim > 2:
            empty, bounded = self.empty, self.bounded & ~self.empty
            missing = np.count_nonzero(np.broadcast_to(self.missing, empty.shape))
            unbounded = empty.size - missing - np.count_nonzero(self.bounded)
            return (
                f"{head}: {empty.size:,} samples, {np.count_nonzero(bounded):,} bounded, "
                f"{unbounded:,} unbounded, {np.count_nonzero(empty):,} empty"
                + (f", {missing:,} missing" if missing else "")
            )
        if self.missing:
            return f"{head}: none, {self.reason or 'it could not be computed'}"
        return f"{head}: {self._text('-inf', 'inf', ' or ')}"

    def _text(self, below: str, above: str, between: str) -> str:
        if not len(self.intervals):
            return "empty"
        parts = []
        for low, high in self.intervals:
            left = f"({below}" if np.isinf(low) else f"[{low:.6g}"
            right = f"{above})" if np.isinf(high) else f"{high:.6g}]"
            parts.append(f"{left}, {right}")
        return between.join(parts)

    def _repr_html_(self) -> str:
        text = str(self).replace("-inf", "&minus;&infin;").replace("inf", "&infin;")
        return f"<div>{text}</div>"

    def to_latex(self) -> str:
        """The set in mathematical notation."""
        if self.intervals.ndim > 2:
            raise ValueError(f"there are {self.empty.size} sets; LaTeX shows one")
        if self.missing:
            return f"none, {self.reason or 'it could not be computed'}"
        if not len(self.intervals):
            return r"$\emptyset$"
        text = self._text(r"-\infty", r"\infty", r" \cup ")
        return f"${text}$"


def below(a: Array, b: Array, c: Array) -> Array:
    """The x with a x^2 - 2 b x + c <= 0, as (R, 2, 2) intervals; what is not used is NaN."""
    result = np.full((len(a), 2, 2), np.nan)
    with np.errstate(all="ignore"):
        root = np.sqrt(b * b - a * c)
        # The root that does not cancel, and the other from the product of both.
        far = b + np.copysign(root, b)
        ends = np.sort(np.stack([far / a, c / far], axis=-1), axis=-1)
    crossing = np.isfinite(root)
    inside, outside = crossing & (a > 0), crossing & (a < 0)
    result[inside, 0] = ends[inside]
    result[outside, 0, 0], result[outside, 0, 1] = -np.inf, ends[outside, 0]
    result[outside, 1, 0], result[outside, 1, 1] = ends[outside, 1], np.inf
    double = outside & (ends[:, 0] == ends[:, 1])
    result[double] = [[-np.inf, np.inf], [np.nan, np.nan]]
    line = (a == 0) & (b != 0)
    with np.errstate(all="ignore"):
        edge = c / (2 * b)
    result[line, 0, 0] = np.where(b > 0, edge, -np.inf)[line]
    result[line, 0, 1] = np.where(b > 0, np.inf, edge)[line]
    everything = (~crossing & (a < 0)) | ((a == 0) & (b == 0) & (c <= 0))
    everything &= np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    result[everything, 0] = -np.inf, np.inf
    return result


def union(*sets: Array) -> Array:
    """Disjoint intervals (R, m, 2) of several sets in ascending order."""
    together = np.concatenate(sets, axis=1)
    order = np.argsort(together[..., 0], axis=1, kind="stable")  # NaN come last
    return np.take_along_axis(together, order[..., np.newaxis], axis=1)


def shaped(intervals: Array, shape: tuple[int, ...]) -> Array:
    """With the leading axes of the data; a single sample without what is not used."""
    if shape:
        return intervals.reshape(*shape, *intervals.shape[1:])
    return used(intervals.reshape(-1, 2))


def used(intervals: Array) -> Array:
    """The intervals (m, 2) of one sample that are not NaN."""
    return intervals[~np.isnan(intervals[:, 0])]
