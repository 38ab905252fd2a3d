"""A walk through the options of every call: which are ignored in silence?

An option that is ignored in some combination takes a value there that is none, or changes nothing.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from scipy import sparse

import smartsolve

MATRIX = np.array([[4.0, 1.0, 0.0], [2.0, 5.0, 1.0], [0.0, 1.0, 3.0]])
VECTOR = np.array([1.0, 2.0, 3.0])
SINGULAR = np.ones((3, 3))

# Values that are none; an option of factorize's that belongs elsewhere has no value there.
NONSENSE: dict[str, Any] = {
    "assume_a": "nonsense",
    "structure": "nonsense",
    "on_singular": "nonsense",
    "workers": "x",
    "precision": "nonsense",
    "accuracy": "nonsense",
    "engine": "nonsense",
    "align": "nonsense",
    "dtype": "nonsense",
    "tol": "x",
    "no_option": 1,
}
# Values that are, beside which a wrong one may be overlooked.
VALID: dict[str, Any] = {
    "assume_a": "general",
    "structure": "general",
    "lower": True,
    "transposed": True,
    "conjugate": True,
    "overwrite_a": True,
    "overwrite_b": True,
    "check_finite": True,
    "on_singular": "nan",
    "workers": 2,
    "return_info": True,
    "precision": "mixed",
    "accuracy": "full",
    "engine": "umfpack",
    "sparse_x": True,
    "align": "position",
    "dtype": "float32",
    "minimum_norm": True,
    "tol": 1e-3,
}
Pose = Callable[[Any, Any], tuple[Any, Any]]


CALLS: dict[str, Callable[..., Any]] = {
    "solve": smartsolve.solve,
    "mldivide": smartsolve.mldivide,
    "mrdivide": lambda a, b, **options: smartsolve.mrdivide(b, a, **options),
    "factorize": lambda a, b, **options: smartsolve.factorize(a, **options),
}
WITH_FACTORS: dict[str, Callable[..., Any]] = {
    **{name: CALLS[name] for name in ("solve", "mldivide", "mrdivide")},
    "Factorization.solve": lambda f, b, **options: f.solve(b, **options),
}
OF_FACTORS = ("transposed", "conjugate", "accuracy", "return_info")


def options_of(call: str) -> list[str]:
    """Those that the signature has, so that a new one is walked as well."""
    if call == "Factorization.solve":
        return list(OF_FACTORS)
    parameters = inspect.signature(getattr(smartsolve, call)).parameters.values()
    return [p.name for p in parameters if p.name not in ("a", "b") and p.kind is not p.VAR_KEYWORD]


def calls(pose: Pose, is_factored: bool) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each call, of a system that is posed anew."""
    for name, call in (WITH_FACTORS if is_factored else CALLS).items():

        def run(
            a: Any = MATRIX,
            b: Any = VECTOR,
            call: Callable[..., Any] = call,
            name: str = name,
            **options: Any,
        ) -> Any:
            a, b = pose(a.copy(), b.copy())
            if name == "mrdivide" and len(b.shape) > 1:
                b = b.T if len(b.shape) == 2 else np.swapaxes(b, -1, -2)
            if hasattr(a, "dims"):  # xarray's: the dimension that the rows of b meet
                turned = name == "mrdivide" or bool(options.get("transposed"))
                b = b.rename(dict(zip(b.dims, a.dims[1:] if turned else a.dims[:1], strict=True)))
            with warnings.catch_warnings(), smartsolve.errstate(singular="nan"):
                warnings.simplefilter("ignore")
                if is_factored:
                    a = smartsolve.factorize(a)
                x = call(a, b, **options)
                return x.compute() if type(x).__module__.startswith("dask") else x

        yield name, run


def ignored(pose: Pose, is_factored: bool = False) -> list[str]:
    """The options of whose values nobody takes notice, with what stands beside them."""
    found = []
    for name, run in calls(pose, is_factored):
        run()
        known = options_of(name)
        for option in [*known, "no_option"]:
            if option not in NONSENSE:
                continue
            beside: list[dict[str, Any]] = [{}]
            beside += [{other: VALID[other]} for other in known if other != option]
            for others in beside:
                try:
                    run(**{option: NONSENSE[option]}, **others)
                except (TypeError, ValueError, LookupError, ImportError):
                    continue
                found.append(f"{name}: {option}, beside {others}")
    return found


def numbers(x: Any) -> Any:
    """Those of an answer of any kind, without its info."""
    x = x[0] if isinstance(x, tuple) else x
    x = getattr(x, "magnitude", x)
    return np.asarray(x.toarray() if sparse.issparse(x) else x)


def without_effect(pose: Pose, is_factored: bool = False) -> list[str]:
    """The flags that change nothing, and raise nothing."""
    found = []
    for name, run in calls(pose, is_factored):
        if name == "factorize":
            continue
        known = options_of(name)
        for option, has_effect in EFFECTS.items():
            if option not in known:
                continue
            for other in [None, *known]:
                if other in (option, "overwrite_a", "overwrite_b", "assume_a", "lower"):
                    continue
                others = {} if other is None else {other: VALID[other]}
                try:
                    seen = has_effect(run, others, "right" if name == "mrdivide" else "left")
                except (TypeError, ValueError, ImportError, LinAlgError):
                    continue
                if not seen:
                    found.append(f"{name}: {option}, beside {others}")
    return found


def _has_info(run: Any, others: Any, side: str) -> bool:
    solved = run(return_info=True, **others)
    x, info = solved
    bound = info.error_bound
    return bound is None or np.shape(bound) == numbers(x).shape


def _has_bound(run: Any, others: Any, side: str) -> bool:
    solved = run(accuracy="certified", **{**others, "return_info": True})
    return np.shape(solved[1].error_bound) == numbers(solved[0]).shape


def _is_of_the_transpose(run: Any, others: Any, side: str) -> bool:
    x = numbers(run(transposed=True, **others)).ravel()[:3]
    return np.allclose(MATRIX.T @ x, VECTOR, rtol=1e-5)


def _is_the_shortest(run: Any, others: Any, side: str) -> bool:
    x = numbers(run(SINGULAR, 3 * VECTOR[:1].repeat(3), minimum_norm=True, **others))
    return np.allclose(x, 1, rtol=1e-5)


def _knows_the_tolerance(run: Any, others: Any, side: str) -> bool:
    x = numbers(run(tol=10.0, **others)).ravel()[:3]
    return not np.allclose((MATRIX if side == "left" else MATRIX.T) @ x, VECTOR, rtol=1e-3)


def _refuses_infinite(run: Any, others: Any, side: str) -> bool:
    for k in range(2):
        a, b = MATRIX.copy(), VECTOR.copy()
        (a, b)[k].flat[1] = np.inf
        try:
            run(a, b, check_finite=True, **others)
        except ValueError as error:
            if "infs or NaNs" not in str(error):
                raise
        else:
            return False
    return True


def _is_sparse(run: Any, others: Any, side: str) -> bool:
    x = run(sparse_x=True, **others)
    return sparse.issparse(x[0] if isinstance(x, tuple) else x)


def _is_single(run: Any, others: Any, side: str) -> bool:
    return numbers(run(dtype="float32", **others)).dtype == np.float32


EFFECTS: dict[str, Callable[[Any, Any, str], bool]] = {
    "return_info": _has_info,
    "accuracy": _has_bound,
    "transposed": _is_of_the_transpose,
    "minimum_norm": _is_the_shortest,
    "tol": _knows_the_tolerance,
    "check_finite": _refuses_infinite,
    "sparse_x": _is_sparse,
    "dtype": _is_single,
}
