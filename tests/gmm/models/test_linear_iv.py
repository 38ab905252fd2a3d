"""models/linear_iv.py: least squares, linearmodels, many samples at once, names, mistakes."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.signal import lfilter

import gmm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from linearmodels.iv import IV2SLS, IVGMM, IVGMMCUE

N = 200


def system(seed: int = 0, samples: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
    """y, X, w, Z of autocorrelated samples with an endogenous w."""
    rng = np.random.default_rng(seed)
    u = lfilter([1.0], [1.0, -0.5], rng.standard_normal((*samples, N)))
    z = lfilter([1.0], [1.0, -0.7], rng.standard_normal((*samples, N, 3)), axis=-2)
    x = np.stack([np.ones_like(u), rng.standard_normal(u.shape)], axis=-1)
    w = z.sum(axis=-1) + u + rng.standard_normal(u.shape)
    return 1 + 0.5 * w + x[..., 1] + u, x, w, z


Y, X, W, Z = system()
GROUPS = np.random.default_rng(1).integers(0, 20, (N, 2))


def assert_agrees(ours: gmm.GMMResult, theirs: object) -> None:
    """Parameters, standard errors and J, to rounding."""
    assert_allclose(ours.params, theirs.params, rtol=1e-10)
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-10)
    if ours.j_test.df and not ours.j_test.reason:
        assert_allclose(ours.j_test.statistic, theirs.j_stat.stat, rtol=1e-9)
        assert_allclose(ours.j_test.pvalue, theirs.j_stat.pval, rtol=1e-8)


def test_least_squares() -> None:
    regressors = np.column_stack([X, W])
    result = gmm.IV(Y, regressors).fit(cov="unadjusted", small_sample="df")
    beta, rss = np.linalg.lstsq(regressors, Y)[:2]
    assert_allclose(result.params, beta, rtol=1e-12)
    cov = rss[0] / (N - 3) * np.linalg.inv(regressors.T @ regressors)
    assert_allclose(result.cov, cov, rtol=1e-10)


def test_longley() -> None:
    """NIST's certified values for a regression whose cross products have lost most digits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.datasets import longley
    data = longley.load_pandas()
    exog = data.exog.assign(const=1.0)
    result = gmm.IV(data.endog, exog).fit(cov="unadjusted", small_sample="df")
    params = [15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359]
    params += [-0.0511041056535807, 1829.15146461355, -3482258.63459582]
    bse = [84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675]
    bse += [0.226073200069370, 455.478499142212, 890420.383607373]
    assert_allclose(result.params, params, rtol=1e-8)
    assert_allclose(result.bse, bse, rtol=1e-6)


def test_instrumenting_with_itself_is_least_squares() -> None:
    data = pd.DataFrame({"w": W, "again": W})
    result = gmm.IV(Y, X, data[["w"]], data[["again"]]).fit()
    assert_allclose(result.params, np.linalg.lstsq(np.column_stack([X, W]), Y)[0], rtol=1e-12)


def test_two_stage_least_squares_in_two_stages() -> None:
    instruments, regressors = np.column_stack([X, Z]), np.column_stack([X, W])
    fitted = instruments @ np.linalg.lstsq(instruments, regressors)[0]
    result = gmm.IV(Y, X, W, Z).fit(steps=1)
    assert_allclose(result.params, np.linalg.lstsq(fitted, Y)[0], rtol=1e-10)


@pytest.mark.parametrize("bandwidth", [1, 5, "auto"])
@pytest.mark.parametrize("kernel", ["bartlett", "parzen", "quadratic-spectral"])
def test_kernel_weights_are_those_of_linearmodels(kernel: str, bandwidth: float | str) -> None:
    chosen = {"optimal_bw": True} if bandwidth == "auto" else {"bandwidth": bandwidth}
    peer = IVGMM(Y, X, W, Z, weight_type="kernel", kernel=kernel, **chosen)
    theirs = peer.fit(cov_type="kernel", kernel=kernel, **chosen)
    assert_agrees(gmm.IV(Y, X, W, Z).fit(weights=gmm.HAC(kernel, bandwidth)), theirs)


