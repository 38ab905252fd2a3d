"""Arrays of which no number is there yet: their calls become tasks."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .. import _errors
from .._types import Align, Side
from .kind import Kind, is_loaded_class

__all__ = ["Dask"]


class Dask(Kind):
    """dask.array.Array: see `_dask`, which makes tasks of calls."""

    def has(self, cls: type) -> bool:
        return is_loaded_class(cls, "dask.array", "Array")

    def inside(self, x: Any, name: str) -> Any:
        """For what looks at a matrix at once."""
        return x.compute()

    def shell(self, x: Any) -> Any:
        return x.chunks

    def solution(self, a: Any, b: Any, x: Any, side: Side) -> Any:
        return x

    def factored(
        self, factorize: Callable[..., Any], a: Any, structure: str | None, **options: Any
    ) -> Any:
        from .._dask import DaskFactorization

        factor = partial(factorize, structure=structure, **options)
        return DaskFactorization(a, factor)

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
        from .._dask import later

        if align is not None:
            raise TypeError(_errors.nothing_to_align(align))
        return later(function, a, b, side, options)
