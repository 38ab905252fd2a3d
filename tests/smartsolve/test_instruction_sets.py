"""What runs on a wide instruction set runs on the narrow ones too, to the same bound."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from smartsolve import _core

from .accuracy import assert_same_solution, assert_solves
from .matrices import KINDS, dtypes_of, random_rhs, random_stack

SOLVE_ALL = """
import sys
import numpy as np
import smartsolve
given = np.load(sys.argv[1])
solved = {}
for name in given.files:
    if name.startswith("a "):
        a, b = given[name], given["b " + name[2:]]
        solved["stack " + name[2:]] = smartsolve.solve(a, b)
        solved["alone " + name[2:]] = np.array([smartsolve.solve(ai, bi) for ai, bi in zip(a, b)])
np.savez(sys.argv[2], **solved)
"""


def systems() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(101)
    given = {}
    for kind in KINDS:
        for dtype in dtypes_of(kind):
            for n in (1, 2, 3, 4, 5, 8, 13, 19, 32, 67):
                name = f"{kind} {dtype} {n}"
                given[f"a {name}"] = random_stack(kind, 11, n, dtype, rng)
                given[f"b {name}"] = random_rhs((11, n, 2), dtype, rng)
    return given


def test_the_widest_set_is_the_default_and_the_list_is_not_empty() -> None:
    sets = _core.instruction_sets()
    assert isinstance(sets, tuple)
    assert len(sets) == len(set(sets)) >= 1
    assert all(isinstance(name, str) for name in sets)


@pytest.mark.parametrize("name", _core.instruction_sets())
def test_instruction_set(name: str, tmp_path: Path) -> None:
    given = systems()
    np.savez(tmp_path / "given.npz", **given)
    environment = {**os.environ, "SMARTSOLVE_ISA": name}
    command = [sys.executable, "-P", "-c", SOLVE_ALL, "given.npz", "solved.npz"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    with np.load(tmp_path / "solved.npz") as solved:
        for key, a in given.items():
            if key.startswith("a "):
                b, stack, alone = given["b" + key[1:]], solved["stack" + key[1:]], None
                alone = solved["alone" + key[1:]]
                assert_solves(a, stack, b)
                assert_solves(a, alone, b)
                assert_same_solution(a, stack, alone)
