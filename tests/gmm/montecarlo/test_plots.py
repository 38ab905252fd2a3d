"""montecarlo/plots.py: files that are pictures, and what is known before a long run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gmm
from gmm.montecarlo import plots

from ..studies import normal_study

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("suffix", "head"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_result_draws_itself(tmp_path: Path, suffix: str, head: bytes) -> None:
    path = tmp_path / f"picture.{suffix}"
    gmm.GMMGaussianMC(300, n=50).plot(path)
    assert path.read_bytes().startswith(head)


def test_several_results_share_a_picture(tmp_path: Path) -> None:
    results = [(f"q = {q}", gmm.GMMGaussianMC(300, n=50, moments=q)) for q in (2, 3, 4)]
    plots.draw(results, tmp_path / "picture.svg")
    assert "<svg" in (tmp_path / "picture.svg").read_text()


def test_one_replication_is_enough(tmp_path: Path) -> None:
    gmm.GMMGaussianMC(1, n=50).plot(tmp_path / "one.png")


def test_a_path_is_checked_without_leaving_a_trace(tmp_path: Path) -> None:
    plots.check_path(tmp_path / "new.png")
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.png").write_bytes(b"old")
    plots.check_path(tmp_path / "old.png")
    assert (tmp_path / "old.png").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["missing/picture.png", "picture.xyz", "picture", "folder.png"])
def test_a_path_that_cannot_be_drawn_to_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(plots.PlotError, match="plot file"):
        plots.check_path(tmp_path / name)


def test_a_study_draws_its_parameters_its_j_and_its_coverage(tmp_path: Path) -> None:
    out = normal_study().run(300, seed=1)
    figure = out.plot()
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels == [
        *(r"(estimate − $\mu$) / sd", "normal quantile"),
        *("(estimate − v) / sd", "normal quantile"),
        *("nominal level", "coverage, with 95 % Monte Carlo intervals"),
    ]
    assert len(out.plot(tmp_path / "one.pdf", parameters=["v"]).axes) == 4
    with pytest.raises(ValueError, match="'w' is no parameter; there are mu, v"):
        out.plot(parameters=["w"])


def test_what_is_drawn_are_the_numbers() -> None:
    """The p-value plot passes through the size that the summary gives."""
    out = normal_study().run(400, seed=1)
    axes = out.plot().axes
    nominal, rate = axes[4].lines[0].get_data()
    at = nominal.searchsorted(0.05)
    assert nominal[at] == pytest.approx(0.05)
    assert rate[at] == out.summary()["J"]["size"].value
    middle = axes[1].lines[0].get_ydata()
    t = out.estimates[:, 0] / out.bse[:, 0]
    np.testing.assert_allclose(middle, np.quantile(t, (np.arange(200) + 0.5) / 200))


def test_nothing_that_converged_is_still_a_picture(tmp_path: Path) -> None:
    out = gmm.GMMGaussianMC(200, n=50, moments=3)
    records = out.records.copy()
    for field in ("estimates", "bse", "j"):
        records[field] = np.nan
    records["status"] = gmm.Status.SINGULAR
    replace(out, records=records).plot(tmp_path / "none.png")
