#!/usr/bin/env bash
# scipy.linalg.solve and inv name the wrong slice of a stack.
#
# SciPy 1.17.1 takes stacks, and its error for a singular slice names "slice(s)". One would expect
# the index of the slice that is singular. Whatever slice it is, the message says slice 0:
#
#   singular slice 1 of 3: solve: A singular matrix detected: slice(s) [0] are singular.
#   singular slice 2 of 3: solve: A singular matrix detected: slice(s) [0] are singular.
#   ... and the same from inv.
#
# The warning for ill-conditioned slices counts these alone: an identity and then a Hilbert matrix of
# order 12 give "slice 0 has rcond = 2.56...e-17", which is the rcond of slice 1.
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
healthy, singular = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 2.0], [2.0, 4.0]])
for bad in 1, 2:
    stack = np.stack([singular if i == bad else healthy for i in range(3)])
    for function, rest in (scipy.linalg.solve, (np.ones((3, 2, 1)),)), (scipy.linalg.inv, ()):
        try:
            function(stack, *rest)
        except np.linalg.LinAlgError as error:
            print(f"singular slice {bad} of 3: {function.__name__}: {error}")
            assert "slice(s) [0] are singular" in str(error)
        else:
            raise AssertionError("no error")

hilbert = 1 / (np.arange(12)[:, None] + np.arange(12) + 1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    scipy.linalg.solve(np.stack([np.eye(12), hilbert]), np.ones((2, 12, 1)))
print(caught[0].message)
assert str(caught[0].message).startswith("An ill-conditioned matrix detected: slice 0 has rcond = 2.5")
PYTHON
