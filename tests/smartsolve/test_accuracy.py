"""Solutions right to the last bit, and bounds that hold, against rational arithmetic."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import warnings
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import block_diag

import smartsolve
from smartsolve import _core, solve
from smartsolve._accuracy import lifting, residues

from .matrices import DTYPES, KINDS, hilbert, magic4, random_matrix, random_rhs


def exact_solution(a: Any, b: Any) -> list[Fraction]:
    rows = [
        [*map(Fraction, map(float, row)), Fraction(float(t))] for row, t in zip(a, b, strict=True)
    ]
    n = len(rows)
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[p] = rows[p], rows[k]
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [u - factor * v for u, v in zip(rows[i], rows[k], strict=True)]
    x = [Fraction(0)] * n
    for k in reversed(range(n)):
        x[k] = (rows[k][n] - sum(rows[k][j] * x[j] for j in range(k + 1, n))) / rows[k][k]
    return x


def systems(count: int, seed: int) -> Any:
    """Conditions up to 1e17, and scales of 1e-100 to 1e100."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(1, 9))
        u, v = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in "uv")
        s = 10.0 ** (-rng.uniform(0, 17) * np.linspace(0, 1, n))
        yield (u * s @ v) * 10.0 ** rng.uniform(-100, 100), rng.standard_normal(n)


@pytest.mark.parametrize(
    ("name", "a"),
    [
        ("hilbert 12", hilbert(12)),
        ("hilbert 20", hilbert(20)),
        ("vandermonde 12", np.vander(np.linspace(1.0, 2.0, 12))),
        ("vandermonde 16", np.vander(np.arange(1.0, 17.0))),
        ("magic(4) and a little", magic4() + 2.0**-48 * np.eye(4)),
    ],
)
def test_famous_ill_conditioned_systems(name: str, a: Any) -> None:
    b = np.random.default_rng(1).standard_normal(len(a))
    true = [float(t) for t in exact_solution(a, b)]
    assert np.abs(solve(a, b, accuracy="full") - true).max() <= np.spacing(np.abs(true)).max()
    x = solve(np.stack([a] * 9), b, accuracy="full")
    assert np.array_equal(x[5], solve(a, b, accuracy="full"))


def test_full_is_right_to_the_last_bit() -> None:
    for a, b in systems(300, 2):
        true = np.array([float(t) for t in exact_solution(a, b)])
        assert (np.abs(solve(a, b, accuracy="full") - true) <= np.spacing(np.abs(true))).all()


def test_bounds_hold_and_are_narrow() -> None:
    proved = 0
    for a, b in systems(600, 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x, info = solve(a, b, accuracy="certified", return_info=True)
        for value, true, bound in zip(x, exact_solution(a, b), info.error_bound, strict=True):
            if np.isfinite(bound):
                proved += 1
                assert abs(Fraction(float(value)) - true) <= Fraction(float(bound))
                assert bound <= 4 * np.spacing(abs(value)) or np.linalg.cond(a) > 1e8
    assert proved > 1500


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("n", [13, 20, 130, 520])
def test_triangles_bound_what_the_inverse_makes_of_a_residual(n: int, transposed: bool) -> None:
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n)) * 2.0 ** rng.integers(-20, 21, n)
    m = np.ascontiguousarray(a.T) if transposed else a
    r, x = np.abs(rng.standard_normal((2, 3, n)))
    least = (r + (1 / 1024) * x @ np.abs(m).T) @ np.abs(np.linalg.inv(m)).T
    lu, rows, of_transpose = smartsolve.factorize(a)._triangles()
    for triangles in ((), (lu, rows, of_transpose != transposed)):
        bound = _core.bound_by_triangles(m, r, x, 1 / 1024, True, *triangles)
        assert (bound >= (1 - 1e-6) * least).all()


