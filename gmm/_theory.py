"""How theory is put beside a Monte Carlo result."""

from dataclasses import dataclass

# The 1.96 of every textbook, and of the 2010 experiment; its nominal level is 0.9500042...
CRITICAL = 1.96


@dataclass(frozen=True)
class Reference:
    """A value that theory gives for a statistic: exactly, or in the limit of large samples."""

    value: float
    exact: bool


# By parameter, then by statistic: "bias", "sd", "rmse", "coverage".
Theory = dict[str, dict[str, Reference]]
