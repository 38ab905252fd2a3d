"""Other libraries' functions while they are led here: what they give themselves is the oracle."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from scipy import sparse

import smartsolve

from ..smartsolve.accuracy import eps
from ..smartsolve.matrices import DTYPES, KINDS, ORDERS, Array, arranged, dtypes_of, random_matrix

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "numpy.linalg.solve": lambda a, b, **options: np.linalg.solve(a, b, **options),
    "numpy.linalg.inv": lambda a, b, **options: np.linalg.inv(a, **options),
    "scipy.linalg.solve": lambda a, b, **options: scipy.linalg.solve(a, b, **options),
    "spsolve": lambda a, b, **options: scipy.sparse.linalg.spsolve(a, b, **options),
    "factorized": lambda a, b, **options: scipy.sparse.linalg.factorized(a)(b, **options),
    "splu": lambda a, b, **options: scipy.sparse.linalg.splu(a).solve(b, **options),
}
SPARSE = ("spsolve", "factorized", "splu")
ASSUMED = {
    "symmetric": "sym", "positive definite": "pos", "diagonal": "diagonal", "general": "gen",
    "tridiagonal": "tridiagonal", "upper triangular": "upper triangular",
    "lower triangular": "lower triangular",
}  # fmt: skip


@dataclass
class Call:
    """A function, its operands and options."""

    seed: int
    a: Any
    b: Array
    kind: str
    function: str
    options: dict[str, Any] = field(default_factory=dict)
    is_disturbed: bool = False

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.function} of {self.kind}, a {self.a.shape} {self.a.dtype}, "
            f"b {self.b.shape} {self.b.dtype}, {self.options}"
        )


def make(seed: int) -> Call:
    """The case of a seed."""
    rng = np.random.default_rng([31, seed])
    kind = str(rng.choice(list(KINDS)))
    dtype = np.dtype(rng.choice(dtypes_of(kind)))
    function = str(rng.choice(list(FUNCTIONS)))
    n = int(rng.choice([*([0] if kind == "general" else []), 1, 2, 3, 5, 8, 9, 17, 33, 64]))
    batch = (int(rng.choice([0, 1, 3, 9])),) if rng.random() < 0.3 and function[0] == "n" else ()
    if function == "scipy.linalg.solve" and rng.random() < 0.2:
        batch = (3,)
    count = int(np.prod(batch))
    a: Any = np.array([random_matrix(kind, n, dtype, "C", rng) for _ in range(count)], dtype)
    a = a.reshape(*batch, n, n)
    shape = (n,) if rng.random() < 0.5 and not batch else (*batch, n, int(rng.choice([1, 2, 3])))
    values = rng.standard_normal(shape)
    of_b = np.dtype(rng.choice(DTYPES))
    b = (values + (1j * rng.standard_normal(shape) if of_b.kind == "c" else 0)).astype(of_b)
    call = Call(seed, a, b, kind, function)
    if n and count and rng.random() < 0.15:
        call.is_disturbed = True
        a[..., -1, :] = 0 if rng.random() < 0.5 else np.nan
    if function in SPARSE:
        form = str(rng.choice(["csc", "csr", "coo"])) if function == "spsolve" else "csc"
        call.a = sparse.coo_array(a).asformat(form)
        if function == "splu" and rng.random() < 0.4:
            call.options["trans"] = str(rng.choice(["T", "N", "H"]))
    else:
        call.a, call.b = arranged(a, str(rng.choice(ORDERS))), arranged(b, str(rng.choice(ORDERS)))
    if function == "scipy.linalg.solve" and not call.is_disturbed:
        if rng.random() < 0.4 and kind in ASSUMED:
            call.options["assume_a"] = ASSUMED[kind]
        elif rng.random() < 0.3 and dtype.kind != "c":
            call.options["transposed"] = True
        if rng.random() < 0.2:
            call.options[str(rng.choice(["overwrite_a", "overwrite_b", "check_finite"]))] = True
    return call


def complaints(case: Call) -> list[str]:
    """All that is wrong with a case."""
    run = FUNCTIONS[case.function]
    theirs = _ask(lambda: run(case.a.copy(), case.b.copy("K"), **case.options))
    a, b = case.a.copy(), case.b.copy("K")
    with smartsolve.patch_numpy(scipy=True, inv=True):
        ours = _ask(lambda: run(a, b, **case.options))
    found = []
    if not {"overwrite_a", "overwrite_b"} & set(case.options):
        kept = (a != case.a).nnz == 0 if case.function in SPARSE else _same(a, case.a)
        if not (kept or case.is_disturbed) or not _same(b, case.b):
            found.append("an input was changed")
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        return found + _errors(case, ours, theirs)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return [*found, f"{ours.shape} {ours.dtype}, theirs {theirs.shape} {theirs.dtype}"]
    if case.is_disturbed or not ours.size:
        return found
    unit = 500 * max(case.a.shape[-1], 4) ** 2 * eps(min(ours.dtype, case.a.dtype, key=_digits))
    off = np.abs(ours - theirs).max()
    if not off <= unit * np.abs(theirs).max():
        found.append(f"differs by {off:.3g} of {np.abs(theirs).max():.3g}")
    return found


def _digits(dtype: Any) -> float:
    return -eps(dtype)


def _same(x: Array, y: Array) -> bool:
    return x.tobytes() == y.tobytes()


def _errors(case: Call, ours: Any, theirs: Any) -> list[str]:
    """Errors of the same kind; of a singular matrix rounding may decide, or the method."""
    if case.is_disturbed and (isinstance(ours, np.linalg.LinAlgError | RuntimeError | ValueError)
                              or not isinstance(ours, Exception)):  # fmt: skip
        return []
    if isinstance(theirs, NotImplementedError) and case.options.get("transposed"):
        return []  # SciPy has no transposed complex systems
    if isinstance(ours, Exception) and isinstance(theirs, type(ours) | ValueError | TypeError):
        return []
    return [f"{ours!r:.200}, theirs {theirs!r:.200}"]


def _ask(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return np.asarray(call())
        except (ValueError, TypeError, RuntimeError) as error:
            return error
