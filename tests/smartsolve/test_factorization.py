"""Factors give what `solve` gives, for every row of the table, and what else they know is right."""

from __future__ import annotations

import copy
import itertools
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import IllConditionedWarning, _core, errstate, factorize, solve

from .accuracy import assert_same_solution, assert_solves, eps
from .matrices import (
    DTYPES,
    KINDS,
    ORDERS,
    dtypes_of,
    hilbert,
    random_matrix,
    random_rhs,
    random_stack,
)

PICKLES = Path(__file__).with_name("pickles")
ROWS = [
    (row, dtype)
    for row in _core.methods()
    for dtype in dtypes_of(row["kind"])
    if row["from"] <= 512
]
every_row_and_dtype = pytest.mark.parametrize(
    ("row", "dtype"), ROWS, ids=[f"{r['kind']}-{r['method']}-{d}" for r, d in ROWS]
)


def matrix_of(row: Any, dtype: np.dtype, order: str, rng: np.random.Generator) -> np.ndarray:
    """A matrix that the scan sees as the row's kind, of the smallest order that it serves."""
    n = max(row["from"], 3)
    while (
        smartsolve.inspect(a := random_matrix(row["kind"], n, dtype, order, rng)).kind
        != (row["kind"])
    ):
        n += 1
    return a


def meant(a: np.ndarray, transposed: bool, conjugate: bool) -> np.ndarray:
    a = a.T if transposed else a
    return a.conj() if conjugate else a


@every_row_and_dtype
def test_factors_solve_as_solve_does(row: Any, dtype: np.dtype) -> None:
    rng = np.random.default_rng(31)
    for order, nrhs in itertools.product(("C", "F"), (None, 1, 5)):
        a = matrix_of(row, dtype, order, rng)
        n = len(a)
        b = random_rhs(n if nrhs is None else (n, nrhs), dtype, rng)
        f = factorize(a)
        x, info = solve(a, b, return_info=True)
        assert (f.structure, f.method) == (info.structure, info.method)
        assert (f.shape, f.dtype) == (a.shape, a.dtype)
        assert_same_solution(a, f.solve(b), x)
        for transposed, conjugate in itertools.product((False, True), repeat=2):
            x = f.solve(b, transposed=transposed, conjugate=conjugate)
            assert_solves(meant(a, transposed, conjugate), x, b)


@every_row_and_dtype
def test_determinant_and_inverse(row: Any, dtype: np.dtype) -> None:
    """|det(A + E) / det A - 1| is n |A^-1| |E| to first order (Jacobi's formula)."""
    rng = np.random.default_rng(32)
    a = matrix_of(row, dtype, "C", rng)
    n = len(a)
    f = factorize(a)
    bound = 8 * n**2 * eps(dtype) * np.linalg.cond(a)
    sign, log = f.slogdet()
    true_sign, true_log = np.linalg.slogdet(a.astype(np.result_type(a, np.float64)))
    assert abs(sign - true_sign) <= bound
    assert abs(log - true_log) <= bound + eps(dtype) * abs(true_log)
    if abs(true_log) < 80:
        assert abs(f.det() / (true_sign * np.exp(true_log)) - 1) <= 2 * bound
    inverse = f.inv()
    assert inverse.dtype == dtype
    assert_same_solution(a, inverse, solve(a, np.eye(n, dtype=dtype)))


@every_row_and_dtype
def test_rcond_is_the_one_that_solve_reports(row: Any, dtype: np.dtype) -> None:
    rng = np.random.default_rng(33)
    a = matrix_of(row, dtype, "C", rng)
    _, info = solve(a, np.ones(len(a), dtype), return_info=True)
    assert factorize(a).rcond == info.rcond


