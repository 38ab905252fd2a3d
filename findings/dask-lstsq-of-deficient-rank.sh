#!/usr/bin/env bash
# dask.array.linalg.lstsq says rank 1 and answers as if the rank were full.
#
# Its answer has NumPy's four parts. For a matrix of two equal columns NumPy gives the shortest
# solution, [1.25, 1.25]. dask 2026.8.0 divides by what rounding has left of a zero: coefficients
# of 1e15; the rank beside them is 1, and the second singular value, the root of a negative number,
# is NaN with a RuntimeWarning.
#
#   NumPy: x = [1.25 1.25], rank 1, singular values [3.46 0]
#   dask:  x = [-7.49e+15 7.49e+15], rank 1, singular values [3.46 nan]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 dask==2026.8.0
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

import dask
import dask.array as da
import numpy as np

print("dask", dask.__version__)
a, b = np.ones((6, 2)), np.arange(6.0)
x, _, rank, singular = np.linalg.lstsq(a, b)
print("NumPy:", x, rank, singular)
assert np.allclose(x, 1.25) and rank == 1
with warnings.catch_warnings(record=True):
    warnings.simplefilter("always")
    parts = da.linalg.lstsq(da.from_array(a, chunks=(3, 2)), da.from_array(b, chunks=3))
    x, _, rank, singular = dask.compute(*parts)
print("dask: ", x, rank, singular)
assert rank == 1 and np.abs(x).max() > 1e14
PYTHON
