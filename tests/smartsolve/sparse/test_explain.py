"""`inspect` and `explain` of sparse matrices say what `solve` does, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from smartsolve import explain, inspect, solve
from smartsolve._sparse.methods import METHODS

from .generators import STRUCTURES


def made(structure: str, n: int = 500) -> sparse.csc_array:
    return STRUCTURES[structure](n, np.dtype("float64"), np.random.default_rng(6))


@pytest.mark.parametrize("fmt", ["csc", "csr", "coo"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_what_is_explained_is_done(structure: str, fmt: str) -> None:
    a = made(structure).asformat(fmt)
    plan = explain(a)
    _, info = solve(a, np.ones(a.shape[0]), return_info=True)
    assert plan.structure == info.structure == inspect(a).kind
    assert (plan.method, plan.routine) == (info.method, info.routine)
    assert plan.shape == a.shape
    assert plan.order == fmt
    assert plan.nnz == a.nnz
    (part,) = plan.parts
    assert str(plan).startswith("structure")
    assert f"{a.nnz} nonzeros" in str(plan)
    assert "<table" in plan._repr_html_()
    assert "as given" in plan.to_html()
    # The reasons name all the structures that come before.
    kinds = list(dict.fromkeys(m.structure for m in METHODS if m.structure != "not finite"))
    assert list(part.not_taken) == kinds[: kinds.index(plan.structure)]
    assert all(part.not_taken.values())
    json.dumps(plan.to_dict())


def test_the_elements_that_speak_against() -> None:
    a = sparse.eye_array(500, format="lil")
    a[7, 3] = 2.0
    (part,) = explain(a).parts
    assert part.structure == "lower triangular"
    assert part.not_taken["diagonal"] == "a[7, 3] = 2 is not zero"
    a[3, 7] = 1.0
    (part,) = explain(a).parts
    assert part.not_taken["lower triangular"] == "a[3, 7] = 1 is not zero"
    assert part.not_taken["spd banded"] == "a[7, 3] = 2 differs from a[3, 7] = 1"


def test_right_hand_sides_cost() -> None:
    a = made("banded")
    one, five = explain(a), explain(a, np.ones((500, 5)))
    assert (one.nrhs, five.nrhs) == (1, 5)
    assert five.flops > one.flops
    assert five.bytes > one.bytes
    assert explain(a, sparse.csc_array((500, 2))).nrhs == 2
    with pytest.raises(ValueError, match="b has shape"):
        explain(a, np.ones(3))


def test_a_complex_operation_counts_as_four() -> None:
    for structure in ("diagonal", "banded", "lower triangular"):
        a = made(structure)
        assert explain(a.astype(complex)).flops == 4 * explain(a).flops


def test_what_is_told_of_orders() -> None:
    a = made("permuted triangular")
    found = inspect(a)
    ordered = a.toarray()[found.row_permutation][:, found.column_permutation]
    assert np.array_equal(ordered, np.tril(ordered))


def test_rectangular_matrices() -> None:
    for shape, method in (
        ((30, 20), "dense"),
        ((900, 500), "sparse QR"),
        ((500, 900), "sparse QR"),
    ):
        a = sparse.random_array(shape, density=0.02, rng=np.random.default_rng(1), format="csr")
        plan = explain(a + sparse.eye_array(*shape))
        assert plan.structure == "rectangular"
        assert plan.method.startswith(method)
        assert plan.flops > 0
        assert "QR" in str(plan)
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        inspect(sparse.csc_array((3, 2)))


def test_the_commands_keep_a_large_matrix_sparse(tmp_path: Path) -> None:
    """As a dense one it would take 320 GB."""
    n = 200_000
    sparse.save_npz(tmp_path / "a.npz", 2 * sparse.eye_array(n, format="csc"))
    np.save(tmp_path / "b.npy", np.ones(n))
    command = [sys.executable, "-P", "-m", "smartsolve"]
    for arguments in (["explain", "a.npz"], ["solve", "a.npz", "b.npy", "-o", "x.npy"]):
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "diagonal" in done.stdout + done.stderr
    assert np.array_equal(np.load(tmp_path / "x.npy"), np.full(n, 0.5))
