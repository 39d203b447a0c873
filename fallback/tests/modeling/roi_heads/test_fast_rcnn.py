"""Tests of `detectron2.modeling.roi_heads.fast_rcnn`."""

import math

import pytest
import torch

from detectron2.layers import ShapeSpec
from detectron2.modeling import FastRCNNOutputLayers
from detectron2.modeling.box_regression import Box2BoxTransform
from detectron2.modeling.roi_heads.fast_rcnn import fast_rcnn_inference
from detectron2.structures import Boxes, Instances

BOXES = [[0.0, 0, 10, 10], [10.0, 0, 20, 10], [0.0, 10, 10, 20]]


def make(**change):
    arguments = {"box2box_transform": Box2BoxTransform((1.0, 1.0, 1.0, 1.0)), "num_classes": 2}
    return FastRCNNOutputLayers(4, **{**arguments, **change})


def proposals(classes, truth=None):
    found = Instances((40, 40), proposal_boxes=Boxes(torch.tensor(BOXES[: len(classes)]).reshape(-1, 4)))
    found.gt_classes = torch.tensor(classes, dtype=torch.int64)
    if truth is not None:
        found.gt_boxes = Boxes(torch.tensor(truth))
    return found


def test_no_proposals(storage):
    layers = make()
    scores, deltas = layers(torch.zeros(0, 4))
    assert scores.shape == (0, 3) and deltas.shape == (0, 8)
    losses = layers.losses((scores, deltas), [proposals([])])
    assert {k: v.item() for k, v in losses.items()} == {"loss_cls": 0.0, "loss_box_reg": 0.0}
    assert all(loss.requires_grad for loss in losses.values()) and storage.latest() == {}
    found, rows = layers.inference((scores, deltas), [proposals([])])
    assert len(found[0]) == 0 and rows[0].numel() == 0
    assert layers.predict_boxes((scores, deltas), []) == []


def test_shapes_and_names():
    layers = FastRCNNOutputLayers(ShapeSpec(channels=2, height=3, width=1), num_classes=5, cls_agnostic_bbox_reg=True,
                                  box2box_transform=Box2BoxTransform((1.0, 1.0, 1.0, 1.0)))
    assert {k: tuple(v.shape) for k, v in layers.state_dict().items()} == {
        "cls_score.weight": (6, 6), "cls_score.bias": (6,), "bbox_pred.weight": (4, 6), "bbox_pred.bias": (4,)}
    assert layers(torch.zeros(7, 2, 3, 1))[0].shape == (7, 6)


def test_losses_by_hand(storage):
    # Class 1 with its box one width to the right, background, class 0 with a perfect box.
    instances = proposals([1, 2, 0], [[10.0, 0, 20, 10], BOXES[1], BOXES[2]])
    scores = torch.tensor([[0.0, 0, 0], [0.0, 0, 0], [0.0, 0, 0]])
    losses = make(loss_weight={"loss_box_reg": 2.0}).losses((scores, torch.zeros(3, 8)), [instances])
    assert losses["loss_cls"].item() == pytest.approx(math.log(3))
    # One delta of 10 / 10 over three proposals, weighted by 2.
    assert losses["loss_box_reg"].item() == pytest.approx(2.0 * 1 / 3)


def test_class_specific_deltas_are_chosen_by_class(storage):
    instances = proposals([1], [[10.0, 0, 20, 10]])
    deltas = torch.tensor([[9.0, 9, 9, 9, 1, 0, 0, 0]])
    assert make().losses((torch.zeros(1, 3), deltas), [instances])["loss_box_reg"].item() == 0.0


def test_logged_accuracies(storage):
    scores = torch.tensor([[0.0, 5, 0], [0.0, 0, 5], [0.0, 0, 5]])
    make().losses((scores, torch.zeros(3, 8)), [proposals([1, 2, 0], BOXES)])
    logged = {name: value for name, (value, _) in storage.latest().items()}
    # Right: 1 and background, 2 of 3. Foreground: one of two right, the other called background.
    assert logged == {"fast_rcnn/cls_accuracy": 2 / 3, "fast_rcnn/fg_cls_accuracy": 1 / 2,
                      "fast_rcnn/false_negative": 1 / 2}


