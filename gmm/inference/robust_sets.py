"""Confidence sets of a single endogenous regressor with any covariance matrix of the moments.

The moments of the reduced form are linear in b = (1, -beta), so that their covariance matrix is
quadratic in it, whatever estimates it: one matrix of the moments of y and of W serves every beta.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, beside
from gmm.estimation.hac import HAC
from gmm.estimation.linear import inverse_each, root_each, solve_each
from gmm.inference.instrument_strength import covariance_of, flat
from gmm.inference.projections import LinearModel, Projections, residuals

# Points on each of the three grids on which statistics are looked at between two sets' ends.
_POINTS = 200
_PARTS = 0.5, 1 / 6, 5 / 6
# Covariance matrices of so many bytes are looked at together.
_CACHE_BYTES = 2**18


@dataclass(frozen=True)
class Moments:
    """Means (R, 2, l) of the instruments' moments with y and with W, and their S (R, 2l, 2l)."""

    n: int
    mean: Array
    s: Array

    @classmethod
    def of(cls, model: LinearModel, cov: Any, residual: bool) -> "Moments":
        """Those of all samples; S of what X and Z leave of both, or centered about the means.

        The former is the unrestricted regression's, which Anderson and Rubin's test has, the
        latter that of GMM.
        """
        if isinstance(cov, HAC) and (isinstance(cov.bandwidth, str) or cov.prewhiten):
            raise ValueError(
                f"cov is {cov}: a bandwidth of its own, or prewhitening, depends on the null; a "
                "confidence set needs a number, such as HAC('bartlett', 4)"
            )
        if not isinstance(cov, HAC) and cov not in ("robust", "cluster", "cluster-ways"):
            raise ValueError(
                f"cov is {cov!r}; for a confidence set it is 'unadjusted', 'robust', 'cluster' "
                "or HAC with a bandwidth"
            )
        both = residuals(beside(model.y[..., np.newaxis], model.endog), model.exog)
        z = residuals(model.instruments, model.exog)
        rest = residuals(both, z) if residual else both
        z, both, rest = flat(model, z), flat(model, both), flat(model, rest)
        mean = both.swapaxes(1, 2) @ z / model.n
        g = np.concatenate([z * rest[..., :1], z * rest[..., 1:]], axis=2)
        s = covariance_of(g, cov, model.clusters, center=not residual)
        return cls(model.n, mean, s)

    def usable(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) S is the covariance matrix of something: of two ways it may not be."""
        r, _, count = self.mean.shape
        together = np.concatenate([self.s.reshape(r, -1), self.mean.reshape(r, -1)], axis=1)
        finite = np.asarray(np.isfinite(together).all(axis=1))
        s = np.where(finite[:, None, None], self.s, np.eye(2 * count))
        scale = np.sqrt(np.maximum(np.diagonal(s, axis1=1, axis2=2), np.finfo(float).tiny))
        s = s / (scale[:, :, None] * scale[:, None, :])
        regular = np.ones(len(s), bool)
        for part in (s[:, :count, :count], s[:, count:, count:]):
            regular &= np.linalg.eigvalsh(part)[:, 0] > 1e-12
        return finite & regular & (np.linalg.eigvalsh(s)[:, 0] > -1e-9)

    def take(self, rows: npt.NDArray[np.intp]) -> "Moments":
        """Those of some of the samples, again and again if they are named so."""
        return Moments(self.n, self.mean[rows], self.s[rows])

    def at(self, b: Array, a: Array) -> tuple[Array, Array]:
        """b'mean (R, l), and the covariance (R, l, l) of the moments of b and of a, both (R, 2)."""
        r, _, count = self.mean.shape
        blocks = self.s.reshape(r, 2, count, 2, count)
        return (b[:, np.newaxis] @ self.mean)[:, 0], np.einsum(
            "ri,ripjq,rj->rpq", b, blocks, a, optimize=True
        )


