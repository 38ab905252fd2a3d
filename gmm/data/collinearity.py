"""Columns that are sums of others: which, and of which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from gmm.data.arrays import Array, beside

# What happens to collinear columns.
Collinear = Literal["status", "raise", "drop"]

# A sum of more columns than this is cut off in a message, and so is a list of more columns.
_SHOWN = 6


def rounding(n: int, c: int) -> float:
    """What is left of a column (n,) off others, relative to it, that is rounding of c columns."""
    return 100 * max(n, c) * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Dependent:
    """A column that those before it span: its place, its name, and the sum that it is."""

    place: int
    name: str
    of: str

    def __str__(self) -> str:
        return f"{self.name} = {self.of}"


def dependent_columns(x: Array, names: Sequence[str]) -> list[Dependent]:
    """The columns of x (n, c) that are sums of earlier ones, to rounding.

    Everything is asked of the triangular factor of x, whose columns depend on each other alike:
    what is left of each off an orthonormal basis of those before it, which is orthogonalized
    twice (Björck 1996, section 2.4.5).
    """
    n, c = x.shape
    if not c or not np.isfinite(x).all():
        return []
    largest: Array = np.abs(x).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    r: Array = np.linalg.qr(x / scale)[1]
    basis = np.empty((len(r), 0))
    kept: list[int] = []
    found: list[Dependent] = []
    for j in range(c):
        column = r[:, j]
        size, rest = float(np.linalg.norm(column)), column
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        left = float(np.linalg.norm(rest))
        if size > 0 and left > rounding(n, c) * size:
            basis = np.column_stack([basis, rest / left])
            kept.append(j)
            continue
        weights = np.zeros(len(kept))
        if size > 0:
            solution = np.linalg.lstsq(r[:, kept], column, rcond=None)[0]
            weights = np.asarray(solution * scale[j] / scale[kept], np.float64)
        found.append(Dependent(j, names[j], _sum(weights, scale[kept], [names[i] for i in kept])))
    return found


def of_arguments(
    arrays: Mapping[str, Array], names: Mapping[str, Sequence[str]]
) -> dict[str, list[Dependent]]:
    """Of one sample's exog, endog and instruments: the columns that those before them span.

    Regressors are before others, and exogenous ones before instruments, too.
    """
    exog, first = arrays["exog"], names["exog"]
    found = {"exog": dependent_columns(exog, first)}
    for argument in ("endog", "instruments"):
        both = beside(exog, arrays[argument])
        every = dependent_columns(both, (*first, *names[argument])) if names[argument] else []
        own = [column for column in every if column.place >= len(first)]
        found[argument] = [replace(column, place=column.place - len(first)) for column in own]
    return found


def of_sample(arrays: Mapping[str, Array], shape: tuple[int, ...], sample: int) -> dict[str, Array]:
    """The arrays (n, columns) of one of the samples of this shape."""
    place = np.unravel_index(sample, shape) if shape else ()
    return {name: np.broadcast_to(a, (*shape, *a.shape[-2:]))[place] for name, a in arrays.items()}


def described(found: Mapping[str, Sequence[Dependent]]) -> str:
    """What is collinear in which argument; nothing if nothing is."""
    return "; ".join(
        f"collinear columns of {argument}: {listed(columns)}"
        for argument, columns in found.items()
        if columns
    )


def settled(
    collinear: str,
    arrays: Mapping[str, Array],
    names: Mapping[str, Sequence[str]],
    shape: tuple[int, ...],
) -> tuple[dict[str, Array], dict[str, tuple[str, ...]], list[Dependent]]:
    """Arrays and names without what `collinear` says to drop, and that; or an error, if it does."""
    if collinear not in get_args(Collinear):
        raise ValueError(f"collinear is {collinear!r}; it must be 'status', 'raise' or 'drop'")
    whole = dict(arrays), {argument: tuple(of) for argument, of in names.items()}
    if collinear == "status":
        return *whole, []
    if shape:
        raise ValueError(
            f"collinear is {collinear!r}, which is for one sample; of the samples of shape {shape} "
            "each has a status that tells whether it is singular"
        )
    found = of_arguments(arrays, names)
    if collinear == "raise" and (cause := described(found)):
        raise ValueError(f"{cause}; leave columns out, or give collinear='drop'")
    left, left_names = whole
    for argument, columns in found.items():
        gone = {column.place for column in columns}
        kept = [i for i in range(len(names[argument])) if i not in gone]
        left[argument] = arrays[argument][..., kept] if gone else arrays[argument]
        left_names[argument] = tuple(names[argument][i] for i in kept)
    return left, left_names, [column for columns in found.values() for column in columns]


def listed(columns: Sequence[Dependent]) -> str:
    """What several columns are, in one line."""
    texts = [str(column) for column in columns[:_SHOWN]]
    more = [f"and {len(columns) - _SHOWN} more"] if len(columns) > _SHOWN else []
    return ", ".join([*texts, *more])


def _sum(weights: Array, scale: Array, names: Sequence[str]) -> str:
    """Weights times names, such as ``const - q1 - 2 q2``; no more of it than can be read."""
    shares = np.abs(weights) * scale
    terms = np.flatnonzero(shares > 1e-8 * shares.max(initial=0.0))
    text = ""
    for i in terms[:_SHOWN]:
        size = f"{abs(weights[i]):.6g}"
        sign = "-" if weights[i] < 0 else "+"
        sign = f" {sign} " if text else sign.strip("+")
        text += f"{sign}{'' if size == '1' else size + ' '}{names[i]}"
    if len(terms) > _SHOWN:
        text += f" and {len(terms) - _SHOWN} more columns"
    return text or "0"
