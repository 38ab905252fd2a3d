"""Collinear columns: named where an estimation fails, left out where that is asked for."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import gmm

N = 60
rng = np.random.default_rng(8)
QUARTER = pd.Series(np.arange(N) % 4)
DATA = pd.DataFrame(rng.standard_normal((N, 4)), columns=["x", "z1", "z2", "u"]).assign(const=1.0)
DATA = DATA.assign(**{f"q{i}": (i == QUARTER).astype(float) for i in range(4)})
DATA = DATA.assign(w=DATA.z1 + DATA.z2 + DATA.u, g=np.arange(N) // 5)
DATA = DATA.assign(y=1 + DATA.x + DATA.w + DATA.u)
DUMMIES = ["const", "x", "q0", "q1", "q2", "q3"]

CASES = [
    # The columns of exog, endog and instruments that are given, and what is said of them.
    (DATA[DUMMIES], "w", "z1 z2", "exog: q3 = const - q0 - q1 - q2"),
    (DATA[["const", "x"]].assign(copy=-2 * DATA.x), "w", "z1 z2", "exog: copy = -2 x"),
    (DATA[["const", "x"]].assign(three=3.0), "w", "z1 z2", "exog: three = 3 const"),
    (DATA[["const", "x"]].assign(nobody=0.0), "w", "z1 z2", "exog: nobody = 0"),
    (DATA[["const", "x", "z1"]], "w", "z2 t", "instruments: t = const + z1"),
]


def parts(exog: pd.DataFrame, endog: str, instruments: str) -> dict[str, pd.DataFrame]:
    data = DATA.assign(t=DATA.const + DATA.z1)
    return {"exog": exog, "endog": data[endog.split()], "instruments": data[instruments.split()]}


@pytest.mark.parametrize(("exog", "endog", "instruments", "said"), CASES)
def test_columns_are_named_dropped_or_refused(exog, endog, instruments, said) -> None:
    given = parts(exog, endog, instruments)
    result = gmm.IV(DATA.y, **given).fit()
    assert result.status == gmm.Status.SINGULAR
    assert f"collinear columns of {said}" in result.reason
    assert said in str(result.summary())
    assert said in result.summary()._repr_html_()
    with pytest.raises(ValueError, match="give collinear='drop'") as error:
        gmm.IV(DATA.y, **given, collinear="raise")
    assert said in str(error.value)

    argument, column = said.split(": ")
    name = column.split(" = ")[0]
    less = {**given, argument: given[argument].drop(columns=name)}
    dropped, without = gmm.IV(DATA.y, **given, collinear="drop").fit(), gmm.IV(DATA.y, **less).fit()
    assert dropped.dropped_columns == (name,)
    assert dropped.parameters == without.parameters
    assert_allclose(dropped.params, without.params, rtol=1e-12)
    assert_allclose(dropped.bse, without.bse, rtol=1e-12)
    assert dropped.options["dropped"] == column
    assert column in str(dropped)


def test_an_endogenous_column_that_exogenous_ones_span_is_dropped() -> None:
    given = {"exog": DATA[["const", "x"]], "instruments": DATA[["z1", "z2"]]}
    endog = DATA[["w"]].assign(t=DATA.x - 2)
    result = gmm.IV(DATA.y, endog=endog, **given).fit()
    assert "endog: t = -2 const + x" in result.reason
    dropped = gmm.IV(DATA.y, endog=endog, **given, collinear="drop").fit()
    assert_allclose(dropped.params, gmm.IV(DATA.y, endog=DATA.w, **given).fit().params, rtol=1e-12)


def test_what_is_independent_is_left_alone() -> None:
    """Years beside a constant and their squares are nearly collinear, and no more than that."""
    year = 1950.0 + np.arange(N)
    exog = np.column_stack([np.ones(N), year, year**2])
    result = gmm.IV(DATA.y.to_numpy(), exog, collinear="drop").fit()
    assert result.dropped_columns == ()
    assert result.reason == ""
    assert "dropped" not in result.options


def test_formulas_with_unused_categories() -> None:
    data = DATA.assign(kind=pd.Categorical(QUARTER % 2, categories=[0, 1, 2]))
    named = gmm.IV.from_formula("y ~ x + q0 + q1 + q2 + q3 + [w ~ z1 + z2]", data).fit().reason
    assert "q3 = Intercept - q0 - q1 - q2" in named
    whole = gmm.ExponentialRegression.from_formula(
        "I(y ** 2) ~ x + q0 + q1 + q2 + q3", data, error="additive", collinear="drop"
    )
    assert whole.dropped_columns == ("q3",)
    assert "q3 = Intercept" in str(whole.fit())
    failed = gmm.ExponentialRegression.from_formula("I(y ** 2) ~ x + I(2 * x)", data).fit()
    assert "exog: I(2 * x) = 2 x" in failed.reason
    unused = data.join(pd.get_dummies(data.kind, prefix="kind", dtype=float))
    dropped = gmm.IV.from_formula("y ~ kind_0 + kind_1 + kind_2", unused, collinear="drop").fit()
    assert dropped.dropped_columns == ("kind_1", "kind_2")


def test_absorbed_effects_span_columns_too() -> None:
    panel = DATA.assign(size=DATA.g * 2.0, twice=2 * DATA.x)
    exog = panel[["x", "size", "twice"]]
    result = gmm.FixedEffects(DATA.y, exog, absorb=DATA.g, collinear="drop").fit()
    assert result.dropped_columns == ("twice", "size") or result.dropped_columns == (
        "size",
        "twice",
    )
    alone = gmm.FixedEffects(DATA.y, DATA[["x"]], absorb=DATA.g).fit()
    assert_allclose(result.params, alone.params, rtol=1e-12)


def test_many_samples_have_statuses() -> None:
    y = np.stack([DATA.y, DATA.y])
    with pytest.raises(ValueError, match="which is for one sample"):
        gmm.IV(y, DATA[DUMMIES].to_numpy(), collinear="drop")
    with pytest.raises(ValueError, match="'status', 'raise' or 'drop'"):
        gmm.IV(DATA.y, DATA[DUMMIES], collinear="omit")


def test_clusters_by_the_name_of_a_column() -> None:
    exog = DATA[["const", "x"]]
    one = gmm.IV(DATA.y, exog, clusters=DATA.g).fit(cov="cluster").bse
    formula = gmm.IV.from_formula("y ~ x", DATA, clusters="g").fit(cov="cluster").bse
    assert_allclose(formula, one, rtol=1e-12)
    two = DATA.assign(q=QUARTER)
    named = gmm.IV.from_formula("y ~ x", two, clusters=["g", "q"]).clusters
    arrays = gmm.IV(DATA.y, exog, clusters=np.column_stack([DATA.g, QUARTER])).clusters
    assert named.tolist() == arrays.tolist()
    missing = two.assign(x=two.x.where(two.index > 0))
    model = gmm.IV(DATA.y, missing[["const", "x", "g"]], clusters="g", missing="drop")
    assert (model.dropped_rows, len(model.clusters)) == (1, N - 1)
    with pytest.raises(ValueError, match="'h' is no column of the data, whose columns are"):
        gmm.IV.from_formula("y ~ x", DATA, clusters="h")
    with pytest.raises(ValueError, match="no data frame is given"):
        gmm.IV(DATA.y.to_numpy(), exog.to_numpy(), clusters="g")


def test_fewer_clusters_than_moments() -> None:
    groups = np.arange(N) % 4
    exog, z = DATA[["const"]], rng.standard_normal((N, 4))
    model = gmm.IV(DATA.y, exog, DATA.w, z, clusters=groups)
    result = model.fit(weights="cluster")
    said = "the covariance matrix of 5 moments has rank 4 at most, the number of clusters"
    assert said in result.reason
    assert said in result.j_test.reason
    assert said in str(result.summary())
    centered = model.fit(weights="cluster", center=True).reason
    assert "rank 3 at most, the number of clusters less one, as it is centered" in centered
    assert model.fit(weights="cluster", steps=1).reason == ""
    few = gmm.IV(rng.standard_normal(4), np.ones((4, 1)), None, rng.standard_normal((4, 5))).fit()
    assert "6 moments has rank 4 at most, the number of observations" in few.reason


@pytest.mark.parametrize("estimator", [gmm.KClass, gmm.JIVE])
def test_instruments_made_of_collinear_columns(estimator: type[gmm.IV]) -> None:
    given = parts(DATA[DUMMIES], "w", "z1 z2")
    y = DATA.y + np.sin(np.arange(N))  # LIML's kappa is 0 / 0 without an error of its own
    result = estimator(y, **given).fit()
    assert result.status == gmm.Status.SINGULAR
    assert "exog: q3 = const - q0 - q1 - q2" in result.reason
    assert estimator(y, **given, collinear="drop").fit().converged


def test_counts_of_zero_are_finite() -> None:
    """No mean of exp(x'beta) is zero: a search without an end, and no fault of the data."""
    result = gmm.ExponentialRegression(np.zeros(N), DATA[["const", "x"]].to_numpy()).fit()
    assert result.status not in (gmm.Status.OK, gmm.Status.NON_FINITE)


def test_a_stack_says_what_is_collinear_in_its_first_bad_slice() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2, 3, N, 3))
    w = z.sum(axis=-1) + rng.standard_normal((2, 3, N))
    z[1, 1, :, 2] = z[1, 1, :, 0] - z[1, 1, :, 1]
    y, ones = w + rng.standard_normal((2, 3, N)), np.ones((N, 1))
    said = "the first of them, sample 1, 1: collinear columns of instruments: instr2 = instr0 -"
    for model in (
        gmm.IV(y, ones, w, z),
        gmm.KClass(y, ones, w, z),
        gmm.ExponentialRegression(np.exp(y / 9), ones, w / 9, z),
    ):
        result = model.fit()
        assert result.status.tolist() == [[0, 0, 0], [0, 2, 0]]
        assert result.reason.startswith(said)
        assert said in str(result.summary())
        assert not result.j_test.reason or isinstance(model, gmm.KClass)
    system = gmm.System({"one": gmm.IV(y, ones, w, z), "two": gmm.IV(w[::-1] ** 2, ones)})
    assert "equation one: collinear columns of instruments" in system.fit().reason


