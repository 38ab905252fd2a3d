"""Dynamic panels: difference and system GMM."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, cast, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from gmm.data.arrays import Array, Rows, columns, dependent, is_whole
from gmm.data.collinearity import dependent_columns, listed
from gmm.data.labels import check_rows, column_names, is_pandas
from gmm.data.panels import Grid
from gmm.estimation.gauss_newton import Minimum
from gmm.estimation.linear import quadratic_each, solve_each
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem, Search
from gmm.estimation.status import Status
from gmm.estimation.weights import smallest_pivot
from gmm.inference.hypotheses import HypothesisTest
from gmm.inference.results import GMMResult

__all__ = ["DynamicPanel", "DynamicPanelResult"]

Limits = tuple[int, int | None]
Transformation = Literal["differences", "orthogonal"]


class DynamicPanelResult(GMMResult):
    """A `GMMResult` of a dynamic panel; `n` counts its entities, and `j_test` is Hansen's."""

    def serial_correlation(self, order: int = 2) -> HypothesisTest:
        """Arellano and Bond's m test: no serial correlation of this order in differenced errors.

        Parameters
        ----------
        order : int
            First differences of independent errors have that of order 1, and none of order 2.

        Returns
        -------
        HypothesisTest
            The statistic is asymptotically standard normal, its p-value two-sided.

        References
        ----------
        .. [1] Arellano and Bond (1991), Review of Economic Studies 58, 277-297.
        """
        assert self.fit is not None
        problem = cast("PanelMoments", self.fit.problem)
        if not is_whole(order) or order < 1:
            raise ValueError(f"order is {order!r}; it must be 1, 2, ...")
        k = len(self.parameters)
        theta, shape = self.estimates.reshape(-1, k), self.status.shape
        with np.errstate(all="ignore"):
            u = problem.differenced(theta)  # zero where there is no equation
            lagged = np.zeros_like(u)
            lagged[:, :, order:] = u[:, :, :-order]
            each = (lagged * u).sum(axis=2)
            slopes = np.einsum("rit,ritk->rk", lagged, problem.dx, optimize=True)
            g = problem.contributions(theta, slice(None))
            jacobian = problem.jacobian(theta)
            weighted = jacobian.swapaxes(1, 2) @ self.fit.weights
            turn = solve_each(weighted @ jacobian, weighted)
            with_errors = (g * each[..., np.newaxis]).sum(axis=1)
            n = problem.n
            middle = (slopes[:, np.newaxis] @ turn @ with_errors[..., np.newaxis])[:, 0, 0] / n
            covariance = self.covariance.reshape(-1, k, k)
            outer = (slopes[:, np.newaxis] @ covariance @ slopes[..., np.newaxis])[:, 0, 0]
            variance = (each**2).sum(axis=1) + 2 * middle + outer
            m = each.sum(axis=1) / np.sqrt(variance)
        apart = bool((lagged * u).any())
        m = m.reshape(shape)[()]
        return HypothesisTest(
            f"Arellano-Bond test, m{order}",
            f"no serial correlation of order {order} in differenced errors",
            m,
            1,
            given_pvalue=2 * special.ndtr(-np.abs(m)),
            given_distribution="z",
            reason=""
            if apart or np.isnan(m).sum() == 0
            else self.reason or f"no entity has differenced errors {order} periods apart",
        )


