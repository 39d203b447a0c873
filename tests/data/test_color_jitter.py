"""ColorChange: each factor alone by hand, and the draw."""

import numpy as np
import pytest

from vis_projects.data.color_jitter import ColorChange, draw_color_change


def two_pixels():
    return np.array([[[100, 100, 100], [0, 100, 200]]], dtype=np.uint8)


def test_factors_of_one_change_nothing():
    assert np.array_equal(ColorChange(1, 1, 1).apply(two_pixels()), two_pixels())


def test_brightness_scales_and_clips():
    assert ColorChange(1.5, 1, 1).apply(two_pixels()).tolist() == [[[150, 150, 150], [0, 150, 255]]]


def test_contrast_scales_the_distance_to_the_mean():
    # the mean of all six values is 600 / 6 = 100: 0 -> 100 - 100/2, 200 -> 100 + 100/2
    assert ColorChange(1, 0.5, 1).apply(two_pixels()).tolist() == [[[100, 100, 100], [50, 100, 150]]]


@pytest.mark.parametrize(("order", "grey"), [("RGB", 81.5), ("BGR", 118.5)])
def test_saturation_zero_leaves_the_grey_of_each_pixel(order, grey):
    # RGB: 0.587 * 100 + 0.114 * 200 = 81.5; BGR: 0.587 * 100 + 0.299 * 200 = 118.5
    result = ColorChange(1, 1, 0, order).apply(two_pixels())
    assert result[0, 0].tolist() == [100, 100, 100]
    assert np.abs(result[0, 1].astype(float) - grey).max() <= 0.5


def test_draws_stay_in_their_range_and_repeat_with_the_seed():
    draws = [draw_color_change(np.random.default_rng(s), 0.2, "BGR") for s in range(50)]
    assert all(0.8 <= f <= 1.2 for d in draws for f in (d.brightness, d.contrast, d.saturation))
    assert draws[3] == draw_color_change(np.random.default_rng(3), 0.2, "BGR")
