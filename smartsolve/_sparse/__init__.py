"""Sparse matrices by their structure.

`operands.py` reads what SciPy's containers hold, `scan.py` tells what the matrix is, `methods.py`
is the table and `choose.py` walks it; `conclude.py` judges what comes out. `solve.py`,
`mldivide.py`, `factorization.py` and `explain.py` are the public contracts. What factors comes
from the native core, `superlu.py`, `dense.py` and `engines.py`; all give the same `Factors`.
"""

from typing import Any, TypeGuard

__all__ = ["DENSE_BELOW", "is_sparse"]

# Up to this order a sparse matrix is filled up and solved as a dense one:
# benchmarks/sparse_systems.py --crossover measures where that ends to pay.
DENSE_BELOW = 350


def is_sparse(operand: Any) -> TypeGuard[Any]:
    """Whether it is a sparse matrix or array, SciPy's or one that turns into SciPy's."""
    return hasattr(operand, "tocsc") and hasattr(operand, "nnz")
