from typing import Any, Literal, TypedDict, overload

import numpy as np
import numpy.typing as npt

from ._report import SolveInfo

MethodRow = TypedDict(
    "MethodRow",
    {
        "kind": str,
        "from": int,
        "method": str,
        "routine": str,
        "condition": str,
        "next": str | None,
    },
)

@overload
def solve(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    assume_a: str | None = None,
    lower: bool = False,
    transposed: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = False,
    on_singular: Literal["raise", "warn", "nan"] | None = None,
    workers: int = 1,
    return_info: Literal[False] = False,
    precision: Literal["mixed"] | None = None,
) -> npt.NDArray[Any]: ...
@overload
def solve(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    assume_a: str | None = None,
    lower: bool = False,
    transposed: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = False,
    on_singular: Literal["raise", "warn", "nan"] | None = None,
    workers: int = 1,
    return_info: Literal[True],
    precision: Literal["mixed"] | None = None,
) -> tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def solve(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    assume_a: str | None = None,
    lower: bool = False,
    transposed: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = False,
    on_singular: Literal["raise", "warn", "nan"] | None = None,
    workers: int = 1,
    return_info: bool,
    precision: Literal["mixed"] | None = None,
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], SolveInfo]: ...

class Factors:
    """The native half of `smartsolve.Factorization`."""

    _matrix: npt.NDArray[Any]
    _declared: str | None
    _lower: bool
    def __init__(
        self, a: npt.ArrayLike, structure: str | None = None, lower: bool = False
    ) -> None: ...
    def solve(
        self, b: npt.ArrayLike, *, transposed: bool = False, conjugate: bool = False
    ) -> npt.NDArray[Any]: ...
    def _rows(self) -> npt.NDArray[np.int8]: ...
    def _declined(self) -> npt.NDArray[np.intp]: ...
    def _rconds(self) -> npt.NDArray[np.float64]: ...
    def _determinants(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]: ...

def scan(a: npt.NDArray[Any], /) -> tuple[npt.NDArray[Any], ...]: ...
def least_squares(
    a: npt.NDArray[Any],
    b: npt.NDArray[Any],
    minimum_norm: bool,
    tolerance: float,
    own_below: int = ...,
    /,
) -> tuple[
    npt.NDArray[Any], npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64], int
]: ...
def choose(kind: int, n: int, /) -> int: ...
def band_pays(n: int, kl: int, ku: int, /) -> bool: ...
def crossovers() -> dict[str, int]: ...
def methods() -> tuple[MethodRow, ...]: ...
def solve_with_row(
    row: int, a: npt.NDArray[Any], b: npt.NDArray[Any], mixed: bool = False, /
) -> npt.NDArray[Any]: ...
def kinds() -> tuple[str, ...]: ...
def flops(
    row: int, n: float, nrhs: float, kl: float, ku: float, work: float = -1.0, /
) -> float: ...
def instruction_sets() -> tuple[str, ...]: ...
def instruction_set() -> str: ...
