"""montecarlo/plots.py: files that are pictures, and what is known before a long run."""

from pathlib import Path

import pytest

import gmm
from gmm.montecarlo import plots

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
