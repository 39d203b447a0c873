"""Bars in the first row of 4 x 10 frames; truth bars are 4 px wide."""

import pytest

from tests.evaluation.worlds import SIZE, bar, rle
from vis_projects.evaluation import frame_marks
from vis_projects.structures import Track, VideoResults


def video(*tracks, length=3):
    """A video whose track k has the masks tracks[k], None where absent."""
    return VideoResults(1, *SIZE, length, [
        Track(10 + k, 0, 1.0, {t: rle(mask) for t, mask in enumerate(masks) if mask is not None})
        for k, masks in enumerate(tracks)
    ])


def test_a_video_without_tracks_or_frames_has_no_marks():
    assert frame_marks(video(), video()) == [({}, {})] * 3
    assert frame_marks(video(length=0), video(length=0)) == []


def test_missed_false_and_switch():
    a, b = bar(0, 4), bar(5, 9)
    truth = video([a, a, a], [b, b, None])
    # track 10 finds object 10 in frame 0 only (3 of 4 px: IoU 3/4); track 11 finds it from frame 1 on: a switch;
    # nobody finds object 11; track 12 lies beside everything in frame 2
    found = video([bar(0, 3), None, None], [None, a, a], [None, None, bar(7, 10)])
    assert frame_marks(truth, found) == [({11: "missed"}, {}), ({11: "missed"}, {11: "switch"}), ({}, {12: "false"})]


def test_an_overlap_below_the_threshold_is_a_miss_and_a_false_find():
    # 1 px of 4 and 4 in common: IoU 1/7
    truth, found = video([bar(0, 4)], length=1), video([bar(3, 7)], length=1)
    assert frame_marks(truth, found) == [({10: "missed"}, {10: "false"})]
    assert frame_marks(truth, found, threshold=1 / 7) == [({}, {})]


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="3 annotated frames, 2 predicted"):
        frame_marks(video(), video(length=2))
