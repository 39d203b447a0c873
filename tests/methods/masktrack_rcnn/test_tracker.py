"""The tracker's rules: the worked walk-through, conflicts, memory, switches. No network needed."""

import math

import pytest
import torch
from detectron2.config import CfgNode
from detectron2.structures import Boxes, Instances
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.methods.masktrack_rcnn import MaskTrackRCNNTracker, add_masktrack_config
from vis_projects.structures import VideoResultsBuilder

SIZE = (400, 400)
LEFT, RIGHT, FAR = (10, 10, 49, 49), (100, 20, 139, 79), (300, 300, 340, 340)
ROWS = st.tuples(st.sampled_from([LEFT, RIGHT, FAR]), st.floats(0.05, 1), st.integers(0, 2))


def detections(*rows):
    """Rows (box, score, class) or (box, score, class, embedding); the embedding is zero by default."""
    found = Instances(SIZE)
    found.pred_boxes = Boxes(torch.tensor([r[0] for r in rows], dtype=torch.float32).reshape(-1, 4))
    found.scores = torch.tensor([float(r[1]) for r in rows])
    found.pred_classes = torch.tensor([r[2] for r in rows], dtype=torch.int64)
    embeddings = [r[3] if len(r) > 3 else (0.0, 0.0) for r in rows]
    found.track_embeddings = torch.tensor(embeddings, dtype=torch.float32).reshape(-1, 2)
    return found


def ids(tracker, *rows):
    return tracker.update(detections(*rows)).pred_ids.tolist()


def test_empty_frames_before_between_and_after():
    tracker = MaskTrackRCNNTracker()
    empty = tracker.update(detections())
    assert len(empty) == 0 and empty.pred_ids.dtype == torch.int64
    assert ids(tracker, (LEFT, 0.9, 3)) == [0]
    assert ids(tracker) == [] and ids(tracker) == []
    assert ids(tracker, (LEFT, 0.9, 3)) == [0]


def test_walk_through():
    tracker = MaskTrackRCNNTracker()
    assert ids(tracker, (LEFT, 0.9, 3), (RIGHT, 0.8, 5)) == [0, 1]
    a, b = ((12, 12, 51, 51), 0.5, 3), (LEFT, 0.7, 3)
    c, d = ((101, 20, 140, 79), 0.6, 5), (FAR, 0.6, 9)
    kept = tracker.update(detections(a, b, c, d))
    # a and b want track 0. b lies exactly on it and scores higher, so a is dropped.
    assert kept.pred_ids.tolist() == [0, 1, 2]
    assert kept.scores.tolist() == pytest.approx([0.7, 0.6, 0.6])
    assert kept.pred_boxes.tensor[0].tolist() == list(LEFT)
    assert tracker.memory.boxes[0].tolist() == list(LEFT)
    # Another class at the same place: 10 for "new" against 2 IoU = 2 for the track.
    assert ids(tracker, (LEFT, 0.9, 7)) == [3]
    assert tracker.memory.labels.tolist() == [3, 5, 9, 7]
    before = tracker.memory.boxes.clone()
    assert ids(tracker) == []
    assert torch.equal(tracker.memory.boxes, before) and len(tracker.memory) == 4


def test_walk_through_of_the_video_result():
    builder = VideoResultsBuilder(1, *SIZE)
    for score, label in ((0.9, 3), (0.5, 7)):
        frame = detections((LEFT, score, label))
        frame.pred_ids, frame.pred_masks = torch.tensor([0]), torch.ones(1, *SIZE, dtype=torch.bool)
        builder.add_frame(frame)
    empty = detections()
    empty.pred_ids, empty.pred_masks = torch.zeros(0, dtype=torch.int64), torch.zeros(0, *SIZE, dtype=torch.bool)
    builder.add_frame(empty)
    (record,) = builder.finish().to_records(category_ids=range(1, 41))
    # (0.9 + 0.5) / 2; one vote each for contiguous 3 and 7, the tie goes to 3, whose json id is 4
    assert record["score"] == pytest.approx(0.7) and record["category_id"] == 4
    assert [s is None for s in record["segmentations"]] == [False, False, True]


