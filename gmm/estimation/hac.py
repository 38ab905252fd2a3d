"""Covariance matrices of the moments of time series."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gmm.data.arrays import Array
from gmm.estimation.linear import inverse_each

__all__ = ["HAC"]

_BOUND = 0.97  # Andrews and Monahan 1992


@dataclass(frozen=True)
class _Kernel:
    """Weights as a function of lag / width, and the constants of its automatic bandwidths.

    q is the characteristic exponent and c the constant in c (alpha n)^(1 / (2q + 1)) of Andrews
    (1991); pilot is the power of n / 100 in the number of lags that Newey and West look at.
    """

    weight: Callable[[Array], Array]
    q: int
    c: float
    pilot: float
    truncated: bool


def _bartlett(x: Array) -> Array:
    return np.maximum(1 - x, 0.0)


def _parzen(x: Array) -> Array:
    return np.where(x <= 0.5, 1 - 6 * x**2 * (1 - x), 2 * np.maximum(1 - x, 0.0) ** 3)


def _quadratic_spectral(x: Array) -> Array:
    z = np.where(x == 0, 1.0, 6 * np.pi * x / 5)
    return np.where(x == 0, 1.0, 3 / z**2 * (np.sin(z) / z - np.cos(z)))


KERNELS = {
    "bartlett": _Kernel(_bartlett, 1, 1.1447, 2 / 9, True),
    "parzen": _Kernel(_parzen, 2, 2.6614, 4 / 25, True),
    "quadratic-spectral": _Kernel(_quadratic_spectral, 2, 1.3221, 2 / 25, False),
}


@dataclass(frozen=True)
class HAC:
    r"""A kernel estimator of S, for moments that are heteroskedastic and autocorrelated.

    .. math:: S = \Gamma_0 + \sum_j w_j (\Gamma_j + \Gamma_j'), \quad
              \Gamma_j = \frac1n \sum_i g_{i+j} g_i'

    Parameters
    ----------
    kernel : {"bartlett", "parzen", "quadratic-spectral"}
        The weights: :math:`k(j / (m + 1))` for the first two, which end at lag m, and
        :math:`k(j / m)` for the third, which has no last lag.
    bandwidth : float or {"auto", "newey-west", "newey-west-lags", "newey-west-width", "andrews"}
        m, or how it is chosen for each sample: by Newey and West's rule, which "auto" means, by
        two other readings of that rule, or by Andrews' from an AR(1) for each moment.
    prewhiten : bool
        Filter the moments by a first-order vector autoregression first, and undo that in S; the
        singular values of its coefficients are kept within 0.97 (Andrews and Monahan 1992).
    moment_weights : sequence of float, optional
        What each moment counts in an automatic bandwidth; 0 leaves it out, as R, gretl and
        linearmodels' IV2SLS do with the moment of the constant. By default all count 1.
    ar_intercept : bool
        Whether the autoregressions of "andrews" have an intercept, as in R.

    Notes
    -----
    A fixed bandwidth reproduces linearmodels and, for Bartlett, Stata's ``hac nwest m``; the
    ``bw`` of R's sandwich is m + 1. "newey-west" is linearmodels' rule: it looks at the sum of
    the moments, each over its standard deviation, and rounds up; with `moment_weights` at their
    weighted sum as they are. "newey-west-lags" does that with fewer pilot lags and rounds down,
    as gretl's ``nw3`` and R's ``NeweyWest``; "newey-west-width" takes the same number, not
    rounded, as the kernel's width, as R does with ``bw = bwNeweyWest``. "andrews" is the formula
    of R's ``bwAndrews``; the AR(1) are by least squares, with coefficients within 0.97. Iterated
    and continuously updated estimates choose an automatic bandwidth once, after two steps.

    References
    ----------
    .. [1] Newey and West (1987), Econometrica 55, 703-708.
    .. [2] Andrews (1991), Econometrica 59, 817-858.
    .. [3] Andrews and Monahan (1992), Econometrica 60, 953-966.
    .. [4] Newey and West (1994), Review of Economic Studies 61, 631-653.

    Examples
    --------
    The long-run variance of an AR(1) with coefficient 0.5 is 4, its variance 1.33:

    >>> import numpy as np
    >>> import gmm
    >>> from scipy.signal import lfilter
    >>> x = lfilter([1.0], [1.0, -0.5], np.random.default_rng(2).standard_normal(10_000))
    >>> def g(theta, data):
    ...     return data - theta[..., None, :]
    >>> model = gmm.Moments(g, x[:, None], names=["mean"])
    >>> for cov in "robust", gmm.HAC("bartlett"), gmm.HAC("quadratic-spectral", prewhiten=True):
    ...     print(round(10_000 * float(model.fit(start=[0.0], cov=cov).cov[0, 0]), 2))
    1.34
    3.86
    3.95
    """

    kernel: str = "bartlett"
    bandwidth: float | str = "auto"
    prewhiten: bool = False
    moment_weights: tuple[float, ...] | None = None
    ar_intercept: bool = False

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            names = ", ".join(map(repr, KERNELS))
            raise ValueError(f"kernel is {self.kernel!r}; it must be one of {names}")
        if isinstance(self.bandwidth, str):
            if self.bandwidth not in BANDWIDTHS:
                names = ", ".join(map(repr, BANDWIDTHS))
                raise ValueError(f"bandwidth is {self.bandwidth!r}; it must be a number, {names}")
        elif not 0 <= self.bandwidth < np.inf:
            raise ValueError(f"bandwidth is {self.bandwidth}; it must not be negative")
        if self.moment_weights is not None:
            weights = tuple(float(weight) for weight in self.moment_weights)
            if not np.isfinite(weights).all() or not any(weights):
                raise ValueError(f"moment_weights are {weights}; they must be finite, not all zero")
            object.__setattr__(self, "moment_weights", weights)

    def covariance(self, g: Array, widths: Array | None = None) -> Array:
        """S (R, q, q) of contributions (R, n, q), with bandwidths (R,) if they are given."""
        n = g.shape[1]
        filtered, a = self._filtered(g)
        s = self._kernel_sum(filtered, n, self._widths(filtered) if widths is None else widths)
        if a is None:
            return s
        recolor = inverse_each(np.eye(g.shape[2]) - a.swapaxes(1, 2))
        return recolor @ s @ recolor.swapaxes(1, 2)

    def widths(self, g: Array) -> Array:
        """The bandwidths m (R,) that `covariance` chooses."""
        return self._widths(self._filtered(g)[0])

    def _widths(self, filtered: Array) -> Array:
        if isinstance(self.bandwidth, str):
            count, given = filtered.shape[2], self.moment_weights
            if given is not None and len(given) != count:
                raise ValueError(f"there are {len(given)} moment_weights for {count} moments")
            return BANDWIDTHS[self.bandwidth](filtered, self)
        return np.full(len(filtered), float(self.bandwidth))

    def _filtered(self, g: Array) -> tuple[Array, Array | None]:
        """Residuals of the autoregression and its coefficients a' (R, q, q), if prewhitened."""
        if not self.prewhiten:
            return g, None
        before, after = g[:, :-1], g[:, 1:]
        a = inverse_each(before.swapaxes(1, 2) @ before) @ (before.swapaxes(1, 2) @ after)
        a = _within_bound(a)
        return after - before @ a, a

    def _kernel_sum(self, g: Array, n: int, m: Array) -> Array:
        kernel = KERNELS[self.kernel]
        result = g.swapaxes(1, 2) @ g / n
        widths = m + 1 if kernel.truncated else m
        last = g.shape[1] - 1
        if kernel.truncated:
            last = min(last, int(np.ceil(np.nanmax(widths, initial=0.0))) - 1)
        for j in range(1, last + 1):
            weight = np.zeros(len(g))
            np.divide(j, widths, out=weight, where=widths > 0)
            weight = np.where(widths > 0, kernel.weight(weight), 0.0)
            gamma = g[:, j:].swapaxes(1, 2) @ g[:, :-j] / n
            result += weight[:, np.newaxis, np.newaxis] * (gamma + gamma.swapaxes(1, 2))
        return result


def _within_bound(a: Array) -> Array:
    """With singular values of at most _BOUND: near to a unit root I - A says little."""
    unknown = ~np.isfinite(a)
    left, values, right = np.linalg.svd(np.where(unknown, 0.0, a))
    bounded: Array = (left * np.minimum(values, _BOUND)[:, np.newaxis]) @ right
    bounded[unknown.any(axis=(1, 2))] = np.nan
    return bounded


def _newey_west(g: Array, hac: HAC) -> Array:
    """Rounded up; without weights each moment is in units of its standard deviation."""
    n, kernel = g.shape[1], KERNELS[hac.kernel]
    if hac.moment_weights is None:
        x = (g / g.std(axis=1, keepdims=True)).sum(axis=2)
    else:
        x = g @ np.asarray(hac.moment_weights)
    pilot = int(np.ceil(4 * (n / 100) ** kernel.pilot))
    widths: Array = np.minimum(np.ceil(_plug_in(x, kernel, pilot)), n - 1)
    return widths


def _newey_west_width(g: Array, hac: HAC) -> Array:
    """The width as it comes, less the 1 by which a truncated kernel's m falls short of it."""
    kernel = KERNELS[hac.kernel]
    widths: Array = np.maximum(_newey_west_1994(g, hac) - kernel.truncated, 0.0)
    return widths


def _newey_west_lags(g: Array, hac: HAC) -> Array:
    """Rounded down to whole lags."""
    widths: Array = np.floor(_newey_west_1994(g, hac))
    return widths


def _newey_west_1994(g: Array, hac: HAC) -> Array:
    # Prewhitened moments have lost an observation, which still counts in n.
    kernel, n = KERNELS[hac.kernel], g.shape[1] + hac.prewhiten
    weights = np.ones(g.shape[2]) if hac.moment_weights is None else np.array(hac.moment_weights)
    pilot = int((3 if hac.prewhiten else 4) * (n / 100) ** kernel.pilot)
    widths: Array = np.minimum(_plug_in(g @ weights, kernel, pilot, n), n - 1.0)
    return widths


def _plug_in(x: Array, kernel: _Kernel, pilot: int, n: int | None = None) -> Array:
    """c (n (s_q / s_0)^2)^(1 / (2q + 1)) (R,), from the autocovariances of x (R, n)."""
    n, last = n or x.shape[1], min(pilot, x.shape[1] - 1)
    gamma = [(x * x).sum(axis=1) / n]
    gamma += [(x[:, j:] * x[:, :-j]).sum(axis=1) / n for j in range(1, last + 1)]
    level = gamma[0] + 2 * np.sum(gamma[1:], axis=0)
    slope = 2 * np.sum([j**kernel.q * gamma[j] for j in range(1, last + 1)], axis=0)
    width: Array = kernel.c * (n * (slope / level) ** 2) ** (1 / (2 * kernel.q + 1))
    return width


def _andrews(g: Array, hac: HAC) -> Array:
    """The asymptotically optimal width, were every moment an AR(1)."""
    n, kernel = g.shape[1], KERNELS[hac.kernel]
    before, after = g[:, :-1], g[:, 1:]
    if hac.ar_intercept:
        before = before - before.mean(axis=1, keepdims=True)
        after = after - after.mean(axis=1, keepdims=True)
    rho = (before * after).sum(axis=1) / (before * before).sum(axis=1)
    rho = np.clip(rho, -_BOUND, _BOUND)
    variance = ((after - rho[:, np.newaxis] * before) ** 2).mean(axis=1)
    level = variance**2 / (1 - rho) ** 4
    if kernel.q == 1:
        slope = 4 * rho**2 * variance**2 / ((1 - rho) ** 6 * (1 + rho) ** 2)
    else:
        slope = 4 * rho**2 * variance**2 / (1 - rho) ** 8
    if hac.moment_weights is not None:
        level, slope = level * hac.moment_weights, slope * hac.moment_weights
    ratio = slope.sum(axis=1) / level.sum(axis=1)
    width = kernel.c * (n * ratio) ** (1 / (2 * kernel.q + 1))
    widths: Array = np.minimum(np.maximum(width - kernel.truncated, 0.0), n - 1)
    return widths


BANDWIDTHS: dict[str, Callable[[Array, HAC], Array]] = {
    "auto": _newey_west,
    "newey-west": _newey_west,
    "newey-west-lags": _newey_west_lags,
    "newey-west-width": _newey_west_width,
    "andrews": _andrews,
}
