"""paste_masks_in_image on masks whose samples are known."""

import pytest
import torch

from detectron2.layers import paste_masks_in_image
from detectron2.structures import Boxes


def test_no_masks():
    pasted = paste_masks_in_image(torch.zeros(0, 5, 5), torch.zeros(0, 4), (4, 6))
    assert pasted.shape == (0, 4, 6) and pasted.dtype == torch.uint8


def test_box_of_the_size_of_the_mask_copies_it():
    mask = torch.tensor([[[0.1, 0.9], [0.6, 0.2]]])
    pasted = paste_masks_in_image(mask, Boxes(torch.tensor([[1.0, 0, 3, 2]])), (3, 4))
    expected = torch.zeros(1, 3, 4, dtype=torch.bool)
    expected[0, 0, 2] = expected[0, 1, 1] = True
    assert torch.equal(pasted, expected)


def test_negative_threshold_gives_values():
    mask = torch.tensor([[[0.0, 1.0], [0.5, 0.2]]])
    pasted = paste_masks_in_image(mask, torch.tensor([[0.0, 0, 2, 2]]), (2, 2), threshold=-1)
    # 255 * 0.5 and 255 * 0.2, cut to whole numbers
    assert pasted.dtype == torch.uint8 and pasted[0].tolist() == [[0, 255], [127, 51]]


def test_threshold_is_reached_by_equality():
    mask = torch.full((1, 2, 2), 0.5)
    assert paste_masks_in_image(mask, torch.tensor([[0.0, 0, 2, 2]]), (2, 2)).sum() == 4
    assert paste_masks_in_image(mask, torch.tensor([[0.0, 0, 2, 2]]), (2, 2), threshold=0.6).sum() == 0


def test_stretching_interpolates_between_centres():
    mask = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    pasted = paste_masks_in_image(mask, torch.tensor([[0.0, 0, 8, 2]]), (2, 8), threshold=0.5)
    # Mask centres lie at x = 2 and x = 6; 0.5 is reached at x = 4, so from pixel 4 (centre 4.5) to the border.
    # Right of x = 6 the mask fades: at 7.5 it is 1 - 1.5 / 4 = 0.625.
    assert pasted[0].int().tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 2


def test_box_across_the_border_and_box_without_area():
    mask = torch.ones(2, 4, 4)
    pasted = paste_masks_in_image(mask, torch.tensor([[-4.0, -4, 4, 4], [3, 3, 3, 6]]), (6, 6))
    assert pasted[0, :3, :3].all() and pasted[0].sum() == 16
    assert pasted[1].sum() == 0


def test_bool_masks():
    assert paste_masks_in_image(torch.ones(1, 2, 2) > 0, torch.tensor([[0.0, 0, 2, 2]]), (3, 3)).sum() == 4


def test_errors():
    with pytest.raises(AssertionError):
        paste_masks_in_image(torch.zeros(1, 5, 6), torch.zeros(1, 4), (4, 4))
    with pytest.raises(AssertionError):
        paste_masks_in_image(torch.zeros(2, 5, 5), torch.zeros(1, 4), (4, 4))
