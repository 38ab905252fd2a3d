"""The native core of gmm."""

from gmm.data.arrays import Array

def central_moments(x: Array, mean: Array, central: Array) -> None: ...
