"""Results that follow from a result: under restrictions, and of functions of the parameters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array
from gmm.estimation.estimators import first_failure
from gmm.estimation.jacobian import central_differences
from gmm.estimation.linear import inverse_each
from gmm.estimation.moment_covariance import given_or_estimated
from gmm.estimation.status import why_failed
from gmm.inference import specification
from gmm.inference.estimates import Estimates
from gmm.inference.hypotheses import j_test

SomeResult = TypeVar("SomeResult", bound=Estimates)


def transformed(
    result: SomeResult,
    function: Callable[[Array], npt.ArrayLike],
    names: Sequence[str] | None,
) -> SomeResult:
    """function(theta) with covariance D V D', D its derivatives."""
    if not callable(function):
        raise TypeError(
            f"function is {function!r}; it must be a function of the parameters, such as "
            "lambda theta: theta[..., 0] / theta[..., 1]"
        )
    shape, k = result.status.shape, len(result.parameters)

    def of(theta: Array) -> Array:
        values = np.asarray(function(theta.reshape(*shape, k)), dtype=np.float64)
        if values.shape == shape:
            values = values[..., np.newaxis]
        if values.shape[:-1] != shape:
            raise ValueError(
                f"the function gives shape {values.shape} for parameters {(*shape, k)}; it must "
                "be (...) or (..., m) with the leading axes of the data"
            )
        return values.reshape(-1, values.shape[-1])

    theta = result.estimates.reshape(-1, k)
    values = of(theta)
    slopes = central_differences(of, theta, size=np.finfo(np.float64).tiny)
    variance = slopes @ result.covariance.reshape(-1, k, k) @ slopes.swapaxes(1, 2)
    m = values.shape[1]
    if names is not None and len(names) != m:
        raise ValueError(f"there are {len(names)} names for {m} functions")
    return replace(
        result,
        parameters=tuple(names) if names else tuple(f"f{i}" for i in range(m)),
        estimates=values.reshape(*shape, m),
        covariance=variance.reshape(*shape, m, m),
        j_test=j_test(np.full(shape, np.nan)[()], 0),
        fit=None,
        options={**result.options, "of": "functions of the parameters"},
    )


def restricted(result: SomeResult, r: Array, q: Array) -> SomeResult:
    """The minimum of n g'Wg under R theta = q, with the last step's W."""
    fit, shape, k = result.fit, result.status.shape, len(result.parameters)
    if fit is None:
        raise ValueError("this result keeps no moments to minimize again")
    with np.errstate(all="ignore"):
        minimum, theta = specification.restricted_minimum(fit, r, q)
        basis = np.linalg.svd(r)[2][len(r) :].T
        turned = fit.problem.jacobian(theta) @ basis
        weighted = turned.swapaxes(1, 2) @ fit.weights
        bread = inverse_each(weighted @ turned)
        kind = fit.kind if fit.kind is not None else "robust"
        s = given_or_estimated(kind, fit.problem, theta, fit.center)
        inner = bread @ weighted @ s @ weighted.swapaxes(1, 2) @ bread
        variance = fit.factor * basis @ inner @ basis.T / fit.problem.n
        variance = (variance + variance.swapaxes(1, 2)) / 2
    status = first_failure(fit.status, minimum.status)
    theta[status != 0] = variance[status != 0] = np.nan
    j = fit.problem.n * minimum.objective
    why_not = why_failed(status.reshape(shape)) or fit.why_not
    text = specification.describe(r, q, result.parameters)
    return replace(
        result,
        estimates=theta.reshape(*shape, k),
        covariance=variance.reshape(*shape, k, k),
        j_test=j_test(j.reshape(shape), fit.problem.q - k + len(r), why_not),
        status=status.reshape(shape),
        fit=None,
        options={**result.options, "under": text},
    )
