"""Options of `fit` that do not exist, and those that were meant."""

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

# What other packages call it.
_ELSEWHERE = {
    "cov_type": "cov",
    "vcov": "cov",
    "se_type": "cov",
    "weight_type": "weights",
    "wmatrix": "weights",
    "iter_limit": "steps",
    "maxiter": "max_iterations",
    "itermax": "max_iterations",
    "tol": "tolerance",
    "debiased": "small_sample",
    "use_t": "small_sample",
    "initial_weight": "initial",
    "inv_weights": "initial",
    "start_params": "start",
    "starting": "start",
    "t0": "start",
}


def check_options(fit: Callable[..., Any], given: Iterable[str], argument: str = "fit") -> None:
    """Raise TypeError for options that this method does not have, naming what may be meant."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(fit).parameters.values()
    known = [p.name for p in parameters if p.kind in kinds and p.name != "self"]
    for name in given:
        if name in known:
            continue
        close = [_ELSEWHERE[name]] if _ELSEWHERE.get(name) in known else []
        close = close or difflib.get_close_matches(name, known, 1)
        hint = f"; do you mean {close[0]!r}?" if close else "."
        there = f"its options are {', '.join(known)}" if known else "it has none"
        raise TypeError(f"{argument} has no option {name!r}{hint} {there[0].upper()}{there[1:]}")
