#!/usr/bin/env bash
# autograd's gradient of a broadcast numpy.linalg.solve has another shape than its argument.
#
# One would expect the gradient with respect to x to have the shape of x, as of any sum or product
# that broadcasts there. With autograd 1.9.1 and NumPy 2.4.6, right-hand sides (3, 2) that serve a
# stack (5, 3, 3) get a gradient (5, 3, 2), which nobody has added up; its sum over the stack is
# right. One matrix (3, 3) with right-hand sides (4, 3, 2) gets a gradient (4, 3, 2, 2). Without
# broadcasting all is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 autograd==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import autograd.numpy as np
from autograd import grad

stack = np.eye(3) * np.arange(2.0, 7.0)[:, None, None] + 0.5
columns = np.arange(6.0).reshape(3, 2)


def total(a, b):
    return np.sum(np.linalg.solve(a, b) ** 2)


of_columns = grad(total, 1)(stack, columns)
of_matrix = grad(total, 0)(stack[0], np.stack([columns] * 4))
print("gradient of (3, 2):", of_columns.shape)
print("gradient of (3, 3):", of_matrix.shape)

step = np.zeros((3, 2))
step[1, 0] = 1e-6
difference = (total(stack, columns + step) - total(stack, columns - step)) / 2e-6
assert abs(of_columns.sum(axis=0)[1, 0] - difference) < 1e-6 * abs(difference)
assert of_columns.shape == (5, 3, 2)
assert of_matrix.shape == (4, 3, 2, 2)
assert grad(total, 1)(stack[0], columns).shape == (3, 2)
PYTHON
