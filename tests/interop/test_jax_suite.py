"""JAX's own checks of `jnp.linalg.solve`, run on ours.

JAX's packages bring the harness of its suite (`jax._src.test_util`) but not the tests. These are
the cases of `testSolve` and `testSolveBroadcasting` (tests/linalg_test.py of JAX 0.10), under
that harness: against NumPy, and compiled against not. No exceptions.
"""

from functools import partial
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the extra jax is not installed")
jtu = pytest.importorskip("jax._src.test_util", reason="this JAX has no harness")

from smartsolve.jax import solve  # noqa: E402

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]
SHAPES = [
    ((1, 1), (1, 1)),
    ((4, 4), (4,)),
    ((8, 8), (8, 4)),
    ((2, 2), (3, 2, 2)),
    ((2, 1, 3, 3), (1, 4, 3, 4)),
    ((1, 0, 0), (1, 0, 2)),
]
BROADCAST = [((2,) * a, (2,) * b) for a in range(2, 6) for b in range(1, 5)]


class Case(jtu.JaxTestCase):  # type: ignore[misc]
    def runTest(self) -> None: ...


@pytest.fixture
def case() -> Any:
    jax.config.update("jax_enable_x64", True)
    harness = Case()
    harness.setUp()
    yield harness
    harness.tearDown()


def check(case: Any, of_a: Any, of_b: Any, dtype: Any, tolerance: float) -> None:
    random = jtu.rand_default(case.rng())

    def make() -> list[Any]:
        return [random(of_a, dtype), random(of_b, dtype)]

    case._CheckAgainstNumpy(np.linalg.solve, solve, make, tol=tolerance)
    case._CompileAndCheck(solve, make)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("of_a", "of_b"), SHAPES)
def test_solve(case: Any, of_a: Any, of_b: Any, dtype: Any) -> None:
    check(case, of_a, of_b, dtype, 1e-3)


@pytest.mark.parametrize(("of_a", "of_b"), BROADCAST)
def test_broadcasting(case: Any, of_a: Any, of_b: Any) -> None:
    check(case, of_a, of_b, np.float32, 1e-2)


def test_gradients_under_their_check(case: Any) -> None:
    random = jtu.rand_default(case.rng())
    for of_a, of_b in (((2, 2), (2,)), ((3, 2, 2), (3, 2, 1))):
        args = random(of_a, np.float64), random(of_b, np.float64)
        jtu.check_grads(solve, args, order=2, modes=["fwd", "rev"])
        jtu.check_vjp(solve, partial(jax.vjp, solve), args)
