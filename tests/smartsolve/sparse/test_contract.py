"""What `solve` promises for sparse matrices: shapes, dtypes, formats, and the caller's buffers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from scipy import sparse

import smartsolve
from smartsolve import errstate, factorize, mldivide, mrdivide, solve

from ..accuracy import assert_solves, eps
from .generators import FORMATS, STRUCTURES, grid, untidy

DTYPES = ("float32", "float64", "complex64", "complex128")
SIZES = (3, 400)  # of the dense product, and beyond it


def of_order(n: int, structure: str = "general", dtype: str = "float64") -> sparse.csc_array:
    return STRUCTURES[structure](n, np.dtype(dtype), np.random.default_rng([n, 5]))


def contents(a: Any) -> list[bytes]:
    """All that a matrix stores."""
    if a.format == "lil":
        return [bytes(repr(a.rows.tolist()), "ascii"), bytes(repr(a.data.tolist()), "ascii")]
    if a.format == "dok":
        return [bytes(repr(sorted(a.items())), "ascii")]
    names = {"coo": ("row", "col", "data"), "dia": ("offsets", "data")}
    stored = names.get(a.format, ("indptr", "indices", "data"))
    return [getattr(a, name).tobytes() for name in stored]


# --- the published values ------------------------------------------------------------------------


@pytest.mark.parametrize("of_array", [True, False])
def test_duplicates_are_summed_and_nothing_is_changed(of_array: bool) -> None:
    """SPARSE's example: duplicates, unsorted, in buffers that cannot be written."""
    data = np.array([2.0, 2, 1, 1, 3, 1, 1, 2])
    indices = np.array([0, 0, 1, 0, 1, 2, 1, 2])
    indptr = np.array([0, 3, 6, 8])
    for writeable in (True, False):
        for array in (data, indices, indptr):
            array.flags.writeable = writeable
        kind = sparse.csc_array if of_array else sparse.csc_matrix
        a = kind((data, indices, indptr), shape=(3, 3))
        before = contents(a)
        x = solve(a, np.array([1.0, 2, 3]))
        assert np.allclose(x, [2 / 9, 1 / 9, 13 / 9], rtol=0, atol=4 * eps(x.dtype))
        assert a.nnz == 8
        assert contents(a) == before


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_gives_the_same_and_keeps_its_matrix(
    fmt: str, index: type, kind: str, n: int
) -> None:
    a, b = of_order(n), np.arange(1.0, n + 1)
    expected = solve(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)  # of the making
        given: Any = getattr(sparse, f"{fmt}_{kind}")(a)
    for name in ("indices", "indptr", "row", "col", "offsets"):
        if fmt not in ("lil", "dok") and hasattr(given, name) and name not in ("row", "col"):
            setattr(given, name, getattr(given, name).astype(index))
    before = contents(given)
    x = solve(given, b)
    assert type(x) is np.ndarray
    assert np.abs(x - expected).max() <= 100 * eps(x.dtype) * np.abs(expected).max()
    assert contents(given) == before
    assert type(given).__name__ == f"{fmt}_{kind}"


@pytest.mark.parametrize("n", SIZES)
def test_x_has_the_shape_of_b(n: int) -> None:
    a = of_order(n)
    for shape in [(n,), (n, 1), (n, 2), (n, 0), (2, n, 3), (0, n, 1)]:
        b = np.ones(shape)
        for x in (solve(a, b), mldivide(a, b), factorize(a).solve(b)):
            assert x.shape == shape
            if x.size:
                assert_solves(a.toarray(), x, b)
    for shape in [(n, 1), (n, 3), (n, 0)]:
        b = sparse.csr_array(np.ones(shape))
        for x in (solve(a, b), mldivide(a, b), factorize(a).solve(b)):
            assert type(x) is np.ndarray
            assert x.shape == shape
    assert solve(a, sparse.coo_array(np.ones(n))).shape == (n,)


