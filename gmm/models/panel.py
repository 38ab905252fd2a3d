"""Static panels: fixed effects absorbed, or differenced away; then a model as any other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gmm.data.arrays import Array
from gmm.data.labels import check_rows, group_codes, is_pandas
from gmm.data.panels import Grid
from gmm.models.linear_iv import IV, LinearMoments

__all__ = ["FirstDifferences", "FixedEffects"]


class FixedEffects(IV):
    r"""Linear regression, with instruments or without, whose fixed effects are absorbed.

    Parameters
    ----------
    y, exog, endog, instruments, clusters
        As for `gmm.IV`, without a constant.
    absorb : (rows,) array_like, or sequence of them
        Groups with an effect each: entities, or entities and periods, or more.

    Notes
    -----
    All variables are taken in deviations from their groups' means, in turn until nothing moves if
    there are several. With ``small_sample`` the effects count among the parameters, but with
    clusters not those of groups that lie within a cluster, of which one remains: as in fixest.
    Estimates and standard errors are those with a dummy for each group.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(1)
    >>> firm = np.repeat(np.arange(100), 6)
    >>> effect = rng.standard_normal(100)[firm]
    >>> x = effect + rng.standard_normal(600)
    >>> y = 0.5 * x + 2 * effect + rng.standard_normal(600)
    >>> model = gmm.FixedEffects(y, x, absorb=firm, clusters=firm)
    >>> result = model.fit(cov="cluster", small_sample="cluster")
    >>> result.params.round(2), result.bse.round(3)
    (array([0.42]), array([0.044]))
    """

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
        *,
        absorb: Any,
        **options: Any,
    ) -> None:
        check_rows(y=y, exog=exog, absorb=absorb)
        super().__init__(y, exog, endog, instruments, clusters, **options)
        _refuse_weights(self)
        codes = _groups(absorb, self.n)
        before = {"exog": self.exog, "endog": self.endog, "instruments": self.instruments}
        self.y = deviations(self.y[..., np.newaxis], codes)[..., 0]
        for name, values in before.items():
            left = deviations(values, codes)
            size = np.abs(values).max(axis=(*range(values.ndim - 1),), initial=0.0)
            rest = np.abs(left).max(axis=(*range(values.ndim - 1),), initial=0.0)
            gone = np.flatnonzero(rest <= 1e-10 * size)
            if gone.size and self.collinear == "drop":
                left[..., gone] = 0.0
            elif gone.size:
                label = getattr(self, f"{name.removesuffix('s')}_names")[gone[0]]
                raise ValueError(f"{label!r} does not vary within the groups; leave it out")
            setattr(self, name, left)
        self._settle_columns()
        nested = [self.clusters is not None and _within(c, self.clusters) for c in codes]
        self._absorbed = _effects(
            [c for c, inside in zip(codes, nested, strict=True) if not inside]
        )
        if any(nested):
            self._absorbed = max(self._absorbed, 1)
        self._all_effects = _effects(codes)

    def problem(self, start: Array | None) -> tuple[LinearMoments, Array]:
        """As in deviations; the effects count among the parameters."""
        problem, start = super().problem(start)
        return replace(problem, absorbed=self._all_effects, nested=self._absorbed), start


class FirstDifferences(IV):
    """Linear regression of a panel in first differences, with instruments or without.

    Parameters
    ----------
    y, exog, endog, instruments, clusters
        As for `gmm.IV`, a row for each entity and period, without a constant.
    entity, time : (rows,) array_like
        Who, and when: whole numbers, one apart where periods follow each other. A difference
        across a gap is left out.

    Notes
    -----
    Instruments are differenced, too. Without `clusters` the entities are the clusters.

    Examples
    --------
    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(1)
    >>> firm, year = (a.ravel() for a in np.indices((100, 6)))
    >>> effect = rng.standard_normal(100)[firm]
    >>> x = effect + rng.standard_normal(600)
    >>> y = 0.5 * x + 2 * effect + rng.standard_normal(600)
    >>> result = gmm.FirstDifferences(y, x, entity=firm, time=year).fit(cov="cluster")
    >>> result.n, result.params.round(2), result.bse.round(3)
    (500, array([0.44]), array([0.058]))
    """

    def __init__(
        self,
        y: Any,
        exog: Any = None,
        endog: Any = None,
        instruments: Any = None,
        clusters: npt.ArrayLike | None = None,
        *,
        entity: npt.ArrayLike,
        time: npt.ArrayLike,
        **options: Any,
    ) -> None:
        check_rows(y=y, exog=exog, entity=entity, time=time)
        super().__init__(y, exog, endog, instruments, clusters, **options)
        _refuse_weights(self)
        grid = Grid.of(entity, time)
        place = grid.placed(np.arange(self.n, dtype=np.float64))
        there = np.isfinite(place[:, 1:]) & np.isfinite(place[:, :-1])
        later, earlier = (a[there].astype(np.intp) for a in (place[:, 1:], place[:, :-1]))
        if not later.size:
            raise ValueError("no entity has two periods that follow each other")
        self.y = self.y[..., later] - self.y[..., earlier]
        for name in ("exog", "endog", "instruments"):
            a = getattr(self, name)
            setattr(self, name, a[..., later, :] - a[..., earlier, :])
        self.n = later.size
        self._settle_columns()
        self.index = None if self.index is None else self.index[later]
        given = grid.entity[:, np.newaxis] if self.clusters is None else self.clusters
        self.clusters = given[later]


def _refuse_weights(model: IV) -> None:
    if model.roots is not None or model.first_rows is not None or model.dropped_rows:
        raise ValueError("weights and missing='drop' are not for panels; drop rows before")


def deviations(a: Array, codes: Sequence[npt.NDArray[np.intp]]) -> Array:
    """The columns of a (..., n, p) less their groups' means, for all groupings at once.

    Alternating projections (Gaure 2013): each pass takes out one grouping's means, and brings
    back a little of the others'.
    """
    a = np.array(a)
    scale = np.abs(a).max(axis=-2, keepdims=True, initial=0.0)
    for _ in range(10_000):
        largest = 0.0
        for groups in codes:
            means = _means(a, groups)
            moved = np.abs(means) / np.where(scale > 0, scale, 1.0)
            largest = max(largest, float(moved.max(initial=0.0)))
            a -= means[..., groups, :]
        if len(codes) == 1 or not largest > 1e-14:
            break
    return a


def _means(a: Array, groups: npt.NDArray[np.intp]) -> Array:
    order = np.argsort(groups, kind="stable")
    begins = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sums = np.add.reduceat(a[..., order, :], begins, axis=-2)
    means: Array = sums / np.diff([*begins, len(groups)])[:, np.newaxis]
    return means


def _groups(absorb: Any, n: int) -> list[npt.NDArray[np.intp]]:
    """Codes from zero of each grouping."""
    if is_pandas(absorb):
        columns = list(np.asarray(absorb).reshape(len(absorb), -1).T)
    elif isinstance(absorb, Sequence) and absorb and np.ndim(absorb[0]) == 1:
        columns = [np.asarray(one) for one in absorb]
    else:
        values = np.asarray(absorb)
        columns = [values] if values.ndim == 1 else list(values.T)
    for column in columns:
        if column.shape != (n,):
            raise ValueError(f"absorb has {len(column)} rows; the data have {n}")
    return [group_codes(column, "absorb") for column in columns]


def _within(groups: npt.NDArray[np.intp], clusters: npt.NDArray[np.intp]) -> bool:
    """Whether each group lies within one cluster, of some grouping."""
    count = groups.max() + 1
    return any(
        len(np.unique(column * count + groups)) == count for column in clusters.astype(np.int64).T
    )


def _effects(codes: Sequence[npt.NDArray[np.intp]]) -> int:
    """How many effects are not redundant; exact for two groupings, at least for more."""
    if not codes:
        return 0
    total = sum(int(c.max()) + 1 for c in codes)
    if len(codes) == 1:
        return total
    first, second = codes[0], codes[1]
    size = int(first.max()) + 1
    links = coo_array(
        (np.ones(len(first)), (first, second + size)),
        shape=(size + int(second.max()) + 1,) * 2,
    )
    return total - int(connected_components(links, directed=False)[0]) - (len(codes) - 2)
