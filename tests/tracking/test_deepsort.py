"""DeepSORT and SORT on hand-made sequences with worked ids."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.scenes import SIZE, ColourNet, detections, grid, ids, painted, square
from vis_projects.config import get_vis_cfg
from vis_projects.tracking import DeepSORTTracker, build_tracker
from vis_projects.tracking.kalman import GATE

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
MAGENTA = (255, 0, 255)


def deepsort(**kwargs):
    return DeepSORTTracker(network=ColourNet(), **kwargs)


def seen(tracker, *objects):
    """ids of squares (x, colour) or (x, colour, row) in a frame that shows them, the first ones on top."""
    rows = [square(obj[0], *obj[2:]) for obj in objects]
    frame = painted(*[(row[0], obj[1]) for row, obj in reversed(list(zip(rows, objects)))])
    return ids(tracker, *rows, frame=frame)


@pytest.mark.parametrize("make", [deepsort, DeepSORTTracker])
def test_empty_frames_before_between_and_after(make):
    tracker = make(num_init=1)
    look = seen if make is deepsort else lambda t, *objects: ids(t, *(square(x) for x, _ in objects))
    assert look(tracker) == []
    assert look(tracker, (0, RED)) == [0]
    assert look(tracker) == [] and look(tracker) == []
    assert look(tracker, (0, RED)) == [0]
    assert look(tracker) == []


def test_one_empty_frame_deletes_what_is_not_confirmed():
    tracker = deepsort()
    assert seen(tracker, (0, RED)) == [0] and seen(tracker, (0, RED)) == [0]
    assert seen(tracker) == []
    assert seen(tracker, (0, RED)) == [1]
    assert seen(tracker, (0, RED)) == [1] and seen(tracker, (0, RED)) == [1]
    assert seen(tracker) == [] and seen(tracker, (0, RED)) == [1]


def crossing(step=5.0):
    """Two squares of one class that meet at x = 50 in frame 10 and go on."""
    return [(step * t, 100 - step * t) for t in range(21)]


@pytest.mark.parametrize("appearance", [True, False])
def test_crossing_objects_keep_their_ids(appearance):
    # at frame 10 both are at the same place; the filter knows where each is going, and the colours differ
    tracker = deepsort() if appearance else DeepSORTTracker()
    for left, right in crossing():
        if appearance:
            assert seen(tracker, (left, RED), (right, GREEN))[0] == 0
        else:
            found = ids(tracker, square(left), square(right))
            assert set(found) == {0, 1}
    assert (seen(tracker, (105, RED), (-5 + 5, GREEN)) if appearance else ids(tracker, square(105), square(0)))[0] == 0


def test_objects_that_meet_and_turn_back_keep_their_ids():
    # at the turn they overlap by half, and each one's motion points at the place of the other
    positions = [30 + 2.0 * min(t, 16 - t) for t in range(17)]
    tracker = deepsort()
    for left in positions:
        assert seen(tracker, (left, RED), (96 - left, GREEN)) == [0, 1]


def test_occlusion_and_return():
    def after_four_frames_away(*objects):
        tracker, sort = deepsort(), DeepSORTTracker()
        for t in range(6):
            assert seen(tracker, (6.0 * t, RED), (300, GREEN)) == [0, 1]
            assert ids(sort, square(6.0 * t), square(300)) == [0, 1]
        for _ in range(4):
            assert seen(tracker, (300, GREEN)) == [1]
            assert ids(sort, square(300)) == [1]
        return seen(tracker, *objects), ids(sort, *(square(x) for x, _ in objects))

    # it went on at its pace of 6 pixels to 60
    assert after_four_frames_away((60.0, RED), (300, GREEN)) == ([0, 1], [0, 1])
    # somebody who looks different stands there: SORT cannot tell
    assert after_four_frames_away((60.0, BLUE), (300, GREEN)) == ([2, 1], [0, 1])
    # the same look where no motion leads
    assert after_four_frames_away((500.0, RED), (300, GREEN)) == ([2, 1], [2, 1])


def test_another_look_at_the_right_place_waits_for_the_second_stage():
    tracker = deepsort(num_init=1)
    assert seen(tracker, (0, RED)) == [0]
    # beyond the cosine gate, but the track was seen in the frame before and overlaps
    assert seen(tracker, (1, GREEN)) == [0]
    assert seen(tracker) == []
    # two frames ago: not in the second stage any more
    assert seen(tracker, (1, BLUE)) == [1]


def test_lookalikes_are_told_apart_by_place():
    tracker = deepsort(num_init=1)
    assert seen(tracker, (0, RED), (100, RED), (200, RED)) == [0, 1, 2]
    for shift in (3, 6, 9):
        assert seen(tracker, (200 - shift, RED), (shift, RED), (100, RED)) == [2, 0, 1]


def test_the_cascade_prefers_the_track_that_was_seen_last():
    # two red tracks around the same place; one has not been seen for two frames, its gate is wider
    tracker = deepsort(num_init=1)
    assert seen(tracker, (0, RED), (8, MAGENTA)) == [0, 1]
    assert seen(tracker, (8, MAGENTA)) == [1] and seen(tracker, (8, MAGENTA)) == [1]
    # magenta is 1 - 1/sqrt(2) = 0.29 from red; a look between both is within 0.2 of both
    between = (255, 0, 106)  # 22.5 degrees: 1 - cos = 0.076 from each
    assert seen(tracker, (4, between)) == [1]
    assert seen(tracker, (4, between), (5, RED)) == [1, 0]


def test_class_gate():
    for same_class, expected in ((True, [1]), (False, [0])):
        for tracker, look in ((deepsort(same_class=same_class), seen), (DeepSORTTracker(same_class=same_class), None)):
            def show(label):
                row = (0, RED, 0.9, label)
                return look(tracker, row) if look else ids(tracker, square(0, label=label))
            assert show(1) == [0]
            assert show(2) == expected


def test_tentative_detections_can_be_left_out():
    tracker = deepsort(keep_tentative=False)
    assert seen(tracker, (0, RED)) == [] and seen(tracker, (0, RED)) == []
    assert seen(tracker, (0, RED), (100, GREEN)) == [0]


def test_detections_of_a_low_score_are_left_out():
    for tracker in (deepsort(min_score=0.3), DeepSORTTracker(min_score=0.3)):
        if tracker.needs_frame:
            tracker.see(painted())
        found = tracker.update(detections(square(0, score=0.2), square(50, score=0.3), square(100, score=0.9)))
        assert found.pred_ids.tolist() == [0, 1] and found.scores.tolist() == pytest.approx([0.3, 0.9])
        if tracker.needs_frame:
            tracker.see(painted())
        assert tracker.update(detections(square(0, score=0.2))).pred_ids.tolist() == []


def test_motion_weight_moves_the_choice_from_looks_to_place():
    # the detection in the middle looks like the first track and stands nearer to the second
    for weight, expected in ((0.0, 0), (0.9, 1)):
        tracker = deepsort(num_init=1, motion_weight=weight)
        assert seen(tracker, (0, RED), (12, (255, 60, 0))) == [0, 1]
        # 49 and 25 pixels^2 over 121/16: both within the gate of 9.49
        assert seen(tracker, (7, RED)) == [expected]


def test_300_objects():
    for tracker in (DeepSORTTracker(num_init=1), deepsort(num_init=1)):
        frame = painted(((0, 0, 600, 200), RED)) if tracker.needs_frame else None
        size = (400, 600)
        first, second = grid(300), grid(300, shift=2.0)
        order = torch.randperm(300, generator=torch.Generator().manual_seed(0)).tolist()
        frame = torch.full((3, *size), 200, dtype=torch.uint8)
        if tracker.needs_frame:
            tracker.see(frame)
        assert tracker.update(detections(*first, size=size)).pred_ids.tolist() == list(range(300))
        if tracker.needs_frame:
            tracker.see(frame)
        found = tracker.update(detections(*(second[k] for k in order), size=size))
        assert found.pred_ids.tolist() == order


def test_boxes_are_scaled_to_the_frame():
    # the output is twice the size of the network's input
    class Asked(ColourNet):
        def embed(self, frame, boxes):
            self.boxes = boxes.tolist()
            return super().embed(frame, boxes)

    network = Asked()
    tracker = DeepSORTTracker(network=network)
    tracker.see(torch.zeros(3, SIZE[0] // 2, SIZE[1] // 2, dtype=torch.uint8))
    found = detections(square(40, y=8))
    tracker.update(found)
    assert network.boxes == [[20, 4, 30, 14]]
    assert found.pred_boxes.tensor.tolist() == [[40, 8, 60, 28]]  # the input is not modified


def test_the_frame_must_be_shown_each_time():
    tracker = deepsort()
    assert tracker.needs_frame and not DeepSORTTracker().needs_frame
    seen(tracker, (0, RED))
    with pytest.raises(RuntimeError, match="see"):
        ids(tracker, square(0))


@given(st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), max_size=5), max_size=6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_ids_are_unique_in_a_frame_and_never_reused(frames, appearance):
    tracker, newest = (deepsort() if appearance else DeepSORTTracker()), -1
    dead = set()
    for frame in frames:
        if appearance:
            tracker.see(torch.full((3, *SIZE), 9, dtype=torch.uint8))
        found = ids(tracker, *(square(12 * x, label=c) for x, c in frame))
        assert len(set(found)) == len(found) == len(frame) and not dead & set(found)
        new = sorted(k for k in found if k > newest)
        assert new == list(range(newest + 1, newest + 1 + len(new)))
        newest += len(new)
        dead = set(range(newest + 1)) - set(tracker.tracks.ids.tolist())
        assert np.all(np.diff(tracker.tracks.ids) > 0)


def test_nan_is_refused():
    with pytest.raises(FloatingPointError, match="box"):
        ids(DeepSORTTracker(), square(float("nan")))

    class Broken(ColourNet):
        def embed(self, frame, boxes):
            return super().embed(frame, boxes) * float("nan")

    tracker = DeepSORTTracker(network=Broken(), num_init=1)
    seen(tracker, (0, RED))
    with pytest.raises(FloatingPointError, match="nan"):
        seen(tracker, (0, RED))


def test_built_from_the_config():
    cfg = get_vis_cfg()
    cfg.MODEL.VIS.TRACKER.NAME = "DeepSORTTracker"
    with pytest.raises(ValueError, match="needs its network, a ReIDNetwork"):
        build_tracker(cfg)
    network = ColourNet()
    tracker = build_tracker(cfg, network)
    assert tracker.network is network and tracker.max_cosine_distance == 0.2 and tracker.gallery.size == 100
    cfg.MODEL.DEEPSORT.APPEARANCE = False
    assert build_tracker(cfg).network is None
    cfg.MODEL.DEEPSORT.MOTION_WEIGHT = 2.0
    with pytest.raises(ValueError, match="MODEL.DEEPSORT.MOTION_WEIGHT"):
        build_tracker(cfg)
    assert GATE == pytest.approx(9.4877)
