#!/usr/bin/env bash
# unyt's units of factorizations do not multiply to the unit of the matrix.
#
# A matrix of metres is Q R and L L^T. One would expect the units of the factors to multiply to metres,
# as with astropy 8.0.2, where R has m and Q none, and L has m^(1/2). unyt 3.2.0 gives every factor the
# matrix's unit, and others what lies near; the numbers are right:
#
#   numpy.linalg.qr(A m)             Q in m, R in m: Q R is in m**2
#   numpy.linalg.cholesky(A m)       L in m: L L^T is in m**2
#   numpy.linalg.lstsq(A m, b s)     sum of squared residuals in s/m; astropy: s2
#   numpy.linalg.matrix_power(A m, 0)  the identity in m
#   numpy.linalg.det(three of 2x2, m)  in m**3; astropy: m2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 unyt==3.2.0 astropy==8.0.2
"$folder/venv/bin/python" - <<'PYTHON'
import astropy
import astropy.units
import numpy as np
import unyt

print("unyt", unyt.__version__, "astropy", astropy.__version__)
tall = np.array([[2.0, 1.0], [1.0, 3.0], [1.0, 1.0]])
square, b = tall[:2], np.array([1.0, 2.0, 4.0])


def units(square, tall, b):
    qr, lower = np.linalg.qr(square), np.linalg.cholesky(square)
    residuals = np.linalg.lstsq(tall, b)[1]
    identity = np.linalg.matrix_power(square, 0)
    determinants = np.linalg.det(np.stack([square, square, square]))
    found = qr.Q @ qr.R, lower @ lower.T, residuals, identity, determinants
    assert np.allclose(found[0].value, square.value) and np.allclose(found[1].value, square.value)
    return [str(getattr(x, "units", getattr(x, "unit", None))) for x in found]


said = units(*(unyt.unyt_array(x, u) for x, u in ((square, "m"), (tall, "m"), (b, "s"))))
print("unyt:   ", said)
assert said == ["m**2", "m**2", "s/m", "m", "m**3"]
m, s = astropy.units.m, astropy.units.s
said = units(square * m, tall * m, b * s)
print("astropy:", said)
assert said == ["m", "m", "s2", "", "m2"]
PYTHON
