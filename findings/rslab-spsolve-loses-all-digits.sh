#!/usr/bin/env bash
# rslab's spsolve answers random sparse systems of condition 1e7 with no digit right, and no word.
#
# It promises an error where a factorization fails. rslab 1.7.0 sends systems with much fill to its
# supernodal LU. Six random matrices of order 300 (density 0.02 and 0.001 added to the diagonal,
# condition 4e6 to 6e7) are solved to eight digits and more by SciPy's SuperLU and by rslab's own KLU;
# spsolve errs by 1e7 to 1e20 in all six, and two steps of refinement help nothing:
#
#   spsolve 3.5e+07 ... 1.5e+20, refined alike, KLU and SciPy below 1e-8
#
# With 1 on the diagonal all are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 rslab==1.7.0
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import rslab
from scipy.sparse import eye_array, random_array
from scipy.sparse.linalg import spsolve

print("rslab", version("rslab"), "NumPy", np.__version__)
n = 300
for seed in range(6):
    generator = np.random.default_rng(seed)
    a = (random_array((n, n), density=0.02, rng=generator) + 1e-3 * eye_array(n)).tocsc()
    b = a @ np.ones(n)
    condition = np.linalg.cond(a.toarray(), 1)
    ways = {
        "spsolve": rslab.spsolve(a, b),
        "refined": rslab.spsolve(a, b, refine=2),
        "KLU": rslab.klu(a).solve(b),
        "SciPy": spsolve(a, b),
    }
    errors = {name: np.abs(x - 1).max() for name, x in ways.items()}
    print(f"condition {condition:.0e}", *(f"{name} {error:.1e}" for name, error in errors.items()))
    assert condition < 1e8 and rslab.auto(a).backend == "lu"
    assert errors["KLU"] < 1e-8 and errors["SciPy"] < 1e-8
    assert errors["spsolve"] > 1e3 and errors["refined"] > 1e3
PYTHON
