"""Mean and standard deviation of normal samples."""

from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.labels import float_array, is_pandas
from gmm.data.power_sums import CentralMoments, central_moments
from gmm.estimation.gauss_newton import minimize
from gmm.estimation.linear import solve_each
from gmm.estimation.status import Status
from gmm.estimation.weights import efficient_weights
from gmm.inference.hypotheses import j_test
from gmm.inference.results import GMMResult

__all__ = ["GaussianMeanSD"]

_EPS = np.finfo(np.float64).eps


class GaussianMeanSD:
    r"""Mean and standard deviation of a normal sample, by GMM.

    With :math:`d = x - \mu`, the first `moments` of the conditions

    .. math:: E\,d = 0,\quad E\,d^2 = \sigma^2,\quad E\,d^3 = 0,\quad E\,d^4 = 3 \sigma^4

    are used. Two identify the parameters exactly, three or four leave one or two over.

    Parameters
    ----------
    x : (..., n) array_like, Series or DataFrame of one column
        The sample, or many samples with leading axes; estimated in float64.
    moments : {2, 3, 4}
        How many moment conditions.
    form : {"centered", "raw"}
        How the second condition is written if there are two: :math:`E (x-\mu)^2 = \sigma^2`,
        whose Jacobian is diagonal, or :math:`E x^2 = \mu^2 + \sigma^2`, whose Jacobian is full.
        The estimates are the same, the linear systems are not.

    Notes
    -----
    Two conditions: the estimates are the sample mean and the root of the mean squared
    deviation, and their covariance matrix is :math:`D^{-1} S D^{-T} / n`, with `D` the Jacobian
    and `S` the covariance matrix of the moments.

    Three or four: two-step GMM from the sample moments. `S` is centered and taken at the first
    step for the weights, and at the final estimate for :math:`(G' S^{-1} G)^{-1} / n`. The
    search is damped Gauss-Newton over :math:`\log \sigma^2`, so a variance cannot turn negative.

    The conditions are polynomials: each sample is reduced once to its mean and central moments,
    and no iteration touches the observations again.

    Examples
    --------
    >>> import gmm
    >>> result = gmm.GaussianMeanSD([4.0, 7.0, 1.0, 4.0]).fit()
    >>> [float(p) for p in result.params.round(4)]
    [4.0, 2.1213]

    Many samples at once; the second one is constant, which is recorded and stops nothing:

    >>> result = gmm.GaussianMeanSD([[4.0, 7.0, 1.0, 4.0], [5.0, 5.0, 5.0, 5.0]]).fit()
    >>> result.params.shape, [gmm.Status(s).name for s in result.status]
    ((2, 2), ['OK', 'SINGULAR'])
    """

    parameters = ("mu", "sigma")

    def __init__(self, x: Any, *, moments: int = 2, form: str = "centered") -> None:
        if is_pandas(x) and x.ndim == 2:
            if x.shape[1] != 1:
                raise ValueError(
                    f"x is a data frame of {x.shape[1]} columns; give one of them, or for a sample "
                    "in each the array x.to_numpy().T"
                )
            x = x.iloc[:, 0]
        samples = float_array(x, "x")
        if samples.ndim == 0:
            raise ValueError("x is a single number; a sample has observations along its last axis")
        n = samples.shape[-1]
        check_options(moments, form, n)
        flat = samples.reshape(prod(samples.shape[:-1]), n)

        def fill(buffer: Array, rows: slice) -> None:
            buffer[...] = flat[rows]

        with np.errstate(all="ignore"):
            self._data = central_moments(fill, len(flat), n, power_order(moments))
        self._shape, self._labelled = samples.shape[:-1], is_pandas(x)
        self.moments, self.form = moments, form

    @classmethod
    def from_central_moments(
        cls, data: CentralMoments, *, moments: int = 2, form: str = "centered"
    ) -> Self:
        """The model of samples that were reduced already, to order 2 * moments."""
        check_options(moments, form, data.n)
        model = cls.__new__(cls)
        model._data, model._shape, model._labelled = data, data.mean.shape, False
        model.moments, model.form = moments, form
        return model

    def fit(self) -> GMMResult:
        """Estimate every sample.

        Returns
        -------
        GMMResult
            With the leading axes of `x`; failures are in its `status`, never raised.
        """
        # What overflows or divides by zero ends as a status, so the floating-point flags
        # would only say it twice.
        with np.errstate(all="ignore"):
            estimate = _exactly_identified if self.moments == 2 else _two_step
            fit = estimate(self._data, self.moments, self.form)
            _mark_failures(fit, self._data)
        shape = self._shape
        return GMMResult(
            parameters=self.parameters,
            n=self._data.n,
            estimates=fit.params.reshape(*shape, 2),
            covariance=fit.cov.reshape(*shape, 2, 2),
            j_test=j_test(fit.j.reshape(shape), self.moments - 2),
            options={
                "estimator": "exactly identified" if self.moments == 2 else "two-step",
                "weights": "robust, centered",
                "cov": "robust, formula 'efficient'",
            },
            status=fit.status.reshape(shape),
            iterations=fit.iterations.reshape(shape),
            labelled=self._labelled,
        )


