"""Values of label maps to masks and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.convert.worlds import picture, rle_of
from vis_projects.data.convert.label_maps import masks_of, paint, stacking_order


def test_masks_of():
    assert list(masks_of(picture("2.7 22."))) == [(2, rle_of(picture("1.. 11."))), (7, rle_of(picture("..1 ...")))]
    assert list(masks_of(picture("... ..."))) == []
    large = np.array([[0, 2_000_000_000, 0]], dtype=np.int32)  # 32-bit png exist
    assert list(masks_of(large)) == [(2_000_000_000, rle_of(picture(".1.")))]


@pytest.mark.parametrize(
    ("areas", "crowds", "ranks"),
    [
        ([8, 4, 6], [0, 0, 0], [0, 2, 1]),  # the smaller the higher
        ([4, 4], [0, 0], [0, 1]),  # equal areas: the later the higher
        ([8, 1, 2], [0, 1, 1], [2, 1, 0]),  # crowds below any object
        ([], [], []),
    ],
)
def test_stacking_order(areas, crowds, ranks):
    assert stacking_order(areas, crowds) == ranks


def test_paint_counts_hidden_pixels_and_masks():
    rles = [rle_of(picture(text)) for text in ("111 111", "11. ...", "1.. ...")]
    values, lost, gone = paint(rles, [5, 6, 7], [0, 1, 2], (2, 3), np.uint16)
    np.testing.assert_array_equal(values, picture("765 555"))
    assert (lost, gone) == (3, 0)  # 2 of the first under the second, 1 of the second under the third
    values, lost, gone = paint(rles, [5, 6, 7], [2, 1, 0], (2, 3), np.uint8)
    np.testing.assert_array_equal(values, picture("555 555"))
    assert (lost, gone) == (3, 2)
    values, lost, gone = paint([], [], [], (2, 3), np.uint8)
    assert values.shape == (2, 3) and not values.any() and (lost, gone) == (0, 0)


@given(st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_masks_painted_again_are_the_map(values):
    values = np.array(values, dtype=np.uint16).reshape(3, 4)
    numbers, rles = zip(*masks_of(values)) if values.any() else ((), ())
    again, lost, gone = paint(rles, numbers, range(len(rles)), (3, 4), np.uint16)
    np.testing.assert_array_equal(again, values)
    assert (lost, gone) == (0, 0)
