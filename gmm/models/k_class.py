"""Estimators of linear models that are instrumental variables with instruments made of the data.

The k-class replaces W by W - kappa M W, M the projection off all instruments; a jackknife replaces
it by what a regression without observation i predicts for i. Both then have as many moments as
parameters, so that covariance matrices, small samples and stacks are those of every model.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows, beside, blocks, flattened
from gmm.data.instruments import Columns, fitted, some
from gmm.data.labelled import PerSample
from gmm.estimation.problem import Problem
from gmm.inference.projections import Projections, leverages, residuals
from gmm.models.linear_iv import IV, LinearMoments

__all__ = ["JIVE", "KClass"]

Kappa = Literal["liml", "fuller", "2sls", "ols"]
Scores = Literal["instruments", "fitted"]
Jackknife = Literal["jive1", "jive2", "ujive"]


class KClass(IV):
    r"""Linear regression with instruments by a k-class estimator, such as LIML or Fuller's.

    .. math:: \hat\beta = (X'(I - \kappa M)X)^{-1} X'(I - \kappa M) y

    with all regressors X, and M the projection off all instruments.

    Parameters
    ----------
    y, exog, endog, instruments, clusters
        As for `gmm.IV`.
    kappa : {"liml", "fuller", "2sls", "ols"} or float
        "liml": the smallest value for which :math:`Y'(I - \kappa M)Y` is singular,
        :math:`Y = [y\ W]`. "fuller": that less ``fuller / (n - k1 - l)``. A number is taken as
        it is; 0 is least squares, 1 two-stage least squares.
    fuller : float
        Fuller's constant: 1 for an estimate almost without bias, 4 for a small mean squared
        error.
    scores : {"instruments", "fitted"}
        Which regressors a robust, cluster or kernel covariance matrix multiplies the residuals
        with: the instruments :math:`(I - \kappa M)X` of the estimator, or the fitted
        :math:`(I - M)X`, as linearmodels does. They differ where kappa is far from 1.

    See Also
    --------
    gmm.IV : two-stage least squares and efficient GMM.
    gmm.JIVE : jackknife instruments.

    Notes
    -----
    `fit` takes the options of `gmm.IV.fit`; as there are as many moments as parameters, its
    steps and weights play no role. ``cov="unadjusted"`` is
    :math:`\hat\sigma^2 (X'(I - \kappa M)X)^{-1}`.

    References
    ----------
    .. [1] Anderson and Rubin (1949), Annals of Mathematical Statistics 20, 46-63.
    .. [2] Fuller (1977), Econometrica 45, 939-953.

    Examples
    --------
    Many weak instruments pull two-stage least squares to least squares; LIML stays:

    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(3)
    >>> z, u = rng.standard_normal((1000, 200, 12)), rng.standard_normal((1000, 200))
    >>> w = 0.12 * z.sum(axis=-1) + 0.8 * u + 0.6 * rng.standard_normal((1000, 200))
    >>> y = w + u  # 1000 samples; the true coefficient is 1
    >>> for kappa in "ols", "2sls", "liml", "fuller":
    ...     estimates = gmm.KClass(y, endog=w, instruments=z, kappa=kappa).fit().params
    ...     print(f"{kappa:7} {np.median(estimates):.2f}")
    ols     1.68
    2sls    1.20
    liml    0.99
    fuller  1.02
    """

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
        *,
        kappa: Kappa | float = "liml",
        fuller: float = 1.0,
        scores: Scores = "instruments",
        **options: Any,
    ) -> None:
        super().__init__(y, exog, endog, instruments, clusters, **options)
        if isinstance(kappa, str) and kappa not in get_args(Kappa):
            names = ", ".join(map(repr, get_args(Kappa)))
            raise ValueError(f"kappa is {kappa!r}; it must be a number, {names}")
        if scores not in get_args(Scores):
            raise ValueError(f"scores is {scores!r}; it must be 'instruments' or 'fitted'")
        self._kappa, self._fuller, self._scores = kappa, fuller, scores
        name = {"liml": "LIML", "fuller": f"Fuller({fuller:g})", "2sls": "2SLS", "ols": "OLS"}
        what = name.get(str(kappa), f"k-class, kappa = {kappa}")
        self.facts = {**self.facts, "estimator": what}

    @property
    def kappa(self) -> PerSample:
        """The kappa (...) of every sample."""
        if not isinstance(self._kappa, str) or self._kappa in ("2sls", "ols"):
            value = {"2sls": 1.0, "ols": 0.0}.get(str(self._kappa), self._kappa)
            return np.full(self.shape, value, dtype=np.float64)[()]
        parts = Projections.of(self)
        kappa = 1 + parts.eigenvalues()[:, 0]
        if self._kappa == "fuller":
            kappa = kappa - self._fuller / parts.df
        return kappa.reshape(self.shape)[()]

    def problem(self, start: Array | None) -> tuple["GeneratedInstruments", Array]:
        """Instrumental variables with (I - kappa M) W."""
        kappa, one = np.asarray(self.kappa), np.ones(())
        made = residuals(self.endog, self.exog, self.instruments, kappa=kappa)
        scores = None
        if self._scores == "fitted":
            scores = residuals(self.endog, self.exog, self.instruments, kappa=one)
        return generated(self, made, scores, symmetric=True)


class JIVE(IV):
    r"""Linear regression with jackknife instruments.

    Observation i's instrument for W is what a regression on all instruments without observation
    i predicts, so that it does not share i's error.

    Parameters
    ----------
    y, exog, endog, instruments, clusters
        As for `gmm.IV`.
    kind : {"jive1", "jive2", "ujive"}
        :math:`(\hat W_i - h_i W_i) / (1 - h_i)` with the leverages :math:`h_i`, or without the
        denominator. "ujive": the first, less the same of a regression on the exogenous regressors
        alone, so that many of these bias it as little as many instruments; then
        :math:`\hat\beta_2 = (\tilde W'W)^{-1} \tilde W'y`.

    See Also
    --------
    gmm.KClass : LIML, which many instruments bias less, too.

    References
    ----------
    .. [1] Angrist, Imbens and Krueger (1999), J. Applied Econometrics 14, 57-67.
    .. [2] Kolesár (2013), Estimation in an instrumental variables model with treatment effect
       heterogeneity, Princeton University (UJIVE).

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(3)
    >>> z, u = rng.standard_normal((1000, 200, 12)), rng.standard_normal((1000, 200))
    >>> w = 0.12 * z.sum(axis=-1) + 0.8 * u + 0.6 * rng.standard_normal((1000, 200))
    >>> estimates = gmm.JIVE(w + u, endog=w, instruments=z).fit().params
    >>> round(float(np.median(estimates)), 2)
    0.98
    """

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
        *,
        kind: Jackknife = "jive1",
        **options: Any,
    ) -> None:
        super().__init__(y, exog, endog, instruments, clusters, **options)
        if kind not in get_args(Jackknife):
            raise ValueError(f"kind is {kind!r}; it must be 'jive1', 'jive2' or 'ujive'")
        self._kind = kind
        self.facts = {**self.facts, "estimator": kind.upper()}

    def problem(self, start: Array | None) -> tuple["GeneratedInstruments", Array]:
        """Instrumental variables with predictions that leave out each observation."""
        left_out, h = _left_out(self.endog, beside(self.exog, self.instruments))
        if self._kind == "jive2":
            return generated(self, left_out)
        predicted = left_out / (1 - h)
        if self._kind == "jive1":
            return generated(self, predicted)
        left_out, h = _left_out(self.endog, self.exog)
        problem, start = generated(self, predicted - left_out / (1 - h))
        return UnbiasedMoments(**{f.name: getattr(problem, f.name) for f in fields(problem)
                                  if f.init}, own=len(self.exog_names)), start  # fmt: skip


def _left_out(w: Array, z: Array) -> tuple[Array, Array]:
    """What the regression on z predicts for each observation less its own share, and the share."""
    h = leverages(z)[..., np.newaxis]
    return w - residuals(w, z) - h * w, h


@dataclass(frozen=True, kw_only=True)
class GeneratedInstruments(LinearMoments):
    """Moments with one generated instrument for each endogenous regressor.

    `scores` take the instruments' place in S, if they are given; `symmetric` says that Z'X is a
    symmetric matrix and stands for Z'Z with homoskedastic errors.
    """

    scores: Columns | None = None
    symmetric: bool = False

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """z u, or those of the scores."""
        if self.scores is None:
            return super().contributions(theta, index)
        u = (some(self.y, index) - fitted(self.x, theta, index))[..., np.newaxis]
        return np.concatenate(
            [np.broadcast_to(some(b, index) * u, (*u.shape[:2], b.shape[-1])) for b in self.scores],
            axis=-1,
        )

    def unadjusted(self, theta: Array) -> Array:
        """The residual's variance times Z'X / n, if that is symmetric."""
        if not self.symmetric:
            return super().unadjusted(theta)
        zx = self.of_rows((self.zx + self.zx.swapaxes(1, 2)) / 2)
        return self.error_variance(theta)[:, np.newaxis, np.newaxis] * zx

    def robust(self, theta: Array, center: bool) -> Array:
        """The mean (R, q, q) of g_i g_i', of moments less their mean if `center`."""
        if self.scores is None:
            return super().robust(theta, center)
        return Problem.robust(self, theta, center)


@dataclass(frozen=True, kw_only=True)
class UnbiasedMoments(GeneratedInstruments):
    """E x u = 0 for the `own` exogenous regressors, and E z (y - w'beta) = 0.

    The instruments of a jackknife that leaves out the exogenous regressors' part, too, are not to
    meet these in the residual; contributions to S have all of it.
    """

    own: int
    cross: Array = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "cross", self.zx[:, self.own :, : self.own].copy())
        self.zx[:, self.own :, : self.own] = 0.0

    def moments(self, theta: Array) -> Array:
        """Z'u / n (R, q), of y - w'beta where the instruments are generated."""
        result = super().moments(theta)
        own = theta[:, : self.own, np.newaxis]
        result[:, self.own :] += (self.of_rows(self.cross) @ own)[..., 0]
        return result


def generated(
    model: IV, instruments: Array, scores: Array | None = None, symmetric: bool = False
) -> tuple[GeneratedInstruments, Array]:
    """The conditions of a model with other instruments than its own."""
    k = len(model.exog_names) + len(model.endog_names)
    shape = model.shape
    problem = GeneratedInstruments(
        samples=int(np.prod(shape)),
        n=model.n,
        q=k,
        k=k,
        clusters=model.clusters,
        y=flattened(model.y, 1, shape),
        x=blocks([model.exog, model.endog], shape),
        z=blocks([model.exog, instruments], shape),
        scores=None if scores is None else blocks([model.exog, scores], shape),
        symmetric=symmetric,
    )
    return problem, np.zeros((problem.samples, k))
