#!/usr/bin/env bash
# In PyTorch, whatever is made of jacfwd of torch.linalg.solve may be wrong, in silence.
#
# torch.func's transforms compose: one expects vmap(jacfwd(f)) to give the Jacobian of each sample,
# and grad of something that jacfwd gave to be its derivative. PyTorch 2.13.0: jacfwd of a function
# of torch.linalg.solve(a, b) is right by itself, and
#
# - torch.vmap(jacfwd(f)) over the matrices is right for the first matrix alone;
# - torch.func.grad of a sum over jacfwd(f)(a) is wrong, and so is that of hessian(f)(a), which is
#   made with jacfwd; the same with jacrev is right.
#
# The same function written as torch.linalg.inv(a) @ b is right each time, by central differences.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import torch
from torch.func import grad, hessian, jacfwd, jacrev

print("PyTorch", torch.__version__)
torch.manual_seed(0)
many, b = torch.randn(5, 3, 3, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
a, direction = torch.randn(2, 3, 3, dtype=torch.float64)
many, a = many + 3 * torch.eye(3), a + 3 * torch.eye(3)  # well-conditioned


def by_solve(a):
    return torch.linalg.solve(a, b).sin().sum()


def by_inverse(a):
    return (torch.linalg.inv(a) @ b).sin().sum()


def error(x, y):
    return float((x - y).abs().max())


for each in many:
    assert error(jacfwd(by_solve)(each), jacfwd(by_inverse)(each)) < 1e-9
one_by_one = torch.stack([jacfwd(by_solve)(each) for each in many])
errors = [error(x, y) for x, y in zip(torch.vmap(jacfwd(by_solve))(many), one_by_one)]
print("vmap(jacfwd): largest error of each sample", ["%.1e" % e for e in errors])
assert errors[0] < 1e-9 and min(errors[1:]) > 1e-6
assert error(torch.vmap(jacfwd(by_inverse))(many), one_by_one) < 1e-9

for transform in jacfwd, hessian, jacrev:
    found, differences = [], None
    for function in by_solve, by_inverse:

        def total(a):
            return transform(function)(a).sin().sum()

        found.append(float((grad(total)(a) * direction).sum()))
        differences = float((total(a + 1e-6 * direction) - total(a - 1e-6 * direction)) / 2e-6)
    print(f"grad of {transform.__name__}: by solve {found[0]:.6f}, by inv {found[1]:.6f}, "
          f"by differences {differences:.6f}")
    assert abs(found[1] - differences) < 1e-4
    assert (abs(found[0] - differences) < 1e-4) == (transform is jacrev)
PYTHON
