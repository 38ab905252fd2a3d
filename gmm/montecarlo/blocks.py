"""Blocks of replications: the unit of random streams, of work, and of checkpoints."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gmm.montecarlo.columns import Column, estimate_type

# Part of every experiment's identity: with other blocks, the streams would be other streams.
BLOCK = 1000
# Samples and results of a run may take this much of the memory of the process that asks for it.
MEMORY = 2**32

# The field of a record that holds what the study's own statistics gave.
RECORDED = "recorded"

Records = npt.NDArray[np.void]


@dataclass(frozen=True)
class Block:
    """The results of a block's replications, and what was raised by those that raised."""

    records: Records
    errors: dict[int, str] = field(default_factory=dict)
    """By the replication's place in the block."""


def generator(seed: int, design: int, block: int) -> np.random.Generator:
    """The stream of one block; it depends on nothing that another block has drawn."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(design, block))
    return np.random.Generator(np.random.PCG64DXSM(sequence))


def block_count(replications: int, block: int = BLOCK) -> int:
    """How many blocks hold these replications; the last may be needed in part only."""
    return -(-replications // block)


def record_type(parameters: int, columns: Sequence[Column] = ()) -> np.dtype[np.void]:
    """What is kept of one replication: the layout of results in memory and on disk."""
    if not columns:
        return estimate_type(parameters)
    recorded = np.dtype([(column.name, *column.layout(parameters)) for column in columns])
    return np.dtype([*estimate_type(parameters).descr, (RECORDED, recorded)])


def allocate(replications: int, dtype: np.dtype[np.void], budget: int) -> Records:
    """Memory for the results, or a temporary file that is gone when they are."""
    if replications * dtype.itemsize <= budget:
        return np.empty(replications, dtype)
    with tempfile.TemporaryFile() as file:  # the memory map keeps it open
        return np.memmap(file, dtype, "w+", shape=(replications,))
