#!/usr/bin/env bash
# scipy.sparse.linalg.spsolve_triangular neither refuses nor ignores what lies outside of the triangle.
#
# Its documentation has a LinAlgError for a matrix that is not triangular; scipy.linalg.solve_triangular
# ignores the other half. SciPy 1.17.1 does neither, and the answer hangs on the format: of the lower
# half of A = [2 9; 1 4] and b = (2, 5)
#
#   dense (1, 1), CSC (1, 0), CSR (-4.625, 2.40625): no sparse one solves A x = b or the triangle
#
# A small pivot is another surprise: [1 0; 1 1e-320] x = (1, 1) gives (1, nan), where (1, 0) is exact,
# and is what solve_triangular gives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import scipy
from scipy.linalg import solve_triangular
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import spsolve_triangular

print("SciPy", scipy.__version__, "NumPy", np.__version__)
a, b = np.array([[2.0, 9.0], [1.0, 4.0]]), np.array([2.0, 5.0])
assert solve_triangular(a, b, lower=True).tolist() == [1, 1]
for kind, expected in (csc_array, [1, 0]), (csr_array, [-4.625, 2.40625]):
    x = spsolve_triangular(kind(a), b, lower=True)
    print("lower half of a full matrix:", kind.__name__, x)
    assert x.tolist() == expected
    assert not np.allclose(a @ x, b) and not np.allclose(np.tril(a) @ x, b)

a, b = np.array([[1.0, 0.0], [1.0, 1e-320]]), np.ones(2)
with np.errstate(all="ignore"):
    x = spsolve_triangular(csr_array(a), b, lower=True)
print("small pivot:", solve_triangular(a, b, lower=True), x)
assert solve_triangular(a, b, lower=True).tolist() == [1, 0]
assert x[0] == 1 and np.isnan(x[1])
PYTHON
