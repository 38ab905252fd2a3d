"""montecarlo/checkpoint.py: interrupted, foreign and damaged checkpoints."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gmm

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
