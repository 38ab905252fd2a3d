"""Moment conditions that a user writes as a function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows
from gmm.data.labels import check_rows, clusters_of, float_array, is_pandas
from gmm.estimation.bounds import Bounds, Free, check_bounds
from gmm.estimation.jacobian import central_differences, complex_step, complex_step_works
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem
from gmm.inference.results import GMMResult

__all__ = ["Moments"]

Function = Callable[[Any, Any], npt.ArrayLike]

# How many samples are asked whether the complex step works.
_ASKED = 8


class Moments(Model[GMMResult]):
    r"""Moment conditions :math:`E\,g(\theta, x) = 0`, for one sample or many at once.

    Parameters
    ----------
    g : callable
        ``g(theta, data)`` with parameters (..., k) and data (..., n, d) gives the contribution
        of every observation to every moment, (..., n, q). For one sample there are no leading
        axes; for R samples there is one.
    data : (..., n, d) array_like or DataFrame
        The sample, or many samples with leading axes; `g` gets float64 arrays.
    jac : callable or {"complex-step", "central"}, optional
        ``jac(theta, data)``: the derivatives (..., q, k) of the *mean* moments. By default
        the complex step where `g` takes complex parameters and agrees with central differences
        at the start, else central differences.
    names : sequence of str, optional
        Names of the parameters.
    vectorized : bool
        False if `g` (and `jac`) know one sample only: (k,), (n, d) to (n, q). They are then
        called once for every sample, which costs most of the speed.
    bounds : dict, optional
        ``{"sigma": (0, None)}``: open bounds by name of parameter. The search runs over
        :math:`\log` or logit of what is bounded; estimates and standard errors are those of the
        parameters themselves.
    clusters : (n,) or (n, 2) array_like, optional
        Groups of observations, for ``weights="cluster"`` and ``cov="cluster"``.
    moment_names : sequence of str, optional
        Names of the moments, for `GMMResult.c_test`.

    See Also
    --------
    gmm.IV : linear moments, in closed form.

    Notes
    -----
    The search is damped Gauss-Newton, each sample with its own steps and its own end; with as
    many moments as parameters it is Newton's method for the root, and weights play no role.
    `g` is called for groups of samples that fit in cache.

    Examples
    --------
    Mean and standard deviation, from three moments of normal samples:

    >>> import numpy as np
    >>> import gmm
    >>> def g(theta, data):
    ...     mu, sigma = theta[..., 0, None], theta[..., 1, None]
    ...     d = data[..., 0] - mu
    ...     return np.stack([d, d**2 - sigma**2, d**3], axis=-1)
    >>> x = np.random.default_rng(1).normal(3, 2, size=(1000, 200, 1))  # 1000 samples
    >>> model = gmm.Moments(g, x, names=["mu", "sigma"], bounds={"sigma": (0, None)})
    >>> result = model.fit(start=[1.0, 1.0], steps=2)
    >>> result.params.shape, result.converged.all()
    ((1000, 2), np.True_)
    >>> result.params.mean(axis=0).round(1)
    array([3., 2.])
    >>> float((result.j_test.pvalue < 0.05).mean())  # size of the J test
    0.055
    """

    result_type = GMMResult

    def __init__(
        self,
        g: Function,
        data: npt.ArrayLike,
        jac: Function | str | None = None,
        *,
        names: Sequence[str] | None = None,
        vectorized: bool = True,
        bounds: Bounds | None = None,
        clusters: npt.ArrayLike | None = None,
        moment_names: Sequence[str] | None = None,
    ) -> None:
        check_rows(data=data, clusters=clusters)
        samples = float_array(data, "data")
        if samples.ndim < 2:
            raise ValueError(
                f"data has shape {samples.shape}; it must be (n, d), or (..., n, d) for many "
                "samples: data[:, None] makes one variable of a vector"
            )
        if samples.shape[-2] == 0:
            raise ValueError(f"data has shape {samples.shape}: no observations")
        if isinstance(jac, str) and jac not in ("complex-step", "central"):
            raise ValueError(
                f"jac is {jac!r}; it must be a function, 'complex-step', 'central' or None"
            )
        self.n = samples.shape[-2]
        self.shape = samples.shape[:-2]
        self.names = None if names is None else tuple(names)
        self.moment_names = None if moment_names is None else tuple(moment_names)
        for what, given in (("names", self.names), ("moment_names", self.moment_names)):
            if given is not None and len(set(given)) < len(given):
                raise ValueError(f"{what} has a name twice: {', '.join(given)}")
        self.labelled = is_pandas(data)
        self._data = samples.reshape(-1, *samples.shape[-2:])
        self._data.flags.writeable = False  # it may be the caller's memory, and g may be careless
        self._g, self._jac, self._vectorized, self._bounds = g, jac, vectorized, bounds
        self._clusters = clusters_of(clusters, self.n)

    def problem(self, start: Array | None) -> tuple["UserMoments", Array]:
        """What is estimated, and where its search begins."""
        if start is None:
            raise ValueError(
                "start is missing: give fit(start=...) the parameters where the search begins"
            )
        k = start.shape[1]
        names = self.names or tuple(f"theta{j}" for j in range(k))
        if len(names) != k:
            raise ValueError(f"start has {k} values for {len(names)} parameters: {names}")
        bounds = check_bounds(self._bounds, names)
        problem = UserMoments(
            samples=len(self._data),
            n=self.n,
            q=0,
            k=k,
            clusters=self._clusters,
            g=self._g,
            jac="complex-step",
            data=self._data,
            size=_typical_size(start),
            layout="single" if not self.shape else "stack" if self._vectorized else "each",
            bounds=bounds,
        )
        asked = slice(0, min(len(start), _ASKED))
        q = problem.contributions(start[asked], asked).shape[-1]
        problem = replace(problem, q=q)
        if self.moment_names is not None and len(self.moment_names) != q:
            raise ValueError(f"moment_names has {len(self.moment_names)} names for {q} moments")
        if q < k:
            raise ValueError(f"{q} moments cannot identify {k} parameters")
        if bounds is not None:
            within = np.isfinite(Free.of(problem, bounds).tau(start)).all(axis=1)
            if len(start) and not within.any():  # one sample's start is that sample's failure
                raise ValueError(f"start is not strictly within the bounds {self._bounds}")
        jac = self._jac
        if jac is None:
            few = problem.take(np.arange(asked.stop))
            works = complex_step_works(few.moments, start[asked], problem.size)
            jac = "complex-step" if works else "central"
        return replace(problem, jac=jac), start


def _typical_size(start: Array) -> Array:
    """Of each parameter (k,): its largest finite start, or 1 if all start at zero."""
    largest: Array = np.where(np.isfinite(start), np.abs(start), 0.0).max(axis=0, initial=0.0)
    return np.where(largest > 0, largest, 1.0)


@dataclass(frozen=True, kw_only=True)
class UserMoments(Problem):
    """The conditions of `Moments`. Its `layout` is how g is called.

    "single": one sample without leading axes; "stack": many; "each": many, one by one.
    """

    g: Function
    jac: Function | str
    data: Array
    size: Array
    layout: str

    def contributions(self, theta: Any, index: Rows | slice) -> Any:
        """g (r, n, q)."""
        result = self._call(self.g, theta, index)
        if result.dtype.kind not in "fiubc" or result.ndim < 2:
            raise ValueError(
                f"g gives {result.dtype} of shape {result.shape[1:]} for each sample; it must give "
                "numbers (n, q), a row for each observation"
            )
        if result.dtype.kind == "c" and not np.iscomplexobj(theta):
            raise TypeError("g gives complex moments for real parameters; they must be real")
        expected = (len(theta), self.n, self.q or result.shape[-1])
        if result.shape != expected:
            raise ValueError(
                f"g gives shape {result.shape} for parameters {theta.shape} and data "
                f"{self.data[index].shape}; it must be (..., n, q) = {expected}"
            )
        return result

    def jacobian(self, theta: Array) -> Array:
        """By the user's function, or numerically."""
        if self.jac == "complex-step":
            return complex_step(self.moments, theta)
        if self.jac == "central":
            return central_differences(self.moments, theta, self.size)
        result = np.empty((len(theta), self.q, self.k))
        for span, index in self.pieces():
            part = self._call(self.jac, theta[span], index)
            if part.shape != result[span].shape:
                raise ValueError(
                    f"jac gives shape {part.shape[1:]} for each sample; it must be "
                    f"(q, k) = ({self.q}, {self.k}), the derivatives of the mean moments"
                )
            result[span] = part
        return result

    def _call(self, function: Any, theta: Any, index: Rows | slice) -> Any:
        data = self.data[index]
        if self.layout == "single":
            return np.asarray(function(theta[0], data[0]))[np.newaxis]
        if self.layout == "stack":
            return np.asarray(function(theta, data))
        return np.stack([function(*each) for each in zip(theta, data, strict=True)])