class DynamicPanel(Model[DynamicPanelResult]):
    r"""A panel with lags of the dependent variable, by difference or system GMM.

    .. math::

        y_{it} = \sum_j \alpha_j y_{i,t-j} + x_{it}'\beta + \eta_i + u_{it}

    Parameters
    ----------
    y : (..., rows) array_like or Series
        The dependent variable, a row for each entity and period.
    exog, predetermined, endog : (..., rows, columns) array_like or DataFrame, optional
        Regressors that are strictly exogenous; correlated with past errors; with present errors,
        too.
    entity, time : (rows,) array_like
        Who, and when; whole numbers, one apart where periods follow each other. Rows may be in
        any order, and periods may be missing.
    lags : int
        Of y among the regressors.
    gmm_lags : (int, int or None)
        First and last lag of y, and of `endog`, that is an instrument of the differenced
        equation; None is all there are. Of `predetermined` they begin one earlier.
    collapse : bool
        One column for each lag instead of one for each lag and period.
    system : bool
        Whether the equations in levels, with lagged differences as instruments, join those in
        differences (Blundell and Bond 1998); a constant is estimated then.
    transformation : {"differences", "orthogonal"}
        What takes the entities' effects out: first differences, or forward orthogonal deviations,
        from the mean of what follows (Arellano and Bover 1995), which gaps cost fewer rows.
    time_effects : bool
        Whether every period but the first has an effect, a regressor and its own instrument.

    Notes
    -----
    Moments are those of entities, so that "robust" weights and covariance matrices allow for any
    correlation over time. One step has the weights :math:`(\sum_i Z_i'HZ_i)^{-1}`, H of
    independent errors: 2 on the diagonal of the differenced block and -1 beside it, of orthogonal
    deviations the identity; across both blocks of a system that of ``xtabond2, h(3)``. A
    deviation stands in the period after its own, so that `gmm_lags` count as for differences.
    ``cov_formula="windmeijer"`` corrects the standard errors of two steps. Instruments that are
    zero throughout are left out.

    References
    ----------
    .. [1] Arellano and Bond (1991), Review of Economic Studies 58, 277-297.
    .. [2] Blundell and Bond (1998), J. Econometrics 87, 115-143.
    .. [3] Windmeijer (2005), J. Econometrics 126, 25-51.
    .. [4] Roodman (2009), Stata Journal 9, 86-136.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(1)
    >>> eta, y = rng.standard_normal(1000), [rng.standard_normal(1000)]
    >>> for _ in range(7):
    ...     y.append(0.5 * y[-1] + eta + rng.standard_normal(1000))
    >>> entity, time = np.indices((1000, 8))
    >>> model = gmm.DynamicPanel(np.transpose(y).ravel(), entity=entity.ravel(),
    ...                          time=time.ravel(), collapse=True)
    >>> result = model.fit(cov_formula="windmeijer")
    >>> result.parameters, result.params.round(2)
    (('L1.y',), array([0.43]))
    >>> print(result.serial_correlation(2))
    Arellano-Bond test, m2
    H0: no serial correlation of order 2 in differenced errors
    z = -1.45809, p = 0.1448
    """

    default_initial = "unadjusted"
    result_type = DynamicPanelResult

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        predetermined: Any = None,
        endog: Any = None,
        *,
        entity: npt.ArrayLike,
        time: npt.ArrayLike,
        lags: int = 1,
        gmm_lags: Limits = (2, None),
        collapse: bool = False,
        system: bool = False,
        transformation: Transformation = "differences",
        time_effects: bool = False,
    ) -> None:
        given = {"exog": exog, "predetermined": predetermined, "endog": endog}
        check_rows(y=y, **given, entity=entity, time=time)
        values = dependent(y)
        arrays = {name: columns(x, name, values.shape) for name, x in given.items()}
        self.labelled = any(is_pandas(x) for x in (y, *given.values()))
        if not is_whole(lags) or lags < 1:
            raise ValueError(f"lags is {lags!r}; it must be a whole number, 1 or more")
        first, last = gmm_lags if _is_pair(gmm_lags) else (0, 0)
        if first < 2 or (last is not None and last < first):
            raise ValueError(
                f"gmm_lags is {gmm_lags}; it must be (first, last) with 2 <= first <= last, or None"
            )
        if transformation not in get_args(Transformation):
            raise ValueError(
                f"transformation is {transformation!r}; it must be 'differences' or 'orthogonal'"
            )
        self.shape = np.broadcast_shapes(
            values.shape[:-1], *(a.shape[:-2] for a in arrays.values())
        )
        own = column_names(y, "y", 1)[0]
        labels = {
            name: column_names(x, prefix, arrays[name].shape[-1])
            for (name, x), prefix in zip(given.items(), ("exog", "pre", "endog"), strict=True)
        }
        grid = Grid.of(entity, time)
        too_short = (
            f"no entity has {lags + 2} periods in a row with y and all regressors, which "
            f"differences and {lags} lags of y need"
        )
        if lags + 2 > grid.shape[1]:
            raise ValueError(too_short)
        y_grid = grid.placed(values)
        x_grids = {name: grid.placed(np.moveaxis(a, -1, -2)) for name, a in arrays.items()}
        if time_effects:
            periods = _periods(y_grid, x_grids, lags)[1:]
            effects = np.eye(grid.shape[1])[periods][:, np.newaxis, :]
            effects = np.broadcast_to(effects, (len(periods), *grid.shape))
            lead = (*x_grids["exog"].shape[:-3], *effects.shape)
            x_grids["exog"] = np.concatenate(
                [x_grids["exog"], np.broadcast_to(effects, lead)], axis=-3
            )
            begin = int(np.min(np.asarray(time)))
            labels["exog"] = (*labels["exog"], *(f"time {begin + t}" for t in periods))
        self.names = (
            *(f"L{j}.{own}" for j in range(1, lags + 1)),
            *(label for group in labels.values() for label in group),
            *(["const"] if system else []),
        )
        self._equations = Equations(
            y_grid,
            x_grids,
            lags,
            (first, last),
            bool(collapse),
            bool(system),
            transformation == "orthogonal",
        )
        parts = self._equations.build(self.shape)
        self._parts = parts
        self.n = parts.zy.shape[1]
        self.moment_names = None
        if not self.n:
            raise ValueError(too_short)

    def cause_of_singularity(self, sample: int = 0) -> str:
        """Regressors that are collinear in the equations, by their names, or too few entities."""
        rows = self._parts.rows[sample if len(self._parts.rows) > 1 else 0]
        names = self.names or ()
        gone = dependent_columns(rows, names)
        constant = [one.name for one in gone if one.of == "0"]
        rest = [one for one in gone if one.of != "0"]
        causes = [f"{name} does not vary over time" for name in constant]
        if rest:
            causes.append(f"collinear regressors: {listed(rest)}")
        return "; ".join(causes)

    def problem(self, start: Array | None) -> tuple["PanelMoments", Array]:
        """What is estimated; a closed form needs no start."""
        parts = self._parts
        problem = PanelMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=parts.zx.shape[2],
            k=parts.zx.shape[3],
            zy=parts.zy,
            zx=parts.zx,
            h=parts.h,
            dy=parts.dy,
            dx=parts.dx,
        )
        if problem.q < problem.k:
            raise ValueError(f"{problem.q} instruments cannot identify {problem.k} parameters")
        return problem, np.zeros((problem.samples, problem.k)) if start is None else start


