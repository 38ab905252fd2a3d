"""The native core of gmm."""

from gmm._linear import Array

def central_moments(x: Array, mean: Array, central: Array) -> None: ...
