"""Every native method: backward errors, all that is derived from factors, and how it fails."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from .native import DTYPES, Array, backward_error, banded, definite, draw, native, pattern

# Of the dense methods' error the tests allow as much.
FACTOR = 20


def triangular(n: int, dtype: str, rng: np.random.Generator) -> Array:
    a = np.where(pattern(n, 3 * n, rng), draw((n, n), dtype, rng), 0)
    np.fill_diagonal(a, 2 + rng.random(n))
    return np.tril(a) if rng.random() < 0.5 else np.triu(a)


def permuted_triangular(n: int, dtype: str, rng: np.random.Generator) -> Array:
    return triangular(n, dtype, rng)[rng.permutation(n)][:, rng.permutation(n)]


def dominant(kl: int, ku: int) -> Any:
    def make(n: int, dtype: str, rng: np.random.Generator) -> Array:
        return banded(n, kl, ku, dtype, rng) + 4 * np.eye(n, dtype=dtype)

    return make


def definite_banded(k: int) -> Any:
    def make(n: int, dtype: str, rng: np.random.Generator) -> Array:
        return definite(banded(n, k, k, "d", rng) != 0, dtype, rng)

    return make


def definite_anywhere(n: int, dtype: str, rng: np.random.Generator) -> Array:
    return definite(pattern(n, 2 * n, rng), dtype, rng)


def regular(n: int, dtype: str, rng: np.random.Generator) -> Array:
    """Several blocks, zeros on the diagonal, and rows that have to be exchanged."""
    a = np.where(pattern(n, 2 * n, rng), draw((n, n), dtype, rng), 0)
    a[rng.permutation(n), np.arange(n)] = 3 * draw((n,), dtype, rng) + 2
    return a


# The methods, and what each of them is for.
CASES: dict[str, Any] = {
    "diagonal": dominant(0, 0),
    "triangular": triangular,
    "permuted_triangular": permuted_triangular,
    "tridiagonal": dominant(1, 1),
    "spd_tridiagonal": definite_banded(1),
    "banded": dominant(2, 3),
    "spd_banded": definite_banded(3),
    "cholesky": definite_anywhere,
    "lu": regular,
}


def meant(a: Array, transposed: bool, conjugate: bool) -> Array:
    a = a.T if transposed else a
    return a.conj() if conjugate else a


@pytest.mark.parametrize("method", CASES)
@given(
    n=st.integers(0, 30),
    dtype=st.sampled_from(DTYPES),
    form=st.sampled_from(["csc", "csr"]),
    index=st.sampled_from(["i4", "i8"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_error_and_all_that_factors_tell(
    method: str, n: int, dtype: str, form: str, index: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a = CASES[method](n, dtype, rng)
    f = native(scipy.sparse.csc_array(a).asformat(form), index).factor(method)
    assert f.status == "ok"
    assert f.index == -1
    for transposed, conjugate in itertools.product([False, True], repeat=2):
        for shape in (n,), (n, 1), (n, 7), (n, 0):
            b = draw(shape, dtype, rng)
            x = f.solve(b, transposed=transposed, conjugate=conjugate)
            assert x.shape == b.shape
            assert x.dtype == b.dtype
            assert backward_error(meant(a, transposed, conjugate), x, b) < FACTOR
    wide = a.astype(np.result_type(a, np.float64))
    sign, logdet = np.linalg.slogdet(wide)
    mantissa, exponent = f.determinant()
    assert np.log(np.abs(mantissa)) + exponent * np.log(2) == pytest.approx(logdet, abs=1e-3)
    assert mantissa / np.abs(mantissa) == pytest.approx(sign, abs=1e-3)
    if n > 0:
        rcond = 1 / (np.linalg.norm(wide, 1) * np.linalg.norm(np.linalg.inv(wide), 1))
        assert 0.95 * rcond < f.rcond() < 10 * rcond
        assert not f.passes_screen() or f.rcond() > np.finfo(dtype).eps
    else:
        assert f.rcond() == 1
        assert f.passes_screen()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize(
    ("method", "kl", "ku", "n"),
    [
        *(("tridiagonal", 1, 1, n) for n in (1, 2, 3, 4, 5, 6, 51, 200)),
        *(("banded", kl, ku, n) for kl, ku, n in [(1, 2, 9), (3, 2, 4), (2, 5, 60), (7, 4, 60)]),
        *(("banded", kl, 5, 90) for kl in (31, 32, 33)),  # where LAPACK's gbtrf begins
    ],
)
def test_bands_whose_rows_are_exchanged(
    method: str, kl: int, ku: int, n: int, form: str, dtype: str
) -> None:
    rng = np.random.default_rng(n)
    for zeros in 0, 3:
        a = banded(n, kl, ku, dtype, rng)
        a[np.diag_indices(n)] = 0.1 * draw((n,), dtype, rng)
        # Neither of two neighbours in a row, for a tridiagonal would be singular.
        at = 2 * rng.integers(0, max(1, n // 2 - 1), min(zeros, n // 4))
        a[at, at] = 0
        f = native(scipy.sparse.csc_array(a).asformat(form)).factor(method)
        assert f.status == "ok"
        for transposed, conjugate in itertools.product([False, True], repeat=2):
            b = draw((n, 3), dtype, rng)
            x = f.solve(b, transposed=transposed, conjugate=conjugate)
            assert backward_error(meant(a, transposed, conjugate), x, b) < FACTOR
        if dtype in "dD":
            sign, logdet = np.linalg.slogdet(a)
            mantissa, exponent = f.determinant()
            assert np.log(np.abs(mantissa)) + exponent * np.log(2) == pytest.approx(logdet)
            assert mantissa / np.abs(mantissa) == pytest.approx(sign)


@pytest.mark.parametrize("method", CASES)
@given(
    n=st.integers(2, 40),
    dtype=st.sampled_from(DTYPES),
    form=st.sampled_from(["csc", "csr"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_bad_conditions_do_not_pass_the_screen(
    method: str, n: int, dtype: str, form: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scale = np.ones(n, dtype)
    scale[rng.integers(n)] = np.finfo(dtype).eps
    a = scale[:, None] * CASES[method](n, dtype, rng) * scale
    f = native(scipy.sparse.csc_array(a).asformat(form)).factor(method)
    assert f.status == "ok"
    if not method.startswith(("permuted", "lu")):  # there the scale may make two equal pivots
        assert f.rcond() < np.finfo(dtype).eps
    assert not (f.rcond() < np.finfo(dtype).eps and f.passes_screen())


def test_dominance_is_no_proof_where_it_is_slight() -> None:
    # A chain of springs that is held by next to nothing: of 1-norm 4 and inverse 1e17.
    n = 1000
    a = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n)).tolil()
    a[0, 0] = a[n - 1, n - 1] = 1.0
    a = (a + 1e-17 * scipy.sparse.eye_array(n)).tocsc()
    a[0, 0] = 1.0 + 1e-15
    for form in "csc", "csr":
        assert not native(a.asformat(form)).factor("tridiagonal").passes_screen()


@pytest.mark.parametrize("method", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_right_hand_sides_of_any_layout_type_and_thread(method: str, dtype: str) -> None:
    rng = np.random.default_rng(11)
    n = 40
    a = CASES[method](n, dtype, rng)
    f = native(scipy.sparse.csc_array(a)).factor(method)
    b = draw((n, 70), dtype, rng)
    x = f.solve(b)
    with ThreadPoolExecutor(4) as pool:
        for other in pool.map(lambda workers: f.solve(b, workers=workers), [1, 2, 3, 2]):
            np.testing.assert_array_equal(other, x)
    np.testing.assert_array_equal(f.solve(np.ascontiguousarray(b)), x)
    doubled = np.repeat(np.repeat(b, 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(f.solve(doubled[::2, ::2]), x)
    np.testing.assert_array_equal(f.solve(b[:, ::-1])[:, ::-1], x)
    whole = rng.integers(-5, 5, (n, 2))
    if dtype in "dD":
        assert backward_error(a, f.solve(whole), whole) < FACTOR
    complex_b = draw((n, 3), "FD"[dtype in "dD"], rng)
    assert backward_error(a, f.solve(complex_b), complex_b) < FACTOR
    if dtype in "fd":
        assert backward_error(a.T, f.solve(complex_b, transposed=True), complex_b) < FACTOR
    with pytest.raises(ValueError, match=r"\(39,\)"):
        f.solve(b[:-1, 0])
    with pytest.raises(ValueError, match=r"\(1, 40, 70\)"):
        f.solve(b[None])
    if dtype in "fF":
        with pytest.raises(TypeError, match="float64"):
            f.solve(np.ones(n))


@pytest.mark.parametrize("form", ["csc", "csr"])
@pytest.mark.parametrize(
    ("method", "a", "index", "axis"),
    [
        ("diagonal", np.diag([1.0, 0, 2]), 1, None),
        ("triangular", np.array([[1.0, 0, 0], [1, 0, 0], [1, 1, 1]]), 1, None),
        ("tridiagonal", np.array([[1.0, 2, 0], [2, 4, 0], [0, 0, 1]]), 1, None),
        ("banded", np.array([[1.0, 2, 0], [2, 4, 0], [0, 0, 1]]), 1, None),
    ],
)
def test_where_it_is_singular(method: str, a: Array, index: int, axis: str, form: str) -> None:
    f = native(scipy.sparse.csc_array(a).asformat(form)).factor(method)
    assert f.status == "singular"
    assert f.index == index
    assert axis is None or f.axis == axis
    assert f.rcond() == 0
    assert f.determinant()[0] == 0
    with pytest.raises(ValueError, match="status"):
        f.solve(np.ones(3))


@pytest.mark.parametrize("method", ["spd_tridiagonal", "spd_banded", "cholesky"])
def test_what_is_not_definite_is_handed_on(method: str) -> None:
    a = np.array([[1.0, 2, 0], [2, 1, 1], [0, 1, 9]])
    f = native(scipy.sparse.csc_array(a)).factor(method)
    assert f.status == "not_positive_definite"
    assert f.index == 1


def test_what_is_no_permuted_triangle_is_unsuitable() -> None:
    f = native(scipy.sparse.csc_array(np.ones((2, 2)))).factor("permuted_triangular")
    assert f.status == "unsuitable"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["banded", "spd_banded"])
def test_bands_in_another_order(method: str, dtype: str) -> None:
    rng = np.random.default_rng(7)
    n = 30
    a = CASES[method](n, dtype, rng)
    p = rng.permutation(n)
    f = native(scipy.sparse.csr_array(a[np.ix_(p, p)])).factor(method, ordering=np.argsort(p))
    assert f.entries < 12 * n
    b = draw((n, 3), dtype, rng)
    assert backward_error(a[np.ix_(p, p)], f.solve(b), b) < FACTOR


def test_no_overflow_where_the_solution_is_finite() -> None:
    for a in np.diag([1e-200, 1e200, 1]), np.diag([1e-310, 1.0]):
        for method in "diagonal", "triangular", "permuted_triangular":
            f = native(scipy.sparse.csc_array(a)).factor(method)
            np.testing.assert_array_equal(f.solve(a.diagonal()), np.ones(len(a)))


def test_unknown_names_and_shapes_are_refused() -> None:
    m = native(scipy.sparse.csc_array(np.ones((2, 2))))
    with pytest.raises(ValueError, match="unknown method 'magic'"):
        m.factor("magic")
    with pytest.raises(ValueError, match="unknown ordering 'magic'"):
        m.factor("banded", ordering="magic")
    with pytest.raises(ValueError, match="permutation"):
        m.factor("banded", ordering=[0, 0])
    with pytest.raises(TypeError, match="keyword"):
        m.factor("banded", magic=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="square"):
        native(scipy.sparse.csc_array(np.ones((2, 3)))).factor("banded")
