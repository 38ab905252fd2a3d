"""Where that is now which older pickles name by the modules of their time."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# By the old name: the modules among which its classes and functions have been divided.
PLACES: dict[str, tuple[str, ...]] = {
    "gmm._bounds": ("gmm.estimation.bounds",),
    "gmm._covariance": ("gmm.estimation.covariance",),
    "gmm._estimators": ("gmm.estimation.estimators",),
    "gmm._gauss_newton": ("gmm.estimation.gauss_newton",),
    "gmm._hac": ("gmm.estimation.hac",),
    "gmm._hypotheses": ("gmm.inference.hypotheses",),
    "gmm._instruments": ("gmm.estimation.instrumented", "gmm.data.instruments"),
    "gmm._model": ("gmm.estimation.model",),
    "gmm._moments": ("gmm.models.moments",),
    "gmm._power_sums": ("gmm.data.power_sums",),
    "gmm._problem": ("gmm.estimation.problem",),
    "gmm._results": ("gmm.inference.results", "gmm.estimation.answer"),
    "gmm._specification": ("gmm.inference.specification",),
    "gmm._status": ("gmm.estimation.status",),
    "gmm._summary": ("gmm.inference.summary",),
    "gmm._theory": ("gmm.models.theory",),
    "gmm.models.linear_iv_tests": ("gmm.inference.instrument_tests",),
}


class _Moved(ModuleType):
    """A module of an older version: what it held comes from where it is now."""

    def __getattr__(self, name: str) -> Any:
        for place in PLACES[self.__name__]:
            module = importlib.import_module(place)
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


class _OldNames(MetaPathFinder, Loader):
    """Finds the modules that are no more."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for an old name, None for every other."""
        return ModuleSpec(fullname, self) if fullname in PLACES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that looks elsewhere."""
        return _Moved(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is to be run."""


def keep() -> None:
    """Have the old names found, after all that exist."""
    sys.meta_path.append(_OldNames())
