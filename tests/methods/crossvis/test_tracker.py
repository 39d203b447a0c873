"""The fact sheet's vectors 8.9 and 8.10, and the edges of CrossVIS's association."""

import pytest
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.methods.crossvis import CrossVISTracker


def detections(*rows, scores=None) -> Instances:
    """rows of (embedding, box, class)."""
    found = Instances((100, 100))
    found.pred_boxes = Boxes(torch.tensor([r[1] for r in rows], dtype=torch.float32).reshape(-1, 4))
    found.track_embeddings = torch.tensor([r[0] for r in rows], dtype=torch.float32).reshape(len(rows), -1)
    found.pred_classes = torch.tensor([r[2] for r in rows], dtype=torch.int64)
    found.scores = torch.linspace(0.9, 0.5, len(rows)) if scores is None else torch.tensor(scores)
    return found


A = ((1.0, 2, 2), (0.0, 0, 10, 10), 1)


def test_similarity_by_hand():
    tracker = CrossVISTracker()
    tracker.update(detections(A))
    # (1, 2, 2) . (2, 1, -2) = 0; boxes (0, 0, 10, 10) and (5, 0, 15, 10): 50 / 150
    same = tracker.similarities(detections(((2.0, 1, -2), (5.0, 0, 15, 10), 1), A, ((2.0, 1, -2), (5.0, 0, 15, 10), 2)))
    assert same[:, 0].tolist() == pytest.approx([1 / 3, 2.0, -1.0], abs=1e-6)


def test_the_first_frame_starts_tracks_in_score_order_and_an_empty_one_nothing():
    tracker = CrossVISTracker()
    assert len(tracker.update(detections(A)[torch.zeros(0, dtype=torch.int64)])) == 0
    assert tracker.update(detections(A, A, A)).pred_ids.tolist() == [0, 1, 2]


def test_losers_are_dropped_and_strangers_start_tracks():
    # T0 of class 1, T1 of class 2
    tracker = CrossVISTracker()
    far = (50.0, 50, 60, 60)
    tracker.update(detections(((1.0, 0), (0.0, 0, 10, 10), 1), ((0.0, 1), far, 2)))
    angle = (0.9, (1 - 0.81) ** 0.5)
    kept = tracker.update(detections(
        (angle, (20.0, 20, 30, 30), 1),  # 0.9 to T0
        ((0.9, -angle[1]), (0.0, 0, 10, 3), 1),  # 0.9 + 30 / 100 = 1.2 to T0: wins
        ((0.0, 1), far, 3),
    ))
    assert kept.pred_ids.tolist() == [0, 2] and kept.pred_classes.tolist() == [1, 3]


@pytest.mark.parametrize(("cosine", "expected"), [(0.4, 0), (0.399, 1)])
def test_a_similarity_equal_to_the_threshold_matches(cosine, expected):
    tracker = CrossVISTracker(use_iou=False)
    tracker.update(detections(((1.0, 0), (0.0, 0, 10, 10), 1)))
    row = ((cosine, (1 - cosine**2) ** 0.5), (0.0, 0, 10, 10), 1)
    tracker.similarities = lambda instances: torch.tensor([[cosine]])  # no rounding of the product in between
    assert tracker.update(detections(row)).pred_ids.tolist() == [expected]


def test_of_equal_tracks_the_lowest_id_is_taken():
    tracker = CrossVISTracker()
    tracker.update(detections(A, A))
    assert tracker.update(detections(A)).pred_ids.tolist() == [0]


def test_a_track_is_compared_by_its_last_sight_and_not_forgotten_unless_asked_for():
    tracker = CrossVISTracker(use_iou=False)
    tracker.update(detections(((1.0, 0), (0.0, 0, 10, 10), 1)))
    tracker.update(detections(((0.6, 0.8), (0.0, 0, 10, 10), 1)))  # cos 0.6: same track
    for _ in range(50):
        tracker.update(detections(((0.0, 0), A[1], 1))[torch.zeros(0, dtype=torch.int64)])
    # cos 0 to the first sight, 0.8 to the last
    assert tracker.update(detections(((0.0, 1), (0.0, 0, 10, 10), 1))).pred_ids.tolist() == [0]


def test_similarity_to_a_longer_memory_is_the_mean_over_the_sights_so_far():
    tracker, box = CrossVISTracker(memory_len=2, match_threshold=-0.5), A[1]
    probe = detections(((1.0, 0), box, 1))

    def seen(embedding, box):
        assert tracker.update(detections((embedding, box, 1))).pred_ids.tolist() == [0]
        return float(tracker.similarities(probe))

    # cosine and IoU of the probe with each sight: 1 + 1; 3/5 + 0; 0 + 50/150
    assert seen((2.0, 0), box) == pytest.approx(2)
    assert seen((3.0, 4), (50.0, 0, 60, 10)) == pytest.approx((2 + 3 / 5) / 2)
    assert seen((0.0, 1), (5.0, 0, 15, 10)) == pytest.approx((3 / 5 + 1 / 3) / 2)  # the first sight is gone
    # of two tracks each has its own memory
    assert tracker.update(detections(((0.0, 1), box, 2))).pred_ids.tolist() == [1]
    assert tracker.similarities(probe)[0].tolist() == pytest.approx([(3 / 5 + 1 / 3) / 2, -1.0])
    with pytest.raises(ValueError, match="MODEL.CROSSVIS.MEMORY_LEN is 0"):
        CrossVISTracker(memory_len=0)


@pytest.mark.parametrize("memory_len", [1, 3])
def test_a_track_is_forgotten_in_time_if_asked_for(memory_len):
    tracker = CrossVISTracker(retain_frames=2, memory_len=memory_len)
    none = detections(A)[torch.zeros(0, dtype=torch.int64)]
    assert tracker.update(detections(A)).pred_ids.tolist() == [0]
    tracker.update(none)
    assert tracker.update(detections(A)).pred_ids.tolist() == [0]
    tracker.update(none), tracker.update(none)
    assert tracker.update(detections(A)).pred_ids.tolist() == [1] and len(tracker.memory) == 1


def test_switches():
    tracker = CrossVISTracker(class_gate=False)
    tracker.update(detections(A))
    assert tracker.update(detections((A[0], A[1], 2))).pred_ids.tolist() == [0]
    tracker = CrossVISTracker(match_threshold=1.5)
    tracker.update(detections(A))
    assert tracker.update(detections((A[0], (50.0, 0, 60, 10), 1))).pred_ids.tolist() == [1]


def test_what_is_broken_is_named():
    broken = detections(A)
    broken.remove("track_embeddings")
    with pytest.raises(KeyError, match="track_embeddings"):
        CrossVISTracker().update(broken)
    tracker = CrossVISTracker()
    with pytest.raises(FloatingPointError, match="not finite"):
        tracker.update(detections(((float("nan"), 0, 0), A[1], 1)))
    tracker = CrossVISTracker()
    tracker.update(detections(A))
    with pytest.raises(FloatingPointError, match="not finite"):
        tracker.update(detections(((float("nan"), 0, 0), A[1], 1)))