@dataclass(frozen=True)
class Products:
    """Z'y (R, n, q) and Z'X (R, n, q, k) of each entity, the mean of Z'HZ, and differences."""

    zy: Array
    zx: Array
    h: Array
    dy: Array
    dx: Array
    rows: Array
    """All equations' regressors (R, rows, k)."""


@dataclass(frozen=True)
class Equations:
    """The data on a grid (..., [columns,] N, T), NaN where there is no row."""

    y: Array
    x: dict[str, Array]
    lags: int
    limits: Limits
    collapse: bool
    system: bool
    orthogonal: bool

    def build(self, shape: tuple[int, ...]) -> "Products":
        """Products of instruments with y and regressors of each entity, and what tests need."""
        samples = math.prod(shape)
        y = np.broadcast_to(self.y, (*shape, *self.y.shape[-2:])).reshape(
            samples, *self.y.shape[-2:]
        )
        x = {
            name: np.broadcast_to(a, (*shape, *a.shape[-3:])).reshape(samples, *a.shape[-3:])
            for name, a in self.x.items()
        }
        regressors = [_lag(y, j) for j in range(1, self.lags + 1)]
        for a in x.values():
            regressors += [a[:, j] for j in range(a.shape[1])]
        if self.system:
            regressors.append(np.where(np.isnan(y), np.nan, 1.0))
        levels = np.stack(regressors, axis=-1)  # (R, N, T, k)
        there = np.isfinite(y) & np.isfinite(levels).all(axis=-1)
        if not (there == there[:1]).all():
            raise ValueError("rows are missing in other places in some samples than in others")
        both = np.where(there[..., None], np.concatenate([y[..., None], levels], axis=-1), 0.0)
        maps = _differences(there[0])
        change = np.einsum("its,risk->ritk", maps, both, optimize=True)
        dy, dx = change[..., 0], change[..., 1:]
        if self.orthogonal:
            maps = _orthogonal(there[0])
            change = np.einsum("its,risk->ritk", maps, both, optimize=True)
        valid = np.broadcast_to((maps != 0).any(axis=-1), there.shape)
        z = self._differenced(y, x, valid, maps)
        pieces = [(change[..., 0], change[..., 1:], z, valid)]
        if self.system:
            z_level = self._levels(y, x, there)
            z, z_level = _side_by_side(z, z_level, self.x["exog"].shape[-3])
            level = np.where(there[..., None], levels, 0.0)
            pieces = [
                (change[..., 0], change[..., 1:], z, valid),
                (np.where(there, y, 0.0), level, z_level, there),
            ]
        used = np.zeros(pieces[0][2].shape[-1], bool)
        inside = np.zeros(y.shape[1], bool)
        for _, _, z, here in pieces:
            used |= (z != 0).any(axis=(0, 1, 2))
            inside |= here.any(axis=(0, 2))
        zs = [np.ascontiguousarray(piece[2][:, inside][..., used]) for piece in pieces]
        n, q = zs[0].shape[1], zs[0].shape[3]
        zy, zx = np.zeros((samples, n, q)), np.zeros((samples, n, q, levels.shape[-1]))
        for z, (left, right, _, _) in zip(zs, pieces, strict=True):
            zy += np.einsum("ritq,rit->riq", z, left[:, inside], optimize=True)
            zx += np.einsum("ritq,ritk->riqk", z, right[:, inside], optimize=True)
        level_maps = np.eye(y.shape[2]) * there[0][:, np.newaxis, :]
        h = _independent(zs, [m[inside] for m in (maps, level_maps)][: len(zs)])
        rows = np.concatenate([piece[1][:, piece[3][0]] for piece in pieces], axis=1)
        return Products(zy, zx, h, dy[:, inside], dx[:, inside], rows)

    def _differenced(
        self, y: Array, x: dict[str, Array], valid: npt.NDArray[np.bool_], maps: Array
    ) -> Array:
        """Instruments (R, N, T, q) of the transformed equation."""
        first, last = self.limits
        groups = [self._lagged(y, first, last, valid)]
        for name, begin in (("predetermined", first - 1), ("endog", first)):
            end = None if last is None else last - (first - begin)
            groups += [
                self._lagged(x[name][:, j], begin, end, valid) for j in range(x[name].shape[1])
            ]
        exog = x["exog"]
        if exog.shape[1]:
            levels = np.nan_to_num(np.moveaxis(exog, 1, -1))
            groups.append(np.einsum("its,risk->ritk", maps, levels, optimize=True))
        return np.concatenate(groups, axis=-1)

    def _lagged(
        self, a: Array, first: int, last: int | None, valid: npt.NDArray[np.bool_]
    ) -> Array:
        """Its lags, zero where unknown, in a column for each lag, or for each lag and period."""
        periods = a.shape[2]
        end = periods - 1 if last is None else min(last, periods - 1)
        found = [
            np.where(valid & np.isfinite(_lag(a, j)), _lag(a, j), 0.0)
            for j in range(first, end + 1)
        ]
        if not found:
            return np.empty((*a.shape, 0))
        lagged = np.stack(found, axis=-1)
        return lagged if self.collapse else _by_period(lagged)

    def _levels(self, y: Array, x: dict[str, Array], there: npt.NDArray[np.bool_]) -> Array:
        """Instruments of the equation in levels: the newest difference that is uncorrelated."""
        first = self.limits[0]
        groups = []
        variables = [(y, first - 1)]
        for name, lag in (("predetermined", first - 2), ("endog", first - 1)):
            variables += [(x[name][:, j], lag) for j in range(x[name].shape[1])]
        for a, lag in variables:
            change = _lag(a - _lag(a, 1), lag)
            column = np.where(there & np.isfinite(change), change, 0.0)[..., np.newaxis]
            groups.append(column if self.collapse else _by_period(column))
        if x["exog"].shape[1]:
            level = np.moveaxis(x["exog"], 1, -1)
            groups.append(np.where(there[..., None], level, 0.0))
        groups.append(there[..., np.newaxis].astype(np.float64))
        return np.concatenate(groups, axis=-1)


