"""Profiles of programs that solve with PyTorch and JAX: call sites, times, advice that is run."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import smartsolve
from smartsolve._patch.imports import once_imported


def profile(tmp_path: Path, text: str) -> dict[str, dict[str, Any]]:
    """Run a program in a process of its own; its call sites by the line's last word."""
    program, report = tmp_path / "program.py", tmp_path / "report.json"
    program.write_text(dedent(text))
    command = [sys.executable, "-P", "-m", "smartsolve", "profile", "-o", str(report), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = program.read_text().splitlines()
    sites = json.loads(report.read_text())["sites"]
    return {lines[site["line"] - 1].rpartition("# ")[2]: site for site in sites}


TORCH = """
    import torch
    from torch.linalg import solve
    torch.manual_seed(0)
    A = torch.randn(100, 4, 4, dtype=torch.float64, requires_grad=True)
    B, v = torch.randn(100, 4, dtype=torch.float64), torch.ones(5, dtype=torch.complex128)
    D, W = torch.diag(torch.arange(1, 6) + 0j).to(v.dtype), torch.ones(3, 5, dtype=v.dtype)
"""


def test_a_program_of_pytorchs(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")
    import smartsolve.torch

    found = profile(
        tmp_path,
        f"""{TORCH}
    for k in range(5):
        x = torch.linalg.solve(A, B)  # stack
    x.sum().backward()
    assert A.grad.abs().sum() > 0
    y = solve(B=v, A=D)  # words
    z = torch.linalg.solve(D.conj(), W, left=False)  # left
    try:
        torch.linalg.solve(torch.zeros(2, 2), torch.ones(2))  # singular
    except torch.linalg.LinAlgError as error:
        assert "pivot" not in str(error)  # PyTorch's own
    w = torch.empty(5, dtype=v.dtype)
    assert torch.linalg.solve(D, v, out=w) is w
    torch.vmap(torch.linalg.solve)(A, B)  # mapped
    nested = torch.vmap(lambda a: torch.vmap(lambda b: solve(a, b))(B[:7]))  # nested
    nested(A[:3])
    torch.func.jvp(solve, (D, v), (D, v))  # forward
    loss = lambda a: torch.linalg.solve(a, B[0]).sum()  # gradient
    g = torch.vmap(torch.func.grad(loss))(A)
    h = torch.func.hessian(lambda a: torch.linalg.solve(a, B[0]).sum())(A[0])  # hessian
    assert torch.allclose(g[0], torch.func.grad(loss)(A[0])) and h.shape == (4, 4, 4, 4)
    compiled = torch.compile(lambda a, b: torch.linalg.solve(a, b), backend="eager", fullgraph=True)
    assert torch.allclose(compiled(D, v), y)
    """,
    )
    assert found["singular"]["failed"] == 1
    for name, a, b in (
        ("mapped", [100, 4, 4], [100, 4]),
        ("nested", [3, 4, 4], [7, 4]),
        ("forward", [5, 5], [5]),
        ("gradient", [100, 4, 4], [4]),
        ("hessian", [4, 4], [4]),
    ):
        site = found[name]
        assert site["systems"][0]["a_shape"] == a, name
        assert site["systems"][0]["b_shape"] == b, name
        assert site["smartsolve_seconds"] > 0
        assert sum(site["structures"].values()) >= int(np.prod(a[:-2]))
    assert found["mapped"]["instead"] is None
    advice = found["mapped"]["advice"]
    assert "`smartsolve.torch.solve(a, b)`" in advice or "PyTorch was as fast" in advice
    names: dict[str, Any] = {"smartsolve": smartsolve}
    exec(dedent(TORCH), names)
    for name, calls, structures in (
        ("stack", 5, {"general": 500}),
        ("words", 1, {"diagonal": 1}),
        ("left", 1, {"diagonal": 1}),
    ):
        site = found[name]
        assert (site["function"], site["calls"]) == ("torch.linalg.solve", calls)
        assert site["structures"] == structures
        assert site["seconds"] > 0
        assert site["smartsolve_seconds"] > 0
        assert f"`{site['instead']}`" in site["advice"] or "PyTorch was as fast" in site["advice"]
        expected = eval(site["text"], names | {"torch": torch})
        assert torch.allclose(eval(site["instead"], names), expected), site["instead"]


JAX = """
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax.numpy.linalg import solve
    A = jax.random.normal(jax.random.key(0), (100, 4, 4))
    B, D, v = jnp.ones((100, 4)), jnp.diag(jnp.arange(1.0, 51)), jnp.ones(50)
"""


def test_a_program_of_jaxs(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="the extra jax is not installed")
    found = profile(
        tmp_path,
        f"""{JAX}
    for k in range(3):
        x = solve(D * (k + 1), v)  # eager
    f = jax.jit(jax.vmap(jnp.linalg.solve))
    f(A, B); f(A, B)  # mapped

    @jax.jit
    def g(a, b):
        return jnp.linalg.solve(a, b).sum()  # traced

    g(D, v); g(D, v); g(D, jnp.ones((50, 3)))
    jax.grad(g)(D, v)
    nested = jax.vmap(jax.vmap(lambda a, b: jnp.linalg.solve(a, b), (0, None)), (None, 0))  # nested
    nested(A, B[:2])
    jnp.linalg.inv(D)  # no solve of the program's
    """,
    )
    assert set(found) == {"eager", "mapped", "traced", "nested"}
    eager = found["eager"]
    assert (eager["calls"], eager["structures"], eager["matrices"]) == (3, {"diagonal": 3}, 3)
    assert eager["instead"] == "smartsolve.jax.solve(D * (k + 1), v)"
    names: dict[str, Any] = {}
    exec(dedent(JAX) + "k = 2\nimport smartsolve.jax", names)
    assert np.allclose(eval(eager["instead"], names), eval(eager["text"], names), rtol=1e-12)
    shapes = {
        name: [(t["a_shape"], t["b_shape"]) for t in found[name]["traces"]]
        for name in ("mapped", "traced", "nested")
    }
    assert shapes == {
        "mapped": [([100, 4, 4], [100, 4])],
        "traced": [([50, 50], [50]), ([50, 50], [50, 3])],
        "nested": [([100, 4, 4], [2, 4])],
    }
    for name in ("mapped", "traced"):
        site = found[name]
        assert (site["calls"], site["seconds"]) == (0, None)
        assert all(trace["seconds"] > 0 for trace in site["traces"])
        assert all(trace["other_seconds"] > 0 for trace in site["traces"])
    assert found["mapped"]["traces"][0]["count"] == 1


COMPILED = """
    f = jax.jit(jax.vmap(jnp.linalg.solve))
    mapped = f(A, B)  # mapped
    traced = jax.jit(lambda a, b: jnp.linalg.solve(a, b).sum())(D, v)  # traced
    nested = jax.vmap(jax.vmap(lambda a, b: jnp.linalg.solve(a, b), (0, None)), (None, 0))(A, B)  # nested
    gradient = jax.grad(lambda a, b: jnp.linalg.solve(a, b).sum())(D, v)  # gradient
"""  # noqa: E501


def test_what_is_advised_for_compiled_calls_runs(tmp_path: Path) -> None:
    """The advice is followed in the program's text, and the program answers the same."""
    pytest.importorskip("jax", reason="the extra jax is not installed")
    found = profile(tmp_path, JAX + COMPILED)
    form = r"compiled: `(\S+)` in place of (\S+) is ([\d.]+) times as fast in each run, on random"
    lines = dedent(JAX + COMPILED).splitlines()
    followed = 0
    for name in ("mapped", "traced", "nested", "gradient"):
        site = found[name]
        advised = re.match(form, site["advice"])
        if advised is None:  # as it happened to run
            assert site["advice"] == "compiled: nothing to gain, JAX was as fast"
            continue
        ours, theirs, times = advised.groups()
        ratios = [t["seconds"] / t["other_seconds"] for t in site["traces"]]
        assert any(abs(float(times) / ratio - 1) < 0.06 for ratio in ratios)
        before: dict[str, Any] = {}
        exec("\n".join(lines), before)
        after: dict[str, Any] = {}
        exec("import smartsolve.jax\n" + "\n".join(lines).replace(theirs, ours), after)
        assert after["jnp"].linalg.solve is not after["smartsolve"].jax.solve
        assert np.allclose(after[name], before[name], rtol=1e-9), name
        followed += 1
    assert followed > 0  # stacks of 4x4 are ten times as fast, whatever else runs


def test_a_profile_imports_neither(tmp_path: Path) -> None:
    found = profile(
        tmp_path,
        """
        import sys
        import importlib.util
        importlib.util.find_spec("torch")
        import numpy as np
        np.linalg.solve(np.eye(2), np.ones(2))  # numpy
        assert not {"torch", "jax", "smartsolve.torch", "smartsolve.jax"} & set(sys.modules)
        """,
    )
    assert list(found) == ["numpy"]


def test_an_import_is_noticed_once_and_only_in_the_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("imported_within", "imported_after"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    finders, seen = list(sys.meta_path), []
    with (
        once_imported("imported_within", lambda: seen.append("within")),
        once_imported("imported_after", lambda: seen.append("after")),
        once_imported("numpy", lambda: seen.append("numpy")),
    ):
        assert importlib.util.find_spec("imported_within") is not None  # looked for, not loaded
        assert seen == ["numpy"]
        import imported_within  # type: ignore[import-not-found]

        assert imported_within.x == 1
        assert seen == ["numpy", "within"]
    import imported_after  # type: ignore[import-not-found]  # noqa: F401

    assert seen == ["numpy", "within"]
    assert sys.meta_path == finders


@pytest.mark.parametrize(
    ("module", "own"), [("jaxlib._jax", "jnp.linalg.solve"), ("torch", "torch.linalg.solve")]
)
def test_explain_says_who_solves_on_a_gpu(module: str, own: str) -> None:
    """A stand-in: an array whose memory is CUDA's."""

    def device(_: object) -> tuple[int, int]:
        return (2, 0)

    def memory(_: object, **options: object) -> None:
        raise AssertionError("it was read")

    names = {"shape": (2, 2), "ndim": 2, "dtype": np.dtype(float), "__module__": module}
    kind = type("Array", (), names | {"__dlpack_device__": device, "__dlpack__": memory})
    with pytest.raises(TypeError, match=f"CUDA GPU.*{own}"):
        smartsolve.explain(kind())
