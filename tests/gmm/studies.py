"""Studies that several tests run."""

from typing import Any

import numpy as np

import gmm


def two_moments(theta: Any, data: Any) -> Any:
    """Mean and variance."""
    d = data[..., 0] - theta[..., 0, None]
    return np.stack([d, d**2 - theta[..., 1, None]], axis=-1)


def three_moments(theta: Any, data: Any) -> Any:
    """Mean and variance, and no skewness."""
    d = data[..., 0] - theta[..., 0, None]
    return np.stack([d, d**2 - theta[..., 1, None], d**3], axis=-1)


def normal(rng: np.random.Generator, size: tuple[int, int]) -> Any:
    """N(0, 1), one variable."""
    return rng.standard_normal((*size, 1))


def normal_study(n: int = 50, **options: Any) -> gmm.MonteCarlo:
    """Three moments, two-step: everything an over-identified study has."""
    fit = {"start": [0.0, 1.0], "initial": "start", "center": True}
    given = {"truth": {"mu": 0.0, "v": 1.0}, "fit": fit, "block": 50, **options}
    return gmm.MonteCarlo(three_moments, normal, n=n, **given)


def local_study(n: int = 50, **options: Any) -> gmm.MonteCarlo:
    """The same with functions that no worker can import, as in a notebook."""

    def g(theta: Any, data: Any) -> Any:
        d = data[..., 0] - theta[..., 0, None]
        return np.stack([d, d**2 - theta[..., 1, None], d**3], axis=-1)

    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return rng.standard_normal((*size, 1))

    like = normal_study(n, **options)
    return gmm.MonteCarlo(g, sampler, like.truth, n, like.fit, block=like.block)
