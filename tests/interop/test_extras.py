"""The libraries are extras: imported when used, named with their install line when missing."""

import subprocess
import sys

import pytest

LIBRARIES = ["jax", "jaxlib", "lineax", "llvmlite", "numba", "torch"]


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_smartsolve_imports_none_of_them() -> None:
    program = f"""
import sys, smartsolve
smartsolve.solve([[2.0]], [1.0])
loaded = [name for name in sys.modules if name.partition(".")[0] in {LIBRARIES}]
assert not loaded, loaded
assert not [name for name in sys.modules if name.startswith("smartsolve.numba")]
"""
    run(program)


@pytest.mark.parametrize("extra", ["numba"])
def test_a_missing_library_is_one_line(extra: str) -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LIBRARIES}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import smartsolve
try:
    import smartsolve.{extra}
except ImportError as error:
    print(error)
"""
    line = f"smartsolve.{extra} needs {extra}: pip install 'smartsolve[{extra}]'\n"
    assert run(program) == line
