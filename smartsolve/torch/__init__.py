"""smartsolve for PyTorch: an operator with derivatives, under `torch.func` and `torch.compile`.

Tensors on a CPU are read where they lie; those on other devices go to PyTorch's own solver.
"""

from .._extras import needs

with needs("torch"):
    import torch  # noqa: F401

from ._linalg import solve
from ._patch import patch

__all__ = ["patch", "solve"]