def check_options(moments: int, form: str, n: int) -> None:
    """Raise ValueError for options that name no model, or a sample too small for it."""
    if moments not in (2, 3, 4):
        raise ValueError(f"moments is {moments!r}; it must be 2, 3 or 4")
    if form not in ("centered", "raw"):
        raise ValueError(f"form is {form!r}; it must be 'centered' or 'raw'")
    if form == "raw" and moments != 2:
        raise ValueError(f"form 'raw' is for moments=2, not moments={moments}")
    if n <= moments:
        raise ValueError(
            f"n is {n}; {moments} moments need at least {moments + 1} observations in a sample"
        )


def power_order(moments: int) -> int:
    """The highest power of the data that S of these moments needs."""
    return 2 * moments


@dataclass(frozen=True)
class _Fit:
    params: Array
    cov: Array
    j: Array
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]


def _mark_failures(fit: _Fit, data: CentralMoments) -> None:
    """Give data and results that cannot be used their status, and NaN to every failed row."""
    # A constant sample's deviations are the rounding error of its mean, or zero.
    fit.status[data.central[:, 2] <= (4 * _EPS * data.mean) ** 2] = Status.SINGULAR
    # Of a singular V, rounding may leave a variance below zero.
    of_mu, of_sigma, between = fit.cov[:, 0, 0], fit.cov[:, 1, 1], fit.cov[:, 0, 1]
    usable = (of_mu >= 0) & (of_sigma >= 0) & np.isfinite(of_mu + of_sigma + between)
    fit.status[~usable & (fit.status == Status.OK)] = Status.SINGULAR
    # Whatever is not finite in a sample or its mean reaches the highest of its even moments.
    fit.status[~np.isfinite(data.central[:, -1])] = Status.NON_FINITE
    failed = fit.status != Status.OK
    if failed.any():
        fit.params[failed] = fit.cov[failed] = fit.j[failed] = np.nan


def _exactly_identified(data: CentralMoments, moments: int, form: str) -> _Fit:
    """Two moments, two parameters: the sample moments are the solution."""
    samples = len(data.mean)
    mu, sigma = data.mean, np.sqrt(data.central[:, 2])
    m2, m3, m4 = data.central[:, 2], data.central[:, 3], data.central[:, 4]
    s, d = np.empty((samples, 2, 2)), np.zeros((samples, 2, 2))
    s[:, 0, 0] = m2
    d[:, 0, 0] = -1.0
    d[:, 1, 1] = -2 * sigma
    if form == "centered":
        s[:, 0, 1] = s[:, 1, 0] = m3
        s[:, 1, 1] = m4 - m2**2
        # V = D^-1 S D^-T; S is symmetric, so the second solve may take the transpose.
        v = solve_each(d, solve_each(d, s).swapaxes(1, 2))
    else:
        # x^2 - mu^2 - sigma^2 = (d^2 - sigma^2) + 2 mu d at the estimates.
        s[:, 0, 1] = s[:, 1, 0] = m3 + 2 * mu * m2
        s[:, 1, 1] = m4 - m2**2 + 4 * mu * (m3 + mu * m2)
        d[:, 1, 0] = -2 * mu
        information = d.swapaxes(1, 2) @ solve_each(s, d)
        v = solve_each(information, np.broadcast_to(np.eye(2), d.shape))
    return _Fit(
        params=np.stack([mu, sigma], axis=1),
        cov=v / data.n,
        j=np.zeros(samples),
        status=np.full(samples, Status.OK, np.int8),
        iterations=np.zeros(samples, np.int16),
    )


