"""Rows of a panel on a grid of entities and periods."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.data.labels import group_codes


@dataclass(frozen=True)
class Grid:
    """Where each row belongs: the place of its entity and of its period."""

    entity: npt.NDArray[np.intp]
    period: npt.NDArray[np.intp]
    shape: tuple[int, int]

    @classmethod
    def of(cls, entity: npt.ArrayLike, time: npt.ArrayLike) -> "Grid":
        """The grid of rows with these entities and these whole-numbered periods."""
        who, when = np.asarray(entity), np.asarray(time)
        if who.ndim != 1 or who.shape != when.shape:
            raise ValueError(
                f"entity has shape {who.shape} and time {when.shape}; they must have one value "
                "for each row"
            )
        group_codes(when, "time")
        try:
            numbers = when.astype(np.int64)
            whole = bool((numbers == when).all())
        except (TypeError, ValueError):
            whole = False
        if not whole:
            raise ValueError("time must be whole numbers, one apart where periods are neighbours")
        codes = group_codes(who, "entity")
        periods = numbers - numbers.min(initial=0 if not len(numbers) else numbers.max())
        shape = (int(codes.max()) + 1, int(periods.max()) + 1)
        grid = cls(codes, periods.astype(np.intp), shape)
        flat = grid.entity * shape[1] + grid.period
        if len(np.unique(flat)) < len(flat):
            raise ValueError("an entity has two rows in the same period")
        return grid

    def placed(self, rows: Array) -> Array:
        """Rows (..., rows) on the grid (..., N, T), NaN where there is none."""
        if rows.shape[-1] != len(self.entity):
            raise ValueError(
                f"there are {len(self.entity)} entities and periods for {rows.shape[-1]} rows"
            )
        result = np.full((*rows.shape[:-1], *self.shape), np.nan)
        result[..., self.entity, self.period] = rows
        return result
