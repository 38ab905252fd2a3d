"""Files that are there entirely or not at all."""

import os
import tempfile
from pathlib import Path

__all__ = ["written"]


def written(path: Path, content: bytes) -> None:
    """Write under a temporary name beside it, then rename."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
