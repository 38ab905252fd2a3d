"""Imports go one way: no circles, and in gmm only from a room to those below it."""

import ast
import functools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
# From the highest to the lowest. What lies at the door opens the house and stands above all.
ROOMS = ("cli", "montecarlo", "models", "inference", "estimation", "data")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def modules(package: str) -> dict[str, Path]:
    return {name_of(path): path for path in (ROOT / package).rglob("*.py")}


def imports(name: str, path: Path, known: frozenset[str]) -> Iterator[str]:
    """The modules that one imports anywhere, in functions and for types, too."""
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{stem}.{base}" if base else stem
            # A name is a submodule, or else something that the module itself holds.
            full = [f"{base}.{alias.name}" for alias in node.names]
            candidates = [one if one in known else base for one in full]
        else:
            continue
        yield from (one for one in candidates if one in known and one != name)


@functools.cache
def graph(package: str) -> dict[str, frozenset[str]]:
    found = modules(package)
    known = frozenset({*found, f"{package}._core"})  # compiled, and so a leaf
    return {name: frozenset(imports(name, path, known)) for name, path in found.items()}


def circle(graph: dict[str, frozenset[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_are_no_circles() -> None:
    for package in "gmm", "smartsolve":
        assert circle(graph(package)) == []


def test_arrows_go_down() -> None:
    for name, imported in graph("gmm").items():
        room = name.split(".")[1] if name.count(".") > 1 or name.split(".")[-1] in ROOMS else None
        for other in imported:
            inner = other.split(".")[1] if other.count(".") else other
            if room is None:  # the door: it may look into any room, and is looked at by none
                continue
            assert inner == "_core" or inner in ROOMS, f"{name} imports {other} from the door"
            if inner in ROOMS:
                assert ROOMS.index(inner) >= ROOMS.index(room), f"{name} imports {other}"


def test_every_folder_is_a_room() -> None:
    folders = {path.name for path in (ROOT / "gmm").iterdir() if any(path.glob("*.py"))}
    assert folders == set(ROOMS)


def test_a_circle_is_seen_wherever_it_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from house.b import B\n"
        "def f():\n    from . import c\n"
    )
    assert set(imports("house.a", path, frozenset({"house.b", "house.c"}))) == {
        "house.b",
        "house.c",
    }
    assert circle({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")})
    assert not circle({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})