def test_bounds_hold_where_triangles_prove_them() -> None:
    rng = np.random.default_rng(9)
    for n in (13, 14, 17):
        a, b = rng.standard_normal((n, n)), rng.standard_normal(n)
        a *= 2.0 ** rng.integers(-20, 21, (n, 1))
        for transposed in (False, True):
            true = exact_solution(a.T if transposed else a, b)
            f = smartsolve.factorize(a)
            x, info = f.solve(b, transposed=transposed, accuracy="certified", return_info=True)
            for value, t, bound in zip(x, true, info.error_bound, strict=True):
                assert abs(Fraction(float(value)) - t) <= Fraction(float(bound))
                assert bound <= 2 * np.spacing(abs(value))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_structure(kind: str, dtype: str) -> None:
    if kind == "hermitian" and np.dtype(dtype).kind != "c":
        return
    rng = np.random.default_rng(4)
    for n in (2, 6, 20):
        a = random_matrix(kind, n, np.dtype(dtype), "C", rng)
        b = random_rhs((n, 2), np.dtype(dtype), rng)
        wide = np.linalg.solve(a.astype(complex), b.astype(complex))
        for options in ({}, {"transposed": True}):
            m = a.T if options else a
            wide = np.linalg.solve(m.astype(complex), b.astype(complex))
            x = solve(a, b, accuracy="full", **options)
            assert x.dtype == a.dtype
            y, info = solve(a, b, accuracy="certified", return_info=True, **options)
            assert np.array_equal(x, y)
            assert (np.abs(y - wide) <= info.error_bound + 1e-11).all()
            assert (info.error_bound <= 2 * np.finfo(dtype).eps * (np.abs(y) + 1e-6)).all()


def test_stacks_and_shapes() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((5, 4, 3, 3)), rng.standard_normal((4, 3, 2))
    for accuracy in ("full", "certified"):
        x = solve(a, b, accuracy=accuracy)
        assert x.shape == (5, 4, 3, 2)
        assert np.array_equal(x[2, 1], solve(a[2, 1], b[1], accuracy=accuracy))
        assert solve(a[0, 0], b, accuracy=accuracy).shape == (4, 3, 2)
        assert solve(a, b[0, :, 0], accuracy=accuracy).shape == (5, 4, 3)
        assert solve(a, np.zeros((4, 3, 0)), accuracy=accuracy).shape == (5, 4, 3, 0)


def test_integers_that_double_precision_rounds_are_refused() -> None:
    long = np.array([[2**60 + 1]])
    for a, b, name in ((long, np.array([2**60]), "a"), (np.eye(1), long[0], "b")):
        for accuracy in ("full", "certified"):
            with pytest.raises(ValueError, match=rf"^{name} holds integers beyond 2\*\*53"):
                solve(a, b, accuracy=accuracy)
    assert solve(np.array([[2**53]]), np.array([2**53]), accuracy="certified")[0] == 1


@pytest.mark.parametrize("shape", [(3, 3), (20, 20), (5, 3, 3), (4, 20, 20)])
@pytest.mark.parametrize("value", [1.0, np.nan])
def test_operands_are_kept(shape: tuple[int, ...], value: float) -> None:
    rng = np.random.default_rng(11)
    a, b = rng.standard_normal(shape), rng.standard_normal((*shape[:-1], 2))
    a.flat[0] = b.flat[-1] = value
    before = a.copy(), b.copy()
    for accuracy in ("full", "certified"):
        solve(a, b, accuracy=accuracy)
        assert np.array_equal(a, before[0], equal_nan=True)
        assert np.array_equal(b, before[1], equal_nan=True)


