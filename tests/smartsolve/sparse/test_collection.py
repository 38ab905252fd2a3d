"""Matrices of real problems, from a folder of Matrix Market files, if there is one.

SMARTSOLVE_MATRICES names it; else it is looked for in ../shared/matrices beside the source tree.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmread

import smartsolve

from .native import native

FOLDER = Path(
    os.environ.get("SMARTSOLVE_MATRICES")
    or Path(__file__).resolve().parents[4] / "shared" / "matrices"
)
FILES = sorted(FOLDER.glob("*.mtx"))
# Of the backward error in units of the roundoff, for all orders.
FACTOR = 30


def read(file: Path) -> Any:
    return sparse.csc_array(mmread(file))


def enlarged(a: Any) -> Any:
    """The same problem in a chain of coupled copies, large enough for the sparse methods."""
    copies = 1 + 400 // min(a.shape)
    chain = sparse.diags_array([-0.3, 1.0, -0.6], offsets=[-1, 0, 1], shape=(copies, copies))
    return sparse.kron(chain, a, format="csc")


def backward_error(a: Any, x: Any, b: Any) -> float:
    norm = abs(a).sum(axis=1).max()
    scale = norm * np.abs(x).max() + np.abs(b).max()
    return float(np.abs(b - a @ x).max() / scale / np.finfo(float).eps)


if not FILES:
    pytest.skip(f"no matrices in {FOLDER}", allow_module_level=True)


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def a(request: pytest.FixtureRequest) -> Any:
    return read(request.param)


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
@pytest.mark.parametrize("larger", [False, True])
def test_square_ones_are_solved(a: Any, form: str, larger: bool) -> None:
    if a.shape[0] != a.shape[1]:
        pytest.skip("rectangular")
    a = enlarged(a) if larger else a
    rng = np.random.default_rng(1)
    b = rng.standard_normal((a.shape[0], 2))
    with smartsolve.errstate(ill_conditioned="ignore"):
        x = smartsolve.solve(a.asformat(form), b)
        f = smartsolve.factorize(a.asformat(form))
    assert backward_error(a, x, b) < FACTOR
    assert backward_error(a.T, f.solve(b, transposed=True), b) < FACTOR
    if not larger:
        dense = a.toarray()
        assert f.rcond == pytest.approx(1 / np.linalg.cond(dense, 1), rel=3)


def test_every_native_method_takes_what_it_is_for(a: Any) -> None:
    m = native(a)
    if a.shape[0] != a.shape[1]:
        pytest.skip("rectangular")
    facts = m.scan()
    methods = ["lu", "banded", "qr"]
    if facts["hermitian"] and facts["positive_diagonal"]:
        methods.append("cholesky")
    b = np.random.default_rng(2).standard_normal(a.shape[0]).astype(a.dtype)
    for method in methods:
        f = m.factor(method)
        if f.status == "not_positive_definite":
            continue
        assert f.status == "ok"
        if method != "qr" or f.rank == a.shape[1]:
            assert backward_error(a, f.solve(b), b) < FACTOR


@pytest.mark.parametrize("larger", [False, True])
def test_rectangular_ones_have_least_squares(a: Any, larger: bool) -> None:
    if a.shape[0] == a.shape[1]:
        pytest.skip("square")
    a = enlarged(a) if larger else a
    b = np.random.default_rng(3).standard_normal(a.shape[0])
    with smartsolve.errstate(ill_conditioned="ignore", singular="nan"):
        x = smartsolve.mldivide(a, b)
    residual = b - a @ x
    best = np.linalg.lstsq(a.toarray(), b)[0]
    assert np.linalg.norm(residual) <= np.linalg.norm(b - a @ best) + 1e-9 * np.linalg.norm(b)
    scale = float(sparse.linalg.norm(a)) * np.linalg.norm(b)
    assert np.linalg.norm(a.T.conj() @ residual) < 1e-10 * scale
