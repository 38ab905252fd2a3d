"""``%%smartsolve``: a notebook's cell, solved by smartsolve and looked at."""

import shlex
from time import perf_counter
from typing import Any

from ._profile.recording import record
from ._profile.report import Profile

__all__ = ["load_ipython_extension"]

_OPTIONS = ("--scipy", "--numpy")
_HELP = """\
Run the cell with numpy.linalg.solve replaced by smartsolve.solve, and show what it solved.

    %%smartsolve [--numpy] [--scipy]

--numpy leaves the results to NumPy, and only tells; --scipy replaces scipy.linalg.solve as well.
jnp.linalg.solve and torch.linalg.solve are replaced where JAX and PyTorch have been imported.
"""


class _CellFailedError(Exception):
    """Fails the outer cell, so that the notebook stops; the inner one has shown why."""

    def _render_traceback_(self) -> list[str]:
        return []


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext smartsolve``."""
    from IPython.core.error import UsageError
    from IPython.display import display

    def smartsolve(line: str, cell: str) -> None:
        options = shlex.split(line)
        for option in options:
            if option not in _OPTIONS:
                raise UsageError(f"%%smartsolve: {option!r} is none of {', '.join(_OPTIONS)}")
        with_ours = "--numpy" not in options
        with record(scipy="--scipy" in options, with_ours=with_ours) as recording:
            began = perf_counter()
            result = shell.run_cell(f"# %%smartsolve\n{cell}")  # lines as the notebook counts
            seconds = perf_counter() - began - recording.overhead
        display(Profile.of(recording, "This cell", seconds, with_ours))
        if not result.success:
            raise _CellFailedError

    smartsolve.__doc__ = _HELP
    shell.register_magic_function(smartsolve, magic_kind="cell")