def declared_matrix(kind: str, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    return random_matrix(kind, 30, dtype, "C", rng)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    "kind", ["positive definite", "symmetric", "spd banded", "spd tridiagonal"]
)
def test_a_declared_triangle_stands_for_both(kind: str, lower: bool) -> None:
    rng = np.random.default_rng(34)
    for dtype in DTYPES[:2]:
        a = declared_matrix(kind, np.dtype(dtype), rng)
        half = np.tril(a) if lower else np.triu(a)
        spoiled = half + (np.triu(np.ones_like(a), 1) if lower else np.tril(np.ones_like(a), -1))
        given_ = half if "banded" in kind or "tridiagonal" in kind else spoiled
        b = random_rhs(30, dtype, rng)
        f = factorize(given_, kind, lower=lower)
        assert_solves(a, f.solve(b), b)
        # The determinant by a kernel that reads the same triangle.
        assert np.isclose(f.slogdet().logabsdet, np.linalg.slogdet(a)[1], rtol=1e3 * eps(dtype))


@given(
    kind=st.sampled_from(sorted(KINDS)),
    batch=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    other=st.lists(st.integers(1, 2), max_size=3).map(tuple),
    n=st.integers(1, 12),
    nrhs=st.sampled_from((None, 1, 2)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_stacks_broadcast_as_in_solve(
    kind: str,
    batch: tuple[int, ...],
    other: tuple[int, ...],
    n: int,
    nrhs: int | None,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    dtype = dtypes_of(kind)[-1]
    a = random_stack(kind, int(np.prod(batch)), n, dtype, rng).reshape(*batch, n, n)
    b = random_rhs(n if nrhs is None else (*other, n, nrhs), dtype, rng)
    f = factorize(a)
    try:
        np.broadcast_shapes(batch, b.shape[:-2])
    except ValueError:
        with pytest.raises(ValueError, match="leading axes cannot be broadcast"):
            f.solve(b)
        return
    x, info = solve(a, b, return_info=True)
    assert_same_solution(a, f.solve(b), x)
    assert np.shape(f.structure) == np.shape(f.rcond) == np.shape(f.det()) == batch
    assert (np.broadcast_to(f.method, np.shape(info.method)) == info.method).all()
    assert (np.asarray(f.rcond) > 0).all()


def test_each_slice_has_its_own_structure() -> None:
    rng = np.random.default_rng(35)
    kinds = ["diagonal", "general", "spd tridiagonal", "upper triangular"]
    a = np.stack([random_matrix(kind, 20, np.float64, "C", rng) for kind in kinds])
    f = factorize(a)
    assert f.structure.tolist() == kinds
    alone = [factorize(slice_) for slice_ in a]
    assert f.det().tolist() == [g.det() for g in alone]
    assert f.rcond.tolist() == [g.rcond for g in alone]
    assert (f.inv() == np.stack([g.inv() for g in alone])).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layout(dtype: str, order: str) -> None:
    rng = np.random.default_rng(36)
    for n in (2, 5, 40):
        a = random_matrix("general", n, dtype, order, rng)
        before = a.tobytes()
        f = factorize(a)
        b = random_rhs(n, dtype, rng)
        assert_solves(a, f.solve(b), b)
        assert a.tobytes() == before


def test_the_matrix_is_copied() -> None:
    a = np.diag([2.0, 4.0])
    f = factorize(a)
    a[:] = 0
    assert f.solve(np.ones(2)).tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        ("f4", "f8", "f4"),
        ("f8", "f4", "f8"),
        ("f4", "c16", "c8"),
        ("f8", "c8", "c16"),
        ("c8", "f8", "c8"),
        ("i4", "i8", "f8"),
        ("?", "f4", "f8"),
    ],
)
def test_the_precision_is_that_of_the_factors(a: str, b: str, result: str) -> None:
    f = factorize(np.array([[1, 1], [0, 1]]).astype(a))
    rhs = np.array([[1, 2, 3], [1, 0, 1]]).astype(b)
    if rhs.dtype.kind == "c":
        rhs = rhs + (1j * np.array([[1, 0, 1], [1, 1, 0]])).astype(b)
    for transposed, matrix in ((False, [[1, 1], [0, 1]]), (True, [[1, 0], [1, 1]])):
        x = f.solve(rhs, transposed=transposed)
        assert x.dtype == np.dtype(result)
        assert (np.array(matrix) @ x == rhs).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_shapes(dtype: str) -> None:
    f = factorize(np.empty((0, 0), dtype))
    assert f.solve(np.empty(0, dtype)).shape == (0,)
    assert f.det() == 1
    assert f.slogdet() == (1, 0)
    assert f.rcond == 1
    assert factorize(np.empty((0, 3, 3), dtype)).solve(np.empty((3, 2), dtype)).shape == (0, 3, 2)
    assert factorize(np.empty((4, 0, 0), dtype)).det().tolist() == [1, 1, 1, 1]
    assert factorize(np.eye(3, dtype=dtype)).solve(np.empty((3, 0), dtype)).shape == (3, 0)


# --- facts about determinants --------------------------------------------------------------------


@given(st.permutations(range(7)))
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
def test_the_determinant_of_a_permutation_is_its_sign(order: list[int]) -> None:
    p = np.eye(7)[order]
    sign = round(float(np.linalg.det(p)))
    assert factorize(p).det() == sign
    assert factorize(p, "general").det() == sign


@errstate(ill_conditioned="ignore")
def test_a_determinant_out_of_range() -> None:
    """Exponents add up where products would overflow on the way."""
    f = factorize(np.diag([1e300, 1e300, 1e-300, 1e-300]))
    assert f.det() == pytest.approx(1.0, rel=8 * eps(np.float64))
    assert factorize(np.diag([1e200, 1e200])).det() == np.inf
    assert factorize(np.diag([-1e200, 1e200])).det() == -np.inf
    assert factorize(np.diag([1e-200, 1e-200])).det() == 0.0
    sign, log = factorize(np.diag([-1e200, 1e200])).slogdet()
    assert (sign, log) == (-1, pytest.approx(400 * np.log(10), rel=4 * eps(np.float64)))
    assert factorize(np.diag([5e-324, 4e307])).det() == 5e-324 * 4e307
    assert factorize(np.diag([3e38, 3e38, 1e-38]).astype("f4")).det() == np.inf


def test_the_determinant_of_hilberts_matrix() -> None:
    """Its exact value has a closed form; Cholesky's relative error is about cond * eps at most."""
    n = 6
    with mpmath.workdps(40):
        exact = float(mpmath.det(mpmath.matrix(hilbert(n).tolist())))
    assert factorize(hilbert(n)).det() == pytest.approx(
        exact, rel=n * eps(np.float64) * np.linalg.cond(hilbert(n))
    )


def test_a_matrix_with_nan_has_no_determinant() -> None:
    a = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert np.isnan(factorize(a).det())
    assert np.isnan(factorize(a).slogdet().logabsdet)
    assert np.isnan(factorize(a).solve(np.ones(2))).any()


# --- singular and ill-conditioned ----------------------------------------------------------------


@pytest.mark.parametrize(
    "a",
    [np.ones((3, 3)), np.zeros((2, 4, 4)), np.diag([1.0, 0.0]), np.triu(np.ones((9, 9)), 1)],
    ids=["ones", "stack", "diagonal", "triangular"],
)
def test_singular_matrices_raise_what_solve_raises(a: np.ndarray) -> None:
    with pytest.raises(np.linalg.LinAlgError) as expected:
        solve(a, np.ones(a.shape[-1]))
    with pytest.raises(np.linalg.LinAlgError) as raised:
        factorize(a)
    assert str(raised.value) == str(expected.value)


def test_singular_slices_are_kept_on_request() -> None:
    a = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])
    with errstate(singular="nan"):
        f = factorize(a)
    x = f.solve(np.ones(2))
    assert np.isnan(x[1]).all()
    assert x[[0, 2]].tolist() == [[1, 1], [0.5, 0.5]]
    assert f.det().tolist() == [1, 0, 4]
    assert f.rcond.tolist() == [1, 0, 1]
    assert f.slogdet().sign.tolist() == [1, 0, 1]
    assert f.slogdet().logabsdet == pytest.approx([0, -np.inf, np.log(4)], rel=4 * eps(np.float64))
    g = pickle.loads(pickle.dumps(f))
    assert np.isnan(g.solve(np.ones(2))[1]).all()


