"""What is wrong with a file, in one line."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["FileError", "choose"]


class FileError(Exception):
    """Names the file, and the line if it has lines."""

    def __init__(self, path: Path, what: str, line: int | None = None) -> None:
        place = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {' '.join(what.split())}")


def choose(path: Path, names: Iterable[str], name: str | None) -> str:
    """The array that is meant, of those that a file holds."""
    held = list(names)
    listed = ", ".join(held)
    if not held:
        raise FileError(path, "holds no numeric array")
    if name is None:
        if len(held) > 1:
            raise FileError(path, f"holds several arrays, {listed}: choose one by its name")
        return held[0]
    if name not in held:
        raise FileError(path, f"holds no array {name!r}, but {listed}")
    return name
