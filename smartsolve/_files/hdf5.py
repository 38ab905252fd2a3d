"""HDF5, as MATLAB's save -v7.3 and Octave's save -hdf5 write it, read in a process of its own.

The library that reads HDF5 is written in C and follows what the file says. It is handed no byte
here: a child process reads, and its death is an error like any other.
"""

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._install import install
from .errors import FileError, NameNeeded
from .parts import from_columns

__all__ = ["read"]

_CHILD = "smartsolve._files.hdf5_child"


def read(path: Path, name: str | None) -> Any:
    """A variable by its name, or the only numeric one."""
    if importlib.util.find_spec("h5py") is None:
        raise FileError(
            path,
            f"is a HDF5 file (MATLAB's version 7.3), which needs h5py: {install('matlab')}",
        )
    command = [sys.executable, "-P", "-m", _CHILD, str(path), *([] if name is None else [name])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        try:
            pipe = SimpleNamespace(read=child.stdout.read)  # a file NumPy would read by its number
            answer = json.loads(child.stdout.readline() or b"{}")
            arrays = [np.lib.format.read_array(pipe) for _ in range(answer.get("arrays", 0))]
        except (ValueError, EOFError):
            answer = {}
        except BaseException:
            child.kill()
            raise
    if "error" in answer:
        kind = NameNeeded if answer["needs_name"] else FileError
        raise kind(path, answer["error"])
    if child.returncode != 0 or not arrays:
        raise FileError(path, f"the HDF5 library could not read it: {_end(child.returncode)}")
    if "shape" not in answer:
        return arrays[0]
    m, n = answer["shape"]
    return from_columns(path, f"variable {answer['name']!r}", (m, n), *arrays)


def _end(status: int) -> str:
    if status < 0:
        return f"it ended by {signal.Signals(-status).name}, and the file is damaged"
    return "it gave up, and the file is damaged"
