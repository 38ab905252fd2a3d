"""Shape and scale of a gamma distribution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gmm.data.arrays import Array, Rows, dependent
from gmm.data.labels import is_pandas
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem
from gmm.inference.results import GMMResult

__all__ = ["Gamma"]


class Gamma(Model[GMMResult]):
    r"""Shape :math:`a` and scale :math:`s` of a gamma distribution.

    Parameters
    ----------
    x : (..., n) array_like
        Positive observations of one sample, or of many with leading axes.
    moments : sequence of {"mean", "log", "square", "inverse"}
        The conditions: :math:`E\,x = a s`, :math:`E \log x = \psi(a) + \log s`,
        :math:`E\,x^2 = a (a + 1) s^2`, :math:`E\,1/x = 1 / ((a - 1) s)`.

    Notes
    -----
    "mean" and "log" are the score: the estimate is that of maximum likelihood, and further
    moments add nothing in the limit. "inverse" needs a > 2 for its variance to exist. Each
    sample is reduced once to means and covariances of the four functions of x; no iteration
    touches the observations again.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> x = np.random.default_rng(4).gamma(2.5, 1.5, size=1000)
    >>> result = gmm.Gamma(x).fit()
    >>> result.params.round(3)
    array([2.383, 1.55 ])
    >>> from scipy import stats
    >>> shape, _, scale = stats.gamma.fit(x, floc=0)  # maximum likelihood
    >>> np.allclose(result.params, [shape, scale], rtol=1e-4)
    True
    """

    names = ("shape", "scale")
    default_initial: ClassVar[str] = "start"
    result_type = GMMResult

    def __init__(self, x: Any, *, moments: Sequence[str] = ("mean", "log")) -> None:
        self._conditions = self.moment_names = tuple(moments)
        for name in self._conditions:
            if name not in _CONDITIONS:
                valid = ", ".join(map(repr, _CONDITIONS))
                raise ValueError(f"moments name {name!r}; there are {valid}")
        if len(set(self._conditions)) < max(2, len(self._conditions)):
            raise ValueError(f"moments are {moments!r}; give two or more, each once")
        samples = dependent(x, "x")
        self.labelled = is_pandas(x)
        self.n, self.shape = samples.shape[-1], samples.shape[:-1]
        self._x = samples.reshape(-1, self.n)

    def problem(self, start: Array | None) -> tuple["GammaMoments", Array]:
        """What is estimated, by default from mean^2 / variance and variance / mean."""
        with np.errstate(all="ignore"):
            problem = GammaMoments.of(self._x, self._conditions)
            if start is None:
                start = problem.by_mean_and_variance()
        return problem, start


@dataclass(frozen=True, kw_only=True)
class GammaMoments(Problem):
    """g = f(x) - h(theta), by the mean (R, q) and the covariance (R, q, q) of f."""

    x: Array
    mean: Array
    spread: Array
    names: tuple[str, ...]

    @classmethod
    def of(cls, x: Array, names: tuple[str, ...]) -> "GammaMoments":
        """Reduce samples (R, n)."""
        n, q = x.shape[1], len(names)
        mean, spread = np.empty((len(x), q)), np.empty((len(x), q, q))
        problem = cls(
            samples=len(x),
            n=n,
            q=q,
            k=2,
            x=x,
            mean=mean,
            spread=spread,
            names=names,
            bounds=((0.0, None), (0.0, None)),
        )
        for span, index in problem.pieces():
            f = problem.functions(index)
            mean[span] = f.mean(axis=1)
            f -= mean[span, np.newaxis]
            spread[span] = f.swapaxes(1, 2) @ f / n
        return problem

    def by_mean_and_variance(self) -> Array:
        """The parameters (R, 2) of gamma distributions with the samples' means and variances."""
        x = self.x if self.rows is None else self.x[self.rows]
        mean, variance = x.mean(axis=1), x.var(axis=1)
        return np.stack([mean**2 / variance, variance / mean], axis=1)

    def other_starts(self, start: Array) -> list[Array]:
        """That by default."""
        return [self.by_mean_and_variance()]

    def functions(self, index: Rows | slice) -> Array:
        """f (r, n, q)."""
        return np.stack([_CONDITIONS[name].of_x(self.x[index]) for name in self.names], axis=-1)

    def expected(self, theta: Array) -> Array:
        """h (R, q)."""
        a, s = theta.T
        return np.stack([_CONDITIONS[name].expected(a, s) for name in self.names], axis=-1)

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """f - h (r, n, q)."""
        return self.functions(index) - self.expected(theta)[:, np.newaxis]

    def moments(self, theta: Array) -> Array:
        """The mean moments (R, q)."""
        return self._of_rows(self.mean) - self.expected(theta)

    def jacobian(self, theta: Array) -> Array:
        """-dh / dtheta (R, q, 2)."""
        a, s = theta.T
        rows = [np.stack(_CONDITIONS[name].slopes(a, s), axis=-1) for name in self.names]
        return -np.stack(rows, axis=1)

    def robust(self, theta: Array, center: bool) -> Array:
        """The covariance of f, and the mean moments' square unless centered."""
        spread = self._of_rows(self.spread)
        if center:
            return spread
        g = self.moments(theta)
        return spread + g[:, :, np.newaxis] * g[:, np.newaxis, :]

    def _of_rows(self, a: Array) -> Array:
        return a if self.rows is None else a[self.rows]


