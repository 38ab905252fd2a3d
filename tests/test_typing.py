"""The script that type checkers read is one that runs."""

import subprocess
import sys
from pathlib import Path


def test_the_typed_script_runs(tmp_path: Path) -> None:
    """Continuous integration has mypy and pyright read it; its wrong word is refused here, too."""
    script = Path(__file__).parent / "typing" / "user_script.py"
    done = subprocess.run(
        [sys.executable, "-P", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "'diagnol'" in done.stdout
