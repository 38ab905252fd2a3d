"""torch.ops.smartsolve.solve: A^-1 b or A^-H b, with all its rules.

Matrices are (..., n, n), right-hand sides (..., n, k); leading axes broadcast.
"""

from typing import Any

import numpy as np
import torch
from torch._C import _functorch
from torch._functorch.pyfunctorch import retrieve_current_functorch_interpreter
from torch.autograd import forward_ad

from .. import _core

__all__ = ["apply", "solve"]

_library = torch.library.Library("smartsolve", "DEF")  # the names live as long as it does
_library.define("solve(Tensor a, Tensor b, bool adjoint=False, bool raises=True) -> Tensor")
solve = torch.ops.smartsolve.solve.default
_PLAIN = (torch.Tensor, torch.nn.Parameter)
_CPU = torch._C.DispatchKey.CPU
# Tensors that are conjugated or negated by a flag come as they are, and not as copies.
for _key in ("Conjugate", "Negative"):
    _library.impl("solve", torch.library.fallthrough_kernel, _key)


def _solve_on_cpu(a: Any, b: Any, adjoint: bool = False, raises: bool = True) -> Any:
    is_complex = a.is_complex()
    a, b = a.resolve_neg(), b.resolve_neg()
    # Of a conjugated view what lies in memory: conj(P) x = b is P conj(x) = conj(b).
    conjugated = is_complex and a.is_conj() != adjoint
    matrix = a.conj() if a.is_conj() else a
    right = b.conj() if conjugated else b
    x = _solve_arrays(
        matrix.mT.numpy() if adjoint else matrix.numpy(), right.resolve_conj().numpy(), raises
    )
    found = torch.from_numpy(x)
    return found.conj_physical_() if conjugated else found


def _solve_arrays(a: Any, b: Any, raises: bool) -> Any:
    try:
        return _core.solve(a, b, on_singular="raise" if raises else "nan")
    except np.linalg.LinAlgError as error:
        raise torch.linalg.LinAlgError(str(error)) from None


_library.impl("solve", _solve_on_cpu, "CPU")


@torch.library.register_fake("smartsolve::solve")
def _(a: Any, b: Any, adjoint: bool = False, raises: bool = True) -> Any:
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return b.new_empty((*batch, *b.shape[-2:]))


class _Solve(torch.autograd.Function):
    """A x = b: dx = A^-1 (db - dA x); back, gb = A^-H gx and gA = -gb x^H. A^H alike."""

    @staticmethod
    def forward(a: Any, b: Any, adjoint: bool, raises: bool) -> Any:
        with torch._C._AutoDispatchBelowAutograd():
            return solve(a, b, adjoint, raises)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        a, b, ctx.adjoint, ctx.raises = inputs
        ctx.of_a, ctx.of_b = a.shape, b.shape
        ctx.save_for_backward(a, output)
        ctx.save_for_forward(a, output)

    @staticmethod
    def backward(ctx: Any, gx: Any) -> Any:
        a, x = ctx.saved_tensors
        gb = apply(a, gx, not ctx.adjoint, ctx.raises)
        ga = None
        if ctx.needs_input_grad[0]:
            ga = -(_outer(x, gb) if ctx.adjoint else _outer(gb, x)).sum_to_size(ctx.of_a)
        return ga, gb.sum_to_size(ctx.of_b) if ctx.needs_input_grad[1] else None, None, None

    @staticmethod
    def jvp(ctx: Any, da: Any, db: Any, *_: Any) -> Any:
        a, x = ctx.saved_tensors
        if torch._C._are_functorch_transforms_active() and _count_of_forward() > 1:
            raise RuntimeError(
                "PyTorch loses terms of the derivative where two transforms in forward mode (jvp, "
                "jacfwd, hessian) lie around a third one; make the outermost of them jacrev or vjp"
            )
        right = _tangent_of_right(da, db, x, ctx.adjoint)
        return apply(a, right, ctx.adjoint, ctx.raises)

    @staticmethod
    def vmap(info: Any, in_dims: Any, a: Any, b: Any, adjoint: bool, raises: bool) -> Any:
        """The mapped axis comes first; an operand without it is shared, a matrix factored once."""
        pairs = list(zip((a, b), in_dims, strict=False))
        axes = max(x.dim() - (dim is not None) for x, dim in pairs)

        def in_front(x: Any, dim: int | None) -> Any:
            x = x.unsqueeze(0) if dim is None else x.movedim(dim, 0)
            missing = axes + 1 - x.dim()
            return x.reshape(x.shape[0], *(1,) * missing, *x.shape[1:]) if missing else x

        a, b = (in_front(x, dim) for x, dim in pairs)
        return apply(a, b, adjoint, raises), 0


