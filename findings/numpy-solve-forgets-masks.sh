#!/usr/bin/env bash
# numpy.linalg.solve computes with masked elements, and its masked result has no mask.
#
# In numpy.ma a masked element is missing, and what is computed from it is masked. One would expect
# of np.linalg.solve the same, or an error, as scipy.linalg.solve gives ("masked arrays are not
# supported"). NumPy 2.4.6 solves with the values under the mask and returns a masked array of which
# nothing is masked:
#
#   solve([[4, --], [2, 5]], [--, 2])  ->  masked_array([0.1667, 0.3333], mask=False)
#
# with 1 under both masks.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import scipy.linalg

a = np.ma.array([[4.0, 1.0], [2.0, 5.0]], mask=[[0, 1], [0, 0]])
b = np.ma.array([1.0, 2.0], mask=[1, 0])
x = np.linalg.solve(a, b)
print(repr(x))
assert isinstance(x, np.ma.MaskedArray) and not np.ma.getmaskarray(x).any()
assert np.allclose(x.data, [1 / 6, 1 / 3])
try:
    scipy.linalg.solve(a, b)
except ValueError as error:
    print("scipy:", error)
    assert "masked arrays are not supported" in str(error)
else:
    raise AssertionError("SciPy solves masked arrays")
PYTHON
