"""Other libraries' factorizations: by name only, and never imported unasked.

Some are GPL, some bring threads of their own, and some answer with numbers for a singular matrix:
every answer is verified by its residual.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.linalg import LinAlgError

from .. import _errors
from .._install import install
from .choose import Factored, emptiness
from .factors import PythonFactors, probe
from .methods import METHODS, NOT_FINITE, Method
from .operands import SparseMatrix
from .product import backward_error
from .scan import Facts

__all__ = ["ENGINES", "factor"]

Array = npt.NDArray[Any]

# An answer with a larger backward error is none.
_TOLERANCE = 1.5e-8


class EngineFactors(PythonFactors):
    """Of an engine, in double precision whatever the matrix'."""

    def __init__(self, facts: Facts) -> None:
        matrix = facts.matrix
        super().__init__(matrix.dtype, matrix.shape[0], matrix.norm1())
        self._matrix = matrix
        self._double = np.dtype(np.complex128 if matrix.dtype.kind == "c" else np.float64)
        try:
            self._factor(matrix.astype(self._double))
            self._solve(probe(self._n, matrix.dtype), "N")
        except (ArithmeticError, LinAlgError):
            self.status = "singular"

    @abstractmethod
    def _factor(self, matrix: SparseMatrix) -> None:
        """Keep what `_answer` needs; ``ArithmeticError`` if the matrix is singular."""

    @abstractmethod
    def _answer(self, b: Array, trans: str) -> Array:
        """The engine's solution for (n, k) columns in Fortran order, which it may overwrite."""

    def _solve(self, b: Array, trans: str) -> Array:
        columns = np.array(b.reshape(self._n, -1), self._double, order="F")
        x = self._answer(columns, trans).reshape(b.shape).astype(self._dtype, copy=False)
        given, against = (x.conj(), b.conj()) if trans == "H" else (x, b)
        error = backward_error(self._matrix, given, against, trans != "N")
        finite = np.isfinite(b).all()
        if finite and not error <= _TOLERANCE * (1 if self._dtype.char in "dD" else 1e3):
            raise LinAlgError(_errors.sparse_singular(_doubt(error)))
        return x

    def determinant(self) -> tuple[Any, int]:
        raise TypeError("this engine does not tell the determinant; factorize without an engine")


def _doubt(error: float) -> str:
    return f"the engine's answer has a backward error of {error:.3g}, as of a singular matrix"


class _Suite(EngineFactors):
    """SuiteSparse as cvxopt and kvxopt bring it."""

    package: Any = None

    def _matrix_of(self, matrix: SparseMatrix) -> Any:
        data, indices, indptr = matrix.csc()
        columns = np.repeat(np.arange(self._n), np.diff(indptr))
        dense = self.package.matrix
        integers = [dense(np.ascontiguousarray(part, np.int64)) for part in (indices, columns)]
        code = "z" if data.dtype.kind == "c" else "d"
        return self.package.spmatrix(dense(data), *integers, matrix.shape, code)

    def _in_place(self, b: Array, solve: Callable[[Any], None]) -> Array:
        held = self.package.matrix(b)
        solve(held)
        return np.array(held).reshape(b.shape, order="F")


class Cholmod(_Suite):
    """Supernodal Cholesky of positive definite matrices."""

    def _factor(self, matrix: SparseMatrix) -> None:
        self.package = _imported("cholmod", "cvxopt")
        self._cholmod = _imported("cholmod", "cvxopt.cholmod")
        a = self._matrix_of(matrix)
        self._factors = self._cholmod.symbolic(a)
        self._cholmod.numeric(a, self._factors)

    def _answer(self, b: Array, trans: str) -> Array:
        if trans == "T":  # of a Hermitian matrix the transpose is the conjugate
            return self._answer(b.conj(), "N").conj()
        return self._in_place(b, lambda held: self._cholmod.solve(self._factors, held))

    def determinant(self) -> tuple[Any, int]:
        diagonal = np.array(self._cholmod.diag(self._factors)).ravel().real
        mantissas, exponents = np.frexp(diagonal)
        mantissa, exponent = 1.0, 2 * int(exponents.sum(dtype=np.int64))
        for value in mantissas.tolist():
            mantissa, shift = np.frexp(mantissa * value * value)
            exponent += int(shift)
        return mantissa, exponent


class Umfpack(_Suite):
    """Multifrontal LU."""

    def _factor(self, matrix: SparseMatrix) -> None:
        self.package = _imported("umfpack", "cvxopt")
        self._umfpack = _imported("umfpack", "cvxopt.umfpack")
        self._a = self._matrix_of(matrix)
        self._factors = self._umfpack.numeric(self._a, self._umfpack.symbolic(self._a))

    def _answer(self, b: Array, trans: str) -> Array:
        trans = trans.replace("H", "C")
        return self._in_place(
            b, lambda held: self._umfpack.solve(self._a, self._factors, held, trans)
        )


