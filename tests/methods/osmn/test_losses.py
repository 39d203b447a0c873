"""The balanced loss by hand."""

import math

import pytest
import torch

from vis_projects.methods.osmn.losses import balanced_mask_loss


def test_no_object_and_no_valid_pixel_cost_nothing():
    none = torch.zeros(0, 2, 2)
    assert float(balanced_mask_loss(none, none.bool(), none.bool())) == 0
    one = torch.ones(1, 2, 2)
    assert float(balanced_mask_loss(one, one.bool(), torch.zeros(1, 2, 2, dtype=torch.bool))) == 0


def test_object_and_background_count_one_half_each():
    # one pixel of the object at p = 1/4, three of background at p = 1/2: (log 4 + log 2) / 2
    logits = torch.tensor([[[math.log(1 / 3), 0.0], [0.0, 0.0]]])
    targets = torch.tensor([[[True, False], [False, False]]])
    loss = balanced_mask_loss(logits, targets, torch.ones_like(targets))
    assert float(loss) == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_padding_does_not_count_and_objects_count_alike():
    logits = torch.zeros(2, 1, 3)
    logits[:, :, 2] = 50.0
    targets = torch.tensor([[[True, False, False]], [[True, False, False]]])
    valid = torch.tensor([[[True, True, False]], [[True, True, True]]])
    # first object: log 2; second: (log 2 + (log 2 + 50) / 2) / 2
    first, second = math.log(2), (math.log(2) + (math.log(2) + 50) / 2) / 2
    assert float(balanced_mask_loss(logits, targets, valid)) == pytest.approx((first + second) / 2)


def test_an_object_without_background_costs_half():
    loss = balanced_mask_loss(torch.zeros(1, 2, 2), torch.ones(1, 2, 2).bool(), torch.ones(1, 2, 2).bool())
    assert float(loss) == pytest.approx(math.log(2) / 2)
