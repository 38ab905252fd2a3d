"""Several results side by side in one table."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from gmm.inference.estimates import Estimates, check_level
from gmm.inference.hypotheses import p_text
from gmm.inference.summary import Summary, figures

__all__ = ["compare"]

Below = Literal["se", "t", "p", "interval"]


def compare(
    results: Mapping[str, Estimates] | Sequence[Estimates] | Estimates,
    *,
    below: Below = "se",
    stars: bool | float | Sequence[float] = False,
    level: float = 0.95,
    names: Mapping[str, str] | None = None,
    omit: Sequence[str] = (),
    title: str = "Estimates side by side",
) -> Summary:
    """A table with a column for each result; prints as text, shows as HTML, `to_latex()`.

    Parameters
    ----------
    results : dict of str to GMMResult, sequence of GMMResult, or one
        Of one sample each, by the head of their columns.
    below : {"se", "t", "p", "interval"}
        What stands in parentheses below each estimate: its standard error, its ratio to that,
        its p-value, or its interval.
    stars : bool, float or sequence of float
        Levels at which an estimate gets one more star; True is (0.1, 0.05, 0.01). Off by
        default: a star says less than the interval.
    level : float
        Nominal coverage of the intervals.
    names : dict of str to str, optional
        Other labels for parameters; one label may stand for parameters of different results.
    omit : sequence of str
        Parameters that are left out.
    title : str
        The first line.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        If `names` or `omit` name what no result has, or one label stands for two parameters of
        one result.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(5)
    >>> z, noise = rng.standard_normal((500, 3)), rng.standard_normal(500)
    >>> w = z.sum(axis=1) + noise + rng.standard_normal(500)
    >>> y = 1 + 2 * w + 3 * noise
    >>> ones = np.ones((500, 1))
    >>> model = gmm.IV(y, exog=ones, endog=w, instruments=z)
    >>> results = {
    ...     "OLS": gmm.IV(y, exog=np.column_stack([ones, w])).fit(),
    ...     "2SLS": model.fit(steps=1),
    ...     "GMM": model.fit(),
    ... }
    >>> print(gmm.compare(results, names={"exog1": "w", "endog0": "w", "exog0": "const"}))
    Estimates side by side
    ------------------------------------------------------------
                                       OLS       2SLS        GMM
    ------------------------------------------------------------
    const                           1.0611     1.1250     1.1271
                                  (0.1202)   (0.1368)   (0.1359)
    w                              2.57381    1.92488    1.92007
                                 (0.05482)  (0.07736)  (0.07730)
    <BLANKLINE>
    observations                       500        500        500
    R-squared                       0.8258     0.7733     0.7725
    J                                                     1.2995
    degrees of freedom                                         2
    p of J                                                0.5222
    estimator           exactly identified   one-step   two-step
    weights                                    robust     robust
    cov                             robust     robust     robust
    ------------------------------------------------------------
    In parentheses: standard errors.
    """
    if isinstance(results, Estimates):
        results = [results]
    columns = dict(results) if isinstance(results, Mapping) else {
        f"({i + 1})": result for i, result in enumerate(results)
    }  # fmt: skip
    if not columns:
        raise ValueError("there are no results to compare")
    for head, result in columns.items():
        if not isinstance(result, Estimates):
            raise TypeError(f"{head!r} is a {type(result).__name__}; it must be a fit of gmm's")
        if result.status.ndim:
            raise ValueError(
                f"result {head!r} is of {result.status.size} samples; compare takes one"
            )
    if below not in BELOW:
        raise ValueError(f"below is {below!r}; it must be one of {', '.join(map(repr, BELOW))}")
    check_level(level)
    if isinstance(stars, bool):
        sizes: tuple[float, ...] = (0.1, 0.05, 0.01) if stars else ()
    else:
        sizes = tuple(stars) if isinstance(stars, Sequence) else (stars,)
    for size in sizes:
        check_level(size)
    labels = names or {}
    omitted = [omit] if isinstance(omit, str) else list(omit)
    known = list(dict.fromkeys(name for one in columns.values() for name in one.parameters))
    for argument, asked in (("names", list(labels)), ("omit", omitted)):
        if unknown := [name for name in asked if name not in known]:
            raise ValueError(f"{argument} has {unknown[0]!r}; there are {', '.join(known)}")
    cells: dict[str, dict[str, tuple[str, str]]] = {}
    for head, result in columns.items():
        for name, cell in _cells(result, below, sizes, level).items():
            if name in omitted:
                continue
            row = cells.setdefault(labels.get(name, name), {})
            if head in row:
                raise ValueError(
                    f"names puts two parameters of result {head!r} below one label, "
                    f"{labels.get(name, name)!r}"
                )
            row[head] = cell
    rows: list[tuple[str, list[str]]] = []
    for label, found in cells.items():
        rows.append((label, [found.get(head, ("", ""))[0] for head in columns]))
        rows.append(("", [found.get(head, ("", ""))[1] for head in columns]))
    rows.append(("", [""] * len(columns)))
    rows += [(label, values) for label, values in _facts(list(columns.values())) if any(values)]
    notes = [f"In parentheses: {BELOW[below].format(100 * level)}."]
    if sizes:
        ordered = sorted(sizes, reverse=True)
        notes.append(", ".join(f"{'*' * (i + 1)} p < {x:g}" for i, x in enumerate(ordered)) + ".")
    return Summary(title, [], list(columns), rows, notes)


BELOW = {
    "se": "standard errors",
    "t": "ratios to the standard errors",
    "p": "p-values",
    "interval": "{:g} % intervals",
}


def _cells(
    result: Estimates, below: Below, sizes: Sequence[float], level: float
) -> dict[str, tuple[str, str]]:
    """Estimate and what stands below it, by parameter."""
    errors, p = np.asarray(result.bse), np.asarray(result.pvalues)
    ratios, ends = np.asarray(result.tvalues), np.asarray(result.conf_int(level))
    found = {}
    for i, name in enumerate(result.parameters):
        estimate, error, low, high = figures(
            [result.estimates[i], errors[i], *ends[i]], float(errors[i])
        )
        star = "*" * sum(bool(p[i] < size) for size in sizes)
        text = {
            "se": error,
            "t": f"{ratios[i]:.2f}",
            "p": p_text(float(p[i])),
            "interval": f"{low}, {high}",
        }[below]
        found[name] = (estimate + star, f"({text})")
    return found


def _weights(result: Estimates) -> str:
    return "" if not result.j_test.df else result.options.get("weights", "")


def _facts(results: list[Estimates]) -> list[tuple[str, list[str]]]:
    """What is said of every model below its estimates."""
    tests = [result.j_test for result in results]
    squared = [getattr(result, "rsquared", None) for result in results]
    return [
        ("observations", [f"{result.n:,}" for result in results]),
        ("R-squared", ["" if value is None else f"{value:.4f}" for value in squared]),
        ("J", ["" if t.reason or not t.df else f"{t.statistic:.4f}" for t in tests]),
        ("degrees of freedom", ["" if t.reason or not t.df else str(t.df) for t in tests]),
        ("p of J", ["" if t.reason or not t.df else p_text(float(t.pvalue)) for t in tests]),
        ("estimator", [result.options.get("estimator", "") for result in results]),
        ("weights", [_weights(result) for result in results]),
        ("cov", [result.options.get("cov", "") for result in results]),
    ]
