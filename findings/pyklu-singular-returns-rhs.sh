#!/usr/bin/env bash
# PyKLU answers a singular system with its right-hand side.
#
# One would expect an exception, as of KLU in kvxopt (ArithmeticError). PyKLU 0.2.0 prints
# "klu_solve failed (status -3)" and returns b: [1, 2, 3] for [[1, 2, 0], [2, 4, 0], [0, 0, 3]].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 pyklu==0.2.0
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import PyKLU
from scipy.sparse import csc_matrix

a = csc_matrix(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 3.0]]))
x = PyKLU.Klu(a).solve(np.array([1.0, 2.0, 3.0]))
print(x)
assert x.tolist() == [1.0, 2.0, 3.0]
PYTHON
