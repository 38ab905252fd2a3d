"""What a solve did: `SolveInfo` and its printing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._core import methods

__all__ = ["SolveInfo"]


@dataclass(frozen=True, eq=False)
class SolveInfo:
    """What `solve` saw and did; returned with ``return_info=True``.

    For a single system the fields are plain values, for a stack arrays over
    the leading axes of the solution.

    Attributes
    ----------
    structure : str or ndarray of str
        The structure found or declared, a name that ``assume_a`` accepts.
    method : str or ndarray of str
        The method that gave the solution.
    routine : str or ndarray of str
        LAPACK's routines without the type letter; "own" for a kernel of this
        package.
    rcond : float or ndarray of float64
        Estimate of the reciprocal condition number in the 1-norm; 0 for a
        singular matrix, NaN if the matrix holds an Inf or a NaN. For a
        diagonal or circulant matrix exact, and in the 2-norm.
    backward_error : float or ndarray of float64
        max |b - A x| / (max-norm |A| |x| + |b|) over the right-hand sides, in
        the infinity norm (Higham, *Accuracy and Stability of Numerical
        Algorithms*, section 7.1); a few times the machine epsilon for a
        solution as good as rounding allows.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> x, info = smartsolve.solve(np.diag([2.0, 4.0]), [1.0, 1.0], return_info=True)
    >>> info.structure, info.method, info.rcond
    ('diagonal', 'division', 0.5)
    """

    structure: str | npt.NDArray[np.str_]
    method: str | npt.NDArray[np.str_]
    routine: str | npt.NDArray[np.str_]
    rcond: float | npt.NDArray[np.float64]
    backward_error: float | npt.NDArray[np.float64]

    @classmethod
    def from_table(
        cls, rows: npt.NDArray[Any], rcond: npt.NDArray[Any], backward_error: npt.NDArray[Any]
    ) -> "SolveInfo":
        """Build from row numbers of the table of methods, one a slice."""
        table = methods()
        structure = np.array([row["kind"] for row in table])[rows]
        method = np.array([row["method"] for row in table])[rows]
        routine = np.array([row["routine"] for row in table])[rows]
        if rows.ndim > 0:
            return cls(structure, method, routine, rcond, backward_error)
        return cls(str(structure), str(method), str(routine), float(rcond), float(backward_error))

    def __str__(self) -> str:
        if isinstance(self.structure, str):
            return (
                f"structure       {self.structure}\n"
                f"method          {self.method} ({self.routine})\n"
                f"rcond           {self.rcond:.3g}\n"
                f"backward error  {self.backward_error:.3g}"
            )
        pairs, counts = np.unique(
            np.stack([np.ravel(self.structure), np.ravel(self.method)]), axis=1, return_counts=True
        )
        lines = [f"{'slices':>10}  {'structure':<20}  method"]
        for structure, method, count in zip(*pairs, counts, strict=True):
            lines.append(f"{count:>10}  {structure:<20}  {method}")
        lines.append(f"smallest rcond        {np.nanmin(self.rcond, initial=np.inf):.3g}")
        lines.append(f"worst backward error  {np.nanmax(self.backward_error, initial=0.0):.3g}")
        return "\n".join(lines)
