#!/usr/bin/env bash
# linearmodels' basmann_f after two-stage least squares is the F of LIML.
#
# Basmann's statistic is (n - k1 - l) e'Pe / e'Me of the residuals e, divided by its degrees of
# freedom for an F. Of one 2SLS result linearmodels 7.1 has two versions: `basmann` takes the
# residuals of 2SLS, `basmann_f` the smallest eigenvalue of LIML, so that they are not multiples of
# each other, as one would expect from the names:
#
#   basmann.stat / 2    3.587491      (two overidentifying restrictions)
#   basmann_f.stat      3.506967      = that of IVLIML
#
# Stata's `estat overid` has the chi-squared after 2sls and the F after liml.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 linearmodels==7.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import linearmodels
import numpy as np
from linearmodels.iv import IV2SLS, IVLIML

rng = np.random.default_rng(1)
z, u = rng.standard_normal((60, 3)), rng.standard_normal(60)
w = z.sum(axis=1) + u + rng.standard_normal(len(u))
y = w + u + 0.3 * z[:, 0]
data = y, np.ones(60), w, z
two_stage, liml = IV2SLS(*data).fit(), IVLIML(*data).fit()
print("linearmodels", linearmodels.__version__)
print("basmann / 2", two_stage.basmann.stat / 2)
print("basmann_f  ", two_stage.basmann_f.stat, "of LIML", liml.basmann_f.stat)
assert np.isclose(two_stage.basmann_f.stat, liml.basmann_f.stat, rtol=1e-12)
assert not np.isclose(two_stage.basmann_f.stat, two_stage.basmann.stat / 2, rtol=1e-4)
PYTHON
