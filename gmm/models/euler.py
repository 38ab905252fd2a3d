"""The consumption Euler equation of Hansen and Singleton."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmm.data.arrays import Array, Rows, columns, dependent, flattened
from gmm.data.labels import column_names, is_pandas
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem
from gmm.inference.results import GMMResult

__all__ = ["EulerEquation"]


class EulerEquation(Model[GMMResult]):
    r"""Discount factor and risk aversion from consumption growth and asset returns.

    .. math:: E_t\left[\beta\,(c_{t+1} / c_t)^{\alpha} R_{t+1} - 1\right] = 0

    Parameters
    ----------
    growth : (..., n) array_like or Series
        Gross growth of real consumption, :math:`c_{t+1} / c_t`, of one history or of many with
        leading axes.
    returns : (..., n) or (..., n, m) array_like, Series or DataFrame
        Gross real returns over the same periods, of one asset or of m.
    lags : int
        The instruments are a constant, and so many lags of growth and of each return.

    Notes
    -----
    Marginal utility is :math:`c^\alpha`, so relative risk aversion is :math:`-\alpha`; this is
    the parametrization of the source. The residual of every asset is multiplied with every
    instrument. It is a martingale difference, for which ``weights="robust"`` is right.

    References
    ----------
    .. [1] Hansen and Singleton (1982), Econometrica 50, 1269-1286; errata 52, 267-268.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(1)
    >>> growth = np.exp(0.002 + 0.004 * rng.standard_normal(240))
    >>> returns = growth / 0.997 * np.exp(0.04 * rng.standard_normal(240) - 0.0008)  # log utility
    >>> result = gmm.EulerEquation(growth, returns, lags=2).fit()
    >>> result.parameters, result.n, result.j_test.df
    (('alpha', 'beta'), 238, 3)
    >>> print(round(float(result.params[1]), 2))
    1.0
    """

    names = ("alpha", "beta")
    result_type = GMMResult

    def __init__(self, growth: Any, returns: Any, *, lags: int = 1) -> None:
        g = dependent(growth, "growth")
        r = columns(returns, "returns", g.shape)
        if not 0 <= lags < g.shape[-1] - 1:
            raise ValueError(f"lags is {lags}; it must be from 0 to {g.shape[-1] - 2}")
        if not r.shape[-1]:
            raise ValueError("returns have no columns")
        self.labelled = is_pandas(growth) or is_pandas(returns)
        self.shape = np.broadcast_shapes(g.shape[:-1], r.shape[:-2])
        self.n = g.shape[-1] - lags
        g, r = flattened(g, 1, self.shape), flattened(r, 2, self.shape)
        samples = math.prod(self.shape)
        g = np.broadcast_to(g, (samples, g.shape[1]))
        r = np.broadcast_to(r, (samples, *r.shape[1:]))
        assets = column_names(returns, "return", r.shape[-1])
        instruments, names = [np.ones((samples, self.n, 1))], ["1"]
        for lag in range(1, lags + 1):
            past = slice(lags - lag, lags - lag + self.n)
            instruments += [g[:, past, np.newaxis], r[:, past]]
            names += [f"growth.L{lag}", *(f"{asset}.L{lag}" for asset in assets)]
        self._z = np.concatenate(instruments, axis=-1)
        self._growth, self._returns = g[:, lags:], r[:, lags:]
        self.moment_names = tuple(f"{asset} x {name}" for asset in assets for name in names)
        if len(assets) == 1:
            self.moment_names = tuple(names)
        if len(self.moment_names) < 2:
            raise ValueError("one asset and no lags give one moment for two parameters")

    def problem(self, start: Array | None) -> tuple["EulerMoments", Array]:
        """What is estimated, by default from log utility without discount."""
        problem = EulerMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=len(self.moment_names or ()),
            k=2,
            growth=self._growth,
            returns=self._returns,
            z=self._z,
        )
        return problem, problem.log_utility() if start is None else start


@dataclass(frozen=True, kw_only=True)
class EulerMoments(Problem):
    """Every residual u (R, n, m) times every instrument z (R, n, l), assets first."""

    growth: Array
    returns: Array
    z: Array

    def log_utility(self) -> Array:
        """The parameters (R, 2) of log utility without discount."""
        return np.broadcast_to([-1.0, 1.0], (self.samples, 2)).copy()

    def other_starts(self, start: Array) -> list[Array]:
        """That by default."""
        return [self.log_utility()]

    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """u (r, n, m)."""
        return theta[:, 1, np.newaxis, np.newaxis] * self._priced(theta, index) - 1

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """u z (r, n, m l)."""
        u = self.residuals(theta, index)
        products = u[..., :, np.newaxis] * self.z[index][..., np.newaxis, :]
        return products.reshape(len(theta), self.n, self.q)

    def jacobian(self, theta: Array) -> Array:
        """Its derivatives (R, m l, 2) on average."""
        result = np.empty((len(theta), self.q, 2))
        for span, index in self.pieces():
            priced = self._priced(theta[span], index)
            beta = theta[span, 1, np.newaxis, np.newaxis]
            by_alpha = beta * priced * np.log(self.growth[index])[..., np.newaxis]
            for j, slope in enumerate((by_alpha, priced)):
                products = slope.swapaxes(1, 2) @ self.z[index] / self.n
                result[span, :, j] = products.reshape(len(products), self.q)
        return result

    def instrument_products(self) -> Array:
        """I x Z'Z / n (R, q, q): the same weight for every asset."""
        assets = self.returns.shape[-1]
        return _kronecker(
            np.broadcast_to(np.eye(assets), (self.samples, assets, assets)), self._zz()
        )

    def unadjusted(self, theta: Array) -> Array:
        """The residuals' covariance matrix times Z'Z / n."""
        parts = []
        for span, index in self.pieces():
            u = self.residuals(theta[span], index)
            parts.append(u.swapaxes(1, 2) @ u / self.n)
        return _kronecker(np.concatenate(parts), self._zz())

    def _priced(self, theta: Array, index: Rows | slice) -> Array:
        factor = self.growth[index] ** theta[:, 0, np.newaxis]
        product: Array = factor[..., np.newaxis] * self.returns[index]
        return product

    def _zz(self) -> Array:
        z = self.z if self.rows is None else self.z[self.rows]
        return z.swapaxes(1, 2) @ z / self.n


