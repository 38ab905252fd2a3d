#!/usr/bin/env bash
# torch.linalg.ldl_factor meets a singular matrix with "please report a bug to PyTorch".
#
# LDL^T is for matrices that Cholesky refuses; of a singular one LAPACK's sytrf says which pivot is
# zero. torch.linalg.lu_factor and solve raise an error with that number. ldl_factor of PyTorch 2.13.0
# on a CPU raises one, too, but of another kind:
#
#   false INTERNAL ASSERT FAILED ... please report a bug to PyTorch. ... Unknown error code: 2.
#
# ldl_factor_ex returns the factors and info = 2, as it should.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import torch

print("PyTorch", torch.__version__)
a = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
for factor in torch.linalg.lu_factor, torch.linalg.ldl_factor:
    try:
        factored = factor(a)
    except RuntimeError as error:
        message = str(error).splitlines()[0]
    else:
        message = "factors"
    print(factor.__name__, "->", message)
assert "INTERNAL ASSERT FAILED" in message and "report a bug" in message
print("info", torch.linalg.ldl_factor_ex(a).info.item())
assert torch.linalg.ldl_factor_ex(a).info.item() == 2
PYTHON
