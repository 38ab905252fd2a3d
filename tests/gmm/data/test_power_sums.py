"""power_sums.py: accuracy, and independence of the chunks."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmm import _core
from gmm.data import power_sums
from gmm.data.power_sums import central_moments

EPS = np.finfo(np.float64).eps


def reduce(x: np.ndarray, order: int) -> power_sums.CentralMoments:
    def fill(buffer: np.ndarray, rows: slice) -> None:
        buffer[...] = x[rows]

    return central_moments(fill, len(x), x.shape[1], order)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 40),
    location=st.sampled_from([0.0, 1.0, 1e3, 1e6]),
)
def test_moments_are_those_of_exact_arithmetic(seed: int, n: int, location: float) -> None:
    x = location + np.random.default_rng(seed).standard_normal((2, n))
    result = reduce(x, 8)
    for r in range(2):
        exact = [Fraction(float(value)) for value in x[r]]
        mean = sum(exact) / n
        # A sum of n terms is off by n eps sum(|x|) at most (Higham 2002, section 4.2).
        rounding = n * EPS * np.abs(x[r]).max()
        assert result.mean[r] == pytest.approx(float(mean), rel=0, abs=rounding)
        size = max(abs(float(value - mean)) for value in exact) + rounding
        for j in range(2, 9):
            moment = float(sum((value - mean) ** j for value in exact) / n)
            # The deviations carry the rounding of the mean, j times in a j-th power; the powers and
            # their sum add less than 2 (j + n) roundings of their own.
            error = j * rounding * size ** (j - 1) + 2 * (j + n) * EPS * size**j
            assert math.isclose(result.central[r, j], moment, rel_tol=0, abs_tol=error)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 20_000) | st.integers(1, 300),
    order=st.sampled_from([4, 6, 8]),
    location=st.sampled_from([0.0, -0.0, 3.5, -1e8]),
    constant=st.booleans(),
)
def test_the_bits_are_those_of_numpys_sums(
    n: int, order: int, location: float, constant: bool
) -> None:
    """Pairwise sums of the powers, as np.add.reduce gives them along contiguous rows."""
    x = np.full((3, n), location)
    if not constant:
        x += np.random.default_rng(n).standard_normal((3, n))
    result = reduce(x, order)
    mean = np.add.reduce(x, axis=1) / n
    np.testing.assert_array_equal(result.mean, mean)
    assert (np.signbit(result.mean) == np.signbit(mean)).all()
    d = x - mean[:, np.newaxis]
    power = d * d
    for j in range(2, order + 1):
        np.testing.assert_array_equal(result.central[:, j], np.add.reduce(power, axis=1) / n)
        power *= d
    np.testing.assert_array_equal(result.central[:, :2], [[1, 0]] * 3)


def test_what_is_not_finite_stays_in_its_sample() -> None:
    x = np.random.default_rng(3).standard_normal((4, 200))
    whole = reduce(x, 4)
    x[1, 7], x[2, 199] = np.nan, np.inf
    result = reduce(x, 4)
    assert not np.isfinite(result.central[1:3, 2:]).any()
    np.testing.assert_array_equal(result.central[[0, 3]], whole.central[[0, 3]])


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros((2, 3)), np.zeros(2), np.zeros((2, 4))),
        (np.zeros((2, 3)), np.zeros(3), np.zeros((2, 5))),
        (np.zeros((2, 3)), np.zeros(2), np.zeros((3, 5))),
        (np.zeros(3), np.zeros(2), np.zeros((2, 5))),
        (np.zeros((2, 3), np.float32), np.zeros(2), np.zeros((2, 5))),
    ],
)
def test_the_native_core_checks_shapes_and_types(arguments: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(ValueError, match="must be contiguous float64"):
        _core.central_moments(*arguments)


def test_the_native_core_checks_memory() -> None:
    x, mean, central = np.zeros((2, 3)), np.zeros(2), np.zeros((2, 5))
    fixed = central.copy()
    fixed.flags.writeable = False
    for arguments in ((x[:, ::2], mean, central), (x, mean, fixed)):
        with pytest.raises((ValueError, BufferError)):
            _core.central_moments(*arguments)
    for arguments in ((), (None, mean, central), (x, mean)):
        with pytest.raises(TypeError):
            _core.central_moments(*arguments)


def test_chunks_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).standard_normal((37, 301))
    results = []
    for rows in (1, 2, 5, 64):
        monkeypatch.setattr(power_sums, "_CHUNK_BYTES", rows * 8 * 301)
        assert power_sums.chunk_rows(301) == rows
        results.append(reduce(x, 8))
    for other in results[1:]:
        np.testing.assert_array_equal(other.mean, results[0].mean)
        np.testing.assert_array_equal(other.central, results[0].central)


def test_a_sample_larger_than_a_chunk_is_reduced_alone() -> None:
    assert power_sums.chunk_rows(10**7) == 1
