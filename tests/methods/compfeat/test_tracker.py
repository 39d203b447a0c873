"""The tracker's rules with scores from a track head."""

import pytest
import torch
from detectron2.structures import Boxes, Instances
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.methods.compfeat.clips import small_config
from vis_projects.methods.compfeat import CompFeatTracker
from vis_projects.tracking import match_log_probs

NO_CUES = (0.0, 0.0, 0.0)


def detections(logits, score=0.9):
    """n detections at one place with rows of logits against the memory; RoI features (n, 2, 3, 3)."""
    found, n = Instances((40, 40)), len(logits)
    found.pred_boxes = Boxes(torch.tensor([[0.0, 0, 10, 10]]).repeat(n, 1))
    found.scores, found.pred_classes = torch.full((n,), score), torch.zeros(n, dtype=torch.int64)
    found.track_logits = torch.tensor(logits, dtype=torch.float32).reshape(n, -1)
    found.memory_looks = torch.arange(n * 18.0).reshape(n, 2, 3, 3)
    return found


def empty(tracks):
    found = detections([[0.0] * (1 + tracks)])
    return found[torch.zeros(1, dtype=torch.bool)]


def test_frames_without_detections():
    tracker = CompFeatTracker(match_coeff=NO_CUES)
    assert len(tracker.update(empty(0))) == 0 and len(tracker.recall()) == 0
    tracker.update(detections([[0.0]]))
    assert len(tracker.update(empty(1))) == 0 and len(tracker.recall()) == 1


def test_everything_in_the_first_frame_is_new():
    kept = CompFeatTracker().update(detections([[0.0]] * 3))
    assert kept.pred_ids.tolist() == [0, 1, 2]


def test_without_cues_the_largest_score_wins_and_losers_go():
    tracker = CompFeatTracker(match_coeff=NO_CUES)
    tracker.update(detections([[0.0], [0.0]]))
    # rows 0 and 1 want track 1, row 1 more so; row 2 scores below 0 everywhere and is new
    kept = tracker.update(detections([[0.0, -1.0, 2.0], [0.0, -1.0, 3.0], [0.0, -2.0, -1.0]]))
    assert kept.pred_ids.tolist() == [1, 2]
    assert torch.equal(tracker.memory.embeddings[1], kept.memory_looks[0])  # the template is the latest one


def test_chances_of_a_row_sum_to_one():
    chances = match_log_probs(detections([[0.0, -1.0, 2.0], [0.0, 5.0, 3.0]]).track_logits).exp()
    torch.testing.assert_close(chances.sum(1), torch.ones(2))


def test_the_memory_keeps_the_shape_of_templates_and_forgets():
    tracker = CompFeatTracker(retain_frames=2)
    tracker.update(detections([[0.0], [0.0]]))
    assert tracker.recall().embeddings.shape == (2, 2, 3, 3)
    tracker.update(empty(2)), tracker.update(empty(2))
    assert len(tracker.recall()) == 0  # three frames later they are too old; scores have to be made without them
    assert tracker.update(detections([[0.0]])).pred_ids.tolist() == [2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 99))
def test_ids_of_a_frame_are_unique_and_count_up(counts, seed):
    tracker, rng, seen = CompFeatTracker(), torch.Generator().manual_seed(seed), 0
    for count in counts:
        columns = 1 + len(tracker.recall())
        table = torch.randn(count, columns, generator=rng) * 3
        frame = detections(table.tolist()) if count else empty(columns - 1)
        ids = tracker.update(frame).pred_ids.tolist()
        assert len(set(ids)) == len(ids) and -1 not in ids
        fresh = [i for i in ids if i >= seen]
        assert fresh == list(range(seen, seen + len(fresh)))
        seen += len(fresh)


def test_scores_of_another_memory_are_refused():
    tracker = CompFeatTracker()
    tracker.update(detections([[0.0]]))
    with pytest.raises(ValueError, match="2 columns|3 columns"):
        tracker.update(detections([[0.0, 1.0, 1.0]]))


def test_a_missing_field_and_broken_features_are_named():
    frame = detections([[0.0]])
    frame.remove("track_logits")
    with pytest.raises(KeyError, match="track_logits"):
        CompFeatTracker().update(frame)
    frame = detections([[0.0]])
    frame.memory_looks[0, 1, 2, 2] = float("nan")
    with pytest.raises(FloatingPointError, match="checkpoint"):
        CompFeatTracker().update(frame)


def test_config_sets_every_switch():
    cfg = small_config("MODEL.COMPFEAT.TRACK.MATCH_COEFF", (0.0, 1.0, 2.0), "MODEL.COMPFEAT.TRACK.RETAIN_FRAMES", 20)
    tracker = CompFeatTracker(cfg)
    assert (tracker.match_coeff, tracker.retain_frames, tracker.memory_label) == ((0.0, 1.0, 2.0), 20, "first")
    with pytest.raises(ValueError, match="MODEL.COMPFEAT.TRACK.MATCH_COEFF"):
        CompFeatTracker(match_coeff=(1, 2))
