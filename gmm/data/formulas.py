"""Models written as formulas, read by formulaic."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Self

from gmm.data.labels import chosen_columns
from smartsolve._install import install

# Arguments that columns of the data may be, by their names.
_OF_ROWS = ("clusters", "fweight", "aweight")
_LIKE = "'y ~ x1 + x2 + [w ~ z1 + z2]'"
_OPENING = {"(": ")", "[": "]", "{": "}"}


def need_formulaic(what: str) -> Any:
    """The module, or an error that names what needs it."""
    try:
        import formulaic
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} needs formulaic: {install('formula')}", name="formulaic"
        ) from error
    return formulaic


def in_words(error: Exception) -> str:
    """What formulaic says first; below it shows the place, in colours for a terminal."""
    return str(error).partition("\n")[0].rstrip(".")


def names_of_caller(depth: int) -> Mapping[str, Any]:
    """What the function so many calls up can name: its variables, and those of its module."""
    frame = sys._getframe(depth + 1)
    return {**frame.f_globals, **frame.f_locals}


class FromFormula:
    """A model of y, exog, endog and instruments, which a formula may name."""

    @classmethod
    def from_formula(cls, formula: str, data: Any, clusters: Any = None, **options: Any) -> Self:
        """The model of a formula over the columns of a data frame; needs formulaic.

        Parameters
        ----------
        formula : str
            ``"y ~ x1 + x2 + [w ~ z1 + z2]"``: endogenous regressors and their instruments stand
            in brackets. A constant is included unless ``0`` or ``-1`` says otherwise. Functions
            and variables of the caller may be used. Categories, of instruments too, are coded
            as what stands before them leaves it open, so that a constant takes one of them.
        data : DataFrame
            Rows with missing values must be dropped before.
        clusters : str, two str or array_like, optional
            As for the class, or columns of `data` by their names.
        **options
            As for the class; weights may be columns of `data`, too.
        """
        arguments = instrumental(formula, data, names_of_caller(1))
        rows = {"clusters": clusters, **options}
        chosen = {
            name: chosen_columns(x, name, data) if name in _OF_ROWS else x
            for name, x in rows.items()
        }
        return cls(**arguments, **chosen)


def instrumental(formula: str, data: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """y, exog, endog and instruments of ``y ~ x + [w ~ z]``, as data frames.

    `names` are functions and variables that the formula may use besides the columns of `data`.
    """
    formulaic = need_formulaic("a formula")
    dependent, exog, endog, instruments = divided(formula)

    def parsed(text: str, **options: Any) -> Any:
        try:
            return formulaic.Formula(text, **options)
        except formulaic.errors.FormulaParsingError as error:
            raise ValueError(
                f"formula is {formula!r}: {in_words(error)}; endogenous regressors and their "
                "instruments are written [w ~ z1 + z2]"
            ) from None

    def matrix(text: str) -> Any:
        # In the order of the text: what comes first decides how categories are coded.
        spec = parsed(text, _ordering="none")
        try:
            frame = spec.get_model_matrix(data, context=names, na_action="raise")
        except TypeError as error:
            dates = [str(name) for name, kind in data.dtypes.items() if kind.kind in "mM"]
            hint = f"; columns of dates are {', '.join(dates)}: give numbers" if dates else ""
            raise TypeError(f"formula is {formula!r}; its part {text!r}: {error}{hint}") from error
        return frame if frame.shape[1] else None

    own = matrix(exog)

    def beside_own(text: str) -> Any:
        """Columns that the exogenous ones lack: categories are coded against their span."""
        terms = {str(term) for term in parsed(f"{text} - 1")}
        if twice := terms & {str(term) for term in parsed(exog)}:
            raise ValueError(
                f"formula is {formula!r}; {min(twice)!r} stands outside of the bracket and in it. "
                "Exogenous regressors are their own instruments already"
            )
        both = matrix(f"{exog} + {text}")
        known = set() if own is None else set(own.columns)
        more = [name for name in both.columns if name not in known]
        return both[more] if more else None

    return {
        "y": matrix(f"{dependent} - 1"),
        "exog": own,
        "endog": beside_own(endog) if endog else None,
        "instruments": beside_own(instruments) if instruments else None,
    }


def divided(formula: str) -> tuple[str, str, str, str]:
    """The texts of y, X, W and Z of a formula; nothing in them is changed.

    >>> divided("y ~ x + [w ~ z] + log(v)")
    ('y', 'x + log(v)', 'w', 'z')
    """
    if not isinstance(formula, str):
        raise TypeError(f"formula is {formula!r}; it must be a text like {_LIKE}")
    marks = list(_marks(formula))
    if any(mark == "|" for mark, _, _ in marks):
        raise ValueError(
            f"formula is {formula!r}; bars between parts are those of R's ivreg and fixest. Here "
            f"endogenous regressors and their instruments stand in brackets: {_LIKE}"
        )
    tildes = [place for mark, place, _ in marks if mark == "~"]
    brackets = [(place, end) for mark, place, end in marks if mark == "["]
    if len(tildes) != 1 or len(brackets) > 1 or (brackets and brackets[0][0] < tildes[0]):
        raise ValueError(f"formula is {formula!r}; it must be like {_LIKE}")
    y, right = formula[: tildes[0]].strip(), formula[tildes[0] + 1 :]
    endog = instruments = ""
    if brackets:
        first, last = brackets[0]
        inside = formula[first + 1 : last]
        inner = [place for mark, place, _ in _marks(inside) if mark == "~"]
        if len(inner) != 1:
            raise ValueError(f"formula has the bracket [{inside}]; it must be like [w ~ z1 + z2]")
        endog, instruments = inside[: inner[0]].strip(), inside[inner[0] + 1 :].strip()
        before, after = formula[tildes[0] + 1 : first].rstrip(), formula[last + 1 :].lstrip()
        if (before and not before.endswith("+")) or (after and after[0] not in "+-"):
            raise ValueError(
                f"formula is {formula!r}; the bracket must be a term of a sum, as in {_LIKE}"
            )
        right = f"{before[:-1].rstrip()} {after}" if before else after.removeprefix("+")
    if not y or (brackets and not (endog and instruments)):
        raise ValueError(f"formula is {formula!r}; it must be like {_LIKE}")
    return y, right.strip() or "1", endog, instruments


def _marks(text: str) -> Iterator[tuple[str, int, int]]:
    """Tildes, bars and brackets outside of calls and quotes: which, where, and where it ends.

    A bracket that follows a name or a call is an index.
    """
    place, before = 0, ""
    while place < len(text):
        mark = text[place]
        end = place
        if mark in "'\"`":
            end = _end_of_quote(text, place)
        elif mark in _OPENING:
            end = _end_of_bracket(text, place)
            if mark == "[" and not (before.isalnum() or before in ("_", ")", "]", "`")):
                yield mark, place, end
        elif mark in "~|":
            yield mark, place, place
        if not mark.isspace():
            before = text[end]
        place = end + 1


def _end_of_quote(text: str, place: int) -> int:
    """Where what begins with a quote ends."""
    quote, at = text[place], place + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote != "`" else 1
    if at >= len(text):
        raise ValueError(f"formula is {text!r}; the quote {quote} is not closed")
    return at


def _end_of_bracket(text: str, place: int) -> int:
    """Where what begins with a bracket of any kind ends."""
    closing, at = _OPENING[text[place]], place + 1
    while at < len(text) and text[at] != closing:
        if text[at] in "'\"`":
            at = _end_of_quote(text, at)
        elif text[at] in _OPENING:
            at = _end_of_bracket(text, at)
        at += 1
    if at >= len(text):
        raise ValueError(f"formula is {text!r}; the bracket {text[place]} is not closed")
    return at
