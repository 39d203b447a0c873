"""Boxes beside the image, which Detectron2 fails on."""

import pytest
import torch

from detectron2.layers import paste_masks_in_image


@pytest.mark.parametrize("box", [[20.0, 20, 25, 25], [-9.0, 0, -5, 4], [5.0, 5, 2, 2]], ids=["far", "near", "inverted"])
def test_box_that_touches_no_pixel_gives_an_empty_mask(box):
    pasted = paste_masks_in_image(torch.ones(1, 4, 4), torch.tensor([box]), (10, 9))
    assert pasted.shape == (1, 10, 9) and pasted.sum() == 0
