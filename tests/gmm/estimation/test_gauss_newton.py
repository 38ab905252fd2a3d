"""_gauss_newton.py on problems with known ends."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmm import Status, _core
from gmm.estimation.gauss_newton import minimize


class Conditions(ABC):
    @abstractmethod
    def moments(self, theta: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def jacobian(self, theta: np.ndarray) -> np.ndarray: ...

    def with_jacobian(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.moments(theta), self.jacobian(theta)


@dataclass(frozen=True)
class Linear(Conditions):
    """g = y - X theta."""

    y: np.ndarray
    x: np.ndarray

    def moments(self, theta: np.ndarray) -> np.ndarray:
        return self.y - (self.x @ theta[..., np.newaxis])[..., 0]

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        return -self.x

    def take(self, rows: np.ndarray) -> Self:
        return replace(self, y=self.y[rows], x=self.x[rows])


@dataclass(frozen=True)
class Arctangent(Conditions):
    """g = arctan(theta - root): full Newton steps diverge from |theta - root| > 1.39..."""

    root: np.ndarray

    def moments(self, theta: np.ndarray) -> np.ndarray:
        return np.arctan(theta - self.root)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        return (1 / (1 + (theta - self.root) ** 2))[..., np.newaxis]

    def take(self, rows: np.ndarray) -> Self:
        return replace(self, root=self.root[rows])


@dataclass(frozen=True)
class Misled(Conditions):
    """A derivative of the wrong sign: no step along it can lower the objective."""

    root: np.ndarray

    def moments(self, theta: np.ndarray) -> np.ndarray:
        return theta - self.root

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        return -np.ones((*theta.shape, 1))

    def take(self, rows: np.ndarray) -> Self:
        return replace(self, root=self.root[rows])


def identity(count: int, q: int) -> np.ndarray:
    return np.broadcast_to(np.eye(q), (count, q, q)).copy()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 3))
def test_linear_moments_are_weighted_least_squares(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    q = k + 2
    root = rng.standard_normal((7, q, q))
    weights = root @ root.swapaxes(1, 2) + np.eye(q)
    problem = Linear(rng.standard_normal((7, q)), rng.standard_normal((7, q, k)) + 2 * np.eye(q, k))
    minimum = minimize(problem, weights, np.zeros((7, k)))
    assert (minimum.status == Status.OK).all()
    for y, x, w, theta in zip(problem.y, problem.x, weights, minimum.theta, strict=True):
        factor = np.linalg.cholesky(w).T
        expected = np.linalg.lstsq(factor @ x, factor @ y)[0]
        np.testing.assert_allclose(theta, expected, atol=1e-6 * (1 + np.abs(expected).max()))


def test_exactly_linear_problems_take_one_step() -> None:
    problem = Linear(np.array([[4.0, 6.0]]), np.array([[[2.0, 0.0], [0.0, 3.0]]]))
    minimum = minimize(problem, identity(1, 2), np.zeros((1, 2)))
    np.testing.assert_array_equal(minimum.theta, [[2.0, 2.0]])
    assert minimum.iterations.tolist() == [1]


def test_halving_brings_home_what_full_steps_would_lose() -> None:
    root = np.array([[0.0], [1.0], [-20.0], [300.0]])
    minimum = minimize(Arctangent(root), identity(4, 1), np.zeros((4, 1)))
    assert (minimum.status == Status.OK).all()
    np.testing.assert_allclose(minimum.theta, root, atol=1e-8)
    assert minimum.iterations[0] == 0
    assert minimum.iterations[3] > 1


def test_every_end_has_its_status() -> None:
    start = np.zeros((1, 1))
    singular = minimize(Linear(np.ones((1, 2)), np.zeros((1, 2, 1))), identity(1, 2), start)
    assert singular.status.tolist() == [Status.SINGULAR]
    misled = minimize(Misled(np.ones((1, 1))), identity(1, 1), start)
    assert misled.status.tolist() == [Status.LINE_SEARCH]
    short = minimize(
        Arctangent(np.array([[20.0]])), identity(1, 1), np.zeros((1, 1)), max_iterations=2
    )
    assert short.status.tolist() == [Status.MAX_ITERATIONS]
    assert short.iterations.tolist() == [2]


def test_an_unsolvable_replication_leaves_the_others_alone() -> None:
    problem = Linear(np.ones((3, 1)), np.array([[[1.0]], [[0.0]], [[2.0]]]))
    minimum = minimize(problem, identity(3, 1), np.zeros((3, 1)))
    assert minimum.status.tolist() == [Status.OK, Status.SINGULAR, Status.OK]
    np.testing.assert_array_equal(minimum.theta[[0, 2], 0], [1.0, 0.5])


def test_forms_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    for q, k in (1, 1), (2, 2), (4, 2), (9, 5):
        w, g, d = (rng.standard_normal((6, *shape)) for shape in ((q, q), (q,), (q, k)))
        w = w + w.swapaxes(1, 2)
        found = np.empty((6, q)), np.empty(6), np.empty(6), np.empty((6, k)), np.empty((6, k, k))
        _core.quadratic_forms(w, g, d, *found)
        wanted = (
            np.einsum("rij,rj->ri", w, g),
            np.einsum("ri,rij,rj->r", g, w, g),
            np.einsum("ri,rij,rj->r", abs(g), abs(w), abs(g)),
            np.einsum("ria,rij,rj->ra", d, w, g),
            np.einsum("ria,rij,rjb->rab", d, w, d),
        )
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(found[4], found[4].swapaxes(1, 2))
        with pytest.raises(ValueError, match=r"weights \(R, q, q\)"):
            _core.quadratic_forms(w[1:], g, d, *found)


def test_the_update_gives_the_curvature_along_the_step() -> None:
    rng = np.random.default_rng(2)
    step, change, weighted = (rng.standard_normal((5, *shape)) for shape in ((3,), (4, 3), (4,)))
    step[0] = 0.0
    before = np.zeros((5, 3, 3))
    before[1:] = np.eye(3)
    curvature = before.copy()
    _core.secant_update(step, change, weighted, curvature)
    np.testing.assert_array_equal(curvature[0], before[0])
    found = (curvature[1:] @ step[1:, :, np.newaxis])[..., 0]
    wanted = np.einsum("rij,ri->rj", change[1:], weighted[1:])
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    np.testing.assert_array_equal(curvature, curvature.swapaxes(1, 2))
    with pytest.raises(ValueError, match=r"step \(R, k\)"):
        _core.secant_update(step[1:], change, weighted, curvature)
