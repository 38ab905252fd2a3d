"""solve, factorize and mldivide for arrays of JAX: NumPy's contract, as far as a trace allows."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp

from . import _primitives

__all__ = ["Factorization", "factorize", "mldivide", "solve"]

OnSingular = Literal["nan", "raise"]
_DTYPES = ("float32", "float64", "complex64", "complex128")


def solve(a: Any, b: Any, *, on_singular: OnSingular = "nan", workers: int = 1) -> Any:
    """Solve ``a @ x = b``, under any of JAX's transformations.

    Parameters
    ----------
    a : (..., n, n) array_like of float32, float64, complex64 or complex128
        Square matrices. Integers and bools become JAX's default float.
    b : (n,) or (..., n, k) array_like
        Right-hand sides: a vector if and only if there is one axis, as in NumPy 2.
    on_singular : {"nan", "raise"}
        A singular matrix gives NaN, or else an error: on the host, when the
        result is waited for.
    workers : int, default 1
        Threads for a stack.

    Returns
    -------
    jax.Array
        x, of shape (n,) or (..., n, k); leading axes broadcast.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    TypeError
        If a dtype is another one: bfloat16 and float16, say.
    jax.errors.JaxRuntimeError
        With ``on_singular="raise"``, for a singular matrix.

    Notes
    -----
    On a CPU one call of native code, however deeply `jax.vmap` is nested: small
    systems are solved one in each lane of a register, and a matrix that several
    right-hand sides share is factored once. Derivatives of any order are made
    of solves with the matrix and its transpose. Inside of a trace nobody can be
    warned: ask `smartsolve.factorize(a).rcond` on the host. On other devices
    ``jnp.linalg.solve`` runs.

    See Also
    --------
    jax.numpy.linalg.solve : JAX's own.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> from smartsolve.jax import solve
    >>> a = jnp.array([[[2.0, 0.0], [0.0, 4.0]], [[0.0, 1.0], [1.0, 0.0]]])
    >>> jax.jit(jax.vmap(solve, (0, None)))(a, jnp.ones(2))
    Array([[0.5 , 0.25],
           [1.  , 1.  ]], dtype=float32)
    >>> jax.grad(lambda a: solve(a, jnp.ones(2))[0])(a[0])
    Array([[-0.25 , -0.125],
           [-0.   , -0.   ]], dtype=float32)
    """
    raises = _raises(on_singular)
    return _solve(a, b, transposed=False, raises=raises, kept=False, workers=workers)


def mldivide(a: Any, b: Any, *, minimum_norm: bool = False) -> Any:
    r"""MATLAB's ``a \ b``: square systems, and least squares for the others.

    Parameters
    ----------
    a : (..., m, n) array_like of float32, float64, complex64 or complex128
        Matrices; a stack of tall ones is a stack of regressions.
    b : (m,) or (..., m, k) array_like
        Right-hand sides.
    minimum_norm : bool, default False
        Of several solutions take the shortest, and not a basic one.

    Returns
    -------
    jax.Array
        x, of shape (n,) or (..., n, k).

    Raises
    ------
    ValueError, TypeError
        As `solve`.
    NotImplementedError
        If a derivative is asked for where there are more unknowns than
        equations, without `minimum_norm`.

    Notes
    -----
    QR with column pivoting, with MATLAB's tolerance for the rank. Derivatives
    are those of matrices of full rank (Golub and Pereyra 1973), and NaN for
    others, whose solution is not continuous.

    See Also
    --------
    smartsolve.mldivide : The same for NumPy's arrays, with warnings.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from smartsolve.jax import mldivide
    >>> x = jnp.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> mldivide(x, jnp.array([1.0, 3.0, 5.0])).round(4)
    Array([1., 2.], dtype=float32)
    """
    return _mldivide(a, b, minimum_norm=minimum_norm)


def factorize(a: Any, *, on_singular: OnSingular = "nan") -> "Factorization":
    """Keep the factors of square matrices for many right-hand sides.

    Parameters
    ----------
    a : (..., n, n) array_like
        As in `solve`.
    on_singular : {"nan", "raise"}
        As in `solve`.

    Returns
    -------
    Factorization
        With a method `solve`.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> from smartsolve.jax import factorize
    >>> f = factorize(jnp.array([[2.0, 1.0], [0.0, 1.0]]))
    >>> f.solve(jnp.array([3.0, 1.0]))
    Array([1., 1.], dtype=float32)
    >>> f.solve(jnp.array([2.0, 2.0]), transposed=True)
    Array([1., 1.], dtype=float32)
    """
    a = jnp.asarray(a)
    _check_square(a)
    return Factorization(a.astype(_dtype(a)), _raises(on_singular))


@partial(jax.tree_util.register_dataclass, data_fields=["a"], meta_fields=["raises"])
@dataclass(frozen=True)
class Factorization:
    """Matrices whose factors are kept; from `factorize`.

    A pytree: it goes into and out of compiled functions and loops, and is
    differentiated with respect to its matrix. The factors of the last few
    matrices are kept by the native code, which knows a matrix again by its
    elements: a solve costs a comparison of n^2 numbers beside the substitution,
    and derivatives use the same factors.

    Attributes
    ----------
    a : jax.Array
        The matrices.
    raises : bool
        Whether singular ones are an error.
    """

    a: Any
    raises: bool = False

    def solve(self, b: Any, *, transposed: bool = False) -> Any:
        """Solve ``a @ x = b``, or ``a.T @ x = b``; shapes and types as in `solve`."""
        parameters = {"raises": self.raises, "kept": True, "workers": 1}
        return _solve(self.a, b, transposed=transposed, **parameters)


@partial(jax.jit, static_argnames=("transposed", "raises", "kept", "workers"), inline=True)
def _solve(a: Any, b: Any, **parameters: Any) -> Any:
    a, b = jnp.asarray(a), jnp.asarray(b)
    _check_square(a)
    return _with_axes(partial(_primitives.solve, **parameters), a, b)


@partial(jax.jit, static_argnames=("minimum_norm",), inline=True)
def _mldivide(a: Any, b: Any, *, minimum_norm: bool) -> Any:
    a, b = jnp.asarray(a), jnp.asarray(b)
    if a.ndim < 2:
        raise ValueError(f"a has shape {a.shape}; expected (..., m, n), matrices")
    if a.shape[-1] == a.shape[-2] and not minimum_norm:
        return _with_axes(_primitives.solve, a, b)

    def run(a: Any, b: Any) -> Any:
        return _primitives.least_squares(a, b, minimum_norm=minimum_norm)[0]

    return _with_axes(run, a, b)


def _with_axes(run: Any, a: Any, b: Any) -> Any:
    """run(a, b), once both have one dtype and equally many axes, and the result as NumPy has it."""
    is_vector = b.ndim == 1
    if b.ndim == 0:
        raise ValueError("b has shape (); expected (n,) or (..., n, k), at least one axis")
    if b.shape[0 if is_vector else -2] != a.shape[-2]:
        raise ValueError(
            f"b has shape {b.shape}; its {'only' if is_vector else 'second-to-last'} axis must be "
            f"{a.shape[-2]} to match a of shape {a.shape}"
        )
    dtype = _dtype(a, b)
    a, b = a.astype(dtype), b.astype(dtype)
    b = b[:, None] if is_vector else b
    ndim = max(a.ndim, b.ndim)
    a, b = (x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in (a, b))
    try:
        jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ValueError(
            f"a of shape {a.shape} and b of shape {b.shape}: the leading axes cannot be broadcast "
            "together"
        ) from None
    x = run(a, b)
    return x[..., 0] if is_vector else x


def _check_square(a: Any) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"a has shape {a.shape}; expected (..., n, n), square matrices")


def _dtype(*arrays: Any) -> Any:
    for name, array in zip("ab", arrays, strict=False):
        if array.dtype.name not in _DTYPES and not jnp.issubdtype(array.dtype, jnp.integer):
            if array.dtype == bool:
                continue
            raise TypeError(
                f"{name} has dtype {array.dtype}; expected {', '.join(_DTYPES)}, or integers and "
                "bools; convert it with astype"
            )
    dtype = jnp.result_type(*arrays)
    return dtype if jnp.issubdtype(dtype, jnp.inexact) else jnp.result_type(float)


def _raises(on_singular: str) -> bool:
    if on_singular not in ("nan", "raise"):
        raise ValueError(f"on_singular is {on_singular!r}; expected 'nan' or 'raise'")
    return on_singular == "raise"
