"""Tests of `detectron2.modeling.poolers`."""

import pytest
import torch

from detectron2.layers import ROIAlign
from detectron2.modeling.poolers import ROIPooler, assign_boxes_to_levels, convert_boxes_to_pooler_format
from detectron2.structures import Boxes


def squares(*sides):
    return Boxes(torch.tensor([[0.0, 0.0, float(s), float(s)] for s in sides]).reshape(-1, 4))


def test_no_boxes_give_no_rows():
    pooler = ROIPooler(3, [1 / 4, 1 / 8], 0, "ROIAlignV2")
    maps = [torch.zeros(2, 5, 8, 8), torch.zeros(2, 5, 4, 4)]
    assert pooler(maps, [squares(), squares()]).shape == (0, 5, 3, 3)
    empty_batch = [torch.zeros(0, 5, 8, 8), torch.zeros(0, 5, 4, 4)]
    assert pooler(empty_batch, []).shape == (0, 5, 3, 3)


def test_levels_follow_the_size():
    # 4 + floor(log2(side / 224)): 223 -> 3, 224 -> 4, 448 -> 5, 10000 -> 9, clamped to 5; a point -> 2.
    levels = assign_boxes_to_levels([squares(0, 223), squares(224, 448, 10000)], 2, 5, 224, 4)
    assert levels.tolist() == [0, 1, 2, 3, 3] and levels.dtype == torch.int64


def test_pooler_rows_start_with_the_image():
    rows = convert_boxes_to_pooler_format([squares(2), squares(), squares(3, 4)])
    assert rows.tolist() == [[0, 0, 0, 2, 2], [2, 0, 0, 3, 3], [2, 0, 0, 4, 4]]
    assert convert_boxes_to_pooler_format([squares()]).shape == (0, 5)


@pytest.mark.parametrize("kind, aligned", [("ROIAlign", False), ("ROIAlignV2", True)])
def test_every_box_is_pooled_from_its_level(kind, aligned):
    torch.manual_seed(0)
    maps = [torch.rand(2, 3, 16, 16), torch.rand(2, 3, 8, 8)]
    boxes = [squares(20, 60), squares(50)]
    pooled = ROIPooler(2, [1 / 4, 1 / 8], 2, kind, canonical_box_size=40, canonical_level=3)(maps, boxes)
    expected = []
    for level, image, side in ((0, 0, 20), (1, 0, 60), (1, 1, 50)):
        align = ROIAlign((2, 2), 1 / (4, 8)[level], 2, aligned)
        expected.append(align(maps[level], torch.tensor([[float(image), 0, 0, side, side]])))
    assert torch.equal(pooled, torch.cat(expected))


def test_max_pooling_of_bins():
    grid = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled = ROIPooler(2, [1.0], 0, "ROIPool")([grid], [Boxes(torch.tensor([[0.0, 0.0, 3.0, 3.0]]))])
    assert pooled[0, 0].tolist() == [[5.0, 7.0], [13.0, 15.0]]


@pytest.mark.parametrize("scales", [[1 / 4, 1 / 16], [0.3], [1 / 8, 1 / 4], [2.0]])
def test_scales_must_form_a_pyramid(scales):
    with pytest.raises(AssertionError):
        ROIPooler(7, scales, 0, "ROIAlignV2")


def test_other_bad_arguments_are_refused():
    with pytest.raises(ValueError):
        ROIPooler(7, [1 / 4], 0, "Average")
    pooler = ROIPooler(7, [1 / 4], 0, "ROIAlignV2")
    with pytest.raises(AssertionError):
        pooler([torch.zeros(2, 1, 4, 4)], [squares(3)])
    with pytest.raises(AssertionError):
        pooler((torch.zeros(1, 1, 4, 4),), [squares(3)])


def test_levels_without_boxes_get_zero_gradients():
    maps = [torch.rand(1, 1, 8, 8, requires_grad=True), torch.rand(1, 1, 4, 4, requires_grad=True)]
    ROIPooler(2, [1 / 4, 1 / 8], 0, "ROIAlignV2")(maps, [squares(20)]).sum().backward()
    assert maps[0].grad.abs().sum() > 0
    assert torch.equal(maps[1].grad, torch.zeros(1, 1, 4, 4))
