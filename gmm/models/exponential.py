"""Exponential regression: counts, durations and other positive means."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows, blocks, columns, dependent, flattened
from gmm.data.collinearity import Collinear, described, listed, of_arguments, of_sample, settled
from gmm.data.formulas import FromFormula
from gmm.data.instruments import Columns, fitted, joined, products, some
from gmm.data.labels import check_rows, chosen_columns, clusters_of, column_names, is_pandas
from gmm.estimation.instrumented import InstrumentedMoments
from gmm.estimation.linear import solve_each
from gmm.estimation.model import Model
from gmm.inference.results import GMMResult

__all__ = ["ExponentialRegression"]


class ExponentialRegression(FromFormula, Model[GMMResult]):
    r"""Regression with mean :math:`\exp(x'\beta)`, Poisson's among them.

    Parameters
    ----------
    y : (..., n) array_like or Series
        The dependent variable.
    exog : (..., n, k1) array_like or DataFrame
        Regressors that are their own instruments, a column of ones included if there is to be a
        constant.
    endog : (..., n, k2) array_like or DataFrame, optional
        Regressors that need others.
    instruments : (..., n, l) array_like or DataFrame, optional
        The excluded instruments, at least as many.
    error : {"multiplicative", "additive"}
        The residual: :math:`y \exp(-x'\beta) - 1`, or :math:`y - \exp(x'\beta)`, whose moments
        without endogenous regressors are the score of Poisson's likelihood.
    clusters : (n,) or (n, 2) array_like, str or two str, optional
        Groups of observations for ``"cluster"``, or columns of the data frames by their names.
    collinear : {"status", "raise", "drop"}
        As for `gmm.IV`.

    References
    ----------
    .. [1] Mullahy (1997), Review of Economics and Statistics 79, 586-593.
    .. [2] Windmeijer and Santos Silva (1997), J. Applied Econometrics 12, 281-294.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(3)
    >>> x = np.column_stack([np.ones(2000), rng.standard_normal(2000)])
    >>> y = rng.poisson(np.exp(x @ [0.5, 0.3]))
    >>> result = gmm.ExponentialRegression(y, x, error="additive").fit()
    >>> print(result.summary())
    GMM estimates
      observations  2,000
      estimator     exactly identified
      weights       robust
      cov           robust
    ------------------------------------------------------------
           estimate  std. error      z   P>|z|    2.5 %   97.5 %
    ------------------------------------------------------------
    exog0   0.50463     0.01846  27.34  0.0000  0.46846  0.54081
    exog1   0.27163     0.01776  15.30  0.0000  0.23683  0.30644
    ------------------------------------------------------------
    J test: none, there are as many moments as parameters
    """

    default_initial = "unadjusted"
    result_type = GMMResult

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        *,
        error: str = "multiplicative",
        clusters: Any = None,
        collinear: Collinear = "status",
    ) -> None:
        if error not in _ERRORS:
            names = ", ".join(map(repr, _ERRORS))
            raise ValueError(f"error is {error!r}; it must be one of {names}")
        clusters = chosen_columns(clusters, "clusters", y, exog, endog, instruments)
        check_rows(y=y, exog=exog, endog=endog, instruments=instruments, clusters=clusters)
        self.y, self.error = dependent(y), error
        self.n = self.y.shape[-1]
        given = {"exog": exog, "endog": endog, "instruments": instruments}
        self.labelled = any(is_pandas(x) for x in (y, *given.values()))
        arrays = {name: columns(x, name, self.y.shape) for name, x in given.items()}
        self.shape = np.broadcast_shapes(
            self.y.shape[:-1], *(a.shape[:-2] for a in arrays.values())
        )
        labels: dict[str, tuple[str, ...]] = {
            name: column_names(x, prefix, arrays[name].shape[-1])
            for (name, x), prefix in zip(given.items(), ("exog", "endog", "instr"), strict=True)
        }
        arrays, labels, gone = settled(collinear, arrays, labels, self.shape)
        self.dropped_columns = tuple(column.name for column in gone)
        if gone:
            self.facts = {"dropped": listed(gone)}
        own, others, excluded = arrays.values()
        self._x, self._z = (own, others), (own, excluded)
        if not own.shape[-1] + others.shape[-1]:
            raise ValueError("there are no regressors: give exog, endog or both")
        if excluded.shape[-1] < others.shape[-1]:
            raise ValueError(
                f"{excluded.shape[-1]} instruments cannot identify {others.shape[-1]} "
                "endogenous regressors"
            )
        self._arguments = arrays, labels
        self.names = (*labels["exog"], *labels["endog"])
        self.moment_names = (*labels["exog"], *labels["instruments"])
        self._clusters = clusters_of(clusters, self.n)

    def cause_of_singularity(self, sample: int = 0) -> str:
        """Collinear columns of one sample, by their names."""
        arrays, names = self._arguments
        return described(of_arguments(of_sample(arrays, self.shape, sample), names))

    def problem(self, start: Array | None) -> tuple["ExponentialMoments", Array]:
        """What is estimated, by default from the least squares of a smoothed log y."""
        problem = ExponentialMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=sum(a.shape[-1] for a in self._z),
            k=sum(a.shape[-1] for a in self._x),
            clusters=self._clusters,
            y=flattened(self.y, 1, self.shape),
            x=blocks(self._x, self.shape),
            z=blocks(self._z, self.shape),
            error=self.error,
        )
        return problem, problem.rough() if start is None else start


@dataclass(frozen=True, kw_only=True)
class ExponentialMoments(InstrumentedMoments):
    """E z u = 0 with one of the two residuals."""

    y: Array
    x: Columns
    error: str

    def residuals(self, theta: Array, index: Rows | slice) -> Array:
        """u (r, n)."""
        return _ERRORS[self.error][0](some(self.y, index), self._mean(theta, index))

    def slopes(self, theta: Array, index: Rows | slice) -> Array:
        """du / dtheta (r, n, k)."""
        slope = _ERRORS[self.error][1](some(self.y, index), self._mean(theta, index))
        return slope[..., np.newaxis] * joined(self.x, index, len(theta))

    def rough(self) -> Array:
        """Least squares of log((y + mean y) / 2) on x (R, k): right in scale, whatever y is."""
        with np.errstate(all="ignore"):
            level = self.y.mean(axis=1, keepdims=True)
            log = np.log(np.maximum(self.y + level, level * 1e-3) / 2)
            sides = products(self.x, self.x), products(self.x, (log[..., np.newaxis],))
            lead = max(map(len, sides))
            theta = solve_each(*(np.broadcast_to(a, (lead, *a.shape[1:])) for a in sides))[..., 0]
        # Collinear columns and a y of zeros have none: the search finds out which of them it is.
        theta = np.where(np.isfinite(theta).all(axis=1, keepdims=True), theta, 0.0)
        chosen = theta if self.rows is None else some(theta, self.rows)
        return np.array(np.broadcast_to(chosen, (self.samples, self.k)))

    def other_starts(self, start: Array) -> list[Array]:
        """That by default."""
        return [self.rough()]

    def _mean(self, theta: Array, index: Rows | slice) -> Array:
        mean: Array = np.exp(fitted(self.x, theta, index))
        return mean


Function = Callable[[Array, Array], Array]

# By name: the residual, and its derivative with respect to x'beta, of y and exp(x'beta).
_ERRORS: dict[str, tuple[Function, Function]] = {
    "multiplicative": (lambda y, mean: y / mean - 1, lambda y, mean: -y / mean),
    "additive": (lambda y, mean: y - mean, lambda y, mean: -mean),
}


def asymptotic_cov(theta: npt.ArrayLike, error: str, variance: float) -> Array:
    r"""The limit (2, 2) of n times the covariance matrix, for x = (1, N(0, 1)) and Z = X.

    `variance` is that of the multiplicative residual; of the additive one it is the ratio
    var(y | x) / E(y | x), 1 for Poisson's distribution.

    In the first case G = -E xx' and S = variance E xx'. In the second G = -E xx' exp(x'theta),
    S = -variance G, and E e^{bx} (1, x, x^2) = e^{b^2 / 2} (1, b, 1 + b^2).

    >>> asymptotic_cov([0.0, 0.0], "additive", 1.0)
    array([[1., 0.],
           [0., 1.]])
    """
    a, b = np.asarray(theta, dtype=np.float64)
    if error == "multiplicative":
        return variance * np.eye(2)
    information = math.exp(a + b**2 / 2) * np.array([[1.0, b], [b, 1 + b**2]])
    return np.asarray(variance * np.linalg.inv(information), dtype=np.float64)
