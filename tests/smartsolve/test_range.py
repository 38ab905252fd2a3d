"""Matrices at the ends of the range: they are solved as the same matrix, scaled, is.

LAPACK multiplies by reciprocals of pivots, which overflow below 2^-1022, and leaves a column as it
is there, without a word; near the largest number elements grow beyond it.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg

import smartsolve
from smartsolve import errstate, factorize, mldivide, solve

from .accuracy import eps
from .matrices import DTYPES, random_matrix, random_rhs

Array = npt.NDArray[np.inexact]

KINDS = [
    "upper triangular",
    "permuted triangular",
    "tridiagonal",
    "spd tridiagonal",
    "banded",
    "spd banded",
    "upper hessenberg",
    "lower hessenberg",
    "positive definite",
    "symmetric",
    "hermitian",
    "general",
]


def is_single(dtype: npt.DTypeLike) -> bool:
    return np.finfo(dtype).bits == 32


def to_power(a: Array, exponent: int) -> Array:
    """a * 2**exponent."""
    if a.dtype.kind != "c":
        return np.ldexp(a, exponent)
    scaled = np.empty_like(a)
    scaled.real, scaled.imag = np.ldexp(a.real, exponent), np.ldexp(a.imag, exponent)
    return scaled


def coarse(a: Array) -> Array:
    """Multiples of a power of two, of which the smallest numbers of the type can be multiples."""
    unit = 2.0 ** (-16 if is_single(a.dtype) else -46)
    if a.dtype.kind == "c":
        a = np.round(a.real / unit) * unit + 1j * np.round(a.imag / unit) * unit
        return a
    return np.round(a / unit) * unit


def exponents(a: Array) -> tuple[int, int]:
    """Of powers, even as the square roots want it, that bring the elements to the range's ends."""
    largest = max(np.abs(a.real).max(), np.abs(a.imag).max())
    top = 128 if is_single(a.dtype) else 1024
    lowest = -132 if is_single(a.dtype) else -1028
    return lowest, int(top - np.ceil(np.log2(largest))) // 2 * 2 - 2


def pair(kind: str, n: int, dtype: str, order: str = "C") -> tuple[Array, Array]:
    rng = np.random.default_rng(2026)
    a = coarse(random_matrix(kind, n, np.dtype(dtype), order, rng))
    a = np.array(a, dtype=dtype, order="F" if order == "F" else "C")
    return a, coarse(random_rhs((n, 2), np.dtype(dtype), rng)).astype(dtype)


def shifted(count: int, n: int, nrhs: int, dtype: str, *, seed: int) -> tuple[Array, Array]:
    """A stack of A, A + I, A + 2 I and so on, and right-hand sides."""
    rng = np.random.default_rng(seed)
    a = coarse(random_matrix("general", n, np.dtype(dtype), "C", rng)).astype(dtype)
    a = np.stack([a + np.asarray(k, dtype) * np.eye(n, dtype=dtype) for k in range(count)])
    return a, coarse(random_rhs((count, n, nrhs), np.dtype(dtype), rng)).astype(dtype)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 9, 16, 17, 20, 21, 32, 33, 64, 100])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_the_scaled_system(dtype: str, kind: str, n: int) -> None:
    if kind == "hermitian" and np.dtype(dtype).kind != "c":
        return
    for order in "CF":
        a, b = pair(kind, n, dtype, order)
        for exponent in exponents(a):
            tiny_a, tiny_b = to_power(a, exponent), to_power(b, min(exponent, 100))
            back = exponent - min(exponent, 100)
            for columns in (0, slice(None)):
                expected = to_power(solve(a, b[:, columns]), -back)
                assert np.array_equal(solve(tiny_a, tiny_b[:, columns]), expected)
            x, info = solve(tiny_a, tiny_b, return_info=True)
            assert np.array_equal(x, to_power(solve(a, b), -back))
            assert info.backward_error < 20 * n * eps(dtype)
            f = factorize(tiny_a)
            assert np.array_equal(f.solve(tiny_b), to_power(factorize(a).solve(b), -back))
            assert f.slogdet().logabsdet == pytest.approx(
                factorize(a).slogdet().logabsdet + n * exponent * np.log(2), rel=1e-5
            )


