"""Keypoints: container and heatmap cells."""

import pytest
import torch

from detectron2.structures import Keypoints


def test_no_objects():
    none = Keypoints(torch.zeros(0, 3, 3))
    assert len(none) == 0
    cells, valid = none.to_heatmap(torch.zeros(0, 4), 8)
    assert cells.numel() == 0 and valid.numel() == 0


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 2), (0,)])
def test_wrong_shape(shape):
    with pytest.raises(AssertionError):
        Keypoints(torch.zeros(shape))


def test_cells_of_the_heatmap():
    points = Keypoints(torch.tensor([[[1.0, 2, 2], [10, 10, 1], [11, 5, 2], [5, 5, 0]]]))
    cells, valid = points.to_heatmap(torch.tensor([[0.0, 0, 10, 10]]), 8)
    # Scale 0.8: (1, 2) -> column 0, row 1 -> 8; the far corner belongs to cell (7, 7) -> 63; outside; not labelled.
    assert cells.tolist() == [[8, 63, 0, 0]]
    assert valid.tolist() == [[1, 1, 0, 0]]


def test_cat_and_selection():
    points = Keypoints(torch.rand(2, 4, 3))
    assert Keypoints.cat([points, points]).tensor.shape == (4, 4, 3)
    assert len(points[torch.tensor([True, False])]) == 1
    assert repr(points) == "Keypoints(num_instances=2)"
    assert points.to("cpu").device.type == "cpu"
    with pytest.raises(AssertionError):
        Keypoints.cat([])
