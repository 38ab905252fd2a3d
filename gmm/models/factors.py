"""Linear factor models of asset returns."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmm.data.arrays import Array, Rows, columns, flattened
from gmm.data.instruments import some
from gmm.data.labels import check_rows, column_names, float_array, is_pandas
from gmm.estimation.linear import solve_each
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem
from gmm.inference.results import GMMResult

__all__ = ["LinearFactorModel"]


class LinearFactorModel(Model[GMMResult]):
    r"""Betas and risk premia of asset returns, by GMM.

    .. math::

        E\,[1\ f_t]' \otimes (r_t - \lambda_0 - B (f_t - \mu) - B \lambda) = 0, \qquad
        E\,(f_t - \mu) = 0

    Parameters
    ----------
    portfolios : (..., n, p) array_like or DataFrame
        Returns; in excess of the riskless one unless `risk_free`.
    factors : (..., n, m) array_like or DataFrame
        At least as many portfolios as factors, and one more with `risk_free`.
    risk_free : bool
        Whether to estimate the riskless return :math:`\lambda_0`.

    Notes
    -----
    The parameters are ``"portfolio: factor"`` for the betas, ``"premium: factor"`` for
    :math:`\lambda`, ``"mean: factor"`` for :math:`\mu`. J tests that all pricing errors are zero.
    The search begins at the estimates of time-series and cross-section regressions, and by
    default with the weights that follow from them.

    References
    ----------
    .. [1] Cochrane (2005), Asset Pricing, section 12.2.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(7)
    >>> market = 0.6 + 4 * rng.standard_normal((600, 1))
    >>> returns = market * [0.8, 1.0, 1.3] + rng.standard_normal((600, 3))
    >>> result = gmm.LinearFactorModel(returns, market).fit(center=True)
    >>> dict(zip(result.parameters, result.params.round(2).tolist()))
    {'p0: f0': 0.8, 'p1: f0': 1.0, 'p2: f0': 1.31, 'premium: f0': 0.06, 'mean: f0': 0.07}
    >>> print(result.j_test)
    J test of overidentifying restrictions
    H0: all moment conditions hold
    chi2(2) = 2.85196, p = 0.2403
    """

    default_initial = "start"
    result_type = GMMResult

    def __init__(self, portfolios: Any, factors: Any, risk_free: bool = False) -> None:
        check_rows(portfolios=portfolios, factors=factors)
        self.returns = float_array(portfolios, "portfolios")
        if self.returns.ndim < 2:
            raise ValueError(f"portfolios has shape {self.returns.shape}; it must be (..., n, p)")
        self.n, p = self.returns.shape[-2:]
        self.factors = columns(factors, "factors", self.returns.shape[:-1])
        m = self.factors.shape[-1]
        if p < m + risk_free:
            raise ValueError(f"{p} portfolios cannot identify {m + risk_free} risk premia")
        self.shape = np.broadcast_shapes(self.returns.shape[:-2], self.factors.shape[:-2])
        self.labelled = is_pandas(portfolios) or is_pandas(factors)
        self.risk_free = bool(risk_free)
        self.portfolio_names = column_names(portfolios, "p", p)
        self.factor_names = column_names(factors, "f", m)
        premia = (*(["risk_free"] if risk_free else []), *self.factor_names)
        self.names = (
            *(f"{a}: {f}" for a in self.portfolio_names for f in self.factor_names),
            *(f"premium: {f}" for f in premia),
            *(f"mean: {f}" for f in self.factor_names),
        )
        self.moment_names = (
            *(f"{a}: {f}" for a in self.portfolio_names for f in ("const", *self.factor_names)),
            *(f"mean: {f}" for f in self.factor_names),
        )

    def problem(self, start: Array | None) -> tuple["FactorMoments", Array]:
        """What is estimated, and the regressions' estimates for a start."""
        p, m = len(self.portfolio_names), len(self.factor_names)
        problem = FactorMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=p * (m + 1) + m,
            k=p * m + m + self.risk_free + m,
            returns=flattened(self.returns, 2, self.shape),
            factors=flattened(self.factors, 2, self.shape),
            risk_free=self.risk_free,
        )
        return problem, problem.regressions() if start is None else start


