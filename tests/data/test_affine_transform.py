"""AffineTransform: pixels, masks and coordinates move together; the way there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.data.affine_transform import AffineTransform


def image(height=20, width=30):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_identity_changes_nothing():
    same = AffineTransform(np.eye(2, 3), 20, 30)
    assert np.array_equal(same.apply_image(image()), image())
    assert np.array_equal(same.apply_segmentation(image()[..., 0]), image()[..., 0])
    assert same.apply_coords(np.array([[1.5, 2.0]])).tolist() == [[1.5, 2.0]]


def test_a_shift_moves_pixels_and_fills_what_comes_in():
    shift = AffineTransform([[1, 0, 3], [0, 1, -2]], 20, 30, fill=(7, 8, 9))
    moved = shift.apply_image(image())
    assert np.array_equal(moved[:18, 3:], image()[2:, :27])
    assert (moved[:, :3] == [7, 8, 9]).all() and (moved[18:] == [7, 8, 9]).all()
    mask = shift.apply_segmentation(np.ones((20, 30), dtype=np.uint8))
    assert mask[:18, 3:].all() and mask[:, :3].sum() == 0 and mask[18:].sum() == 0
    assert shift.apply_coords(np.array([[10.0, 10.0]])).tolist() == [[13.0, 8.0]]


def test_a_quarter_turn_about_the_centre_equals_rot90():
    # (x, y) -> (20 - y, x) on a 20 x 20 frame turns clockwise, as y points down
    turn = AffineTransform([[0, -1, 20], [1, 0, 0]], 20, 20)
    square = image(20, 20)
    assert np.array_equal(turn.apply_image(square), np.rot90(square, k=-1))
    assert turn.apply_coords(np.array([[0.0, 0.0]])).tolist() == [[20.0, 0.0]]


def test_boxes_follow_the_corners():
    grow = AffineTransform([[2, 0, 0], [0, 3, 1]], 20, 30)
    assert grow.apply_box(np.array([[1.0, 1.0, 4.0, 3.0]])).tolist() == [[2, 4, 8, 10]]


@settings(max_examples=40, deadline=None)
@given(st.floats(-30, 30), st.floats(0.6, 1.5), st.floats(-5, 5))
def test_there_and_back_restores_boxes_within_a_pixel(degrees, scale, shift):
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = AffineTransform(np.column_stack([linear, [shift, -shift]]), 20, 30)
    corners = np.array([[3.0, 4.0], [11.0, 4.0], [11.0, 9.0], [3.0, 9.0]])
    assert there.inverse().apply_coords(there.apply_coords(corners)) == pytest.approx(corners, abs=1e-9)


def test_a_turned_mask_lies_where_its_corners_lie():
    angle = np.deg2rad(20)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = np.array([50.0, 40.0])
    turn = AffineTransform(np.column_stack([linear, center - linear @ center]), 80, 100)
    mask = np.zeros((80, 100), dtype=np.uint8)
    mask[30:50, 40:70] = 1
    moved = turn.apply_segmentation(mask)
    assert abs(int(moved.sum()) - 20 * 30) <= 20  # the area is kept up to the border
    corners = turn.apply_coords(np.array([[40, 30], [70, 30], [70, 50], [40, 50]], dtype=float))
    ys, xs = np.nonzero(moved)
    assert [xs.min(), xs.max() + 1, ys.min(), ys.max() + 1] == pytest.approx(
        [corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()], abs=1.0
    )
