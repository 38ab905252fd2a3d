"""montecarlo/checkpoint.py: interrupted, foreign and damaged checkpoints."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import gmm
from gmm.montecarlo.checkpoint import Checkpoint
from gmm.montecarlo.experiment import Experiment

from ..studies import normal_study, three_moments

RUN = """
import sys, gmm
gmm.GMMGaussianMC(2_000_000, n=100, seed=5, workers=2, checkpoint=sys.argv[1])
"""


def blocks(directory: Path) -> list[Path]:
    return sorted(directory.glob("block-*.sha256"))


def run(directory: Path | None, replications: int = 4_500, **options: int) -> gmm.MonteCarloResult:
    arguments = {"n": 40, "seed": 5, **options}
    return gmm.GMMGaussianMC(replications, checkpoint=directory, **arguments)


def test_a_killed_run_resumes_to_the_same_bits(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-P", "-c", RUN, tmp_path])
    while len(blocks(tmp_path)) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = len(blocks(tmp_path))
    replications = 1_000 * (finished + 3)
    resumed = run(tmp_path, replications, n=100)
    # The kill may have left a gap, but nothing half-written under a final name.
    assert resumed.blocks_damaged == 0
    assert 4 <= resumed.blocks_reused <= finished
    assert resumed.records.tobytes() == run(None, replications, n=100).records.tobytes()


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path: Path) -> None:
    assert run(tmp_path, 2_500).blocks_reused == 0
    written = {path: path.stat().st_mtime_ns for path in blocks(tmp_path)}
    longer = run(tmp_path, 4_500)
    assert longer.blocks_reused == 3
    assert longer.records.tobytes() == run(None, 4_500).records.tobytes()
    assert run(tmp_path, 1_200).blocks_reused == 2
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "another block"])
def test_a_damaged_block_is_noticed_and_computed_again(tmp_path: Path, damage: str) -> None:
    whole = run(tmp_path)
    path = blocks(tmp_path)[2]
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "flipped":
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 4]) + content[5001:])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(blocks(tmp_path)[1].read_bytes())
    again = run(tmp_path)
    assert (again.blocks_reused, again.blocks_damaged) == (4, 1)
    assert again.records.tobytes() == whole.records.tobytes()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "name"),
    [({"n": 41}, "n"), ({"seed": 6}, "seed"), ({"moments": 3}, r"model\.moments")],
)
def test_another_experiments_directory_is_refused(
    tmp_path: Path, options: dict[str, int], name: str
) -> None:
    run(tmp_path)
    with pytest.raises(gmm.CheckpointError, match=f"another experiment: .*its {name} is"):
        run(tmp_path, **options)


def test_a_change_of_versions_or_streams_is_another_experiment(tmp_path: Path) -> None:
    run(tmp_path)
    manifest = tmp_path / "manifest.json"
    identity = json.loads(manifest.read_text())
    del identity["sha256"]  # as an older version, which wrote none, would have written it
    for name in ("numpy", "smartsolve", "format"):
        manifest.write_text(json.dumps({**identity, name: "other"}))
        with pytest.raises(gmm.CheckpointError, match=f"its {name} is 'other'"):
            run(tmp_path)


def test_a_block_of_another_experiment_is_no_block_of_this_one(tmp_path: Path) -> None:
    run(tmp_path / "this")
    run(tmp_path / "that", seed=6)
    os.replace(blocks(tmp_path / "that")[0], blocks(tmp_path / "this")[0])
    assert run(tmp_path / "this").blocks_damaged == 1


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff"])
def test_an_unreadable_manifest_is_refused(tmp_path: Path, text: str) -> None:
    run(tmp_path)
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(gmm.CheckpointError, match="unreadable"):
        run(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", '{"format": 3}', '{"format": 3, "block": "x"}'])
def test_a_directory_with_an_unreadable_manifest_has_no_results(tmp_path: Path, text: str) -> None:
    run(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(gmm.CheckpointError, match="unreadable"):
        gmm.MonteCarloResult.load(tmp_path)


def test_blocks_without_a_manifest_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(gmm.CheckpointError, match=r"no manifest\.json"):
        run(tmp_path)


def test_a_file_is_not_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(gmm.CheckpointError, match="not a directory"):
        run(path)


def test_no_temporary_file_stays(tmp_path: Path) -> None:
    run(tmp_path, workers=3)
    assert {path.suffix for path in tmp_path.iterdir()} == {".sha256", ".json"}


# --- studies of a user's own ---------------------------------------------------------------------

SEED = 4


def test_a_study_with_other_functions_of_the_same_name_is_refused(tmp_path: Path) -> None:
    study = normal_study()
    study.run(100, seed=SEED, checkpoint=tmp_path)

    def changed(theta: Any, data: Any) -> Any:
        return 1.1 * three_moments(theta, data) - 0.01

    changed.__qualname__ = three_moments.__qualname__
    other = gmm.MonteCarlo(changed, study.sampler, study.truth, study.n, study.fit, block=50)
    with pytest.raises(gmm.CheckpointError, match="same name, but other results"):
        other.run(100, seed=SEED, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n": 51}, "n is 50, here it is 51"),
        ({"truth": {"mu": 0.0, "v": 2.0}}, r"truth\.v is 1\.0, here it is 2\.0"),
        ({"fit": {"start": [0.0, 1.0]}}, r"fit\.center is True, here it is None"),
        ({"block": 25}, "block is 50, here it is 25"),
        ({"chunk": 10}, "chunk is 50, here it is 10"),
        ({"design": 3}, "design is 0, here it is 3"),
        ({"jac": "central"}, "jac is None, here it is 'central'"),
        ({"bounds": {"v": (0, None)}}, r"bounds is None, here it is \{'v': \[0, None\]\}"),
    ],
)
def test_a_study_with_other_options_is_refused(
    tmp_path: Path, options: dict[str, Any], name: str
) -> None:
    normal_study().run(100, seed=SEED, checkpoint=tmp_path)
    with pytest.raises(gmm.CheckpointError, match=name):
        normal_study(**options).run(100, seed=SEED, checkpoint=tmp_path)


def test_theory_is_told_and_not_part_of_the_identity(tmp_path: Path) -> None:
    normal_study().run(100, seed=SEED, checkpoint=tmp_path)
    assert normal_study(avar=[1, 2]).run(100, seed=SEED, checkpoint=tmp_path).blocks_reused == 2


def test_a_directory_alone_has_the_results_and_their_theory(tmp_path: Path) -> None:
    out = normal_study(avar=[1, 2]).run(150, seed=SEED, checkpoint=tmp_path)
    loaded = gmm.MonteCarloResult.load(tmp_path)
    assert loaded.records.tobytes() == out.records.tobytes()
    assert str(loaded.summary()) == str(out.summary())
    blocks(tmp_path)[1].unlink()
    partial = gmm.MonteCarloResult.load(tmp_path)
    kept = [*range(50), *range(100, 150)]
    assert partial.records.tobytes() == out.records[kept].tobytes()


def test_a_directory_without_blocks_has_no_results(tmp_path: Path) -> None:
    with pytest.raises(gmm.CheckpointError, match=r"no manifest\.json"):
        gmm.MonteCarloResult.load(tmp_path)
    normal_study().claim(tmp_path, seed=SEED)
    with pytest.raises(gmm.CheckpointError, match="no finished block yet"):
        gmm.MonteCarloResult.load(tmp_path)


def test_jobs_share_a_directory(tmp_path: Path) -> None:
    study = normal_study()
    for part in (range(2, 4), range(0, 1), range(1, 3)):
        study.run_blocks(part, seed=SEED, checkpoint=tmp_path)
    assert study.run_blocks(range(4), seed=SEED, checkpoint=tmp_path, workers=2) == 0
    out = study.run(200, seed=SEED, checkpoint=tmp_path)
    assert out.blocks_reused == 4
    assert out.records.tobytes() == study.run(200, seed=SEED).records.tobytes()
    with pytest.raises(ValueError, match="must not be negative"):
        study.run_blocks(range(-1, 2), seed=SEED, checkpoint=tmp_path)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_full_disk_loses_nothing_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    study, left = normal_study(), 4
    study.claim(tmp_path, seed=SEED)

    def write_bytes(path: Path, content: bytes) -> int:
        nonlocal left
        left -= 1
        with open(path, "wb") as file:
            if left < 0:  # half of it is written before there is no more room
                file.write(content[: len(content) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return file.write(content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(OSError, match="No space left") as caught:
            study.run(1_000, seed=SEED, checkpoint=tmp_path, workers=workers)
    assert "block-" in caught.value.filename
    assert "keeps the finished blocks" in caught.value.__notes__[0]
    assert len(blocks(tmp_path)) == 4
    assert not list(tmp_path.glob("*.tmp"))
    out = study.run(500, seed=SEED, checkpoint=tmp_path)
    assert (out.blocks_reused, out.blocks_damaged) == (4, 0)
    assert out.records.tobytes() == study.run(500, seed=SEED).records.tobytes()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A file system of 64 kB, where mounting one is allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        study = normal_study()
        with pytest.raises(OSError, match="No space left"):
            study.run(5_000, seed=SEED, checkpoint=tmp_path)
        finished = len(blocks(tmp_path))
        assert 0 < finished < 100
        out = study.run(50 * finished, seed=SEED, checkpoint=tmp_path)
        assert (out.blocks_reused, out.blocks_damaged) == (finished, 0)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    study = normal_study(block=2)
    study.run(2, seed=SEED, checkpoint=tmp_path)
    path = blocks(tmp_path)[0]
    content = path.read_bytes()
    experiment = Experiment.of(study, SEED)
    checkpoint = Checkpoint(tmp_path, experiment.identity(), experiment.record_type)
    for place in range(len(content)):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]
        )
        assert checkpoint.read(0) is None
    assert len(checkpoint.damaged) == len(content)
    path.write_bytes(content)
    assert checkpoint.read(0) is not None


def test_a_manifest_that_is_not_as_it_was_written_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    manifest = tmp_path / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"truth": {', '"truth": {\n', 1))  # spaces say nothing
    assert run(tmp_path).blocks_damaged == 0
    manifest.write_text(text.replace('"mu": 0.0', '"mu": 0.5', 1))
    assert manifest.read_text() != text
    for look in (lambda: run(tmp_path), lambda: gmm.MonteCarloResult.load(tmp_path)):
        with pytest.raises(gmm.CheckpointError, match="not as it was written"):
            look()
