#!/usr/bin/env bash
# scipy.linalg.inv, told that a matrix is diagonal, returns the rest of it inside the inverse.
#
# The documentation says of assume_a="diagonal" that off-diagonal elements are not referenced, as of
# the triangles. One would expect zeros there. SciPy 1.17.1 returns the matrix's own elements; the
# triangles are right:
#
#   [2 9; 1 4], diagonal: [0.5 9; 1 0.25];   upper triangular: [0.5 -1.125; 0 0.25]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import scipy
import scipy.linalg

print("SciPy", scipy.__version__, "NumPy", np.__version__)
a = np.array([[2.0, 9.0], [1.0, 4.0]])
for structure, expected in {
    "diagonal": [[0.5, 9], [1, 0.25]],
    "upper triangular": [[0.5, -1.125], [0, 0.25]],
}.items():
    inverse = scipy.linalg.inv(a, assume_a=structure)
    print(structure, inverse.tolist())
    assert inverse.tolist() == expected
PYTHON