def test_an_ill_conditioned_matrix_warns_once() -> None:
    with pytest.warns(IllConditionedWarning, match="rcond") as caught:
        f = factorize(hilbert(13))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    f.solve(np.ones(13))  # every warning is an error here
    pickle.loads(pickle.dumps(f))
    with errstate(ill_conditioned="ignore"):
        factorize(hilbert(13))
    with errstate(ill_conditioned="raise"), pytest.raises(np.linalg.LinAlgError, match="rcond"):
        factorize(hilbert(13))


# --- arguments -----------------------------------------------------------------------------------


def test_clear_errors() -> None:
    f = factorize(np.eye(3))
    with pytest.raises(np.linalg.LinAlgError, match=r"a has shape \(2, 3\); expected .* square"):
        factorize(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"structure is 'round'; expected None or one of"):
        factorize(np.eye(2), "round")
    with pytest.raises(TypeError, match="a has dtype float16"):
        factorize(np.eye(2, dtype="f2"))
    with pytest.raises(ValueError, match=r"b has shape \(4,\); its only axis must be 3"):
        f.solve(np.ones(4))
    with pytest.raises(ValueError, match=r"b has shape \(\)"):
        f.solve(1.0)
    with pytest.raises(TypeError, match="b has dtype object"):
        f.solve(np.array([1, None, 2]))
    with pytest.raises(TypeError, match="keyword-only"):
        f.solve(np.ones(3), True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'trans'"):
        f.solve(np.ones(3), trans=1)
    with pytest.raises(TypeError, match="multiple values"):
        f.solve(np.ones(3), b=np.ones(3))
    with pytest.raises(TypeError, match="missing required argument"):
        f.solve()
    assert f.solve(b=[1, 2, 3]).tolist() == [1, 2, 3]


@pytest.mark.parametrize("batch", [(2, 2), (3, 2), (2, 3), (2, 3, 2), (3, 1), (1, 3), (3,)])
@pytest.mark.parametrize(
    "rhs",
    [(), (1,), (2,), (3,), (2, 1), (3, 1), (1, 2), (1, 3), (2, 2), (2, 3), (2, 3, 2), (2, 1, 1)],
)
def test_right_hand_sides_meet_their_own_slices(
    batch: tuple[int, ...], rhs: tuple[int, ...]
) -> None:
    """Of a (2, 2) stack, b of shape (2, n, k) met the factors of other slices."""
    rng = np.random.default_rng(3)
    a = rng.standard_normal((*batch, 3, 3)) + 4 * np.eye(3)
    try:
        np.broadcast_shapes(batch, rhs)
    except ValueError:
        return
    for b in (rng.standard_normal((*rhs, 3, 2)), 1j + rng.standard_normal((*rhs, 3, 2))):
        for matrices in (a, np.asfortranarray(a), a[..., ::-1, :]):
            expected = np.linalg.solve(matrices, b)
            np.testing.assert_allclose(factorize(matrices).solve(b), expected, atol=1e-13)


def test_subclasses_come_back() -> None:
    class Tagged(np.ndarray):
        pass

    b = np.ones(2).view(Tagged)
    assert type(factorize(np.eye(2)).solve(b)) is Tagged


def test_solve_takes_a_factorization() -> None:
    rng = np.random.default_rng(37)
    a = random_matrix("general", 6, np.complex128, "C", rng)
    b = random_rhs((6, 2), np.complex128, rng)
    f = factorize(a)
    assert (solve(f, b) == f.solve(b)).all()
    assert (solve(f, b, transposed=True) == f.solve(b, transposed=True)).all()
    with pytest.raises(TypeError, match="assume_a"):
        solve(f, b, assume_a="sym")
    with pytest.raises(ValueError, match="b must not contain infs or NaNs"):
        solve(f, np.full(6, np.nan), check_finite=True)


# --- threads, copies, pickles, operators ---------------------------------------------------------


@pytest.mark.parametrize("n", [4, 40, 150])
def test_many_threads_solve_with_the_same_factors(n: int) -> None:
    rng = np.random.default_rng(38)
    kinds = ["permuted triangular", "general", "positive definite", "upper hessenberg", "banded"]
    factors = [factorize(random_matrix(kind, n, np.float64, "C", rng)) for kind in kinds]
    b = random_rhs((n, 3), np.float64, rng)
    expected = [f.solve(b) for f in factors]
    with ThreadPoolExecutor(8) as pool:
        jobs = [(i, pool.submit(factors[i].solve, b)) for i in range(len(kinds)) for _ in range(40)]
        for i, job in jobs:
            assert (job.result() == expected[i]).all()


def test_copies_are_the_same_object() -> None:
    f = factorize(np.eye(2))
    assert copy.copy(f) is f
    assert copy.deepcopy(f) is f


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    rng = np.random.default_rng(39)
    a = random_stack("symmetric", 3, 9, np.complex64, rng)
    f = factorize(np.swapaxes(a, -1, -2), "symmetric", lower=True)
    g = pickle.loads(pickle.dumps(f, protocol))
    b = random_rhs(9, np.complex64, rng)
    assert (g.solve(b) == f.solve(b)).all()
    assert (g.structure == f.structure).all()
    assert repr(g) == repr(f)


def test_a_pickle_of_another_format_is_refused() -> None:
    restore, (version, *rest) = factorize(np.eye(2)).__reduce__()
    with pytest.raises(ValueError, match=f"format {version + 1}.*reads formats 1 and {version}"):
        restore(version + 1, *rest)


@pytest.mark.parametrize("path", sorted(PICKLES.glob("*.pickle")), ids=lambda path: path.stem)
def test_pickles_of_older_versions(path: Path) -> None:
    """Each file holds a factorization, a right-hand side and the solution when it was written."""
    f, b, x = pickle.loads(path.read_bytes())
    assert_same_solution(f._matrix, f.solve(b), x)


def test_there_is_a_pickle_of_each_format() -> None:
    assert sorted(path.stem for path in PICKLES.glob("*.pickle")) == ["format-1", "format-2"]


def test_linear_operator() -> None:
    rng = np.random.default_rng(40)
    a = random_matrix("general", 12, np.complex128, "C", rng)
    b = random_rhs((12, 2), np.complex128, rng)
    operator = factorize(a).as_linear_operator()
    assert_solves(a, operator @ b, b)
    assert_solves(a.conj().T, operator.adjoint() @ b, b)
    assert operator.shape == (12, 12)
    assert operator.dtype == np.complex128
    with pytest.raises(ValueError, match=r"a stack of shape \(2, 3, 3\)"):
        factorize(np.stack([np.eye(3)] * 2)).as_linear_operator()


def test_linear_operator_preconditions() -> None:
    """Preconditioned with the inverse itself, conjugate gradients need a single step."""
    rng = np.random.default_rng(41)
    a = random_matrix("positive definite", 50, np.float64, "C", rng)
    b = random_rhs(50, np.float64, rng)
    steps: list[Any] = []
    x, info = scipy.sparse.linalg.cg(
        a, b, rtol=1e-10, M=factorize(a).as_linear_operator(), callback=steps.append
    )
    assert info == 0
    assert len(steps) <= 2
    assert np.linalg.norm(b - a @ x) <= 1e-10 * np.linalg.norm(b)


def test_import_and_solve_without_scipy() -> None:
    """A small factorization needs no SciPy, whose import takes longer than NumPy's."""
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, smartsolve\n"
        "smartsolve.factorize(np.eye(3) + np.ones((3, 3))).solve(np.ones(3))\n"
        "assert not any(name.startswith('scipy') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_warnings_are_not_repeated() -> None:
    f = factorize(np.eye(2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        f.solve(np.array([np.inf, np.nan]))
    assert not caught
