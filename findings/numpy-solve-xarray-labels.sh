#!/usr/bin/env bash
# numpy.linalg.solve labels the solution of two xarray arrays by the rows of the matrix.
#
# The solution of a @ x = b has one number for each column of a. With a of dims (equation, unknown)
# and b of dims (equation,), one would expect dims (unknown,), or a plain array, which
# scipy.linalg.solve gives. NumPy 2.4.6 with xarray 2026.9.0 answers b's dims and coordinates:
#
#   numpy:  DataArray, dims ('equation',), coords ['balance', 'energy']
#   scipy:  ndarray
#
# so that x.sel(unknown="speed") fails, and x + another array over equations adds what is no
# equation, silently.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 xarray==2026.9.0
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import scipy.linalg
import xarray as xr

rows, columns = ["balance", "energy"], ["speed", "height"]
a = xr.DataArray([[4.0, 1.0], [2.0, 5.0]], {"equation": rows, "unknown": columns})
b = xr.DataArray([1.0, 2.0], {"equation": rows})
x = np.linalg.solve(a, b)
print("numpy:", type(x).__name__, x.dims, x["equation"].values.tolist())
assert x.dims == ("equation",) and x["equation"].values.tolist() == rows
print("scipy:", type(scipy.linalg.solve(a, b)).__name__)
assert type(scipy.linalg.solve(a, b)) is np.ndarray
PYTHON
