"""One shape of a CVAT track, and the frames between two of them."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.convert.worlds import picture, rle_of
from vis_projects.data.convert.cvat_shapes import draw_shape, is_full_export, parse_shape, present_shapes
from vis_projects.data.errors import DatasetError


def parsed(text):
    return parse_shape(ElementTree.fromstring(text), "a.xml", "3")


def box(frame, x, outside=0, **more):
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    return parsed(f'<box frame="{frame}" outside="{outside}" xtl="{x}" ytl="0" xbr="{x + 2}" ybr="1"{extra}/>')


def polygon(frame, points, outside=0):
    return parsed(f'<polygon frame="{frame}" outside="{outside}" points="{points}"/>')


def mask(frame, left, outside=0):
    where = f'left="{left}" top="1" width="2" height="2"'
    return parsed(f'<mask frame="{frame}" outside="{outside}" rle="1, 2, 1" {where}/>')


def filled(shapes, length=8):
    found = present_shapes(shapes, range(length), fill=True, path="a.xml")
    return {shape.frame: shape.values.tolist() for shape in found}


def test_mask_runs_go_row_by_row_through_the_box():
    shape = parsed('<mask frame="0" rle="1, 2, 2, 1" left="2" top="1" width="3" height="2" z_order="4"/>')
    # row by row: . 1 1 / . . 1
    assert draw_shape(shape, (4, 6), "a.xml") == rle_of(picture("...... ...11. ....1. ......"))
    assert shape.z_order == 4 and not shape.outside


def test_other_shapes():
    size = (4, 6)
    assert draw_shape(box(0, 1), size, "a.xml") == rle_of(picture(".11... ...... ...... ......"))
    turned = parsed('<box frame="0" xtl="1" ytl="1" xbr="5" ybr="3" rotation="90"/>')
    assert draw_shape(turned, size, "a.xml") == rle_of(picture("..11.. ..11.. ..11.. ..11.."))
    assert draw_shape(polygon(0, "0,0;2,0;2,2;0,2"), size, "a.xml") == rle_of(picture("11.... 11.... ...... ......"))
    ellipse = parsed('<ellipse frame="0" cx="3" cy="2" rx="1.6" ry="1.6"/>')
    assert draw_shape(ellipse, size, "a.xml") == rle_of(picture("..11.. .1111. .1111. ..11.."))


def test_every_frame_is_listed_where_one_is_no_key_frame():
    texts = ['<box frame="0" keyframe="1"/>', '<box frame="1" keyframe="0"/>']
    assert is_full_export(map(ElementTree.fromstring, texts))
    assert not is_full_export(map(ElementTree.fromstring, texts[:1]))


def test_full_export_takes_shapes_as_they_are():
    shapes = [box(0, 0), box(3, 3), box(4, 4, outside=1), box(6, 1)]
    assert [s.frame for s in present_shapes(shapes, range(8), fill=False, path="a.xml")] == [0, 3, 6]


def test_key_frames_are_filled_in():
    frames = filled([box(1, 0), box(3, 4), box(5, 2, outside=1), box(6, 0)])
    # left edge: 0 at 1, (0 + 4) / 2 = 2 at 2, 4 at 3, (4 + 2) / 2 = 3 at 4; gone at 5; from 6 to the end it stays
    assert {frame: values[0] for frame, values in frames.items()} == {1: 0, 2: 2, 3: 4, 4: 3, 6: 0, 7: 0}


def test_frames_that_the_video_does_not_have_are_not_filled():
    shapes = [box(0, 0), box(10, 5)]
    found = present_shapes(shapes, range(0, 20, 5), fill=True, path="a.xml")
    assert [(s.frame, s.values[0]) for s in found] == [(0, 0), (5, 2.5), (10, 5), (15, 5)]


def test_turning_goes_the_short_way_round():
    frames = filled([box(0, 0, rotation=350), box(2, 0, rotation=10)])
    assert frames[1][4] == 360 and frames[2][4] == 10


def test_masks_stay_and_polygons_move():
    assert [values[0] for values in filled([mask(0, 0), mask(3, 3)], 5).values()] == [0, 0, 0, 3, 3]
    frames = filled([polygon(0, "0,0;2,0;2,2"), polygon(2, "2,2;4,2;4,4")], 3)
    assert frames[1] == [[1, 1], [3, 1], [3, 3]]


def test_polygons_with_different_numbers_of_points():
    shapes = [polygon(0, "0,0;2,0;2,2"), polygon(2, "0,0;2,0;2,2;0,2")]
    with pytest.raises(DatasetError, match=r"a\.xml: track 3, <polygon> of frame 0: .*\(3 and 4\).* frame 1 .* Remedy"):
        filled(shapes)
    assert set(filled([shapes[0], polygon(1, "0,0;2,0;2,2;0,2")], 2)) == {0, 1}  # nothing between them
    # nobody drew the shape of a frame in which the object is gone
    assert filled([shapes[0], polygon(2, "0,0;2,0;2,2;0,2", outside=1)]) == {0: [[0, 0], [2, 0], [2, 2]]} | {
        1: [[0, 0], [2, 0], [2, 2]]}


@given(st.integers(1, 9), st.floats(-50, 50), st.floats(-50, 50))
def test_filled_frames_lie_on_a_line(gap, start, end):
    frames = filled([box(0, start), box(gap, end)], gap + 1)
    assert sorted(frames) == list(range(gap + 1))
    np.testing.assert_allclose([frames[t][0] for t in range(gap + 1)], np.linspace(start, end, gap + 1), atol=1e-9)


BROKEN = [
    ('<box frame="x" xtl="0" ytl="0" xbr="1" ybr="1"/>', r"track 3, <box>, frame: is 'x'\. Remedy: write a whole"),
    ('<box frame="1" xtl="0" ytl="0" xbr="1"/>', r"track 3, <box> of frame 1, ybr: is missing\. Remedy: write"),
    ('<box frame="1" outside="yes" xtl="0" ytl="0" xbr="1" ybr="1"/>', r"frame 1, outside: is 'yes'\. Remedy"),
    ('<polygon frame="1" points="0,0;1"/>', r"<polygon> of frame 1, points: is '0,0;1'\. Remedy"),
    ('<polygon frame="1" points="0,0;1,b;2,2"/>', r"points: is .* Remedy"),
    ('<mask frame="1" rle="1, 2" left="0" top="0" width="2" height="2"/>',
     r"frame 1, rle: has runs of 3 pixels in all, the box of 2 x 2 .* has 4\. Remedy"),
    ('<mask frame="1" rle="1, -2, 5" left="0" top="0" width="2" height="2"/>', r"rle: is '1, -2, 5'\. Remedy"),
    ('<mask frame="1" rle="4" left="0" top="0" width="-2" height="-2"/>', r"the box of -2 x -2 .* Remedy"),
    ('<mask frame="1" rle="4" left="nan" top="0" width="2" height="2"/>', r"frame 1, left: is 'nan'\. Remedy"),
    ('<mask frame="1" left="0" top="0" width="2" height="2"/>', r"rle: is ''\. Remedy"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_broken_shapes(text, message):
    with pytest.raises(DatasetError, match=rf"a\.xml: .*{message}"):
        parsed(text)


@pytest.mark.parametrize(
    ("shape", "message"),
    [(polygon(0, "0,0;1,1"), "has 2 points"), (polygon(0, "0,0;1,1;nan,2"), "nan"),
     (mask(0, 5), "covers columns 5 to 6"), (parsed('<box frame="0" xtl="2" ytl="0" xbr="1" ybr="1"/>'), "width -1")],
)
def test_shapes_that_cannot_be_drawn(shape, message):
    with pytest.raises(DatasetError, match=rf"a\.xml: track 3, <\w+> of frame 0: .*{message}.* Remedy: correct"):
        draw_shape(shape, (4, 6), "a.xml")
