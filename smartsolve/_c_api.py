"""The C interface, as Python sees it: the header's place, and the table's functions."""

import ctypes
from importlib import resources

from . import _core

__all__ = ["Table", "get_include", "table"]

_pointer, _size, _int = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int


class Table(ctypes.Structure):
    """`smartsolve_api` of smartsolve.h: sizes, version, and addresses of functions."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("major", _int),
        ("minor", _int),
        *(
            (name, _pointer)
            for name in (
                "prepare",
                "solve",
                "solve_stack",
                "factorize",
                "solve_factored",
                "rcond",
                "structure",
                "free_factors",
                "message",
            )
        ),
    )


def table() -> Table:
    """The table, with LAPACK loaded: its functions need Python no more."""
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = _pointer, [ctypes.py_object, ctypes.c_char_p]
    found = Table.from_address(get_pointer(_core._C_API, b"smartsolve._core._C_API"))
    if ctypes.PYFUNCTYPE(_int)(found.prepare)() != 0:
        raise ImportError("scipy.linalg.cython_lapack cannot be imported")
    return found


def get_include() -> str:
    """Directory of ``smartsolve.h``, the C and C++ header of the table of native functions.

    Returns
    -------
    str
        What a compiler is given with ``-I``.

    See Also
    --------
    numpy.get_include : The same for NumPy.

    Notes
    -----
    Cython finds the declarations as ``from smartsolve.c_api cimport ...``.

    Examples
    --------
    >>> import os
    >>> import smartsolve
    >>> os.listdir(smartsolve.get_include())
    ['smartsolve.h']
    """
    return str(resources.files(__package__) / "include")
