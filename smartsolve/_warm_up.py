"""What the first solve of a process would otherwise do within its own time."""

import numpy as np

from . import _core

__all__ = ["warm_up"]


def warm_up() -> None:
    """Load LAPACK and what warnings need, so that no solve has to.

    The first solve that runs a LAPACK routine imports SciPy's, which takes a
    few tenths of a second; so does the first warning, whose class derives from
    SciPy's. ``import smartsolve`` does neither, since a program that solves
    small systems needs neither. Call this before a clock is started, or before
    a server takes its first request.

    See Also
    --------
    solve : What is warmed up.

    Examples
    --------
    >>> import sys
    >>> import smartsolve
    >>> smartsolve.warm_up()
    >>> "scipy.linalg.cython_lapack" in sys.modules
    True
    """
    # No kernel of this package solves a declared band.
    _core.solve(np.eye(3) + np.eye(3, k=1), np.ones(3), assume_a="banded")
    from . import _warnings  # noqa: F401  SciPy's base class
