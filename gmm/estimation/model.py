"""How every model is estimated: options in, a result out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, Never, TypeVar, cast

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.answer import Answer, Fit
from gmm.estimation.coordinates import Coordinates
from gmm.estimation.corrections import CORRECTIONS, Corrected
from gmm.estimation.covariance import (
    FORMULAS,
    SMALL_SAMPLE,
    Ingredients,
    correction,
    is_usable,
    mended,
)
from gmm.estimation.estimators import (
    Estimate,
    Steps,
    Weighting,
    check_steps,
    estimate,
    first_failure,
)
from gmm.estimation.hac import HAC
from gmm.estimation.linear import quadratic_each, solve_each
from gmm.estimation.moment_covariance import (
    Given,
    Kind,
    given_matrix,
    given_or_estimated,
    is_estimator,
    is_semidefinite,
    rank_deficiency,
)
from gmm.estimation.options import check_options
from gmm.estimation.problem import Problem, Search
from gmm.estimation.status import Status
from gmm.estimation.weights import weights_or_nan

Formula = Literal["sandwich", "efficient", "weights", "scores", "windmeijer", "misspecification"]
SmallSampleName = Literal["df", "cluster", "cluster-ways", "groups"]
# Whether S is centered for the weights, and for the covariance matrix.
CENTERED: dict[Any, tuple[bool, bool]] = {
    False: (False, False),
    True: (True, True),
    "weights": (True, False),
    "cov": (False, True),
}

# What `fit` answers with; a type variable, as results stand above the estimation.
Result = TypeVar("Result", covariant=True)

# Why there are no standard errors, though there are estimates.
_PERFECT = "the fit is perfect: its residuals are rounding"
_FEW = "there are no more observations than parameters, and nothing is left for variances"
# How a search may end where the parameters are not identified.
_ENDINGS = (Status.OK, Status.NO_ROOT, Status.LINE_SEARCH, Status.MAX_ITERATIONS)
# How an estimation may seem to end whose S has no inverse.
_INVERTED = (*_ENDINGS, Status.NOT_POSITIVE_DEFINITE)


class Model(ABC, Generic[Result]):
    """Moment conditions with data; `fit` estimates their parameters.

    `result_type` makes the result of an `Answer`: it has a method ``of``.
    """

    n: int
    shape: tuple[int, ...]
    names: tuple[str, ...] | None
    moment_names: tuple[str, ...] | None
    labelled: bool = False
    # What the summary says of the data, besides.
    facts: Mapping[str, str] = MappingProxyType({})
    default_initial: ClassVar[str] = "identity"
    result_type: ClassVar[Any]

    @abstractmethod
    def problem(self, start: Array | None) -> tuple[Problem, Array]:
        """What is estimated, and where (R, k) its search begins."""

    def fit(
        self,
        start: npt.ArrayLike | Mapping[str, float] | None = None,
        *,
        steps: Steps = 2,
        weights: Kind = "robust",
        initial: Kind | Literal["start"] | None = None,
        center: bool | Literal["weights", "cov"] = False,
        debias: bool = False,
        cov: Kind | None = None,
        cov_formula: Formula = "sandwich",
        small_sample: SmallSampleName | None = None,
        tolerance: float = 1e-10,
        max_iterations: int = 200,
        indefinite: Literal["nan", "nearest"] = "nan",
        **unknown: Never,
    ) -> Result:
        """Estimate every sample.

        Parameters
        ----------
        start : (k,) or (..., k) array_like or dict, optional
            Where the search begins, for all samples or for each, in the order of the parameters
            or by their names; linear models need none.
        steps : int or {"iterated", "cue"}
            How many steps; each but the first has weights from the estimate before it.
            "iterated" goes on until the estimate stays, "cue" updates them continuously.
        weights : {"robust", "unadjusted", "cluster", "identity"}, HAC or (..., q, q) array_like
            The estimator of S whose inverse is the weighting matrix of the steps after the
            first. The identity or a matrix W is used as it is, for the first and only step.
        initial : {"identity", "unadjusted", "start"} or (..., q, q) array_like, optional
            Weights of the first step: the identity (the default for user moments),
            (Z'Z / n)^-1 for models with instruments (their default: the one-step of a linear
            model is 2SLS), those that follow from S at the start, or a matrix.
        center : bool or {"weights", "cov"}
            Whether S is of the moments less their sample mean: for weights and covariance, for
            neither, or for one of them.
        debias : bool
            Whether S in the weights is divided by n - k instead of n.
        cov : like `weights` or {"hc2", "hc3", "hc3a"}, optional
            S in the covariance matrix of the estimates; a matrix is S itself. By default the
            estimator of `weights`, or "robust" if that is none.
        cov_formula : {"sandwich", "efficient", "weights", "scores", "windmeijer", \
"misspecification"}
            (G'WG)^-1 G'W S W G (G'WG)^-1 / n, which is right for any weights; or
            (G' S^-1 G)^-1 / n with S at the estimate; or (G'WG)^-1 / n, both for efficient
            weights only. "scores" estimates G'W S W G from the k scores G'W g, of which a kernel
            chooses its bandwidth; "windmeijer" adds what the first step's noise does to the
            weights of the second; "misspecification" holds for iterated estimates though the
            moment conditions do not.
        small_sample : {"df", "cluster", "cluster-ways", "groups"}, optional
            Multiply the covariance matrix by n / (n - k), or by G / (G - 1) (n - 1) / (n - k)
            for G clusters; of two ways the second factor is of the smaller G, or with
            "cluster-ways" each part has its own; "groups" is that without (n - 1) / (n - k).
            P-values and intervals are then Student's.
        tolerance, max_iterations
            When a search ends: as it would move by less than `tolerance` standard deviations of
            one observation, or after so many iterations.
        indefinite : {"nan", "nearest"}
            What becomes of a two-way cluster covariance matrix with a negative variance, which
            is one of a difference: no standard error (NaN) for that parameter, with the `reason`;
            or the nearest positive semidefinite matrix, whose negative eigenvalues are zero, as
            Cameron, Gelbach and Miller propose.

        Returns
        -------
        GMMResult
            With the leading axes of the data. What goes wrong in one sample is in its `status`.
        """
        check_options(self.fit, unknown)
        steps = check_steps(steps)
        _check_name("indefinite", indefinite, {"nan": None, "nearest": None})
        _check_name("cov_formula", cov_formula, {**FORMULAS, **CORRECTIONS})
        _check_name("center", center, CENTERED)
        of_weights, of_cov = CENTERED[center]
        _check_name("small_sample", small_sample, {None: None, **SMALL_SAMPLE})
        search = Search(tolerance, max_iterations)
        kind = cov if cov is not None else weights if is_estimator(weights) else "robust"
        # What overflows or divides by zero ends as a status.
        with np.errstate(all="ignore"):
            outer, begin = self.problem(self._starts(start))
            if begin.shape[1] != outer.k:
                raise ValueError(f"start has {begin.shape[1]} values for {outer.k} parameters")
            inner = None
            if cov_formula in FORMULAS and not (_in_units(weights) or _in_units(kind)):
                inner = self.coordinates(outer)
            problem = outer if inner is None else inner.problem
            begin = begin if inner is None else inner.start(begin)
            factor = problem.n / (problem.n - problem.k) if debias else 1.0
            weighting = Weighting(weights, of_weights, factor) if is_estimator(weights) else None
            first, source = self._first_weights(problem, begin, weights, initial, weighting)
            first, unsuited = _semidefinite_only(first, source == "given")
            if inner is not None and source in ("given", "identity"):
                first = inner.weights(first)
            found = estimate(problem, first, weighting, begin, steps, search)
            used, why_not = _last_weights(problem, found, weighting, steps, source)
            absorbed = problem.nested if _is(kind, "cluster") else problem.absorbed
            factor, df, each_way = correction(
                small_sample, problem.n, problem.k + absorbed, problem.clusters
            )
            of_s: Given = "cluster-ways" if each_way and _is(kind, "cluster") else kind
            # A kernel for the scores knows nothing of the moments.
            of_moments = of_s if cov_formula in FORMULAS else "robust"
            s = given_or_estimated(of_moments, problem, found.theta, of_cov, found.s)
            s, other = _semidefinite_only(s, not is_estimator(of_s))
            if inner is not None and not is_estimator(of_s):
                s = inner.s(s)
            jacobian = problem.jacobian(found.theta)
            if cov_formula in FORMULAS:
                ingredients = Ingredients(jacobian, s if used is None else used, s, problem.n)
                variance = factor * FORMULAS[cov_formula](ingredients)
            else:
                parts = Corrected(problem, found, weighting, of_s, of_cov, steps)
                variance = factor * CORRECTIONS[cov_formula](parts)
            g = problem.moments(found.theta)
            if used is None:  # g is rounding, in the units of S
                j = problem.n * (g * solve_each(s, g[..., np.newaxis])[..., 0]).sum(axis=1)
            else:
                j = problem.n * quadratic_each(g, used)
            perfect = problem.perfect(found.theta, s)
            if problem.q > problem.k:
                j[perfect] = np.nan
                why_not = why_not or (_PERFECT if perfect.all() else "")
            two_way = problem.clusters is not None and problem.clusters.shape[1] == 2
            identified = problem.identified(jacobian, s)
            theta = found.theta.copy()
            if inner is not None:
                theta, variance = inner.original_theta(theta), inner.original_covariance(variance)
                used = None if used is None else inner.original_weights(used)
                problem = outer

            lacking = np.zeros(theta.shape, bool)
            if two_way and _is(kind, "cluster"):
                variance, lacking = mended(variance, indefinite)
            few = problem.units == "observations" and problem.n <= problem.k
            if few or perfect.any():
                lacking[perfect | few] = True
                variance = np.where(lacking[:, :, np.newaxis], np.nan, variance)
            usable = np.where(is_usable(variance, lacking), Status.OK, Status.SINGULAR).astype(
                np.int8
            )
            status = first_failure(unsuited, other, found.status, usable)
            # Along a direction that no moment sees, a search may end anywhere, or nowhere.
            status[np.isin(status, _ENDINGS) & ~identified] = Status.SINGULAR
            deficiency = ""
            if problem.q > problem.k and weighting and (steps != 1 or source == "start"):
                deficiency = rank_deficiency(weighting.kind, problem, of_weights)
                if deficiency:
                    status[np.isin(status, _INVERTED)] = Status.SINGULAR
            # Instruments made of collinear columns are not finite, though the data are.
            if (status == Status.NON_FINITE).any():
                status[(status == Status.NON_FINITE) & self.finite()] = Status.SINGULAR
            failed = status != Status.OK
            theta[failed] = variance[failed] = j[failed] = np.nan
        k, shape = problem.k, self.shape
        parameters = self.names or tuple(f"theta{i}" for i in range(k))
        reason = self._reason(status.reshape(shape), deficiency)
        why_not = f"the estimation failed: {reason}" if reason else why_not
        if not shape and not reason and lacking.any():
            of = ", ".join(parameters[i] for i in np.flatnonzero(lacking[0]))
            reason = (
                _FEW
                if few
                else _PERFECT
                if perfect.all()
                else f"no standard error of {of}: the two-way cluster estimate of its variance is "
                "negative; indefinite='nearest' takes the nearest positive semidefinite matrix"
            )
        if shape and (singular := np.flatnonzero(status == Status.SINGULAR)).size:
            causes = [self.cause_of_singularity(int(singular[0])), deficiency]
            if said := "; ".join(filter(None, causes)):
                place = ", ".join(map(str, np.unravel_index(singular[0], shape)))
                reason = f"the first of them, sample {place}: {said}"
        answer = Answer(
            parameters=parameters,
            n=problem.n,
            estimates=theta.reshape(*shape, k),
            covariance=variance.reshape(*shape, k, k),
            j=j.reshape(shape),
            j_df=problem.q - k,
            j_reason=why_not,
            status=status.reshape(shape),
            iterations=found.iterations.reshape(shape),
            df=df,
            labelled=self.labelled,
            options={
                **_describe(steps, weights, of_weights, kind, cov_formula, small_sample, problem),
                **self.facts,
            },
            model=self,
            fit=Fit(problem, theta, used, weighting, search, status, why_not, of_s, of_cov, factor),
            moment_names=self.moment_names or tuple(f"moment{i}" for i in range(problem.q)),
            reason=reason,
        )
        return cast(Result, self.result_type.of(answer))

    def finite(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) the data are, though instruments that are made of them may not be."""
        return np.zeros(math.prod(self.shape), bool)

    def cause_of_singularity(self, sample: int = 0) -> str:
        """What makes one of the samples singular, in its columns' names, if it is known."""
        return ""

    def cause_of_infinity(self, sample: int = 0) -> str:
        """Which data of one of the samples are not finite, if it is known."""
        return ""

    def _reason(self, status: npt.NDArray[np.int8], deficiency: str) -> str:
        """Why a single sample failed, and what caused it, if that is known."""
        if status.ndim or status == Status.OK:
            return ""
        reason = Status(int(status)).reason
        if status == Status.NON_FINITE and (cause := self.cause_of_infinity()):
            return f"{reason}: {cause}"
        if status != Status.SINGULAR:
            return reason
        causes = [cause for cause in (self.cause_of_singularity(), deficiency) if cause]
        return ": ".join([reason, "; ".join(causes)] if causes else [reason])

    def coordinates(self, problem: Problem) -> Coordinates | None:
        """Others in which the problem is better conditioned, if it needs them."""
        return None

    def _starts(self, start: npt.ArrayLike | Mapping[str, float] | None) -> Array | None:
        """The start of each sample (R, k)."""
        if start is None:
            return None
        if isinstance(start, Mapping):
            if self.names is None:
                raise ValueError("start names its parameters; give the model names, too")
            names = self.names
            if set(start) != set(names):
                raise ValueError(f"start names {', '.join(start)}; it must name {', '.join(names)}")
            start = [start[name] for name in names]
        values = np.asarray(start, dtype=np.float64)
        if values.ndim == 0:
            values = values[np.newaxis]
        if values.ndim > 1 and values.shape[:-1] != self.shape:
            raise ValueError(
                f"start has shape {values.shape}; it must be (k,), or (..., k) with the leading "
                f"axes {self.shape} of the data"
            )
        rows = values.reshape(-1, values.shape[-1])
        return np.array(np.broadcast_to(rows, (math.prod(self.shape), rows.shape[1])))

    def _first_weights(
        self,
        problem: Problem,
        start: Array,
        weights: Given,
        initial: Given | None,
        weighting: Weighting | None,
    ) -> tuple[Array, str]:
        """W (R, q, q) of the first step, and what it is."""
        if weighting is None:
            if initial is not None:
                raise ValueError(
                    "weights are given as they are and used in the only step; leave out initial"
                )
            source = weights if isinstance(weights, str) else "given"
            return given_matrix("weights", weights, problem), source
        if initial is None:
            # With as many moments as parameters any will do.
            initial = self.default_initial if problem.q > problem.k else "identity"
        if isinstance(initial, str) and initial == "unadjusted":
            return weights_or_nan(problem.instrument_products()), initial
        if isinstance(initial, str) and initial == "start":
            return weights_or_nan(weighting.covariance(problem, start)), initial
        return given_matrix("initial", initial, problem), "given"


def _in_units(kind: Any) -> bool:
    """Whether S is estimated by a rule that looks at the moments in the units they have."""
    return isinstance(kind, HAC) and (kind.prewhiten or isinstance(kind.bandwidth, str))


def _is(kind: Any, name: str) -> bool:
    return isinstance(kind, str) and kind == name


def _check_name(argument: str, name: str | bool | None, valid: Mapping[Any, object]) -> None:
    if name not in valid:
        names = ", ".join(map(repr, valid))
        raise ValueError(f"{argument} is {name!r}; it must be one of {names}")


def _semidefinite_only(matrices: Array, given: bool) -> tuple[Array, npt.NDArray[np.int8]]:
    """Matrices (R, q, q) with NaN in place of those that cannot be weights or S, and statuses.

    What is given for all samples has been looked at before.
    """
    status = np.full(len(matrices), Status.OK, np.int8)
    if not given or len(matrices) < 2 or matrices.strides[0] == 0:
        return matrices, status
    good = is_semidefinite(matrices)
    status[~good] = Status.NOT_POSITIVE_DEFINITE
    return np.where(good[:, np.newaxis, np.newaxis], matrices, np.nan), status


def _last_weights(
    problem: Problem, found: Estimate, weighting: Weighting | None, steps: int | str, source: str
) -> tuple[Array | None, str]:
    """W of the last step, and why n g'Wg is not chi-squared with it, if it is not."""
    if weighting is not None and problem.q == problem.k:
        # The estimate does not depend on W. Restrictions of it will: `Fit` makes it then.
        return None, ""
    if source == "identity":
        return found.weights, "identity weights are not efficient; fit with others"
    if weighting is None or steps != 1 or source == "start":
        return found.weights, ""
    if source == weighting.kind == "unadjusted":
        # They differ by the variance of the residual: Sargan's statistic.
        return weights_or_nan(weighting.covariance(problem, found.theta)), ""
    return found.weights, "one-step weights are not efficient; fit with steps=2 or more"


def _describe(
    steps: int | str,
    weights: Given,
    center: bool,
    cov: Given,
    formula: str,
    small_sample: str | None,
    problem: Problem,
) -> dict[str, str]:
    """The conventions of a fit, for its summary."""
    if problem.q == problem.k:
        how = "exactly identified"
    elif not is_estimator(weights):
        how = "one-step"
    else:
        how = {1: "one-step", 2: "two-step"}.get(steps, f"{steps}-step")  # type: ignore[arg-type]
        how = {"iterated": "iterated", "cue": "continuously updating"}.get(str(steps), how)
    centered = ", centered" if center and is_estimator(weights) else ""
    described = {"estimator": how, "weights": _name(weights) + centered, "cov": _name(cov)}
    if formula != "sandwich":
        described["cov"] += f", formula {formula!r}"
    if small_sample is not None:
        described["cov"] += f", small sample {small_sample!r}"
    return described


def _name(kind: Given) -> str:
    if isinstance(kind, str):
        return kind
    if isinstance(kind, HAC):
        white = ", prewhitened" if kind.prewhiten else ""
        return f"HAC({kind.kernel}, {kind.bandwidth}{white})"
    return "given matrix"
