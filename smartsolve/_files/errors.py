"""What is wrong with a file, in one line."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["FileError", "NameNeeded", "choose", "refuse_expansion"]

# Deflate, which zip archives, MATLAB's files and HDF5 compress by, shortens no more than this.
_DEFLATE = 1032


class FileError(Exception):
    """Names the file, and the line if it has lines."""

    def __init__(self, path: Path, what: str, line: int | None = None) -> None:
        place = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {' '.join(what.split())}")


class NameNeeded(FileError):
    """Of several arrays one must be chosen by its name; a command says by which option."""

    def by(self, option: str) -> str:
        """The text with the option."""
        return str(self).replace("by its name", f"with {option} NAME")


def choose(path: Path, names: Iterable[str], name: str | None) -> str:
    """The array that is meant, of those that a file holds."""
    held = list(names)
    listed = ", ".join(held)
    if not held:
        raise FileError(path, "holds no numeric array")
    if name is None:
        if len(held) > 1:
            raise NameNeeded(path, f"holds several arrays, {listed}: choose one by its name")
        return held[0]
    if name not in held:
        raise FileError(path, f"holds no array {name!r}, but {listed}")
    return name


def refuse_expansion(path: Path, what: str, stored: int, claimed: int) -> None:
    """Before memory is taken for what so few bytes cannot hold."""
    if claimed > _DEFLATE * (stored + 64):
        raise FileError(path, f"{what} claims {claimed:,} bytes, but {stored:,} are stored")
