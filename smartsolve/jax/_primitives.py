"""The two operations that JAX learns: x = A^-1 b and x = A^+ b, with all their rules.

Both take matrices (..., m, n) and right-hand sides (..., m, k) with the same number of axes, whose
leading ones broadcast. vmap adds an axis in front, of length 1 to what it does not map: so any
nesting of it stays one call, and a matrix that is shared is factored once.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from .. import _core
from .._c_api import table
from .._condition import errstate
from ._meshes import aligned, by_blocks, result

__all__ = ["least_squares", "solve", "uses_native_code"]


@cache
def uses_native_code() -> bool:
    """Whether this JAX's runtime takes the native functions; else Python is called back."""
    table()  # loads LAPACK, which the native code could not do without the GIL
    try:
        for name, capsule in _core.xla_handlers().items():
            jax.ffi.register_ffi_target(name, capsule, platform="cpu")
    except Exception:  # of another major version, say
        return False
    return True


def _primitive(name: str, *, multiple_results: bool) -> Primitive:
    primitive = Primitive(f"smartsolve_{name}")
    primitive.multiple_results = multiple_results

    @cache
    def compiled(**parameters: Any) -> Callable[..., Any]:
        return jax.jit(partial(primitive.bind, **parameters))

    primitive.def_impl(lambda *args, **parameters: compiled(**parameters)(*args))

    def batch(args: Any, dims: Any, **parameters: Any) -> Any:
        args = [
            jnp.expand_dims(arg, 0) if dim is None else jnp.moveaxis(arg, dim, 0)
            for arg, dim in zip(args, dims, strict=True)
        ]
        found = _bind(primitive, *args, **parameters)
        return (found, [0, 0]) if multiple_results else (found, 0)

    batching.primitive_batchers[primitive] = batch
    return primitive


def _lower(primitive: Primitive, native: Callable[..., Any], other: Callable[..., Any]) -> None:
    """native on a CPU, other elsewhere; both take the operands and the parameters."""
    several = primitive.multiple_results
    mlir.register_lowering(primitive, mlir.lower_fun(other, multiple_results=several))
    mlir.register_lowering(primitive, native, platform="cpu")


def _bind(primitive: Primitive, a: Any, b: Any, **parameters: Any) -> Any:
    """Call the operation, on each device of its own where operands are split over a mesh."""

    def run(a: Any, b: Any) -> Any:
        return primitive.bind(*aligned(a, b), **parameters)

    found = by_blocks(run, a, b, has_rank=primitive.multiple_results)
    return run(a, b) if found is None else found


def _batch_shape(a: Any, b: Any) -> tuple[int, ...]:
    return np.broadcast_shapes(a.shape[:-2], b.shape[:-2])


def _product(a: Any, x: Any, transposed: bool) -> Any:
    left = jnp.swapaxes(a, -1, -2) if transposed else a
    return jnp.matmul(left, x, precision="highest")


