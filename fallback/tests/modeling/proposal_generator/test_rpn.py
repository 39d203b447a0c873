"""Tests of `detectron2.modeling.proposal_generator.rpn`."""

import math

import pytest
import torch
from torch import nn

from detectron2.modeling.anchor_generator import DefaultAnchorGenerator
from detectron2.modeling.box_regression import Box2BoxTransform
from detectron2.modeling.matcher import Matcher
from detectron2.modeling.proposal_generator import RPN, StandardRPNHead
from detectron2.structures import Boxes, ImageList, Instances


def make_rpn(**change):
    arguments = {
        "in_features": ["p3"],
        "head": StandardRPNHead(in_channels=2, num_anchors=1),
        "anchor_generator": DefaultAnchorGenerator(sizes=[[8]], aspect_ratios=[[1.0]], strides=[8], offset=0.5),
        "anchor_matcher": Matcher([0.3, 0.7], [0, -1, 1], allow_low_quality_matches=True),
        "box2box_transform": Box2BoxTransform((1.0, 1.0, 1.0, 1.0)),
        "batch_size_per_image": 4,
        "positive_fraction": 0.5,
        "pre_nms_topk": (12, 10),
        "post_nms_topk": (6, 5),
    }
    return RPN(**{**arguments, **change})


def truth(*boxes):
    return Instances((16, 24), gt_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)))


# The anchors of a 2 x 3 grid are the 8 x 8 cells of a 16 x 24 image.
IMAGES = ImageList(torch.zeros(1, 3, 16, 24), [(16, 24)])
FEATURES = {"p3": torch.zeros(1, 2, 2, 3)}


def test_head_shapes_and_draws():
    torch.manual_seed(0)
    head = StandardRPNHead(in_channels=4, num_anchors=3, conv_dims=[6, -1])
    torch.manual_seed(0)
    plain = [nn.Conv2d(4, 6, 3), nn.Conv2d(6, 6, 3), nn.Conv2d(6, 3, 1), nn.Conv2d(6, 12, 1)]
    for layer in plain:
        nn.init.normal_(layer.weight, std=0.01)
    assert torch.equal(head.conv.conv1.weight, plain[1].weight)
    assert torch.equal(head.anchor_deltas.weight, plain[3].weight) and not head.anchor_deltas.bias.any()
    logits, deltas = head([torch.zeros(2, 4, 5, 7), torch.zeros(2, 4, 1, 1)])
    assert logits[0].shape == (2, 3, 5, 7) and deltas[1].shape == (2, 12, 1, 1)
    with pytest.raises(ValueError):
        StandardRPNHead(in_channels=4, num_anchors=3, conv_dims=[4, -2])


def test_images_without_truth_have_negatives_only():
    labels, boxes = make_rpn().label_and_sample_anchors([Boxes(torch.zeros(6, 4))], [truth()])
    assert sorted(labels[0].tolist()) == [-1, -1, 0, 0, 0, 0]
    assert torch.equal(boxes[0], torch.zeros(6, 4))


def test_labels_by_hand():
    rpn = make_rpn(batch_size_per_image=6, positive_fraction=1.0)
    anchors = rpn.anchor_generator([FEATURES["p3"]])
    # IoU with the first cell 64 / 64, with its right neighbour 0; the second truth covers half of the last cell.
    labels, boxes = rpn.label_and_sample_anchors(anchors, [truth([0.0, 0, 8, 8], [16.0, 8, 24, 12])])
    assert labels[0].tolist() == [1, 0, 0, 0, 0, 1]
    assert boxes[0][5].tolist() == [16, 8, 24, 12]


