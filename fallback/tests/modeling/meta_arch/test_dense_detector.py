"""Tests of `detectron2.modeling.meta_arch.dense_detector`."""

import pytest
import torch
from torch import nn

from detectron2.modeling import build_backbone
from detectron2.modeling.meta_arch.dense_detector import DenseDetector, permute_to_N_HWA_K


def test_dense_predictions_become_one_row_for_each_anchor():
    # Two anchors with three numbers each on a 1 x 2 grid; the value is 100 * anchor + 10 * number + column.
    values = torch.tensor([[[[100 * a + 10 * k + x for x in range(2)]] for a in range(2) for k in range(3)]])
    rows = permute_to_N_HWA_K(values, 3)
    assert rows[0].tolist() == [[100 * a + 10 * k + x for k in range(3)] for x in range(2) for a in range(2)]
    with pytest.raises(AssertionError):
        permute_to_N_HWA_K(torch.zeros(6, 1, 2), 3)


def test_maps_are_sorted_from_fine_to_coarse_by_default(cfg):
    detector = DenseDetector(build_backbone(cfg), nn.Identity(), pixel_mean=[0.0], pixel_std=[1.0])
    assert detector.head_in_features == ["p2", "p3", "p4", "p5", "p6"]
    with pytest.raises(NotImplementedError):
        detector.forward_training(None, None, None, None)
