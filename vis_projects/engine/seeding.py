"""Random numbers that depend on (seed, place) only, never on how the process came there.

A training that stops and resumes, or that spreads a batch over processes, draws the same numbers, because every
forward pass seeds anew. The items of the data stream are seeded by the data loader in the same way.
"""

import random

import numpy as np
import torch


def derive_seed(seed: int, *place: int) -> int:
    """A 32-bit seed for a place; different places give unrelated streams.

    Args:
        seed: of the run, >= 0.
        place: non-negative coordinates, e.g. (iteration, part of the batch).
    """
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])


def seed_all(seed: int) -> None:
    """Seeds python's, numpy's and torch's (all devices) global generators of this process."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
