"""Meshes of devices: along which of their axes values vary, and who solves which block."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import jax
import numpy as np
from jax.sharding import PartitionSpec

__all__ = ["aligned", "by_blocks", "result"]


def aligned(a: Any, b: Any) -> tuple[Any, Any]:
    """Operands inside of `jax.shard_map` that vary along the same axes of the devices' mesh: the
    transpose of what is done for that sums over the devices.
    """
    of_a, of_b = _varying(jax.typeof(a)), _varying(jax.typeof(b))
    return (a, b) if of_a == of_b else (_vary(a, of_b - of_a), _vary(b, of_a - of_b))


def result(b: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The type of what is computed of an operand, which varies along its axes."""
    if not _varying(b):
        return jax.core.ShapedArray(shape, dtype)
    nowhere = PartitionSpec(*[None] * len(shape))
    sharding = jax.sharding.NamedSharding(b.sharding.mesh, nowhere)
    return b.update(shape=shape, dtype=np.dtype(dtype), sharding=sharding)


def by_blocks(run: Callable[[Any, Any], Any], a: Any, b: Any, *, has_rank: bool) -> Any:
    """run(a, b), each device for its block of the leading axes, where the operands' types say how
    these are split (explicit axes of a mesh); None where they do not.

    Of a leading axis that both have, and split in two ways, that of `a` counts.
    """
    of_a, of_b = _split("a", a), _split("b", b)
    if not any(chain(of_a, of_b)) or not hasattr(jax, "shard_map"):
        return None
    wanted: list[Any] = []
    names: set[Any] = set()
    for choice in zip(of_a, of_b, strict=True):
        free = (axes for axes in choice if axes and names.isdisjoint(_names(axes)))
        wanted.append(next(free, None))
        names |= _names(wanted[-1])
    specs = [
        PartitionSpec(*(None if m == 1 else axes for m, axes in zip(x.shape, wanted, strict=False)))
        for x in (a, b)
    ]
    a, b = (
        jax.sharding.reshard(x, spec) if given != tuple(spec) else x
        for x, spec, given in zip((a, b), specs, (of_a, of_b), strict=True)
    )
    of_x = PartitionSpec(*wanted)
    mesh = jax.typeof(a).sharding.mesh
    mesh = jax.typeof(b).sharding.mesh if mesh.empty else mesh
    blocks = jax.shard_map(
        run,
        mesh=mesh,
        in_specs=tuple(specs),
        out_specs=[of_x, of_x] if has_rank else of_x,
        axis_names=names,
    )
    return blocks(a, b)


def _split(name: str, x: Any) -> tuple[Any, ...]:
    """The axes of the mesh over which each leading axis is split, as the type of x knows."""
    aval = jax.typeof(x)
    spec = getattr(getattr(aval, "sharding", None), "spec", None) or ()
    split = (*spec, *[None] * (x.ndim - len(spec)))
    if any(split[-2:]):
        raise ValueError(
            f"{name} has type {aval}; a matrix must lie on one device. "
            f"jax.sharding.reshard({name}, ...) brings it there"
        )
    return split[:-2]


def _names(axes: Any) -> set[Any]:
    return set() if axes is None else {*axes} if isinstance(axes, tuple) else {axes}


def _varying(aval: Any) -> Any:
    """The axes of the devices' mesh along which a value varies inside of `jax.shard_map`."""
    known = getattr(aval, "manual_axis_type", None)
    return getattr(aval, "vma", frozenset()) if known is None else known.varying


def _vary(x: Any, axes: Any) -> Any:
    if not axes:
        return x
    if hasattr(jax.lax, "pcast"):
        return jax.lax.pcast(x, tuple(axes), to="varying")
    return jax.lax.pvary(x, tuple(axes))  # before JAX 0.9
