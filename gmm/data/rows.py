"""Which rows of the data count, and how much."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.labels import is_pandas


def complete(arguments: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The rows without missing values of all arguments, and how many others there were."""
    given = {name: x for name, x in arguments.items() if x is not None}
    gaps = np.zeros(len(next(iter(given.values()))), bool)
    for name, x in given.items():
        if not is_pandas(x) and np.ndim(x) > 2:
            raise ValueError(f"{name} has shape {np.shape(x)}; rows are dropped of one sample only")
        if len(x) != len(gaps):
            raise ValueError(f"{name} has {len(x)} rows, {next(iter(given))} has {len(gaps)}")
        missing = x.isna().to_numpy() if is_pandas(x) else _missing(x)
        gaps |= missing if missing.ndim == 1 else missing.any(axis=1)
    kept = ~gaps
    if not kept.any():
        raise ValueError("every row has a missing value")
    chosen = {
        name: x if x is None else x[kept] if is_pandas(x) else _array(x)[kept]
        for name, x in arguments.items()
    }
    return chosen, int(gaps.sum())


def _array(x: Any) -> Any:
    return x if isinstance(x, np.ma.MaskedArray) else np.asarray(x)


def _missing(x: Any) -> npt.NDArray[np.bool_]:
    """What is masked, None, or differs from itself."""
    if isinstance(x, np.ma.MaskedArray):
        return np.asarray(np.ma.getmaskarray(x) | (np.ma.getdata(x) != np.ma.getdata(x)))
    values = np.asarray(x)
    if values.dtype.kind == "O":
        cells = [cell is None or bool(cell != cell) for cell in values.ravel()]
        return np.array(cells, bool).reshape(values.shape)
    return np.asarray(values != values)


def frequencies(weights: Any, n: int) -> npt.NDArray[np.intp]:
    """Whole numbers (n,) of how often each row was seen."""
    values = _weights("fweight", weights, n)
    if (values != np.floor(values)).any():
        raise ValueError("fweight must be whole numbers, how often each row was seen; else aweight")
    if not values.any():
        raise ValueError("fweight is zero for all rows")
    return values.astype(np.intp)


def analytic(weights: Any, n: int) -> Array:
    """Square roots (n,) of weights whose mean is one."""
    values = _weights("aweight", weights, n)
    if not (values > 0).all():
        raise ValueError("aweight must be positive; leave out rows that do not count")
    roots: Array = np.sqrt(values / values.mean())
    return roots


def _weights(argument: str, weights: Any, n: int) -> Array:
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n,):
        raise ValueError(f"{argument} has shape {values.shape}; it must be ({n},)")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError(f"{argument} must be finite and not negative")
    return values
