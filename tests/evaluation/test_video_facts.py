import json

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.video_facts import VideoFacts

A, B = [bar(0, 5)] * 4, [bar(5, 10)] * 4


def test_classes_are_followed_apart_and_weak_tracks_take_no_part():
    gt = ground_truth([truth(1, A), truth(2, B, category=2)], categories=(1, 2, 3))
    results = [found(A, 0.9), found(B, 0.8, category=1), found(B, 0.29, category=2), found(A, 0.3, category=3)]
    facts = loaded_world(results, gt).facts[1]
    assert list(facts.tracking) == [1, 2, 3]
    # class 1: its object and a false track of 4 frames; class 2: the object missed; class 3: a false track
    counts = {c: (s.hota.tp[0], s.hota.fn[0], s.hota.fp[0]) for c, s in facts.tracking.items()}
    assert counts == {1: (4, 0, 4), 2: (0, 4, 0), 3: (0, 0, 4)}
    assert facts.pairs.track_iou.shape == (4, 2), "pairs know all tracks"
    lower = loaded_world(results, gt, track_score=0.2).facts[1]
    assert lower.tracking[2].hota.tp[0] == 4


def test_through_json_and_back():
    gt = ground_truth([truth(1, A), truth(2, B, category=2)], categories=(1, 2))
    facts = loaded_world([found(A, 0.9), found(A, 0.8, category=2)], gt).facts[1]
    again = VideoFacts.from_json(json.loads(json.dumps(facts.to_json())))
    assert again.to_json() == facts.to_json() and list(again.tracking) == [1, 2]