@pytest.mark.parametrize("small", [False, True])
def test_cluster_weights_are_those_of_linearmodels(small: bool) -> None:
    groups = GROUPS[:, 0]
    peer = IVGMM(Y, X, W, Z, weight_type="clustered", clusters=groups)
    theirs = peer.fit(cov_type="clustered", clusters=groups, debiased=small)
    model = gmm.IV(Y, X, W, Z, clusters=groups)
    ours = model.fit(weights="cluster", small_sample="cluster" if small else None)
    assert_agrees(ours, theirs)


def test_two_way_clusters_are_those_of_linearmodels() -> None:
    theirs = IV2SLS(Y, X, W, Z).fit(cov_type="clustered", clusters=GROUPS)
    ours = gmm.IV(Y, X, W, Z, clusters=GROUPS).fit(steps=1, cov="cluster")
    assert_allclose(ours.bse, theirs.std_errors, rtol=1e-10)


@pytest.mark.parametrize("weights", ["robust", "unadjusted"])
@pytest.mark.parametrize("small", [False, True])
def test_two_steps_are_those_of_linearmodels(weights: str, small: bool) -> None:
    theirs = IVGMM(Y, X, W, Z, weight_type=weights).fit(cov_type=weights, debiased=small)
    ours = gmm.IV(Y, X, W, Z).fit(weights=weights, small_sample="df" if small else None)
    assert_agrees(ours, theirs)
    assert_allclose(ours.pvalues, theirs.pvalues, rtol=1e-8)
    assert_allclose(ours.conf_int(0.9), theirs.conf_int(0.9), rtol=1e-9)


def test_centered_weights_are_those_of_linearmodels() -> None:
    theirs = IVGMM(Y, X, W, Z, center=True).fit(cov_type="robust", center=True)
    assert_agrees(gmm.IV(Y, X, W, Z).fit(center=True), theirs)


@pytest.mark.parametrize("kernel", ["bartlett", "parzen", "quadratic-spectral"])
def test_a_bandwidth_in_whole_numbers_does_not_go_in_circles(kernel: str) -> None:
    """Chosen in every step, it does so in one or two samples of a hundred."""
    y, x, w, z = system(9, (300,))
    result = gmm.IV(y, x, w, z).fit(steps="iterated", weights=gmm.HAC(kernel, "auto"))
    assert result.converged.all()


def test_iterated_weights_reach_the_fixed_point_of_linearmodels() -> None:
    theirs = IVGMM(Y, X, W, Z).fit(iter_limit=100, tol=1e-12)
    ours = gmm.IV(Y, X, W, Z).fit(steps="iterated")
    assert_allclose(ours.params, theirs.params, rtol=1e-8)


def test_continuous_updating_is_that_of_linearmodels() -> None:
    """Its search stops early, so it may not be better than ours, and the estimates are near."""
    theirs = IVGMMCUE(Y, X, W, Z).fit(cov_type="robust")
    ours = gmm.IV(Y, X, W, Z).fit(steps="cue")
    assert_allclose(ours.params, theirs.params, rtol=1e-5)
    z = np.column_stack([X, Z])

    def objective(beta: np.ndarray) -> float:
        moments = z * (Y - np.column_stack([X, W]) @ beta)[:, None]
        mean = moments.mean(axis=0)
        return float(N * mean @ np.linalg.solve(moments.T @ moments / N, mean))

    assert_allclose(ours.j, objective(ours.params), rtol=1e-9)
    assert ours.j <= objective(np.asarray(theirs.params)) * (1 + 1e-12)


