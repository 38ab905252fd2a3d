"""What Numba compiles in place of `smartsolve.solve`: calls of the C interface.

The functions are symbols that LLVM looks up when code is loaded: their addresses are in no cache.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from numba import errors, types
from numba.core.typing import signature
from numba.extending import overload, register_jitable
from numba.np import numpy_support

import smartsolve

from .._c_api import table

_functions = table()
llvmlite.binding.add_symbol("smartsolve_solve", _functions.solve)
llvmlite.binding.add_symbol("smartsolve_solve_stack", _functions.solve_stack)

_int, _word = types.int32, types.intp  # a pointer is a word
_solve = types.ExternalFunction("smartsolve_solve", signature(_int, _int, *[_word] * 12))
_solve_stack = types.ExternalFunction(
    "smartsolve_solve_stack",
    signature(_int, _int, _word, _word, _int, *[_word] * 12),
)
# The numbers of smartsolve.h.
_TYPES = {np.dtype("f4"): 0, np.dtype("f8"): 1, np.dtype("c8"): 2, np.dtype("c16"): 3}
_SINGULAR, _NO_MEMORY = 2, -2


_jitable = register_jitable


@_jitable
def _check(answer: int, raises: bool) -> None:
    if answer == _SINGULAR and raises:
        raise np.linalg.LinAlgError("Matrix is singular to machine precision.")
    if answer == _NO_MEMORY:
        raise MemoryError("no memory for the factors of a")
    if answer < 0:
        raise RuntimeError("the systems could not be solved")


@_jitable
def _order(a_shape: Any, rows_of_b: int) -> int:
    n = a_shape[-1]
    if a_shape[-2] != n:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square.")
    if rows_of_b != n:
        raise np.linalg.LinAlgError("Incompatible array sizes, system is not dimensionally valid.")
    return n


def _common_type(a: Any, b: Any) -> np.dtype[Any]:
    """The type in which NumPy solves a system of these two."""
    dtypes = [numpy_support.as_dtype(each.dtype) for each in (a, b)]
    for name, dtype in zip("ab", dtypes, strict=True):
        if dtype.kind not in "biu" and dtype not in _TYPES:
            raise errors.NumbaTypeError(
                f"{name} has dtype {dtype}; expected float32, float64, complex64 or complex128 "
                "(integers and bools become float64)"
            )
    dtypes = [np.dtype("f8") if dtype.kind in "biu" else dtype for dtype in dtypes]
    return np.result_type(*dtypes)


def _copied(array: Any, dtype: np.dtype[Any]) -> Callable[[Any], Any]:
    """A function that makes an array readable to the C interface: of the type, in C order."""
    if numpy_support.as_dtype(array.dtype) == dtype:
        return _jitable(lambda given: np.ascontiguousarray(given))
    return _jitable(lambda given: np.ascontiguousarray(given).astype(dtype))


@_jitable
def _has_whole_strides(array: Any) -> bool:
    whole = True
    for stride in array.strides:
        whole = whole and stride % array.itemsize == 0
    return whole


def _readable(call: Any, a: Any, b: Any, dtype: np.dtype[Any]) -> Any:
    """call(a, b, x), with copies of what the C interface cannot read.

    The call is a function of its own, so that Numba keeps the copies until it has returned.
    """
    keep = _jitable(lambda given: given)
    is_fine, always, never = [], [], []
    for array in (a, b):
        right = numpy_support.as_dtype(array.dtype) == dtype and array.aligned
        is_fine.append(right and array.layout in "CF")
        copied = _copied(array, dtype)
        always.append(keep if is_fine[-1] else copied)
        never.append(keep if right else copied)
    copied_a, copied_b = always
    given_a, given_b = never
    if all(fine or given is not keep for fine, given in zip(is_fine, never, strict=True)):
        return _jitable(lambda a, b, x: call(copied_a(a), copied_b(b), x))

    def look(a: Any, b: Any, x: Any) -> Any:
        if _has_whole_strides(a) and _has_whole_strides(b):
            return call(given_a(a), given_b(b), x)
        return call(copied_a(a), copied_b(b), x)

    return _jitable(look)


def _raises(on_singular: Any) -> bool:
    if isinstance(on_singular, types.Omitted):
        on_singular = on_singular.value
    if on_singular is None or isinstance(on_singular, types.NoneType):
        return True
    word = getattr(on_singular, "literal_value", on_singular)
    if word not in ("raise", "nan"):
        raise errors.NumbaValueError(
            "in a compiled function on_singular is 'raise' or 'nan', written out"
        )
    return bool(word == "raise")


def implementation(a: Any, b: Any, on_singular: Any = None) -> Callable[..., Any] | None:
    """What is compiled for arguments of these types; None if there is nothing."""
    if not (isinstance(a, types.Array) and isinstance(b, types.Array)):
        return None
    if a.ndim < 2 or b.ndim < 1:
        return None
    dtype, raises = _common_type(a, b), _raises(on_singular)
    if a.ndim > 2 or b.ndim > 2:
        return _stack(a, b, dtype, raises)
    call = _readable(_call_vector(dtype) if b.ndim == 1 else _call_matrix(dtype), a, b, dtype)

    def solve_vector(a: Any, b: Any, on_singular: Any = None) -> Any:
        x = np.empty(_order(a.shape, b.shape[0]), dtype)
        answer = call(a, b, x)
        if answer != 0:
            _check(answer, raises)
        return x

    def solve_matrix(a: Any, b: Any, on_singular: Any = None) -> Any:
        x = np.empty((_order(a.shape, b.shape[0]), b.shape[1]), dtype)
        answer = call(a, b, x)
        if answer != 0:
            _check(answer, raises)
        return x

    return solve_vector if b.ndim == 1 else solve_matrix


def _call_vector(dtype: np.dtype[Any]) -> Any:
    number, size = _TYPES[dtype], dtype.itemsize

    def call(a: Any, b: Any, x: Any) -> Any:
        return _solve(
            number, x.size, 1,
            a.ctypes.data, a.strides[0] // size, a.strides[1] // size,
            b.ctypes.data, b.strides[0] // size, 0,
            x.ctypes.data, 1, 0, 0,
        )  # fmt: skip

    return _jitable(call)


def _call_matrix(dtype: np.dtype[Any]) -> Any:
    number, size = _TYPES[dtype], dtype.itemsize

    def call(a: Any, b: Any, x: Any) -> Any:
        return _solve(
            number, x.shape[0], x.shape[1],
            a.ctypes.data, a.strides[0] // size, a.strides[1] // size,
            b.ctypes.data, b.strides[0] // size, b.strides[1] // size,
            x.ctypes.data, x.shape[1], 1, 0,
        )  # fmt: skip

    return _jitable(call)


def _stack(a: Any, b: Any, dtype: np.dtype[Any], raises: bool) -> Callable[..., Any]:
    """Leading axes, broadcast; one call for all of it."""
    number, size = _TYPES[dtype], dtype.itemsize
    a_axes, b_axes = a.ndim - 2, max(b.ndim - 2, 0)
    axes, is_vector = max(a_axes, b_axes), b.ndim == 1

    def call(a: Any, b: Any, x: Any) -> Any:
        # Strides in elements, leading axes first: of a, b and x, below the shape.
        layout = np.zeros((4, axes + 2), np.intp)
        for d in range(axes):
            layout[0, d] = x.shape[d]
            layout[3, d] = x.strides[d] // size
        for d in range(a_axes):
            if a.shape[d] != 1:
                layout[1, axes - a_axes + d] = a.strides[d] // size
        for d in range(b_axes):
            if b.shape[d] != 1:
                layout[2, axes - b_axes + d] = b.strides[d] // size
        for d in range(2):
            layout[1, axes + d] = a.strides[a_axes + d] // size
        if is_vector:
            layout[2, axes] = b.strides[0] // size
            layout[3, axes] = x.strides[axes] // size
            k = 1
        else:
            for d in range(2):
                layout[2, axes + d] = b.strides[b_axes + d] // size
                layout[3, axes + d] = x.strides[axes + d] // size
            k = x.shape[-1]
        return _stack_at(a, b, x, layout, k)

    def stack_at(a: Any, b: Any, x: Any, layout: Any, k: int) -> Any:
        shape, line = layout.ctypes.data, layout.strides[0]
        return _solve_stack(
            number, a.shape[-1], k, axes, shape,
            a.ctypes.data, shape + line, b.ctypes.data, shape + 2 * line,
            x.ctypes.data, shape + 3 * line, 0, 0, 1, 0, 0,
        )  # fmt: skip

    _stack_at = _jitable(stack_at)
    run = _readable(_jitable(call), a, b, dtype)

    def solve_vectors(a: Any, b: Any, on_singular: Any = None) -> Any:
        n = _order(a.shape, b.shape[-1])
        x = np.empty((*a.shape[:-2], n), dtype)
        answer = run(a, b, x)
        if answer != 0:
            _check(answer, raises)
        return x

    def solve_matrices(a: Any, b: Any, on_singular: Any = None) -> Any:
        n = _order(a.shape, b.shape[-2])
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        x = np.empty((*batch, n, b.shape[-1]), dtype)
        answer = run(a, b, x)
        if answer != 0:
            _check(answer, raises)
        return x

    return solve_vectors if is_vector else solve_matrices


overload(smartsolve.solve, prefer_literal=True)(implementation)
