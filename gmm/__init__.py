"""Generalized method of moments, for one sample or for very many at once."""

from gmm import _old_names
from gmm.estimation.hac import HAC
from gmm.estimation.status import Status
from gmm.inference.comparison import compare
from gmm.inference.confidence_sets import ConfidenceSet
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.instrument_tests import IVResult
from gmm.inference.results import GMMResult
from gmm.models.dynamic_panel import DynamicPanel, DynamicPanelResult
from gmm.models.euler import EulerEquation
from gmm.models.exponential import ExponentialRegression
from gmm.models.factors import LinearFactorModel
from gmm.models.gamma import Gamma
from gmm.models.gaussian import GaussianMeanSD
from gmm.models.k_class import JIVE, KClass
from gmm.models.linear_iv import IV
from gmm.models.moments import Moments
from gmm.models.panel import FirstDifferences, FixedEffects
from gmm.models.system import System
from gmm.montecarlo.checkpoint import CheckpointError
from gmm.montecarlo.experiment import BlockError
from gmm.montecarlo.gaussian import GMMGaussianMC
from gmm.montecarlo.grid import GridResult, MonteCarloGrid
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo
from smartsolve import __version__ as __version__  # one distribution

__all__ = [
    "HAC",
    "IV",
    "JIVE",
    "BlockError",
    "CheckpointError",
    "ConfidenceSet",
    "DynamicPanel",
    "DynamicPanelResult",
    "EulerEquation",
    "ExponentialRegression",
    "FirstDifferences",
    "FixedEffects",
    "GMMGaussianMC",
    "GMMResult",
    "Gamma",
    "GaussianMeanSD",
    "GridResult",
    "HypothesisTest",
    "IVResult",
    "KClass",
    "LinearFactorModel",
    "Moments",
    "MonteCarlo",
    "MonteCarloGrid",
    "MonteCarloResult",
    "Status",
    "System",
    "compare",
]

_old_names.keep()
