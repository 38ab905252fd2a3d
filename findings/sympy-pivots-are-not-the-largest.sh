#!/usr/bin/env bash
# SymPy's LUsolve takes floats as pivots however small they are.
#
# It accepts matrices of floats. One would expect partial pivoting. SymPy 1.14.0 takes the first pivot
# that is not zero; for [[1e-20, 1], [1, 1]] x = [1, 2], whose solution is
# [1, 1] to all digits, the methods of Matrix.solve do not agree:
#
#   LU, CH, LDL: [0, 1]     GE, GJ (the default), QR, ADJ, CRAMER: [1, 1]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sympy==1.14.0 mpmath==1.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import sympy

print("SymPy", sympy.__version__)
a, b = sympy.Matrix([[1e-20, 1], [1, 1]]), sympy.Matrix([1, 2])
for method in "LU", "CH", "LDL", "GE", "GJ", "QR", "ADJ", "CRAMER":
    x = [float(component) for component in a.solve(b, method=method)]
    print(method, x)
    assert x == ([0, 1] if method in ("LU", "CH", "LDL") else [1, 1])
assert [float(component) for component in a.LUsolve(b)] == [0, 1]
PYTHON
