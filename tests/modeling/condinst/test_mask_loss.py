import pytest
import torch

from vis_projects.modeling.condinst import dice_loss, masks_at_stride


def test_dice_by_hand():
    probability = torch.tensor([[[0.9, 0.2], [0.6, 0.1]]])
    target = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    # common 1.5; squares 0.81 + 0.04 + 0.36 + 0.01 = 1.22 and 2: 1 - 3 / 3.22001
    assert dice_loss(probability.logit(), target).item() == pytest.approx(1 - 3 / 3.22001, abs=1e-6)


def test_empty_masks():
    assert dice_loss(torch.full((1, 2, 2), -100.0), torch.zeros(1, 2, 2)).item() == pytest.approx(1.0)
    assert dice_loss(torch.zeros(0, 2, 2), torch.zeros(0, 2, 2)).shape == (0,)


def test_perfect_masks_have_no_loss_and_half_types_are_summed_in_float32():
    target = torch.ones(1, 64, 64)
    loss = dice_loss(torch.full((1, 64, 64), 30.0, dtype=torch.bfloat16), target)
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(0, abs=1e-6)


def test_targets_are_read_in_the_middle_of_each_cell():
    masks = torch.zeros(1, 6, 5, dtype=torch.bool)
    masks[0, 2, 2] = True
    # padded to 8 x 8, stride 4: pixels 2 and 6 of both axes
    assert masks_at_stride(masks, (8, 8), 4).tolist() == [[[1, 0], [0, 0]]]
    assert masks_at_stride(masks[:0], (8, 8), 4).shape == (0, 2, 2)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="one size"):
        dice_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 3))
