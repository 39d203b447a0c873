"""Indices that PolygonMasks accepts here and that Detectron2 fails on."""

import numpy as np
import pytest
import torch

from detectron2.structures import BitMasks, Keypoints, PolygonMasks, ROIMasks

MASKS = [[np.zeros(6)], [np.ones(8)]]


def test_arrays_are_indices_too():
    masks = PolygonMasks(MASKS)
    assert len(masks[np.array([1])].polygons[0][0]) == 8
    assert len(masks[np.array([True, False])].polygons[0][0]) == 6


def test_other_indices_say_so():
    with pytest.raises(TypeError, match="str"):
        PolygonMasks(MASKS)["a"]


def test_roi_masks_cannot_be_placed_without_boxes():
    with pytest.raises(TypeError, match="to_bitmasks"):
        BitMasks.from_roi_masks(ROIMasks(torch.zeros(1, 3, 3)), 4, 4)


def test_one_object_of_keypoints():
    assert Keypoints(torch.rand(2, 4, 3))[1].tensor.shape == (1, 4, 3)