def _side_by_side(z: Array, z_level: Array, exog: int) -> tuple[Array, Array]:
    """Columns of their own for each equation, but shared ones for exogenous regressors."""
    own, level_own = z.shape[-1] - exog, z_level.shape[-1] - exog - 1
    shape = z.shape[:3]
    left = np.concatenate(
        [z[..., :own], np.zeros((*shape, level_own)), z[..., own:], np.zeros((*shape, 1))], axis=-1
    )
    right = np.concatenate([np.zeros((*shape, own)), z_level], axis=-1)
    return left, right


def _lag(a: Array, j: int) -> Array:
    """j periods before (R, N, T, ...), NaN before the first."""
    if j == 0:
        return a
    result = np.full(a.shape, np.nan)
    result[:, :, j:] = a[:, :, : a.shape[2] - j]
    return result


def _by_period(a: Array) -> Array:
    """(R, N, T, m) in a column for each period and each of the m: (R, N, T, T m)."""
    samples, n, periods, m = a.shape
    result = np.zeros((samples, n, periods, periods, m))
    for t in range(periods):
        result[:, :, t, t] = a[:, :, t]
    return result.reshape(samples, n, periods, periods * m)


def _is_pair(limits: Any) -> bool:
    """Whether these are two whole numbers, or one and None."""
    return (
        isinstance(limits, Sequence)
        and len(limits) == 2
        and is_whole(limits[0])
        and (limits[1] is None or is_whole(limits[1]))
    )


