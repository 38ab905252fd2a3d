"""Arrays of other libraries, whose memory is exchanged by DLPack: nothing is copied either way."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .. import _errors
from .._types import Align, Side
from .kind import Kind, with_rounding

__all__ = ["Exchanged"]

_ON_THE_HOST = (1, 3)  # DLPack's kDLCPU and kDLCUDAHost
_HALVES = ("float16", "bfloat16")


class Exchanged(Kind):
    """Whatever speaks the array API standard or DLPack: JAX, PyTorch, array_api_strict, CuPy."""

    def has(self, cls: type) -> bool:
        return hasattr(cls, "__dlpack__") and not issubclass(cls, np.ndarray | np.generic)

    def inside(self, x: Any, name: str) -> Any:
        try:
            device = x.__dlpack_device__()[0]
        except Exception as error:  # such as an AttributeError of what JAX traces
            raise TypeError(_errors.not_exchanged(name, x, error)) from error
        if device not in _ON_THE_HOST:
            raise TypeError(_errors.not_on_the_host(name, x, int(device)))
        if _type_name(x.dtype) == "bfloat16":
            raise TypeError(_errors.half_precision(name, x.dtype))
        for resolve in ("resolve_conj", "resolve_neg"):  # PyTorch's views that are not computed yet
            x = getattr(x, resolve, lambda x=x: x)()
        try:
            return np.from_dlpack(x)
        except Exception as error:
            raise TypeError(_errors.not_exchanged(name, x, error)) from error

    def shell(self, x: Any) -> Any:
        """The name of its library."""
        if hasattr(x, "__array_namespace__"):
            return str(x.__array_namespace__().__name__)
        root, _, _ = str(type(x).__module__).partition(".")
        return root

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        if a is not None and b is not None and a != b:
            raise TypeError(_errors.of_two_libraries(a, b))
        if not isinstance(x, np.ndarray):
            return x
        library = import_module(b if a is None else a)
        try:
            return library.from_dlpack(x)
        except Exception:  # such as a type or strides that the library has not
            return library.asarray(x)

    def through(
        self,
        function: Callable[..., Any],
        a: Any,
        b: Any,
        side: Side,
        *,
        align: Align | None = None,
        **options: Any,
    ) -> Any:
        name = None if options.get("dtype") is None else _type_name(options["dtype"])
        if name not in _HALVES:
            if name is not None:
                options["dtype"] = name
            return super().through(function, a, b, side, align=align, **options)
        del options["dtype"]
        # What is to be accurate is so of the numbers as they are.
        is_accurate = options.get("accuracy") is not None
        for of, x in (("a", a), ("b", b)):
            _refuse_complex(x, of, name)

        def working(x: Any) -> Any:
            known = self.knows(x)
            small = not is_accurate or (known and _type_name(x.dtype) in (*_HALVES, "float32"))
            name = "float32" if small else "float64"
            return self._cast(x, name) if known else np.asarray(x, name)

        a, b = working(a), working(b)
        solved = super().through(function, a, b, side, align=align, **options)
        if options.get("return_info"):
            x, info = solved
            narrow = self._cast(x, name)
            back = np.from_dlpack(self._cast(narrow, "float32"))
            return narrow, with_rounding(info, np.from_dlpack(x), back)
        return self._cast(solved, name)

    def factored(
        self, factorize: Callable[..., Any], a: Any, structure: str | None, **options: Any
    ) -> Any:
        if options.get("dtype") is None:
            return super().factored(factorize, a, structure, **options)
        name = _type_name(options["dtype"])
        if name not in _HALVES:
            return super().factored(factorize, a, structure, **options | {"dtype": name})
        return _Halves(name).factored(factorize, a, structure, **options | {"dtype": "float32"})

    def _cast(self, x: Any, name: str) -> Any:
        """Converted by its own library, which knows types that NumPy does not."""
        library = import_module(self.shell(x))
        dtype = getattr(library, name, None)
        if dtype is None:
            raise TypeError(f"{library.__name__} has no {name}")
        if hasattr(library, "astype"):
            return library.astype(x, dtype)
        return x.to(dtype)


class _Halves(Exchanged):
    """The same where solutions are rounded to half precision, in which operands may be."""

    def __init__(self, name: str) -> None:
        self._name = name

    def inside(self, x: Any, name: str) -> Any:
        _refuse_complex(x, name, self._name)
        return super().inside(self._cast(x, "float32"), name)

    def dtype(self, a: Any, factors: Any) -> Any:
        """NumPy's, or the library's where NumPy has none of that name."""
        try:
            return np.dtype(self._name)
        except TypeError:
            return getattr(import_module(a), self._name)

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        return self._cast(super().solution(a, b, x, side), self._name)

    def factored(
        self, factorize: Callable[..., Any], a: Any, structure: str | None, **options: Any
    ) -> Any:
        return Kind.factored(self, factorize, a, structure, **options)


def _refuse_complex(x: Any, of: str, dtype: str) -> None:
    if "complex" in str(getattr(x, "dtype", "")):
        raise TypeError(f"{of} is complex; dtype={dtype!r} would lose its imaginary part")


def _type_name(dtype: Any) -> str:
    """That of NumPy's types, of their names, and of other libraries' types alike."""
    if isinstance(dtype, str):
        return dtype
    try:
        name: str = np.dtype(dtype).name
    except TypeError:
        name = str(dtype).rpartition(".")[2]
    return name
