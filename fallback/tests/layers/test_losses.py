"""DIoU and CIoU losses of two boxes by hand."""

import math

import pytest
import torch

from detectron2.layers import ciou_loss, diou_loss

ONE = torch.tensor([[0.0, 0, 4, 4]])
TWO = torch.tensor([[1.0, 1, 5, 6]])
# Overlap 3 x 3; union 16 + 20 - 9 = 27; centres (2, 2) and (3, 3.5); the box around is 5 x 6.
DIOU = 1 - 9 / 27 + (1 + 2.25) / (25 + 36)
# Aspect ratios 4/4 and 4/5.
ASPECT = 4 / math.pi**2 * (math.atan(4 / 5) - math.atan(1)) ** 2


def test_no_boxes():
    none = torch.zeros(0, 4, requires_grad=True)
    for loss in (diou_loss, ciou_loss):
        assert loss(none, torch.zeros(0, 4), reduction="mean").item() == 0
        assert loss(none, torch.zeros(0, 4), reduction="sum").requires_grad


def test_values():
    assert diou_loss(ONE, TWO).tolist() == pytest.approx([DIOU])
    alpha = ASPECT / (1 - 9 / 27 + ASPECT)
    assert ciou_loss(ONE, TWO).tolist() == pytest.approx([DIOU + alpha * ASPECT])
    assert diou_loss(ONE, ONE).item() == ciou_loss(ONE, ONE).item() == pytest.approx(0, abs=1e-6)


def test_boxes_apart_are_pulled_together():
    far = torch.tensor([[8.0, 0, 12, 4]], requires_grad=True)
    # No overlap; the centres are 8 apart; the box around is 12 x 4.
    loss = diou_loss(far, ONE, reduction="sum")
    assert loss.item() == pytest.approx(1 + 64 / (144 + 16))
    loss.backward()
    assert far.grad[0, 0] > 0


def test_reductions():
    twice = torch.cat((ONE, ONE)), torch.cat((ONE, TWO))
    assert diou_loss(*twice, reduction="sum").item() == pytest.approx(DIOU)
    assert diou_loss(*twice, reduction="mean").item() == pytest.approx(DIOU / 2)


def test_inverted_box():
    for loss in (diou_loss, ciou_loss):
        with pytest.raises(AssertionError):
            loss(torch.tensor([[0.0, 0, -4, 4]]), ONE)
