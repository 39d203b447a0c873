"""nms and batched_nms."""

import pytest
import torch

from detectron2.layers import batched_nms, nms

BOXES = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 20, 30, 30]])
SCORES = torch.tensor([0.5, 0.9, 0.3])


def test_no_boxes():
    assert batched_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0), 0.5).tolist() == []


def test_overlap_matters_within_a_group_only():
    # IoU of the first two: 80 / 100.
    assert nms(BOXES, SCORES, 0.5).tolist() == [1, 2]
    assert batched_nms(BOXES, SCORES, torch.tensor([0, 0, 0]), 0.5).tolist() == [1, 2]
    assert batched_nms(BOXES, SCORES, torch.tensor([0, 1, 0]), 0.5).tolist() == [1, 0, 2]
    assert batched_nms(BOXES, SCORES, torch.tensor([0, 0, 0]), 0.85).tolist() == [1, 0, 2]


def test_integer_and_half_boxes():
    for dtype in (torch.int64, torch.float16):
        assert batched_nms(BOXES.to(dtype), SCORES, torch.zeros(3), 0.5).tolist() == [1, 2]


def test_needs_four_columns():
    with pytest.raises(AssertionError):
        batched_nms(torch.zeros(1, 5), torch.zeros(1), torch.zeros(1), 0.5)