def _two_step(data: CentralMoments, moments: int, form: str) -> _Fit:
    """More moments than parameters, solved for data scaled to mean 0 and variance 1.

    The estimator is equivariant: mu = mean + s delta and sigma = s exp(lambda / 2), with
    s the sample's standard deviation, so neither location nor scale can spoil a system.
    """
    s = np.sqrt(data.central[:, 2])
    central = np.empty((2 * moments + 1, len(s)))
    for j in range(len(central)):
        central[j] = data.central[:, j] / s**j
    conditions = StandardizedMoments(central, moments)
    start = np.zeros((len(s), 2))
    weights, status = efficient_weights(conditions.covariance(start))
    # A row without weights has nothing to minimize; a zero objective ends it at once.
    weights[status != Status.OK] = 0.0
    minimum = minimize(conditions, weights, start)
    status = np.where(status == Status.OK, minimum.status, status).astype(np.int8)

    final_weights, final_status = efficient_weights(conditions.covariance(minimum.theta))
    status = np.where(status == Status.OK, final_status, status).astype(np.int8)
    jacobian = conditions.with_jacobian(minimum.theta)[1]
    information = jacobian.swapaxes(1, 2) @ final_weights @ jacobian
    v = solve_each(information, np.broadcast_to(np.eye(2), information.shape))

    sigma = s * np.exp(minimum.theta[:, 1] / 2)
    slope = np.stack([s, sigma / 2], axis=1)
    return _Fit(
        params=np.stack([data.mean + s * minimum.theta[:, 0], sigma], axis=1),
        cov=v * slope[:, :, np.newaxis] * slope[:, np.newaxis, :] / data.n,
        j=data.n * minimum.objective,
        status=status,
        iterations=minimum.iterations,
    )


@dataclass(frozen=True)
class StandardizedMoments:
    """Conditions on z with mean 0 and variance 1, as functions of (delta, lambda = log v).

    g = (mean (z - delta)^j, j = 1, ..., q) - (0, v, 0, 3 v^2). `central` (2q + 1, R) holds the
    central moments of z, one order a row, so that every operation runs over contiguous memory.
    """

    central: Array
    q: int

    def with_jacobian(self, theta: Array) -> tuple[Array, Array]:
        """The mean moments (R, q), and their derivatives (R, q, 2) by delta and lambda."""
        v = np.exp(theta[:, 1])
        shifted = self._shifted(theta[:, 0], self.q)
        g, jacobian = np.empty((len(theta), self.q)), np.zeros((len(theta), self.q, 2))
        for j in range(self.q):
            g[:, j] = shifted[j + 1]
            np.multiply(shifted[j], -(j + 1), out=jacobian[:, j, 0])
        g[:, 1] -= v
        np.negative(v, out=jacobian[:, 1, 1])
        if self.q == 4:
            fourth = 3 * v**2
            g[:, 3] -= fourth
            np.multiply(fourth, -2, out=jacobian[:, 3, 1])
        return g, jacobian

    def covariance(self, theta: Array) -> Array:
        """S (R, q, q), centered: the constants in g drop out of it."""
        m = self._shifted(theta[:, 0], 2 * self.q)
        result = np.empty((len(theta), self.q, self.q))
        for i in range(1, self.q + 1):
            for j in range(1, i + 1):
                both = m[i + j] - m[i] * m[j]
                result[:, i - 1, j - 1] = result[:, j - 1, i - 1] = both
        return result

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
        """The conditions of some of the replications."""
        return type(self)(self.central.take(rows, axis=1), self.q)

    def _shifted(self, delta: Array, order: int) -> list[Array]:
        """The means of (z - delta)^j for j = 0, ..., order.

        With T(i, j) = mean z^i (z - delta)^j: T(i, j) = T(i + 1, j - 1) - delta T(i, j - 1).
        """
        table = self.central[: order + 1]
        result = [table[0]]
        for _ in range(order):
            table = table[1:] - delta * table[:-1]
            result.append(table[0])
        return result
