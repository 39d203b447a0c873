"""Batches of one group."""

import pytest
from detectron2.data.samplers import GroupedBatchSampler, InferenceSampler


def test_batches_hold_one_group_each():
    sampler = GroupedBatchSampler(InferenceSampler(7), [0, 1, 0, 1, 1, 2, 0], 2)
    assert [batch for batch in sampler] == [[0, 2], [1, 3]]  # list() would ask for the length


def test_a_torch_sampler_is_needed():
    with pytest.raises(ValueError):
        GroupedBatchSampler([0, 1], [0, 0], 1)
    with pytest.raises(NotImplementedError):
        len(GroupedBatchSampler(InferenceSampler(1), [0], 1))
