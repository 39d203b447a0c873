import numpy as np
import pytest

from tests.evaluation.worlds import bar, rle
from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.mask_entries import read_masks
from vis_projects.evaluation.track_iou import video_ious


def track(masks, **fields) -> EvalTrack:
    shapes, areas = read_masks([rle(mask) for mask in masks], "masks", (4, 10))
    return EvalTrack(1, 1, shapes, areas, 0.0, **fields)


def boxes(*rows) -> EvalTrack:
    rows = np.array(rows, dtype=float).reshape(-1, 4)
    return EvalTrack(1, 1, rows, rows[:, 2] * rows[:, 3], 0.0)


def test_no_pairs():
    one = track([bar(0, 3)])
    assert video_ious([], [one]).shape == (0, 1)
    assert video_ious([one], []).shape == (1, 0)
    assert video_ious([], []).shape == (0, 0)


def test_tracks_without_a_pixel_have_no_overlap():
    nothing = [track([None, None]), track([bar(0, 0), None]), track([])]
    assert video_ious(nothing, nothing).tolist() == [[0] * 3] * 3


def test_pixels_are_summed_over_frames():
    # frame 0: 3 in common of 5; frame 1: only the first, 4; frame 2: only the second, 2; frame 3: none
    a, b = track([bar(0, 4), bar(0, 4), None, None]), track([bar(1, 5), None, bar(0, 2), None])
    assert video_ious([a], [b]).tolist() == [[3 / (5 + 4 + 2)]]


def test_every_pair_of_a_group():
    a, b, c = track([bar(0, 4)]), track([bar(2, 6)]), track([bar(9, 10)])
    assert video_ious([a, b, c], [a, b]).tolist() == [[1, 2 / 6], [2 / 6, 1], [0, 0]]


def test_crowds_have_the_plain_iou():
    assert video_ious([track([bar(0, 2)])], [track([bar(0, 8)], is_crowd=True)]).tolist() == [[2 / 8]]


def test_frames_beyond_the_shorter_list_do_not_count():
    short, long = track([bar(0, 4)]), track([bar(0, 4), bar(0, 9)])
    assert video_ious([short, long], [long, short]).tolist() == [[1, 1], [1, 1]]


def test_a_frame_with_masks_of_two_sizes_counts_neither_way():
    # only frame 1 is left: 2 in common of 6
    other = track([bar(0, 8, size=(4, 9)), bar(2, 6)])
    assert video_ious([track([bar(0, 8), bar(0, 4)])], [other]).tolist() == [[2 / 6]]
    # beside one of its own size
    same = track([bar(0, 8), bar(0, 4)])
    assert video_ious([same], [other, same]).tolist() == [[2 / 6, 1]]


def test_an_empty_mask_of_another_size_takes_its_frame_out_as_well():
    # frame 0: neither way, though one mask has no pixel; frame 1: 2 in common of 6
    empty = track([bar(0, 0, size=(4, 9)), bar(2, 6)])
    other = track([bar(0, 8), bar(0, 4)])
    assert video_ious([empty], [other]).tolist() == video_ious([other], [empty]).tolist() == [[2 / 6]]


def test_boxes():
    # frame 0: 2x2 in common of 4x2 + 2x3 - 4 = 10; frame 1: apart, 1 + 1; frame 2: only the first, 6
    a, b = boxes((0, 0, 4, 2), (0, 0, 1, 1), (1, 1, 2, 3)), boxes((2, 0, 2, 3), (5, 5, 1, 1), (0, 0, 0, 0))
    assert video_ious([a], [b], "bbox")[0, 0] == pytest.approx(4 / (10 + 2 + 6))
    assert video_ious([a], [boxes()], "bbox").tolist() == [[0]]
