"""A program as it was written in 2010: GMM of mean and standard deviation, many times."""

import sys

import numpy as np


def estimate(x):
    n = len(x)
    mu = x.mean()
    deviation = x - mu
    sigma = np.sqrt(np.inner(deviation, deviation) / n)
    f = np.array([deviation, deviation**2 - sigma**2])
    S = np.dot(f, f.T) / n
    D = np.array([[-1.0, 0.0], [0.0, -2 * sigma]])
    half = np.linalg.solve(D, S)
    V = np.linalg.solve(D, half.T)
    return mu, sigma, np.sqrt(np.diag(V) / n)


def main(replications):
    rng = np.random.RandomState(2010)
    covered = np.zeros(2)
    for _ in range(replications):
        mu, sigma, se = estimate(rng.randn(500))
        covered += abs(np.array([mu, sigma - 1])) < 1.96 * se
    print("coverage of mu:", covered[0] / replications, "of sigma:", covered[1] / replications)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10000)
