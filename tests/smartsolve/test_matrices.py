"""The generators make what they say: else the other tests would test something else."""

from __future__ import annotations

import numpy as np
import pytest

from smartsolve import _core

from .matrices import (
    CONDITION,
    HARD,
    KINDS,
    ORDERS,
    arranged,
    kinds_and_dtypes,
    random_matrix,
    random_stack,
)

SIZES = (1, 2, 3, 4, 5, 8, 17, 40)


def test_every_kind_of_the_native_table_has_a_generator() -> None:
    kinds = {row["kind"] for row in _core.methods()}
    assert kinds - set(KINDS) == set(), "add a generator to KINDS in matrices.py"
    assert set(KINDS) - kinds == set(), "matrices.py has kinds that the table does not know"


@pytest.mark.parametrize(("kind", "dtype"), kinds_and_dtypes(), ids=str)
def test_condition_is_under_control(kind: str, dtype: np.dtype) -> None:
    rng = np.random.default_rng(1)
    for n in SIZES:
        for a in random_stack(kind, 10, n, dtype, rng):
            assert a.dtype == dtype
            assert np.linalg.cond(a.astype(np.complex128)) <= CONDITION


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(3,), (4, 4), (3, 2), (2, 5, 5)])
def test_orders_keep_the_values(order: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(2).standard_normal(shape)
    before = values.copy()
    a = arranged(values, order)
    assert np.array_equal(a, before)
    assert np.array_equal(values, before)
    assert a.flags.writeable == (order != "readonly")
    assert a.flags.aligned == (order != "unaligned")
    assert a.dtype.isnative == (order != "swapped")
    assert a.flags.c_contiguous == (
        order in ("C", "readonly", "unaligned", "swapped") or (order == "F" and a.ndim == 1)
    )
    if order == "F" and a.ndim == 2:
        assert a.flags.f_contiguous
    if order == "reversed":
        assert a.strides[-1] < 0


def test_unknown_order_lists_the_valid_ones() -> None:
    with pytest.raises(ValueError, match="strided"):
        arranged(np.eye(2), "Fortran")


def test_real_hermitian_is_refused() -> None:
    with pytest.raises(ValueError, match="hermitian"):
        random_matrix("hermitian", 3, np.float64, "C", np.random.default_rng(3))


def test_hard_ones_are_finite_and_square() -> None:
    for a in HARD.values():
        assert a.shape == (len(a), len(a))
        assert np.isfinite(a).all()
