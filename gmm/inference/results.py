"""What an estimation answers."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.answer import Answer
from gmm.inference import specification
from gmm.inference.derived import restricted, transformed
from gmm.inference.estimates import Estimates, check_level
from gmm.inference.hypotheses import HypothesisTest, j_test
from gmm.inference.summary import Summary, result_summary

__all__ = ["GMMResult"]


class GMMResult(Estimates):
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
    reason : str
        Of a single sample that failed: why, with the names of collinear columns. Of many: the
        cause in the first one that is singular, if it is known.
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
    >>> ratio = result.transform(lambda theta: theta[..., 0] / theta[..., 1], ["mu / sigma"])
    >>> ratio.conf_int().round(2)
    array([[0.86, 2.41]])
    """

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The result of an estimation, with its J test."""
        held = dict(vars(answer))
        test = j_test(held.pop("j"), held.pop("j_df"), held.pop("j_reason"))
        return cls(j_test=test, **held)

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
        matrix, values = specification.restrictions(R, q, self.parameters)
        return specification.wald_test(self, matrix, values)

    def distance_test(self, R: Any, q: npt.ArrayLike | None = None) -> HypothesisTest:
        """Test R theta = q by what the restrictions add to n g'Wg, with the same W.

        Parameters and result as in `wald_test`; Newey and West (1987), Int. Economic Review 28,
        777-787, call it D. With the same weights on both sides it cannot be negative.
        """
        matrix, values = specification.restrictions(R, q, self.parameters)
        return specification.distance_test(self, matrix, values)

    def lm_test(self, R: Any, q: npt.ArrayLike | None = None) -> HypothesisTest:
        """Test R theta = q by the gradient of n g'Wg at the restricted estimate.

        Parameters and result as in `wald_test`; Newey and West (1987) as in `distance_test`.
        """
        matrix, values = specification.restrictions(R, q, self.parameters)
        return specification.lm_test(self, matrix, values)

    def nonlinear_wald_test(
        self, function: Callable[[Array], npt.ArrayLike], q: npt.ArrayLike = 0.0
    ) -> HypothesisTest:
        """Test function(theta) = q by the delta method.

        Parameters
        ----------
        function : callable
            As for `transform`.
        q : float or (m,) array_like
        """
        moved = self.transform(function)
        return specification.wald_test(
            moved, *specification.restrictions(np.eye(len(moved.parameters)), q, moved.parameters)
        )

    def transform(
        self, function: Callable[[Array], npt.ArrayLike], names: Sequence[str] | None = None
    ) -> "GMMResult":
        """Functions of the parameters, with standard errors by the delta method.

        Parameters
        ----------
        function : callable
            Of parameters (..., k), with the leading axes of the data: one value (...) or
            several (..., m). Derivatives are taken by central differences.
        names : sequence of str, optional
            Of the m functions.

        Returns
        -------
        GMMResult
            Without moments: what only estimates and their covariance matrix answer.
        """
        return transformed(self, function, names)

    def restricted(self, R: Any, q: npt.ArrayLike | None = None) -> Self:
        """The estimates under R theta = q, with the weights of the last step.

        Parameters
        ----------
        R, q
            As for `wald_test`.

        Returns
        -------
        GMMResult
            Of the same kind. J has as many degrees of freedom more as there are restrictions;
            the difference of both J is `distance_test`. What is restricted has no error.
        """
        matrix, values = specification.restrictions(R, q, self.parameters)
        return restricted(self, matrix, values)

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
        return specification.c_test(self, names)

    def summary(self, *, level: float = 0.95) -> Summary:
        """The table of estimates; prints as text, shows as HTML, `to_latex()`.

        Parameters
        ----------
        level : float
            Nominal coverage of the intervals, between 0 and 1.

        Returns
        -------
        Summary
        """
        check_level(level)
        return result_summary(self, level)

    def to_latex(self, *, level: float = 0.95) -> str:
        """The table of estimates as a LaTeX tabular; `level` as in `summary`."""
        return self.summary(level=level).to_latex()

    def __str__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
