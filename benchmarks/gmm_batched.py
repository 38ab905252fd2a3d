"""10 000 two-step estimations in one call against a loop over a peer that knows one sample.

The target: with q = 4 moments and n = 100, at least 100 times as fast as linearmodels' and
statsmodels' GMM. The peers loop over the first samples; microseconds per estimation compare them.
That all estimate the same is checked, too.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Spread, arguments, machine, print_machine, write_json

import gmm

TARGET = 100
N = 100
Estimates = np.ndarray


def ours(result: gmm.GMMResult) -> Estimates:
    """Parameters, standard errors and J, a row for each sample."""
    return np.column_stack([result.params, result.bse, result.j])


def everything(fits: list[Any]) -> Estimates:
    """The same from statsmodels' results."""
    return np.array([[*fit.params, *fit.bse, fit.jval] for fit in fits])


def linear(samples: int) -> dict[str, tuple[int, Callable[[], Estimates]]]:
    """A constant, an endogenous regressor, three instruments."""
    from linearmodels.iv import IVGMM
    from statsmodels.sandbox.regression.gmm import LinearIVGMM

    rng = np.random.default_rng(1)
    z, u = rng.standard_normal((samples, N, 3)), rng.standard_normal((samples, N))
    w = z.sum(axis=-1) + u + rng.standard_normal((samples, N))
    y, ones = 1 + 0.5 * w + u, np.ones((N, 1))

    def batched() -> Estimates:
        return ours(gmm.IV(y, ones, w, z).fit())

    def linearmodels(count: int) -> Estimates:
        fits = [IVGMM(y[r], ones, w[r], z[r]).fit() for r in range(count)]
        return np.array([[*fit.params, *fit.std_errors, fit.j_stat.stat] for fit in fits])

    def statsmodels(count: int) -> Estimates:
        def one(r: int) -> Any:
            x, instruments = np.column_stack([ones, w[r]]), np.column_stack([ones, z[r]])
            start = np.linalg.inv(instruments.T @ instruments / N)
            model = LinearIVGMM(y[r], x, instruments)
            return model.fit(
                maxiter=2,
                inv_weights=np.linalg.inv(start),
                wargs={"centered": False},
                has_optimal_weights=False,
                optim_args={"disp": 0},
            )

        return everything([one(r) for r in range(count)])

    return {
        "gmm.IV": (samples, batched),
        "linearmodels IVGMM": (40, lambda: linearmodels(40)),
        "statsmodels LinearIVGMM": (40, lambda: statsmodels(40)),
    }


def nonlinear(samples: int) -> dict[str, tuple[int, Callable[[], Estimates]]]:
    """Mean and variance of normal samples from four moments, as a user writes them."""
    from statsmodels.sandbox.regression.gmm import GMM

    x = np.random.default_rng(2).standard_normal((samples, N, 1))
    start = np.stack([x[..., 0].mean(axis=1), x[..., 0].var(axis=1)], axis=1)

    def moments(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        d = data[..., 0] - theta[..., 0, None]
        v = theta[..., 1, None]
        square = d * d
        return np.stack([d, square - v, square * d, square * square - 3 * v * v], axis=-1)

    def jacobian(theta: np.ndarray, data: np.ndarray) -> np.ndarray:
        d = data[..., 0] - theta[..., 0, None]
        square = d * d
        result = np.zeros((*theta.shape[:-1], 4, 2))
        result[..., 0, 0] = -1.0
        result[..., 1, 0] = -2 * d.mean(axis=-1)
        result[..., 2, 0] = -3 * square.mean(axis=-1)
        result[..., 3, 0] = -4 * (square * d).mean(axis=-1)
        result[..., 1, 1] = -1.0
        result[..., 3, 1] = -6 * theta[..., 1]
        return result

    class Gaussian(GMM):
        def momcond(self, params: np.ndarray) -> np.ndarray:
            return moments(params, self.endog[:, None])

    def batched(jac: Any = None) -> Estimates:
        return ours(gmm.Moments(moments, x, jac).fit(start))

    def statsmodels(count: int) -> Estimates:
        def one(r: int) -> Any:
            # It takes names from regressors and instruments, and there are none: see its #2633.
            model = Gaussian(x[r, :, 0], np.ones((N, 2)), np.ones((N, 4)), k_moms=4, k_params=2)
            return model.fit(
                start[r],
                maxiter=2,
                inv_weights=np.eye(4),
                wargs={"centered": False},
                has_optimal_weights=False,
                optim_args={"disp": 0, "gtol": 1e-9},
            )

        return everything([one(r) for r in range(count)])

    return {
        "gmm.Moments": (samples, batched),
        "gmm.Moments, jac given": (samples, lambda: batched(jacobian)),
        "statsmodels GMM": (20, lambda: statsmodels(20)),
    }


def main() -> None:
    options = arguments(__doc__).parse_args()
    rounds, samples = (1, 500) if options.quick else (5, 10_000)
    facts = machine(options)
    print_machine(facts, markdown=True)
    results: dict[str, Any] = {}
    warnings.simplefilter("ignore")
    for title, case in (("linear", linear(samples)), ("nonlinear", nonlinear(samples))):
        for _, run in case.values():
            run()
        taken: dict[str, list[float]] = {name: [] for name in case}
        found: dict[str, Estimates] = {}
        for _ in range(rounds):
            for name, (count, run) in case.items():
                began = time.perf_counter()
                found[name] = run()
                taken[name].append((time.perf_counter() - began) / count * 1e6)
        owns = [name for name in case if name.startswith("gmm")]
        peers = [name for name in case if name not in owns]
        print(
            f"| {title}: two-step, q = 4, n = {N}; {samples:,} samples | us per estimation |",
            end="",
        )
        print("".join(f" times as long as `{own}`; largest difference |" for own in owns))
        print("|---|---:|" + "---:|" * len(owns))
        for name in case:
            cells = [f"`{name}`", f"{Spread.of(taken[name]).median:.1f}"]
            for own in owns if name in peers else ():
                ratio = Spread.of([a / b for a, b in zip(taken[name], taken[own], strict=True)])
                difference = float(np.abs(found[own][: len(found[name])] - found[name]).max())
                below = "" if ratio.median >= TARGET else f", below {TARGET}"
                spread = f"{ratio.median:.0f} ({ratio.low:.0f}-{ratio.high:.0f})"
                cells.append(f"{spread}{below}; {difference:.0e}")
                compared = {"ratio": ratio.as_dict(), "difference": difference}
                results[f"{own} against {name}"] = compared
            cells += [""] * (2 + len(owns) - len(cells))
            print("| " + " | ".join(cells) + " |")
        print()
    write_json(options.json, facts, results=results)


if __name__ == "__main__":
    main()
