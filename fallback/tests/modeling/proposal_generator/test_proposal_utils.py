"""Tests of `detectron2.modeling.proposal_generator.proposal_utils`."""

import math

import pytest
import torch

from detectron2.modeling.proposal_generator.proposal_utils import (
    add_ground_truth_to_proposals,
    find_top_rpn_proposals,
)
from detectron2.structures import Boxes, Instances

# Two levels of one image: A and B overlap with IoU 9/11 > 0.7, C is apart, D leaves the image.
A, B, C, D = [0.0, 0, 10, 10], [0.0, 0, 10, 9], [20.0, 20, 30, 30], [35.0, 35, 60, 60]
LEVELS = [torch.tensor([[A, B, C]]), torch.tensor([[B, D]])]
LOGITS = [torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([[2.5, 0.5]])]


def top(levels=LEVELS, logits=LOGITS, pre=10, post=10, min_size=0.0, training=False):
    return find_top_rpn_proposals(levels, logits, [(40, 50)], 0.7, pre, post, min_size, training)[0]


def test_no_predictions():
    found = top([torch.zeros(1, 0, 4)], [torch.zeros(1, 0)])
    assert len(found) == 0 and found.image_size == (40, 50)
    assert set(found.get_fields()) == {"proposal_boxes", "objectness_logits"}


def test_nms_stays_within_a_level_and_boxes_are_clipped():
    found = top()
    assert found.objectness_logits.tolist() == [3.0, 2.5, 1.0, 0.5]
    assert found.proposal_boxes.tensor.tolist() == [A, B, C, [35.0, 35, 50, 40]]


def test_limits_before_and_after_nms():
    assert top(pre=1).objectness_logits.tolist() == [3.0, 2.5]
    assert top(post=3).objectness_logits.tolist() == [3.0, 2.5, 1.0]


def test_small_boxes_go_after_clipping():
    # The clipped D is 15 x 5; both sides must be larger than the limit.
    assert top(min_size=5.0).objectness_logits.tolist() == [3.0, 2.5, 1.0]
    assert top(min_size=4.9).objectness_logits.tolist() == [3.0, 2.5, 1.0, 0.5]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_numbers_stop_training_and_are_dropped_in_testing(bad):
    levels = [LEVELS[0].clone(), LEVELS[1]]
    levels[0][0, 0, 2] = bad
    assert top(levels).objectness_logits.tolist() == [2.5, 2.0, 1.0, 0.5]
    with pytest.raises(FloatingPointError):
        top(levels, training=True)


def proposals(count):
    return Instances((9, 9), proposal_boxes=Boxes(torch.ones(count, 4)), objectness_logits=torch.zeros(count))


def test_ground_truth_is_appended():
    truth = Instances((9, 9), gt_boxes=Boxes(torch.tensor([[0.0, 0, 2, 2]])), gt_classes=torch.tensor([4]))
    first, second = add_ground_truth_to_proposals([truth, truth[[]]], [proposals(2), proposals(0)])
    assert first.proposal_boxes.tensor[-1].tolist() == [0, 0, 2, 2] and len(first) == 3 and len(second) == 0
    # log(p / (1 - p)) with p = 1 - 1e-10.
    assert first.objectness_logits[-1].item() == pytest.approx(math.log(1e10), rel=1e-5)
    assert set(first.get_fields()) == {"proposal_boxes", "objectness_logits"}


def test_ground_truth_may_be_boxes():
    (found,) = add_ground_truth_to_proposals([Boxes(torch.zeros(2, 4))], [proposals(1)])
    assert len(found) == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(AssertionError):
        add_ground_truth_to_proposals(None, [proposals(1)])
    with pytest.raises(ValueError):
        add_ground_truth_to_proposals([Boxes(torch.zeros(1, 4))], [])
    extra = proposals(1)
    extra.level = torch.zeros(1)
    with pytest.raises(AssertionError):
        add_ground_truth_to_proposals([Boxes(torch.zeros(1, 4))], [extra])
