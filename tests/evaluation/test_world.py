import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, random_world, truth, world_json
from vis_projects.evaluation import EvalParams, evaluate_json
from vis_projects.evaluation.summary import range_stats
from vis_projects.evaluation.track_iou import video_ious

A, B = [bar(0, 5)] * 4, [bar(5, 10)] * 4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_whole_scores_as_evaluate_json_does(seed):
    gt, results = world_json(random_world(seed), seed)
    assume(gt["annotations"])
    world = loaded_world(results, gt)
    for cell in (cell for category in world.truth.categories for cell in world.cells(category)):
        assert (cell.ious == video_ious(cell.detections, cell.truths)).all(), "the same to the last bit"
    curves, counts = world.score(EvalParams())
    expected = evaluate_json(results, gt)
    for mine, theirs in zip(curves, (expected.precision, expected.recall, expected.scores)):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    assert counts == list(expected.num_truth.values())


def test_tracks_of_a_video_keep_their_places():
    gt = ground_truth([truth(1, A, category=2), truth(2, B, category=1), truth(3, B, category=2)], categories=(1, 2))
    world = loaded_world([found(B, 0.3), found(A, 0.9, category=2), found(B, 0.8)], gt)
    detections, truths = world.video_tracks(1)
    assert [(t.category_id, t.score) for t in detections] == [(1, 0.8), (1, 0.3), (2, 0.9)]
    assert [t.annotation_id for t in truths] == [2, 1, 3]
    (cell,) = world.cells(2)
    assert cell.rows.tolist() == [2] and cell.columns.tolist() == [1, 2] and cell.ious.tolist() == [[1, 0]]
    assert [t.annotation_id for t in cell.truths] == [1, 3]


def test_some_videos():
    gt = ground_truth([truth(1, A, video=1), truth(2, A, video=2)], videos=3)
    world = loaded_world([found(A, video=1), found(B, video=2)], gt)
    assert world.video_ids() == [1, 2], "video 3 is empty"
    for videos, ap, count in (({1}, 1, 1), ({2}, 0, 1), ({3}, -1, 0)):
        (precision, recall, _), counts = world.score(EvalParams(), video_ids=videos)
        assert range_stats(precision, recall, EvalParams())["AP"] == pytest.approx(ap) and counts == [count]


def test_tracks_that_are_not_selected_are_ignored_not_removed():
    # two objects, both found, one of them with the higher score; and one wrong detection in between
    gt = ground_truth([truth(1, A), truth(2, B)])
    world = loaded_world([found(A, 0.9), found([bar(2, 4)] * 4, 0.8), found(B, 0.7)], gt)
    params = EvalParams()
    for chosen, ap in ((1, 1), (2, 1 / 2)):  # of object 2: one wrong before the right one, object 1 plays no part
        (precision, recall, _), counts = world.score(params, selected=lambda t, k=chosen: t.annotation_id == k)
        assert range_stats(precision, recall, params)["AP"] == pytest.approx(ap) and counts == [1]
    # an ignored object is matched once; a second find of it is wrong
    world = loaded_world([found(A, 0.9), found(A, 0.8), found(B, 0.7)], gt)
    (precision, recall, _), _ = world.score(params, selected=lambda t: t.annotation_id == 2)
    assert range_stats(precision, recall, params)["AP"] == pytest.approx(1 / 2)


def test_a_video_without_a_stated_length_is_as_long_as_its_annotations():
    gt = ground_truth([truth(1, A)])
    del gt["videos"][0]["length"]
    assert loaded_world([found(A)], gt).facts[1].tracking[1].scores()["HOTA"] == 1