def test_same_class_matches_when_appearance_plus_twice_iou_is_positive():
    # f_i . f_n + 2 IoU > 0: with IoU 1 the product must exceed -2.
    for product, expected in ((-1.9, [0]), (-2.1, [1])):
        tracker = MaskTrackRCNNTracker()
        ids(tracker, (LEFT, 0.9, 3, (1.0, 0.0)))
        assert ids(tracker, (LEFT, 0.2, 3, (product, 0.0))) == expected


def test_other_class_matches_when_appearance_plus_twice_iou_exceeds_ten():
    for product, expected in ((8.1, [0]), (7.9, [1])):
        tracker = MaskTrackRCNNTracker()
        ids(tracker, (LEFT, 0.9, 3, (1.0, 0.0)))
        assert ids(tracker, (LEFT, 0.2, 4, (product, 0.0))) == expected


def test_object_that_returns_is_found_by_its_looks():
    tracker = MaskTrackRCNNTracker()
    ids(tracker, (LEFT, 0.9, 3, (4.0, 0.0)), (RIGHT, 0.9, 3, (0.0, 4.0)))
    for _ in range(50):
        ids(tracker, (RIGHT, 0.9, 3, (0.0, 4.0)))
    assert ids(tracker, (FAR, 0.9, 3, (4.0, 0.0))) == [0]


def test_memory_holds_the_latest_looks_and_place():
    tracker = MaskTrackRCNNTracker()
    ids(tracker, (LEFT, 0.9, 3, (1.0, 0.0)))
    ids(tracker, (RIGHT, 0.9, 3, (2.0, 1.0)))
    assert tracker.memory.embeddings.tolist() == [[2.0, 1.0]]
    assert tracker.memory.boxes.tolist() == [list(RIGHT)]


def test_remembered_class_is_the_first_or_the_latest():
    for choice, expected in (("first", 3), ("latest", 4)):
        tracker = MaskTrackRCNNTracker(memory_label=choice)
        ids(tracker, (LEFT, 0.9, 3, (4.0, 0.0)))
        assert ids(tracker, (LEFT, 0.9, 4, (4.0, 0.0))) == [0]  # 16 + 2 > 10
        assert tracker.memory.labels.tolist() == [expected]


def test_tracks_are_forgotten_after_the_retained_frames_and_ids_go_on():
    for gap, expected in ((2, [0]), (3, [1])):
        tracker = MaskTrackRCNNTracker(retain_frames=2)
        ids(tracker, (LEFT, 0.9, 3))
        for _ in range(gap - 1):
            ids(tracker)
        assert ids(tracker, (LEFT, 0.9, 3)) == expected
        assert len(tracker.memory) == 1


@pytest.mark.parametrize("coefficients", [(a, b, c) for a in (0, 1) for b in (0, 2) for c in (0, 10)])
def test_each_row_of_table_2_tracks(coefficients):
    tracker = MaskTrackRCNNTracker(match_coeff=coefficients)
    assert ids(tracker, (LEFT, 0.9, 3, (1.0, 0.0)), (RIGHT, 0.0, 3, (0.0, 1.0))) == [0, 1]
    assert ids(tracker, (RIGHT, 0.9, 4, (0.0, 1.0))) == ([2] if coefficients[2] else [1])


def test_without_cues_and_looks_everything_is_new():
    tracker = MaskTrackRCNNTracker(match_coeff=(0, 0, 0))
    assert [ids(tracker, (LEFT, 0.9, 3)) for _ in range(3)] == [[0], [1], [2]]


def test_constants_of_the_new_column():
    tracker = MaskTrackRCNNTracker(new_label_delta=0.0)
    ids(tracker, (LEFT, 0.9, 3))
    assert ids(tracker, (LEFT, 0.9, 7)) == [0]  # 2 IoU = 2 against 0
    tracker = MaskTrackRCNNTracker(new_iou=1.0)
    ids(tracker, (LEFT, 0.9, 3))
    assert ids(tracker, (LEFT, 0.9, 3)) == [1]  # equal scores: the lowest column, "new"


