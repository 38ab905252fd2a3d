"""What an estimation answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm import _specification
from gmm._estimators import Weighting
from gmm._hypotheses import HypothesisTest
from gmm._labels import need_pandas
from gmm._linear import Array
from gmm._problem import Problem, Search
from gmm._status import Status
from gmm._summary import Summary, result_summary

__all__ = ["GMMResult"]


@dataclass(frozen=True)
class Fit:
    """What further tests need: the problem, and theta (R, k) and W (R, q, q) of its last step.

    `why_not` tells why W does not estimate S^-1, if it does not.
    """

    problem: Problem
    theta: Array
    weights: Array
    weighting: Weighting | None
    search: Search
    status: npt.NDArray[np.int8]
    why_not: str


@dataclass(frozen=True, kw_only=True)
class GMMResult:
    """Estimates of one sample, or of many with leading axes.

    Estimates of a single sample that came in as pandas objects have pandas labels.

    Attributes
    ----------
    parameters : tuple of str
        Names of the k parameters.
    n : int
        Observations in each sample.
    params : (..., k) ndarray or Series
        Estimates; NaN where the estimation failed.
    cov : (..., k, k) ndarray or DataFrame
        Estimated covariance matrices of the estimates.
    bse, tvalues, pvalues : (..., k) ndarray or Series
        Standard errors, ratios, and two-sided p-values: normal, or Student's if `df` is given.
    j_test : HypothesisTest
        Hansen's test of the overidentifying restrictions.
    status : (...) ndarray of int8
        A `Status` for each sample.
    iterations : (...) ndarray of int16
        Gauss-Newton steps taken; zero where the estimate has a closed form.
    converged : (...) ndarray of bool
        Where the status is OK.
    df : float or None
        Degrees of freedom of Student's t, if a small-sample correction was asked for.

    Examples
    --------
    >>> import gmm
    >>> from gmm import GaussianMeanSD
    >>> result = GaussianMeanSD([4.0, 7.0, 1.0, 4.0, 9.0, 2.0]).fit()
    >>> result.conf_int(level=0.95).round(2)
    array([[2.3 , 6.7 ],
           [1.74, 3.77]])
    >>> print(result.wald_test([[1.0, 0.0]], 2.0))
    Wald test
    H0: mu = 2
    chi2(1) = 4.94505, p = 0.0262
    """

    parameters: tuple[str, ...]
    n: int
    estimates: Array = field(repr=False)
    covariance: Array = field(repr=False)
    j_test: HypothesisTest
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int16]
    df: float | None = None
    labelled: bool = field(default=False, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)
    moment_names: tuple[str, ...] = field(default=(), repr=False)
    model: Any = field(default=None, repr=False)
    fit: Fit | None = field(default=None, repr=False)

    @property
    def params(self) -> Any:
        """Estimates (..., k)."""
        return self._labelled(self.estimates)

    @property
    def cov(self) -> Any:
        """Covariance matrices of the estimates (..., k, k)."""
        return self._labelled(self.covariance)

    @property
    def bse(self) -> Any:
        """Standard errors (..., k)."""
        return self._labelled(self._errors)

    @property
    def tvalues(self) -> Any:
        """Estimates over standard errors (..., k)."""
        return self._labelled(self._ratios)

    @property
    def pvalues(self) -> Any:
        """Two-sided probabilities (..., k) of larger ratios if the parameter is zero."""
        tail = -np.abs(self._ratios)
        p = special.ndtr(tail) if self.df is None else special.stdtr(self.df, tail)
        return self._labelled(2 * p)

    @property
    def j(self) -> Any:
        """Hansen's J statistics (...)."""
        return self.j_test.statistic

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which samples were estimated without failure."""
        result: npt.NDArray[np.bool_] = self.status == Status.OK
        return result

    def conf_int(self, level: float = 0.95) -> Any:
        """Confidence intervals.

        Parameters
        ----------
        level : float
            Nominal coverage, between 0 and 1.

        Returns
        -------
        (..., k, 2) ndarray or DataFrame
            Lower and upper ends.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; it must be between 0 and 1")
        tail = (1 + level) / 2
        width = special.ndtri(tail) if self.df is None else special.stdtrit(self.df, tail)
        half = width * self._errors
        ends = np.stack([self.estimates - half, self.estimates + half], axis=-1)
        return self._labelled(ends, columns=("lower", "upper"))

    def wald_test(self, R: Any, q: npt.ArrayLike | None = None) -> HypothesisTest:
        """Test linear restrictions R theta = q by the distance of R theta from q.

        Parameters
        ----------
        R : (r, k) or (k,) array_like, str or sequence of str
            The restrictions; or their text, such as ``"s = iq"`` (needs formulaic).
        q : (r,) array_like, optional
            Their right-hand sides, by default zero; a text has them itself.

        Returns
        -------
        HypothesisTest
            Chi-squared with r degrees of freedom, or F(r, df) after a small-sample correction.
        """
        matrix, values = _specification.restrictions(R, q, self.parameters)
        return _specification.wald_test(self, matrix, values)

    def distance_test(self, R: Any, q: npt.ArrayLike | None = None) -> HypothesisTest:
        """Test R theta = q by what the restrictions add to n g'Wg, with the same W.

        Parameters and result as in `wald_test`; Newey and West (1987), Int. Economic Review 28,
        777-787, call it D. With the same weights on both sides it cannot be negative.
        """
        matrix, values = _specification.restrictions(R, q, self.parameters)
        return _specification.distance_test(self, matrix, values)

    def lm_test(self, R: Any, q: npt.ArrayLike | None = None) -> HypothesisTest:
        """Test R theta = q by the gradient of n g'Wg at the restricted estimate.

        Parameters and result as in `wald_test`; Newey and West (1987) as in `distance_test`.
        """
        matrix, values = _specification.restrictions(R, q, self.parameters)
        return _specification.lm_test(self, matrix, values)

    def c_test(self, names: Sequence[str]) -> HypothesisTest:
        """Test whether some moments hold, given that the others do.

        The difference of J with all moments and J without the named ones, both with the same S:
        Hayashi (2000), Econometrics, section 3.6. It cannot be negative.

        Parameters
        ----------
        names : sequence of str
            Which of the moments are in doubt.

        Returns
        -------
        HypothesisTest
        """
        return _specification.c_test(self, names)

    def summary(self) -> Summary:
        """The table of estimates; prints as text, shows as HTML, `to_latex()`."""
        return result_summary(self)

    @property
    def _errors(self) -> Array:
        result: Array = np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))
        return result

    @property
    def _ratios(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.estimates / self._errors

    def _labelled(self, values: Array, columns: Sequence[str] | None = None) -> Any:
        """With pandas labels if the data had them."""
        if not self.labelled or self.status.ndim:
            return values
        pandas = need_pandas("a labelled result")
        index = list(self.parameters)
        if values.ndim == 1:
            return pandas.Series(values, index=index)
        return pandas.DataFrame(values, index=index, columns=columns or index)
