#!/usr/bin/env bash
# A sparse matrix with duplicates, saved by SciPy, is no single matrix in Octave.
#
# In SciPy an element that is stored twice counts as the sum, and every operation says so. One would
# expect savemat to sum as well, for MATLAB's format has no duplicates. SciPy 1.17.1 writes them as
# they are, and Octave 7.3.0 (Debian 12) reads them without a word. For [[1 + 2, 0], [0, 5]] it then says
#
#   full(A)(1, 1) = 2,  A(1, 1) = 1,  A * [1; 1] = [3; 5],  A \ [3; 5] = [-3; 1]
#
# where A \ [3; 5] is [1; 1]. Read back by SciPy it is the matrix that it was.
#
# Needs octave-cli 7.3 on the PATH (Debian 12: apt-get install octave).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
octave-cli --version | head -1 | tee version
grep -q "version 7\.3" version
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 scipy==1.17.1
venv/bin/python - <<'PYTHON'
import numpy as np
import scipy
from scipy.io import loadmat, savemat
from scipy.sparse import csc_array

print("SciPy", scipy.__version__)
a = csc_array(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
assert a.toarray().tolist() == [[3, 0], [0, 5]]
savemat("a.mat", {"A": a})
assert np.array_equal(loadmat("a.mat")["A"].toarray(), a.toarray())
PYTHON
octave-cli --eval 'lastwarn(""); load a.mat
    printf("warning: [%s]\n", lastwarn());
    printf("full %g\nelement %g\nproduct %s\nsolution %s\n", full(A)(1, 1), full(A(1, 1)), ...
           mat2str(A * [1; 1]), mat2str(A \ [3; 5]))' | tee said
grep -qxF "warning: []" said
grep -qxF "full 2" said
grep -qxF "element 1" said
grep -qxF "product [3;5]" said
grep -qxF "solution [-3;1]" said
