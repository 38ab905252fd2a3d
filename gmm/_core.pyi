"""The native core of gmm."""

from gmm.data.arrays import Array

def central_moments(x: Array, mean: Array, central: Array) -> None: ...
def cross_products(columns: tuple[Array, ...], products: Array) -> None: ...
def inverses(matrices: Array, inverse: Array, pivots: Array) -> None: ...
def projection_residuals(
    y: tuple[Array, ...], x: tuple[Array, ...], kappa: Array, residuals: Array, pivots: Array
) -> None: ...
def residual_products(
    y: tuple[Array, ...],
    x: tuple[Array, ...],
    z: tuple[Array, ...],
    theta: Array,
    moments: Array,
    squares: Array,
) -> None: ...
def score_products(
    y: tuple[Array, ...], x: tuple[Array, ...], z: tuple[Array, ...], theta: Array, products: Array
) -> None: ...
def secant_update(step: Array, change: Array, weighted: Array, curvature: Array) -> None: ...
def signed_sums(bits: bytes, columns: Array, sums: Array) -> None: ...
def quadratic_forms(
    weights: Array,
    moments: Array,
    jacobian: Array,
    weighted: Array,
    objective: Array,
    magnitude: Array,
    gradient: Array,
    hessian: Array,
) -> None: ...
