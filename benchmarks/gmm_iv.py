"""Weak instruments for many samples at once, and the wild bootstrap: against loops.

The targets: tests and sets of Anderson and Rubin, Kleibergen (K) and Moreira (CLR), and LIML, at
least 100 times as fast as a loop over ivmodels; 9999 wild bootstrap draws of a Wald test with
n = 1000 at least 50 times as fast as a loop in NumPy. That both give the same is checked. One
core for everybody: what is compared is processor time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Spread, arguments, machine, print_machine, write_json

import gmm

N = 100


def weak(samples: int) -> dict[str, tuple[Callable[[], Any], Callable[[int], Any]]]:
    """A constant, one endogenous regressor, three instruments: ours of all, the peer's of one."""
    import ivmodels
    from ivmodels import tests as peer

    rng = np.random.default_rng(1)
    z, u = rng.standard_normal((samples, N, 3)), rng.standard_normal((samples, N))
    w = 0.3 * z.sum(axis=-1) + u + rng.standard_normal((samples, N))
    y, ones, null = w + u, np.ones((N, 1)), np.array([0.8])
    result = gmm.IV(y, ones, w, z).fit(steps=1)

    def test(function: Any, **options: Any) -> Callable[[int], Any]:
        def one(r: int) -> Any:
            return function(z[r], w[r, :, None], y[r], null, fit_intercept=True, **options)[0]

        return one

    def region(function: Any) -> Callable[[int], Any]:
        def one(r: int) -> Any:
            return function(z[r], w[r, :, None], y[r], alpha=0.05, fit_intercept=True)

        return one

    def liml(r: int) -> Any:
        return ivmodels.KClass("liml").fit(Z=z[r], X=w[r, :, None], y=y[r]).coef_[0]

    return {
        "Anderson-Rubin test": (
            lambda: result.anderson_rubin(0.8).statistic,
            test(peer.anderson_rubin_test, critical_values="f"),
        ),
        "K test": (lambda: result.k_test(0.8).statistic, test(peer.lagrange_multiplier_test)),
        "CLR test": (
            lambda: result.clr_test(0.8).statistic,
            test(peer.conditional_likelihood_ratio_test),
        ),
        "Anderson-Rubin set": (
            lambda: result.confidence_set("ar").intervals,
            region(peer.inverse_anderson_rubin_test),
        ),
        "K set": (
            lambda: result.confidence_set("k").intervals,
            region(peer.inverse_lagrange_multiplier_test),
        ),
        "CLR set": (
            lambda: result.confidence_set("clr").intervals,
            region(peer.inverse_conditional_likelihood_ratio_test),
        ),
        "LIML, with standard errors": (
            lambda: gmm.KClass(y, ones, w, z).fit(cov="unadjusted").params[:, 1],
            liml,
        ),
    }


def bootstrap(n: int = 1000) -> tuple[Callable[[], float], Callable[[int], float]]:
    """The p-value of 9999 draws, and how a loop takes some of them."""
    rng = np.random.default_rng(5)
    z, u = rng.standard_normal((n, 3)), rng.standard_normal(n)
    w, x = 0.3 * z.sum(axis=1) + u + rng.standard_normal(n), np.ones((n, 1))
    y = w + u
    result = gmm.IV(y, x, w, z).fit(steps=1)
    both = np.column_stack([x, z])

    def statistic(y: np.ndarray, w: np.ndarray) -> float:
        regressors = np.column_stack([x, w])
        fitted = both @ np.linalg.solve(both.T @ both, both.T @ regressors)
        bread = np.linalg.inv(fitted.T @ fitted)
        theta = bread @ (fitted.T @ y)
        scores = fitted * (y - regressors @ theta)[:, None]
        return float((theta[1] - 1) ** 2 / (bread @ (scores.T @ scores) @ bread)[1, 1])

    def loop(draws: int) -> float:
        rng = np.random.default_rng(1)
        mean = np.mean(y - w)
        error = y - w - mean
        pi = np.linalg.lstsq(np.column_stack([both, error]), w)[0][:-1]
        first = both @ pi
        noise, own, beyond = w - first, statistic(y, w), 0
        for _ in range(draws):
            signs = rng.choice([-1.0, 1.0], n)
            drawn = first + noise * signs
            beyond += statistic(drawn + mean + error * signs, drawn) >= own
        return (1 + beyond) / (1 + draws)

    return lambda: float(result.wild_bootstrap([0, 1], 1.0, seed=1).pvalue), loop


def main() -> None:
    options = arguments(__doc__).parse_args()
    rounds, samples, count = (1, 200, 5) if options.quick else (5, 2000, 20)
    facts = machine(options)
    print_machine(facts, markdown=True)
    results: dict[str, Any] = {}
    import ivmodels  # noqa: F401  # that the collector does not walk through what it loads

    gc.collect()
    gc.freeze()
    print(f"| n = {N}, {samples:,} samples | us of processor | loop over ivmodels | ratio |")
    print("|---|---:|---:|---:|")
    for name, (batched, one) in weak(samples).items():
        ratios, owns, peers = [], [], []
        ours = batched()
        for _ in range(rounds):
            began = time.process_time()
            batched()
            owns.append((time.process_time() - began) / samples * 1e6)
            began = time.process_time()
            theirs = [one(r) for r in range(count)]
            peers.append((time.process_time() - began) / count * 1e6)
            ratios.append(peers[-1] / owns[-1])
        if np.ndim(ours) == 1:
            assert np.allclose(ours[:count], theirs, rtol=1e-6)
        ratio = Spread.of(ratios)
        results[name] = ratio.as_dict()
        own, peer = Spread.of(owns).median, Spread.of(peers).median
        print(f"| {name} | {own:.1f} | {peer:,.0f} | {ratio.median:,.0f} |")
    batched_p, loop = bootstrap()
    batched_p()
    draws = 200 if options.quick else 1000
    assert abs(batched_p() - loop(2000)) < 0.06
    ratios, owns, peers = [], [], []
    for _ in range(rounds):
        began = time.process_time()
        batched_p()
        owns.append(time.process_time() - began)
        began = time.process_time()
        loop(draws)
        peers.append((time.process_time() - began) / draws * 9999)
        ratios.append(peers[-1] / owns[-1])
    ratio = Spread.of(ratios)
    results["wild bootstrap"] = ratio.as_dict()
    print()
    print("| wild bootstrap, 9999 draws, n = 1000 | processor s | loop in NumPy | ratio |")
    print("|---|---:|---:|---:|")
    own, peer = Spread.of(owns).median, Spread.of(peers).median
    print(f"| Wald test after 2SLS | {own:.3f} | {peer:.2f} | {ratio.median:.0f} |")
    write_json(options.json, facts, results=results)


if __name__ == "__main__":
    main()
