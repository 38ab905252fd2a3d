#!/usr/bin/env bash
# Apache Arrow's sparse tensors made from SciPy's keep duplicates, and lose all but the last when dense.
#
# In SciPy an element that is stored twice counts as the sum. pyarrow 26.0.1 takes such a matrix over
# by from_scipy without a word. to_scipy gives back the sum; to_tensor gives the last of the two:
#
#   [[1 + 2, 0], [0, 5]]: COO and CSC, to_tensor [[2, 0], [0, 5]], to_scipy [[3, 0], [0, 5]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import pyarrow as pa
from scipy.sparse import coo_array, csc_array

print("pyarrow", pa.__version__)
by_columns = csc_array(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
triplets = coo_array(([1.0, 2.0, 5.0], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
for kind, matrix in (pa.SparseCSCMatrix, by_columns), (pa.SparseCOOTensor, triplets):
    taken = kind.from_scipy(matrix)
    dense, back = taken.to_tensor().to_numpy().tolist(), taken.to_scipy().toarray().tolist()
    print(kind.__name__, dense, back)
    assert matrix.toarray().tolist() == back == [[3, 0], [0, 5]]
    assert dense == [[2, 0], [0, 5]]
PYTHON