@dataclass(frozen=True, kw_only=True)
class FactorMoments(Problem):
    """The conditions of `LinearFactorModel`."""

    returns: Array
    factors: Array
    risk_free: bool

    def regressions(self) -> Array:
        """Betas of every asset, premia of the mean returns on the betas, means (R, k)."""
        r, f = self.returns, self.factors
        mean, average = f.mean(axis=1), r.mean(axis=1)
        d = f - mean[:, np.newaxis]
        slopes = solve_each(d.swapaxes(1, 2) @ d, d.swapaxes(1, 2) @ (r - average[:, np.newaxis]))
        betas = slopes.swapaxes(1, 2)
        x = betas
        if self.risk_free:
            x = np.concatenate([np.ones((*betas.shape[:2], 1)), betas], axis=2)
        average = np.broadcast_to(average, x.shape[:2])[..., np.newaxis]
        premia = solve_each(x.swapaxes(1, 2) @ x, x.swapaxes(1, 2) @ average)[..., 0]
        parts = [
            betas.reshape(len(betas), -1),
            premia,
            np.broadcast_to(mean, premia.shape[:1] + mean.shape[1:]),
        ]
        start = np.concatenate(parts, axis=1)
        return np.array(np.broadcast_to(start, (self.samples, start.shape[1])))

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """[1 f] times each asset's error, then f - mu (r, n, q)."""
        r, f = some(self.returns, index), some(self.factors, index)
        betas, premia, mean = self._parts(theta)
        shifted = f - mean[:, np.newaxis] + premia[:, np.newaxis, self.risk_free :]
        errors = r - shifted @ betas.swapaxes(1, 2)
        if self.risk_free:
            errors = errors - premia[:, np.newaxis, :1]
        result = np.empty((len(theta), self.n, self.q))
        m, last = f.shape[2], errors.shape[2] * (f.shape[2] + 1)
        result[..., 0 : last : m + 1] = errors
        for j in range(m):
            result[..., j + 1 : last : m + 1] = errors * f[..., j, np.newaxis]
        result[..., last:] = f - mean[:, np.newaxis]
        return result

    def jacobian(self, theta: Array) -> Array:
        """The derivatives of the mean moments (R, q, k)."""
        betas, premia, mean = self._parts(theta)
        f = self.factors if self.rows is None else some(self.factors, self.rows)
        samples, p, m = betas.shape
        one = np.concatenate([np.ones((*f.shape[:2], 1)), f], axis=2)
        level = one.mean(axis=1)  # of [1 f]
        cross = one.swapaxes(1, 2) @ f / self.n  # of [1 f] f'
        shift = (premia[:, self.risk_free :] - mean)[:, np.newaxis, :]
        slope = -(cross + level[:, :, np.newaxis] * shift)
        result = np.zeros((samples, self.q, self.k))
        first = p * m
        after = first + m + self.risk_free
        for i in range(p):
            rows = slice(i * (m + 1), (i + 1) * (m + 1))
            result[:, rows, i * m : (i + 1) * m] = slope
            outer = level[:, :, np.newaxis] * betas[:, i, np.newaxis, :]
            if self.risk_free:
                result[:, rows, first] = -level
            result[:, rows, first + self.risk_free : after] = -outer
            result[:, rows, after:] = outer
        result[:, p * (m + 1) :, after:] = -np.eye(m)
        return result

    def _parts(self, theta: Array) -> tuple[Array, Array, Array]:
        """Betas (r, p, m), premia and means."""
        p, m = self.returns.shape[2], self.factors.shape[2]
        last = p * m
        betas = theta[:, :last].reshape(len(theta), p, m)
        return betas, theta[:, last : self.k - m], theta[:, self.k - m :]
