"""SeqTracker on hand-made videos with worked ids."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.scenes import detections, grid, square
from vis_projects.config import get_vis_cfg
from vis_projects.tracking import OfflineTracker, SeqTracker, build_tracker, build_tracker_network, is_offline


def track(frames, **kwargs):
    """pred_ids of each frame of rows."""
    found = SeqTracker(**{"min_length": 2, **kwargs}).track([detections(*rows) for rows in frames])
    return [frame.pred_ids.tolist() for frame in found]


def test_nothing_to_track():
    assert track([]) == []
    assert track([[], []]) == [[], []]


def test_the_best_track_comes_first():
    # three frames each; the second square has the better scores
    frames = [[square(0, 0.6), square(100, 0.9)]] * 3
    assert track(frames) == [[1, 0]] * 3


def test_short_tracks_are_left_out_with_their_detections():
    video = [[square(0), square(100)]] * 7 + [[square(0)]]
    found = SeqTracker().track([detections(*rows) for rows in video])
    # 8 frames of the first, 7 of the second
    assert [frame.pred_ids.tolist() for frame in found] == [[0]] * 8
    assert [frame.pred_boxes.tensor[:, 0].tolist() for frame in found] == [[0.0]] * 8
    assert track(video, min_length=7) == [[0, 1]] * 7 + [[0]]


def test_the_search_ends_with_the_first_best_track_that_is_too_short():
    # the certain pair at 100: log 1 twice and one link of 2 + 10; the three of another class each: 3 log 0.3 + 2 * 2
    video = [[square(0, 0.3, label=t)] for t in range(3)]
    video[0].append(square(100, 1.0)), video[1].append(square(100, 1.0))
    assert track(video, min_length=2) == [[1, 0], [1, 0], [1]]
    # the paper's rule stops at the pair, although a track of three is left
    assert track(video, min_length=3) == [[], [], []]


def test_crossing_objects_of_two_classes():
    # at frame 2 both are at the same place: the class is what the tracks agree on
    left = [square(10.0 * t, label=1) for t in range(5)]
    right = [square(40 - 10.0 * t, label=2) for t in range(5)]
    found = track([[a, b] for a, b in zip(left, right)])
    assert found == [[0, 1]] * 5


def test_occlusion_and_return():
    video = [[square(0)]] * 3 + [[]] * 4 + [[square(5)]] * 3
    assert track(video) == [[0]] * 3 + [[]] * 4 + [[0]] * 3
    # without gaps there are two tracks; both score the same, the earlier one is first
    assert track(video, max_gap_frames=0) == [[0]] * 3 + [[]] * 4 + [[1]] * 3
    assert track(video, max_gap_frames=3) == track(video, max_gap_frames=0)
    assert track(video, max_gap_frames=4) == track(video)


def test_lookalikes_with_one_frame_empty():
    video = [[square(0), square(30)], [square(32), square(2)], [], [square(4), square(34)]]
    found = track(video)
    assert found == [[0, 1], [1, 0], [], [0, 1]]


def test_300_objects():
    video = [grid(300, shift=float(t)) for t in range(3)]
    found = track(video)
    assert sorted(found[0]) == list(range(300)) and found[1] == found[0] and found[2] == found[0]


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.floats(0.01, 1), st.integers(0, 1)), max_size=4), max_size=6))
@settings(max_examples=60, deadline=None)
def test_every_id_is_a_track_of_its_length(frames):
    video = [detections(*(square(4.0 * x, s, c) for x, s, c in frame)) for frame in frames]
    found = SeqTracker(min_length=2).track(video)
    assert len(found) == len(video)
    counts = {}
    for before, after in zip(video, found):
        row_ids = after.pred_ids.tolist()
        assert len(set(row_ids)) == len(row_ids) <= len(before)
        for k in row_ids:
            counts[k] = counts.get(k, 0) + 1
    assert sorted(counts) == list(range(len(counts))) and all(count >= 2 for count in counts.values())


def test_built_from_the_config():
    cfg = get_vis_cfg()
    cfg.MODEL.VIS.TRACKER.NAME = "SeqTracker"
    assert is_offline(cfg) and build_tracker_network(cfg) is None
    tracker = build_tracker(cfg)
    assert isinstance(tracker, OfflineTracker) and tracker.min_length == 8
    cfg.MODEL.VIS.TRACKER.NAME = "IoUTrackerPlus"
    assert not is_offline(cfg)


@pytest.mark.parametrize("key, value", [("MATCH_COEFF", (1.0,)), ("MIN_IOU", 0.0), ("MAX_GAP_FRAMES", -2),
                                        ("MIN_LENGTH", 0)])
def test_settings_are_checked(key, value):
    with pytest.raises(ValueError, match=f"MODEL.SEQ_TRACKER.{key}"):
        SeqTracker(**{key.lower(): value})


def test_the_interface_asks_for_track():
    with pytest.raises(TypeError, match="track"):
        OfflineTracker()