def test_anchors_outside_can_be_ignored():
    generator = DefaultAnchorGenerator(sizes=[[10]], aspect_ratios=[[1.0]], strides=[8], offset=0.5)
    rpn = make_rpn(anchor_generator=generator, anchor_boundary_thresh=0, batch_size_per_image=10)
    labels, _ = rpn.label_and_sample_anchors(generator([torch.zeros(1, 1, 3, 3)]), [
        Instances((24, 24), gt_boxes=Boxes(torch.zeros(0, 4)))])
    # 10 x 10 anchors on a 3 x 3 grid of 8 x 8 cells: only the middle one stays inside.
    assert labels[0].tolist() == [-1, -1, -1, -1, 0, -1, -1, -1, -1]


def test_losses_by_hand(storage):
    rpn = make_rpn(loss_weight={"loss_rpn_cls": 1.0, "loss_rpn_loc": 2.0})
    anchors = [Boxes(torch.tensor([[0.0, 0, 8, 8], [8.0, 0, 16, 8], [0.0, 8, 8, 16]]))]
    labels = [torch.tensor([1, 0, -1], dtype=torch.int8)]
    losses = rpn.losses(anchors, [torch.zeros(1, 3)], labels, [torch.zeros(1, 3, 4)],
                        [torch.tensor([[4.0, 0, 12, 8], [0.0, 0, 1, 1], [0.0, 0, 1, 1]])])
    # Two counted anchors at probability 1/2, each log 2, over 4 per image; the centre moves by 4/8.
    assert losses["loss_rpn_cls"].item() == pytest.approx(2 * math.log(2) / 4)
    assert losses["loss_rpn_loc"].item() == pytest.approx(2.0 * 0.5 / 4)
    logged = {name: value for name, (value, _) in storage.latest().items()}
    assert logged == {"rpn/num_pos_anchors": 1.0, "rpn/num_neg_anchors": 1.0}


def test_forward_in_both_modes(storage):
    rpn = make_rpn()
    with pytest.raises(AssertionError):
        rpn(IMAGES, FEATURES)
    proposals, losses = rpn(IMAGES, FEATURES, [truth([0.0, 0, 8, 8])])
    assert sorted(losses) == ["loss_rpn_cls", "loss_rpn_loc"] and all(v.requires_grad for v in losses.values())
    assert not proposals[0].proposal_boxes.tensor.requires_grad and not proposals[0].objectness_logits.requires_grad
    assert len(proposals[0]) == 6
    found, losses = rpn.eval()(IMAGES, FEATURES)
    # Without deltas the proposals are the anchors, five of which remain.
    assert losses == {} and len(found[0]) == 5
    assert found[0].proposal_boxes.tensor.remainder(8).eq(0).all()


def test_predictions_follow_the_order_of_the_anchors():
    class Ramp(nn.Module):
        def forward(self, maps):
            return [torch.arange(6.0).reshape(1, 1, 2, 3)], [torch.zeros(1, 4, 2, 3)]

    found, _ = make_rpn(head=Ramp()).eval()(IMAGES, FEATURES)
    assert found[0].objectness_logits.tolist() == [5, 4, 3, 2, 1]
    assert found[0].proposal_boxes.tensor[0].tolist() == [16, 8, 24, 16]


@pytest.mark.parametrize("kind", ["giou", "diou", "ciou"])
def test_overlap_losses_vanish_for_perfect_boxes(kind, storage):
    rpn = make_rpn(box_reg_loss_type=kind)
    anchors = [Boxes(torch.tensor([[0.0, 0, 8, 8]]))]
    losses = rpn.losses(anchors, [torch.zeros(1, 1)], [torch.ones(1, dtype=torch.int8)],
                        [torch.zeros(1, 1, 4)], [torch.tensor([[0.0, 0, 8, 8]])])
    assert losses["loss_rpn_loc"].item() == pytest.approx(0.0, abs=1e-6)


def test_unknown_losses_are_refused(storage):
    with pytest.raises(ValueError):
        make_rpn(box_reg_loss_type="l7").losses(
            [Boxes(torch.ones(1, 4))], [torch.zeros(1, 1)], [torch.ones(1, dtype=torch.int8)],
            [torch.zeros(1, 1, 4)], [torch.ones(1, 4)])