def test_images_without_truth_count_as_background(storage):
    losses = make().losses((torch.zeros(4, 3), torch.ones(4, 8)), [proposals([2, 2]), proposals([2, 2], BOXES[:2])])
    assert losses["loss_box_reg"].item() == 0.0 and losses["loss_cls"].item() == pytest.approx(math.log(3))


def test_sigmoid_loss_by_hand(storage):
    losses = make(use_sigmoid_ce=True).losses((torch.zeros(2, 3), torch.zeros(2, 8)), [proposals([0, 2], BOXES[:2])])
    # Two classes for each of two proposals at probability 1/2: 4 log 2 over 2 proposals.
    assert losses["loss_cls"].item() == pytest.approx(2 * math.log(2))


def test_federated_classes_include_those_present():
    layers = make(use_sigmoid_ce=True, use_fed_loss=True, num_classes=4, fed_loss_num_classes=3,
                  get_fed_loss_cls_weights=lambda: torch.tensor([0.0, 1.0, 0.0, 1.0]))
    drawn = layers.get_fed_loss_classes(torch.tensor([0, 4, 0]), 3, 4, layers.fed_loss_cls_weights)
    assert len(drawn) == 3 and {0, 4} < set(drawn.tolist()) and set(drawn.tolist()) <= {0, 4, 1, 3}
    with pytest.raises(AssertionError):
        make(use_fed_loss=True, get_fed_loss_cls_weights=lambda: torch.ones(2))


def test_inference_thresholds_are_strict_and_nms_is_per_class():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0.0, 0, 10, 9], [-5.0, 30, 60, 70]])
    scores = torch.tensor([[0.5, 0.25, 0.25], [0.6, 0.3, 0.1], [0.25, 0.0, 0.75]])
    found, rows = fast_rcnn_inference([boxes], [scores], [(40, 40)], 0.25, 0.5, 10)
    # Class 0: 0.6 suppresses 0.5 (IoU 9/10), 0.25 is not above the threshold. Class 1: 0.3.
    assert found[0].scores.tolist() == pytest.approx([0.6, 0.3])
    assert found[0].pred_classes.tolist() == [0, 1] and rows[0].tolist() == [1, 1]


def test_class_specific_boxes_clipping_and_top_k():
    boxes = torch.tensor([[0.0, 0, 5, 5, -5, 30, 60, 70]])
    found, _ = fast_rcnn_inference([boxes], [torch.tensor([[0.2, 0.7, 0.1]])], [(40, 50)], 0.0, 0.5, 1)
    assert found[0].pred_boxes.tensor.tolist() == [[0.0, 30, 50, 40]] and found[0].pred_classes.tolist() == [1]


def test_rows_with_bad_numbers_are_dropped():
    boxes = torch.tensor(BOXES)
    boxes[0, 0] = float("nan")
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [float("inf"), 0.0]])
    found, _ = fast_rcnn_inference([boxes], [scores], [(40, 40)], 0.0, 0.5, 10)
    assert found[0].pred_boxes.tensor.tolist() == [BOXES[1]]


def test_boxes_of_the_true_classes():
    layers, instances = make(), proposals([1, 2])
    deltas = torch.tensor([[0.0] * 4 + [1.0, 0, 0, 0], [0.0] * 4 + [0.0, 1, 0, 0]])
    (boxes,) = layers.predict_boxes_for_gt_classes((torch.zeros(2, 3), deltas), [instances])
    # Background takes the last class: class 1 moves by one width, or by one height.
    assert boxes.tolist() == [[10.0, 0, 20, 10], [10.0, 10, 20, 20]]


def test_proposals_must_not_require_gradients(storage):
    instances = proposals([0], BOXES[:1])
    instances.proposal_boxes.tensor.requires_grad_()
    with pytest.raises(AssertionError):
        make().losses((torch.zeros(1, 3), torch.zeros(1, 8)), [instances])