def _periods(y: Array, x: dict[str, Array], lags: int) -> npt.NDArray[np.intp]:
    """Those in which some entity has y, all regressors, and y before."""
    one = y.reshape(-1, 1, *y.shape[-2:])
    there = np.isfinite(one[:1, 0])
    for j in range(1, lags + 1):
        there = there & np.isfinite(_lag(one[:1, 0], j))
    for a in x.values():
        if a.shape[-3]:
            there = there & np.isfinite(a.reshape(-1, *a.shape[-3:])[:1]).all(axis=1)
    return np.flatnonzero(there.any(axis=(0, 1)))


def _differences(there: npt.NDArray[np.bool_]) -> Array:
    """The maps (N, T, T) of each entity's rows to their first differences."""
    periods = there.shape[1]
    both = there[:, 1:] & there[:, :-1]
    maps = np.zeros((len(there), periods, periods))
    at = np.arange(1, periods)
    maps[:, at, at], maps[:, at, at - 1] = both, -1.0 * both
    return maps


def _orthogonal(there: npt.NDArray[np.bool_]) -> Array:
    """The maps (N, T, T) to deviations from the mean of what follows, of the same variance.

    They stand in the period after their own: Arellano and Bover (1995), J. Econometrics 68, 29-51.
    """
    periods = there.shape[1]
    maps = np.zeros((len(there), periods, periods))
    for t in range(periods - 1):
        later = there[:, t + 1 :]
        count = later.sum(axis=1)
        use = there[:, t] & (count > 0)
        share = np.where(use, 1 / np.maximum(count, 1), 0.0)
        root = np.sqrt(np.where(use, count / (count + 1), 0.0))
        maps[:, t + 1, t] = root
        maps[:, t + 1, t + 1 :] = -(root * share)[:, np.newaxis] * later
    return maps


