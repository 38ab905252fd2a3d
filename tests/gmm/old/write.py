"""Write the files of this folder: pickles and a checkpoint as this version of gmm makes them.

They are kept to be read by later versions; `test_old_files.py` says what must come out of them.
Run it only for files that stand beside the old ones, under new names.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
import pandas

import gmm
from gmm.montecarlo.gaussian import gaussian_study

HERE = Path(__file__).parent


def objects():
    """One object of each class that a user may have kept."""
    rng = np.random.default_rng(2026)
    n = 40
    x = np.column_stack([np.ones(n), rng.standard_normal(n)])
    z = rng.standard_normal((n, 2))
    noise = rng.standard_normal(n)
    w = z.sum(axis=1) + noise
    y = x.sum(axis=1) + w + noise
    frame = pandas.DataFrame(
        np.column_stack([y, x, w, z]), columns=["y", "one", "x", "w", "a", "b"]
    )
    iv = gmm.IV(
        frame["y"], frame[["one", "x"]], frame[["w"]], frame[["a", "b"]], clusters=np.arange(n) // 4
    )
    yield "iv", iv.fit()
    yield "iv-cluster", iv.fit(cov="cluster", small_sample="cluster")
    yield "iv-hac", iv.fit(steps="iterated", weights=gmm.HAC("bartlett", 2))
    stack = gmm.IV(np.stack([y, y + noise]), x, w, z)
    yield "iv-stack", stack.fit(steps="cue")
    counts = rng.poisson(np.exp(x @ [0.5, 0.3]))
    yield "exponential", gmm.ExponentialRegression(counts, x, instruments=z).fit()
    yield "gamma", gmm.Gamma(rng.gamma(2.0, 3.0, (2, 50))).fit()
    growth = np.exp(0.02 + 0.01 * rng.standard_normal(60))
    returns = growth * np.exp(0.05 * rng.standard_normal(60)) / 0.97
    yield "euler", gmm.EulerEquation(growth, returns, lags=1).fit()
    yield "gaussian", gmm.GaussianMeanSD(rng.standard_normal((3, 50)), moments=4).fit()
    # For one sample of one column, g = theta - data.
    yield (
        "moments",
        gmm.Moments(np.subtract, y[:, None], names=["mean"], bounds={"mean": (-9, 9)}).fit([0.5]),
    )
    yield "wald", iv.fit().wald_test([[0.0, 0.0, 1.0]], 1.0)
    yield "hac", gmm.HAC("parzen", "andrews", prewhiten=True)
    yield "status", gmm.Status.SINGULAR
    yield "summary", iv.fit().summary()
    study = gaussian_study(20, 3)
    yield "study", study
    result = study.run(1000, seed=1)
    yield "study-result", result
    yield "study-summary", result.summary()
    yield "model", iv


def main():
    version = sys.argv[1]
    with open(HERE / f"{version}.pickle", "wb") as file:
        pickle.dump(dict(objects()), file, protocol=4)
    gaussian_study(20, 4).run(1500, seed=7, checkpoint=HERE / f"{version}-checkpoint")


if __name__ == "__main__":
    main()