def _outer(x: Any, y: Any) -> Any:
    """x y^H; of columns element by element, for which PyTorch's product is slow."""
    return x * y.mH if x.shape[-1] == 1 else x @ y.mH


def apply(a: Any, b: Any, adjoint: bool, raises: bool) -> Any:
    """The operator, with derivatives also where transforms of `torch.func` are under way.

    These take apart a Function, one after the other, and not an operator. Where nobody looks on,
    the way through PyTorch's dispatcher, which takes 10 us, is saved.
    """
    if torch.compiler.is_compiling():
        return solve(a, b, adjoint, raises)
    if torch._C._are_functorch_transforms_active():
        found = _forward_in_forward(a, b, adjoint, raises)
        return _Solve.apply(a, b, adjoint, raises) if found is None else found
    if _is_alone(a, b):
        return _solve_on_cpu(a.detach(), b.detach(), adjoint, raises)
    return solve(a, b, adjoint, raises)


def _forward_in_forward(a: Any, b: Any, adjoint: bool, raises: bool) -> Any:
    """The solution and its tangent under forward mode within forward mode; None elsewhere.

    PyTorch's own way calls `_Solve.jvp` with all forward derivatives switched off, those of outer
    transforms, too, which would be lost.
    """
    interpreter = retrieve_current_functorch_interpreter()
    is_forward = interpreter.key() == _functorch.TransformType.Jvp
    if not is_forward or not torch._C._is_fwd_grad_enabled() or _count_of_forward() < 2:
        return None
    level = interpreter.level()

    def outside(x: Any) -> list[Any]:
        """Value and tangent, as they are outside of the innermost transform."""
        parts = forward_ad.unpack_dual(x)
        return [p if p is None else _functorch._unwrap_for_grad(p, level) for p in parts]

    (a, da), (b, db) = outside(a), outside(b)
    dx = None
    with interpreter.lower():
        x = apply(a, b, adjoint, raises)
        if da is not None or db is not None:
            dx = apply(a, _tangent_of_right(da, db, x, adjoint), adjoint, raises)
    x = _functorch._wrap_for_grad(x, level)
    return x if dx is None else forward_ad.make_dual(x, _functorch._wrap_for_grad(dx, level))


def _count_of_forward() -> int:
    """How many transforms of forward mode are under way."""
    stack = _functorch.get_interpreter_stack() or ()
    return sum(one.key() == _functorch.TransformType.Jvp for one in stack)


def _tangent_of_right(da: Any, db: Any, x: Any, adjoint: bool) -> Any:
    """db - dA x"""
    right: Any = None if da is None else -((da.mH if adjoint else da) @ x)
    if db is not None:
        right = db if right is None else right + db
    return right.expand(x.shape)


def _is_alone(a: Any, b: Any) -> bool:
    """Whether nothing records or replaces what happens to these tensors."""
    return not (torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)) and holds_numbers(
        a, b
    )


def holds_numbers(a: Any, b: Any) -> bool:
    """Whether both are tensors on a CPU whose values are there now, whatever records them."""
    return (
        type(a) in _PLAIN
        and type(b) in _PLAIN
        and forward_ad._current_level < 0
        and torch._C._len_torch_dispatch_stack() == 0
        and torch._C._get_tracing_state() is None
        # Those of the older vmap, with which gradcheck batches, have no place of their own.
        and torch._C._dispatch_keys(a).has(_CPU)
        and torch._C._dispatch_keys(b).has(_CPU)
    )


def _solve_with_derivatives(a: Any, b: Any, adjoint: bool = False, raises: bool = True) -> Any:
    recorded = torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
    if recorded or forward_ad._current_level >= 0:
        if torch._C._are_functorch_transforms_active():
            raise RuntimeError(
                "torch.ops.smartsolve.solve has no derivatives under torch.func, nor "
                "smartsolve.torch.solve where torch.compile holds the transform: compile what is "
                "transformed, and transform smartsolve.torch.solve"
            )
        return _Solve.apply(a, b, adjoint, raises)
    with torch._C._AutoDispatchBelowAutograd():
        return solve(a, b, adjoint, raises)


_library.impl("solve", _solve_with_derivatives, "Autograd")


@torch.library.register_vmap("smartsolve::solve")
def _(
    info: Any, in_dims: Any, a: Any, b: Any, adjoint: bool = False, raises: bool = True
) -> tuple[Any, int]:
    return _Solve.vmap(info, in_dims, a, b, adjoint, raises)
