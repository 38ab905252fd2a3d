"""What a study's own statistics are, and how one replication of each is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.inference.confidence_sets import ConfidenceSet

Kind = Literal["test", "rate", "number", "set", "estimates"]


@dataclass(frozen=True)
class Column:
    """One recorded statistic.

    A test is its p-value; a rate is zero or one; what is missing is NaN. A set is its intervals,
    and whether it is missing; another estimator's estimates are kept as the study's own are.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] = ()
    """Of a number or rate (...), or of a set's intervals (m, 2)."""
    parameter: str = ""
    """Of a set: whose truth it should hold; empty if that is not known."""
    level: float = 0.95
    """Of a set: its nominal coverage."""
    df: int = 0
    df_t: float | None = None
    """Of another estimator: as those of the study."""

    def layout(self, parameters: int) -> tuple[Any, ...]:
        """Its type in a record, and its shape if it has one."""
        if self.kind == "estimates":
            return (estimate_type(parameters),)
        if self.kind == "set":
            return (np.dtype([("intervals", "<f8", self.shape), ("missing", "?")]),)
        return ("<f8", self.shape)

    def erase(self, values: npt.NDArray[Any]) -> None:
        """Nothing is known of these replications, a view of their field."""
        if self.kind == "set":
            values["intervals"], values["missing"] = np.nan, True
        elif self.kind == "estimates":
            for name in ("estimates", "bse", "j"):
                values[name] = np.nan
        else:
            values[...] = np.nan

    def erase_rows(self, values: npt.NDArray[Any], rows: npt.NDArray[np.bool_]) -> None:
        """Nothing is known of these of a number or rate."""
        values[rows] = np.nan

    def confidence_set(self, values: npt.NDArray[Any]) -> ConfidenceSet:
        """The sets of these replications (R,)."""
        return ConfidenceSet(
            self.name, self.parameter, self.level, values["intervals"], values["missing"]
        )

    def entries(self) -> list[tuple[str, tuple[int, ...]]]:
        """A name and a place for each entry of a number or rate."""
        if not self.shape:
            return [(self.name, ())]
        places = np.ndindex(self.shape)
        return [(f"{self.name}[{', '.join(map(str, place))}]", place) for place in places]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for `of`."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From the values of `to_dict`."""
        return cls(**{**values, "shape": tuple(values["shape"])})


def estimate_type(parameters: int) -> np.dtype[np.void]:
    """What is kept of one estimation."""
    return np.dtype(
        [
            ("estimates", "<f8", (parameters,)),
            ("bse", "<f8", (parameters,)),
            ("j", "<f8"),
            ("iterations", "<i2"),
            ("status", "i1"),
        ]
    )


def entry(values: npt.NDArray[Any], place: tuple[int, ...]) -> Array:
    """One entry (R,) of a number (R, ...)."""
    return np.asarray(values.reshape(len(values), -1)[:, _flat(values.shape[1:], place)])


def _flat(shape: tuple[int, ...], place: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(place, shape)) if shape else 0
