"""What a study's functions answer of a replication, brought into the form in which it is kept."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.estimation.status import Status
from gmm.inference.confidence_sets import ConfidenceSet
from gmm.inference.estimates import Estimates
from gmm.montecarlo.columns import Column

# So many disjoint intervals are kept of the set of a single sample.
_INTERVALS = 4
# Of J, and of the t statistics of the parameters: None if they are normal.
Degrees = tuple[int, float | None]


def stream(seed: int, design: int, block: int, row: int, name: str) -> np.random.Generator:
    """Random numbers for a statistic of the samples from this row on, and for no other."""
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(design, block, row, word))
    return np.random.Generator(np.random.PCG64DXSM(sequence))


def named(name: str, answer: Any) -> Iterator[tuple[str, Any]]:
    """The statistics of one function: itself, or each of a dict's."""
    if isinstance(answer, Mapping):
        if not answer:
            raise ValueError(f"{name} answers with an empty dict; there is nothing to record")
        for key, value in answer.items():
            yield f"{name}: {key}", value
    else:
        yield name, answer


def column_of(name: str, answer: Any, count: int | None, truth: Mapping[str, str]) -> Column:
    """What an answer for `count` samples together, or for one alone (None), is kept as.

    `truth` has the name under which a parameter is known, by the name that the fit gives it.
    """
    if is_result(answer):
        df, df_t = degrees(answer)
        return Column(name, "estimates", df=df, df_t=df_t)
    if isinstance(answer, ConfidenceSet):
        intervals = _INTERVALS if count is None else answer.intervals.shape[-2]
        return Column(name, "set", (intervals, 2), truth.get(answer.parameter, ""), answer.level)
    if _p_value(answer) is not None:
        return Column(name, "test")
    values = _values(name, answer, count)
    return Column(name, "rate" if values.dtype == bool else "number", values.shape[1:])


def write(
    column: Column,
    answer: Any,
    fields: npt.NDArray[Any],
    together: bool,
    parameters: tuple[str, ...],
) -> None:
    """Put an answer into the column's field of the records (R,)."""
    if column.kind == "estimates":
        write_estimates(answer, fields, together, parameters)
    elif column.kind == "set":
        intervals = answer.intervals if together else np.asarray(answer.intervals)[np.newaxis]
        _check_shape(column.name, intervals.shape[:-2] + intervals.shape[-1:], (len(fields), 2))
        if intervals.shape[-2] > column.shape[0]:
            raise ValueError(f"{column.name} has {intervals.shape[-2]} intervals")
        fields["intervals"] = np.nan
        fields["intervals"][:, : intervals.shape[-2]] = intervals
        fields["missing"] = answer.missing
    else:
        p = _p_value(answer) if column.kind == "test" else answer
        values = _values(column.name, p, len(fields) if together else None)
        _check_shape(column.name, values.shape, fields.shape)
        fields[...] = values


def write_estimates(
    result: Any, records: npt.NDArray[Any], together: bool, parameters: tuple[str, ...]
) -> None:
    """Put a fit's results into records (R,)."""
    shape = (len(records), len(parameters))
    for names, field in ((("params",), "estimates"), (("bse", "std_errors"), "bse")):
        name = next(name for name in names if hasattr(result, name))
        values = np.asarray(getattr(result, name), dtype=np.float64)
        values = values if together else values[np.newaxis]
        if values.shape != shape:
            raise ValueError(
                f"the fit's {name} have shape {values.shape}; {shape[0]} samples and the "
                f"{shape[1]} parameters of truth ({', '.join(parameters)}) make it {shape}"
            )
        records[field] = values
    records["iterations"] = getattr(result, "iterations", 0)
    records["j"] = _j(result)[0]
    status = getattr(result, "status", None)
    if not isinstance(status, np.ndarray | np.integer | int):
        finite = np.isfinite(records["estimates"]).all(axis=1)
        ended = Status.OK if _converged(result) else Status.MAX_ITERATIONS
        status = np.where(finite, int(ended), int(Status.NON_FINITE))
    records["status"] = status
    if isinstance(result, Estimates):
        # A variance that is negative, of two-way clusters, has no interval that could cover.
        lacking = np.isnan(records["bse"]).any(axis=1) & (records["status"] == int(Status.OK))
        records["status"][lacking] = Status.NOT_POSITIVE_DEFINITE
    erase(records, records["status"] != int(Status.OK))


def erase(records: npt.NDArray[Any], rows: npt.NDArray[np.bool_]) -> None:
    """What failed has no estimates, whatever the model left there."""
    if rows.any():
        for field in ("estimates", "bse", "j"):
            records[field][rows] = np.nan


def is_result(answer: Any) -> bool:
    """Whether it has estimates and standard errors, by whatever package's name."""
    return hasattr(answer, "params") and (hasattr(answer, "bse") or hasattr(answer, "std_errors"))


def parameter_names(result: Any) -> tuple[str, ...] | None:
    """What a fit calls its parameters, if it calls them anything."""
    names = getattr(result, "parameters", None)
    if names is None:
        names = getattr(getattr(result, "params", None), "index", None)
    return None if names is None or callable(names) else tuple(map(str, names))


def degrees(result: Any) -> Degrees:
    """Of J, if it is chi-squared, and of the t statistics."""
    if isinstance(result, Estimates) or hasattr(result, "df"):
        return _j(result)[1], getattr(result, "df", None)
    student = getattr(result, "use_t", False) or getattr(result, "debiased", False)
    return _j(result)[1], float(result.df_resid) if student else None


def _j(result: Any) -> tuple[Any, int]:
    """Hansen's J and its degrees of freedom; a statistic that is not there has none."""
    test = getattr(result, "j_test", None)
    if test is not None:
        return test.statistic, 0 if test.reason else int(test.df)
    test = getattr(result, "j_stat", None)  # linearmodels
    if test is not None and math.isfinite(getattr(test, "stat", math.nan)) and test.df:
        return test.stat, int(test.df)
    test = getattr(result, "jtest", None)  # statsmodels
    if callable(test):
        statistic, _, df = test()
        return statistic, max(int(df), 0)
    return math.nan, 0


def _converged(result: Any) -> bool:
    """What statsmodels says of its optimizers; a closed form says nothing."""
    said = getattr(result, "converged", None)
    if said is None:
        said = (getattr(result, "mle_retvals", None) or {}).get("converged")
    return said is None or bool(np.all(said))


def _p_value(answer: Any) -> Any:
    """That of a test of ours, SciPy's, statsmodels' or linearmodels'."""
    for name in ("pvalue", "pval"):
        if (value := getattr(answer, name, None)) is not None:
            return value
    return None


def _values(name: str, answer: Any, count: int | None) -> npt.NDArray[Any]:
    """Numbers or truth values, a row for each sample."""
    values = np.asarray(answer)
    if values.dtype != bool:
        try:
            if answer is None or values.dtype.kind not in "uif":
                raise TypeError
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"{name} answers with {answer!r:.100}; it must be a test, a confidence set, a "
                "result with params and bse, numbers or truth values, or a dict of them"
            ) from None
    if count is None:
        return values[np.newaxis]
    if values.ndim == 0 or len(values) != count:
        raise ValueError(
            f"{name} answers with an array of shape {values.shape}; its first axis must have "
            f"length {count}, one for each sample; for functions that know one sample alone, "
            "give vectorized=False"
        )
    return values


def _check_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise ValueError(
            f"{name} answers with shape {shape}, where its first answer makes it {expected}"
        )
