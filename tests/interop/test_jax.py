"""smartsolve.jax: values, and every transformation of JAX's, against JAX's own solver."""

import os
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the extra jax is not installed")
import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import smartsolve  # noqa: E402
import smartsolve.jax  # noqa: E402
from smartsolve.jax import _primitives, factorize, mldivide, solve  # noqa: E402

DTYPES = ["float32", "float64", "complex64", "complex128"]


@pytest.fixture(autouse=True)
def _double_precision() -> None:
    jax.config.update("jax_enable_x64", True)


def random(*shape: int, dtype: str = "float64", seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return jnp.asarray(np.asarray(values if "complex" in dtype else values.real).astype(dtype))


def calls(function: Any, *args: Any) -> str:
    """The compiled program's text."""
    return str(jax.jit(function).lower(*args).compile().as_text())


def test_the_native_code_is_taken() -> None:
    assert _primitives.uses_native_code()
    assert 'custom_call_target="smartsolve_solve"' in calls(solve, jnp.eye(2), jnp.ones(2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((1, 1), (1,)),
        ((4, 4), (4,)),
        ((4, 4), (4, 2)),
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
def test_the_bits_are_those_of_the_host(of_a: Any, of_b: Any, dtype: str) -> None:
    a, b = random(*of_a, dtype=dtype), random(*of_b, dtype=dtype, seed=1)
    for run in (solve, jax.jit(solve)):
        x = run(a, b)
        assert x.dtype == dtype
        assert np.array_equal(x, smartsolve.solve(np.asarray(a), np.asarray(b)))


def test_types_meet_as_in_jax() -> None:
    for of_a in ("int32", "bool", "float32", "float64", "complex64"):
        for of_b in ("int64", "float32", "complex64"):
            a, b = np.tri(3).astype(of_a), np.ones(3, of_b)
            expected = jnp.linalg.solve(a, b)
            x = solve(a, b)
            assert np.allclose(x, expected)
            assert x.dtype == expected.dtype
    assert solve([[2, 0], [0, 4]], [1, 1]).tolist() == [0.5, 0.25]
    with pytest.raises(TypeError, match="a has dtype bfloat16; expected float32"):
        solve(jnp.eye(2, dtype=jnp.bfloat16), jnp.ones(2))


@pytest.mark.parametrize(
    ("of_a", "of_b", "message"),
    [
        ((2, 3), (2,), r"a has shape \(2, 3\); expected \(..., n, n\)"),
        ((3,), (3,), "expected"),
        ((3, 3), (), "b has shape"),
        ((3, 3), (2,), r"b has shape \(2,\); its only axis must be 3"),
        ((2, 2, 2), (1, 2), "its second-to-last axis must be 2"),
        ((2, 3, 3), (4, 3, 1), "the leading axes cannot be broadcast"),
    ],
)
def test_shapes_that_do_not_fit_are_named(of_a: Any, of_b: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solve(jnp.ones(of_a), jnp.ones(of_b))


def test_any_nesting_of_vmap_is_one_call() -> None:
    a, b = random(5, 4, 3, 3), random(6, 3)
    nested = jax.vmap(jax.vmap(jax.vmap(solve, (None, 0)), (0, None)), (0, None))
    x = nested(a, b)
    assert calls(nested, a, b).count(" custom-call(") == 1  # JAX 0.6 calls its result so, too
    assert x.shape == (5, 4, 6, 3)
    assert np.allclose(jnp.einsum("stij,sturj->sturi", a, x[..., None, :])[..., 0, :], b)
    mapped = jax.vmap(solve, (2, 1), 1)(jnp.moveaxis(a[0], 0, 2), random(3, 4))
    assert np.allclose(mapped, jax.vmap(jnp.linalg.solve)(a[0], random(3, 4).T).T)


def test_a_shared_matrix_is_factored_once() -> None:
    """300 right-hand sides cost hardly more than one; the bits are those of one stack."""
    a, b = random(50, 50), random(300, 50)
    x = jax.vmap(solve, (None, 0))(a, b)
    assert np.array_equal(x, smartsolve.solve(np.asarray(a), np.asarray(b)[:, :, None])[:, :, 0])


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [((3, 3), (3,)), ((4, 3, 3), (3, 2)), ((3, 3), (4, 3, 2)), ((2, 1, 2, 2), (3, 2, 1))],
)
def test_derivatives_of_every_order(of_a: Any, of_b: Any, dtype: str) -> None:
    a, b = random(*of_a, dtype=dtype), random(*of_b, dtype=dtype, seed=1)
    a += 3 * jnp.eye(a.shape[-1])  # the check takes differences
    check_grads(solve, (a, b), 2)
    check_grads(partial(solve, a), (b,), 2)
    check_grads(lambda a, b: factorize(a).solve(b), (a, b), 2)
    check_grads(lambda a, b: factorize(a).solve(b, transposed=True), (a, b), 2)


def test_derivatives_are_those_of_jax() -> None:
    a, b = random(3, 3), random(3)

    def of(solver: Any) -> Any:
        return lambda a, b: jnp.sum(jnp.sin(solver(a, b)))

    for transform in (
        jax.grad,
        jax.hessian,
        jax.jacfwd,
        jax.jacrev,
        lambda f: jax.grad(lambda a, b: jnp.sum(jax.grad(f)(a, b) ** 2), 1),
        lambda f: jax.jacfwd(jax.jacrev(jax.jacfwd(f))),
        lambda f: jax.grad(jax.checkpoint(f)),
        lambda f: lambda a, b: jax.jvp(f, (a, b), (b * a, a[0]))[1],
        lambda f: lambda a, b: jax.linearize(f, a, b)[1](a, b),
    ):
        ours, theirs = (transform(of(each))(a, b) for each in (solve, jnp.linalg.solve))
        assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        compiled = jax.jit(transform(of(solve)))(a, b)
        assert np.allclose(compiled, theirs, rtol=1e-9, atol=1e-9)


def test_derivatives_under_vmap_and_scan() -> None:
    a, b = random(10, 3, 3) + 3 * jnp.eye(3), random(3)

    def run(solver: Any, a: Any, b: Any) -> Any:
        return jnp.sum(jax.lax.scan(lambda x, a: (solver(a, x), None), b, a)[0])

    for transform in (lambda f: f, lambda f: jax.grad(f, (0, 1)), lambda f: jax.hessian(f, 1)):
        ours, theirs = (transform(partial(run, each))(a, b) for each in (solve, jnp.linalg.solve))
        assert jax.tree.all(jax.tree.map(partial(np.allclose, rtol=1e-9), ours, theirs))
    per_system = jax.vmap(jax.grad(lambda a, b: jnp.sum(solve(a, b) ** 2), (0, 1)), (0, None))
    expected = jax.vmap(
        jax.grad(lambda a, b: jnp.sum(jnp.linalg.solve(a, b) ** 2), (0, 1)), (0, None)
    )(a, b)
    assert jax.tree.all(jax.tree.map(np.allclose, per_system(a, b), expected))


def test_a_gradient_solves_with_the_transpose_in_place() -> None:
    text = calls(jax.grad(lambda a, b: jnp.sum(solve(a, b)), (0, 1)), jnp.eye(4), jnp.ones(4))
    assert text.count("custom-call(") == 2
    assert "transpose(" not in text.replace("transpose(jvp", "")


def test_singular_slices() -> None:
    a = jnp.stack([jnp.eye(2), jnp.zeros((2, 2)), 2 * jnp.eye(2)])
    x = jax.jit(solve)(a, jnp.ones(2))
    assert x[jnp.array([0, 2])].tolist() == [[1, 1], [0.5, 0.5]]
    assert np.isnan(x[1]).all()
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"Singular matrix: 1 .* at index 1"):
        jax.block_until_ready(jax.jit(partial(solve, on_singular="raise"))(a, jnp.ones(2)))
    with pytest.raises(jax.errors.JaxRuntimeError, match="Singular matrix"):
        jax.block_until_ready(factorize(a, on_singular="raise").solve(jnp.ones(2)))
    with pytest.raises(ValueError, match="on_singular is 'warn'"):
        solve(a, jnp.ones(2), on_singular="warn")  # type: ignore[arg-type]


def test_workers_change_nothing() -> None:
    a, b = random(40_000, 4, 4), random(40_000, 4, 1)
    assert np.array_equal(solve(a, b, workers=2), solve(a, b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_kept_factors_are_those_of_the_same_matrix(dtype: str) -> None:
    matrices = [random(40, 40, dtype=dtype, seed=seed) for seed in range(20)]  # more than are kept
    b = random(40, 3, dtype=dtype)
    for _ in range(2):
        for a in matrices:
            expected = smartsolve.factorize(np.asarray(a))
            x = factorize(a).solve(b)
            assert np.array_equal(x, expected.solve(np.asarray(b)))
            y = factorize(a).solve(b[:, 0], transposed=True)
            assert np.array_equal(y, expected.solve(np.asarray(b)[:, 0], transposed=True))
    stack = factorize(jnp.stack(matrices))
    assert np.array_equal(stack.solve(b)[7], factorize(matrices[7]).solve(b))
    changed = matrices[0].at[39, 39].add(1)
    assert not np.array_equal(factorize(changed).solve(b), factorize(matrices[0]).solve(b))


def test_a_factorization_goes_through_loops_and_compiled_functions() -> None:
    a = random(30, 30) + 30 * jnp.eye(30)

    @jax.jit
    def iterate(f: Any, b: Any) -> Any:
        return jax.lax.fori_loop(0, 5, lambda _, x: f.solve(x), b)

    f = jax.jit(factorize)(a)
    assert np.allclose(iterate(f, jnp.ones(30)), np.linalg.matrix_power(np.linalg.inv(a), 5).sum(1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ((9, 4), (9,)),
        ((50, 9, 4), (50, 9, 2)),
        ((9, 4), (5, 9, 1)),
        ((200, 30, 3), (30,)),
        ((4, 4), (4,)),
        ((4, 9), (4,)),
        ((5, 0), (5,)),
        ((0, 9, 4), (9,)),
    ],
)
def test_mldivide_has_the_bits_of_the_host(of_a: Any, of_b: Any, dtype: str) -> None:
    a, b = random(*of_a, dtype=dtype), random(*of_b, dtype=dtype, seed=1)
    assert np.array_equal(mldivide(a, b), smartsolve.mldivide(np.asarray(a), np.asarray(b)))
    x = mldivide(a, b, minimum_norm=True)
    expected = smartsolve.mldivide(np.asarray(a), np.asarray(b), minimum_norm=True)
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_derivatives_of_least_squares(dtype: str) -> None:
    a, b = random(9, 4, dtype=dtype), random(9, dtype=dtype, seed=1)
    check_grads(mldivide, (a, b), 2)
    check_grads(jax.vmap(mldivide, (0, None)), (random(3, 5, 2, dtype=dtype), b[:5]), 2)
    shortest = partial(mldivide, minimum_norm=True)
    check_grads(shortest, (a, b), 2)
    check_grads(shortest, (a.T, b[:4]), 2)
    check_grads(shortest, (a[:4], b[:4]), 2)


def test_where_least_squares_have_no_derivative() -> None:
    with pytest.raises(NotImplementedError, match="minimum_norm=True"):
        jax.grad(lambda a: mldivide(a, jnp.ones(2)).sum())(random(2, 4))
    deficient = jnp.stack([jnp.ones((3, 2)), random(3, 2)])
    gradient = jax.grad(lambda a: jnp.sum(mldivide(a, jnp.ones(3))))(deficient)
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()


def test_other_devices_run_jax_itself() -> None:
    """Compiled for CUDA, as far as this goes without one."""
    a, b = jnp.eye(3), jnp.ones(3)
    for function in (solve, mldivide, lambda a, b: factorize(a).solve(b, transposed=True)):
        traced = jax.jit(jax.vmap(function, (0, None))).trace(a[None], b)
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
        assert "smartsolve_solve" not in text.replace("func", "")
        assert "getrf" in text or "lu" in text


def test_without_the_native_interface_python_is_called_back() -> None:
    program = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_enable_x64", True)
def refuse(*args, **options): raise RuntimeError("another major version")
jax.ffi.register_ffi_target = refuse
from smartsolve.jax import mldivide, solve
a = jnp.asarray(np.random.default_rng(0).standard_normal((5, 3, 3)))
x = jax.jit(jax.vmap(solve, (0, None)))(a, jnp.ones(3))
assert np.allclose(jnp.einsum("sij,sj->si", a, x), 1)
jax.grad(lambda a: jnp.sum(jax.vmap(mldivide, (0, None))(a, jnp.ones(3))))(a[:, :, :2])
import warnings
warnings.filterwarnings("error", message="Ill-conditioned")  # as in silence as the native code
i = np.arange(14)
jax.block_until_ready(solve(jnp.asarray(1 / (i[:, None] + i + 1)), jnp.ones(14)))
print("callback" in jax.jit(solve).lower(a[0], jnp.ones(3)).as_text())
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"


def test_derivatives_inside_of_shard_map() -> None:
    """On two devices: operands vary along the mesh, both or one of them, or neither."""
    program = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import PartitionSpec as P
from smartsolve.jax import factorize, mldivide, solve
try:
    from jax import shard_map
except ImportError:  # JAX 0.6
    from jax.experimental.shard_map import shard_map
jax.config.update("jax_enable_x64", True)
mesh = jax.sharding.Mesh(jax.devices(), ("i",))
rng = np.random.default_rng(0)
a, b = jnp.asarray(rng.standard_normal((6, 3, 3))), jnp.asarray(rng.standard_normal((6, 3, 1)))
tall, right = (jnp.asarray(rng.standard_normal((6, 5, k))) for k in (2, 1))
def kept(a, b): return factorize(a).solve(b)
for f, a, b, specs in [
    (solve, a, b, (P("i"), P("i"))), (jax.vmap(solve), a, b, (P("i"), P("i"))),
    (solve, a[0], b, (P(), P("i"))), (kept, a[0], b, (P(), P("i"))),
    (solve, a, b[0, :, 0], (P("i"), P())), (solve, a[0], b[0], (P(), P())),
    (mldivide, tall, right, (P("i"), P("i"))),
]:
    out = P("i") if P("i") in specs else P()
    shared = shard_map(f, mesh=mesh, in_specs=specs, out_specs=out)
    def gradient(f): return jax.jit(jax.grad(lambda a, b: jnp.sum(f(a, b) ** 2), (0, 1)))(a, b)
    for ours, wanted in zip(gradient(shared), gradient(f), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-8, atol=1e-10)
"""
    on_two_devices(program)


@pytest.mark.skipif(not hasattr(jax, "set_mesh"), reason="JAX before 0.7")
def test_types_tell_which_device_solves_a_block() -> None:
    """Explicit axes of a mesh: both operands are split, or one of them; nothing is gathered."""
    program = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from smartsolve.jax import factorize, mldivide, solve
jax.config.update("jax_enable_x64", True)
mesh = jax.make_mesh((2,), ("i",), axis_types=(AxisType.Explicit,))
rng = np.random.default_rng(0)
a, b = jnp.asarray(rng.standard_normal((6, 3, 3))), jnp.asarray(rng.standard_normal((6, 3, 1)))
tall, right = (jnp.asarray(rng.standard_normal((6, 5, k))) for k in (2, 1))
def kept(a, b): return factorize(a).solve(b)
def put(x, spec): return jax.device_put(x, NamedSharding(mesh, spec))
with jax.set_mesh(mesh):
    for f, a, b, specs in [
        (solve, a, b, (P("i"), P("i"))), (jax.vmap(solve), a, b, (P("i"), P("i"))),
        (solve, a, b, (P("i"), P())), (solve, a, b, (P(), P("i"))), (solve, a, b, (P(), P())),
        (solve, a[0], b, (P(), P("i"))), (kept, a[0], b, (P(), P("i"))),
        (solve, a, b[0, :, 0], (P("i"), P())), (solve, a, b[:1], (P("i"), P())),
        (mldivide, tall, right, (P("i"), P("i"))),
    ]:
        on_mesh = [put(x, spec) for x, spec in zip((a, b), specs)]
        wanted = f(a, b)
        for call in (f, jax.jit(f)):
            x = call(*on_mesh)
            np.testing.assert_array_equal(np.asarray(x), np.asarray(wanted))
            assert jax.typeof(x).sharding.spec[0] == ("i" if P("i") in specs else None), specs
        assert "all-gather" not in jax.jit(f).lower(*on_mesh).compile().as_text()
        gradient = jax.jit(jax.grad(lambda a, b: jnp.sum(f(a, b) ** 2), (0, 1)))
        for ours, wanted in zip(gradient(*on_mesh), gradient(a, b), strict=True):
            np.testing.assert_allclose(np.asarray(ours), np.asarray(wanted), rtol=1e-8, atol=1e-10)
    try:
        solve(put(jnp.eye(4), P("i")), jnp.ones(4))
    except ValueError as error:
        assert "a matrix must lie on one device" in str(error), error
    else:
        raise AssertionError
"""
    on_two_devices(program)


def on_two_devices(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
    )
    assert done.returncode == 0, done.stderr


def test_the_patched_name_can_be_compiled_itself() -> None:
    """`jax.jit` keeps weak references to what it compiles."""
    with smartsolve.jax.patch():
        solve, stacked = jax.jit(jnp.linalg.solve), jax.jit(jax.vmap(jnp.linalg.solve))
        assert solve(jnp.eye(3) * 2, jnp.ones(3)).tolist() == [0.5] * 3
        assert stacked(jnp.eye(2)[None] * 4, jnp.ones((1, 2))).tolist() == [[0.25] * 2]


def test_patch() -> None:
    a, b, own = jnp.eye(3), jnp.ones(3), jnp.linalg.solve

    def compiled() -> str:
        return calls(lambda a, b: jnp.linalg.solve(a, b), a, b)

    with smartsolve.jax.patch(), smartsolve.jax.patch():
        assert jnp.linalg.solve is not own
        assert "smartsolve_solve" in compiled()
        with pytest.raises(ValueError, match="at least two dimensional"):  # JAX's own words
            jnp.linalg.solve(jnp.ones(3), b)
    assert jnp.linalg.solve is own
    assert "smartsolve_solve" not in compiled()


def test_a_solver_for_lineax() -> None:
    lineax = pytest.importorskip("lineax", reason="lineax is not installed")
    from smartsolve.jax import LineaxSolver

    def run(solver: Any, matrix: Any, right: Any) -> Any:
        structure = jax.eval_shape(lambda: right)
        operator = lineax.PyTreeLinearOperator(matrix, structure)
        return lineax.linear_solve(operator, right, solver=solver).value

    blocks = [[random(2, 2, seed=1), random(2, 3, seed=2)], [random(3, 2, seed=3), random(3, 3)]]
    right = [random(2), random(3)]
    ours, theirs = (run(each, blocks, right) for each in (LineaxSolver(), lineax.LU()))
    assert jax.tree.all(jax.tree.map(np.allclose, ours, theirs))

    def loss(solver: Any) -> Any:
        return lambda m, b: jnp.sum(
            lineax.linear_solve(lineax.MatrixLinearOperator(m), b, solver=solver).value ** 2
        )

    for n in (3, 80):
        a, b = random(n, n), random(n)
        for transform in (lambda f: jax.grad(f, (0, 1)), lambda f: jax.jit(jax.grad(f))):
            ours, theirs = (transform(loss(each))(a, b) for each in (LineaxSolver(), lineax.LU()))
            assert jax.tree.all(jax.tree.map(partial(np.allclose, rtol=1e-6), ours, theirs))
    mapped = jax.vmap(loss(LineaxSolver()), (0, None))(random(4, 3, 3), random(3))
    assert np.allclose(mapped, jax.vmap(loss(lineax.LU()), (0, None))(random(4, 3, 3), random(3)))
    singular = lineax.MatrixLinearOperator(jnp.zeros((2, 2)))
    solution = lineax.linear_solve(singular, jnp.ones(2), solver=LineaxSolver(), throw=False)
    assert solution.result == lineax.RESULTS.singular
    wide = lineax.MatrixLinearOperator(jnp.ones((2, 3)))
    with pytest.raises(ValueError, match="square"):
        lineax.linear_solve(wide, jnp.ones(2), solver=LineaxSolver())
    complex_one = lineax.MatrixLinearOperator(random(3, 3, dtype="complex128"))
    x = lineax.linear_solve(lineax.conj(complex_one), random(3) + 0j, solver=LineaxSolver()).value
    assert np.allclose(jnp.conj(complex_one.matrix) @ x, random(3))