@pytest.mark.parametrize("n", [384, 385, 512, 513, 600])
@pytest.mark.parametrize("kind", ["general", "symmetric", "positive definite", "banded"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_bits_of_the_scaled_system_where_lapack_factors(dtype: str, kind: str, n: int) -> None:
    a, b = pair(kind, n, dtype)
    for exponent in exponents(a):
        b_exponent = min(exponent, 100)
        x = solve(to_power(a, exponent), to_power(b, b_exponent))
        assert np.array_equal(x, to_power(solve(a, b), b_exponent - exponent))


@pytest.mark.parametrize("n", [12, 20, 33])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_the_scaled_stack(dtype: str, n: int) -> None:
    rng = np.random.default_rng(5)
    a = np.stack(
        [
            coarse(random_matrix(kind, n, np.dtype(dtype), "C", rng)).astype(dtype)
            for kind in ("general", "positive definite", "upper triangular") * 15
        ]
    )
    b = coarse(random_rhs((45, n, 2), np.dtype(dtype), rng)).astype(dtype)
    expected = solve(a, b)
    for exponent in exponents(a):
        b_exponent = min(exponent, 100)
        some = np.arange(45) % 4 == 1
        scaled_a, scaled_b = a.copy(), b.copy()
        scaled_a[some] = to_power(a[some], exponent)
        scaled_b[some] = to_power(b[some], b_exponent)
        x = solve(scaled_a, scaled_b)
        assert np.array_equal(x[~some], expected[~some])
        assert np.array_equal(x[some], to_power(expected[some], b_exponent - exponent))


@pytest.mark.parametrize("n", range(1, 10))
@pytest.mark.parametrize("dtype", DTYPES)
def test_slices_beyond_the_range_are_solved_as_scaled_ones(dtype: str, n: int) -> None:
    a, b = shifted(37, n, 2, dtype, seed=7)
    expected = solve(a, b)
    for exponent in (*exponents(a), exponents(a)[1] - 30):
        b_exponent = min(exponent, 100)
        some = np.arange(37) % 3 == 1
        scaled_a, scaled_b = a.copy(), b.copy()
        scaled_a[some] = to_power(a[some], exponent)
        scaled_b[some] = to_power(b[some], b_exponent)
        x = solve(scaled_a, scaled_b)
        assert np.array_equal(x[~some], expected[~some])
        for i in np.flatnonzero(some):
            alone = to_power(expected[i], b_exponent - exponent)
            allowed = 4 * n * eps(dtype) * np.linalg.cond(a[i]) * np.abs(alone).max()
            assert np.abs(x[i] - alone).max() <= allowed


@pytest.mark.parametrize("n", range(1, 10))
@pytest.mark.parametrize("dtype", DTYPES)
def test_slices_beyond_the_range_beside_a_singular_one(dtype: str, n: int) -> None:
    # Solutions of scaled copies are written over their right-hand sides.
    a, b = shifted(40, n, 1, dtype, seed=9)
    others = np.arange(40) != 13
    for exponent in (0, *exponents(a)):
        scaled = to_power(a, exponent)
        expected = solve(scaled, b)
        scaled[~others, :, 0] = 0
        x = solve(scaled, b, on_singular="nan")
        assert np.isnan(x[~others]).all()
        assert np.array_equal(x[others], expected[others])


@pytest.mark.parametrize("n", [2, 4, 9, 40])
@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_sums_of_parts_beyond_the_range(dtype: str, stacked: bool, n: int) -> None:
    # Each part is in the range, the sum of both is not.
    rng = np.random.default_rng(8)
    signs = rng.choice([-1.0, 1.0], (2, 3 if stacked else 1, n, n))
    a = (1.5 * (signs[0] + 1j * signs[1]) + 4j * np.eye(n)).astype(dtype)
    a = a if stacked else a[0]
    b = np.ones((n, 2), dtype)
    for exponent in (110, 112) if is_single(a.dtype) else (998, 1000):
        x = solve(to_power(a, exponent), to_power(b, exponent))
        assert np.isfinite(x).all()
        expected = solve(a, b)
        assert np.abs(x - expected).max() <= 100 * n * eps(dtype) * np.abs(expected).max()


@pytest.mark.parametrize("shape", [(5, 2), (40, 7), (130, 100), (6, 9)])
@pytest.mark.parametrize("minimum_norm", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_the_scaled_least_squares_system(
    dtype: str, minimum_norm: bool, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(6)
    a = coarse(rng.standard_normal((20, *shape)).astype(dtype)).astype(dtype)
    b = coarse(rng.standard_normal((20, shape[0], 2)).astype(dtype)).astype(dtype)
    if np.dtype(dtype).kind == "c":
        a = a * np.asarray(1 + 1j, dtype)
    expected = mldivide(a, b, minimum_norm=minimum_norm)
    for exponent in exponents(a):
        x = mldivide(
            to_power(a, exponent), to_power(b, min(exponent, 100)), minimum_norm=minimum_norm
        )
        assert np.array_equal(x, to_power(expected, min(exponent, 100) - exponent))
        one = mldivide(to_power(a[3], exponent), to_power(b[3], min(exponent, 100)))
        assert np.array_equal(one, to_power(mldivide(a[3], b[3]), min(exponent, 100) - exponent))


def test_a_tolerance_is_of_the_matrix_that_is_given() -> None:
    a = np.array([[1.0, 0.0], [0.0, 1e-3], [0.0, 0.0]]) * 1e-300
    with pytest.warns(smartsolve.RankDeficientWarning):
        _, info = mldivide(a, np.ones(3), tol=1e-302, return_info=True)
    assert (info.rank, info.tolerance) == (1, 1e-302)
    assert mldivide(a, np.ones(3), tol=1e-304, return_info=True)[1].rank == 2


@pytest.mark.parametrize("definite", [False, True])
def test_the_bits_of_the_scaled_system_in_mixed_precision(definite: bool) -> None:
    a, b = pair("positive definite" if definite else "general", 600, "float64")
    x, info = solve(a, b[:, 0], precision="mixed", return_info=True)
    assert "refined" in info.method
    for exponent in exponents(a):
        b_exponent = min(exponent, 100)
        tiny = to_power(a, exponent), to_power(b[:, 0], b_exponent)
        y, info = solve(*tiny, precision="mixed", return_info=True)
        assert "refined" in info.method
        assert info.backward_error < 600 * eps(float)
        assert np.array_equal(y, to_power(x, b_exponent - exponent))


def test_a_band_of_single_precision_at_the_bottom() -> None:
    """SciPy and LAPACK give NaN; NumPy, which solves it in double precision, is right."""
    band = sum(v * np.eye(64, k=k) for k, v in zip(range(-2, 3), (1, 3, 2, -1, 1), strict=True))
    a = (band * 1e-39).astype(np.float32)
    b = a @ np.ones(64, np.float32)
    assert np.abs(solve(a, b) - np.linalg.solve(a.astype(float), b.astype(float))).max() < 1e-5


@pytest.mark.parametrize("n", [5, 31, 64, 600])
def test_elements_within_a_fifth_of_the_largest_number(n: int) -> None:
    rng = np.random.default_rng(3)
    a = rng.uniform(0.2, 1, (n, n)) * rng.choice([-1.0, 1.0], (n, n))
    for dtype in DTYPES:
        m = a.astype(dtype)
        top = 2.0 ** (127 if is_single(dtype) else 1023)
        b = m @ np.ones(n, dtype)
        with np.errstate(over="ignore"):
            x = solve(m * m.dtype.type(top), (b * m.dtype.type(top / (4 * n))) * m.dtype.type(1))
        assert np.allclose(x, 1 / (4 * n), rtol=1e5 * eps(dtype))


# --- a right-hand side that is too large ---------------------------------------------------------


def test_a_right_hand_side_near_the_top() -> None:
    """L y = b overflows where x does not."""
    for dtype, top in (("float64", 1.7e308), ("float32", 3.3e38), ("complex128", 1.7e308)):
        a = np.array([[1, 1], [1, -1]], dtype)
        b = np.array([top, -top], dtype)
        assert np.array_equal(solve(a, b), [0, b[0]])
        assert np.array_equal(factorize(a).solve(b), [0, b[0]])
        assert np.array_equal(solve(np.array([a] * 20), b)[7], [0, b[0]])


@pytest.mark.parametrize("n", range(1, 10))
@pytest.mark.parametrize("nrhs", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_unknowns_beside_one_that_overflows(dtype: str, nrhs: int, n: int) -> None:
    a, b = shifted(40, n, nrhs, dtype, seed=2)
    expected = solve(a, b)
    exponent = exponents(a)[0]
    top = 128 if is_single(a.dtype) else 1024
    up = top - int(np.log2(np.median(np.abs(expected))))
    x = solve(to_power(a, exponent), to_power(b, up + exponent))
    with np.errstate(over="ignore"):
        fits = np.isfinite(to_power(expected, up))
    assert 0 < fits.sum() < fits.size
    back = to_power(np.where(fits, x, 0), -up)
    for i in range(40):
        allowed = 8 * n * eps(dtype) * np.linalg.cond(a[i]) * np.abs(expected[i]).max()
        assert np.abs(back[i] - np.where(fits[i], expected[i], 0)).max() <= allowed


# --- complex division ----------------------------------------------------------------------------


def test_complex_quotients_whose_divisor_has_a_sum_that_overflows() -> None:
    for scale in (1e308, 1.7e308):
        with errstate(ill_conditioned="ignore"):
            x = solve(np.diag([scale * (1 + 1j), 1]), np.array([scale, 1]))
            stack = np.array([np.diag([scale * (1 + 1j), 1])] * 20)
            y = solve(stack, np.array([scale, 1]))[13]
        assert np.array_equal(x, [0.5 - 0.5j, 1])
        assert np.array_equal(y, [0.5 - 0.5j, 1])
        for n in (2, 5, 20, 130, 600):
            a = np.diag(np.full(n, scale * (1 + 1j)))
            a[0, -1] = scale * (0.5 - 0.25j)
            x = solve(a, np.r_[np.zeros(n - 1), scale])
            assert x[-1] == 0.5 - 0.5j
            assert x[0] == pytest.approx(-(0.5 - 0.25j) * x[-1] / (1 + 1j))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_quotients_everywhere(dtype: str) -> None:
    """Against longer floating point; Baudin and Smith (2012) collect such divisors."""
    finfo = np.finfo(dtype)
    sizes = [float(finfo.smallest_subnormal) * 8, float(finfo.tiny), 1.0, float(finfo.max) / 2]
    for p in sizes:
        for q in sizes:
            d = np.array([p + 1j * q], dtype)
            x = solve(np.diag(np.r_[d, d]), np.r_[d, d])
            assert np.abs(x - 1).max() <= 4 * eps(dtype)


# --- condition -----------------------------------------------------------------------------------


def said(a: Array, **options: bool) -> bool:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solve(a, np.ones(len(a)), **options)
    return bool(caught)


@pytest.mark.parametrize("scale", [1e308, 1.0, 1e-308])
def test_the_condition_near_the_ends_of_the_range(scale: float) -> None:
    hilbert = scipy.linalg.hilbert(12) * scale
    normal = np.random.default_rng(0).standard_normal((100, 100)) * (scale / 5)
    two = np.array([[1, 0.5], [0.5, 1]]) * scale
    for a, ill, rcond in (
        (hilbert, True, 2.6e-17),
        (normal, False, 1 / np.linalg.cond(normal / scale, 1)),
        (two, False, 1 / 3),
    ):
        assert said(a) == said(a, return_info=True) == ill
        with errstate(ill_conditioned="ignore"):
            _, info = solve(a, np.ones(len(a)), return_info=True)
            assert info.rcond == pytest.approx(rcond, rel=0.4)
            assert factorize(a).rcond == pytest.approx(rcond, rel=0.4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rcond_beside_one_large_element(dtype: str) -> None:
    # |A^-1| is of the size of 1 then, and |A| |A^-1| within the range.
    rng = np.random.default_rng(3)
    for n in (3, 4, 9, 30):
        a = random_matrix("general", n, np.dtype(dtype), "C", rng)
        for large in (1e20, 1e30) if is_single(a.dtype) else (1e100, 1e150, 1e200):
            a[n - 1, 0] = large
            wide = a.astype(np.complex128)
            inverse = np.linalg.inv(wide / np.where(np.arange(n) == n - 1, large, 1)[:, None])
            inverse[:, n - 1] /= large
            exact = 1 / np.abs(wide).sum(0).max() / np.abs(inverse).sum(0).max()
            with errstate(ill_conditioned="ignore"):
                assert exact * 0.99 <= factorize(a).rcond <= exact * 10


def test_rcond_of_complex_matrices_is_of_moduli() -> None:
    a = np.array([[1 + 1j, 0.5], [0.25, 1]])
    for scale in (1.0, 2.0**-1000, 2.0**1000):
        _, info = solve(a * scale, np.ones(2), return_info=True)
        assert info.rcond == pytest.approx(1 / np.linalg.cond(a, 1), rel=1e-12)
    rng = np.random.default_rng(9)
    for n in (2, 3, 5, 8, 20, 40):
        for dtype in ("complex64", "complex128"):
            for kind in ("general", "hermitian", "upper triangular", "tridiagonal"):
                m = random_matrix(kind, n, np.dtype(dtype), "C", rng)
                true = 1 / np.linalg.cond(m.astype(complex), 1)
                rcond = factorize(m).rcond
                assert true * (1 - 1e-4) <= rcond <= 3 * true


def test_rcond_of_complex_diagonals_whose_moduli_overflow() -> None:
    top = float(np.finfo(float).max)
    a = np.diag([top + top * 1j, top / 4 + 0j])
    _, info = solve(a, np.ones(2), return_info=True)
    assert info.rcond == pytest.approx(0.25 / np.sqrt(2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_rcond_is_nan_only_for_a_matrix_that_is_not_finite(dtype: str) -> None:
    rng = np.random.default_rng(10)
    finfo = np.finfo(dtype)
    for n in (1, 2, 5, 20, 100):
        for kind in ("diagonal", "general", "upper triangular", "positive definite", "banded"):
            a = random_matrix(kind, n, np.dtype(dtype), "C", rng)
            a = (a / np.abs(a).max()).astype(dtype)
            for scale in (float(finfo.max) / 2, 1.0, float(finfo.tiny) / 1024):
                m = a * np.dtype(dtype).type(scale)
                with errstate(ill_conditioned="ignore", singular="nan"):
                    _, info = solve(m, np.ones(n, dtype), return_info=True)
                assert not np.isnan(info.rcond)
            m = a.copy()
            m[0, 0] = np.nan
            with errstate(ill_conditioned="ignore", singular="nan"):
                assert np.isnan(solve(m, np.ones(n, dtype), return_info=True)[1].rcond)


def test_a_warning_does_not_depend_on_whether_rcond_is_asked_for() -> None:
    rng = np.random.default_rng(11)
    for dtype in DTYPES:
        for n in (2, 3, 5, 9, 20, 60):
            for _ in range(20):
                u, v = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in "uv")
                s = np.geomspace(1, eps(dtype) * 10 ** rng.uniform(-2, 4), n)
                a = (u * s @ v).astype(dtype)
                try:
                    assert said(a) == said(a, return_info=True)
                except np.linalg.LinAlgError:
                    continue  # singular by rounding


# --- elements that grow --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [300, 600])
def test_a_hessenberg_solution_that_overflows_is_left_to_the_general_method(n: int) -> None:
    """Substitution with the triangle grows beyond single precision; LU by blocks may not."""
    for seed in range(5):
        a = np.triu(np.random.default_rng(seed).standard_normal((n, n)), -1).astype(np.float32)
        b = np.ones(n, np.float32)
        with errstate(ill_conditioned="ignore"):
            x, info = solve(a, b, return_info=True)
            general = solve(a, b, assume_a="general")
        assert np.isfinite(x).all() or info.structure == "general"
        if info.structure == "general":
            assert np.array_equal(x, general, equal_nan=True)
