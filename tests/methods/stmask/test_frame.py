"""Boxes and masks between padded input, image and output."""

import pytest
import torch

from vis_projects.methods.stmask.frame import FrameGeometry, TemporalFeatures

PUBLISHED = FrameGeometry((384, 640), (360, 640), (720, 1280))


def test_boxes_by_hand():
    boxes = torch.tensor([[0.25, 0.5, 0.5, 360 / 384], [-0.1, -0.1, 1.1, 1.0]])
    # y: 0.5 * 384 = 192 of 360 is 384 of 720; the last rows of the padding are below the image
    assert PUBLISHED.boxes_to_output(boxes).tolist() == [[320, 384, 640, 720], [0, 0, 1280, 720]]
    assert torch.allclose(PUBLISHED.boxes_from_output(torch.tensor([[320.0, 384, 640, 720]])), boxes[:1])
    assert PUBLISHED.boxes_to_output(boxes[:0]).shape == (0, 4)


def test_centres_in_the_padding_are_outside():
    at = [360 / 384 - 0.01, 360 / 384 + 0.01, -0.01, 0.5]
    boxes = torch.tensor([[0.4, y - 0.1, 0.6, y + 0.1] for y in at] + [[0.9, 0.4, 1.2, 0.6]])
    assert PUBLISHED.centers_inside(boxes).tolist() == [True, False, False, True, False]


def test_pasting_cuts_the_padding_off():
    probs = torch.zeros(2, 96, 160)
    probs[0, 45:90, :80] = 1.0  # lower left quarter of the unpadded 90 x 160
    probs[1, 90:] = 1.0  # padding
    masks = PUBLISHED.paste(probs)
    assert masks.shape == (2, 720, 1280) and masks.dtype == torch.bool
    expected = torch.zeros(720, 1280, dtype=torch.bool)
    expected[360:, :640] = True
    differ = (masks[0] != expected).nonzero() - torch.tensor([360, 640])
    # resizing rounds the corner off: half a cell is 4 pixels
    assert (differ.abs() <= 4).all() and len(differ) < 16
    assert not masks[1].any()
    assert PUBLISHED.paste(probs[:0]).shape == (0, 720, 1280)


def test_a_cut_within_a_cell_is_exact_too():
    # 54 of 64 rows are 13.5 of 16 cells
    geometry = FrameGeometry((64, 96), (54, 96), (54, 96))
    probs = torch.zeros(1, 16, 24)
    probs[0, :, :12] = 1.0
    masks = geometry.paste(probs)
    expected = torch.zeros(54, 96, dtype=torch.bool)
    expected[:, :48] = True
    assert torch.equal(masks[0], expected)


@pytest.mark.parametrize("geometry", [PUBLISHED, FrameGeometry((64, 96), (54, 96), (108, 192))])
def test_given_masks_come_back_through_the_prototypes(geometry):
    height, width = geometry.output_size
    masks = torch.zeros(2, height, width, dtype=torch.bool)
    masks[0, height // 4 : height // 2, width // 4 : width // 2] = True
    masks[1] = True
    size = (geometry.padded_size[0] // 4, geometry.padded_size[1] // 4)
    soft = geometry.masks_from_output(masks, size)
    assert soft.shape == (2, *size) and soft.amax() <= 1
    again = geometry.paste(soft)
    assert (again != masks).float().mean() < 0.02 and again[1, : height - 8].all()
    assert geometry.masks_from_output(masks[:0], size).shape == (0, *size)


def test_features_of_some_frames():
    features = TemporalFeatures(torch.arange(3.0).view(3, 1, 1, 1), torch.arange(3.0, 6.0).view(3, 1, 1, 1))
    later = features[1:]
    assert later.correlated.flatten().tolist() == [1, 2] and later.shared.flatten().tolist() == [4, 5]
