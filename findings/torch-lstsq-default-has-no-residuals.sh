#!/usr/bin/env bash
# torch.linalg.lstsq has no residuals with its default driver on a CPU, whatever the rank.
#
# Its documentation says that residuals are computed for more rows than columns and full rank, and
# numpy.linalg.lstsq has them then. PyTorch 2.13.0: with "gelsy", the default on a CPU, the tensor is
# empty and the rank 2; with "gels", "gelsd" and "gelss" it is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import torch

a, b = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 6.0]]), np.array([[1.0], [0.0], [1.0]])
print("NumPy  ", np.linalg.lstsq(a, b)[1])
default = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b))
print("default", default.residuals, default.rank)
assert default.residuals.numel() == 0 and int(default.rank) == 2
for driver in ("gels", "gelsd", "gelss"):
    found = torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver=driver).residuals
    print(driver, found)
    assert np.allclose(found.numpy(), 0.4)
assert torch.linalg.lstsq(torch.tensor(a), torch.tensor(b), driver="gelsy").residuals.numel() == 0
PYTHON
