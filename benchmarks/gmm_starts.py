"""How many starts of a wide grid end where: at the solution, elsewhere, or with which status.

Every model is estimated from each point of a grid that reaches far from its solution, all of them
as one stack. "solution" is within 1e-6 standard errors of the least n g'Wg of its last step, "other
minimum" is a point where a search from many sides ends, too, and no step improves it: it is a
minimum, but not the least. What is said to have converged anywhere else is a fault.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np

import gmm
from gmm.models.euler import Lognormal

STEPS = (1, 2, "iterated", "cue")
COUNTS = np.array([0.0, 1.0, 2.0, 3.0, 1.0, 2.0, 0.0, 4.0])


def exponential_mean(theta: Any, data: Any) -> Any:
    """y - exp(theta): one moment, one parameter."""
    return data - np.exp(theta[..., np.newaxis, :])


def poisson(theta: Any, data: Any) -> Any:
    """Mean and second moment of a Poisson variable, of the logarithm of its mean."""
    mean = np.exp(theta[..., np.newaxis, :])
    return np.concatenate([data - mean, data**2 - mean - mean**2], axis=-1)


def cases() -> dict[str, tuple[Any, list[Any], list[Any]]]:
    """By name: a model of R copies of a sample, its starts (R, k), its steps."""
    rng = np.random.default_rng(15)
    line = np.concatenate([np.linspace(-60, 150, 211)])[:, np.newaxis]
    copies = np.broadcast_to(COUNTS[:, np.newaxis], (len(line), len(COUNTS), 1))
    found: dict[str, tuple[Any, list[Any], list[Any]]] = {
        "y - exp(t)": (gmm.Moments(exponential_mean, copies), list(line), [1]),
        "Poisson, two moments": (gmm.Moments(poisson, copies), list(line), list(STEPS)),
    }
    x = np.column_stack([np.ones(300), rng.standard_normal((300, 2))])
    z = rng.standard_normal((300, 2))
    y = rng.poisson(np.exp(x @ [0.5, 0.3, -0.2]))
    cube = list(itertools.product([-20.0, -5.0, -1.0, 0.0, 1.0, 5.0, 20.0], repeat=3))
    for error in ("additive", "multiplicative"):
        stacked = np.broadcast_to(y, (len(cube), 300))
        exact = gmm.ExponentialRegression(stacked, x, error=error)
        more = gmm.ExponentialRegression(stacked, x, instruments=z, error=error)
        found[f"exponential, {error}, q = 3"] = exact, cube, [1]
        found[f"exponential, {error}, q = 5"] = more, cube, list(STEPS)
    plane = list(itertools.product([1e-3, 0.1, 1.0, 2.0, 10.0, 100.0, 1e4], repeat=2))
    sample = rng.gamma(2.0, 3.0, 200)
    for names in (("mean", "log"), ("mean", "log", "inverse")):
        model = gmm.Gamma(np.broadcast_to(sample, (len(plane), 200)), moments=names)
        steps = [1] if len(names) == 2 else list(STEPS)
        found[f"gamma, q = {len(names)}"] = model, plane, steps
    growth, returns = Lognormal().sample(rng, (401,))
    risk = list(itertools.product([-200.0, -50.0, -10.0, -2.0, 0.0, 5.0, 50.0], [0.1, 0.95, 3.0]))
    many = (len(risk), 401)
    euler = gmm.EulerEquation(np.broadcast_to(growth, many), np.broadcast_to(returns, many))
    found["Euler equation, q = 3"] = euler, risk, list(STEPS)
    return found


def endings(model: Any, starts: list[Any], steps: Any) -> Counter[str]:
    """How many of the starts end where."""
    # Weights that do not depend on the start, or else each start has its own estimate.
    initial = "identity" if isinstance(model, gmm.Gamma) else None
    result = model.fit(np.array(starts), steps=steps, initial=initial)
    ok = result.converged
    counts = Counter(gmm.Status(int(status)).name for status in result.status[~ok])
    if not ok.any():
        return counts
    params, bse = result.params[ok], result.bse[ok]
    # The same minimum, to a millionth of a standard error.
    labels = {tuple(row) for row in np.round((params - params[0]) / bse.min(axis=0) / 1e-4)}
    least = np.argmin(result.j[ok]) if result.j_test.df else 0
    near = (np.abs(params - params[least]) <= 1e-6 * bse[least]).all(axis=1)
    counts["solution"] = int(near.sum())
    counts["elsewhere"] = int((~near).sum())
    counts["places"] = len(labels)
    return counts


def main() -> None:
    """Print the table."""
    rows = {}
    for name, (model, starts, all_steps) in cases().items():
        for steps in all_steps:
            rows[f"{name}, {steps}"] = len(starts), endings(model, starts, steps)
    names = sorted({key for _, counts in rows.values() for key in counts})
    names.sort(key=lambda name: (name != "solution", name != "elsewhere", name != "places", name))
    print(f"{'':44}{'starts':>8}" + "".join(f"{name:>16}" for name in names))
    for label, (count, counts) in rows.items():
        print(f"{label:44}{count:8}" + "".join(f"{counts[name] or '':>16}" for name in names))


if __name__ == "__main__":
    main()
