#!/usr/bin/env bash
# mpmath's qr_solve calls a permutation singular, and any matrix whose elements are small.
#
# One would expect Householder's method to solve whatever has full rank. mpmath 1.3.0 (15 digits) gives
# the reflection the sign of a pivot's real part, which is 0 where that part is 0, and compares the
# squared norm of what is left of a column with eps, not with eps times anything:
#
#   [[0, 1], [1, 0]]            ValueError "matrix is numerically singular"; lu_solve: [2, 1]
#   1e-8 * [[2, 1], [1, 2]]     right
#   1e-15 * [[2, 1], [1, 2]]    ValueError; lu_solve and cholesky_solve: right
#   [[1, 0], [0, 1j], [1, 1]]   ZeroDivisionError without a word; lu_solve: the least squares
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mpmath==1.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import mpmath
from mpmath import matrix

print("mpmath", mpmath.__version__)
b = matrix([1, 2])


def refused(a, b, kind):
    try:
        mpmath.qr_solve(a, b)
    except kind as error:
        print(a.tolist(), kind.__name__, error)
        return True
    return False


exchange = matrix([[0, 1], [1, 0]])
assert mpmath.lu_solve(exchange, b) == matrix([2, 1])
assert refused(exchange, b, ValueError)
definite = matrix([[2, 1], [1, 2]])
assert not refused(1e-8 * definite, b, ValueError)
assert mpmath.norm(1e-15 * definite * mpmath.cholesky_solve(1e-15 * definite, b) - b) < 1e-14
assert refused(1e-15 * definite, b, ValueError)
tall, c = matrix([[1, 0], [0, 1j], [1, 1]]), matrix([1, 1, 5])
assert mpmath.norm(tall.H * (tall * mpmath.lu_solve(tall, c) - c)) < 1e-13
assert refused(tall, c, ZeroDivisionError)
PYTHON
