"""Test statistics that know their null, their distribution, and why they may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from scipy import special

from gmm.data.labelled import PerSample

__all__ = ["HypothesisTest"]


@dataclass(frozen=True)
class HypothesisTest:
    """A test of one sample, or of many with leading axes.

    Attributes
    ----------
    name, null : str
        What the test is called, and the hypothesis that it tests.
    statistic : (...) float or ndarray
        NaN where it cannot be computed.
    df : int
        Degrees of freedom of the chi-squared distribution, or of the numerator of F.
    df_denom : float or None
        Degrees of freedom of the denominator, if the distribution is F.
    reason : str
        Why there is no statistic, or no p-value; empty if there is.
    given_pvalue, given_distribution
        Of a statistic that is neither chi-squared nor F: its p-value, and what it has instead.
    critical_values : mapping of str to float
        What the statistic is to be compared with, where that is all there is.

    Examples
    --------
    >>> import gmm
    >>> test = gmm.HypothesisTest("Wald test", "mu = 0", statistic=3.84, df=1)
    >>> round(float(test.pvalue), 4)
    0.05
    >>> print(test)
    Wald test
    H0: mu = 0
    chi2(1) = 3.84, p = 0.0500
    """

    name: str
    null: str
    statistic: PerSample
    df: int
    df_denom: float | None = None
    reason: str = ""
    given_pvalue: PerSample | None = None
    given_distribution: str = ""
    critical_values: Mapping[str, Any] = field(default_factory=dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A test that an older version pickled has no critical values.
        self.__dict__.update({"critical_values": {}, **state})

    @property
    def pvalue(self) -> PerSample:
        """The probability (...) of a statistic at least as large, under the null."""
        if self.given_pvalue is not None:
            return self.given_pvalue
        if self.df == 0:
            return np.full(np.shape(self.statistic), np.nan)[()]
        if self.df_denom is None:
            return special.chdtrc(self.df, self.statistic)
        return special.fdtrc(self.df, self.df_denom, self.statistic)

    @property
    def distribution(self) -> str:
        """Under the null, at least in the limit."""
        if self.given_distribution:
            return self.given_distribution
        if self.df_denom is None:
            return f"chi2({self.df})"
        return f"F({self.df}, {self.df_denom:g})"

    @property
    def outcome(self) -> str:
        """The statistic of a single sample, with its p-value and critical values."""
        text = f"{self.distribution} = {self.statistic:.6g}"
        if not np.isnan(self.pvalue):
            text += f", p = {p_text(self.pvalue)}"
        critical = [f"{name}: {value:.6g}" for name, value in self.critical_values.items()]
        return f"{text}; critical values {', '.join(critical)}" if critical else text

    def _repr_html_(self) -> str:
        """The name in bold, the null and the outcome in lines of their own."""
        lines = str(self).splitlines()
        rest = "".join(f"<div>{escape(line)}</div>" for line in lines[1:])
        return f"<div><strong>{escape(lines[0])}</strong>{rest}</div>"

    def to_latex(self) -> str:
        """The outcome of a single sample as a line of text with mathematics."""
        if np.ndim(self.statistic) or self.reason:
            return str(self).splitlines()[-1].replace("%", r"\%")
        name = rf"\chi^2({self.df})"
        if self.df_denom is not None:
            name = f"F({self.df}, {self.df_denom:g})"
        if self.given_distribution:
            name = rf"\mathrm{{{self.given_distribution.split()[0]}}}"
        text = f"${name} = {self.statistic:.6g}$"
        return text if np.isnan(self.pvalue) else f"{text}, $p = {p_text(self.pvalue)}$"

    def __str__(self) -> str:
        head = f"{self.name}\nH0: {self.null}\n"
        if self.reason:
            return f"{head}{self.distribution}: none, {self.reason}"
        if np.ndim(self.statistic) == 0:
            return head + self.outcome
        valid = np.isfinite(self.statistic)
        rejected = np.count_nonzero(self.pvalue[valid] < 0.05)
        return (
            f"{head}{self.distribution}: {np.count_nonzero(valid):,} statistics, "
            f"{rejected:,} beyond the 5 % level"
        )


def p_text(p: float) -> str:
    """Four digits after the point, or the power of ten of what is smaller."""
    return f"{p:.4f}" if not p < 5e-5 else f"{p:.1e}"


def j_test(statistic: Any, df: int, why_not: str = "") -> HypothesisTest:
    """Hansen's test of the overidentifying restrictions."""
    reason = why_not
    if df == 0:
        reason = "there are as many moments as parameters"
    elif why_not:
        statistic = np.full(np.shape(statistic), np.nan)
    return HypothesisTest(
        "J test of overidentifying restrictions",
        "all moment conditions hold",
        np.asarray(statistic)[()],
        df,
        reason=reason,
    )
