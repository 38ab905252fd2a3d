#!/usr/bin/env bash
# pydynpd's AR tests after one step are neither those of step one nor of step two.
#
# Arellano and Bond's m statistics take residuals, weights and Z'u of one and the same step. After
# `onestep` pydynpd 0.2.2 runs the second step all the same, for Hansen's test, and takes the Z'u of
# that one into the m statistics of the first. With all of the first step, by its own function:
#
#   AR(1)   -3.745  becomes  -3.936
#   AR(2)   -0.257  becomes  -0.261
#
# (R's plm 2.6-2, `mtest`, is no arbiter: it has another formula, and may give NaN after one step.)
# pydynpd 0.2.2 needs NumPy 1: with 2.4 it ends by "module 'numpy' has no attribute 'in1d'".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==1.26.4 pandas==2.2.3 scipy==1.13.1 pydynpd==0.2.2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import contextlib
import io

import numpy as np
import pandas as pd
from pydynpd import regression, specification_tests

rng = np.random.default_rng(3)
n, periods = 40, 8
eta, x = rng.standard_normal((n, 1)), rng.standard_normal((n, periods))
y = np.empty((n, periods))
y[:, 0] = eta[:, 0] + rng.standard_normal(n)
for t in range(1, periods):
    y[:, t] = 0.4 * y[:, t - 1] + 0.5 * x[:, t] + eta[:, 0] + rng.standard_normal(n)
who, when = np.indices((n, periods))
frame = pd.DataFrame({"id": who.ravel(), "year": 2001 + when.ravel(), "y": y.ravel(),
                      "x": x.ravel()})
ar_test, seen = specification_tests.AR_test, {}


def both(model, zs, step, m):
    """As it is called, and with the products of instruments and residuals of the step named."""
    residual = model.step_results[step - 1].residual.reshape(model.N, -1, 1)
    own = (model.z_list.reshape(model.N, -1, residual.shape[1]) @ residual).reshape(-1, 1)
    seen["as it is"] = [test.AR for test in ar_test(model, zs, step, m)]
    seen["of its step"] = [test.AR for test in ar_test(model, own, step, m)]
    return ar_test(model, zs, step, m)


specification_tests.AR_test = both
for steps in "onestep", "":
    with contextlib.redirect_stdout(io.StringIO()):
        command = f"y L1.y x | gmm(y, 2:3) gmm(x, 2:3) | nolevel {steps}".strip()
        regression.abond(command, frame, ["id", "year"])
    print(steps or "two steps", seen)
    assert np.allclose(*seen.values(), rtol=1e-9) == (steps == "")
PYTHON
