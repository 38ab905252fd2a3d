"""Blocks of replications: the unit of random streams, of work, and of checkpoints."""

import numpy as np
import numpy.typing as npt

# Part of every experiment's identity: with other blocks, the streams would be other streams.
BLOCK = 1000

Records = npt.NDArray[np.void]


def generator(seed: int, design: int, block: int) -> np.random.Generator:
    """The stream of one block; it depends on nothing that another block has drawn."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(design, block))
    return np.random.Generator(np.random.PCG64DXSM(sequence))


def block_count(replications: int) -> int:
    """How many blocks hold these replications; the last may be needed in part only."""
    return -(-replications // BLOCK)


def record_type(parameters: int) -> np.dtype[np.void]:
    """What is kept of one replication: the layout of results in memory and on disk."""
    return np.dtype(
        [
            ("estimates", "<f8", (parameters,)),
            ("bse", "<f8", (parameters,)),
            ("j", "<f8"),
            ("iterations", "<i2"),
            ("status", "i1"),
        ]
    )
