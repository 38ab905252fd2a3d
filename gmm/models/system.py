"""Several linear equations estimated together: three-stage least squares, system GMM, SUR."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gmm.data.arrays import Array, Rows, blocks, flattened
from gmm.data.instruments import Columns, fitted, joined, products, some
from gmm.estimation.gauss_newton import Minimum
from gmm.estimation.linear import quadratic_each, solve_each
from gmm.estimation.model import Model
from gmm.estimation.problem import Problem, Search
from gmm.estimation.status import Status
from gmm.estimation.weights import smallest_pivot
from gmm.inference.results import GMMResult
from gmm.models.linear_iv import IV

__all__ = ["System"]


class System(Model[GMMResult]):
    r"""Linear equations whose errors are correlated, estimated together.

    .. math:: E\,z_{ij} (y_{ij} - x_{ij}' \beta_j) = 0, \qquad j = 1, \ldots, m

    Parameters
    ----------
    equations : dict of str to IV
        Each equation by its name, over the same observations. Parameters are called
        ``"equation: regressor"``, which is how restrictions across equations name them.

    See Also
    --------
    gmm.IV : one equation.

    Notes
    -----
    With ``weights="unadjusted"``, :math:`S_{jk} = \hat\sigma_{jk} Z_j'Z_k / n`: two steps are
    three-stage least squares, and without endogenous regressors seemingly unrelated regressions.
    With "robust", "cluster" or `gmm.HAC` two steps are system GMM. One step is two-stage least
    squares for each equation, with a covariance matrix across equations.

    References
    ----------
    .. [1] Zellner and Theil (1962), Econometrica 30, 54-78.
    .. [2] Hayashi (2000), Econometrics, chapter 4.

    Examples
    --------
    Demand and supply, and a restriction across them:

    >>> import numpy as np
    >>> import gmm
    >>> rng = np.random.default_rng(4)
    >>> income, cost, u, v = rng.standard_normal((4, 400))
    >>> v = 0.6 * u + 0.8 * v
    >>> price = (2 + income + cost + u - v) / 2
    >>> quantity = 10 - price + income + u
    >>> ones = np.ones(400)
    >>> demand = gmm.IV(quantity, np.column_stack([ones, income]), price, cost)
    >>> supply = gmm.IV(quantity, np.column_stack([ones, cost]), price, income)
    >>> system = gmm.System({"demand": demand, "supply": supply})
    >>> result = system.fit(weights="unadjusted")  # three-stage least squares
    >>> result.parameters[2], result.parameters[5]
    ('demand: endog0', 'supply: endog0')
    >>> result.params[[2, 5]].round(2)
    array([-1.12,  1.03])
    """

    default_initial = "unadjusted"
    result_type = GMMResult

    def __init__(self, equations: Mapping[str, IV]) -> None:
        if not isinstance(equations, Mapping):
            raise TypeError(
                f"equations is {equations!r:.100}; it must be a dict of names and models"
            )
        if not equations:
            raise ValueError("there are no equations")
        self.equations = dict(equations)
        first = next(iter(self.equations.values()))
        for name, equation in self.equations.items():
            if not isinstance(equation, IV):
                raise TypeError(
                    f"equation {name!r} is of type {type(equation).__name__}; it must be a gmm.IV"
                )
            if equation.n != first.n:
                raise ValueError(
                    f"equation {name!r} has {equation.n} observations, the first one {first.n}"
                )
            same = equation.clusters is first.clusters or (
                equation.clusters is not None
                and first.clusters is not None
                and np.array_equal(equation.clusters, first.clusters)
            )
            if not same:
                raise ValueError(f"equation {name!r} has other clusters than the first one")
        members = self.equations.values()
        self.n = first.n
        self.clusters = first.clusters
        self.shape = np.broadcast_shapes(*(equation.shape for equation in members))
        self.labelled = any(equation.labelled for equation in members)
        self.names = tuple(
            f"{name}: {label}" for name, eq in self.equations.items() for label in eq.names or ()
        )
        self.moment_names = tuple(
            f"{name}: {label}"
            for name, eq in self.equations.items()
            for label in eq.moment_names or ()
        )

    def finite(self) -> npt.NDArray[np.bool_]:
        """Whether (R,) the data of all equations are."""
        every = [
            np.broadcast_to(eq.finite().reshape(eq.shape), self.shape).reshape(-1)
            for eq in self.equations.values()
        ]
        return np.asarray(np.all(every, axis=0), dtype=np.bool_)

    def cause_of_singularity(self, sample: int = 0) -> str:
        """Collinear columns of each equation of one sample, by their names."""
        causes = {
            name: eq.cause_of_singularity(sample if eq.shape == self.shape else 0)
            for name, eq in self.equations.items()
        }
        return "; ".join(f"equation {name}: {cause}" for name, cause in causes.items() if cause)

    def problem(self, start: Array | None) -> tuple["SystemMoments", Array]:
        """What is estimated; a closed form needs no start."""
        members = self.equations.values()
        problem = SystemMoments(
            samples=math.prod(self.shape),
            n=self.n,
            q=len(self.moment_names or ()),
            k=len(self.names or ()),
            clusters=self.clusters,
            y=tuple(flattened(eq.y, 1, self.shape) for eq in members),
            x=tuple(blocks([eq.exog, eq.endog], self.shape) for eq in members),
            z=tuple(blocks([eq.exog, eq.instruments], self.shape) for eq in members),
        )
        start = np.zeros((problem.samples, problem.k)) if start is None else start
        return problem, start


@dataclass(frozen=True, kw_only=True)
class SystemMoments(Problem):
    """E z_j u_j = 0 for every equation j, with the cross products of each."""

    y: tuple[Array, ...]
    x: tuple[Columns, ...]
    z: tuple[Columns, ...]
    zx: Array = field(init=False)
    zy: Array = field(init=False)

    def __post_init__(self) -> None:
        zx = [products(z, x) / self.n for z, x in zip(self.z, self.x, strict=True)]
        zy = [
            products(z, (y[..., np.newaxis],))[..., 0] / self.n
            for z, y in zip(self.z, self.y, strict=True)
        ]
        samples = max(len(a) for a in (*zx, *zy))
        object.__setattr__(self, "zx", _diagonal(zx, samples))
        parts = [np.broadcast_to(a, (samples, a.shape[1])) for a in zy]
        object.__setattr__(self, "zy", np.concatenate(parts, axis=1))

    def residuals(self, theta: Array, index: Rows | slice) -> list[Array]:
        """u_j (r, n) of every equation."""
        result, last = [], 0
        for y, x in zip(self.y, self.x, strict=True):
            first, last = last, last + sum(block.shape[-1] for block in x)
            result.append(some(y, index) - fitted(x, theta[:, first:last], index))
        return result

    def contributions(self, theta: Array, index: Rows | slice) -> Array:
        """z_j u_j (r, n, q) of all equations side by side."""
        parts = [
            joined(z, index, len(theta)) * u[..., np.newaxis]
            for z, u in zip(self.z, self.residuals(theta, index), strict=True)
        ]
        return np.concatenate(parts, axis=-1)

    def jacobian(self, theta: Array) -> Array:
        """-Z_j'X_j / n (R, q, k), in blocks on the diagonal."""
        return -self._of_rows(self.zx)

    def unadjusted(self, theta: Array) -> Array:
        """sigma_jk Z_j'Z_k / n (R, q, q)."""
        m = len(self.y)
        sigma = np.empty((len(theta), m, m))
        for span, index in self.pieces():
            u = np.stack(np.broadcast_arrays(*self.residuals(theta[span], index)), axis=1)
            sigma[span] = u @ u.swapaxes(1, 2) / self.n
        sizes = [sum(block.shape[-1] for block in z) for z in self.z]
        place = np.repeat(np.arange(m), sizes)
        return sigma[:, place[:, np.newaxis], place] * self._of_rows(self._zz())

    def instrument_products(self) -> Array:
        """Z_j'Z_j / n (R, q, q), in blocks on the diagonal: two-stage least squares of each."""
        zz = [products(z, z) / self.n for z in self.z]
        return self._of_rows(_diagonal(zz, max(map(len, zz))))

    def _zz(self) -> Array:
        rows = [[products(a, b) / self.n for b in self.z] for a in self.z]
        samples = max(len(block) for row in rows for block in row)
        wide = [
            np.concatenate([np.broadcast_to(b, (samples, *b.shape[1:])) for b in row], axis=2)
            for row in rows
        ]
        return np.concatenate(wide, axis=1)

    def _of_rows(self, a: Array) -> Array:
        chosen = a if self.rows is None else some(a, self.rows)
        return np.broadcast_to(chosen, (self.samples, *a.shape[1:]))

    def minimize(
        self, weights: Array, start: Array, search: Search, s: Array | None = None
    ) -> Minimum:
        """(X'Z W Z'X)^-1 X'Z W Z'y, and one step of refinement by the residuals."""
        zx, zy = self._of_rows(self.zx), self._of_rows(self.zy)
        if self.q == self.k:
            zz = self.instrument_products()
            pivot = smallest_pivot(zx.swapaxes(1, 2) @ solve_each(zz, zx))
            left, hessian = np.broadcast_to(np.eye(self.q), zx.shape), zx
        else:
            left = zx.swapaxes(1, 2) @ weights
            hessian = left @ zx
            hessian = (hessian + hessian.swapaxes(1, 2)) / 2
            pivot = smallest_pivot(hessian)
        theta = solve_each(hessian, left @ zy[..., np.newaxis])[..., 0]
        g = self.moments(theta)
        step = solve_each(hessian, left @ g[..., np.newaxis])[..., 0]
        theta = theta + step
        g = g - (zx @ step[..., np.newaxis])[..., 0]
        status = np.full(len(theta), Status.OK, np.int8)
        regular = pivot > 64 * self.k * np.finfo(np.float64).eps
        status[~(regular & np.isfinite(theta).all(axis=1))] = Status.SINGULAR
        status[~np.isfinite(zx.sum(axis=(1, 2)) + zy.sum(axis=1))] = Status.NON_FINITE
        zeros = np.zeros(len(theta))
        return Minimum(theta, quadratic_each(g, weights), status, zeros.astype(np.int16), zeros)


def _diagonal(parts: list[Array], samples: int) -> Array:
    """Blocks (R or 1, ., .) along the diagonal of one matrix for each sample."""
    rows, columns = (sum(a.shape[axis] for a in parts) for axis in (1, 2))
    result = np.zeros((samples, rows, columns))
    row = column = 0
    for a in parts:
        result[:, row : row + a.shape[1], column : column + a.shape[2]] = a
        row, column = row + a.shape[1], column + a.shape[2]
    return result
