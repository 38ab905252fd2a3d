#!/usr/bin/env bash
# statsmodels takes all observations whose group is missing (NaN) for one cluster.
#
# A good guess is an error, as linearmodels has ("clusters cannot contain missing values"), or that
# these rows are left out. statsmodels 0.14.6 gives cluster-robust standard errors without a word;
# they are those with the number 99 in place of every NaN.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 pandas==2.3.3 scipy==1.17.1 statsmodels==0.14.6
"$folder/venv/bin/python" -W error::RuntimeWarning - <<'PYTHON'
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
n = 80
x = np.column_stack([np.ones(n), rng.standard_normal(n)])
y, groups = x.sum(axis=1) + rng.standard_normal(n), np.arange(n) % 8 * 1.0
groups[:20] = np.nan


def errors(groups, rows=slice(None)):
    options = {"groups": groups[rows]}
    return sm.OLS(y[rows], x[rows]).fit(cov_type="cluster", cov_kwds=options).bse


missing, named = errors(groups), errors(np.where(np.isnan(groups), 99.0, groups))
print("NaN           ", missing)
print("99            ", named)
print("rows left out ", errors(groups, ~np.isnan(groups)))
assert np.allclose(missing, named, rtol=1e-12)
PYTHON
