"""What the benchmark of propagated masks counts, by hand, with a network that moves masks in a known way."""

import pytest
import torch
from detectron2.structures import BitMasks, Boxes, Instances

from benchmarks.mask_propagation import CHAINED, PROPAGATED, UNMOVED, at_size, overlaps, switches
from tests.methods.osmn.mover import Mover, detections, moved, tracker
from vis_projects.tracking import IoUTrackerPlus

START = (4, 4, 14, 14)


def video(step, *frames_of):
    """One object, 10 x 10 px, that moves by `step` px a frame and is there where `frames_of` is 1."""
    made = []
    for t, there in enumerate(frames_of):
        found = detections(*([(moved(START, step * t), 1.0, 0)] * there))
        truth = Instances(found.image_size, gt_boxes=found.pred_boxes, gt_classes=found.pred_classes)
        truth.gt_masks, truth.gt_ids = BitMasks(found.pred_masks), torch.full((there,), 7)
        made.append((torch.zeros(3, *found.image_size, dtype=torch.uint8), truth))
    return made


def by_kind(net, made):
    found = {UNMOVED: [], PROPAGATED: [], CHAINED: []}
    for kind, iou in overlaps(net, made):
        found[kind].append(iou)
    return found


def test_no_frame_and_no_object():
    assert list(overlaps(Mover(), [])) == [] and list(overlaps(Mover(), video(1, 0, 0))) == []
    assert switches(IoUTrackerPlus(), video(1, 0, 0)) == 0


def test_a_network_that_knows_the_motion():
    found = by_kind(Mover(velocity=(5, 0)), video(5, 1, 1, 1))
    # 5 of 10 px further: 50 shared of 150
    assert found[UNMOVED] == pytest.approx([1 / 3, 1 / 3])
    assert found[PROPAGATED] == [1, 1] and found[CHAINED] == [1, 1]


def test_an_object_that_is_away_for_a_frame():
    found = by_kind(Mover(), video(5, 1, 0, 1))
    # it has moved by its whole width, and no frame before shows it
    assert found == {UNMOVED: [], PROPAGATED: [], CHAINED: [0]}


def test_switches():
    made = video(12, 1, 1, 1)  # boxes that do not touch
    assert switches(IoUTrackerPlus(), made) == 2
    assert switches(tracker(Mover(velocity=(12, 0))), made) == 0


def test_masks_at_another_size():
    masks = torch.zeros(1, 4, 4, dtype=torch.bool)
    masks[0, :2, :2] = True
    assert at_size(masks, (2, 2)).tolist() == [[[True, False], [False, False]]]
    assert at_size(masks[:0], (2, 2)).shape == (0, 2, 2)


def test_boxes_are_those_of_the_masks():
    (_, truth), *_ = video(0, 1)
    assert isinstance(truth.gt_boxes, Boxes) and truth.gt_boxes.tensor[0].tolist() == list(START)
