"""Covariance matrices of the estimates, and small-sample factors, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.linear import inverse_each, solve_each


@dataclass(frozen=True)
class Ingredients:
    """What the formulas need: G (R, q, k), the weights W and S (R, q, q), and n."""

    jacobian: Array
    weights: Array
    s: Array
    n: int


def sandwich(parts: Ingredients) -> Array:
    """(G'WG)^-1 G'W S W G (G'WG)^-1 / n (R, k, k), right for any weights.

    With as many moments as parameters it is G^-1 S G'^-1 / n, and W drops out.
    """
    g = parts.jacobian
    if g.shape[1] == g.shape[2]:
        half = solve_each(g, parts.s)
        return _symmetric(solve_each(g, half.swapaxes(1, 2)) / parts.n)
    weighted = g.swapaxes(1, 2) @ parts.weights
    bread = inverse_each(_symmetric(weighted @ g))
    meat = weighted @ parts.s @ weighted.swapaxes(1, 2)
    return _symmetric(bread @ meat @ bread / parts.n)


def efficient(parts: Ingredients) -> Array:
    """(G' S^-1 G)^-1 / n (R, k, k), for weights that estimate S^-1; S at the estimate."""
    g = parts.jacobian
    if g.shape[1] == g.shape[2]:
        return sandwich(parts)
    return _symmetric(inverse_each(_symmetric(g.swapaxes(1, 2) @ solve_each(parts.s, g))) / parts.n)


def by_weights(parts: Ingredients) -> Array:
    """(G'WG)^-1 / n (R, k, k), for weights that estimate S^-1; those of the last step."""
    g = parts.jacobian
    if g.shape[1] == g.shape[2]:
        return sandwich(parts)
    return _symmetric(inverse_each(_symmetric(g.swapaxes(1, 2) @ parts.weights @ g)) / parts.n)


FORMULAS: dict[str, Callable[[Ingredients], Array]] = {
    "sandwich": sandwich,
    "efficient": efficient,
    "weights": by_weights,
}


@dataclass(frozen=True)
class SmallSample:
    """A factor on the covariance matrix, and the degrees of freedom of t, of n, k and groups G.

    `each_way` tells that S has a factor G / (G - 1) for each of its parts already.
    """

    factor: Callable[[int, int, int], float]
    df: Callable[[int, int, int], float]
    needs_clusters: bool = False
    each_way: bool = False


SMALL_SAMPLE: dict[str, SmallSample] = {
    # linearmodels' debiased=True, Stata's option small.
    "df": SmallSample(lambda n, k, g: n / (n - k), lambda n, k, g: n - k),
    # The same two with clusters; t(G - 1) as in Stata.
    "cluster": SmallSample(
        lambda n, k, g: g / (g - 1) * (n - 1) / (n - k), lambda n, k, g: g - 1, True
    ),
    # linearmodels with two ways, pyfixest's G_df="conventional".
    "cluster-ways": SmallSample(
        lambda n, k, g: (n - 1) / (n - k), lambda n, k, g: g - 1, True, True
    ),
    # R's vcovCL for whatever is not lm.
    "groups": SmallSample(lambda n, k, g: 1.0, lambda n, k, g: g - 1, True, True),
}


def correction(
    name: str | None, n: int, k: int, clusters: npt.NDArray[np.intp] | None
) -> tuple[float, float | None, bool]:
    """The factor, the degrees of freedom of t if it is t, and whether S has factors of its own.

    Of two groupings the coarser counts.
    """
    if name is None:
        return 1.0, None, False
    rule, groups = SMALL_SAMPLE[name], 0
    if clusters is not None:
        groups = min(len(np.unique(column)) for column in clusters.T)
    elif rule.needs_clusters:
        raise ValueError(f"small_sample is {name!r}; it needs the model's argument clusters")
    if n <= k:
        raise ValueError(f"small_sample needs more than {n} observations for {k} parameters")
    return rule.factor(n, k, groups), rule.df(n, k, groups), rule.each_way


def _symmetric(a: Array) -> Array:
    result: Array = (a + a.swapaxes(-1, -2)) / 2
    return result


def mended(cov: Array, indefinite: str) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Matrices (R, k, k) that are differences, without negative variances; which (R, k) lack them.

    With "nearest" negative eigenvalues become zero (Cameron, Gelbach and Miller 2011, section
    2.3); with "nan" rows and columns of negative variances are NaN.
    """
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(cov).all(axis=(1, 2)))
    lacking = (np.diagonal(cov, axis1=1, axis2=2) < 0) & known[:, np.newaxis]
    if indefinite == "nearest" and known.any():
        rows = np.flatnonzero(known)
        values, vectors = np.linalg.eigh(cov[rows])
        bad = values[:, 0] < 0
        values, vectors = np.maximum(values[bad], 0.0), vectors[bad]
        cov, lacking = cov.copy(), np.zeros_like(lacking)
        cov[rows[bad]] = (vectors * values[:, np.newaxis]) @ vectors.swapaxes(1, 2)
    elif lacking.any():
        cov = np.where(lacking[:, :, np.newaxis] | lacking[:, np.newaxis], np.nan, cov)
    return cov, lacking


def is_usable(cov: Array, lacking: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which matrices (R, k, k) are finite and have no negative variance, but for what lacks one."""
    variances = np.diagonal(cov, axis1=1, axis2=2)
    gaps = lacking[:, :, np.newaxis] | lacking[:, np.newaxis]
    finite = (np.isfinite(cov) | gaps).all(axis=(1, 2))
    return np.asarray(finite & ((variances >= 0) | lacking).all(axis=1))