class Klu(_Suite):
    """LU of block triangular form, for circuits."""

    def _factor(self, matrix: SparseMatrix) -> None:
        self.package = _imported("klu", "kvxopt")
        self._klu = _imported("klu", "kvxopt.klu")
        self._a = self._matrix_of(matrix)
        self._symbolic = self._klu.symbolic(self._a)
        self._numeric = self._klu.numeric(self._a, self._symbolic)

    def _answer(self, b: Array, trans: str) -> Array:
        trans = trans.replace("H", "C")
        return self._in_place(
            b, lambda held: self._klu.solve(self._a, self._symbolic, self._numeric, held, trans)
        )


class Pardiso(EngineFactors):
    """MKL's, which pypardiso leads to for real matrices: a complex one is real of twice the order.

    The transpose of that real matrix stands for the adjoint.
    """

    def _factor(self, matrix: SparseMatrix) -> None:
        from scipy.sparse import block_array, csc_array, csr_matrix

        package = _imported("pardiso", "pypardiso")
        self._solver = package.PyPardisoSolver()
        a = csc_array(matrix.csc(), shape=matrix.shape)
        if matrix.dtype.kind == "c":
            a = block_array([[a.real, -a.imag], [a.imag, a.real]])
        self._a = csr_matrix(a)
        self._a.sort_indices()
        self._solver.factorize(self._a)
        self._perturbed = int(self._solver.get_iparm(14))
        self._solver.set_phase(33)

    def _answer(self, b: Array, trans: str) -> Array:
        if b.dtype.kind == "c":
            if trans == "T":
                return self._answer(b.conj(), "H").conj()
            parts = self._by_pardiso(np.concatenate([b.real, b.imag]), "T" if trans == "H" else "N")
            return np.asarray(parts[: self._n] + 1j * parts[self._n :])
        return self._by_pardiso(b, trans)

    def _by_pardiso(self, b: Array, trans: str) -> Array:
        self._solver.set_iparm(12, 0 if trans == "N" else 2)
        x: Array = self._solver._call_pardiso(self._a, np.asfortranarray(b))
        if self._perturbed and b.size:
            # Pivots near zero were replaced. If the matrix is singular x is as large as they are
            # small, and beside that any residual is small: here it must be against b.
            a = self._a if trans == "N" else self._a.T
            error = float(np.abs(a @ x - b).max() / np.abs(b).max()) if b.any() else 0.0
            if not error <= _TOLERANCE:
                raise LinAlgError(_errors.sparse_singular(_doubt(error)))
        return x


# The class, the extra of this package that installs its library, and for what it is.
ENGINES: dict[str, tuple[type[EngineFactors], str, str]] = {
    "cholmod": (Cholmod, "CHOLMOD", "cvxopt"),
    "umfpack": (Umfpack, "UMFPACK", "cvxopt"),
    "klu": (Klu, "KLU", "kvxopt"),
    "pardiso": (Pardiso, "PARDISO", "pypardiso"),
}


def _imported(engine: str, module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"engine={engine!r} needs {package}, which cannot be imported ({error}): "
            f"{install(f'sparse-{engine}')}"
        ) from error


def factor(facts: Facts, engine: str) -> Factored:
    """Factor by an engine, whatever the structure; a missing one is an ``ImportError``."""
    if engine not in ENGINES:
        listed = ", ".join(map(repr, ENGINES))
        raise ValueError(f"engine is {engine!r}; expected None or one of {listed}")
    make, name, _ = ENGINES[engine]
    row = _row(facts, name)
    if singular := emptiness(facts):
        return Factored(facts, row, None, singular)
    if facts.scan["not_finite"]:
        return Factored(facts, NOT_FINITE, None)
    if engine == "cholmod" and not facts.is_definite_candidate:
        reason = facts.asymmetry(True) if not facts.scan["hermitian"] else facts.not_positive()
        raise LinAlgError(_errors.only_definite(engine, reason))
    if facts.n == 0:
        return Factored(facts, row, METHODS[-1].factor(facts, 1))
    factors = make(facts)
    if factors.status == "ok":
        return Factored(facts, row, factors)
    if engine == "cholmod":
        raise LinAlgError(_errors.only_definite(engine, "a leading minor is not positive"))
    return Factored(facts, row, None, f"{name} finds no solution")


def _row(facts: Facts, name: str) -> Method:
    """The row of the structure that the scan sees, with the engine's method."""
    general = METHODS[-1]
    structure = "general"
    if facts.scan["hermitian"]:
        structure = "positive definite" if facts.is_definite_candidate else "hermitian"
    return replace(general, structure=structure, method=name, routine=name)
