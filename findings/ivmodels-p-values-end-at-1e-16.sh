#!/usr/bin/env bash
# ivmodels' p-values are one minus a distribution function: below 1e-16 they are zero.
#
# One would expect a package of tests to take survival functions, as SciPy offers them. The
# Anderson-Rubin, Lagrange multiplier and Wald tests of ivmodels 0.10.0 return exactly 0.0 beyond a
# chi-squared of 75 or so with one degree of freedom, and the conditional likelihood ratio test a
# multiple of 2.2e-16, with no correct digit:
#
#   lagrange_multiplier_test    statistic 81, p 0.0        (chi2.sf: 2e-19)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 ivmodels==0.10.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from ivmodels.tests import conditional_likelihood_ratio_test, lagrange_multiplier_test
from scipy.stats import chi2

rng = np.random.default_rng(1)
z, u = rng.standard_normal((400, 3)), rng.standard_normal(400)
w = z.sum(axis=1) + u + rng.standard_normal(len(u))
y = w + u
print("ivmodels", version("ivmodels"))
for value in np.linspace(0.9, 0.0, 91):
    data = z, w[:, None], y, np.array([value])
    statistic, p = lagrange_multiplier_test(*data, fit_intercept=True)
    if statistic > 80:
        break
print("K", statistic, "p", p, "chi2.sf", chi2.sf(statistic, 1))
assert p == 0.0 < chi2.sf(statistic, 1)
ratio, p = conditional_likelihood_ratio_test(*data, fit_intercept=True)
print("CLR", ratio, "p", p, "in units of 2^-53:", p * 2**53)
assert (p * 2**53) % 1 == 0
PYTHON
