"""smartsolve.torch: values, and every transformation of PyTorch's, against its own solver."""

import itertools
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

import smartsolve  # noqa: E402
import smartsolve.torch  # noqa: E402
from smartsolve.torch import solve  # noqa: E402
from smartsolve.torch._operator import solve as operator  # noqa: E402

# PyTorch 2.13 scripts its own formulas when forward mode is first used.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.*is deprecated:DeprecationWarning"),
    # PyTorch 2.6's own gradcheck
    pytest.mark.filterwarnings("ignore:Please use `torch.vmap` instead:FutureWarning"),
]

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
WIDE = [torch.float64, torch.complex128]


def random(*shape: int, dtype: Any = torch.float64, seed: int = 0, grad: bool = False) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_(grad)


def near(x: Any, y: Any) -> bool:
    return bool(torch.allclose(x, y, rtol=1e-9, atol=1e-9))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((1, 1), (1,)),
        ((4, 4), (4,)),
        ((7, 4, 4), (4,)),
        ((7, 3, 3), (7, 3, 2)),
        ((4, 4), (7, 4, 2)),
        ((5, 1, 3, 3), (6, 3, 1)),
        ((70, 33, 33), (70, 33, 1)),
        ((0, 3, 3), (3,)),
        ((2, 0, 0), (2, 0, 1)),
        ((3, 3), (3, 0)),
        ((100, 100), (100, 3)),
    ],
)
def test_the_bits_are_those_of_the_host(of_a: Any, of_b: Any, dtype: Any) -> None:
    a, b = random(*of_a, dtype=dtype), random(*of_b, dtype=dtype, seed=1)
    x = solve(a, b)
    assert x.dtype == dtype
    assert x.is_contiguous()
    assert np.array_equal(x.numpy(), smartsolve.solve(a.numpy(), b.numpy()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_views_are_read_as_they_lie(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    own = smartsolve.torch._operator._solve_arrays

    def watch(a: Any, b: Any, raises: bool) -> Any:
        seen.append(a.ctypes.data)
        return own(a, b, raises)

    monkeypatch.setattr(smartsolve.torch._operator, "_solve_arrays", watch)
    whole = random(6, 8, 8, dtype=dtype)
    b = random(8, 2, dtype=dtype, seed=1)
    views = (whole, whole.mT, whole.conj(), whole.mH, whole.mT.mH)
    for a in views:
        for right in (b, b.conj(), b.resolve_conj().mT.contiguous().mT):
            x = solve(a, right)
            assert not x.is_conj()
            assert torch.allclose(x, torch.linalg.solve(a, right), rtol=2e-3, atol=2e-3)
            assert seen.pop() == whole.data_ptr()
    part = whole[::2, 1:5, 1:5]
    assert torch.allclose(solve(part, b[:4]), torch.linalg.solve(part, b[:4]), rtol=2e-3, atol=2e-3)
    assert seen.pop() == part.data_ptr()
    if dtype.is_complex:  # the imaginary part of a conjugated view is negated by a flag
        a = whole.conj().imag
        assert a.is_neg()
        assert torch.allclose(solve(a, b.real), torch.linalg.solve(a, b.real), rtol=2e-3, atol=2e-3)


def test_operands_are_not_written() -> None:
    a, b = random(5, 5), random(5, 3)
    kept = a.clone(), b.clone()
    solve(a, b)
    assert torch.equal(a, kept[0])
    assert torch.equal(b, kept[1])


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [((3, 3), (3,)), ((4, 3, 3), (3, 2)), ((3, 3), (4, 3, 2)), ((2, 1, 2, 2), (3, 2, 1))],
)
def test_derivatives_of_every_order(of_a: Any, of_b: Any, dtype: Any) -> None:
    a = random(*of_a, dtype=dtype) + 3 * torch.eye(of_a[-1])
    a, b = a.requires_grad_(), random(*of_b, dtype=dtype, seed=1, grad=True)

    def adjoint(a: Any, b: Any) -> Any:
        return operator(a, b if b.dim() > 1 else b.unsqueeze(-1), True, True)

    for function in (solve, adjoint):
        torch.autograd.gradcheck(
            function, (a, b), check_forward_ad=True, check_batched_grad=True,
            check_batched_forward_grad=True,
        )  # fmt: skip
        torch.autograd.gradgradcheck(function, (a, b), check_fwd_over_rev=True)
    torch.autograd.gradcheck(lambda b: solve(a.detach(), b), (b,), check_forward_ad=True)
    torch.autograd.gradcheck(lambda a: solve(a, b.detach()), (a,), check_forward_ad=True)


def loss(solver: Any, b: Any) -> Any:
    return lambda a: solver(a, b).sin().sum()


@pytest.mark.parametrize("name", ["grad", "jacrev", "jacfwd", "hessian"])
def test_transforms_of_torch_func(name: str) -> None:
    a, b, transform = random(3, 3), random(3, 2, seed=1), getattr(torch.func, name)
    # Not against linalg.solve: in PyTorch 2.13 derivatives and vmaps of its jacfwd are wrong.
    ours, theirs = loss(solve, b), loss(lambda a, b: torch.linalg.inv(a) @ b, b)
    assert near(transform(ours)(a), transform(theirs)(a))
    many = random(5, 3, 3)
    one_by_one = torch.stack([transform(theirs)(each) for each in many])
    assert near(torch.vmap(transform(ours))(many), one_by_one)
    twice = [torch.func.grad(lambda a, f=f: transform(f)(a).sin().sum())(a) for f in (ours, theirs)]
    assert near(*twice)


def test_forward_mode_is_not_zero() -> None:
    """An operator without a formula answers torch.func.jvp with zeros, and says nothing."""
    a, b, da = random(3, 3), random(3), random(3, 3, seed=2)
    _, ours = torch.func.jvp(lambda a: solve(a, b), (a,), (da,))
    _, theirs = torch.func.jvp(lambda a: torch.linalg.solve(a, b), (a,), (da,))
    assert near(ours, theirs)
    assert ours.abs().max() > 0
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(a, da)
        for x in (solve(dual, b), operator(dual, b[:, None])[:, 0]):
            assert near(torch.autograd.forward_ad.unpack_dual(x).tangent, theirs)


def test_what_cannot_be_transformed_says_so() -> None:
    """The operator itself, of which torch.func sees nothing, would be wrong in silence."""
    a, b = random(3, 3), random(3, 1)
    for transform in (torch.func.grad, torch.func.hessian):
        with pytest.raises(RuntimeError, match=r"has no derivatives under torch\.func"):
            transform(lambda a: operator(a, b).sum())(a)

    @partial(torch.compile, backend="eager")
    def inside(a: Any) -> Any:
        return torch.func.grad(lambda a: solve(a, b).sum())(a)

    with pytest.raises(Exception, match="has no derivatives"):
        inside(a)


def test_any_nesting_of_vmap_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    own = smartsolve.torch._operator._solve_arrays
    monkeypatch.setattr(
        smartsolve.torch._operator, "_solve_arrays", lambda *args: calls.append(args) or own(*args)
    )
    a, b = random(5, 4, 3, 3), random(6, 3)
    nested = torch.vmap(torch.vmap(torch.vmap(solve, (None, 0)), (0, None)), (0, None))
    x = nested(a, b)
    assert len(calls) == 1
    assert calls[0][0].size == a.numel()  # the matrices are shared, not copied
    expected = torch.linalg.solve(a[:, :, None], b[:, :, None].expand(5, 4, 6, 3, 1))
    assert near(x, expected.squeeze(-1))


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_without_graph_breaks(backend: str) -> None:
    @partial(torch.compile, fullgraph=True, backend=backend)
    def twice(a: Any, b: Any) -> Any:
        return solve(a, solve(a, b)) * 2

    a, b = random(4, 3, 3, grad=True), random(4, 3, 2, grad=True)
    twice(a, b).sin().sum().backward()
    ours = a.grad.clone(), b.grad.clone()
    a.grad = b.grad = None
    (torch.linalg.solve(a, torch.linalg.solve(a, b)) * 2).sin().sum().backward()
    assert near(ours[0], a.grad)
    assert near(ours[1], b.grad)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("dtype", WIDE)
def test_pytorchs_checks_of_operators(dtype: Any, adjoint: bool) -> None:
    a = random(4, 3, 3, dtype=dtype, grad=True)
    for b in (random(4, 3, 2, dtype=dtype, grad=True), random(3, 2, dtype=dtype)):
        torch.library.opcheck(operator, (a, b, adjoint, True))


def test_singular_slices() -> None:
    a = torch.stack([torch.eye(2), torch.zeros(2, 2), 2 * torch.eye(2)])
    with pytest.raises(torch.linalg.LinAlgError, match="Singular matrix: slice 1"):
        solve(a, torch.ones(2))
    x = solve(a, torch.ones(2), on_singular="nan")
    assert x[[0, 2]].tolist() == [[1, 1], [0.5, 0.5]]
    assert x[1].isnan().all()


def test_an_ill_conditioned_matrix_warns() -> None:
    hilbert = 1 / (torch.arange(12.0)[:, None] + torch.arange(12.0) + 1).double()
    with pytest.warns(smartsolve.IllConditionedWarning):
        solve(hilbert, torch.ones(12, dtype=torch.float64))


@pytest.mark.parametrize(
    ("of_a", "of_b", "message"),
    [
        ((2, 3), (2,), r"a has shape \(2, 3\); expected \(..., n, n\)"),
        ((3,), (3,), "square matrices"),
        ((3, 3), (2,), r"b has shape \(2,\); expected 3 equations"),
        ((3, 3), (), "b has shape"),
        ((2, 3, 3), (2, 3), "expected 3 equations"),
        ((2, 3, 3), (4, 3, 1), "cannot be broadcast"),
    ],
)
def test_shapes_that_do_not_fit_are_named(of_a: Any, of_b: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        solve(torch.ones(of_a), torch.ones(of_b))


def test_shape_rules() -> None:
    a, b = random(3, 2, 2), random(3, 2)
    with pytest.raises(RuntimeError):
        solve(a, b)
    assert near(solve(a, b, shape_rules="torch"), torch.linalg.solve(a, b))
    # A stack of vectors to PyTorch, a matrix to NumPy.
    a, b = random(2, 2, 2), random(2, 2)
    assert near(solve(a, b, shape_rules="torch"), torch.linalg.solve(a, b))
    assert near(solve(a, b), torch.as_tensor(np.linalg.solve(a.numpy(), b.numpy())))
    assert near(solve(a, b, left=False), torch.linalg.solve(a, b.expand(2, 2, 2), left=False))
    with pytest.raises(ValueError, match="shape_rules is 'matlab'"):
        solve(a, b, shape_rules="matlab")
    with pytest.raises(RuntimeError, match="left=False"):
        solve(a, random(2), left=False)


def test_types() -> None:
    a, b = random(3, 3, dtype=torch.float32), random(3, dtype=torch.complex128)
    assert solve(a, b).dtype == torch.complex128
    for dtype in (torch.float16, torch.bfloat16, torch.int64):
        with pytest.raises(TypeError, match="a has dtype"):
            solve(torch.eye(3, dtype=dtype), b)


def test_other_devices_go_to_pytorch() -> None:
    """The meta device stands for CUDA, as far as this goes without one."""
    a, b = torch.empty(5, 3, 3, device="meta"), torch.empty(3, 2, device="meta")
    for on_singular in ("raise", "nan"):
        x = solve(a, b, on_singular=on_singular)
        assert (x.device.type, tuple(x.shape)) == ("meta", (5, 3, 2))


def test_patch() -> None:
    own, a, b = torch.linalg.solve, random(3, 2, 2), random(3, 2)
    with smartsolve.torch.patch(), smartsolve.torch.patch():
        assert torch.linalg.solve is not own
        assert np.array_equal(
            torch.linalg.solve(a, b).numpy(),
            smartsolve.solve(a.numpy(), b.numpy()[..., None])[..., 0],
        )
        assert torch.linalg.solve(a, b, out=torch.empty(3, 2, dtype=a.dtype)).shape == (3, 2)
        with pytest.raises(RuntimeError, match=r"linalg\.solve"):  # PyTorch's own words
            torch.linalg.solve(torch.ones(2, 3), torch.ones(2))
        with pytest.raises(torch.linalg.LinAlgError, match="slice 0"):
            torch.linalg.solve(torch.zeros(1, 2, 2), torch.ones(1, 2))
    assert torch.linalg.solve is own


def opinfo() -> Any:
    definitions = pytest.importorskip(
        "torch.testing._internal.opinfo.definitions.linalg", reason="no samples in this PyTorch"
    )
    return next(op for op in definitions.op_db if op.name == "linalg.solve")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("dtype", DTYPES)
def test_pytorchs_own_samples(dtype: Any) -> None:
    """The samples of PyTorch's suite for linalg.solve, under its rules; no exceptions."""
    info = opinfo()
    count = 0
    for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
        ours = solve(sample.input, *sample.args, shape_rules="torch", **sample.kwargs)
        theirs = torch.linalg.solve(sample.input, *sample.args, **sample.kwargs)
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3, check_stride=False)
        count += 1
    assert count >= 18  # PyTorch 2.6 has 18, later ones 24


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("dtype", WIDE)
def test_pytorchs_own_samples_and_their_gradients(dtype: Any) -> None:
    def run(*args: Any, **options: Any) -> Any:
        return solve(*args, shape_rules="torch", **options)

    for sample in opinfo().sample_inputs("cpu", dtype, requires_grad=True):
        inputs = (sample.input, *sample.args)
        torch.autograd.gradcheck(run, inputs, check_forward_ad=True)
        torch.autograd.gradgradcheck(run, inputs)


def test_a_generator_function_is_refused_by_the_decorator() -> None:
    with pytest.raises(TypeError, match=r"use 'with smartsolve\.torch\.patch\(\):' inside"):

        @smartsolve.torch.patch()
        def solutions() -> Any:
            yield torch.linalg.solve(torch.eye(2), torch.ones(2))


def by_adjugate(a: Any, b: Any) -> Any:
    """Of order 3, by arithmetic whose derivatives PyTorch knows."""
    cross, (x, y, z) = torch.linalg.cross, a
    adjugate = torch.stack([cross(y, z), cross(z, x), cross(x, y)], 1)
    return adjugate @ b / torch.dot(x, cross(y, z))


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "modes", [modes for k in (1, 2, 3) for modes in itertools.product("fr", repeat=k)]
)
def test_nested_derivatives_are_right_or_refused(modes: tuple[str, ...], mapped: bool) -> None:
    """Forward mode in forward mode, in which PyTorch 2.13 loses terms, its own solve's too."""
    a, b = random(2, 3, 3), random(2, 3, 2, seed=1)

    def derivative(solver: Any) -> Any:
        def of(a: Any, b: Any) -> Any:
            def value(a: Any) -> Any:
                return (solver(a, b) ** 2).sum()

            for mode in reversed(modes):
                value = (torch.func.jacfwd if mode == "f" else torch.func.jacrev)(value)
            return value(a)

        return torch.vmap(of) if mapped else lambda a, b: of(a[0], b[0])

    if modes[:2] == ("f", "f") and len(modes) == 3:
        with pytest.raises(RuntimeError, match="make the outermost of them jacrev"):
            derivative(solve)(a, b)
    else:
        assert near(derivative(solve)(a, b), derivative(by_adjugate)(a, b))
