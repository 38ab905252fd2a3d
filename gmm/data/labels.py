"""Names and pandas labels: what comes in with labels goes out with them."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smartsolve._install import install


def is_pandas(x: Any) -> bool:
    """Whether x is a Series or a DataFrame; pandas is not imported to ask."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(x, pandas.Series | pandas.DataFrame)


def need_pandas(what: str) -> Any:
    """The module, or an error that names what needs it."""
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} needs pandas: {install('pandas')}", name="pandas"
        ) from error
    return pandas


def column_names(x: Any, prefix: str, count: int) -> tuple[str, ...]:
    """The labels of a Series or DataFrame, else prefix0, prefix1, ..."""
    if is_pandas(x):
        labels = x.columns if x.ndim == 2 else [x.name]
        if all(label is not None for label in labels):
            return tuple(map(str, labels))
    if count == 1 and prefix == "y":
        return (prefix,)
    return tuple(f"{prefix}{j}" for j in range(count))


def check_rows(**arguments: Any) -> None:
    """Raise ValueError if pandas objects label their rows differently: rows go by position."""
    labelled = {name: x for name, x in arguments.items() if is_pandas(x)}
    for name, x in labelled.items():
        first = next(iter(labelled))
        if len(x) == len(labelled[first]) and not x.index.equals(labelled[first].index):
            raise ValueError(
                f"the rows of {name} and {first} have different labels; align them first, or "
                "give arrays"
            )


def float_array(x: Any, argument: str) -> npt.NDArray[np.float64]:
    """x in float64, or an error that names the argument."""
    if is_pandas(x) and (missing := int(np.sum(x.isna().to_numpy()))):
        raise ValueError(f"{argument} has {missing} missing values; drop or fill them first")
    if isinstance(x, np.ma.MaskedArray) and (masked := int(np.ma.getmaskarray(x).sum())):
        raise ValueError(f"{argument} has {masked} masked values; drop or fill them first")
    if text := _text_in(x):
        raise TypeError(
            f"{argument} is not numeric: it holds the text {text!r}; convert it, or code categories"
        )
    if when := _dates_in(x):
        raise TypeError(
            f"{argument} holds {when}, which NumPy would take for nanoseconds; give numbers, such "
            "as years"
        )
    values = np.asarray(x)
    if np.iscomplexobj(values):
        raise TypeError(f"{argument} is complex; it must be real")
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{argument} is not numeric: {error}") from None
    # Fields of packed records lie between others; the native core steps from number to number.
    apart = any(step % numbers.itemsize for step in numbers.strides)
    return numbers.copy() if apart or not numbers.flags.aligned else numbers


def _text_in(x: Any) -> str:
    """The first text among the values: NumPy would read its digits as a number."""
    if is_pandas(x):
        columns = [x] if x.ndim == 1 else [x.iloc[:, i] for i in range(x.shape[1])]
        columns = [column for column in columns if column.dtype.kind not in "biufc"]
        values = [value for column in columns for value in column.tolist()]
    else:
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
        if array.dtype.kind not in "USO":
            return ""
        values = array.ravel().tolist()
    return next((str(value) for value in values if isinstance(value, str | bytes)), "")


def _dates_in(x: Any) -> str:
    """Which of its columns hold dates or times between them."""
    if is_pandas(x) and x.ndim == 2:
        names = [str(label) for label, kind in x.dtypes.items() if kind.kind in "mM"]
        return f"dates or durations in {', '.join(names)}" if names else ""
    kind = x.dtype.kind if is_pandas(x) or isinstance(x, np.ndarray) else np.asarray(x).dtype.kind
    return "dates or durations" if kind in "mM" else ""


def chosen_columns(x: Any, argument: str, *frames: Any) -> Any:
    """The columns of data frames that x names, one or two; whatever else x is, as it is."""
    names = [x] if isinstance(x, str) else x
    if not isinstance(names, list | tuple) or not 0 < len(names) <= 2:
        return x
    if not all(isinstance(name, str) for name in names):
        return x
    there: dict[Any, Any] = {}
    for frame in frames:
        if is_pandas(frame):
            columns = [(label, frame[label]) for label in frame] if frame.ndim == 2 else []
            there = {**dict(columns or [(frame.name, frame)]), **there}
    for name in names:
        if name not in there:
            known = ", ".join(map(str, there)) or "none, as no data frame is given"
            raise ValueError(
                f"{argument} is {x!r}; {name!r} is no column of the data, whose columns are "
                f"{known}. Give a column's name, or the values themselves"
            )
    chosen = [there[name] for name in names]
    return chosen[0] if len(chosen) == 1 else np.column_stack([c.to_numpy(object) for c in chosen])


def clusters_of(clusters: Any, n: int) -> npt.NDArray[np.intp] | None:
    """Codes (n, 1 or 2) from zero of the groups."""
    if clusters is None:
        return None
    groups = np.asarray(clusters)
    if groups.ndim == 1:
        groups = groups[:, np.newaxis]
    if groups.ndim != 2 or len(groups) != n or groups.shape[1] not in (1, 2):
        raise ValueError(
            f"clusters has shape {np.shape(clusters)}; it must be ({n},), or ({n}, 2) for two ways"
        )
    codes = [group_codes(column, "clusters") for column in groups.T]
    if any(not len(column) or not column.any() for column in codes):
        raise ValueError("clusters has one group only; sums over groups need two or more")
    return np.stack(codes, axis=1)


def group_codes(groups: npt.NDArray[Any], argument: str) -> npt.NDArray[np.intp]:
    """Codes (n,) from zero of groups, or an error that names the argument if some are missing."""
    # What is missing is None, NaN, NaT or pandas.NA, and nothing else differs from itself.
    cells = [] if groups.dtype.kind in "biuUS" else groups.tolist()
    if groups.dtype.kind in "mM":
        cells = np.where(np.isnat(groups), np.nan, 0.0).tolist()
    if missing := sum(x is None or (x != x) is not False for x in cells):
        raise ValueError(f"{argument} has {missing} missing values; drop those observations first")
    try:
        return np.unique(groups, return_inverse=True)[1].astype(np.intp)
    except TypeError:  # numbers and texts have no common order, but each its place
        places: dict[Any, int] = {}
        return np.array([places.setdefault(cell, len(places)) for cell in cells], np.intp)


def check_names(names: Sequence[str], chosen: Sequence[str], what: str) -> list[int]:
    """The places of the chosen names, or an error that lists all names."""
    for name in chosen:
        if name not in names:
            raise ValueError(f"{name!r} is no {what}; there are {', '.join(names)}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"a {what} is named twice: {', '.join(chosen)}")
    return [list(names).index(name) for name in chosen]
