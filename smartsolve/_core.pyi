from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
import numpy.typing as npt

from ._factored import FactoredMatrix
from ._report import SolveInfo
from ._types import (
    Named,
    Plain,
    SolveOptions,
    SparseLike,
)

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
    a: Named, b: Any, *, return_info: bool = False, **options: Unpack[SolveOptions]
) -> Any: ...
@overload
def solve(
    a: Plain | SparseLike | Factors | FactoredMatrix,
    b: Plain | SparseLike,
    *,
    return_info: Literal[False] = False,
    **options: Unpack[SolveOptions],
) -> npt.NDArray[Any]: ...
@overload
def solve(
    a: Plain | SparseLike | Factors | FactoredMatrix,
    b: Plain | SparseLike,
    *,
    return_info: Literal[True],
    **options: Unpack[SolveOptions],
) -> tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def solve(
    a: Plain | SparseLike | Factors | FactoredMatrix,
    b: Plain | SparseLike,
    *,
    return_info: bool,
    **options: Unpack[SolveOptions],
) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], SolveInfo]: ...
@overload
def solve(a: Any, b: Any, *, return_info: bool = False, **options: Unpack[SolveOptions]) -> Any: ...

_C_API: object
__version__: str

class Factors:
    """The native half of `smartsolve.Factorization`."""

    _matrix: npt.NDArray[Any]
    _declared: str | None
    _lower: bool
    def __init__(
        self, a: npt.ArrayLike, structure: str | None = None, lower: bool = False
    ) -> None: ...
    def solve(
        self,
        b: npt.ArrayLike,
        *,
        transposed: bool = False,
        conjugate: bool = False,
        accuracy: Literal["full", "certified"] | None = None,
        return_info: bool = False,
    ) -> Any: ...
    def _rows(self) -> npt.NDArray[np.int8]: ...
    def _triangles(
        self,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intc], bool] | None: ...
    def _declined(self) -> npt.NDArray[np.intp]: ...
    def _rconds(self) -> npt.NDArray[np.float64]: ...
    def _determinants(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]: ...

class SparseFactors:
    """Factors of a sparse matrix by one method, or the reason why there are none."""

    @property
    def method(self) -> str: ...
    @property
    def matrix(self) -> SparseMatrix: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def status(
        self,
    ) -> Literal["ok", "singular", "not_positive_definite", "not_finite", "unsuitable"]: ...
    @property
    def index(self) -> int: ...
    @property
    def axis(self) -> Literal["row", "column"]: ...
    @property
    def exact(self) -> bool: ...
    @property
    def entries(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def flops(self) -> float: ...
    @property
    def growth(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def ordering(self) -> str | None: ...
    def solve(
        self,
        b: npt.ArrayLike,
        *,
        transposed: bool = False,
        conjugate: bool = False,
        workers: int = 1,
    ) -> npt.NDArray[Any]: ...
    def passes_screen(self) -> bool: ...
    def rcond(self) -> float: ...
    def determinant(self) -> tuple[complex, int]: ...

class SparseMatrix:
    """Canonical arrays of a sparse matrix by columns or by rows."""

    def __init__(
        self,
        data: npt.NDArray[Any],
        indices: npt.NDArray[Any],
        indptr: npt.NDArray[Any],
        shape: tuple[int, int],
        csr: bool = False,
        /,
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def nnz(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def csr(self) -> bool: ...
    @property
    def borrowed(self) -> bool: ...
    @property
    def in_range(self) -> bool: ...
    @property
    def range(self) -> tuple[int, int]: ...
    def arrays(
        self,
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32], npt.NDArray[np.int32]]: ...
    def csc(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32], npt.NDArray[np.int32]]: ...
    def owned(self) -> SparseMatrix: ...
    def astype(self, dtype: npt.DTypeLike, /) -> SparseMatrix: ...
    def dense(self) -> npt.NDArray[Any]: ...
    def dot(
        self, x: npt.ArrayLike, *, transposed: bool = False, conjugate: bool = False
    ) -> npt.NDArray[Any]: ...
    def norm1(self) -> float: ...
    def residual(self, x: npt.ArrayLike, b: npt.ArrayLike, /) -> float: ...
    def scan(self) -> dict[str, Any]: ...
    def peel(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] | None: ...
    def blocks(self) -> dict[str, Any]: ...
    def independent_blocks(self) -> dict[str, Any] | None: ...
    def has_independent_blocks(self, neighbouring: bool, /) -> bool: ...
    def order(self, name: str, /) -> npt.NDArray[np.intp]: ...
    def band(self, order: npt.ArrayLike, /) -> tuple[int, int]: ...
    def narrow(self, most: int, /) -> tuple[int, tuple[npt.NDArray[np.intp], int, int] | None]: ...
    def plan(self, method: str, ordering: str | None = None) -> dict[str, Any]: ...
    def factor(
        self,
        method: str,
        /,
        *,
        ordering: str | npt.ArrayLike | None = None,
        workers: int = 1,
        tolerance: float | None = None,
    ) -> SparseFactors: ...

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
def read_entries(
    text: bytes,
    offset: int,
    line: int,
    m: int,
    n: int,
    count: int,
    field: str,
    rows: npt.NDArray[Any] | None,
    columns: npt.NDArray[Any] | None,
    values: npt.NDArray[Any] | None,
    /,
) -> None: ...
def choose(kind: int, n: int, /) -> int: ...
def band_pays(n: int, kl: int, ku: int, /) -> bool: ...
def xla_handlers() -> dict[str, object]: ...
def crossovers() -> dict[str, int]: ...
def methods() -> tuple[MethodRow, ...]: ...
def solve_with_row(
    row: int, a: npt.NDArray[Any], b: npt.NDArray[Any], mixed: bool = False, /
) -> npt.NDArray[Any]: ...
def residual(
    a: npt.NDArray[Any], x: npt.NDArray[Any], y: npt.NDArray[Any], b: npt.NDArray[Any], /
) -> npt.NDArray[np.float64]: ...
def residual_of_three(
    a: npt.NDArray[Any],
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    z: npt.NDArray[Any],
    b: npt.NDArray[Any],
    /,
) -> npt.NDArray[np.float64]: ...
def bound_by_inverse(
    a: npt.NDArray[np.float64],
    inverse: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    /,
) -> npt.NDArray[np.float64]: ...
def bound_by_triangles(
    a: npt.NDArray[np.float64],
    r: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    factor: float,
    halves_may_do: bool,
    lu: npt.NDArray[np.float64] = ...,
    rows: npt.NDArray[np.intc] = ...,
    of_transpose: bool = ...,
    /,
) -> npt.NDArray[np.float64] | None: ...
def extremes(x: npt.NDArray[Any], /) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
def solve_long(
    a: npt.NDArray[Any], b: npt.NDArray[Any], /
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool], npt.NDArray[np.int8]]: ...
def residues(
    a: npt.NDArray[Any], b: npt.NDArray[Any], primes: npt.NDArray[np.uint64], /
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool]]: ...
def solve_again(a: npt.NDArray[Any], b: npt.NDArray[Any], times: int, /) -> None: ...
def kinds() -> tuple[str, ...]: ...
def flops(
    row: int, n: float, nrhs: float, kl: float, ku: float, work: float = -1.0, /
) -> float: ...
def instruction_sets() -> tuple[str, ...]: ...
def instruction_set() -> str: ...
