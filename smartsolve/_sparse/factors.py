"""What every way of factoring gives, and what those need that the native core does not make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Factors", "PythonFactors", "inverse_norm1", "probe"]

Array = npt.NDArray[Any]

_PATTERN = 4096


class Factors(Protocol):
    """The factors of a square matrix; the native ``SparseFactors`` are of this kind.

    `status` is "ok", "singular" (then `index` and `axis` say where, if it is known, and `exact`
    whether the pattern alone tells), "not_positive_definite" or "unsuitable": the next method.
    """

    @property
    def status(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def axis(self) -> str: ...
    @property
    def exact(self) -> bool: ...
    @property
    def entries(self) -> int: ...
    @property
    def flops(self) -> float: ...
    @property
    def bytes(self) -> int: ...
    def solve(
        self, b: Array, *, transposed: bool = False, conjugate: bool = False, workers: int = 1
    ) -> Array: ...
    def passes_screen(self) -> bool: ...
    def rcond(self) -> float: ...
    def determinant(self) -> tuple[Any, int]: ...


class PythonFactors(ABC):
    """Factors that another library keeps: all that can be told from its solutions."""

    status = "ok"
    index = -1
    axis = "column"
    exact = False
    entries = 0
    flops = 0.0
    bytes = 0

    def __init__(self, dtype: np.dtype[Any], n: int, norm1: float) -> None:
        self._dtype, self._n, self._norm1 = dtype, n, norm1
        self._rcond: float | None = None

    @abstractmethod
    def _solve(self, b: Array, trans: str) -> Array:
        """Solve for (n,) or (n, k) of the factors' type with A, A^T or A^H: "N", "T", "H"."""

    def solve(
        self, b: Array, *, transposed: bool = False, conjugate: bool = False, workers: int = 1
    ) -> Array:
        """As the native ones: a complex b with real factors is two real ones."""
        if self._n == 0 or b.size == 0:
            return np.zeros(b.shape, np.result_type(self._dtype, b.dtype))
        if self._dtype.kind != "c":
            trans = "T" if transposed else "N"
            if b.dtype.kind == "c":
                parts = np.concatenate([b.real, b.imag], axis=-1) if b.ndim > 1 else None
                if parts is None:
                    parts = np.stack([b.real, b.imag], axis=-1)
                real, imaginary = np.split(self._real(parts, trans), 2, axis=-1)
                return (real + 1j * imaginary).reshape(b.shape)
            return self._real(b, trans)
        if conjugate and not transposed:
            return self._solve(b.conj(), "N").conj()
        return self._solve(b, ("H" if conjugate else "T") if transposed else "N")

    def _real(self, b: Array, trans: str) -> Array:
        return self._solve(b.astype(self._dtype, copy=False), trans)

    def passes_screen(self) -> bool:
        """Whether a probe's solution stays far from 1 / eps.

        What it grows to is seldom below a thousandth of the norm of the inverse (Dixon, SIAM J.
        Numer. Anal. 20, 1983).
        """
        n, norm, eps = self._n, self._norm1, float(np.finfo(self._dtype).eps)
        if n == 0 or not np.isfinite(norm):
            return True
        with np.errstate(all="ignore"):
            growth = norm * float(np.abs(self._solve(probe(n, self._dtype), "N")).max())
        healthy = 1 / (eps * n * (1000 if eps < 1e-10 else 100))
        # A probe of 1/2 at least grows to 1 / (2 |A|) at least, or the factors are wrong.
        return growth < healthy and 4 * n * growth > 1

    def rcond(self) -> float:
        """Estimate in the 1-norm; 0 where the solves overflow."""
        if self._rcond is None:
            self._rcond = self._estimate()
        return self._rcond

    def _estimate(self) -> float:
        if self._n == 0:
            return np.inf
        if not np.isfinite(self._norm1):
            return np.nan
        with np.errstate(all="ignore"):
            inverse = inverse_norm1(self._n, self._dtype, self._solve)
            estimate = 1 / inverse / self._norm1 if inverse else 0.0
        # No condition number is below 1, unless the solves overflowed.
        return float(estimate) if estimate <= 2 else 0.0

    @abstractmethod
    def determinant(self) -> tuple[Any, int]:
        """Mantissa and exponent: ``mantissa * 2**exponent``."""


def probe(n: int, dtype: np.dtype[Any]) -> Array:
    """The same every time: from 1/2 to 1 with a random sign, orthogonal to nothing likely."""
    values = np.random.Generator(np.random.PCG64(2463534242)).random(min(n, _PATTERN)) - 0.5
    return np.resize((values + np.copysign(0.5, values)).astype(dtype), n)


def inverse_norm1(n: int, dtype: np.dtype[Any], solve: Callable[[Array, str], Array]) -> float:
    """A lower bound of the 1-norm of the inverse, seldom below a third of it.

    Hager's method with Higham's safeguards (ACM TOMS 14, 1988, Algorithm 4.1), as LAPACK's lacn2,
    but with the two first vectors solved for together.
    """
    start = np.empty((n, 2), dtype, order="F")
    start[:, 0] = 1 / n
    ramp = 1 + np.arange(n) / max(n - 1, 1)
    start[:, 1] = np.where(np.arange(n) % 2, -ramp, ramp)
    x, alternating = solve(start, "N").T
    estimate = float(np.abs(x).sum())
    if n == 1 or not np.isfinite(estimate):
        return estimate
    signs, last = np.zeros(n, dtype), -1
    for iteration in range(5):
        size = np.abs(x)
        new = np.where(size > 0, x / np.where(size > 0, size, 1), 1).astype(dtype)
        if dtype.kind != "c" and iteration and np.array_equal(new, signs):
            break
        signs = new
        gradient = np.abs(solve(signs, "H"))
        largest = int(np.argmax(gradient))
        if iteration and gradient[largest] == gradient[last]:
            break
        last = largest
        unit = np.zeros(n, dtype)
        unit[largest] = 1
        x = solve(unit, "N")
        better = float(np.abs(x).sum())
        if not np.isfinite(better):
            return better
        if better <= estimate:
            break
        estimate = better
    return max(estimate, 2 * float(np.abs(alternating).sum()) / (3 * n))