@pytest.mark.parametrize("steps", [1, 2, "iterated", "cue"])
@pytest.mark.parametrize("weights", ["robust", "unadjusted", "cluster", gmm.HAC("bartlett")])
def test_a_batch_is_its_single_fits(steps: int | str, weights: object) -> None:
    y, x, w, z = system(3, (2, 2))
    clusters = GROUPS[:, 0]
    batch = gmm.IV(y, x, w, z, clusters=clusters).fit(steps=steps, weights=weights)
    assert batch.converged.all()
    for index in np.ndindex(2, 2):
        model = gmm.IV(y[index], x[index], w[index], z[index], clusters=clusters)
        single = model.fit(steps=steps, weights=weights)
        rtol = 1e-7 if steps == "cue" else 1e-11
        assert_allclose(single.params, batch.params[index], rtol=rtol)
        assert_allclose(single.cov, batch.cov[index], rtol=10 * rtol, atol=1e-12)
        assert_allclose(single.j, batch.j[index], rtol=1e-6)


def test_arrays_without_leading_axes_are_shared() -> None:
    y, _, w, _ = system(4, (5,))
    shared = gmm.IV(y, X, w, Z).fit()
    given = gmm.IV(y, np.stack([X] * 5), w, np.stack([Z] * 5)).fit()
    assert shared.params.shape == (5, 3)
    assert_allclose(shared.params, given.params, rtol=1e-11)
    assert_allclose(shared.cov, given.cov, rtol=1e-10)


