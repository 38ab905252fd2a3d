"""A solver for lineax, which finds the structure without being told."""

import math
from typing import Any

import equinox
import jax
import jax.numpy as jnp
import lineax

from . import _primitives

__all__ = ["LineaxSolver"]

_KEPT_FROM = 64  # where a factorization outweighs looking for it


class _State(equinox.Module):
    a: Any
    transposed: bool = equinox.field(static=True)
    # Of the solution, leaf by leaf, and of the right-hand side: what a transpose swaps.
    solution: Any = equinox.field(static=True)
    right: Any = equinox.field(static=True)


class LineaxSolver(lineax.AbstractLinearSolver):
    """Solve square operators of lineax by what their matrix turns out to be.

    ``lineax.linear_solve(operator, vector, solver=LineaxSolver())``. The
    operator's tags are not needed: diagonal, triangular, banded and definite
    matrices are found by their elements, in compiled code, too. Singular ones
    are `lineax.RESULTS.singular`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import lineax
    >>> from smartsolve.jax import LineaxSolver
    >>> operator = lineax.MatrixLinearOperator(jnp.array([[4.0, 1.0], [1.0, 3.0]]))
    >>> lineax.linear_solve(operator, jnp.array([5.0, 4.0]), solver=LineaxSolver()).value
    Array([1., 1.], dtype=float32)
    """

    def init(self, operator: Any, options: dict[str, Any]) -> _State:
        """Take the operator's matrix."""
        if operator.in_size() != operator.out_size():
            raise ValueError(
                f"LineaxSolver takes square operators; this one is {operator.out_size()} x "
                f"{operator.in_size()}: lineax.AutoLinearSolver(well_posed=None) takes others"
            )
        solution, right = map(_frozen, (operator.in_structure(), operator.out_structure()))
        return _State(operator.as_matrix(), False, solution, right)

    def compute(self, state: _State, vector: Any, options: dict[str, Any]) -> Any:
        """Solve for one right-hand side, a pytree."""
        leaves = jax.tree_util.tree_leaves(vector)
        dtype = jnp.result_type(state.a, *leaves)
        b = jnp.concatenate([leaf.astype(dtype).ravel() for leaf in leaves])
        kept = b.shape[0] >= _KEPT_FROM
        a = state.a.astype(dtype)
        x = _primitives.solve(a, b[:, None], transposed=state.transposed, kept=kept)[:, 0]
        structures, tree = state.solution
        parts, begin = [], 0
        for shape, of in structures:
            size = math.prod(shape)
            parts.append(x[begin : begin + size].reshape(shape).astype(of))
            begin += size
        solution = jax.tree_util.tree_unflatten(tree, parts)
        return solution, lineax.RESULTS.successful, {}

    def transpose(self, state: _State, options: dict[str, Any]) -> Any:
        """The same factors for the transposed operator."""
        return _State(state.a, not state.transposed, state.right, state.solution), {}

    def conj(self, state: _State, options: dict[str, Any]) -> Any:
        """The conjugated operator."""
        return _State(jnp.conj(state.a), state.transposed, state.solution, state.right), {}

    def assume_full_rank(self) -> bool:
        """Singular operators have no solution here."""
        return True

    def allow_dependent_columns(self, operator: Any) -> bool:
        """What lineax before 0.1 asks in place of `assume_full_rank`."""
        return False

    def allow_dependent_rows(self, operator: Any) -> bool:
        """What lineax before 0.1 asks in place of `assume_full_rank`."""
        return False


def _frozen(structure: Any) -> Any:
    """Shapes and dtypes, hashable."""
    leaves, tree = jax.tree_util.tree_flatten(structure)
    return tuple((leaf.shape, leaf.dtype) for leaf in leaves), tree
