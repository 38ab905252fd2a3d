"""Finished blocks on disk: one immutable file each, and a manifest that says of what."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from gmm.montecarlo.blocks import Records

__all__ = ["CheckpointError"]

# Changes whenever files written by an older version could not be read as what they are.
FORMAT = 1
_MANIFEST = "manifest.json"


class CheckpointError(ValueError):
    """A checkpoint directory that this experiment cannot use."""


class Checkpoint:
    """A directory of finished blocks of one experiment.

    Parameters
    ----------
    directory : path
        Created if it does not exist.
    identity : dict of JSON values
        Everything that decides the results. It must equal the manifest's, if there is one.
    record_type : dtype
        Layout of a replication's result.

    Raises
    ------
    CheckpointError
        The directory belongs to another experiment, or holds blocks that no manifest explains.
    OSError
        The directory cannot be created, read or written.
    """

    def __init__(
        self, directory: str | Path, identity: dict[str, Any], record_type: np.dtype[np.void]
    ) -> None:
        self._directory = Path(directory)
        self._record_type = record_type
        self.damaged: list[int] = []
        """Blocks that were there, but not as they had been written."""
        manifest = {"format": FORMAT, **identity}
        # Part of every block's checksum: a block of another experiment is no block of this one.
        self._key = json.dumps(manifest, sort_keys=True).encode()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise CheckpointError(f"checkpoint {directory} is not a directory") from None
        self._claim(manifest)

    def read(self, index: int) -> Records | None:
        """A finished block, or None if it is missing or damaged."""
        try:
            content = self._path(index).read_bytes()
        except FileNotFoundError:
            return None
        digest, payload = content[:32], content[32:]
        if digest != self._digest(index, payload):
            self.damaged.append(index)
            return None
        block: Records = np.load(io.BytesIO(payload), allow_pickle=False)
        return block

    def write(self, index: int, block: Records) -> None:
        """Save a finished block; whoever reads sees all of it or nothing."""
        payload = io.BytesIO()
        np.save(payload, block, allow_pickle=False)
        self._replace(self._path(index), self._digest(index, payload.getvalue()), payload)

    def _path(self, index: int) -> Path:
        return self._directory / f"block-{index:06d}.npy.sha256"

    def _digest(self, index: int, payload: bytes) -> bytes:
        return hashlib.sha256(self._key + b"%d:" % index + payload).digest()

    def _replace(self, path: Path, head: bytes, payload: io.BytesIO) -> None:
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(head + payload.getvalue())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _claim(self, manifest: dict[str, Any]) -> None:
        path = self._directory / _MANIFEST
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            if any(self._directory.glob("block-*")):
                raise CheckpointError(
                    f"checkpoint {self._directory} has blocks but no {_MANIFEST}, so nothing says "
                    "of which experiment; use another directory, or delete this one"
                ) from None
            text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
            self._replace(path, b"", io.BytesIO(text.encode()))
            return
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CheckpointError(
                f"checkpoint {self._directory} has an unreadable {_MANIFEST}; "
                "use another directory, or delete this one"
            )
        for name in sorted(manifest.keys() | found.keys()):
            if manifest.get(name) != found.get(name):
                raise CheckpointError(
                    f"checkpoint {self._directory} belongs to another experiment: its {name} is "
                    f"{found.get(name)!r}, here it is {manifest.get(name)!r}; "
                    "use another directory, or delete this one"
                )
