"""Pickles and checkpoints of older versions are read, and what is in them still works.

`old/write.py` has made them, each with the version in its name.
"""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gmm
from gmm._old_names import PLACES

OLD = Path(__file__).parent / "old"
VERSIONS = sorted(path.stem for path in OLD.glob("*.pickle"))


@pytest.fixture(scope="module", params=VERSIONS)
def kept(request: pytest.FixtureRequest) -> dict[str, Any]:
    objects: dict[str, Any] = pickle.loads((OLD / f"{request.param}.pickle").read_bytes())
    return objects


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("iv", gmm.IVResult),
        ("iv-cluster", gmm.IVResult),
        ("iv-hac", gmm.IVResult),
        ("iv-stack", gmm.IVResult),
        ("exponential", gmm.GMMResult),
        ("gamma", gmm.GMMResult),
        ("euler", gmm.GMMResult),
        ("gaussian", gmm.GMMResult),
        ("moments", gmm.GMMResult),
    ],
)
def test_results(kept: dict[str, Any], name: str, kind: type) -> None:
    result = kept[name]
    assert isinstance(result, kind)
    assert result.converged.all()
    assert np.isfinite(np.asarray(result.params)).all()
    assert np.isfinite(np.asarray(result.conf_int(level=0.9))).all()
    assert str(result.summary()).startswith("GMM estimates")
    restriction = np.eye(len(result.parameters))[:1]
    value = np.asarray(result.params).reshape(-1, len(result.parameters))[0, :1] + 0.1
    assert np.all(result.wald_test(restriction, value).statistic > 0)
    if result.fit is not None and not result.fit.why_not:
        distance = result.distance_test(restriction, value)
        assert distance.reason == ""
        assert np.all(distance.statistic > 0)


def test_a_model_is_estimated_again(kept: dict[str, Any]) -> None:
    assert isinstance(kept["model"], gmm.IV)
    assert_allclose(kept["model"].fit().params, kept["iv"].params, rtol=1e-12)
    first = kept["iv"].first_stage()["w"]
    assert first.pvalue < 1e-4


def test_what_else_is_kept(kept: dict[str, Any]) -> None:
    assert kept["hac"] == gmm.HAC("parzen", "andrews", prewhiten=True)
    assert kept["status"] is gmm.Status.SINGULAR
    assert str(kept["summary"]) == str(kept["iv"].summary())
    test = kept["iv"].wald_test([[0.0, 0.0, 1.0]], 1.0)
    assert str(kept["wald"]) == str(test)


def test_studies(kept: dict[str, Any]) -> None:
    old = kept["study-result"]
    assert isinstance(old, gmm.MonteCarloResult)
    new = kept["study"].run(1000, seed=1)
    assert_allclose(new.estimates, old.estimates, rtol=1e-9, atol=1e-9)
    then = kept["study-summary"]
    assert "mean std. error" in str(then)
    for name, row in old.summary().measures.items():
        for statistic, measure in row.items():
            assert measure.value == then[name][statistic].value
            assert measure.theory == then[name][statistic].theory


@pytest.mark.parametrize("version", VERSIONS)
def test_checkpoints(version: str, tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(OLD / f"{version}-checkpoint", directory)
    result = gmm.MonteCarloResult.load(directory)
    assert result.replications == 2000
    assert result.blocks_damaged == 0
    assert result.summary()["mu"]["bias"].theory is not None
    new = gmm.GMMGaussianMC(2000, n=20, seed=7, moments=4)
    both = result.converged & new.converged
    assert_allclose(result.estimates[both], new.estimates[both], rtol=1e-7, atol=1e-7)


def test_old_names_lead_to_what_there_is() -> None:
    import importlib

    for old, places in PLACES.items():
        module = importlib.import_module(old)
        for place in places:
            for name, value in vars(importlib.import_module(place)).items():
                is_named = not name.startswith("__")  # Python 3.14 adds __annotate__
                if is_named and getattr(value, "__module__", None) == place:
                    assert getattr(module, name) is value
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            module.nothing  # noqa: B018