@pytest.mark.parametrize("n", [2, 5, 20])
@pytest.mark.parametrize("row", [0, -1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_inverse_that_is_not_finite_proves_nothing(n: int, row: int, value: float) -> None:
    a = np.eye(n)[None]
    inverse, b = a.copy(), np.ones((1, 1, n))
    inverse[0, row, 0] = value
    assert np.isinf(_core.bound_by_inverse(a, inverse, b, 0 * b, b)).all()


def test_what_is_not_proved_is_said() -> None:
    with pytest.warns(smartsolve.IllConditionedWarning, match="no bound"):
        _, info = solve(hilbert(14), np.ones(14), accuracy="certified", return_info=True)
    assert np.isinf(info.error_bound).all()
    with pytest.raises(ValueError, match=r"accuracy is 'most'"):
        solve(np.eye(2), np.ones(2), accuracy="most")
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(np.ones((2, 2)), np.ones(2), accuracy="full")


def test_factorizations_and_mldivide() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((9, 9)) + 1j * rng.standard_normal((9, 9)), rng.standard_normal(9)
    f = smartsolve.factorize(a)
    for accuracy in ("full", "certified"):
        x = solve(a, b, accuracy=accuracy)
        assert np.array_equal(f.solve(b, accuracy=accuracy), x)
        assert np.array_equal(smartsolve.mldivide(a, b, accuracy=accuracy), x)
        y = f.solve(b, accuracy=accuracy, transposed=True, conjugate=True)
        assert np.array_equal(y, solve(a.conj().T.copy(), b, accuracy=accuracy))
    x, info = f.solve(b, accuracy="certified", return_info=True)
    assert (info.error_bound < 1e-14).all()
    with pytest.raises(ValueError, match="square"):
        smartsolve.mldivide(np.ones((3, 2)), np.ones(3), accuracy="full")


@pytest.mark.parametrize("dtype", ["d", "D"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_keeps_no_other_system_from_its_digits(value: float, dtype: str) -> None:
    a = np.stack([hilbert(8)] * 4).reshape(2, 2, 8, 8).astype(dtype)
    b = np.ones((2, 2, 8, 2), dtype)
    a[0, 1, 3, 3] = b[1, 0, 2, 1] = value
    for accuracy in ("full", "certified"):
        alone = solve(a[0, 0], b[0, 0], accuracy=accuracy)
        before = a.copy(), b.copy()
        x, info = solve(a, b, accuracy=accuracy, return_info=True)
        assert np.array_equal(a, before[0], equal_nan=True)
        assert np.array_equal(b, before[1], equal_nan=True)
        assert np.array_equal(x[0, 0], alone)
        assert np.array_equal(x[1, 1], alone)
        assert np.array_equal(x[1, 0, :, 0], alone[:, 0])
        plain = solve(a, b)
        assert np.array_equal(x[0, 1], plain[0, 1], equal_nan=True)
        assert np.array_equal(x[1, 0, :, 1], plain[1, 0, :, 1], equal_nan=True)
        if accuracy == "certified":
            assert np.isnan(info.error_bound[0, 1]).all()
            assert np.isnan(info.error_bound[1, 0, :, 1]).all()
            assert (info.error_bound[1, 0, :, 0] <= 1e-7).all()
    for n in (8, 30):  # one matrix, and its factors
        m = np.random.default_rng(1).standard_normal((n, n)).astype(dtype)
        c = np.ones((n, 3), dtype)
        c[2, 1] = value
        for a_solve in (lambda *v, m=m, **k: solve(m, *v, **k), smartsolve.factorize(m).solve):
            x, info = a_solve(c, accuracy="certified", return_info=True)
            assert np.isnan(info.error_bound[:, 1]).all()
            assert (info.error_bound[:, ::2] < 1e-13).all()


def test_what_is_singular_in_more_digits_does_as_it_is_told() -> None:
    hardest = hilbert(12) @ hilbert(12) @ hilbert(12)
    a = np.stack([hilbert(12), np.ones((12, 12)), hardest])
    b = np.ones(12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", smartsolve.IllConditionedWarning)
        x = solve(a, b, accuracy="full", on_singular="nan")
    assert np.array_equal(x[0], solve(a[0], b, accuracy="full"))
    assert np.isnan(x[1]).all()
    assert np.isfinite(x[2]).all()
    # Plain elimination finds no zero among what rounding has left.
    x, y, z = np.array([993546315, 878837113, 811285220]) * 2.0**-30
    third = np.array([[1, x, z], [y, 1 / 2, 1 / 4], [0, 0, 0]])
    third[2] = 3 / 8 * third[1] + 1 / 4 * third[0]  # exactly
    stack = np.stack([np.eye(3), third])
    with smartsolve.errstate(ill_conditioned="ignore"):
        assert np.isfinite(solve(third, np.ones(3))).all()
    with pytest.raises(
        np.linalg.LinAlgError, match="slice 1 of 2: the determinant of these very numbers"
    ):
        solve(stack, np.ones(3), accuracy="full")
    assert np.isnan(solve(third, np.ones(3), accuracy="full", on_singular="nan")).all()
    with smartsolve.errstate(singular="nan"):
        x = solve(stack, np.ones(3), accuracy="full")
    assert np.array_equal(np.isnan(x).all(axis=-1), [False, True])
    with pytest.warns(smartsolve.SingularMatrixWarning, match="slice 1 of 2"):
        solve(stack, np.ones(3), accuracy="full", on_singular="warn")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("given", ["e", "f", "d"])
def test_bounds_are_of_the_numbers_given_and_of_the_solution_returned(
    given: str, dtype: str
) -> None:
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((5, 5)).astype(given), rng.standard_normal(5).astype(given)
    true = exact_solution(a, b)
    for call in (solve, smartsolve.mldivide):
        x, info = call(a, b, dtype=dtype, accuracy="certified", return_info=True)
        assert x.dtype == dtype
        for value, t, bound in zip(x, true, info.error_bound, strict=True):
            assert abs(Fraction(float(value.real)) - t) <= Fraction(float(bound))
            assert bound <= np.finfo(dtype).eps * abs(float(value.real)) + 1e-9
        x = call(a, b, dtype=dtype, accuracy="full")
        assert np.array_equal(x, np.array([float(t) for t in true]).astype(dtype))


def test_a_singular_system_with_solutions_is_said_to_be_singular() -> None:
    rng = np.random.default_rng(3)
    for n in (5, 20):
        a = rng.integers(-(2**20), 2**20, (n, n)).astype(float)
        a[2] = a[0] * 3 - a[1] * 2
        a = a[rng.permutation(n)].T.copy() if n == 20 else a
        b = a @ rng.integers(-9, 9, n)  # exactly: infinitely many solutions
        with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
            solve(a, b, accuracy="full")


def test_sparse_matrices_refuse_what_dense_ones_have() -> None:
    a, b = sparse.eye_array(5).tocsc(), np.ones(5)
    for options in ({"accuracy": "full"}, {"accuracy": "certified", "return_info": True},
                    {"dtype": "float32"}):  # fmt: skip
        name = next(iter(options))
        expected = pytest.raises(TypeError, match=f"{name} is an option for dense matrices")
        for call in (solve, smartsolve.mldivide, lambda a, b, **o: smartsolve.mrdivide(b, a, **o)):
            with expected:
                call(a, b, **options)
    with pytest.raises(TypeError, match=r"precision is an option for dense .*float32"):
        solve(a, b, precision="mixed")
    with pytest.raises(TypeError, match=r"accuracy is an option for dense .*a\.toarray\(\)"):
        smartsolve.factorize(a).solve(b, accuracy="full")


def test_factors_keep_what_their_right_hand_sides_mean() -> None:
    class Meant(np.ndarray): ...

    f, b = smartsolve.factorize(2 * np.eye(3)), np.ones(3)
    for accuracy in ("full", "certified"):
        for given in (b.view(Meant), sparse.csc_array(b[:, None]), [1, 1, 1]):
            x, _ = f.solve(given, accuracy=accuracy, return_info=True)
            assert type(x) is type(f.solve(given))
            assert np.array_equal(x, f.solve(given))
        with pytest.raises(ValueError, match="masked"):
            f.solve(np.ma.masked_array(b, [0, 1, 0]), accuracy=accuracy)
        assert np.array_equal(smartsolve.mldivide(f, b, accuracy=accuracy), f.solve(b))
        assert np.array_equal(smartsolve.mrdivide(b, f, accuracy=accuracy), f.solve(b))


@pytest.mark.parametrize("make", [np.asarray, sparse.csc_array, sparse.csr_array])
def test_order_zero_has_one_condition(make: Any) -> None:
    a, b = make(np.empty((0, 0))), np.empty((0, 2))
    found = [
        solve(a, b, return_info=True)[1].rcond,
        smartsolve.mldivide(a, b, return_info=True)[1].rcond,
        smartsolve.mldivide(a, b, return_info=True, minimum_norm=True)[1].rcond,
        smartsolve.factorize(a).rcond,
        smartsolve.factorize(a).solve(b, return_info=True)[1].rcond,
    ]
    if make is np.asarray:
        found += [
            solve(a, b, return_info=True, **options)[1].rcond
            for options in ({"accuracy": "full"}, {"accuracy": "certified"}, {"transposed": True},
                            {"precision": "mixed"}, *({"assume_a": kind} for kind in KINDS))
        ]  # fmt: skip
        stack = np.empty((3, 0, 0)), np.empty((3, 0, 2))
        found += [*solve(*stack, return_info=True)[1].rcond, *smartsolve.factorize(stack[0]).rcond]
    assert found == [1.0] * len(found)
    for shape in ((0, 3), (3, 0)):
        info = smartsolve.mldivide(make(np.empty(shape)), np.ones(shape[0]), return_info=True)[1]
        assert info.rcond == 1


def test_a_component_that_rests_while_others_move_is_not_right_yet() -> None:
    """Its corrections are what rounding leaves of theirs."""
    a = np.array([[0.11144315, -0.02213422], [-0.09817912, 0.0]])
    b = np.array([-3.3898838e-107, -2.86801305e-176])
    assert are_right(solve(a, b, accuracy="full"), exact_solution(a, b))
    big = np.eye(16)
    big[:2, :2] = a
    c = np.concatenate([b, np.zeros(14)])
    assert are_right(solve(big, c, accuracy="full"), exact_solution(big, c))


def test_factors_tell_of_their_solution_without_an_accuracy() -> None:
    for a in (np.array([[4.0, 1.0], [2.0, 3.0]]), np.stack([np.eye(2), 3 * np.eye(2)])):
        f, b = smartsolve.factorize(a), np.array([1.0, 2.0])
        x, info = f.solve(b, transposed=True, return_info=True)
        assert np.array_equal(x, f.solve(b, transposed=True))
        assert np.array_equal(info.rcond, f.rcond)
        assert info.error_bound is None
        assert np.array_equal(info.structure, f.structure)


def test_floating_point_errors_are_those_of_no_caller() -> None:
    """Where the plain solve says nothing, neither does what follows it."""
    wide = np.eye(2) * 1e-200, np.array([1e200, 1.0])
    single = np.eye(3, dtype="f") * np.float32(1e-30), np.full(3, 1e30, "f")
    zero = np.eye(2), np.zeros(2)
    random = np.random.default_rng(1).standard_normal((20, 20)), np.zeros(20)
    unknown = np.stack([np.eye(2), np.full((2, 2), np.nan)]), np.ones(2)
    with np.errstate(all="raise"), smartsolve.errstate(ill_conditioned="ignore"):
        for a, b in (wide, single, zero, random, unknown):
            for accuracy in ("full", "certified"):
                x = solve(a, b, accuracy=accuracy)
                assert np.array_equal(np.isfinite(x), np.isfinite(solve(a, b)))
                factored = smartsolve.factorize(a).solve(b, accuracy=accuracy)
                assert np.array_equal(factored, x, equal_nan=True)


def of_condition(n: int, decades: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    u, _, v = np.linalg.svd(rng.standard_normal((n, n)))
    return u * np.logspace(0, -decades, n) @ v


def are_right(x: Any, true: list[Fraction]) -> bool:
    """To one unit in the last place."""
    return all(
        abs(Fraction(float(value)) - t) <= Fraction(float(np.spacing(abs(float(t)))))
        for value, t in zip(x, true, strict=True)
    )


@pytest.mark.parametrize("decades", [2, 6, 10, 12])
def test_refinement_needs_no_longer_factors(decades: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Components of all sizes, zeros among them, real and complex, alone and in a stack."""

    def refused(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(_core, "solve_long", refused)
    for seed in range(4):
        a = of_condition(24, decades, seed)
        rng = np.random.default_rng(seed)
        nearly_zero = a @ np.where(np.arange(24) % 3, 0.0, rng.standard_normal(24))
        for b in (rng.standard_normal(24), nearly_zero, a[:, 5].copy()):
            true = exact_solution(a, b)
            assert are_right(solve(a, b, accuracy="full"), true)
            assert are_right(solve(np.stack([np.eye(24), a]), b, accuracy="full")[1], true)
        c, d = a[:14, :14] + 1j * a[-14:, -14:], b[:14] + 1j * b[-14:]
        parts = np.block([[c.real, -c.imag], [c.imag, c.real]]), np.concatenate([d.real, d.imag])
        x = solve(c, d, accuracy="full")
        assert are_right(np.concatenate([x.real, x.imag]), exact_solution(*parts))


@pytest.mark.parametrize("power", [-1020, 1010])
def test_corrections_of_matrices_at_the_ends_of_the_range(power: int) -> None:
    rng = np.random.default_rng(3)
    a = np.ldexp(np.round(rng.standard_normal((20, 20)) * 256), power - 8)
    b = a @ np.where(np.arange(20) % 3, 0.0, 1.0) if power > 0 else np.ldexp(a[:, 0] + a[:, 1], 9)
    true = exact_solution(a, b)
    assert are_right(solve(a, b, accuracy="full"), true)
    x, info = solve(a, b, accuracy="certified", return_info=True)
    for value, t, bound in zip(x, true, info.error_bound, strict=True):
        assert abs(Fraction(float(value)) - t) <= Fraction(float(bound)) <= 1e-13


def test_a_singular_matrix_whose_plain_solution_solves_is_said_to_be_singular() -> None:
    rng = np.random.default_rng(7)
    for n in (6, 20):
        for _ in range(20):
            a = rng.integers(-9, 9, (n, n)).astype(float)
            a[3] = a[4] + a[5]
            for b in (np.eye(n)[:, 0], np.zeros(n), a[:, 0].copy()):
                with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
                    solve(a, b, accuracy="full")


def test_products_that_underflow_take_more_range() -> None:
    a = np.random.default_rng(5).standard_normal((20, 20))
    a[3] *= 1e-308
    for m in (a, a.T.copy()):
        for b in (np.eye(20)[:, 0], np.eye(20)[:, 3] * 1e-300):
            with np.errstate(over="ignore"):
                true = exact_solution(m, b)
            assert are_right(solve(m, b, accuracy="full"), true)


def rump() -> Any:
    """Rump's matrix of condition 1e65 (SIAM J. Matrix Anal. Appl. 12, 1991) of order 4."""
    return np.array(
        [
            [-5046135670319638, -3871391041510136, -5206336348183639, -6745986988231149],
            [-640032173419322, 8694411469684959, -564323984386760, -2807912511823001],
            [-16935782447203334, -18752427538303772, -8188807358110413, -14820968618548534],
            [-1069537498856711, -14079150289610606, 7074216604373039, 7257960283978710],
        ],
        dtype=float,
    )


def test_condition_numbers_beyond_twice_the_digits() -> None:
    """Rump's matrix has determinant 1: no digits of doubles tell it from singular ones."""
    for b in (np.eye(4)[:, 1], np.ones(4), np.array([1e200, 1.0, 0.0, 1e-300])):
        assert are_right(solve(rump(), b, accuracy="full"), exact_solution(rump(), b))
    x = solve(np.stack([np.eye(4), rump()]), np.ones(4), accuracy="full")
    assert are_right(x[1], exact_solution(rump(), np.ones(4)))
    for make in (np.tril, np.triu):
        a = make(np.random.default_rng(3).standard_normal((40, 40)))
        np.fill_diagonal(a, 1e-6 * np.diagonal(a))
        for m in (a, a[::-1], a[:, ::-1].copy()):
            b = np.arange(40.0)
            assert are_right(solve(m, b, accuracy="full"), exact_solution(m, b))


def test_elimination_modulo_primes_tells_zeros_and_singular_matrices() -> None:
    rng = np.random.default_rng(2)
    for n in (1, 2, 5, 20):
        a = rng.integers(-9, 10, (3, n, n)) * 2.0 ** rng.integers(-1060, 1000, (3, 1, n))
        a[1, -1] = 0 if n == 1 else a[1, :-1].sum(axis=0)
        b = np.stack([a[:, :, 0], np.zeros((3, n))], axis=1)
        every = np.ones(b.shape, bool)
        is_singular, is_zero = residues.verdicts(*map(np.ascontiguousarray, (a, b)), every)
        assert is_singular[1]
        for k in np.flatnonzero(~is_singular):
            assert np.array_equal(is_zero[k], [[i > 0 for i in range(n)], [True] * n])
    for power in (61, 62, 124):  # 2^p - 1 and the like are a trap for some primes
        a = np.array([[[1.0, 1.0], [1.0, 2.0**power]]])
        none = np.zeros((1, 1, 2), bool)
        assert not residues.verdicts(a, np.ones((1, 1, 2)), none)[0]


def of_determinant(p: int) -> Any:
    """A matrix of doubles whose determinant is a prime of 62 binary digits."""
    q, r = divmod(p, 2**31)
    return np.array([[2.0**31, -float(r)], [1.0, float(q)]])


def test_no_matrix_is_made_for_the_primes() -> None:
    """Determinants, and Cramer's numerators, that are multiples of the first that are tried."""
    blocks = [of_determinant(int(p)) for p in residues.primes(2)]
    a = block_diag(*blocks, rump())
    b = np.arange(1.0, 9.0)
    assert are_right(solve(a, b, accuracy="full"), exact_solution(a, b))
    x = solve(np.stack([a, np.eye(8), a[::-1]]), b, accuracy="full")
    assert are_right(x[0], exact_solution(a, b))
    a, b = block_diag(*blocks), block_diag(*blocks)[:, 0].copy()
    a[:, 0] = [3, 1, 4, 1]
    every = np.ones((1, 1, 4), bool)
    is_singular, is_zero = residues.verdicts(a[None], b[None, None], every)
    assert not is_singular.any()
    assert not is_zero.any()


def test_minors_are_within_their_bound() -> None:
    rng = np.random.default_rng(12)
    for n, decades in itertools.product((1, 2, 4, 6), (0, 3, 200)):
        a = rng.integers(-9, 10, (n, n + 2)) * rng.uniform(1, 2, (n, 1))
        a = np.ldexp(a, rng.integers(-decades, decades + 1, (n, 1)))
        a = np.ldexp(a, rng.integers(-decades, decades + 1, n + 2))
        a[0, -1] = 0
        bits = residues._bits_of_minors(a)
        # Integers by powers of two of rows and columns, as small as they can be.
        whole = np.array([[int(Fraction(v) * 2**1500) for v in row] for row in a], object)
        for lines in (whole, whole.T):
            for k, line in enumerate(lines):
                common = math.gcd(*line)
                lines[k] = line // max(common & -common, 1)
        for columns in itertools.combinations(range(n + 2), n):
            assert abs(determinant(whole[:, columns])) < 2.0**bits


def determinant(m: Any) -> int:
    """By elimination without fractions (Bareiss)."""
    rows, last, sign = [[int(v) for v in row] for row in m], 1, 1
    for k in range(len(rows) - 1):
        p = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if p is None:
            return 0
        if p != k:
            rows[k], rows[p], sign = rows[p], rows[k], -sign
        for i in range(k + 1, len(rows)):
            rows[i] = [
                (rows[k][k] * u - rows[i][k] * v) // last
                for u, v in zip(rows[i], rows[k], strict=True)
            ]
        last = rows[k][k]
    return sign * rows[-1][-1]


def test_primes_are_prime() -> None:
    found = [int(p) for p in residues.primes(12)]
    assert len(set(found)) == 12
    for p in found:
        assert 2**61.5 < p < 2**62
        assert mpmath.libmp.isprime(p)
    assert found == [int(p) for p in residues.primes(12)]
    pseudoprimes = 3215031751, 341550071728321, 3825123056546413051  # to 2, 3, 5, 7, ..., 23
    for q in (*range(601, 30_000, 2), *pseudoprimes):
        assert residues._is_prime(q) == mpmath.libmp.isprime(q)
    assert not any(map(residues._is_prime, pseudoprimes))


def test_a_certified_solution_of_a_singular_matrix_does_as_it_is_told() -> None:
    singular, b = np.ones((3, 3)), np.array([1.0, 2.0, 3.0])
    stack = np.stack([np.eye(3), singular])
    for a, place in ((singular, ""), (stack, "slice 1 of 2: ")):
        with pytest.warns(smartsolve.SingularMatrixWarning, match=f"^Singular matrix: {place}a p"):
            x = solve(a, b, accuracy="certified", on_singular="warn")
        assert np.isnan(x.reshape(-1, 3)[-1]).all()
        x, info = solve(a, b, accuracy="certified", on_singular="nan", return_info=True)
        assert np.isinf(info.error_bound.reshape(-1, 3)[-1]).all()
        with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
            solve(a, b, accuracy="certified")
        with smartsolve.errstate(singular="nan"):
            f = smartsolve.factorize(a)
            f.solve(b, accuracy="certified")
        with pytest.warns(smartsolve.SingularMatrixWarning):
            f.solve(b, accuracy="certified")
    a = np.stack([hilbert(14), singular[:1, :1] * np.ones((14, 14))])
    with pytest.warns(smartsolve.IllConditionedWarning, match="no bound") as said:
        solve(a, np.ones(14), accuracy="certified", on_singular="nan")
    assert not any(issubclass(w.category, smartsolve.SingularMatrixWarning) for w in said)


def test_no_condition_is_too_large_at_order_100() -> None:
    """Two bands of ones and 3e7, whose inverses are known; the condition is 1e1480."""
    n, factor = 100, 30_000_000
    lower = np.eye(n) + np.diag(np.full(n - 1, float(factor)), -1)
    a = lower @ lower.T  # integers of determinant 1
    x = np.arange(n) % 5 - 2.0
    for scale in (1.0, 2.0**-1000):
        assert np.array_equal(solve(a, a @ x * scale, accuracy="full"), x * scale)
    powers = [float((-factor) ** k) if k < 42 else (-1.0) ** k * np.inf for k in range(n)]
    assert np.array_equal(solve(a, np.eye(n)[:, -1], accuracy="full"), powers[::-1])
    m = a[:40, :40] * 1j
    assert np.array_equal(solve(m, m @ x[:40], accuracy="full"), x[:40])


def test_lifted_solutions_are_exact() -> None:
    rng = np.random.default_rng(8)
    for n, k in ((1, 1), (2, 3), (7, 2), (20, 1)):
        a = rng.integers(-9, 10, (n, n)).astype(object) + 10 * n * np.eye(n, dtype=int)
        a[0] *= 2**200
        b = rng.integers(-9, 10, (n, k)).astype(object) * 3**100
        x = lifting.Integers(a, b).solution()
        assert x is not None
        assert (a @ x == b).all()
    prime = lifting.PRIMES[0]  # of which the determinant is a multiple
    a = np.array([[1, 1], [1, prime + 1]], object)
    x = lifting.Integers(a, np.array([[1], [2]], object)).solution()
    assert x is not None
    assert x.tolist() == [[1 - Fraction(1, prime)], [Fraction(1, prime)]]
    singular = lifting.Integers(np.array([[1, 1], [1, 1]], object), b[:2])
    assert singular.solution() is None


@pytest.mark.parametrize("n", [40, 300])
@pytest.mark.parametrize("transposed", [False, True])
def test_halves_prove_what_whole_inverses_prove(n: int, transposed: bool) -> None:
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n)) + 20 * np.eye(n)
    lu, rows, of_transpose = smartsolve.factorize(a)._triangles()
    m = np.ascontiguousarray(a.T) if transposed else a
    r = np.full((1, n), 1e-30)
    least = r @ np.abs(np.linalg.inv(m)).T
    given = lu, rows, of_transpose != transposed
    halves = _core.bound_by_triangles(m, r, np.ones((1, n)), 0.0, True, *given)
    whole = _core.bound_by_triangles(m, r, np.zeros((1, n)), 0.0, False, *given)
    assert (halves >= whole * (1 - 1e-9)).all()
    assert (whole >= (1 - 1e-9) * least).all()
    assert (halves <= 2.0**-60).all()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_double_double_can_be_interrupted() -> None:
    """Within a fraction of what its factorization takes."""
    program = """
import signal, sys, threading, time
import numpy as np
from smartsolve import _core
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
a = np.random.default_rng(0).standard_normal((1, 1200, 1200))
def interrupt():
    time.sleep(0.3)
    started.append(time.perf_counter())
    signal.raise_signal(signal.SIGINT)
started = []
threading.Thread(target=interrupt).start()
try:
    _core.solve_long(a, np.ones((1, 1, 1200)))
except KeyboardInterrupt:
    print("interrupted", time.perf_counter() - started[0])
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("interrupted"), done


def test_small_components_that_the_rounding_of_a_residual_swallows() -> None:
    n = 30  # growth of 2^29 by elimination
    a = np.eye(n) - np.tril(np.ones((n, n)), -1)
    a[:, -1] = 1
    rng = np.random.default_rng(11)
    for _ in range(8):
        b = rng.standard_normal(n) * 10.0 ** rng.integers(-30, 1, n)
        assert are_right(solve(a, b, accuracy="full"), exact_solution(a, b))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("n", "decades"), [(40, 12), (130, 11), (300, 9), (300, 11.5), (520, 9), (520, 11), (520, 11.5)]
)
def test_products_prove_what_inverted_triangles_leave_open(
    n: int, decades: float, transposed: bool
) -> None:
    """In slices of all lengths; the bound is one of the sizes of the inverse."""
    a = of_condition(n, decades, 3) * 2.0 ** np.random.default_rng(n).integers(-20, 21, (n, 1))
    m = np.ascontiguousarray(a.T) if transposed else a
    with smartsolve.errstate(ill_conditioned="ignore"):
        lu, rows, of_transpose = smartsolve.factorize(a)._triangles()
    r = np.abs(np.random.default_rng(n).standard_normal((2, n)))
    x = np.zeros((2, n))
    bound = _core.bound_by_triangles(m, r, x, 0.0, False, lu, rows, of_transpose != transposed)
    assert bound is not None
    least = r @ np.abs(np.linalg.inv(m)).T
    assert (bound >= 0.98 * least).all()


@pytest.mark.parametrize("n", [40, 300, 520])
def test_bounds_hold_where_a_product_proves_them(n: int) -> None:
    """Integers times a power of two, whose solution is known."""
    rng = np.random.default_rng(n)
    a = np.round(of_condition(n, 9, n) * 2.0**40)
    true = rng.integers(-8, 9, n).astype(float)
    b = a @ true  # below 2^53, exactly
    assert np.abs(a).sum(axis=1).max() * 8 < 2.0**53
    for m in (a, np.asfortranarray(a)):
        x, info = solve(m, b, accuracy="certified", return_info=True)
        assert (np.abs(x - true) <= info.error_bound).all()
        assert (info.error_bound <= 2.0**-40).all()
