"""Models written as formulas, read by formulaic."""

import re
from typing import Any

from smartsolve._install import install


def need_formulaic(what: str) -> Any:
    """The module, or an error that names what needs it."""
    try:
        import formulaic
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} needs formulaic: {install('formula')}", name="formulaic"
        ) from error
    return formulaic


def instrumental(formula: str, data: Any) -> dict[str, Any]:
    """y, exog, endog and instruments of ``y ~ x + [w ~ z]``, as data frames."""
    formulaic = need_formulaic("a formula")
    sides = re.fullmatch(
        r"([^~\[\]]+)~([^\[\]]*)(?:\[([^~\[\]]+)~([^~\[\]]+)\])?([^\[\]]*)", formula
    )
    if sides is None:
        raise ValueError(f"formula is {formula!r}; it must be like 'y ~ x1 + x2 + [w ~ z1 + z2]'")
    dependent, before, endog, instruments, after = sides.groups()
    terms = " ".join(part.strip().strip("+").strip() for part in (before, after))
    exog = " + ".join(part for part in terms.split("  ") if part).strip() or "1"

    def matrix(text: str, constant: bool) -> Any:
        frame = formulaic.model_matrix(text if constant else f"{text} - 1", data, na_action="raise")
        return frame if frame.shape[1] else None

    return {
        "y": matrix(dependent.strip(), False),
        "exog": matrix(exog, True),
        "endog": matrix(endog.strip(), False) if endog else None,
        "instruments": matrix(instruments.strip(), False) if instruments else None,
    }
