#!/usr/bin/env bash
# PyTensor's solve of a singular matrix and a vector has the shape of the matrix, in some modes.
#
# One would expect an exception or a vector of NaN, as the graph says that the result is a vector.
# PyTensor 3.0.7 gives three NaN in its default mode, and nine, 3 x 3, in the modes FAST_COMPILE and
# CVM, for assume_a "gen", "sym" and "pos"; right-hand sides (3, 2) give 3 x 3 too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 pytensor==3.0.7
PYTENSOR_FLAGS=base_compiledir=$folder/compiled "$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt

matrix, vector, columns = pt.matrix("a"), pt.vector("b"), pt.matrix("columns")
singular = np.array([[1.0, 2, 3], [2, 4, 6], [3, 6, 9]])
for assume_a in ("gen", "sym", "pos"):
    x = pt.linalg.solve(matrix, vector, b_ndim=1, assume_a=assume_a)
    assert x.type.ndim == 1
    shapes = {}
    for mode in (None, "FAST_COMPILE", "CVM"):
        value = pytensor.function([matrix, vector], x, mode=mode)(singular, np.ones(3))
        assert np.isnan(value).all()
        shapes[mode] = value.shape
    print(assume_a, shapes)
    assert shapes == {None: (3,), "FAST_COMPILE": (3, 3), "CVM": (3, 3)}
x = pt.linalg.solve(matrix, columns)
assert pytensor.function([matrix, columns], x, mode="CVM")(singular, np.ones((3, 2))).shape == (3, 3)
regular = pytensor.function([matrix, columns], x, mode="CVM")(np.eye(3), np.ones((3, 2)))
assert regular.shape == (3, 2)
PYTHON
