"""Each loss with numbers worked out by hand; none is nan without or with one positive."""

import math

import pytest
import torch

from vis_projects.methods.stmask.losses import (
    centerness_loss,
    class_loss,
    diou_loss,
    positives_of,
    smooth_l1_loss,
    track_loss,
)
from vis_projects.methods.stmask.matching import BACKGROUND, NEUTRAL

LN2 = math.log(2)
FIRST = torch.tensor([0, 1])  # image 0 has one object, image 1 begins after it


def test_positives_of_two_images():
    matched = torch.tensor([[0, BACKGROUND, 0], [NEUTRAL, 1, BACKGROUND]])
    found = positives_of(matched, FIRST)
    assert found.image.tolist() == [0, 0, 1] and found.anchor.tolist() == [0, 2, 1]
    assert found.target.tolist() == [0, 0, 2] and found.weight.tolist() == [0.5, 0.5, 1.0]
    assert found.of(torch.arange(6).view(2, 3)).tolist() == [0, 2, 4]


def logits_of(probabilities):
    """Logits (N, A, 3) of which column 0 has these probabilities, two classes the rest evenly."""
    p = torch.tensor(probabilities)
    return torch.stack([p, (1 - p) / 2, (1 - p) / 2], dim=-1).log()


def test_class_loss_by_hand():
    # image 0: positive, then background of 1/2, 1/4, 3/4; image 1: only background of 1/8, 1/2, neutral, 7/8.
    # One positive: the three hardest are 1/8, 1/4 and 1/2 (the first of two)
    logits = logits_of([[0.5, 0.5, 0.25, 0.75], [0.125, 0.5, 0.5, 0.875]])
    matched = torch.tensor([[0, -1, -1, -1], [-1, -1, NEUTRAL, -1]])
    found = positives_of(matched, FIRST)
    for order in ("official", "aligned"):
        loss = class_loss(logits, matched, torch.tensor([1]), found, ratio=3, weight_order=order)
        # positive: ln 4 with weight 1; negatives: (3 + 2 + 1) ln 2 with weight 3 * 2 / 3 each; over 4 * 2
        assert loss.item() == pytest.approx((2 * LN2 + 2 * 6 * LN2) / 8)


def test_the_official_order_mixes_up_weights():
    # image 0: background 1/2, then a positive; image 1: two positives. w = 1, 1/2, 1/2; one negative is kept of 1
    logits = logits_of([[0.5, 0.5], [0.75, 0.75]])
    matched = torch.tensor([[-1, 0], [0, 0]])
    found = positives_of(matched, FIRST)
    labels = torch.tensor([0, 0, 0])
    aligned = class_loss(logits, matched, labels, found, ratio=3, weight_order="aligned")
    # anchors in order: ln 2 of the negative, weight 6; then ln 4 * 1, ln 8 / 2, ln 8 / 2; over 8
    assert aligned.item() == pytest.approx((6 + 2 + 1.5 + 1.5) * LN2 / 8)
    official = class_loss(logits, matched, labels, found, ratio=3, weight_order="official")
    # the same anchors with the weights 1, 1/2, 1/2, 6
    assert official.item() == pytest.approx((1 + 2 * 0.5 + 3 * 0.5 + 3 * 6) * LN2 / 8)


def test_box_and_center_losses_by_hand():
    found = positives_of(torch.tensor([[0, 0], [0, BACKGROUND]]), FIRST)  # weights 1/2, 1/2, 1
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]])
    truth = torch.tensor([[1.0, 1, 3, 3], [0, 0, 1, 1], [3, 0, 4, 1]])
    # 1 - DIoU: 1 - (1/7 - 1/9), 0, 1 + 9/17
    expected = (0.5 * (1 - 1 / 7 + 1 / 9) + 1 + 9 / 17) / 2
    assert diou_loss(boxes, truth, found, 2).item() == pytest.approx(expected)
    deltas = torch.tensor([[2.0, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]])
    # smooth L1: 2 - 1/2, 1/8, 0
    assert smooth_l1_loss(deltas, torch.zeros(3, 4), found, 2).item() == pytest.approx((0.75 + 1 / 16) / 2)
    centerness = torch.tensor([0.0, 0.5, -1.0])
    # differences 1, 1/2, 2 to ones: 1/2, 1/8, 3/2
    assert centerness_loss(centerness, torch.ones(3), found, 2).item() == pytest.approx((0.25 + 1 / 16 + 1.5) / 2)


def test_track_loss_by_hand():
    # cosines: 0 and 1: 0 -> s = 1/2; 0 and 2: 1 -> s = 1; 1 and 2: 0 -> 1/2
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    weights = torch.tensor([1.0, 0.5, 0.5])
    # 0 and 2 are one object, 1 another: losses ln 2, 0, ln 2 with weights 1/2, 1/2, 1/4
    loss = track_loss(embeddings, torch.tensor([4, 7, 4]), weights)
    assert loss.item() == pytest.approx(0.75 * LN2 / 1.25)
    # the wrong way round -log(1 - 1) is held at -log 1e-10
    wrong = track_loss(embeddings[[0, 2]], torch.tensor([1, 2]), torch.ones(2))
    assert wrong.item() == pytest.approx(10 * math.log(10), rel=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_pair_the_track_loss_is_zero_and_in_the_graph(count):
    embeddings = torch.ones(count, 3, requires_grad=True)
    loss = track_loss(embeddings, torch.zeros(count, dtype=torch.int64), torch.ones(count))
    loss.backward()
    assert loss.item() == 0 and torch.isfinite(embeddings.grad).all()


def test_without_positives_there_is_no_class_loss():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    matched = torch.full((2, 3), BACKGROUND)
    found = positives_of(matched, FIRST)
    none = torch.zeros(0, dtype=torch.int64)
    loss = class_loss(logits, matched, none, found, ratio=3, weight_order="official")
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()
    boxes = torch.zeros(0, 4)
    assert diou_loss(boxes, boxes, found, 2) == smooth_l1_loss(boxes, boxes, found, 2) == 0


def test_all_anchors_positive_leaves_no_negative():
    logits, matched = torch.zeros(1, 2, 3), torch.tensor([[0, 0]])
    found = positives_of(matched, torch.tensor([0]))
    loss = class_loss(logits, matched, torch.tensor([0, 1]), found, ratio=3, weight_order="official")
    assert loss.item() == pytest.approx(math.log(3) / 4)  # weights 1/2 each
