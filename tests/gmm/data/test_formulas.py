"""formulas.py: what is in brackets is cut out, and nothing else is touched."""

from typing import Any

import numpy as np
import pandas
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gmm
from gmm.data.formulas import divided

CITIES = ["New  York", "New York", "LA"]


def frame(n: int = 240) -> Any:
    rng = np.random.default_rng(3)
    data = pandas.DataFrame(rng.standard_normal((n, 5)), columns=["y", "x", "w", "z", "a b"])
    data["city"] = rng.choice(CITIES, n)
    data["quarter"] = rng.integers(1, 5, n)
    data["w"] += data["z"] + 0.5 * data["quarter"]
    data["y"] += data["w"] + data["x"]
    return data


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        ("y ~ x", ("y", "x", "", "")),
        ("y ~ [w ~ z]", ("y", "1", "w", "z")),
        ("y ~ x + [w ~ z] + v", ("y", "x + v", "w", "z")),
        ("y ~ [w ~ z] - 1", ("y", "- 1", "w", "z")),
        ("y ~ x\n  + [w\n ~ z]", ("y", "x", "w", "z")),
        ("y ~ I(a == '[  ~  ]') + [w ~ z]", ("y", "I(a == '[  ~  ]')", "w", "z")),
        ("y ~ `a  ~ b` + f(x[0], [1, 2]) + [w ~ z]", ("y", "`a  ~ b` + f(x[0], [1, 2])", "w", "z")),
        ("log(y) ~ x + [f(w)  ~  `z | 1`]", ("log(y)", "x", "f(w)", "`z | 1`")),
        (r"y ~ I(c == 'it\'s ~') + [w ~ z]", ("y", r"I(c == 'it\'s ~')", "w", "z")),
    ],
)
def test_parts(formula: str, parts: tuple[str, ...]) -> None:
    assert divided(formula) == parts


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y", "must be like"),
        ("y ~ x ~ z", "must be like"),
        ("y ~ [w ~ z] + [v ~ u]", "must be like"),
        ("[w ~ z] ~ y", "must be like"),
        ("y ~ x * [w ~ z]", "a term of a sum"),
        ("y ~ x + [w ~ z] * v", "a term of a sum"),
        ("y ~ x + [w]", r"\[w ~ z1 \+ z2\]"),
        ("y ~ x + [w ~ z", "not closed"),
        ("y ~ I(x == 'a) + [w ~ z]", "not closed"),
        ("y ~ x + w | x + z", "ivreg and fixest"),
        ("y ~ x | state | w ~ z", "ivreg and fixest"),
    ],
)
def test_what_is_no_formula(formula: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        divided(formula)


def test_two_spaces_in_a_text_are_two_spaces() -> None:
    data = frame()
    for city in CITIES:
        text = gmm.IV.from_formula(f"y ~ x + I(city == '{city}') + [w ~ z]", data).fit()
        own = np.column_stack([np.ones(len(data)), data["x"], data["city"] == city])
        arrays = gmm.IV(data["y"].to_numpy(), own, data["w"].to_numpy(), data["z"].to_numpy())
        assert_allclose(sorted(text.params), sorted(arrays.fit().params), rtol=1e-10)


def test_functions_and_variables_of_the_caller() -> None:
    data, shift = frame(), 3.0  # noqa: F841 - the formula uses it

    def double(values: Any) -> Any:
        return 2 * values

    result = gmm.IV.from_formula("y ~ double(x) + I(`a b` + shift) + [w ~ z]", data).fit()
    plain = gmm.IV.from_formula("y ~ x + `a b` + [w ~ z]", data).fit()
    assert_allclose(2 * result.params["double(x)"], plain.params["x"], rtol=1e-10)
    assert_allclose(result.params["I(`a b` + shift)"], plain.params["a b"], rtol=1e-9)
    counts = data.assign(y=np.abs(data["y"]).round())
    positive = gmm.ExponentialRegression.from_formula("y ~ double(x)", counts).fit()
    assert "double(x)" in positive.parameters


@pytest.mark.parametrize(
    ("own", "dummies"),
    [("x", [2, 3, 4]), ("0 + x", [1, 2, 3, 4]), ("x + C(city)", [2, 3, 4])],
)
def test_categories_of_instruments_are_coded_against_the_exogenous(
    own: str, dummies: list[int]
) -> None:
    """As in R: the constant takes one of them, and without it none is taken."""
    data = frame()
    model = gmm.IV.from_formula(f"y ~ {own} + [w ~ C(quarter)]", data)
    columns = [(data["quarter"] == quarter).to_numpy() for quarter in dummies]
    assert model.instruments.shape[1] == len(dummies)
    assert_array_equal(model.instruments, np.column_stack(columns))
    assert model.fit().converged


def test_a_term_on_both_sides_of_the_tilde_is_named() -> None:
    with pytest.raises(ValueError, match="'x'"):
        gmm.IV.from_formula("y ~ x + [w ~ x]", frame()).fit()


def test_a_formula_in_statas_words_is_told_the_form_here() -> None:
    """`ivregress 2sls y x (w = z)` is what they write."""
    with pytest.raises(ValueError, match=r"Unknown operator '='; .* are written \[w ~ z1 \+ z2\]$"):
        gmm.IV.from_formula("y ~ x + (w = z)", frame())