def test_empty() -> None:
    a = sparse.csc_array((0, 0))
    assert solve(a, np.zeros(0)).shape == (0,)
    assert solve(a, np.zeros((0, 4))).shape == (0, 4)
    assert factorize(a).solve(np.zeros(0)).shape == (0,)
    assert factorize(a).det() == 1


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("b_type", [*DTYPES, "int64", "bool"])
@pytest.mark.parametrize("a_type", [*DTYPES, "int64", "bool"])
def test_the_type_is_numpys_promotion(a_type: str, b_type: str, n: int) -> None:
    with np.errstate(all="ignore"):
        a = of_order(n, dtype="complex128" if "complex" in a_type else "float64") * 8
    if a_type == "bool":
        a = sparse.eye_array(n, format="csc", dtype=bool)
    a = a.astype(a_type)
    b = np.ones(n, b_type)
    expected = np.result_type(*(np.float64 if t.kind in "bi" else t for t in (a.dtype, b.dtype)))
    x = solve(a, b)
    assert x.dtype == expected
    dense = a.toarray().astype(np.result_type(a.dtype, np.float32))
    assert_solves(dense, x, b.astype(expected))


def test_a_sparse_x_on_request() -> None:
    a = of_order(400)
    b = sparse.eye_array(400, format="csr")[:, :7]
    x = solve(a, b, sparse_x=True)
    assert isinstance(x, sparse.csc_array)
    assert abs(a @ x - b).max() < 1e-13
    assert isinstance(solve(a, sparse.csr_matrix(b), sparse_x=True), sparse.csc_matrix)
    dense = solve(a, b)
    assert np.array_equal(dense, x.toarray())
    vector = solve(a, np.ones(400), sparse_x=True)
    assert sparse.issparse(vector)
    assert vector.shape == (400,)
    with pytest.raises(ValueError, match="at most two axes"):
        solve(a, np.ones((2, 400, 3)), sparse_x=True)


def test_a_dense_matrix_takes_a_sparse_right_hand_side() -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    b = sparse.csc_array(np.array([[3.0], [4.0]]))
    for x in (solve(a, b), mldivide(a, b), factorize(a).solve(b)):
        assert np.allclose(x, [[1.0], [1.0]])
    assert np.allclose(mrdivide(b.T, a), [[1.0, 1.0]])


def test_subclasses_of_b_decide_about_the_result() -> None:
    class Named(np.ndarray):
        pass

    for b in (np.ones(400), np.ones((400, 1))):
        assert type(solve(of_order(400), b.view(Named))) is Named


# --- values --------------------------------------------------------------------------------------


def test_explicit_zeros_are_zeros() -> None:
    a = sparse.csc_array(([1.0, 0.0, 2.0], [0, 1, 1], [0, 2, 3]), shape=(2, 2))
    assert smartsolve.inspect(a).kind == "diagonal"
    assert smartsolve.inspect(a).nnz == 2
    zero = sparse.csc_array(([1.0, 0.0], [0, 1], [0, 1, 2]), shape=(2, 2))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        solve(zero, [1.0, 1.0])


def test_the_ends_of_the_range() -> None:
    with errstate(ill_conditioned="ignore"):
        for values in ([1e-200, 1e200, 1], [1e-310, 1]):
            a = sparse.diags_array(values)
            assert np.array_equal(solve(a, np.array(values)), np.ones(len(values)))
            many = np.tile(values, 200)
            assert np.array_equal(solve(sparse.diags_array(many), many), np.ones(len(many)))
    a = sparse.csr_array([[1e-20, 1.0], [1.0, 1.0]])
    assert np.allclose(solve(a, [1.0, 2.0]), [1.0, 1.0], rtol=1e-15)
    assert np.allclose(solve(sparse.csc_array([[1.0, 2], [3, 4]]), [3.0, 7.0]), [1, 1])


def test_a_permutation_is_a_permuted_triangle() -> None:
    a = sparse.csc_array([[0.0, 1.0], [1.0, 0.0]])
    assert smartsolve.inspect(a).kind == "permuted triangular"
    assert np.array_equal(solve(a, [1.0, 2.0]), [2.0, 1.0])


@pytest.mark.parametrize("sparse_b", [True, False])
def test_singular_says_so_in_one_way(sparse_b: bool) -> None:
    a = sparse.csc_array([[1.0, 2.0], [2.0, 4.0]])
    b: Any = sparse.csc_array(np.ones((2, 1))) if sparse_b else np.ones(2)
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        solve(a, b)
    with pytest.raises(np.linalg.LinAlgError, match=r"^Singular matrix"):
        factorize(a)
    with pytest.warns(smartsolve.SingularMatrixWarning):
        x = mldivide(a, b)
    assert not np.isfinite(x).any()


