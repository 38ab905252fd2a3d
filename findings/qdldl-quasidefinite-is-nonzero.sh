#!/usr/bin/env bash
# QDLDL takes for quasi-definite whatever meets no pivot that is zero.
#
# Its error says "Input matrix is not quasi-definite". One would expect [[1e-20, 1], [1, 1]], whose
# second diagonal element has the wrong sign, to be refused. qdldl 0.1.9.post1 (the LDL^T of OSQP) has
# that error for a zero pivot alone, and answers x = [0, 1] for b = [1, 2], where [1, 1] is right:
#
#   [[1, 2], [2, 4]]        refused
#   [[1e-20, 1], [1, 1]]    [0, 1], without a word
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 qdldl==0.1.9.post1
"$folder/venv/bin/python" -W error - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import qdldl
from scipy.sparse import csc_matrix

print("qdldl", version("qdldl"))
try:
    qdldl.Solver(csc_matrix(np.array([[1.0, 2.0], [2.0, 4.0]])))
except RuntimeError as error:
    print("singular:", error)
    assert "not quasi-definite" in str(error)
else:
    raise AssertionError("no error")
x = qdldl.Solver(csc_matrix(np.array([[1e-20, 1.0], [1.0, 1.0]]))).solve(np.array([1.0, 2.0]))
print("tiny pivot:", x)
assert x.tolist() == [0, 1]
PYTHON
