"""Optional packages: what is missing is said with the line that installs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from ._install import install

__all__ = ["needs"]


@contextmanager
def needs(package: str, extra: str | None = None) -> Iterator[None]:
    """Say how to install a package if it is what the block fails to import."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ImportError(
            f"smartsolve.{extra or package} needs {package}: {install(extra or package)}",
            name=error.name,
        ) from None
