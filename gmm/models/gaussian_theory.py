"""What theory knows of the Gaussian experiment: exactly where it can, else in the limit."""

import math

from scipy import special

from gmm.models.theory import CRITICAL, Reference, Theory


def theory(moments: int, n: int) -> Theory:
    """Bias, standard deviation, RMSE and coverage of mu and sigma for N(0, 1) samples.

    Two moments: exact in every sample size, but for the coverage of sigma, whose standard error
    comes from estimated fourth moments. More moments: the limit, which is that of maximum
    likelihood, as the third and fourth moment add no information.
    """
    nominal = Reference(math.erf(CRITICAL / math.sqrt(2)), exact=False)
    if moments == 2:
        bias, variance = sigma_bias(n), sigma_variance(n)
        return {
            "mu": {
                "bias": Reference(0.0, True),
                "sd": Reference(n**-0.5, True),
                "rmse": Reference(n**-0.5, True),
                "coverage": Reference(coverage_of_mean(n), True),
            },
            "sigma": {
                "bias": Reference(bias, True),
                "sd": Reference(math.sqrt(variance), True),
                "rmse": Reference(math.sqrt(variance + bias**2), True),
                "coverage": nominal,
            },
        }
    limits = {"mu": n**-0.5, "sigma": (2 * n) ** -0.5}
    return {
        name: {
            "bias": Reference(0.0, False),
            "sd": Reference(limit, False),
            "rmse": Reference(limit, False),
            "coverage": nominal,
        }
        for name, limit in limits.items()
    }


def coverage_of_mean(n: int) -> float:
    """P(|mean - mu| < 1.96 sigma_hat / sqrt(n)), exactly.

    With sigma_hat^2 = sum (x - mean)^2 / n, sqrt((n - 1) / n) (mean - mu) / SE is Student's t
    with n - 1 degrees of freedom.

    >>> coverage_of_mean(500)
    0.9492177608882222
    """
    return float(1 - 2 * special.stdtr(n - 1, -CRITICAL * math.sqrt((n - 1) / n)))


def sigma_bias(n: int) -> float:
    """E sigma_hat - 1, where n sigma_hat^2 is chi-squared with n - 1 degrees of freedom."""
    return math.expm1(0.5 * math.log1p(-1 / n) + math.log1p(_gamma_ratio((n - 1) / 2)))


def sigma_variance(n: int) -> float:
    """var sigma_hat = E sigma_hat^2 - (E sigma_hat)^2, with E sigma_hat^2 = (n - 1) / n."""
    excess = _gamma_ratio((n - 1) / 2)
    return -(n - 1) / n * excess * (2 + excess)


def _gamma_ratio(x: float) -> float:
    """gamma(x + 1/2) / (gamma(x) sqrt(x)) - 1, about -1 / (8 x)."""
    if x < 150:
        return math.exp(math.lgamma(x + 0.5) - math.lgamma(x) - 0.5 * math.log(x)) - 1
    # From there on the difference of two lgamma loses more than the asymptotic series leaves
    # out (Abramowitz and Stegun 6.1.47; the next term is 399 / 262144 x^-5).
    y = 1 / x
    return y * (-1 / 8 + y * (1 / 128 + y * (5 / 1024 - y * 21 / 32768)))