def test_legacy_box_sides_make_touching_boxes_overlap():
    touching = (49, 10, 88, 49)
    for inclusive, expected in ((False, [1]), (True, [0])):
        tracker = MaskTrackRCNNTracker(inclusive_box_iou=inclusive)
        ids(tracker, (LEFT, 0.9, 3))
        assert ids(tracker, (touching, 0.9, 3)) == expected


def test_input_is_not_changed_and_later_changes_of_it_do_not_reach_the_memory():
    tracker, frame = MaskTrackRCNNTracker(), detections((LEFT, 0.9, 3))
    kept = tracker.update(frame)
    assert not frame.has("pred_ids")
    frame.pred_boxes.tensor.fill_(0), kept.pred_boxes.tensor.fill_(0)
    assert tracker.memory.boxes.tolist() == [list(LEFT)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(ROWS, max_size=4), max_size=6))
def test_ids_of_a_frame_are_unique_and_new_ones_count_up(frames):
    tracker, seen = MaskTrackRCNNTracker(), 0
    for k, rows in enumerate(frames):
        given_ids = ids(tracker, *rows)
        assert len(set(given_ids)) == len(given_ids) and -1 not in given_ids
        fresh = [i for i in given_ids if i >= seen]
        assert fresh == list(range(seen, seen + len(fresh)))
        seen += len(fresh)
        if k == 0:
            assert given_ids == list(range(len(rows)))


def test_permuted_detections_get_the_same_ids():
    rows = [((12, 12, 51, 51), 0.5, 3), (LEFT, 0.7, 3), ((101, 20, 140, 79), 0.6, 5)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        tracker = MaskTrackRCNNTracker()
        ids(tracker, (LEFT, 0.9, 3), (RIGHT, 0.8, 5))
        kept = tracker.update(detections(*(rows[k] for k in order)))
        assert dict(zip(kept.pred_ids.tolist(), kept.scores.tolist())) == pytest.approx({0: 0.7, 1: 0.6})


def test_memory_does_not_grow_with_the_video():
    tracker = MaskTrackRCNNTracker()
    for _ in range(200):
        ids(tracker, (LEFT, 0.9, 3), (RIGHT, 0.8, 5))
    assert len(tracker.memory) == 2 and tracker.memory.embeddings.shape == (2, 2)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("first_frame", [True, False])
def test_embeddings_that_are_not_finite_are_refused(bad, first_frame):
    tracker = MaskTrackRCNNTracker()
    if not first_frame:
        ids(tracker, (LEFT, 0.9, 3))
    with pytest.raises(FloatingPointError, match=r"detections \[0\]"):
        ids(tracker, (LEFT, 0.9, 3, (bad, 0.0)))


def test_missing_field_is_named():
    frame = detections((LEFT, 0.9, 3))
    frame.remove("track_embeddings")
    with pytest.raises(KeyError, match="track_embeddings"):
        MaskTrackRCNNTracker().update(frame)


@pytest.mark.parametrize(
    "wrong, key",
    [
        ({"match_coeff": (1, 2)}, "MATCH_COEFF"),
        ({"memory_label": "last"}, "MEMORY_LABEL"),
        ({"retain_frames": -1}, "RETAIN_FRAMES"),
    ],
)
def test_wrong_settings_name_their_key(wrong, key):
    with pytest.raises(ValueError, match=key):
        MaskTrackRCNNTracker(**wrong)


def test_config_sets_every_switch():
    cfg = CfgNode({"MODEL": {}})
    add_masktrack_config(cfg)
    cfg.MODEL.MASKTRACK.MATCH_COEFF = (0.0, 1.0, 2.0)
    cfg.MODEL.MASKTRACK.MEMORY_LABEL = "latest"
    cfg.MODEL.MASKTRACK.RETAIN_FRAMES = 20
    tracker = MaskTrackRCNNTracker(cfg)
    assert tracker.match_coeff == (0.0, 1.0, 2.0)
    assert (tracker.memory_label, tracker.retain_frames) == ("latest", 20)
