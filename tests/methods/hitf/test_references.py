"""The ring of the last frames: order, the start of a video, no growth."""

import pytest
import torch

from vis_projects.methods.hitf.references import ReferenceRing


def kept(value):
    return torch.full((1, 1, 2, 3), float(value)), torch.full((1, 1, 2, 4), float(value))


def seen(ring, current):
    keys, values = ring.references(kept(current))
    assert keys.shape[1:] == (keys.shape[1], 1, 2, 3) and values.shape[1:] == (keys.shape[1], 1, 2, 4)
    assert torch.equal(keys[0, :, 0, 0, 0], values[0, :, 0, 0, 0])
    return keys[0, :, 0, 0, 0].tolist()


def test_the_nearest_comes_first_and_missing_ones_repeat_the_oldest():
    ring, found = ReferenceRing(3), []
    for t in range(6):
        found.append(seen(ring, t))
        ring.push(kept(t))
    assert found == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]]


def test_or_are_left_out():
    ring, found = ReferenceRing(2, "mask"), []
    for t in range(4):
        found.append(seen(ring, t))
        ring.push(kept(t))
    assert found == [[], [0], [1, 0], [2, 1]]


def test_it_does_not_grow():
    ring = ReferenceRing(3)
    for t in range(50):
        ring.push(kept(t))
    assert len(ring) == 3


def test_wrong_padding_is_named():
    with pytest.raises(ValueError, match="REF_PAD is 'zero'"):
        ReferenceRing(3, "zero")
