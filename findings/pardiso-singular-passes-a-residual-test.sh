#!/usr/bin/env bash
# PARDISO's answer to a singular system passes the usual test of its residual.
#
# MKL's PARDISO replaces pivots near zero and goes on, and pypardiso passes the numbers on without a
# word. One would expect to see that in the backward error |b - A x| / (|A| |x| + |b|), as after any
# other wrong solution. But the replaced pivot makes x as large as it is small: beside |A| |x| the
# residual is of the size of rounding, while against |b| it is large. pypardiso 0.4.7 with MKL
# 2026.2: x of 4e12, residual 0.98, backward error 3e-15. What tells is iparm(14), the number of
# replaced pivots, which pypardiso's get_iparm(14) reads after factorize().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 pypardiso==0.4.7 mkl==2026.2.0
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from pypardiso import PyPardisoSolver
from scipy.sparse import csr_matrix

a = np.random.default_rng(3).integers(-3, 4, (40, 40)) * 1.0
a[7] = a[3] + a[11]  # singular
b = np.ones(40)
solver = PyPardisoSolver()
solver.factorize(csr_matrix(a))
replaced = solver.get_iparm(14)
x = solver.solve(csr_matrix(a), b)
residual = np.abs(b - a @ x).max()
error = residual / (np.abs(a).sum(axis=1).max() * np.abs(x).max() + 1)
print(f"|x| {np.abs(x).max():.1e}, residual {residual:.1e}, backward error {error:.1e}, {replaced=}")
assert np.abs(x).max() > 1e9
assert error < 1e-8 < 1e-3 < residual
assert replaced == 1
PYTHON
