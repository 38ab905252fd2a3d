"""What runs behind NumPy's and SciPy's linear algebra. Only the library can tell its kernels."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["Blas", "blas"]


@dataclass(frozen=True)
class Blas:
    """A library, as threadpoolctl knows how to ask it."""

    name: str
    version: str = ""
    kernels: str = ""  # nothing where the library does not tell
    threads: int = 0

    def __str__(self) -> str:
        if not self.version:
            return self.name
        kernels = f"{self.kernels} kernels" if self.kernels else "kernels unknown"
        return f"{self.name} {self.version}, {kernels}, {self.threads} threads"


def blas(package: str) -> Blas:
    """That of numpy or of scipy, which bring their own; ImportError without threadpoolctl."""
    threadpoolctl: Any = import_module("threadpoolctl")
    import_module(f"{package}.linalg")  # loads the library
    libraries = [lib for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"]
    own = [lib for lib in libraries if package in Path(lib["filepath"]).parent.name]
    for lib in own or libraries:
        return Blas(
            lib["internal_api"],
            lib["version"] or "",
            lib.get("architecture") or "",
            lib["num_threads"],
        )
    return Blas("BLAS unknown to threadpoolctl")