@pytest.mark.parametrize("weights", ["unadjusted", "robust"])
def test_nothing_of_the_size_of_the_data_is_built(weights: str) -> None:
    y, x, w, z = system(8, (1000,))
    model = gmm.IV(y, x, w, z)
    tracemalloc.start()
    model.fit(weights=weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < z.nbytes / 2


def test_a_failure_is_recorded_and_stops_nothing() -> None:
    y, x, w, z = (a.copy() for a in system(5, (5,)))
    whole = gmm.IV(y, x, w, z).fit()
    y[0, 3] = np.nan
    z[1, :, 2] = z[1, :, 0]
    x[2, :, 1] = 3.0
    w[3] = x[3, :, 1]
    result = gmm.IV(y, x, w, z).fit()
    status = gmm.Status
    assert result.status.tolist() == [status.NON_FINITE, *[status.SINGULAR] * 3, status.OK]
    assert np.isnan(result.params[:4]).all()
    assert_allclose(result.params[4], whole.params[4], rtol=1e-11)


@settings(max_examples=25, deadline=None)
@given(
    exponent=st.integers(-8, 8),
    shift=st.floats(-100, 100),
    seed=st.integers(0, 2**32 - 1),
    steps=st.sampled_from([2, "iterated", "cue"]),
)
def test_units_do_not_matter(exponent: int, shift: float, seed: int, steps: int | str) -> None:
    """Scaled instruments, scaled regressors, an origin moved: the same regression."""
    y, x, w, z = system(seed)
    scale = 10.0**exponent
    plain = gmm.IV(y, x, w, z).fit(steps=steps)
    moved = gmm.IV(y, x, scale * w + shift * scale, z / scale).fit(steps=steps)
    assert_allclose(moved.params[2] * scale, plain.params[2], rtol=1e-6)
    assert_allclose(moved.bse[2] * scale, plain.bse[2], rtol=1e-6)
    assert_allclose(moved.j, plain.j, rtol=1e-5)


def frame() -> pd.DataFrame:
    columns = {"y": Y, "const": X[:, 0], "x": X[:, 1], "w": W}
    return pd.DataFrame(columns | {f"z{i}": Z[:, i] for i in range(3)})


def test_labels_come_back() -> None:
    data = frame()
    result = gmm.IV(data["y"], data[["const", "x"]], data["w"], data[["z0", "z1", "z2"]]).fit()
    names = ["const", "x", "w"]
    assert list(result.params.index) == list(result.bse.index) == names
    assert list(result.cov.index) == list(result.cov.columns) == names
    assert list(result.conf_int().columns) == ["lower", "upper"]
    assert_allclose(result.params, gmm.IV(Y, X, W, Z).fit().params, rtol=1e-12)
    assert result.moment_names == ("const", "x", "z0", "z1", "z2")


@pytest.mark.parametrize(
    ("formula", "exog"),
    [
        ("y ~ x + [w ~ z0 + z1 + z2]", ["Intercept", "x"]),
        ("y ~ 1 + x + [w ~ z0 + z1 + z2]", ["Intercept", "x"]),
        ("y ~ 0 + const + x + [w ~ z0 + z1 + z2]", ["const", "x"]),
        ("y ~ [w ~ z0 + z1 + z2] + x", ["Intercept", "x"]),
    ],
)
def test_formulas(formula: str, exog: list[str]) -> None:
    result = gmm.IV.from_formula(formula, frame()).fit()
    assert list(result.params.index) == [*exog, "w"]
    assert_allclose(result.params, gmm.IV(Y, X, W, Z).fit().params, rtol=1e-10)


def test_a_formula_without_instruments_is_a_regression() -> None:
    result = gmm.IV.from_formula("y ~ x + w", frame()).fit()
    assert_allclose(result.params, np.linalg.lstsq(np.column_stack([X, W]), Y)[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y": Y[:10]}, r"exog has shape \(200, 2\); it must be \(\.\.\., 10, columns\)"),
        ({"y": 1.0}, r"y has shape \(\)"),
        ({"exog": None, "endog": None}, "no regressors"),
        ({"endog": Z, "instruments": W}, "1 instrument cannot identify 3"),
        ({"clusters": GROUPS[:5]}, r"clusters has shape \(5, 2\)"),
        ({"clusters": np.zeros(N)}, "one group only"),
        ({"y": np.stack([Y, Y]), "exog": np.stack([X] * 3)}, "leading axes"),
        ({"y": pd.Series(Y).where(Y > 0)}, "missing values"),
        ({"y": np.ma.masked_less(Y, 0)}, "y has .* masked values"),
        (
            {"y": pd.Series(Y), "exog": pd.DataFrame(X)[::-1]},
            "the rows of exog and y have different labels",
        ),
        ({"clusters": np.where(Y > 0, GROUPS[:, 0], np.nan)}, "clusters has .* missing values"),
        ({"clusters": [None, *"ab" * 99, "a"]}, "clusters has 1 missing values"),
        ({"endog": pd.DataFrame({"a": W, "b": W})[["a", "a"]]}, "'a' occurs twice"),
    ],
)
def test_bad_arguments_say_what_is_wrong(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gmm.IV(**({"y": Y, "exog": X, "endog": W, "instruments": Z} | arguments))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": None}, "steps is None; it must be 1, 2"),
        ({"steps": np.nan}, "steps is nan; it must be 1, 2"),
        ({"tolerance": np.nan}, "tolerance is nan"),
        ({"max_iterations": -1}, "max_iterations is -1"),
    ],
)
def test_bad_options_say_what_is_wrong(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gmm.IV(Y, X, W, Z).fit(**options)


def test_text_is_not_data() -> None:
    with pytest.raises(TypeError, match="exog is not numeric"):
        gmm.IV(Y, np.array([["a"]] * N))
    with pytest.raises(TypeError, match="y is complex"):
        gmm.IV(Y + 1j, X)
    with pytest.raises(ValueError, match=r"formula is 'y'"):
        gmm.IV.from_formula("y", frame())


def test_columns_may_lie_between_others() -> None:
    """Fields of packed records are not aligned, and their steps are no whole numbers."""
    rng = np.random.default_rng(1)
    records = np.zeros(60, [("flag", "i1"), ("y", "f8"), ("w", "f8"), ("z", "f8", (3,))])
    for name in ("y", "w", "z"):
        records[name] = rng.standard_normal(records[name].shape)
    packed = [records[name] for name in ("y", "w", "z")]
    plain = [values.copy() for values in packed]
    assert not packed[0].flags.aligned
    found, wanted = (gmm.IV(y, np.ones(60), w, z).fit() for y, w, z in (packed, plain))
    np.testing.assert_array_equal(found.params, wanted.params)
    found, wanted = (gmm.KClass(y, None, w, z).fit() for y, w, z in (packed, plain))
    np.testing.assert_array_equal(found.cov, wanted.cov)
