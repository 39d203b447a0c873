"""Locations, heat maps and crops with numbers worked by hand; empty masks first."""

import math

import pytest
import torch
from torch.nn import functional as F

from vis_projects.methods.osmn.guides import (
    crop_boxes,
    crop_guides,
    heat_maps,
    jitter_crops,
    jitter_locations,
    locate,
    mask_boxes,
    random_angles,
)


def rectangle(x0, y0, x1, y1, size=(16, 16)):
    """bool (1, H, W): pixels x0 .. x1 - 1, y0 .. y1 - 1."""
    mask = torch.zeros(1, *size, dtype=torch.bool)
    mask[:, y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize("mode", ["median", "mean"])
def test_no_mask_and_an_empty_mask_are_nowhere(mode):
    assert locate(torch.zeros(0, 8, 8, dtype=torch.bool), mode).shape == (0, 4)
    assert locate(torch.zeros(2, 8, 8, dtype=torch.bool), mode).tolist() == [[0.0] * 4] * 2


def test_mean_and_standard_deviation():
    # x = 2, 3, 4, 5: mean 3.5, variance (1.5^2 + 0.5^2 + 0.5^2 + 1.5^2) / 4 = 5/4; y = 1, 2: mean 1.5, variance 1/4
    found = locate(rectangle(2, 1, 6, 3), "mean", min_std=0.25)
    assert found[0].tolist() == pytest.approx([3.5, 1.5, math.sqrt(5 / 4), 0.5])


def test_median_and_median_deviation():
    # x = 2, 3, 4, 5, 6: median 4, distances 0, 1, 1, 2, 2: median 1; y = 1, 2, 3: median 2, distances 0, 1, 1: median 1
    found = locate(rectangle(2, 1, 7, 4), "median", min_std=0.25)
    assert found[0].tolist() == pytest.approx([4, 2, 1.4826, 1.4826])


def test_a_far_stray_pixel_moves_the_mean_and_not_the_median():
    mask = rectangle(2, 2, 7, 7, size=(64, 64))
    stray = mask.clone()
    stray[0, 63, 63] = True
    assert torch.equal(locate(mask)[:, :2], locate(stray)[:, :2])
    assert (locate(stray, "mean") - locate(mask, "mean"))[0, 0] > 2


def test_the_spread_has_a_least_value():
    assert locate(rectangle(3, 3, 4, 4), "median", min_std=5.0).tolist() == [[3.0, 3.0, 5.0, 5.0]]


def test_masks_of_a_batch_do_not_touch_each_other():
    masks = torch.cat([rectangle(0, 0, 3, 3), torch.zeros(1, 16, 16, dtype=torch.bool), rectangle(9, 8, 15, 12)])
    for mode in ("median", "mean"):
        single = torch.cat([locate(mask[None], mode, 0.5) for mask in masks])
        assert torch.equal(locate(masks, mode, 0.5), single)


def test_heat_map_is_the_gaussian_averaged_over_squares():
    locations = torch.tensor([[5.0, 3.0, 4.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    full, half = heat_maps(locations, (8, 16), (1, 4))
    assert full.shape == (2, 1, 8, 16) and half.shape == (2, 1, 2, 4)
    assert full[0, 0, 3, 5] == 1
    # 4 px to the right and 2 px down: exp(-1/2) exp(-1/2)
    assert float(full[0, 0, 5, 9]) == pytest.approx(math.exp(-1))
    torch.testing.assert_close(half, F.avg_pool2d(full, 4))
    assert float(full[1].abs().max()) == 0
    assert heat_maps(locations[:0], (8, 16), (4,))[0].shape == (0, 1, 2, 4)


def test_boxes_of_masks_with_and_without_rim():
    masks = torch.cat([rectangle(2, 1, 6, 3), torch.zeros(1, 16, 16, dtype=torch.bool)])
    # x from 2 to 6, y from 1 to 3; half sides 2 and 1, with a rim of a quarter of 4 and of 2 on each side: 3 and 1.5
    assert crop_boxes(masks, 0.25).tolist() == [[4, 2, 3, 1.5], [8, 8, 12, 12]]
    assert mask_boxes(masks).tolist() == [[2, 1, 6, 3], [0, 0, 0, 0]]
    assert mask_boxes(masks[:0]).shape == (0, 4)


def test_a_crop_of_twice_the_size_repeats_what_is_in_the_box():
    image = torch.arange(256.0).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    mask = rectangle(4, 6, 8, 10)
    crop = crop_guides(image, mask, crop_boxes(mask, 0.0), 4)
    torch.testing.assert_close(crop, image[:, :, 6:10, 4:8])  # one pixel for one pixel
    smaller = crop_guides(image, mask, crop_boxes(mask, 0.0), 2)
    torch.testing.assert_close(smaller, F.avg_pool2d(image[:, :, 6:10, 4:8], 2))  # the middle of four pixels


def test_what_is_no_part_of_the_object_is_the_mean_colour():
    mask = rectangle(4, 4, 8, 8)
    mask[0, 4:6] = False
    box = torch.tensor([[6.0, 6.0, 2.0, 2.0]])
    crop = crop_guides(torch.full((1, 3, 16, 16), 7.0), mask, box, 4)
    assert crop[0, 0].tolist() == [[0] * 4, [0] * 4, [7] * 4, [7] * 4]
    nothing = torch.zeros_like(mask)
    assert float(crop_guides(torch.ones(1, 3, 16, 16), nothing, crop_boxes(nothing, 0.03), 8).abs().max()) == 0


def test_mirror_and_quarter_turn():
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = rectangle(4, 4, 8, 8).expand(2, -1, -1)
    box = crop_boxes(mask, 0.0)
    plain = crop_guides(image, mask, box, 4)
    mirrored = crop_guides(image, mask, box, 4, mirrored=torch.tensor([True, False]))
    torch.testing.assert_close(mirrored, torch.stack([plain[0].flip(2), plain[1]]))
    turned = crop_guides(image, mask, box, 4, angles=torch.tensor([math.pi / 2, 0.0]))
    torch.testing.assert_close(turned, torch.stack([torch.rot90(plain[0], 1, (1, 2)), plain[1]]), atol=1e-4, rtol=0)


def test_random_changes_stay_within_their_bounds():
    torch.manual_seed(0)
    location = torch.tensor([[50.0, 40.0, 10.0, 5.0], [0.0, 0.0, 0.0, 0.0]]).repeat(200, 1)
    moved = jitter_locations(location, 0.2, 0.4)
    shift = ((moved - location)[::2, :2] / location[::2, 2:]).abs()
    factor = moved[::2, 2:] / location[::2, 2:]
    assert 0.15 < float(shift.max()) <= 0.2
    assert 1 / 1.4 <= float(factor.min()) < 0.75 and 1.35 < float(factor.max()) <= 1.4
    assert float(moved[1::2].abs().max()) == 0  # nowhere stays nowhere
    assert torch.equal(jitter_locations(location, 0.0, 0.0), location)


def test_a_random_crop_cuts_one_edge():
    torch.manual_seed(0)
    boxes = torch.tensor([[50.0, 40.0, 20.0, 10.0]]).repeat(100, 1)
    cut = jitter_crops(boxes, 0.1)
    edges = torch.cat([boxes[:, :2] - boxes[:, 2:], boxes[:, :2] + boxes[:, 2:]], 1)
    cut_edges = torch.cat([cut[:, :2] - cut[:, 2:], cut[:, :2] + cut[:, 2:]], 1)
    moved = ((cut_edges - edges).abs() > 1e-4).sum(1)
    assert int(moved.max()) == 1 and (cut[:, 2:] >= 0.9 * boxes[:, 2:] - 1e-4).all()
    assert {int((cut_edges - edges).abs()[k].argmax()) for k in range(100)} == {0, 1, 2, 3}


def test_angles():
    torch.manual_seed(0)
    angles = random_angles(200, 10.0, torch.device("cpu"))
    assert math.radians(9) < float(angles.abs().max()) <= math.radians(10) and float(angles.min()) < 0
