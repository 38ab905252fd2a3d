#!/usr/bin/env bash
# Octave's sparse logical matrix in a .mat file comes back as its row indices, in Octave and SciPy.
#
# Octave 7.3.0 (Debian 12) saves a sparse logical matrix with -v6 (and -v7) as a full array with the
# pieces of a sparse one: row indices, column pointers, values. One would expect it to read what it
# wrote, and another reader to notice what is left over. Both take the first piece for the values,
# without a word; Octave also where the matrix has zeros, and the sizes differ:
#
#   sparse(logical([1 1; 1 1]))    Octave [0 0;1 1]    SciPy 1.17.1 [[0, 0], [1, 1]]
#   sparse(logical([1 0; 1 1]))    Octave [0 1;1 0]    SciPy "cannot reshape array of size 3"
#
# Needs octave-cli 7.3 on the PATH (Debian 12: apt-get install octave).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1
cd "$folder"
octave-cli --version | head -1 | tee version
grep -q "version 7\.3" version
octave-cli --eval 'a = sparse(true(2)); b = sparse(logical([1 0; 1 1])); save -v6 a.mat a; save -v6 b.mat b
    clear all; load a.mat; load b.mat; disp(mat2str(double(a))); disp(mat2str(double(b)))' 2>/dev/null | tee said || true
[ "$(cat said)" = "$(printf '[0 0;1 1]\n[0 1;1 0]')" ]
"$folder/venv/bin/python" - <<'PYTHON'
import scipy
from scipy.io import loadmat

found = loadmat("a.mat")["a"].tolist()
print("SciPy", scipy.__version__, found)
assert found == [[0, 0], [1, 1]]
try:
    loadmat("b.mat")
except ValueError as error:
    print(error)
else:
    raise AssertionError("read")
PYTHON
