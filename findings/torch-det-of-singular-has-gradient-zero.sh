#!/usr/bin/env bash
# PyTorch's gradient of the determinant of a singular matrix is zero.
#
# One would expect the cofactors, [[4, -2], [-2, 1]] for [[1, 2], [2, 4]], which JAX 0.10.2 gives, or
# a word; the source of PyTorch's derivative says that the factors are moved off the singular
# matrix. PyTorch 2.13.0 multiplies by the determinant, which is exactly zero: all derivatives of a
# matrix of rank n - 1 are zero, and a descent that starts there stays there. PyTorch's own
# gradcheck refuses them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 jax==0.10.2 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp
import torch

jax.config.update("jax_enable_x64", True)
a = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64, requires_grad=True)
torch.linalg.det(a).backward()
peer = jax.grad(jnp.linalg.det)(jnp.array([[1.0, 2.0], [2.0, 4.0]]))
print("PyTorch", a.grad.tolist())
print("JAX    ", peer.tolist())
assert a.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
assert jnp.allclose(peer, jnp.array([[4.0, -2.0], [-2.0, 1.0]]))
try:
    torch.autograd.gradcheck(torch.linalg.det, a)
except RuntimeError as error:
    print(str(error).splitlines()[0])
else:
    raise SystemExit("gradcheck is satisfied")
PYTHON
