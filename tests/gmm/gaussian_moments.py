"""Moments of normal samples as a user would write them: theta = (mu, v)."""

import numpy as np


def g(theta: np.ndarray, data: np.ndarray, q: int = 4) -> np.ndarray:
    """d, d^2 - v, d^3, d^4 - 3 v^2; the first q."""
    mu, v = theta[..., 0, None], theta[..., 1, None]
    d = data[..., 0] - mu
    return np.stack([d, d**2 - v, d**3, d**4 - 3 * v**2][:q], axis=-1)


def three(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The first three."""
    return g(theta, data, 3)


def two(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The first two, which identify exactly."""
    return g(theta, data, 2)


def jacobian(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The derivatives (..., 4, 2) of the mean of g."""
    mu, v = theta[..., 0], theta[..., 1]
    d = data[..., 0] - mu[..., None]
    result = np.zeros((*theta.shape[:-1], 4, 2))
    for j in range(4):
        result[..., j, 0] = -(j + 1) * (d**j).mean(axis=-1)
    result[..., 1, 1] = -1.0
    result[..., 3, 1] = -6 * v
    return result


def samples(count: int, n: int, seed: int = 1) -> np.ndarray:
    """N(0, 1) samples (count, n, 1)."""
    return np.random.default_rng(seed).standard_normal((count, n, 1))


def sample_moments(data: np.ndarray) -> np.ndarray:
    """Mean and variance (..., 2), where the search begins."""
    return np.stack([data[..., 0].mean(axis=-1), data[..., 0].var(axis=-1)], axis=-1)
