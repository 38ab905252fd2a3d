#!/usr/bin/env bash
# dask.array.linalg.solve exchanges rows within its chunks alone: the chunks decide what is singular.
#
# One would expect the answer not to depend on chunks. dask 2026.8.0 takes the pivots of a block
# column from the block on the diagonal only. Of the same well-conditioned system of order 4 (its
# condition number is below 3), as one chunk and as four:
#
#   leading block 0:              one chunk right, four: LinAlgError "singular matrix"
#   leading block of about 1e-18: one chunk right, four: [0, 0, 0, 1] for [2, 2, 0, 1], without a word
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 dask==2026.8.0
"$folder/venv/bin/python" -W error - <<'PYTHON'
import dask
import dask.array as da
import numpy as np

print("dask", dask.__version__)
zero, one = np.zeros((2, 2)), np.eye(2)
b = np.arange(4.0)


def solved(a, chunk):
    return da.linalg.solve(da.from_array(a, chunks=chunk), da.from_array(b, chunks=chunk)).compute()


a = np.block([[zero, one], [one, one]])
assert np.linalg.cond(a) < 3
assert np.allclose(solved(a, 4), [2, 2, 0, 1])
try:
    solved(a, 2)
except np.linalg.LinAlgError as error:
    print("leading block 0, four chunks:", error)
    assert "singular" in str(error)
else:
    raise AssertionError("no error")

a[:2, :2] = 1e-18 * np.array([[1, 2], [3, 4]])
assert np.allclose(solved(a, 4), [2, 2, 0, 1])
x = solved(a, 2)
print("leading block of 1e-18, four chunks:", x)
assert np.allclose(x, [0, 0, 0, 1])
PYTHON
