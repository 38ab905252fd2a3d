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
from gmm.montecarlo.arguments import (
    LARGEST,
    call_with,
    check_count,
    check_record,
    check_truth,
    positional_arguments,
)
from gmm.montecarlo.blocks import BLOCK
from gmm.montecarlo.recorded import is_result, parameter_names


@dataclass(frozen=True, eq=False)
class Study:
    """The data of a `MonteCarlo`, whose documentation explains them."""

    model: Callable[..., Any] | Mapping[str, Callable[..., Any]]
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
    record: Mapping[str, Callable[..., Any]] | None = field(default=None, kw_only=True)
    _arguments: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if isinstance(self.model, Mapping):
            put(self, "model", dict(self.model))
        for name, function in (*self.models.items(), ("sampler", self.sampler)):
            if not callable(function):
                raise TypeError(f"{name} is {function!r}; it must be callable")
        kinds = {positional_arguments(model) for model in self.models.values()}
        if len(kinds) != 1:
            raise TypeError(
                "the models are moment conditions or functions of the data, not both"
                if kinds
                else "model is an empty dict"
            )
        put(self, "_arguments", kinds.pop())
        put(self, "record", check_record(self.record))
        put(self, "truth", check_truth(self.truth))
        if not isinstance(self.fit, Mapping | None):
            raise TypeError(f"fit is {self.fit!r}; it must be a dict of options of the model's fit")
        put(self, "fit", dict(self.fit or {}))
        # What a function of the data will answer with is not known yet.
        for model in self.models.values():
            made = Moments if self._arguments == 2 else model
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
        if self._arguments == 2 and not (
            isinstance(data, np.ndarray) and data.dtype.kind in "biuf"
        ):
            kind = (
                f"an array of {data.dtype}"
                if isinstance(data, np.ndarray)
                else (f"a {type(data).__name__}")
            )
            raise ValueError(
                f"the sampler answers with {kind}; moment conditions take one array (R, n, d) of "
                "real numbers, a function of the data whatever it makes a model of"
            )
        if self._arguments == 2 and data.ndim < 3:
            raise ValueError(
                f"the sampler was asked for {count} samples of n = {self.n} and answered with an "
                f"array of shape {data.shape}; moment conditions take (R, n, d), so give it a "
                "last axis, x[..., np.newaxis]"
            )
        return data

    @property
    def models(self) -> dict[str, Callable[..., Any]]:
        """The estimators, by name; the first is the study's own."""
        return dict(self.model) if isinstance(self.model, Mapping) else {"model": self.model}

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """What is recorded of each replication, by name."""
        return self.record or {}

    @property
    def label(self) -> str:
        """The name of the study's own estimator."""
        return next(iter(self.models))

    @property
    def others(self) -> list[str]:
        """The names of the estimators beside the study's own."""
        return list(self.models)[1:]

    @property
    def together(self) -> bool:
        """Whether many samples go to the models at once."""
        return self.vectorized or self._arguments == 2

    def build(self, data: Any, name: str | None = None) -> Any:
        """The model of these data: the study's own, or another by its name."""
        model = self.models[self.label if name is None else name]
        if self._arguments == 1:
            return model(data)
        return Moments(
            model,
            data,
            self.jac,
            names=list(self.truth),
            vectorized=self.vectorized,
            bounds=self.bounds,
        )

    def fitted(self, data: Any, name: str | None = None) -> Any:
        """The fit of these data; a function of the data may answer with it by itself."""
        # What overflows or divides by zero ends as a status; the flags would only say it twice.
        with np.errstate(all="ignore"):
            model = self.build(data, name)
            if is_result(model) and self.fit and len(self.models) == 1:
                raise TypeError(
                    f"fit has options ({', '.join(self.fit)}), but the model function answers with "
                    "a fit already; give the options there, or return the model"
                )
            result = model if is_result(model) else model.fit(**self.fit)
        names = parameter_names(result)
        if names is not None and names != (*self.truth,) and {*names} == {*self.truth}:
            raise ValueError(
                f"truth names the parameters in the order {', '.join(self.truth)}; the fit has "
                f"them in the order {', '.join(names)}"
            )
        return result

    def recorded(self, name: str, result: Any, data: Any, rng: np.random.Generator) -> Any:
        """What one of the study's statistics answers."""
        with np.errstate(all="ignore"):
            return call_with(self.functions[name], result, data, rng)


def _merged(base: Theory, over: Theory) -> Theory:
    return {name: {**row, **over.get(name, {})} for name, row in base.items()}
