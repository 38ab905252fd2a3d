from typing import Any, Literal, TypedDict, overload

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
    on_singular: Literal["raise", "nan"] | None = None,
    workers: int = 1,
    return_info: Literal[False] = False,
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
    on_singular: Literal["raise", "nan"] | None = None,
    workers: int = 1,
    return_info: Literal[True],
) -> tuple[npt.NDArray[Any], SolveInfo]: ...
def scan(a: npt.NDArray[Any], /) -> tuple[npt.NDArray[Any], ...]: ...
def methods() -> tuple[MethodRow, ...]: ...
def solve_with_row(row: int, a: npt.NDArray[Any], b: npt.NDArray[Any], /) -> npt.NDArray[Any]: ...
def kinds() -> tuple[str, ...]: ...
def flops(
    row: int, n: float, nrhs: float, kl: float, ku: float, work: float = -1.0, /
) -> float: ...
def instruction_sets() -> tuple[str, ...]: ...
def instruction_set() -> str: ...
