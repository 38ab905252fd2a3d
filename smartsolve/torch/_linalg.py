"""solve for tensors: NumPy's contract or PyTorch's."""

from typing import Any, Literal

import torch

from ._operator import apply as solve_on_cpu

__all__ = ["solve"]

_DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def solve(
    a: Any,
    b: Any,
    *,
    left: bool = True,
    on_singular: Literal["raise", "nan"] = "raise",
    shape_rules: Literal["numpy", "torch"] = "numpy",
) -> Any:
    """Solve ``a @ x = b`` for tensors, with derivatives.

    Parameters
    ----------
    a : (..., n, n) Tensor of float32, float64, complex64 or complex128
        Square matrices, in any layout: transposed and conjugated views are
        read as they lie.
    b : (n,) or (..., n, k) Tensor
        Right-hand sides. Of another of these types: both become the one that
        holds both.
    left : bool, default True
        False solves ``x @ a = b``, where b is (..., k, n).
    on_singular : {"raise", "nan"}
        A singular matrix raises, or gives NaN in its slice.
    shape_rules : {"numpy", "torch"}
        When b is a stack of vectors: if it has one axis, or, with "torch", also
        if it has one axis less than `a` and the shape of it without its last.

    Returns
    -------
    Tensor
        x, of b's shape but for leading axes, which broadcast.

    Raises
    ------
    torch.linalg.LinAlgError
        If a matrix is singular; the message names the first.
    RuntimeError
        If the shapes do not fit, as PyTorch has it.
    TypeError
        If a dtype is another one.

    Warns
    -----
    IllConditionedWarning
        As `smartsolve.solve`.

    Notes
    -----
    Gradients of any order, forward mode, `torch.func` and `torch.compile` work;
    `torch.vmap` in any nesting is one call. A gradient is one more solve, with
    the transpose as it lies. Tensors on other devices than a CPU are solved by
    ``torch.linalg.solve``.

    See Also
    --------
    torch.linalg.solve : PyTorch's own.

    Examples
    --------
    >>> import torch
    >>> from smartsolve.torch import solve
    >>> a = torch.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
    >>> x = solve(a, torch.ones(2))
    >>> x.tolist()
    [0.5, 0.25]
    >>> x.sum().backward()
    >>> a.grad
    tensor([[-0.2500, -0.1250],
            [-0.1250, -0.0625]])
    """
    raises = _is(on_singular, "on_singular", "raise", "nan")
    by_torch = _is(shape_rules, "shape_rules", "torch", "numpy")
    for name, x in (("a", a), ("b", b)):
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"{name} is a {type(x).__name__}; expected a torch.Tensor")
    if a.dim() < 2 or a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"a has shape {tuple(a.shape)}; expected (..., n, n), square matrices")
    for name, x in (("a", a), ("b", b)):
        if x.dtype not in _DTYPES:
            raise TypeError(
                f"{name} has dtype {x.dtype}; expected float32, float64, complex64 or complex128; "
                f"convert it, as with {name}.to(torch.float64)"
            )
    are_vectors = b.dim() == 1 or (by_torch and a.dim() - 1 == b.dim() and b.shape == a.shape[:-1])
    if are_vectors and not left:
        raise RuntimeError(
            f"left=False wants matrices; b has shape {tuple(b.shape)}, which are vectors"
        )
    if a.dtype != b.dtype:
        dtype = torch.promote_types(a.dtype, b.dtype)
        a, b = a.to(dtype), b.to(dtype)
    right = b.unsqueeze(-1) if are_vectors else b
    if not left:
        a, right = a.mT, right.mT
    _check_shapes(a, b, right)
    if a.device.type != "cpu" or b.device.type != "cpu":
        x = _solve_elsewhere(a, right, raises)
    else:
        x = solve_on_cpu(a, right, False, raises)
    if not left:
        x = x.mT
    return x.squeeze(-1) if are_vectors else x


def _check_shapes(a: Any, b: Any, right: Any) -> None:
    if right.dim() < 2 or right.shape[-2] != a.shape[-1]:
        raise RuntimeError(
            f"b has shape {tuple(b.shape)}; expected {a.shape[-1]} equations, to match a of shape "
            f"{tuple(a.shape)}"
        )
    for of_a, of_b in zip(reversed(a.shape[:-2]), reversed(right.shape[:-2]), strict=False):
        if of_a != of_b and 1 not in (of_a, of_b):
            raise RuntimeError(
                f"a of shape {tuple(a.shape)} and b of shape {tuple(b.shape)}: the leading axes "
                "cannot be broadcast together"
            )


def _solve_elsewhere(a: Any, b: Any, raises: bool) -> Any:
    """By PyTorch, on the device, whose rules for vectors cannot be met: b has a matrix' axes."""
    if b.dim() < a.dim():
        b = b.expand(*a.shape[:-2], *b.shape[-2:])
    if raises:
        return torch.linalg.solve(a, b)
    x, info = torch.linalg.solve_ex(a, b)
    return torch.where((info == 0)[..., None, None], x, torch.nan)


def _is(word: str, name: str, yes: str, no: str) -> bool:
    if word not in (yes, no):
        raise ValueError(f"{name} is {word!r}; expected {yes!r} or {no!r}")
    return word == yes
