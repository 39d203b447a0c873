"""Masks from prototypes, cut with boxes, and their loss, with numbers worked out by hand."""

import math

import pytest
import torch

from vis_projects.modeling.yolact import assemble_masks, crop_masks, cropped_mask_loss


def test_a_mask_is_the_sigmoid_of_a_combination():
    prototypes = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])  # 1 x 2 places
    coefficients = torch.tensor([[0.5, -3.0]])
    masks = assemble_masks(prototypes, coefficients, torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    expected = [1 / (1 + math.exp(-math.tanh(0.5))), 1 / (1 + math.exp(2 * math.tanh(3.0)))]
    assert masks[0, 0].tolist() == pytest.approx(expected)
    assert assemble_masks(prototypes, coefficients[:0], torch.zeros(0, 4)).shape == (0, 1, 2)


def test_the_cut_is_one_cell_wider_than_the_box():
    # 10 cells: x from 0.32 to 0.58 is 3.2 .. 5.8, widened 2.2 .. 6.8: cells 3 to 6
    # y from 0 to 0.05 is -1 .. 1.5: cells 0 and 1
    cut = crop_masks(torch.ones(2, 10, 10), torch.tensor([[0.32, 0.0, 0.58, 0.05], [0.58, 0.05, 0.32, 0.0]]))
    expected = torch.zeros(10, 10)
    expected[0:2, 3:7] = 1
    assert torch.equal(cut[0], expected) and torch.equal(cut[1], expected)


def test_loss_by_hand():
    # one prototype of zeros: every place within the cut is 1/2. 4 x 4 places, image 4 x 4, box one cell at (2, 2):
    # the cut are cells 1 to 3 of both axes, nine places of ln 2 each, true or not
    prototypes, box = torch.zeros(1, 4, 4, 1), torch.tensor([[0.5, 0.5, 0.75, 0.75]])
    masks = torch.zeros(2, 4, 4, dtype=torch.bool)
    masks[1, 2, 2] = True
    zero = torch.zeros(1, dtype=torch.int64)
    inside = cropped_mask_loss(prototypes, zero, torch.zeros(1, 1), box, masks, zero + 1)
    assert inside.tolist() == pytest.approx([9 * math.log(2)])  # the box is one pixel
    masks[1, 0, 0] = True  # a true pixel outside of the cut costs 100
    outside = cropped_mask_loss(prototypes, zero, torch.zeros(1, 1), box, masks, zero + 1)
    assert outside.tolist() == pytest.approx([9 * math.log(2) + 100])
    wider = cropped_mask_loss(prototypes, zero, torch.zeros(1, 1), torch.tensor([[0.25, 0.5, 0.75, 0.75]]), masks, zero)
    # cells 0 to 3 by 1 to 3, over two pixels
    assert wider.tolist() == pytest.approx([12 * math.log(2) / 2])


def test_instances_of_several_images_keep_their_place():
    torch.manual_seed(0)
    prototypes, coefficients = torch.rand(2, 4, 6, 3), torch.randn(4, 3)
    boxes, masks = torch.rand(4, 4).sort(dim=1).values[:, [0, 1, 2, 3]], torch.rand(3, 8, 12) > 0.5
    image, target = torch.tensor([1, 0, 1, 0]), torch.tensor([2, 0, 1, 1])
    together = cropped_mask_loss(prototypes, image, coefficients, boxes, masks, target)
    for k in range(4):
        alone = cropped_mask_loss(prototypes, image[k : k + 1], coefficients[k : k + 1], boxes[k : k + 1], masks,
                                  target[k : k + 1])
        assert alone.item() == pytest.approx(together[k].item(), rel=1e-5)


def test_no_instance_gives_an_empty_loss_in_the_graph():
    coefficients = torch.zeros(0, 3, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    losses = cropped_mask_loss(torch.zeros(1, 2, 2, 3), none, coefficients, torch.zeros(0, 4),
                               torch.zeros(0, 4, 4, dtype=torch.bool), none)
    assert losses.shape == (0,) and losses.requires_grad
