#!/usr/bin/env bash
# CasADi's plugin "mumps" answers a singular system with its right-hand side, and says nothing.
#
# One would expect what its plugins "qr", "lapacklu" and "csparse" do, an exception. CasADi 3.8.2,
# solve(A, b, "mumps") with A = [[1, 2], [2, 4]]: [5, 7] for b = [5, 7], no warning. The other
# plugins differ as well: "lapackqr" gives 1e15, "symbolicqr" NaN, "lsqr" a least squares solution,
# all in silence.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 casadi==3.8.2
"$folder/venv/bin/python" - <<'PYTHON'
import casadi
import numpy as np

a, b = casadi.DM([[1, 2], [2, 4]]), casadi.DM([5, 7])
regular = casadi.solve(casadi.DM([[1, 2], [3, 4]]), b, "mumps")
assert np.allclose(np.array(regular).ravel(), [-3, 4])

answers = {}
for plugin in ("mumps", "qr", "csparse", "lapacklu", "lapackqr", "lsqr", "symbolicqr"):
    try:
        answers[plugin] = np.array(casadi.solve(a, b, plugin)).ravel().tolist()
    except RuntimeError:
        answers[plugin] = "RuntimeError"
for plugin, answer in answers.items():
    print(f"{plugin:10}", answer)
assert answers["mumps"] == [5.0, 7.0]
assert {answers[p] for p in ("qr", "csparse", "lapacklu")} == {"RuntimeError"}
assert max(answers["lapackqr"]) > 1e14
assert np.isnan(answers["symbolicqr"]).all()
assert np.isfinite(answers["lsqr"]).all()
PYTHON
