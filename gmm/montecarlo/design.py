"""What a study is: samplers, models and truth, checked; how it runs is told elsewhere."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.estimation.bounds import Bounds
from gmm.estimation.options import check_options
from gmm.models.moments import Moments
from gmm.models.theory import Theory, in_the_limit
from gmm.montecarlo import samples
from gmm.montecarlo.arguments import LARGEST, check_count, check_truth, positional_arguments
from gmm.montecarlo.blocks import BLOCK


@dataclass(frozen=True, eq=False)
class Study:
    """The data of a `MonteCarlo`, whose documentation explains them."""

    model: Callable[..., Any]
    sampler: Callable[[np.random.Generator, tuple[int, int]], Any]
    truth: Mapping[str, float]
    n: int
    fit: Mapping[str, Any] = field(default_factory=dict)
    jac: Callable[..., Any] | None = field(default=None, kw_only=True)
    vectorized: bool = field(default=True, kw_only=True)
    bounds: Bounds | None = field(default=None, kw_only=True)
    avar: npt.ArrayLike | None = field(default=None, kw_only=True)
    theory: Theory = field(default_factory=dict, kw_only=True)
    block: int = field(default=BLOCK, kw_only=True)
    chunk: int | None = field(default=None, kw_only=True)
    design: int = field(default=0, kw_only=True)
    _arguments: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("model", "sampler"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} is {getattr(self, name)!r}; it must be callable")
        put(self, "_arguments", positional_arguments(self.model))
        put(self, "truth", check_truth(self.truth))
        put(self, "fit", dict(self.fit or {}))
        # What a function of the data will answer with is not known yet.
        made = Moments if self._arguments == 2 else self.model
        if isinstance(made, type) and (fit := getattr(made, "fit", None)) is not None:
            check_options(fit, self.fit, f"{made.__name__}.fit")
        for name, largest in (("n", LARGEST), ("block", 10**6)):
            put(self, name, check_count(name, getattr(self, name), largest))
        if self.chunk is not None:
            put(self, "chunk", check_count("chunk", self.chunk, self.block))
        put(self, "design", operator.index(self.design))
        if self.design < 0:
            raise ValueError(f"design is {self.design}; it must not be negative")
        put(self, "theory", _merged(in_the_limit(self.truth, self.n, self.avar), self.theory))

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """`count` samples, with every array's rows counted."""
        data = self.sampler(rng, (count, self.n))
        samples.check(data, count, self.n)
        if self._arguments == 2 and isinstance(data, np.ndarray) and data.ndim < 3:
            raise ValueError(
                f"the sampler was asked for {count} samples of n = {self.n} and answered with an "
                f"array of shape {data.shape}; moment conditions take (R, n, d), so give it a "
                "last axis, x[..., np.newaxis]"
            )
        return data

    def build(self, data: Any) -> Any:
        """The model of these data."""
        if self._arguments == 1:
            return self.model(data)
        return Moments(
            self.model,
            data,
            self.jac,
            names=list(self.truth),
            vectorized=self.vectorized,
            bounds=self.bounds,
        )


def _merged(base: Theory, over: Theory) -> Theory:
    return {name: {**row, **over.get(name, {})} for name, row in base.items()}
