"""What `explain` says is what `solve` does, and every reason that it gives is true."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import _core, errstate, explain, solve

from .matrices import (
    DTYPES,
    KINDS,
    dtypes_of,
    kinds_and_dtypes,
    random_matrix,
    random_rhs,
    random_stack,
)

ROWS = [
    (row, dtype)
    for row in _core.methods()
    for dtype in dtypes_of(row["kind"])
    if row["from"] <= 512
]


def agrees(a: np.ndarray, b: np.ndarray) -> None:
    plan = explain(a, b)
    with errstate(ill_conditioned="ignore", singular="nan"), np.errstate(all="ignore"):
        _, info = solve(a, b, return_info=True)
    for name in ("structure", "method", "routine"):
        assert np.array_equal(getattr(plan, name), getattr(info, name)), name
    assert sum(part.slices for part in plan.parts) == np.size(plan.structure)


# --- the same as solve ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "dtype"), ROWS, ids=[f"{r['kind']}-{r['method']}-{d}" for r, d in ROWS]
)
def test_every_row_of_the_table(row: Any, dtype: np.dtype) -> None:
    rng = np.random.default_rng(60)
    for n in (max(row["from"], 2), max(row["from"], 3) + 1):
        for order in ("C", "F", "strided"):
            a = random_matrix(row["kind"], n, dtype, order, rng)
            agrees(a, random_rhs((n, 2), dtype, rng))


@pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)
@given(
    n=st.integers(1, 40),
    change=st.sampled_from(("none", "zero", "large", "negative", "inf", "nan")),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=12, deadline=None, derandomize=True, database=None)
def test_perturbed_matrices(kind: str, dtype: np.dtype, n: int, change: str, seed: int) -> None:
    """One element of the pattern, and its mirror image, is changed; the reasons stay true."""
    rng = np.random.default_rng(seed)
    a = random_matrix(kind, n, dtype, "C", rng)
    i, j = np.argwhere(a != 0)[rng.integers(np.count_nonzero(a))]
    value = {"none": a[i, j], "zero": 0, "large": 100, "negative": -100}.get(change, 0)
    a[i, j] = np.inf if change == "inf" else np.nan if change == "nan" else value
    if rng.random() < 0.5:
        a[j, i] = np.conj(a[i, j])
    agrees(a, np.ones(n, dtype))
    reasons_are_true(a, explain(a).parts[0].not_taken)


def test_stacks() -> None:
    rng = np.random.default_rng(61)
    kinds = ["general", "diagonal", "general", "symmetric", "positive definite", "diagonal"]
    a = np.stack([random_matrix(kind, 20, np.float64, "C", rng) for kind in kinds])
    a = a.reshape(2, 3, 20, 20)
    agrees(a, np.ones((20, 1)))
    plan = explain(a)
    assert [(p.structure, p.slices, p.first) for p in plan.parts] == [
        ("general", 2, (0, 0)),
        ("diagonal", 2, (0, 1)),
        ("symmetric", 1, (1, 0)),
        ("positive definite", 1, (1, 1)),
    ]
    assert "2 x 3 matrices, 20 x 20" in str(plan)
    assert "(2 slices, first (0, 1))" in str(plan)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_candidate_that_is_not_positive_definite(dtype: str) -> None:
    """Passes the scan's test, and Cholesky's factorization finds the third minor negative."""
    a = (np.full((4, 4), 0.9) + 0.1 * np.eye(4)).astype(dtype)
    a[0, 1] = a[1, 0] = -0.9
    agrees(a, np.ones(4, dtype))
    assert np.linalg.det(a[:2, :2]).real > 0 > np.linalg.det(a[:3, :3]).real
    plan = explain(a)
    assert plan.structure == ("hermitian" if a.dtype.kind == "c" else "symmetric")
    reason = plan.parts[0].not_taken["positive definite"]
    assert reason == "Cholesky found the leading minor of order 3 not positive"


# --- the reasons ---------------------------------------------------------------------------------

OUTSIDE = {
    "diagonal": lambda i, j: i != j,
    "upper triangular": lambda i, j: i > j,
    "lower triangular": lambda i, j: i < j,
    "tridiagonal": lambda i, j: abs(i - j) > 1,
    "spd tridiagonal": lambda i, j: abs(i - j) > 1,
    "upper hessenberg": lambda i, j: i > j + 1,
    "lower hessenberg": lambda i, j: j > i + 1,
}
INDEX = re.compile(r"a\[(\d+), (\d+)\]")


def reasons_are_true(a: np.ndarray, not_taken: dict[str, str]) -> None:
    n = len(a)
    for kind, reason in not_taken.items():
        elements = [(int(i), int(j)) for i, j in INDEX.findall(reason)]
        if reason.endswith("is not zero"):
            ((i, j),) = elements
            assert a[i, j] != 0
            assert OUTSIDE[kind](i, j)
        elif "has a single nonzero" in reason:
            assert kind == "permuted triangular"
            (i, column), (other, same_column) = elements
            assert column == same_column
            assert i != other
            assert a[i, column] != 0
            assert a[other, column] != 0
        elif "differs from" in reason:
            (i, j), mirrored = elements
            assert mirrored == (j, i)
            assert a[i, j] != (a[j, i] if kind == "symmetric" else np.conj(a[j, i]))
        elif reason.endswith("is not positive"):
            ((i, j),) = elements
            assert i == j
            assert not a[i, i].real > 0
        elif "|^2 >" in reason:
            (i, j), *_ = elements
            assert np.abs(a[i, j]) ** 2 > a[i, i].real * a[j, j].real
        elif "too wide a band" in reason:
            assert "banded" in kind
            assert not _core.band_pays(n, *map(int, re.findall(r"k[lu] = (\d+)", reason)))
        elif "leading minor of order" in reason:
            m = int(re.findall(r"order (\d+)", reason)[0])
            if not np.isfinite(a[:m, :m]).all():
                continue  # L D L^H makes 0 * Inf of a pivot that is Inf, L L^H does not
            with pytest.raises(np.linalg.LinAlgError):
                np.linalg.cholesky(a[:m, :m])
        elif "not a number" in reason or "is not real" in reason:
            ((i, j),) = elements
            assert a[i, j] != np.conj(a[i, j])
        elif "order is below" in reason:
            assert n < int(re.findall(r"below (\d+)", reason)[0])
        elif "] is not a[" in re.sub(r" = \S+", "", reason):
            here, before = elements
            assert kind == "circulant"
            assert before == tuple((index - 1) % n for index in here)
            assert a[here] != a[before]
        elif "of the elements are zero" in reason:
            assert reason.startswith(f"{np.count_nonzero(a == 0) / a.size:.0%} ")
        elif reason == "an eigenvalue is zero up to rounding":
            assert np.linalg.cond(a) > 1 / (64 * n * np.finfo(np.float64).eps)
        else:
            assert re.match(r"column \d+ has no", reason), (kind, reason)


@pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)
def test_all_preferred_structures_are_disproved(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(62)
    for n in (2, 3, 5, 30):
        a = random_matrix(kind, n, dtype, "F", rng)
        (part,) = explain(a).parts
        kinds = _core.kinds()
        assert list(part.not_taken) == list(kinds[: kinds.index(part.structure)])
        known = {k: reason for k, reason in part.not_taken.items() if k in KINDS}
        reasons_are_true(a, known)


def test_a_tangle_and_a_column_of_zeros() -> None:
    a = np.array([[1.0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 1]])
    reason = explain(a).parts[0].not_taken["permuted triangular"]
    assert reason.startswith(("no column has", "none of the"))
    a = np.array([[1.0, 2, 0], [3, 4, 0], [5, 6, 0]])
    assert explain(a).parts[0].not_taken["permuted triangular"] == "column 2 has no nonzero"


# --- the cost ------------------------------------------------------------------------------------


def test_cost() -> None:
    n, nrhs = 200, 3
    plan = explain(np.triu(np.ones((n, n))), np.ones((n, nrhs)))
    lu = _core.choose(_core.kinds().index("general"), n)
    assert plan.lu_flops == _core.flops(lu, n, nrhs, n - 1, n - 1)
    assert plan.lu_flops == pytest.approx(2 / 3 * n**3 + 2 * n**2 * nrhs)
    assert plan.flops == n * n * nrhs
    assert plan.bytes == 8 * (n * n + 2 * n * nrhs)
    assert plan.nrhs == nrhs
    complex_plan = explain(np.triu(np.ones((n, n), complex)), np.ones((n, nrhs)))
    assert complex_plan.flops == 4 * plan.flops
    stack = explain(np.broadcast_to(np.triu(np.ones((n, n))), (5, n, n)), np.ones((n, nrhs)))
    assert (stack.flops, stack.bytes) == (5 * plan.flops, 5 * plan.bytes)


def test_crossovers_are_the_native_ones() -> None:
    sizes = _core.crossovers()
    plan = explain(np.triu(np.ones((50, 50))))
    assert f"order {sizes['trtrs_from']}" in plan.parts[0].crossovers[0]
    general = [row for row in _core.methods() if row["kind"] == "general"]
    rng = np.random.default_rng(63)
    (part,) = explain(random_matrix("general", 5, np.float64, "C", rng)).parts
    for before, after in itertools.pairwise(general):
        text = f"{before['method']} below order {after['from']}, then {after['method']}"
        assert text in part.crossovers
    assert f"always from order {sizes['estimate_from']}" in part.condition
    assert str(sizes["geqp3_from"]) in explain(np.ones((9, 2))).parts[0].crossovers[0]


# --- the three faces -----------------------------------------------------------------------------


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags[-1] in ("th", "td") and data.strip():
            self.cells[-1] += data


@pytest.mark.parametrize("kind", ["general", "positive definite", "diagonal"])
def test_text_html_and_dict_say_the_same(kind: str) -> None:
    rng = np.random.default_rng(64)
    a = random_stack(kind, 3, 12, np.float64, rng)
    _, info = solve(a, np.ones(12), return_info=True)
    for thing in (explain(a), explain(a[0]), info):
        parser = Cells()
        parser.feed(thing._repr_html_())
        lines = str(thing).splitlines()
        cells = [(label, text) for label, text in zip(*[iter(parser.cells)] * 2, strict=True)]
        assert len(lines) == len(cells)
        for line, (label, text) in zip(lines, cells, strict=True):
            assert line.startswith(label)
            assert line.endswith(text)
        assert json.loads(json.dumps(thing.to_dict()))
    assert explain(a).to_dict()["parts"][0]["structure"] == kind
    assert info.to_dict()["structure"] == [kind] * 3
    assert repr(explain(a)) == str(explain(a))


def test_a_rectangular_matrix() -> None:
    plan = explain(np.ones((3, 50, 4)), np.ones((50, 2)))
    assert plan.method.tolist() == ["column-pivoted QR"] * 3
    _, info = smartsolve.mldivide(np.eye(5, 3), np.ones(5), return_info=True)
    plan_alone = explain(np.eye(5, 3))
    for name in ("structure", "method", "routine"):
        assert getattr(plan_alone, name) == getattr(info, name)
    assert "not square" in str(plan)


def test_empty_shapes() -> None:
    assert explain(np.empty((0, 0))).structure == "diagonal"
    assert explain(np.empty((0, 3, 3))).parts == ()
    assert explain(np.empty((2, 0, 3))).flops == 0
    assert "0 matrices" in str(explain(np.empty((0, 3, 3))))


def test_clear_errors() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"a has shape \(3,\)"):
        explain(np.ones(3))
    with pytest.raises(ValueError, match=r"b has shape \(2,\); expected \(3,\) or \(..., 3, k\)"):
        explain(np.eye(3), np.ones(2))
    with pytest.raises(TypeError, match="a has dtype float16"):
        explain(np.eye(3, dtype="f2"))


def test_integers_and_byte_orders() -> None:
    assert explain(np.eye(3, dtype=int)).dtype == np.float64
    assert explain(np.eye(3).astype(">f4")).dtype == np.float32
