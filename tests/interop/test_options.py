"""No option is ignored in silence for the arrays of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ..smartsolve.options import ignored, without_effect


def _pandas(a: Any, b: Any) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(a) if isinstance(a, np.ndarray) else a, pandas.Series(b)


def _xarray(a: Any, b: Any) -> Any:
    array = pytest.importorskip("xarray").DataArray
    return array(a, dims=("x", "y")), array(b, dims=("x",))


def _pint(a: Any, b: Any) -> Any:
    units = pytest.importorskip("pint").get_application_registry()
    return a * units.ohm, b * units.V


def _astropy(a: Any, b: Any) -> Any:
    units = pytest.importorskip("astropy.units")
    return a * units.ohm, b * units.V


def _dask(a: Any, b: Any) -> Any:
    da = pytest.importorskip("dask.array")
    return da.from_array(a, chunks=-1), da.from_array(b, chunks=-1)


def _jax(a: Any, b: Any) -> Any:
    jnp = pytest.importorskip("jax.numpy")
    return jnp.asarray(a), jnp.asarray(b)


def _torch(a: Any, b: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor(a), torch.tensor(b)


POSES = {p.__name__[1:]: p for p in (_pandas, _xarray, _pint, _astropy, _dask, _jax, _torch)}


@pytest.mark.parametrize("is_factored", [False, True])
@pytest.mark.parametrize("library", POSES)
def test_no_option_is_ignored(library: str, is_factored: bool) -> None:
    assert not ignored(POSES[library], is_factored)


@pytest.mark.parametrize("is_factored", [False, True])
@pytest.mark.parametrize("library", POSES)
def test_every_option_has_its_effect(library: str, is_factored: bool) -> None:
    assert not without_effect(POSES[library], is_factored)
