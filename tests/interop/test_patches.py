"""One context for all: `patch_numpy` leads JAX and PyTorch as well, if it is asked to."""

import importlib
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve import patch_numpy

NAMES = {"jax": "jax.numpy", "torch": "torch"}


def linalg(library: str) -> object:
    pytest.importorskip(library, reason=f"the extra {library} is not installed")
    return importlib.import_module(NAMES[library]).linalg


def python(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize("library", NAMES)
def test_a_library_is_replaced_if_asked_for_and_then_with_numpy(library: str) -> None:
    module: object = linalg(library)
    of_numpy, own = np.linalg.solve, vars(module)["solve"]
    with patch_numpy():
        assert vars(module)["solve"] is own
    asked: dict[str, Any] = {library: True}
    with patch_numpy(**asked):
        assert np.linalg.solve is not of_numpy
        inside = vars(module)["solve"]
        assert inside is not own
        with importlib.import_module(f"smartsolve.{library}").patch():
            assert vars(module)["solve"] is inside  # one and the same stands for it
        assert vars(module)["solve"] is inside
    assert np.linalg.solve is of_numpy
    assert vars(module)["solve"] is own


def test_all_at_once() -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")

    @patch_numpy(scipy=True, inv=True, jax=True, torch=True)
    def solutions() -> list[object]:
        a, b = np.diag([2.0, 4.0]), np.ones(2)
        tensors, arrays = (torch.from_numpy(a), torch.from_numpy(b)), (jax.numpy.array(a), b)
        return [
            np.linalg.solve(a, b),
            np.linalg.inv(a).diagonal(),
            torch.linalg.solve(*tensors),
            jax.numpy.linalg.solve(*arrays),
            jax.jit(jax.numpy.linalg.solve)(*arrays),
        ]

    for x in solutions():
        assert np.asarray(x).tolist() == [0.5, 0.25]


@pytest.mark.parametrize("library", NAMES)
def test_a_missing_library_is_one_line_and_replaces_nothing(library: str, tmp_path: Path) -> None:
    program = f"""
        import sys
        sys.modules["{library}"] = None
        import numpy as np
        import smartsolve
        own = np.linalg.solve
        try:
            with smartsolve.patch_numpy({library}=True):
                raise AssertionError
        except ImportError as error:
            print(error)
        assert np.linalg.solve is own
    """
    done = python("-c", dedent(program), cwd=tmp_path)
    line = f'smartsolve.{library} needs {library}: pip install "smartsolve[{library}]"\n'
    assert (done.stdout, done.stderr) == (line, "")


def test_none_is_imported_unasked(tmp_path: Path) -> None:
    program = """
        import sys, smartsolve
        with smartsolve.patch_numpy(scipy=True, inv=True):
            pass
        assert not {"jax", "torch", "smartsolve.jax", "smartsolve.torch"} & set(sys.modules)
    """
    done = python("-c", dedent(program), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("library", NAMES)
def test_run_waits_for_the_import(library: str, tmp_path: Path) -> None:
    """JAX reads its environment when it is imported, which the program may set before."""
    linalg(library)
    program = f"""
        import os, sys
        assert "{library}" not in sys.modules
        os.environ["JAX_ENABLE_X64"] = "1"
        from {NAMES[library]}.linalg import solve
        print(type(solve).__module__)
        if "{library}" == "jax":
            import jax.numpy as jnp
            print(solve(2 * jnp.eye(2), jnp.ones(2)).dtype)
    """
    (tmp_path / "program.py").write_text(dedent(program))
    for asked, module in ((f"--{library}",), f"smartsolve.{library}._patch"), ((), "builtins"):
        done = python("-m", "smartsolve", "run", *asked, "program.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found, *rest = done.stdout.split()
        assert (found == module) or (not asked and not found.startswith("smartsolve"))
        assert rest == (["float64"] if library == "jax" else [])


def test_ill_conditioned_is_told_to_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    hilbert = torch.from_numpy(1 / (np.arange(14)[:, None] + np.arange(14) + 1))
    b = torch.ones(14, dtype=torch.float64)
    with patch_numpy(torch=True, ill_conditioned="ignore"):
        torch.linalg.solve(hilbert, b)
    with (
        patch_numpy(torch=True, ill_conditioned="raise"),
        pytest.raises(torch.linalg.LinAlgError, match="Ill-conditioned"),
    ):
        torch.linalg.solve(hilbert, b)
    with patch_numpy(torch=True), pytest.warns(smartsolve.IllConditionedWarning):
        torch.linalg.solve(hilbert, b)


def test_what_pytorch_solves_does_not_stop() -> None:
    """Singular by one order of operations, and by PyTorch's not."""
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    a = torch.tensor([[1, 1, 0], [-3, -1, -1], [1, -1, 1]]).double() * 0.1
    b = torch.ones(3, dtype=torch.float64)
    try:
        expected = torch.linalg.solve(a, b)
    except torch.linalg.LinAlgError:
        pytest.skip("this LAPACK finds it singular")
    with pytest.raises(torch.linalg.LinAlgError):
        smartsolve.torch.solve(a, b)
    with smartsolve.torch.patch():
        assert torch.equal(torch.linalg.solve(a, b), expected)


@pytest.mark.parametrize("ill_conditioned", [None, "raise"])
def test_what_pytorch_compiles_has_no_graph_break(ill_conditioned: str | None) -> None:
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")

    def program(a: object, b: object) -> object:
        return torch.linalg.solve(a, b)

    a, b = 2 * torch.eye(3), torch.ones(3)
    with patch_numpy(torch=True, ill_conditioned=ill_conditioned):  # type: ignore[arg-type]
        compiled = torch.compile(program, backend="eager", fullgraph=True)
        assert compiled(a, b).tolist() == [0.5] * 3