def singular_matrices() -> dict[str, tuple[sparse.csc_array, str]]:
    n = 400
    a = of_order(n)
    columns = sparse.diags_array(np.r_[np.ones(7), 0, np.ones(n - 8)])
    twice = a.tolil()
    twice[:, 9] = 0
    twice[3, 9] = 1.0
    twice[:, 11] = 0
    twice[3, 11] = 2.0
    ones = sparse.block_diag([a, np.ones((2, 2))], format="csc")
    return {
        "an empty column": ((a @ columns).tocsc(), "column 7 "),
        "an empty row": ((columns @ a).tocsc(), "row 7 "),
        "a diagonal with a zero": (columns.tocsc(), "(row|column) 7 "),
        "two columns of one entry": (twice.tocsc(), ""),
        "two equal rows": (ones, ""),
        "nothing": (sparse.csc_array((n, n)), "(row|column) 0 "),
        "a triangle": (sparse.csc_array(sparse.tril(a, -1)), "row 0 "),
    }


@pytest.mark.parametrize("case", singular_matrices())
def test_a_large_singular_matrix(case: str) -> None:
    a, where = singular_matrices()[case]
    n = a.shape[0]
    b = np.ones(n)
    for call in (lambda: solve(a, b), lambda: factorize(a), lambda: solve(a.tocsr(), b)):
        with pytest.raises(np.linalg.LinAlgError, match=f"^Singular matrix: .*{where}"):
            call()
    assert np.isnan(solve(a, b, on_singular="nan")).all()
    with pytest.warns(smartsolve.SingularMatrixWarning, match="Singular matrix"):
        assert np.isnan(solve(a, b, on_singular="warn")).all()
    with pytest.warns(smartsolve.SingularMatrixWarning, match="Singular matrix") as caught:
        assert not np.isfinite(mldivide(a, b)).all()
    assert caught[0].filename == __file__
    with errstate(singular="nan"):
        f = factorize(a)
        assert np.isnan(f.solve(b)).all()
        assert f.rcond == 0
        assert f.slogdet() == (0, -np.inf)
        assert f.det() == 0


def hilbert(n: int) -> sparse.csc_array:
    return sparse.csc_array(scipy.linalg.hilbert(n))


@pytest.mark.parametrize("call", [solve, mldivide, lambda a, b: factorize(a)])
def test_ill_conditioned_is_said(call: Any) -> None:
    for a in (hilbert(12), sparse.block_diag([of_order(400), hilbert(12)], format="csc")):
        with pytest.warns(smartsolve.IllConditionedWarning, match="rcond = ") as caught:
            call(a, np.ones(a.shape[0]))
        assert len(caught) == 1
        assert caught[0].filename == __file__
        with errstate(ill_conditioned="raise"), pytest.raises(np.linalg.LinAlgError):
            call(a, np.ones(a.shape[0]))
        with errstate(ill_conditioned="ignore"):
            call(a, np.ones(a.shape[0]))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_condition_is_near_the_true_one(structure: str) -> None:
    a = of_order(500, structure)
    _, info = solve(a, np.ones(a.shape[0]), return_info=True)
    true = 1 / np.linalg.cond(a.toarray(), 2 if structure == "diagonal" else 1)
    assert true * (1 - 1e-10) <= info.rcond <= 10 * true
    assert factorize(a).rcond == pytest.approx(info.rcond)
    assert info.backward_error < 100 * eps("float64")


def test_nan_and_inf_are_never_lost() -> None:
    for n in SIZES:
        for value in (np.nan, np.inf):
            a = of_order(n).tolil()
            a[1, 2] = value
            b = np.ones(n)
            for x in (solve(a, b), mldivide(a.tocsr(), b), factorize(a.tocsc()).solve(b)):
                assert not np.isfinite(x).all()
            _, info = solve(a, b, return_info=True)
            assert np.isnan(info.rcond)
            with pytest.raises(ValueError, match=rf"a must .* a of shape \({n}, {n}\) has 1"):
                solve(a, b, check_finite=True)
        b = np.ones((n, 2))
        b[0, 1] = np.nan
        x = solve(of_order(n), b)
        assert np.isfinite(x[:, 0]).all()
        assert np.isnan(x[:, 1]).any()
        with pytest.raises(ValueError, match="b must not contain infs or NaNs"):
            solve(of_order(n), b, check_finite=True)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("structure", [None, "general", "sparse"])