def _kronecker(a: Array, b: Array) -> Array:
    m, size = a.shape[1], b.shape[1]
    product: Array = np.einsum("rij,rkl->rikjl", a, b)
    return product.reshape(len(a), m * size, m * size)


@dataclass(frozen=True)
class Lognormal:
    """An economy in which the Euler equation holds, and every moment is known.

    Log growth x is an AR(1) around `mean` with coefficient `rho` and shocks of `sigma`; the log
    return is -log beta - alpha x - noise^2 / 2 + v with v ~ N(0, noise^2), independent of x.
    """

    alpha: float = -2.0
    beta: float = 0.95
    mean: float = 0.02
    rho: float = 0.5
    sigma: float = 0.1
    noise: float = 0.1

    def sample(self, rng: np.random.Generator, shape: Sequence[int]) -> tuple[Array, Array]:
        """Growth and returns (..., n), from the stationary distribution."""
        shocks = rng.standard_normal(tuple(shape)) * self.sigma
        x = np.empty(tuple(shape))
        x[..., 0] = shocks[..., 0] / math.sqrt(1 - self.rho**2)
        for t in range(1, x.shape[-1]):
            x[..., t] = self.rho * x[..., t - 1] + shocks[..., t]
        x += self.mean
        v = rng.standard_normal(x.shape) * self.noise
        log_return = -math.log(self.beta) - self.alpha * x - self.noise**2 / 2 + v
        return np.exp(x), np.exp(log_return)

    def asymptotic_cov(self) -> Array:
        """The limit (2, 2) of n times the covariance matrix, with one lag as instruments.

        u = exp(v - noise^2 / 2) - 1 is independent of x and of the past, so S = var(u) E zz' and
        G = [E z x_next, E z / beta]; z = exp(y) for y = (0, x, log R), which is normal.
        """
        variance = self.sigma**2 / (1 - self.rho**2)
        loading = np.array([0.0, 1.0, -self.alpha])
        level = -math.log(self.beta) - self.noise**2 / 2
        means = loading * self.mean + np.array([0.0, 0.0, level])
        covariance = variance * np.outer(loading, loading)
        covariance[2, 2] += self.noise**2
        # E exp(y_i + y_j), and E exp(y_i) x = E exp(y_i) (mean + cov(y_i, x)).
        sums = covariance.diagonal()[:, None] + covariance.diagonal() + 2 * covariance
        zz = np.exp(means[:, None] + means + sums / 2)
        ez = np.exp(means + covariance.diagonal() / 2)
        next_x = self.mean + self.rho * variance * loading
        g = np.stack([ez * next_x, ez / self.beta], axis=1)
        s = math.expm1(self.noise**2) * zz
        return np.asarray(np.linalg.inv(g.T @ np.linalg.solve(s, g)))
