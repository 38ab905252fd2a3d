"""Matrices in files: Matrix Market, NumPy's .npy and .npz, MATLAB's .mat. One format a module."""

from .errors import FileError
from .formats import read, write

__all__ = ["FileError", "read", "write"]