def test_an_empty_line_is_singular_whatever_stands_elsewhere(structure: str | None, n: int) -> None:
    for diagonal in (False, True):
        a = (sparse.eye_array(n) if diagonal else of_order(n)).tolil()
        a[1] = 0
        a[2, 2] = np.nan
        for matrix in (a.tocsr(), a.tocsc()):
            with pytest.raises(np.linalg.LinAlgError, match="row 1"):
                solve(matrix, np.ones(n), assume_a=structure, return_info=True)
            with pytest.raises(np.linalg.LinAlgError, match="row 1"):
                factorize(matrix, structure=structure)


def test_complex_symmetric_and_hermitian_are_kept_apart() -> None:
    for structure in ("symmetric", "hermitian", "positive definite"):
        a = of_order(400, structure, "complex128")
        b = np.ones(a.shape[0], complex)
        assert_solves(a.toarray(), solve(a, b), b)
    symmetric = of_order(400, "symmetric", "complex128")
    symmetric.setdiag(10.0)
    assert smartsolve.inspect(symmetric).kind == "symmetric"
    _, info = solve(symmetric, np.ones(400), return_info=True)
    assert "Cholesky" not in info.method


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed(dtype: str, n: int) -> None:
    for structure in STRUCTURES:
        a = of_order(n, structure, dtype)
        for given in (a, a.tocsr()):
            b = np.ones((a.shape[0], 2), dtype)
            x = solve(given, b, transposed=True)
            assert_solves(a.toarray().T, x, b)


def test_a_declared_structure_is_taken_for_granted_or_refused() -> None:
    n, b = 400, np.ones(400)
    a = of_order(n, "positive definite")
    b = np.ones(a.shape[0])
    expected = solve(a, b)
    for half, lower in ((sparse.triu(a), False), (sparse.tril(a), True)):
        for declared in ("positive definite", "pos", "symmetric", "her"):
            x = solve(half, b, assume_a=declared, lower=lower)
            assert np.allclose(x, expected, rtol=1e-12)
    for declared in ("gen", "general", "sparse", "banded"):
        assert np.allclose(solve(a, b, assume_a=declared), expected, rtol=1e-12)
    with pytest.raises(ValueError, match=r"declared diagonal, but a\[\d+, \d+\] = -1 is not zero"):
        solve(a, b, assume_a="diagonal")
    with pytest.raises(ValueError, match="declared lower triangular"):
        factorize(a, "lower triangular")
    with pytest.raises(ValueError, match="'circulant'; for a sparse matrix expected None or one"):
        solve(a, b, assume_a="circulant")
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        solve(-a, b, assume_a="positive definite")


def test_permissions_change_no_bit() -> None:
    a, b = of_order(400), np.ones((400, 3))
    expected = solve(a, b)
    for options in ({"overwrite_a": True}, {"workers": 2}, {"workers": -1}):
        assert np.array_equal(solve(a, b, **options), expected)
    assert np.array_equal(solve(a, b, return_info=True)[0], expected)
    kept = np.asfortranarray(b)
    assert solve(a, kept, overwrite_b=True) is kept
    assert np.array_equal(kept, expected)
    assert solve(a, b.copy(), overwrite_b=True) is not b


def test_what_is_refused() -> None:
    a = of_order(400)
    for call in (solve, lambda a, b: factorize(a)):
        with pytest.raises(np.linalg.LinAlgError, match=r"\(3, 2\); expected \(n, n\)"):
            call(sparse.csc_array((3, 2)), np.ones(3))
        with pytest.raises(TypeError, match=r"a has dtype .*128"):
            call(a.astype(np.longdouble), np.ones(400))
        with pytest.raises(np.linalg.LinAlgError, match="two axes"):
            call(sparse.coo_array(np.ones(3)), np.ones(3))
    for b in (np.ones(3), np.ones((3, 400)), sparse.csc_array((3, 400)), np.float64(1.0)):
        with pytest.raises(ValueError, match=r"b has shape .*(at least one axis|\(400, 400\))"):
            solve(a, b)
        with pytest.raises(ValueError, match=r"b has shape"):
            factorize(a).solve(b)
    with pytest.raises(TypeError, match="b has dtype"):
        solve(a, np.full(400, "1"))
    with pytest.raises(TypeError, match="unexpected keyword"):
        solve(a, np.ones(400), permc_spec="COLAMD")
    for option in ({"engine": "klu"}, {"sparse_x": True}):
        for call in (solve, mldivide, lambda a, b, **o: mrdivide(b, a, **o)):
            with pytest.raises(TypeError, match=f"{next(iter(option))} is an option for sparse"):
                call(np.eye(2), np.ones(2), **option)


