#!/usr/bin/env bash
# An error raised inside a parallel loop of Numba is lost, and the result is half written.
#
# One would expect of @njit(parallel=True) the LinAlgError that the same loop raises with range, or
# none to be written. In Numba 0.68.1, and in 0.61.0, the function returns as if nothing had
# happened; the thread that met the singular matrix has left the rest of its share as it was:
#
#   range:  LinAlgError: Matrix is singular to machine precision.
#   prange: returned, 27 of 64 inverses not written
#
# with two threads and the sixth of 64 matrices singular. (A `raise` in the loop's own text is seen:
# then the loop is not made parallel, with a warning. Errors of functions that it calls are not.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PYTHON'
import numpy as np
from numba import njit, prange


@njit
def one_by_one(a):
    x = np.full(a.shape, 7.0)
    for i in range(len(a)):
        x[i] = np.linalg.inv(a[i])
    return x


@njit(parallel=True)
def in_parallel(a):
    x = np.full(a.shape, 7.0)
    for i in prange(len(a)):
        x[i] = np.linalg.inv(a[i])
    return x


a = np.zeros((64, 2, 2))
a[:] = np.eye(2)
a[5] = 0.0
try:
    one_by_one(a)
except np.linalg.LinAlgError as error:
    print("range:  LinAlgError:", error)
else:
    raise AssertionError("range raises nothing")
x = in_parallel(a)
unwritten = int((x == 7.0).all(axis=(1, 2)).sum())
print(f"prange: returned, {unwritten} of 64 inverses not written")
assert unwritten > 1
PYTHON
NUMBA_NUM_THREADS=2 NUMBA_THREADING_LAYER=workqueue "$folder/venv/bin/python" "$folder/program.py"
