"""Tests of `detectron2.modeling.postprocessing`."""

import pytest
import torch

from detectron2.modeling.postprocessing import detector_postprocess, sem_seg_postprocess
from detectron2.structures import Boxes, Instances, ROIMasks


def detections(boxes, **fields):
    return Instances((20, 30), pred_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)), **fields)


def test_no_detections():
    out = detector_postprocess(detections([], scores=torch.zeros(0), pred_masks=torch.zeros(0, 1, 28, 28)), 40, 60)
    assert len(out) == 0 and out.image_size == (40, 60)
    assert out.pred_masks.shape == (0, 40, 60)


def test_boxes_are_scaled_clipped_and_dropped_where_empty():
    # Height 20 -> 40 and width 30 -> 90: y times 2, x times 3.
    boxes = [[1.0, 2.0, 10.0, 12.0], [5.0, 5.0, 5.0, 9.0], [-3.0, -3.0, 40.0, 50.0], [31.0, 0.0, 35.0, 5.0]]
    out = detector_postprocess(detections(boxes, scores=torch.arange(4.0)), 40, 90)
    assert out.pred_boxes.tensor.tolist() == [[3.0, 4.0, 30.0, 24.0], [0.0, 0.0, 90.0, 40.0]]
    assert out.scores.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: ROIMasks(m[:, 0])])
def test_masks_are_pasted_into_their_boxes(wrap):
    results = detections([[0.0, 0.0, 15.0, 10.0]], pred_masks=wrap(torch.ones(1, 1, 4, 4)))
    masks = detector_postprocess(results, 20, 30).pred_masks
    assert masks.dtype == torch.bool and masks.shape == (1, 20, 30)
    # The probability stays 1 inside and falls off within half a mask cell of the border.
    assert masks[0, 1:9, 2:13].all() and not masks[0, 12:].any() and not masks[0, :, 18:].any()


def test_proposals_and_keypoints():
    proposals = Instances((20, 30), proposal_boxes=Boxes(torch.tensor([[0.0, 0.0, 15.0, 10.0]])))
    assert detector_postprocess(proposals, 40, 60).proposal_boxes.tensor.tolist() == [[0.0, 0.0, 30.0, 20.0]]
    people = detections([[0.0, 0.0, 15.0, 10.0]], pred_keypoints=torch.ones(1, 2, 3))
    assert detector_postprocess(people, 40, 90).pred_keypoints.tolist() == [[[3.0, 2.0, 1.0]] * 2]


def test_boxes_are_needed():
    with pytest.raises(AssertionError):
        detector_postprocess(Instances((20, 30), scores=torch.ones(1)), 40, 60)


def test_score_maps_lose_their_padding():
    scores = torch.zeros(2, 8, 8)
    scores[:, :4, :6] = 1
    out = sem_seg_postprocess(scores, (4, 6), 8, 12)
    assert torch.equal(out, torch.ones(2, 8, 12))