def test_a_broken_matrix_is_refused_before_it_is_read() -> None:
    for kind in (sparse.csc_array, sparse.csr_array):
        a = kind(([1.0, 1.0, 1.0], [0, 1, 2], [0, 1, 2, 3]), shape=(3, 3))
        a.indices[1] = 7
        with pytest.raises(ValueError, match=r"index|indices"):
            solve(a, np.ones(3))
        a.indices[1] = -1
        with pytest.raises(ValueError, match=r"index|indices"):
            solve(a, np.ones(3))


def test_untidy_matrices_are_solved_as_tidy_ones() -> None:
    rng = np.random.default_rng(8)
    for structure, make in STRUCTURES.items():
        a = make(420, np.dtype("float64"), rng)
        b = np.arange(1.0, a.shape[0] + 1)
        given = untidy(a, rng)
        before = contents(given)
        (x, info), (y, same) = (solve(m, b, return_info=True) for m in (given, a))
        assert info.structure == same.structure, structure
        assert np.array_equal(x, y)
        assert contents(given) == before


def test_the_grid_that_everybody_solves() -> None:
    """The discrete solution of -u'' - v'' = 2 (x (1 - x) + y (1 - y)), which is exact."""
    k = 30
    t = np.arange(1, k + 1) / (k + 1)
    x, y = np.meshgrid(t, t)
    u = x * (1 - x) * y * (1 - y)
    f = 2 * (x * (1 - x) + y * (1 - y)) / (k + 1) ** 2
    assert np.allclose(solve(grid(2, k), f.ravel()), u.ravel(), rtol=1e-11)


@pytest.mark.parametrize("place", [-1, 4])
@pytest.mark.parametrize("form", ["coo", "dok", "lil", "bsr"])
def test_indices_outside_are_refused_in_every_format(form: str, place: int) -> None:
    """SciPy would write to where they say; of a DOK it says so itself."""
    for axis in (0, 1):
        a = sparse.coo_array(2 * np.eye(4)).asformat(form)
        if form == "coo":
            a.coords[axis][2] = place
        elif form == "dok":
            a._dict[(place, 0) if axis == 0 else (0, place)] = 1.0
        elif form == "lil":
            a.rows[2][0] = place
        else:
            a = sparse.bsr_array(2 * np.eye(4), blocksize=(2, 2))
            a.indices[1] = place
        with pytest.raises(ValueError, match=r"indices must lie between 0 and [13]|axis . index"):
            solve(a, np.ones(4))


@pytest.mark.parametrize("form", ["coo", "csc", "csr", "bsr"])
def test_they_are_refused_in_right_hand_sides(form: str) -> None:
    b = sparse.coo_array(2 * np.eye(4)).asformat(form)
    (b.coords[0] if form == "coo" else b.indices)[1] = 4
    factors = factorize(2 * np.eye(4)), factorize(sparse.eye_array(4, format="csc"))
    for call in (
        *(lambda b, a=a: solve(a, b) for a in (2 * np.eye(4), sparse.eye_array(4, format="csc"))),
        *(lambda b, f=f: f.solve(b) for f in factors),
    ):
        with pytest.raises(ValueError, match="indices must lie between 0 and"):
            call(b)


def test_blocks_that_are_not_there_are_refused() -> None:
    """Of BSR: starts that fall, or that say more than is stored."""
    for spoil in (
        lambda a: a.indptr.__setitem__(1, 5),
        lambda a: a.indptr.__setitem__(1, -1),
        lambda a: setattr(a, "data", a.data[:1]),
    ):
        a = sparse.bsr_array(2 * np.eye(4), blocksize=(2, 2))
        spoil(a)
        with pytest.raises(ValueError, match="indptr must rise from 0 to at most"):
            solve(a, np.ones(4))


def test_a_sparse_right_hand_side_of_three_axes_is_refused() -> None:
    b = sparse.coo_array(np.ones((2, 4, 1)))
    with pytest.raises(ValueError, match=r"b has shape \(2, 4, 1\)"):
        solve(sparse.eye_array(4, format="csc"), b)
