#!/usr/bin/env bash
# scipy.linalg.solve warns of a diagonal matrix with the condition number in place of its reciprocal.
#
# SciPy 1.17.1 looks for structure and has a warning "An ill-conditioned matrix detected: slice 0 has
# rcond = ...". An rcond lies between 0 and 1. For a diagonal matrix the number is the largest
# quotient of two elements, which is 1 / rcond; for the triangular matrix with the same diagonal the
# warning is right:
#
#   diag(1e-20, 1)              rcond = 1e+20
#   [[1e-20, 0], [1e-20, 1]]    rcond = 1e-20
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import scipy
import scipy.linalg

print("SciPy", scipy.__version__, "NumPy", np.__version__)


def warned(a):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scipy.linalg.solve(a, np.ones(2))
    (warning,) = caught
    print(a.tolist(), warning.message)
    return float(str(warning.message).split("rcond = ")[1].rstrip("."))


assert warned(np.array([[1e-20, 0], [0, 1]])) == 1e20
assert warned(np.array([[1, 0], [0, 1e-17]])) == 1e17
assert warned(np.array([[1e-20, 0], [1e-20, 1]])) == 1e-20
PYTHON
