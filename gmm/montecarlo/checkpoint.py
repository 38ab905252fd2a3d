"""Finished blocks on disk: one immutable file each, and a manifest that says of what."""

import hashlib
import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from gmm.models.theory import Reference, Theory
from gmm.montecarlo.blocks import Block, record_type
from gmm.montecarlo.columns import Column
from gmm.montecarlo.identity import differences

__all__ = ["CheckpointError"]

# Changes whenever files written by an older version could not be read as what they are.
FORMAT = 3
MANIFEST = "manifest.json"
# Told beside the identity, and no part of it: what a reader of the directory alone needs.
_THEORY = "theory"
_CHECKSUM = "sha256"
# Of the identity, what a reader of the directory alone uses.
_READ = {"parameters": list, "truth": dict, "n": int, "seed": int, "block": int, "df": int}
_CONSEQUENCES = {"chunk", "df", "df_t", "fingerprint"}


class CheckpointError(ValueError):
    """A checkpoint directory that this experiment cannot use."""


def columns_of(identity: Mapping[str, Any]) -> tuple[Column, ...]:
    """What an experiment records of a replication besides its estimates."""
    return tuple(map(Column.of, identity.get("columns", ())))


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
        self,
        directory: str | Path,
        identity: dict[str, Any],
        record_type: np.dtype[np.void],
        *,
        theory: Theory | None = None,
    ) -> None:
        self.directory = Path(directory)
        self.record_type = record_type
        self.damaged: list[int] = []
        """Blocks that were there, but not as they had been written."""
        # As JSON gives it back: tuples are lists.
        self.identity: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **identity}))
        # Part of every block's checksum: a block of another experiment is no block of this one.
        self._key = json.dumps(self.identity, sort_keys=True).encode()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise CheckpointError(f"checkpoint {directory} is not a directory") from None
        self._claim(theory or {})

    @classmethod
    def open(cls, directory: str | Path) -> tuple[Self, Theory]:
        """The checkpoint that a directory holds, whatever its experiment, and the theory of it."""
        if not (Path(directory) / MANIFEST).is_file():
            raise CheckpointError(f"{directory} holds no checkpoint: there is no {MANIFEST}")
        manifest = _manifest(Path(directory))
        written = manifest.pop(_THEORY, {})
        if manifest.pop("format", None) != FORMAT:
            raise CheckpointError(f"checkpoint {directory} was written by another version")
        if not all(isinstance(manifest.get(name), kind) for name, kind in _READ.items()):
            raise _unreadable(Path(directory))
        theory = {
            name: {statistic: Reference(*pair) for statistic, pair in row.items()}
            for name, row in written.items()
        }
        columns = columns_of(manifest)
        return cls(directory, manifest, record_type(len(manifest["parameters"]), columns)), theory

    def blocks(self) -> list[int]:
        """Numbers of the blocks that are there, whole or damaged."""
        names = (path.name for path in self.directory.glob("block-*.npy.sha256"))
        numbers = (name.removeprefix("block-").removesuffix(".npy.sha256") for name in names)
        # A copy that somebody has made under a name of his own is no block.
        return sorted(int(number) for number in numbers if number.isdecimal() and len(number) >= 6)

    def read(self, index: int) -> Block | None:
        """A finished block, or None if it is missing or damaged."""
        try:
            content = self._path(index).read_bytes()
        except FileNotFoundError:
            return None
        digest, payload = content[:32], content[32:]
        if digest != self._digest(index, payload):
            self.damaged.append(index)
            return None
        stream = io.BytesIO(payload)
        records = np.load(stream, allow_pickle=False)
        errors = json.loads(stream.read())
        return Block(records, {int(row): text for row, text in errors.items()})

    def write(self, index: int, block: Block) -> None:
        """Save a finished block; whoever reads sees all of it or nothing."""
        payload = io.BytesIO()
        np.save(payload, block.records, allow_pickle=False)
        payload.write(json.dumps(block.errors).encode())
        content = payload.getvalue()
        self._replace(self._path(index), self._digest(index, content) + content)

    def _path(self, index: int) -> Path:
        return self.directory / f"block-{index:06d}.npy.sha256"

    def _digest(self, index: int, payload: bytes) -> bytes:
        return hashlib.sha256(self._key + b"%d:" % index + payload).digest()

    def _replace(self, path: Path, content: bytes) -> None:
        # Jobs on many machines may share the directory; process numbers repeat among them.
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError as error:
            # A full disk is reported without the name of the file that it had no room for.
            raise OSError(error.errno, error.strerror, str(path)) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _claim(self, theory: Theory) -> None:
        try:
            # Opened, not asked for: network file systems answer that from memory.
            found = _manifest(self.directory)
        except FileNotFoundError:
            if self.blocks():
                raise CheckpointError(
                    f"checkpoint {self.directory} has blocks but no {MANIFEST}, so nothing says "
                    "of which experiment; use another directory, or delete this one"
                ) from None
            rows = {
                name: {statistic: (r.value, r.exact) for statistic, r in row.items()}
                for name, row in theory.items()
            }
            manifest = {**self.identity, _THEORY: rows}
            text = json.dumps({**manifest, _CHECKSUM: _checksum(manifest)}, indent=2) + "\n"
            self._replace(self.directory / MANIFEST, text.encode())
            return
        found.pop(_THEORY, None)
        if different := differences(found, self.identity):
            raise CheckpointError(
                f"checkpoint {self.directory} belongs to another experiment: {_why(different)}; "
                "use another directory, or delete this one"
            )


def _why(different: list[tuple[str, Any, Any]]) -> str:
    """Where experiments differ: in causes, if there are any, rather than in what follows."""
    causes = [row for row in different if row[0] not in _CONSEQUENCES]
    if not causes and different[0][0] == "fingerprint":
        return "its sampler or model had the same name, but other results"
    return ", ".join(
        f"its {name} is {there!r}, here it is {here!r}" for name, there, here in causes or different
    )


def _manifest(directory: Path) -> dict[str, Any]:
    try:
        found = json.loads((directory / MANIFEST).read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unreadable(directory)
    # Manifests of older versions have none.
    if found.pop(_CHECKSUM, None) not in (None, _checksum(found)):
        raise CheckpointError(
            f"checkpoint {directory} has a {MANIFEST} that is not as it was written; "
            "use another directory, or delete this one"
        )
    return found


def _checksum(manifest: Mapping[str, Any]) -> str:
    """Of what a manifest says, however it is spaced."""
    text = json.dumps(manifest, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _unreadable(directory: Path) -> CheckpointError:
    return CheckpointError(
        f"checkpoint {directory} has an unreadable {MANIFEST}; "
        "use another directory, or delete this one"
    )
