"""Tests of `detectron2.modeling.anchor_generator`."""

import math

import pytest
import torch

from detectron2.config import get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import build_anchor_generator
from detectron2.modeling.anchor_generator import DefaultAnchorGenerator


def test_empty_maps_have_no_anchors():
    generator = DefaultAnchorGenerator(sizes=[[8]], aspect_ratios=[[1.0]], strides=[4], offset=0.0)
    (boxes,) = generator([torch.zeros(1, 2, 0, 3)])
    assert boxes.tensor.shape == (0, 4)


def test_cell_anchors_by_hand():
    # Area 8 * 8 = 64 and height / width = 4: width sqrt(64 / 4) = 4, height 16. Sizes vary slowest.
    generator = DefaultAnchorGenerator(sizes=[[8, 16]], aspect_ratios=[[1.0, 4.0]], strides=[4])
    assert torch.cat(list(generator.cell_anchors)).tolist() == [
        [-4.0, -4.0, 4.0, 4.0],
        [-2.0, -8.0, 2.0, 8.0],
        [-8.0, -8.0, 8.0, 8.0],
        [-4.0, -16.0, 4.0, 16.0],
    ]
    assert generator.num_anchors == generator.num_cell_anchors == [4] and generator.box_dim == 4


def test_grid_is_row_major_with_the_anchors_of_a_point_together():
    generator = DefaultAnchorGenerator(sizes=[[2, 4]], aspect_ratios=[[1.0]], strides=[10], offset=0.5)
    (boxes,) = generator([torch.zeros(1, 1, 2, 2)])
    centres = [(5, 5), (15, 5), (5, 15), (15, 15)]
    expected = [[x - h, y - h, x + h, y + h] for x, y in centres for h in (1, 2)]
    assert boxes.tensor.tolist() == expected


def test_without_offset_the_grid_starts_at_the_corner():
    generator = DefaultAnchorGenerator(sizes=[[2]], aspect_ratios=[[1.0]], strides=[8], offset=0.0)
    assert generator([torch.zeros(1, 1, 1, 2)])[0].tensor.tolist() == [[-1, -1, 1, 1], [7, -1, 9, 1]]


def test_one_list_serves_all_maps():
    flat = DefaultAnchorGenerator(sizes=[8, 16], aspect_ratios=[0.5, 1.0, 2.0], strides=[4, 8])
    nested = DefaultAnchorGenerator(sizes=[[8], [16]], aspect_ratios=[[1.0]], strides=[4, 8])
    assert flat.num_anchors == [6, 6] and nested.num_anchors == [1, 1]
    assert [len(boxes) for boxes in flat([torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 1, 1)])] == [36, 6]


def test_anchors_are_no_part_of_the_state():
    generator = DefaultAnchorGenerator(sizes=[[8]], aspect_ratios=[[1.0]], strides=[4])
    assert list(generator.state_dict()) == []
    assert [name for name, _ in generator.named_buffers()] == ["cell_anchors.0"]


@pytest.mark.parametrize("change", [{"offset": 1.0}, {"offset": -0.1}, {"sizes": []}, {"sizes": [[8], [8], [8]]}])
def test_bad_arguments_are_refused(change):
    arguments = {"sizes": [[8]], "aspect_ratios": [[1.0]], "strides": [4, 8], **change}
    with pytest.raises(AssertionError):
        DefaultAnchorGenerator(**arguments)


def test_built_from_a_config():
    cfg = get_cfg()
    generator = build_anchor_generator(cfg, [ShapeSpec(stride=16)])
    assert generator.strides == [16] and generator.offset == 0.0 and generator.num_anchors == [15]
    widest = generator.generate_cell_anchors()[-3]
    assert widest[2].item() == pytest.approx(512 / math.sqrt(0.5) / 2)
