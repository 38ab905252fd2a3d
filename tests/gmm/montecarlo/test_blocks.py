"""montecarlo/blocks.py: streams that belong to a block."""

import numpy as np
import pytest

from gmm.montecarlo.blocks import BLOCK, block_count, generator


def test_a_blocks_stream_is_the_spawned_child() -> None:
    """No central spawn is needed: a child is its parent's entropy and its own key."""
    child = np.random.SeedSequence(7, spawn_key=(0,)).spawn(5)[3]
    spawned = np.random.Generator(np.random.PCG64DXSM(child))
    np.testing.assert_array_equal(
        generator(7, 0, 3).standard_normal(20), spawned.standard_normal(20)
    )


def test_streams_differ_by_seed_design_and_block() -> None:
    keys = [(s, d, b) for s in (0, 1, 2**80) for d in (0, 1) for b in (0, 1, 10**9)]
    first = {float(generator(*key).standard_normal()) for key in keys}
    assert len(first) == len(keys)


@pytest.mark.parametrize(
    ("replications", "blocks"), [(1, 1), (BLOCK, 1), (BLOCK + 1, 2), (10**9, 10**6)]
)
def test_blocks_cover_all_replications(replications: int, blocks: int) -> None:
    assert block_count(replications) == blocks
