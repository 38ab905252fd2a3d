"""Each way to solve a @ x = b, and how its answer follows from the numbers alone."""

from collections.abc import Callable
from typing import Any

from smartsolve import factorize, mldivide, mrdivide, solve

# With b of one axis, x @ a = b is a.T @ x = b.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "solve": solve,
    "return_info": lambda a, b: solve(a, b, return_info=True)[0],
    "on_singular": lambda a, b: solve(a, b, on_singular="nan"),
    "assume_a": lambda a, b: solve(a, b, assume_a="general"),
    "workers": lambda a, b: solve(a, b, workers=2),
    "check_finite": lambda a, b: solve(a, b, check_finite=True),
    "transposed": lambda a, b: solve(a, b, transposed=True),
    "accuracy": lambda a, b: solve(a, b, accuracy="full"),
    "mldivide": mldivide,
    "mldivide with info": lambda a, b: mldivide(a, b, return_info=True)[0],
    "minimum norm": lambda a, b: mldivide(a, b, minimum_norm=True),
    "mrdivide": lambda a, b: mrdivide(b, a),
    "factorize": lambda a, b: factorize(a).solve(b),
    "factorize transposed": lambda a, b: factorize(a).solve(b, transposed=True),
    "solve of a factorization": lambda a, b: solve(factorize(a), b),
    "mldivide of a factorization": lambda a, b: mldivide(factorize(a), b),
    "mrdivide of a factorization": lambda a, b: mrdivide(b, factorize(a)),
}
# Where the rows of the answer are the rows of a.
TURNED = ("transposed", "factorize transposed", "mrdivide", "mrdivide of a factorization")
