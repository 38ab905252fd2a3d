"""What all factors can be asked for, whatever was factored and however."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

    from ._types import PerSystem

__all__ = ["FactoredMatrix", "Outer", "SlogdetResult", "plain"]


class SlogdetResult(NamedTuple):
    """As of `numpy.linalg.slogdet`: the determinant is ``sign * exp(logabsdet)``."""

    sign: PerSystem
    logabsdet: PerSystem


class FactoredMatrix:
    """What the factors of dense and of sparse matrices have in common."""

    @property
    def is_sparse(self) -> bool:
        """Whether a sparse matrix was factored."""
        return False

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def dtype(self) -> np.dtype[Any]: ...
        @property
        def rcond(self) -> PerSystem: ...
        def solve(
            self, b: Any, *, transposed: bool = False, conjugate: bool = False
        ) -> npt.NDArray[Any]: ...
        def _determinants(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]: ...
        def _posed(self) -> tuple[npt.NDArray[Any], Callable[..., FactoredMatrix]]:
            """The matrix, and what factors another one in the same way."""

    def det(self) -> Any:
        """Return the determinant, from the factors.

        It may overflow to Inf or underflow to zero where the solution does
        not; `slogdet` does neither.

        Returns
        -------
        scalar or (...) ndarray of the factorization's dtype

        Examples
        --------
        >>> smartsolve.factorize([[0.0, 1.0], [1.0, 0.0]]).det()
        -1.0
        """
        mantissas, exponents = self._determinants()
        # Beyond these exponents the result is Inf or 0 anyway; in two steps, for half of 2^e may
        # be out of range where the product is not.
        half = np.clip(exponents, -4000, 4000) // 2
        rest = np.clip(exponents, -4000, 4000) - half
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if mantissas.dtype.kind == "c":
                det = np.empty_like(mantissas)
                det.real = np.ldexp(np.ldexp(mantissas.real, half), rest)
                det.imag = np.ldexp(np.ldexp(mantissas.imag, half), rest)
            else:
                det = np.ldexp(np.ldexp(mantissas, half), rest)
        return plain(det)

    def slogdet(self) -> SlogdetResult:
        """Return sign and logarithm of the absolute value of the determinant.

        Returns
        -------
        sign : scalar or (...) ndarray
            1 or -1, or a complex number of modulus 1; 0 for a singular slice.
        logabsdet : float or (...) ndarray
            Logarithm of the modulus; -inf for a singular slice.

        See Also
        --------
        numpy.linalg.slogdet : The same, factoring anew.

        Examples
        --------
        The determinant of 10 I of order 400 is beyond float64:

        >>> f = smartsolve.factorize(10 * np.eye(400))
        >>> f.det()
        inf
        >>> sign, logabsdet = f.slogdet()
        >>> print(f"{sign} * 10^{logabsdet / np.log(10):.8f}")
        1.0 * 10^400.00000000
        """
        mantissas, exponents = self._determinants()
        modulus = np.abs(mantissas)
        with np.errstate(divide="ignore", invalid="ignore"):
            sign = np.where(modulus == 0, modulus, mantissas / modulus).astype(mantissas.dtype)
            log = (np.log(modulus) + exponents * np.log(2.0)).astype(modulus.dtype)
        return SlogdetResult(plain(sign), plain(log))

    def inv(self) -> npt.NDArray[Any]:
        """Return the inverse, column by column a solution.

        To solve a system, use `solve`: it is faster and more accurate than
        multiplying by the inverse.

        Returns
        -------
        (..., n, n) ndarray

        Examples
        --------
        >>> smartsolve.factorize([[1.0, 2.0], [3.0, 5.0]]).inv()
        array([[-5.,  2.],
               [ 3., -1.]])
        """
        return self.solve(np.eye(self.shape[-1], dtype=self.dtype))

    def as_linear_operator(self) -> LinearOperator:
        """Return the inverse of A as a SciPy ``LinearOperator``.

        What iterative solvers take as the preconditioner ``M`` and
        `scipy.sparse.linalg.eigs` as ``OPinv``: ``matvec(b)`` is ``solve(b)``,
        and ``rmatvec(b)`` solves with the adjoint.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Of shape (n, n).

        Raises
        ------
        ValueError
            For a stack: SciPy's operators have two axes.

        Examples
        --------
        >>> f = smartsolve.factorize(np.diag([1.0, 2.0, 4.0]))
        >>> f.as_linear_operator() @ np.ones(3)
        array([1.  , 0.5 , 0.25])
        """
        from scipy.sparse.linalg import LinearOperator

        if len(self.shape) > 2:
            raise ValueError(
                f"a stack of shape {self.shape} is not one linear operator; factorize its "
                "slices one by one"
            )

        def adjoint(b: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return self.solve(b, transposed=True, conjugate=True)

        return LinearOperator(
            self.shape,
            matvec=self.solve,
            rmatvec=adjoint,
            matmat=self.solve,
            rmatmat=adjoint,
            dtype=self.dtype,
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Outer(FactoredMatrix):
    """What is around factors: they do what is not done here."""

    factors: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.factors.shape)

    @property
    def is_sparse(self) -> bool:
        return bool(self.factors.is_sparse)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "factors":
            raise AttributeError(name)
        return getattr(self.factors, name)

    def __repr__(self) -> str:
        return f"{self.factors!r}"

    def _repr_html_(self) -> str:
        return str(self.factors._repr_html_())


def plain(values: npt.NDArray[Any]) -> Any:
    """A single system's value as a plain scalar, a stack's as the array."""
    return values.item() if values.ndim == 0 else values
