"""`jnp.linalg.solve` led to `smartsolve.jax.solve`, for code that cannot be changed."""

import functools
from collections.abc import Iterator
from typing import Any

from .._condition import IllConditioned
from .._patch.context import Patch
from .._patch.function import Function, Replacement, function
from ._linalg import solve

__all__ = ["jax_solve", "patch", "replacements"]


class _JaxSolve(Replacement):
    """`smartsolve.jax.solve`, and JAX's own for what that refuses."""

    __slots__ = ("__weakref__",)  # `jax.jit` keeps such references, and crashes without

    def _call(self, a: Any, b: Any) -> Any:
        try:
            return solve(a, b)
        except (TypeError, ValueError) as refusal:
            return self._instead(refusal, a, b)


@functools.cache
def jax_solve() -> tuple[Function, Replacement]:
    """`jax.numpy.linalg.solve`, and what stands for it."""
    own = function("jax.numpy.linalg", "solve")
    return own, _JaxSolve(own.original)


def replacements(
    ill_conditioned: IllConditioned | None = None,
) -> Iterator[tuple[Function, Replacement]]:
    """For `patch_numpy`; compiled code cannot tell what is ill-conditioned."""
    yield jax_solve()


class patch(Patch):
    """Context in which ``jnp.linalg.solve`` is `smartsolve.jax.solve`.

    Parameters
    ----------
    everywhere : bool, default False
        Replace also what modules imported so far have bound to names of their
        own.

    Notes
    -----
    JAX calls Python when it traces a function: what is compiled in the context
    keeps what it was compiled with, after its end as well, and what was
    compiled before does not see it. Contexts nest. What `smartsolve.jax.solve`
    refuses goes to JAX's own.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import smartsolve.jax
    >>> @jax.jit
    ... def old(a, b):
    ...     return jnp.linalg.solve(a, b)
    >>> with smartsolve.jax.patch():
    ...     old(jnp.eye(2), jnp.ones(2))
    Array([1., 1.], dtype=float32)
    """

    _name = "smartsolve.jax.patch"

    def _pairs(self) -> Iterator[tuple[Function, Replacement]]:
        return replacements()
