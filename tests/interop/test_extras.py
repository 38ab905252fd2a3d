"""The libraries are extras: imported when used, named with their install line when missing."""

import doctest
import importlib
import inspect
import subprocess
import sys

import pytest

EXTRAS = ["jax", "numba", "torch"]
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
loaded = [name for name in sys.modules if name in {[f"smartsolve.{extra}" for extra in EXTRAS]}]
assert not loaded, loaded
"""
    run(program)


@pytest.mark.parametrize("extra", EXTRAS)
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
    line = f'smartsolve.{extra} needs {extra}: pip install "smartsolve[{extra}]"\n'
    assert run(program) == line


@pytest.mark.parametrize("extra", EXTRAS)
def test_public_docstrings_have_examples_that_run(extra: str) -> None:
    pytest.importorskip(extra, reason=f"the extra {extra} is not installed")
    module = importlib.import_module(f"smartsolve.{extra}")
    for name in module.__all__:
        if name == "LineaxSolver":
            pytest.importorskip("lineax", reason="lineax is not installed")
        thing = getattr(module, name)
        text = inspect.cleandoc(thing.__doc__)
        test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
        result = doctest.DocTestRunner().run(test)
        assert result.failed == 0
        assert result.attempted > 0 or name == "Factorization"