def _independent(zs: list[Array], maps: list[Array]) -> Array:
    """The mean over entities of Z'HZ (R, q, q), H of independent errors in levels."""
    # Z'M with M the equations' errors in terms of those in levels; H = MM'.
    turned = np.zeros((*zs[0].shape[:2], zs[0].shape[2], zs[0].shape[3]))
    for z, m in zip(zs, maps, strict=True):
        turned += np.einsum("ritq,its->risq", z, m, optimize=True)
    result: Array = np.einsum("risq,risp->rqp", turned, turned, optimize=True) / zs[0].shape[1]
    return result


@dataclass(frozen=True, kw_only=True)
class PanelMoments(Problem):
    """E Z_i'(y_i - X_i theta) = 0 over entities, from their products."""

    zy: Array
    zx: Array
    h: Array
    dy: Array
    dx: Array
    units: ClassVar[str] = "entities"
    mean_zx: Array = field(init=False)
    mean_zy: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean_zx", self.zx.mean(axis=1))
        object.__setattr__(self, "mean_zy", self.zy.mean(axis=1))

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """Z_i'u_i (r, n, q)."""
        rows = index if self.rows is None or isinstance(index, np.ndarray) else self.rows[index]
        product = (self.zx[rows] @ theta[:, np.newaxis, :, np.newaxis])[..., 0]
        result: Array = self.zy[rows] - product
        return result

    def jacobian(self, theta: Array) -> Array:
        """-Z'X / n (R, q, k)."""
        return -self._of(self.mean_zx)

    def instrument_products(self) -> Array:
        """Z'HZ / n (R, q, q), as if the errors were independent."""
        return self._of(self.h)

    def unadjusted(self, theta: Array) -> Array:
        """Half of the variance of differenced errors times Z'HZ / n."""
        u = self.differenced(theta)
        count = (np.abs(self._of(self.dx)).sum(axis=3) > 0).sum(axis=(1, 2))
        s2: Array = np.square(u).sum(axis=(1, 2)) / (2 * count)
        return s2[:, np.newaxis, np.newaxis] * self.instrument_products()

    def differenced(self, theta: Array) -> Array:
        """The residuals in differences (R, n, T), zero where there is no equation."""
        fitted = (self._of(self.dx) @ theta[:, np.newaxis, :, np.newaxis])[..., 0]
        result: Array = self._of(self.dy) - fitted
        return result

    def minimize(
        self, weights: Array, start: Array, search: Search, s: Array | None = None
    ) -> Minimum:
        """(X'Z W Z'X)^-1 X'Z W Z'y, and one step of refinement."""
        zx, zy = self._of(self.mean_zx), self._of(self.mean_zy)
        left = zx.swapaxes(1, 2) @ weights
        hessian = left @ zx
        hessian = (hessian + hessian.swapaxes(1, 2)) / 2
        theta = solve_each(hessian, left @ zy[..., np.newaxis])[..., 0]
        g = zy - (zx @ theta[..., np.newaxis])[..., 0]
        step = solve_each(hessian, left @ g[..., np.newaxis])[..., 0]
        theta = theta + step
        g = zy - (zx @ theta[..., np.newaxis])[..., 0]
        status = np.full(len(theta), Status.OK, np.int8)
        regular = smallest_pivot(hessian) > 64 * self.k * np.finfo(np.float64).eps
        status[~(regular & np.isfinite(theta).all(axis=1))] = Status.SINGULAR
        zeros = np.zeros(len(theta))
        return Minimum(theta, quadratic_each(g, weights), status, zeros.astype(np.int16), zeros)

    def _of(self, a: Array) -> Array:
        result: Array = a if self.rows is None else a[self.rows]
        return result
