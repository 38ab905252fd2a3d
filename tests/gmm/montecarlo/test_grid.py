"""montecarlo/grid.py: many points, streams of their own, one table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmm

from ..studies import normal, three_moments

SEED = 6


def make(n: int, sd: float) -> gmm.MonteCarlo:
    def sampler(rng: np.random.Generator, size: tuple[int, int]) -> Any:
        return sd * normal(rng, size)

    fit = {"start": [0.0, sd**2], "initial": "start"}
    truth = {"mu": 0.0, "v": sd**2}
    return gmm.MonteCarlo(three_moments, sampler, truth, n, fit, block=50)


def grid(**axes: Any) -> gmm.MonteCarloGrid:
    return gmm.MonteCarloGrid(make, **({"n": [20, 40], "sd": [1.0, 2.0]} | axes))


def test_every_point_is_run_with_its_own_streams() -> None:
    out = grid().run(100, seed=SEED)
    labels = ["n=20,sd=1.0", "n=20,sd=2.0", "n=40,sd=1.0", "n=40,sd=2.0"]
    assert list(out.results) == labels
    assert out.points[1] == {"n": 20, "sd": 2.0}
    assert [out[label].n for label in labels] == [20, 20, 40, 40]
    scaled = out["n=20,sd=2.0"].estimates[:, 0] / 2
    assert not np.any(np.isclose(scaled, out["n=20,sd=1.0"].estimates[:, 0]))


def test_points_keep_their_results_when_the_grid_grows(tmp_path: Path) -> None:
    small = grid().run(100, seed=SEED, checkpoint=tmp_path)
    large = grid(n=[10, 40, 20], sd=[2.0, 0.5, 1.0]).run(
        100, seed=SEED, checkpoint=tmp_path, workers=2
    )
    assert len(large.results) == 9
    for label, result in large.results.items():
        assert result.blocks_reused == (2 if label in small.results else 0)
    for label, result in small.results.items():
        assert large[label].records.tobytes() == result.records.tobytes()
    with pytest.raises(gmm.CheckpointError, match="its seed is 6, here it is 7"):
        grid(n=[20, 80]).run(100, seed=SEED + 1, checkpoint=tmp_path)
    assert not (tmp_path / "n=80,sd=1.0" / "block-000000.npy.sha256").exists()


def test_one_table_has_them_all() -> None:
    out = grid().run(100, seed=SEED)
    text = str(out)
    assert len([line for line in text.splitlines() if ": " in line]) == 12  # mu, v and J each
    cell = out["n=40,sd=2.0"].summary()["v"]["bias"]
    row = next(line for line in text.splitlines() if line.startswith("n=40, sd=2.0: v"))
    assert f"{cell.value:.{cell.digits}f} ({cell.mcse:.{cell.digits}f})" in row
    chosen = out.table("coverage", "size")
    assert chosen.columns == ["coverage", "size at 5 %", "failed"]
    assert "<table " in out._repr_html_()
    assert r"\toprule" in out.table("bias").to_latex()
    with pytest.raises(ValueError, match=r"no statistic 'beauty'; there are .*'bias'"):
        out.table("beauty")


def test_a_frame_has_the_axes_as_index() -> None:
    pytest.importorskip("pandas")
    out = grid().run(100, seed=SEED)
    frame = out.to_frame(null={"mu": 1.0})
    assert frame.index.names == ["n", "sd", "parameter", "statistic"]
    power = out["n=40,sd=1.0"].summary(null={"mu": 1.0})["mu"]["power"]
    assert frame.loc[(40, 1.0, "mu", "power"), "estimate"] == power.value
    assert power.value > 0.9


def test_any_value_makes_a_directory(tmp_path: Path) -> None:
    def study(law: Any) -> gmm.MonteCarlo:
        return make(20, 1.0)

    values = ["a/b", "a:b", {"weird": "..\n"}, np.arange(3), "x" * 300]
    out = gmm.MonteCarloGrid(study, law=values).run(50, seed=1, checkpoint=tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert sorted(names) == sorted(out.results)
    assert len(names) == 5
    assert all(len(name) < 120 and "\n" not in name for name in names)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, ValueError, "a grid needs axes"),
        ({"n": []}, ValueError, "the axis n has no values"),
        ({"n": [1]}, TypeError, "it must be a MonteCarlo"),
        ({"n": [1, 2, 1]}, ValueError, "the point n=1 twice"),
    ],
)
def test_a_grid_that_cannot_be_says_why(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        gmm.MonteCarloGrid(lambda n: n, **arguments).run(10, seed=1)
