"""Generalized method of moments, for one sample or for very many at once."""

from gmm._hac import HAC
from gmm._hypotheses import HypothesisTest
from gmm._moments import Moments
from gmm._results import GMMResult
from gmm._status import Status
from gmm.models.euler import EulerEquation
from gmm.models.exponential import ExponentialRegression
from gmm.models.gamma import Gamma
from gmm.models.gaussian import GaussianMeanSD
from gmm.models.linear_iv import IV
from gmm.models.linear_iv_tests import IVResult
from gmm.montecarlo.checkpoint import CheckpointError
from gmm.montecarlo.experiment import BlockError
from gmm.montecarlo.gaussian import GMMGaussianMC
from gmm.montecarlo.grid import GridResult, MonteCarloGrid
from gmm.montecarlo.result import MonteCarloResult
from gmm.montecarlo.study import MonteCarlo

__all__ = [
    "HAC",
    "IV",
    "BlockError",
    "CheckpointError",
    "EulerEquation",
    "ExponentialRegression",
    "GMMGaussianMC",
    "GMMResult",
    "Gamma",
    "GaussianMeanSD",
    "GridResult",
    "HypothesisTest",
    "IVResult",
    "Moments",
    "MonteCarlo",
    "MonteCarloGrid",
    "MonteCarloResult",
    "Status",
]