def test_systems_and_panels_name_columns() -> None:
    exog = DATA[["const", "x"]].assign(copy=-2 * DATA.x)
    equations = {
        "first": gmm.IV(DATA.y, exog),
        "second": gmm.IV(DATA.y, DATA[["const"]], DATA.w, DATA[["z1"]].assign(t=3 * DATA.z1)),
    }
    reason = gmm.System(equations).fit().reason
    assert "equation first: collinear columns of exog: copy = -2 x" in reason
    assert "equation second: collinear columns of instruments: t = 3 z1" in reason
    with pytest.raises(TypeError, match="equation 'a' is of type tuple"):
        gmm.System({"a": (1, 2)})
    with pytest.raises(TypeError, match="must be a dict"):
        gmm.System([equations["first"]])

    entity, time = (a.ravel() for a in np.indices((10, 6)))
    panel = {"entity": entity, "time": time}
    given = DATA[["x"]].assign(copy=-2 * DATA.x)
    for kind in ("exog", "endog", "predetermined"):
        result = gmm.DynamicPanel(DATA.y, **{kind: given}, **panel, collapse=True).fit(steps=1)
        assert result.status == gmm.Status.SINGULAR
        assert "collinear regressors: copy = -2 x" in str(result.summary())
    given = DATA[["x"]].assign(born=entity % 3)
    result = gmm.DynamicPanel(DATA.y, given, **panel, collapse=True).fit(steps=1)
    assert "born does not vary over time" in result.reason
    many = gmm.DynamicPanel(DATA.y, endog=DATA[["x"]], **panel).fit()
    assert "the number of entities" in many.reason
