"""IoUTracker+ on hand-made sequences with worked ids."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.scenes import detections, grid, ids, square
from vis_projects.config import get_vis_cfg
from vis_projects.tracking import IoUTrackerPlus, build_tracker, build_tracker_network


def test_empty_frames_before_between_and_after():
    tracker = IoUTrackerPlus()
    empty = tracker.update(detections())
    assert len(empty) == 0 and empty.pred_ids.dtype == torch.int64
    assert ids(tracker, square(0)) == [0]
    assert ids(tracker) == [] and ids(tracker) == []
    assert ids(tracker, square(0)) == [0]


def test_the_minimum_overlap():
    # squares of side 20 that are d apart: IoU = (20 - d) / (20 + d), at least 0.3 up to d = 140 / 13 = 10.77
    for distance, expected in ((10.7, [0]), (10.8, [1])):
        tracker = IoUTrackerPlus()
        assert ids(tracker, square(0)) == [0]
        assert ids(tracker, square(distance)) == expected


def test_a_far_track_of_the_same_class_does_not_hide_a_near_one_of_another():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0, label=1), square(300, label=2)) == [0, 1]
    # the far one scores 10 with class alone, the near one 2 IoU = 2 * 18 / 22, but only the near one may be taken
    assert ids(tracker, square(2, label=2)) == [0]
    assert tracker.memory.labels.tolist() == [1, 2]  # the first class is remembered


def test_class_decides_between_two_that_may_be_taken():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0, label=1), square(8, label=2)) == [0, 1]
    # IoU 16 / 24 with track 0, 1 with ... 16 / 24 with track 1; class 2: 10 more for track 1
    assert ids(tracker, square(4, label=2)) == [1]
    flat = IoUTrackerPlus(match_coeff=(1.0, 2.0, 0.0))
    assert ids(flat, square(0, label=1), square(8, label=2)) == [0, 1]
    assert ids(flat, square(3, label=2)) == [0]  # 17 / 23 against 15 / 25


def test_the_better_score_keeps_the_track_and_the_other_is_dropped():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0)) == [0]
    kept = tracker.update(detections(square(0, score=0.3), square(1, score=0.9)))
    # log 0.3 + 2 = 0.80 against log 0.9 + 2 * 19 / 21 = 1.70, with 10 for the class on both sides
    assert kept.pred_ids.tolist() == [0] and kept.scores.tolist() == pytest.approx([0.9])
    without_score = IoUTrackerPlus(match_coeff=(0.0, 2.0, 10.0))
    assert ids(without_score, square(0)) == [0]
    kept = without_score.update(detections(square(0, score=0.3), square(1, score=0.9)))
    assert kept.scores.tolist() == pytest.approx([0.3])


def test_crossing_objects_swap():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0), square(40)) == [0, 1]
    assert ids(tracker, square(10), square(30)) == [0, 1]  # IoU 1/3 with its own, 0 with the other
    # both at 20: 1/3 with both tracks; the tie goes to the lower one, which both want, and the first row wins
    assert ids(tracker, square(20), square(20)) == [0]
    # track 0 is remembered at 20, track 1 still at 30, where now the first object is
    assert ids(tracker, square(30), square(10)) == [1, 0]


def test_occlusion_and_return():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0), square(100)) == [0, 1]
    for _ in range(20):
        assert ids(tracker, square(0)) == [0]
    assert ids(tracker, square(0), square(105)) == [0, 1]  # where it was: the memory finds it
    assert ids(tracker, square(0), square(130)) == [0, 2]  # moved on by more than its overlap: somebody new


def test_lookalikes_are_told_apart_by_place_alone():
    tracker = IoUTrackerPlus()
    assert ids(tracker, square(0), square(25), square(50)) == [0, 1, 2]
    assert ids(tracker, square(55), square(5), square(30)) == [2, 0, 1]


def test_retained_frames():
    tracker = IoUTrackerPlus(retain_frames=2)
    assert ids(tracker, square(0)) == [0]
    assert ids(tracker) == [] and ids(tracker, square(0)) == [0]
    assert ids(tracker) == [] and ids(tracker) == []
    assert ids(tracker, square(0)) == [1]
    assert len(tracker.memory) == 1


def test_memory_label_latest():
    tracker = IoUTrackerPlus(memory_label="latest")
    ids(tracker, square(0, label=1)), ids(tracker, square(0, label=2))
    assert tracker.memory.labels.tolist() == [2]


def test_300_objects():
    tracker = IoUTrackerPlus()
    assert ids(tracker, *grid(300)) == list(range(300))
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0)).tolist()
    moved = grid(300, shift=2.0)
    assert ids(tracker, *(moved[k] for k in order)) == order


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1), st.integers(0, 2)), max_size=5), max_size=5))
@settings(max_examples=60, deadline=None)
def test_ids_are_unique_in_a_frame_and_count_up(frames):
    tracker, seen = IoUTrackerPlus(), set()
    for frame in frames:
        found = ids(tracker, *(square(8 * x, score=s, label=c) for x, s, c in frame))
        assert len(set(found)) == len(found)
        new = sorted(set(found) - seen)
        assert new == list(range(len(seen), len(seen) + len(new)))
        seen.update(found)


def test_nan_is_refused():
    tracker = IoUTrackerPlus()
    ids(tracker, square(0))
    with pytest.raises(FloatingPointError, match="detections \\[1\\]"):
        ids(tracker, square(0), square(float("nan")))
    with pytest.raises(FloatingPointError):
        ids(IoUTrackerPlus(), square(0, score=float("nan")))


@pytest.mark.parametrize(
    "key, value",
    [("MATCH_COEFF", (1.0, 2.0)), ("MIN_IOU", 0.0), ("MEMORY_LABEL", "best"), ("RETAIN_FRAMES", -1)],
)
def test_settings_are_checked(key, value):
    cfg = get_vis_cfg()
    cfg.MODEL.VIS.TRACKER.NAME = "IoUTrackerPlus"
    assert build_tracker_network(cfg) is None
    assert build_tracker(cfg).min_iou == 0.3
    cfg.MODEL.IOU_TRACKER[key] = value
    with pytest.raises(ValueError, match=f"MODEL.IOU_TRACKER.{key}"):
        build_tracker(cfg)