def anderson_rubin_ends(
    parts: Moments, bound: float, factor: float
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The beta with n factor g'S^-1 g <= bound, as sorted ends and whether infinity is inside.

    bound S(beta) - n factor g g' has one negative eigenvalue where the test rejects, and none
    where it accepts. Between them its determinant is zero: the ends are the real eigenvalues of
    a quadratic matrix polynomial.
    """
    r, _, count = parts.mean.shape
    # In units in which both kinds of moments are of one size.
    blocks = parts.s.reshape(r, 2, count, 2, count)
    scale = np.sqrt(np.einsum("ripip->ri", blocks))
    outer = np.einsum("rip,rjq->ripjq", parts.mean, parts.mean, optimize=True)
    form = bound * blocks - parts.n * factor * outer
    form = form / (scale[:, :, None, None, None] * scale[:, None, None, :, None])
    m0, m2 = form[:, 0, :, 0], form[:, 1, :, 1]
    m1 = -(form[:, 0, :, 1] + form[:, 1, :, 0])
    companion = np.zeros((r, 2 * count, 2 * count))
    companion[:, :count, count:] = np.eye(count)
    companion[:, count:, :count] = -solve_each(m2, m0)
    companion[:, count:, count:] = -solve_each(m2, m1)
    bad = np.asarray(~np.isfinite(companion.reshape(r, -1)).all(axis=1))
    companion[bad] = 0.0
    values = np.asarray(np.linalg.eigvals(companion))
    ends = np.where(values.imag == 0, values.real, np.nan) * (scale[:, 0] / scale[:, 1])[:, None]
    ends[bad] = np.nan
    smallest = np.linalg.eigvalsh(np.where(bad[:, None, None], 0.0, m2))[:, 0]
    return np.sort(ends, axis=1), ~bad & (smallest >= 0)


def searched_ends(
    model: LinearModel, parts: Moments, rejects: Callable[[Array, Array, Array], Array]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The beta at which a statistic of K, S and the strength accepts (`rejects` <= 0).

    Looked for along all directions b, infinity among them, on grids that are fine where the
    statistics move; where K is zero between two points, which can be in a small set, is found by
    the sign of the score. The ends are bisected.
    """
    root, turned, strength = _natural(Projections.of(model))
    r = len(root)
    # Each has points of its own where the instruments are so weak that all are even.
    u, v, w = ((np.arange(_POINTS) + part) / _POINTS * np.pi - np.pi / 2 for part in _PARTS)
    width = 1 / np.sqrt(1 + strength)[:, np.newaxis]
    grid = [np.broadcast_to(u, (r, _POINTS)), np.arctan(width * np.tan(v)),
            np.arctan(np.tan(w) / width)]  # fmt: skip
    angles = np.sort(np.concatenate(grid, axis=1), axis=1)

    size = max(1, _CACHE_BYTES // (8 * parts.mean.shape[2] ** 2))

    def look(rows: npt.NDArray[np.intp], angle: Array) -> tuple[Array, Array]:
        found = np.empty((4, len(rows)))
        for first in range(0, len(rows), size):
            own = rows[first : first + size]
            span = slice(first, first + len(own))
            found[:, span] = _along(parts.take(own), root[own], turned[own], angle[span])
        k, s, t, score = found
        return rejects(k, s, t), score

    rows = np.repeat(np.arange(r), angles.shape[1])
    value, score = (a.reshape(r, -1) for a in look(rows, angles.ravel()))
    # A turn by pi is the same direction.
    angles = np.concatenate([angles, angles[:, :1] + np.pi], axis=1)
    value = np.concatenate([value, value[:, :1]], axis=1)
    score = np.concatenate([score, score[:, :1]], axis=1)
    out = ~(value <= 0)
    i, j = np.nonzero(out[:, :-1] & out[:, 1:] & (score[:, :-1] * score[:, 1:] < 0))
    left, right = angles[i, j], angles[i, j + 1]
    middle = _bisected(lambda x: look(i, x)[1], left, right)
    inside = look(i, middle)[0] <= 0
    i, left, right, middle = i[inside], left[inside], right[inside], middle[inside]
    m, c = np.nonzero(out[:, :-1] != out[:, 1:])
    sample = np.concatenate([m, i, i])
    begin = np.concatenate([angles[m, c], left, middle])
    end = np.concatenate([angles[m, c + 1], middle, right])
    edge = _bisected(lambda x: look(sample, x)[0], begin, end)
    b = _direction(root[sample], turned[sample], edge)
    ends = np.full((r, max(np.bincount(sample, minlength=max(r, 1)).max(initial=0), 1)), np.nan)
    order = np.argsort(sample, kind="stable")
    place = np.arange(len(order)) - np.searchsorted(sample[order], sample[order])
    with np.errstate(all="ignore"):
        ends[sample[order], place] = (-b[:, 1] / b[:, 0])[order]
    k, s, t, _ = _statistics(parts, np.tile([0.0, 1.0], (r, 1)), np.tile([1.0, 0.0], (r, 1)))
    return np.sort(ends, axis=1), rejects(k, s, t) <= 0


def intervals_of(
    ends: Array, infinity: npt.NDArray[np.bool_]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Intervals (R, m, 2) between sorted ends (R, e), at each of which a set begins or stops.

    And where (R,) their number contradicts what holds at infinity.
    """
    r, count = len(ends), np.isfinite(ends).sum(axis=1)
    points = np.full((r, ends.shape[1] + 2 + ends.shape[1] % 2), np.nan)
    points[~infinity, : ends.shape[1]] = ends[~infinity]
    points[infinity, 1 : 1 + ends.shape[1]] = ends[infinity]
    points[infinity, 0] = -np.inf
    points[infinity, count[infinity] + 1] = np.inf
    return points.reshape(r, -1, 2), count % 2 == 1


def _natural(parts: Projections) -> tuple[Array, Array, Array]:
    """A root of Y'MY, the directions in which Y'PY is diagonal then, and the strength.

    In these the first direction is LIML's estimate.
    """
    with np.errstate(all="ignore"):
        root = root_each(parts.off)
        half = solve_each(root, parts.on)
        c = solve_each(root, half.swapaxes(1, 2))
    bad = ~np.isfinite(c).all(axis=(1, 2))
    c[bad] = np.eye(2)
    values, vectors = np.linalg.eigh((c + c.swapaxes(1, 2)) / 2)
    root[bad] = np.eye(2)
    return root, np.asarray(vectors), parts.df * np.maximum(np.asarray(values)[:, 1], 0.0)


def _direction(root: Array, turned: Array, angle: Array) -> Array:
    """b (R, 2) of an angle from LIML's direction."""
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    b = (turned @ around[..., np.newaxis])[..., 0]
    return solve_each(np.ascontiguousarray(root.swapaxes(1, 2)), b[..., np.newaxis])[..., 0]


def _along(
    parts: Moments, root: Array, turned: Array, angle: Array
) -> tuple[Array, Array, Array, Array]:
    return _statistics(
        parts,
        _direction(root, turned, angle),
        _direction(root, turned, angle + np.pi / 2),
    )


def _statistics(parts: Moments, b: Array, a: Array) -> tuple[Array, Array, Array, Array]:
    """K, S, the strength and the score (R,) for the direction b, of which a is another one.

    As in `weak_instruments`: what the moments of a have beside those of b does not depend on a.
    """
    with np.errstate(all="ignore"):
        g, v = parts.at(b, b)
        slope, cross = parts.at(a, b)
        _, own = parts.at(a, a)
        turned = solve_each(v, np.concatenate([g[..., None], cross.swapaxes(1, 2)], axis=2))
        d = slope - (cross @ turned[..., :1])[..., 0]
        left = own - cross @ turned[..., 1:]
        weighted = (d[:, None] @ inverse_each(v))[:, 0]
        score = (weighted * g).sum(axis=1)
        k = parts.n * score**2 / (weighted * d).sum(axis=1)
        s = parts.n * (g * turned[..., 0]).sum(axis=1)
        strength = parts.n * (d * solve_each(left, d[..., None])[..., 0]).sum(axis=1)
    return k, s, strength, score


def _bisected(function: Callable[[Array], Array], left: Array, right: Array) -> Array:
    """Where a function changes its sign between two points, to rounding."""
    if not len(left):
        return left
    begins = ~(function(left) <= 0)
    for _ in range(60):
        middle = (left + right) / 2
        same = ~(function(middle) <= 0) == begins
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return (left + right) / 2