@dataclass(frozen=True)
class _Condition:
    """f(x), its expectation, and the derivatives of that by shape and scale."""

    of_x: Callable[[Array], Array]
    expected: Callable[[Array, Array], Array]
    slopes: Callable[[Array, Array], tuple[Array, Array]]


_CONDITIONS = {
    "mean": _Condition(lambda x: x, lambda a, s: a * s, lambda a, s: (s, a)),
    "log": _Condition(
        np.log,
        lambda a, s: special.digamma(a) + np.log(s),
        lambda a, s: (special.polygamma(1, a), 1 / s),
    ),
    "square": _Condition(
        np.square,
        lambda a, s: a * (a + 1) * s**2,
        lambda a, s: ((2 * a + 1) * s**2, 2 * a * (a + 1) * s),
    ),
    "inverse": _Condition(
        lambda x: 1 / x,
        lambda a, s: 1 / ((a - 1) * s),
        lambda a, s: (-1 / ((a - 1) ** 2 * s), -1 / ((a - 1) * s**2)),
    ),
}
_POWERS = {"mean": 1.0, "square": 2.0, "inverse": -1.0}


def asymptotic_cov(shape: float, scale: float, moments: Sequence[str] = ("mean", "log")) -> Array:
    r"""The limit (2, 2) of n times the covariance matrix of efficient estimates.

    :math:`(G' S^{-1} G)^{-1}`, with :math:`E x^p = s^p \Gamma(a + p) / \Gamma(a)` and
    :math:`\mathrm{cov}(x^p, \log x) = E x^p (\psi(a + p) - \psi(a))`.

    Maximum likelihood's for "mean" and "log": the inverse of [[psi'(a), 1/s], [1/s, a/s^2]].

    >>> asymptotic_cov(2.0, 1.0).round(3)
    array([[ 6.9, -3.45],
           [-3.45,  2.22]])
    """

    def power(p: float) -> float:
        return float(scale**p * special.poch(shape, p))

    def covariance(first: str, second: str) -> float:
        if first == second == "log":
            return float(special.polygamma(1, shape))
        if "log" in (first, second):
            p = _POWERS[second if first == "log" else first]
            return power(p) * float(special.digamma(shape + p) - special.digamma(shape))
        p, r = _POWERS[first], _POWERS[second]
        return power(p + r) - power(p) * power(r)

    s = np.array([[covariance(first, second) for second in moments] for first in moments])
    a, b = np.array(shape), np.array(scale)
    g = np.array([_CONDITIONS[name].slopes(a, b) for name in moments], dtype=np.float64)
    return np.asarray(np.linalg.inv(g.T @ np.linalg.solve(s, g)))