def _unbroadcast(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """Summed over the axes along which an operand of this shape was broadcast."""
    pairs = enumerate(zip(cotangent.shape, shape, strict=True))
    axes = tuple(d for d, (given, wanted) in pairs if given != wanted)
    return jnp.sum(cotangent, axes, keepdims=True) if axes else cotangent


# --- x = A^-1 b ----------------------------------------------------------------------------------


def solve(
    a: Any,
    b: Any,
    *,
    transposed: bool = False,
    raises: bool = False,
    kept: bool = False,
    workers: int = 1,
) -> Any:
    """A^-1 b, or A^-T b. With `kept` the factors are looked for among those of the last calls."""
    return _bind(_solve, a, b, transposed=transposed, raises=raises, kept=kept, workers=workers)


_solve = _primitive("solve", multiple_results=False)


@_solve.def_abstract_eval
def _(a: Any, b: Any, **parameters: Any) -> Any:
    return result(b, (*_batch_shape(a, b), *b.shape[-2:]), b.dtype)


def _solve_jvp(primals: Any, tangents: Any, **parameters: Any) -> Any:
    """A x = b: dx = A^-1 (db - dA x)."""
    (a, b), (da, db) = primals, tangents
    x = _bind(_solve, a, b, **parameters)
    if type(da) is ad.Zero and type(db) is ad.Zero:
        return x, ad.Zero(jax.typeof(x).to_tangent_aval())
    if type(da) is ad.Zero:
        right = db
    else:
        right = -_product(da, x, parameters["transposed"])
        if type(db) is not ad.Zero:
            right = db + right
    return x, _bind(_solve, a, right, **parameters)


def _solve_transpose(cotangent: Any, a: Any, b: Any, **parameters: Any) -> Any:
    if type(cotangent) is ad.Zero:
        return None, ad.Zero(b.aval)
    flipped = parameters | {"transposed": not parameters["transposed"]}
    return None, _unbroadcast(_bind(_solve, a, cotangent, **flipped), b.aval.shape)


ad.primitive_jvps[_solve] = _solve_jvp
ad.primitive_transposes[_solve] = _solve_transpose


def _solve_natively(ctx: Any, a: Any, b: Any, **parameters: Any) -> Any:
    if not uses_native_code():
        called_back = mlir.lower_fun(_solve_called_back, multiple_results=False)
        return called_back(ctx, a, b, **parameters)
    kept = parameters.pop("kept")
    attributes = {name: np.int64(value) for name, value in parameters.items()}
    target = "smartsolve_solve_kept" if kept else "smartsolve_solve"
    return jax.ffi.ffi_lowering(target)(ctx, a, b, **attributes)


def _solve_called_back(a: Any, b: Any, *, transposed: bool, raises: bool, **_: Any) -> Any:
    def on_host(a: Any, b: Any) -> Any:
        a, on_singular = np.asarray(a), "raise" if raises else "nan"
        a = a.swapaxes(-1, -2) if transposed else a
        with errstate(ill_conditioned="ignore"):  # as the native code, which cannot warn
            return np.asarray(_core.solve(a, np.asarray(b), on_singular=on_singular))  # type: ignore[call-overload]

    shape = jax.ShapeDtypeStruct((*_batch_shape(a, b), *b.shape[-2:]), b.dtype)
    return jax.pure_callback(on_host, shape, a, b)


def _solve_elsewhere(a: Any, b: Any, *, transposed: bool, **_: Any) -> Any:
    return jnp.linalg.solve(jnp.swapaxes(a, -1, -2) if transposed else a, b)


_lower(_solve, _solve_natively, _solve_elsewhere)


# --- x = A^+ b -----------------------------------------------------------------------------------


def least_squares(
    a: Any, b: Any, *, transposed: bool = False, minimum_norm: bool = False
) -> tuple[Any, Any]:
    """x that minimizes |b - A x|, or |b - A^T x|, and the ranks."""
    x, rank = _bind(_least_squares, a, b, transposed=transposed, minimum_norm=minimum_norm)
    return x, rank


_least_squares = _primitive("least_squares", multiple_results=True)


@_least_squares.def_abstract_eval
def _(a: Any, b: Any, *, transposed: bool, minimum_norm: bool) -> Any:
    batch, n = _batch_shape(a, b), a.shape[-2 if transposed else -1]
    return [
        result(b, (*batch, n, b.shape[-1]), b.dtype),
        result(b, batch, np.int32),
    ]


def _least_squares_jvp(primals: Any, tangents: Any, *, transposed: bool, minimum_norm: bool) -> Any:
    """Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973), for matrices of full rank.

    With r = b - A x, tall: dx = A^+ (db - dA x + A^+H dA^H r). Wide, of the minimum norm, with y =
    dA^H A^+H x: dx = A^+ (db - dA x - A y) + y. A^+ is not continuous where the rank is lower: NaN.
    """
    (a, b), (da, db) = primals, tangents
    x, rank = least_squares(a, b, transposed=transposed, minimum_norm=minimum_norm)
    no_tangent = ad.Zero(jax.typeof(rank).to_tangent_aval())
    if type(da) is ad.Zero and type(db) is ad.Zero:
        return [x, rank], [ad.Zero(jax.typeof(x).to_tangent_aval()), no_tangent]
    m, n = a.shape[-2:][:: -1 if transposed else 1]
    if m < n and not minimum_norm:
        raise NotImplementedError(
            f"a has shape {a.shape}: more unknowns than equations have a derivative with "
            "minimum_norm=True alone"
        )

    def apply(right: Any, flipped: bool = False) -> Any:
        return least_squares(a, right, transposed=transposed != flipped, minimum_norm=True)[0]

    def adjoint_product(d: Any, right: Any) -> Any:
        return jnp.conj(_product(d, jnp.conj(right), not transposed))

    right, rest = 0, 0
    if type(da) is not ad.Zero:
        right = -_product(da, x, transposed)
        if m >= n:
            residual = b - _product(a, x, transposed)
            right += jnp.conj(apply(jnp.conj(adjoint_product(da, residual)), flipped=True))
        else:
            rest = adjoint_product(da, jnp.conj(apply(jnp.conj(x), flipped=True)))
            right -= _product(a, rest, transposed)
    if type(db) is not ad.Zero:
        right = db + right
    dx = apply(right) + rest
    # A factor, so that it is there in the transpose as well.
    is_full = jnp.where(rank == min(m, n), 1, jnp.nan).astype(dx.dtype)
    return [x, rank], [dx * is_full[..., None, None], no_tangent]


def _least_squares_transpose(
    cotangents: Any, a: Any, b: Any, *, transposed: bool, minimum_norm: bool
) -> Any:
    if type(cotangents[0]) is ad.Zero:
        return None, ad.Zero(b.aval)
    back, _ = least_squares(a, cotangents[0], transposed=not transposed, minimum_norm=True)
    return None, _unbroadcast(back, b.aval.shape)


ad.primitive_jvps[_least_squares] = _least_squares_jvp
ad.primitive_transposes[_least_squares] = _least_squares_transpose


def _least_squares_natively(ctx: Any, a: Any, b: Any, **parameters: Any) -> Any:
    if not uses_native_code():
        called_back = mlir.lower_fun(_least_squares_called_back, multiple_results=True)
        return called_back(ctx, a, b, **parameters)
    attributes = {name: np.int64(value) for name, value in parameters.items()}
    return jax.ffi.ffi_lowering("smartsolve_least_squares")(ctx, a, b, **attributes)


def _least_squares_called_back(a: Any, b: Any, *, transposed: bool, minimum_norm: bool) -> Any:
    def on_host(a: Any, b: Any) -> Any:
        a = np.asarray(a).swapaxes(-1, -2) if transposed else np.asarray(a)
        x, rank, *_ = _core.least_squares(a, np.asarray(b), minimum_norm, -1.0)
        return x, rank.astype(np.int32)

    batch, n = _batch_shape(a, b), a.shape[-2 if transposed else -1]
    shapes = (
        jax.ShapeDtypeStruct((*batch, n, b.shape[-1]), b.dtype),
        jax.ShapeDtypeStruct(batch, np.int32),
    )
    return jax.pure_callback(on_host, shapes, a, b)


def _least_squares_elsewhere(a: Any, b: Any, *, transposed: bool, **_: Any) -> Any:
    a = jnp.swapaxes(a, -1, -2) if transposed else a
    rank = jnp.linalg.matrix_rank(a).astype(np.int32)
    return jnp.matmul(jnp.linalg.pinv(a), b), jnp.broadcast_to(rank, _batch_shape(a, b))


_lower(_least_squares, _least_squares_natively, _least_squares_elsewhere)
