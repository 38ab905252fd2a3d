"""Near the ends of the range a sparse matrix is solved as one that is scaled by a power of two."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from smartsolve import errstate, factorize, mldivide, solve

from .generators import STRUCTURES, numbers

# float64: below 2^-1022 numbers are subnormal, above 2^1024 there are none. Elements lie between
# 0.2 and some 30.
ENDS = {"d": (-1015, 1016), "D": (-1015, 1016), "f": (-118, 120), "F": (-118, 120)}


def scaled(x: Any, power: int) -> np.ndarray:
    half = x.dtype.type(2.0 ** (power // 2))
    return x * half * x.dtype.type(2.0 ** (power - power // 2))


@pytest.mark.parametrize("n", [20, 400])
@pytest.mark.parametrize("dtype", ENDS)
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_the_ends_are_solved_as_the_middle(structure: str, dtype: str, n: int) -> None:
    kind = np.dtype(dtype)
    rng = np.random.default_rng(3)
    a = STRUCTURES[structure](n, kind, rng).tocsc()
    b = numbers(2 * a.shape[0], kind, rng).reshape(-1, 2)
    close = {"rtol": 0, "atol": 3e4 * np.finfo(kind).eps * abs(solve(a, b)).max()}
    middle = factorize(a)
    for power in ENDS[dtype]:
        moved = a.copy()
        moved.data = scaled(moved.data, power)
        far = scaled(b, power)
        assert np.isfinite(moved.data).all()
        with errstate(ill_conditioned="raise"):
            np.testing.assert_allclose(solve(moved, far), solve(a, b), **close)
            np.testing.assert_allclose(mldivide(moved, far), solve(a, b), **close)
            x, info = solve(moved, far, transposed=True, return_info=True)
            np.testing.assert_allclose(x, solve(a, b, transposed=True), **close)
            factors = factorize(moved)
            np.testing.assert_allclose(factors.solve(far), solve(a, b), **close)
        assert info.backward_error <= a.shape[0] * np.finfo(kind).eps
        assert np.isclose(factors.rcond, middle.rcond, rtol=0.1)
        sign, logarithm = factors.slogdet()
        true_sign, true_logarithm = middle.slogdet()
        assert np.isclose(sign, true_sign)
        shift = a.shape[0] * power * np.log(2)
        assert np.isclose(logarithm, true_logarithm + shift, rtol=1e-5)


def test_a_right_hand_side_of_another_size() -> None:
    """The solution may lie in the range where neither operand does."""
    a = STRUCTURES["circuit"](400, np.dtype(float), np.random.default_rng(5)).tocsc()
    b = np.stack([np.full(400, 2.0**1000), np.ones(400), np.zeros(400)], axis=1)
    a.data = scaled(a.data, 1010)
    x = factorize(a).solve(b)
    a.data = scaled(a.data, -1010)
    expected = solve(a, np.ones(400))
    np.testing.assert_allclose(x[:, 0], expected * 2.0**-10, rtol=1e-10)
    np.testing.assert_allclose(x[:, 1], scaled(expected, -1010), rtol=1e-10)
    assert not x[:, 2].any()


@pytest.mark.parametrize("power", [-1000, 960, 1015])
@pytest.mark.parametrize("n", [3, 10, 80])
def test_condition_is_that_of_the_middle(n: int, power: int) -> None:
    """Products of elements with the inverse's are met on the way, and overflow first."""
    rng = np.random.default_rng(n)
    for condition in 10.0 ** rng.uniform(2, 18, 40):
        (u, _), (v, _) = (np.linalg.qr(rng.normal(size=(n, n))) for _ in range(2))
        a = u * np.geomspace(1, 1 / condition, n) @ v
        far = scaled(a, power)
        roads = [(np.asarray, None)]
        roads += [(make, "general") for make in (sparse.csc_array, sparse.csr_array)]
        for make, structure in roads:
            with errstate(ill_conditioned="ignore"):
                expected = factorize(make(a), structure=structure).rcond
                found = factorize(make(far), structure=structure).rcond
            assert found == pytest.approx(expected, rel=0.1, abs=0)
