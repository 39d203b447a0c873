"""Shapes as masks, pixel by pixel; overlaps cut by rank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from tests.data.convert.worlds import picture, rle_of
from vis_projects.data.convert.masks import (
    box_rle,
    crop_rle,
    cut_overlaps,
    ellipse_rle,
    polygon_rle,
    segmentation_rle,
    unite_rles,
)

H, W = 5, 6


def drawn(rle):
    return coco_mask.decode(rle)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        # edges on pixel borders: columns 1 to 3, rows 1 to 2
        ([[1, 1], [4, 1], [4, 3], [1, 3]], "...... .111.. .111.. ...... ......"),
        # the other way round and from another corner
        ([[4, 3], [4, 1], [1, 1], [1, 3]], "...... .111.. .111.. ...... ......"),
        # an L
        ([[0, 0], [2, 0], [2, 3], [4, 3], [4, 5], [0, 5]], "11.... 11.... 11.... 1111.. 1111.."),
        # reaches beyond every side: cut off
        ([[-3, -2], [20, -2], [20, 9], [-3, 9]], "111111 111111 111111 111111 111111"),
        ([[-3, 2], [1, 2], [1, 9], [-3, 9]], "...... ...... 1..... 1..... 1....."),
        # outside altogether
        ([[10, 1], [12, 1], [12, 3]], "...... ...... ...... ...... ......"),
    ],
)
def test_polygon(points, expected):
    np.testing.assert_array_equal(drawn(polygon_rle(np.array(points), H, W)), picture(expected))


@pytest.mark.parametrize(
    ("points", "message"),
    [([[1, 1], [2, 2]], "2 points"), ([[1, 1], [2, 2], [float("nan"), 1]], "nan"),
     ([[1, 1], [2, 2], [97, 1]], "97, the frame is 6 x 5")],  # 16 frame sizes of 6 are 96
)
def test_polygon_that_cannot_be(points, message):
    with pytest.raises(ValueError, match=message):
        polygon_rle(np.array(points), H, W)
    if len(points) > 2:
        with pytest.raises(ValueError, match=message):
            segmentation_rle([[value for point in points for value in point]], H, W)


def test_box_and_turned_box():
    np.testing.assert_array_equal(drawn(box_rle(1, 0, 5, 2, H, W)), picture(".1111. .1111. ...... ...... ......"))
    # a 4 x 2 box around (3, 2), turned by a quarter: 2 wide, 4 high
    np.testing.assert_array_equal(drawn(box_rle(1, 1, 5, 3, H, W, 90.0)), picture("..11.. ..11.. ..11.. ..11.. ......"))
    with pytest.raises(ValueError, match="width -1 and height 2"):
        box_rle(3, 1, 2, 3, H, W)


def test_ellipse_takes_pixels_whose_centre_is_inside():
    # centre (3, 2), radius 1.6: centres at distance sqrt(.5^2 + .5^2) = .71 and sqrt(1.5^2 + .5^2) = 1.58 are in,
    # sqrt(1.5^2 + 1.5^2) = 2.12 is out
    np.testing.assert_array_equal(drawn(ellipse_rle((3, 2), (1.6, 1.6), H, W)),
                                  picture("..11.. .1111. .1111. ..11.. ......"))
    flat, turned = ellipse_rle((3, 2), (2.6, 0.6), H, W), ellipse_rle((3, 2), (0.6, 2.6), H, W, 90.0)
    # (2.5 / 2.6)^2 + (.5 / .6)^2 = 1.62 and (1.5 / 2.6)^2 + .69 = 1.03 are out, (.5 / 2.6)^2 + .69 = .73 is in
    np.testing.assert_array_equal(drawn(flat), picture("...... ..11.. ..11.. ...... ......"))
    assert flat == turned
    with pytest.raises(ValueError, match="radius 0"):
        ellipse_rle((3, 2), (1, 0), H, W)


def test_crop():
    crop = picture("11. .11").astype(bool)
    np.testing.assert_array_equal(drawn(crop_rle(crop, 3, 1, H, W)), picture("...... ...11. ....11 ...... ......"))
    for left, top in ((4, 1), (-1, 1), (0, 4), (0, -1)):
        with pytest.raises(ValueError, match="the frame has 6 columns and 5 rows"):
            crop_rle(crop, left, top, H, W)


def test_union_and_kinds():
    a, b = picture("11.... 11.... ...... ...... ......"), picture(".11... .11... ...... ...... ......")
    np.testing.assert_array_equal(drawn(unite_rles([rle_of(a), rle_of(b)])), a | b)
    plain = {"size": [2, 2], "counts": [1, 2, 1]}  # column by column: 0 1 | 1 0
    np.testing.assert_array_equal(drawn(segmentation_rle(plain, 2, 2)), picture(".1 1."))
    two = [[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]]
    np.testing.assert_array_equal(drawn(segmentation_rle(two, 2, 2)), picture("1. .1"))


def test_cut_overlaps_by_hand():
    low, high = picture("111. 111."), picture(".111 ....")
    (cut, whole), lost = cut_overlaps([rle_of(low), rle_of(high)], [0, 1])
    np.testing.assert_array_equal(drawn(cut), picture("1... 111."))
    np.testing.assert_array_equal(drawn(whole), high)
    assert lost == 2
    # one rank: both stay whole
    kept, lost = cut_overlaps([rle_of(low), rle_of(high)], [3, 3])
    assert lost == 0 and kept == [rle_of(low), rle_of(high)]
    assert cut_overlaps([], []) == ([], 0)


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(
    st.lists(st.lists(st.booleans(), min_size=12, max_size=12), min_size=n, max_size=n),
    st.lists(st.integers(0, 3), min_size=n, max_size=n))))
def test_cut_overlaps_leaves_each_pixel_to_the_highest(case):
    stack, ranks = np.array(case[0]).reshape(-1, 3, 4), np.array(case[1])
    parts, lost = cut_overlaps([rle_of(mask) for mask in stack], ranks.tolist())
    top = np.where(stack, ranks[:, None, None], -1).max(axis=0)
    expected = stack & (ranks[:, None, None] == top)
    np.testing.assert_array_equal(np.stack([drawn(part) for part in parts]), expected)
    assert lost == stack.sum() - expected.sum()
