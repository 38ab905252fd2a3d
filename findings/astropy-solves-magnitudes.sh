#!/usr/bin/env bash
# astropy refuses to multiply a matrix by magnitudes, and solves a system of them.
#
# A Magnitude is a logarithm: 0.5 times the flux is not 0.5 times the magnitude. astropy 8.0.2
# knows that in np.matmul, which raises "Cannot use ufunc 'matmul' with function quantities"; one
# would expect the inverse operation to do the same. np.linalg.solve and lstsq treat the logarithms
# as numbers and return them with the unit mag:
#
#   0.5 * eye(2) @ m            UnitTypeError
#   solve(0.5 * eye(2), m)      <Quantity [2., 4.] mag>       for m = [1, 2] mag
#
# The same holds of degrees Celsius, whose zero is arbitrary: solve(2 * eye(2), [1, 2] deg_C) is
# [0.5, 1] deg_C.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 astropy==8.0.2
"$folder/venv/bin/python" - <<'PYTHON'
import astropy
import astropy.units as u
import numpy as np

print("astropy", astropy.__version__, "NumPy", np.__version__)
half, m = 0.5 * np.eye(2), u.Magnitude([1.0, 2.0])
try:
    half @ m
except u.UnitTypeError as error:
    print("matmul:", error)
else:
    raise AssertionError("matmul accepts magnitudes")
for x in np.linalg.solve(half, m), np.linalg.lstsq(half, m)[0]:
    print(repr(x))
    assert x.unit == u.mag and x.value.tolist() == [2.0, 4.0]
celsius = np.linalg.solve(2 * np.eye(2), [1.0, 2.0] * u.deg_C)
print(repr(celsius))
assert celsius.unit == u.deg_C and celsius.value.tolist() == [0.5, 1.0]
PYTHON
