"""Objects as fractions of the padded image."""

import torch
from detectron2.structures import BitMasks, Boxes, Instances

from vis_projects.methods.stmask.targets import frame_targets, stack_targets


def frame(boxes, size=(4, 6)):
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    count = len(boxes)
    return Instances(
        size, gt_boxes=Boxes(boxes), gt_classes=torch.arange(count), gt_ids=torch.arange(10, 10 + count),
        gt_masks=BitMasks(torch.ones(count, *size, dtype=torch.bool)),
    )


def test_boxes_and_masks_of_the_padded_image():
    targets = frame_targets(frame([[1, 2, 3, 4]]), (8, 10))
    assert torch.allclose(targets.boxes, torch.tensor([[0.1, 0.25, 0.3, 0.5]]))
    assert targets.masks.shape == (1, 8, 10) and targets.masks.dtype == torch.bool
    assert targets.masks[0, :4, :6].all() and targets.masks.sum() == 24


def test_objects_without_area_are_left_out():
    targets = frame_targets(frame([[1, 1, 1, 3], [0, 0, 2, 2], [2, 3, 4, 3]]), (4, 6))
    assert targets.ids.tolist() == [11] and targets.classes.tolist() == [1] and len(targets.masks) == 1
    assert len(frame_targets(frame([]), (4, 6))) == 0


def test_stacking_keeps_where_each_frame_begins():
    frames = [frame_targets(frame(boxes), (4, 6)) for boxes in ([[0, 0, 2, 2], [1, 1, 3, 3]], [], [[0, 0, 1, 1]])]
    joined, first = stack_targets(frames)
    assert joined.ids.tolist() == [10, 11, 10] and first.tolist() == [0, 2, 2]
