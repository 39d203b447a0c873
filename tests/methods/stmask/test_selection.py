"""From anchors to detections: thresholds, three kinds of NMS, centerness in the score."""

import pytest
import torch

from vis_projects.methods.stmask.selection import DetectionSelector

# IoU of the first two is 2/3, the third stands apart, the fourth is too unlikely
BOXES = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.2, 0.0, 1.2, 1.0], [5.0, 5.0, 6.0, 6.0], [9.0, 9.0, 10.0, 10.0]])
PROBABILITIES = torch.tensor([[0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.4, 0.0, 0.6], [0.96, 0.04, 0.0]])


def rounded(found):
    anchors, scores, classes = found
    return [(a, round(s, 4), c) for a, s, c in zip(anchors.tolist(), scores.tolist(), classes.tolist())]


def test_across_classes_the_better_class_wins():
    found = DetectionSelector()(BOXES, PROBABILITIES, None)
    assert rounded(found) == [(0, 0.8, 0), (2, 0.6, 1)]


def test_centerness_changes_scores_and_order_but_not_classes():
    found = DetectionSelector()(BOXES, PROBABILITIES, torch.tensor([0.5, 0.9, -0.5, 1.0]))
    # 0.4, 0.63, -0.3: the second drops the first; a score below 0 becomes 0
    assert rounded(found) == [(1, 0.63, 1), (2, 0.0, 1)]


@pytest.mark.parametrize("kind", ["per_class_fast", "standard"])
def test_per_class_both_overlapping_boxes_stay(kind):
    found = DetectionSelector(kind=kind)(BOXES, PROBABILITIES, None)
    # class 0: box 0 drops box 1; class 1: box 1 drops box 0
    assert rounded(found) == [(0, 0.8, 0), (1, 0.7, 1), (2, 0.6, 1)]
    found = DetectionSelector(kind=kind, max_dets=2)(BOXES, PROBABILITIES, None)
    assert rounded(found) == [(0, 0.8, 0), (1, 0.7, 1)]
    # per class there is a second threshold, on the score: 0.1 of 0.8 passes, 0.05 of 0.7 not
    found = DetectionSelector(kind=kind)(BOXES, PROBABILITIES, torch.tensor([0.1, 0.05, 0.05, 1.0]))
    assert rounded(found) == [(0, 0.08, 0)]


def test_limits():
    assert rounded(DetectionSelector(max_dets_cross_class=1)(BOXES, PROBABILITIES, None)) == [(0, 0.8, 0)]
    assert rounded(DetectionSelector(topk=1)(BOXES, PROBABILITIES, None)) == [(0, 0.8, 0)]
    assert rounded(DetectionSelector(max_dets_cross_class=0)(BOXES, PROBABILITIES, None)) == []


@pytest.mark.parametrize("kind", ["cross_class_fast", "per_class_fast", "standard"])
def test_no_candidate(kind):
    found = DetectionSelector(kind=kind, score_threshold=0.9)(BOXES, PROBABILITIES, torch.ones(4))
    assert [tuple(x.shape) for x in found] == [(0,), (0,), (0,)]
    assert found[0].dtype == found[2].dtype == torch.int64


def test_wrong_settings_name_the_key():
    with pytest.raises(ValueError, match=r"MODEL\.STMASK\.TEST\.NMS is 'soft'"):
        DetectionSelector(kind="soft")
    with pytest.raises(ValueError, match=r"MODEL\.STMASK\.TEST\.TOPK is 0"):
        DetectionSelector(topk=0)
