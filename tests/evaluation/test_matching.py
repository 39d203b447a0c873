import numpy as np
import pytest

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.matching import match_cell
from vis_projects.evaluation.params import EvalParams

PARAMS = EvalParams(iou_thresholds=np.array([0.5]), area_ranges=(("all", 0, 100), ("small", 0, 10)))


def detections(*areas):
    return [EvalTrack(1, 1, [], np.zeros(0), area, score=1.0 - k / 10) for k, area in enumerate(areas)]


def truths(*areas, crowd=()):
    return [EvalTrack(1, 1, [], np.zeros(0), a, is_crowd=k in crowd, annotation_id=k) for k, a in enumerate(areas)]


def match(found, known, ious, **kwargs):
    """(matched, ignored) per area range, at IoU 0.5."""
    ious = np.array(ious, dtype=float).reshape(len(found), len(known))
    cell = match_cell(found, known, ious, kwargs.pop("params", PARAMS), **kwargs)
    return [(m[0].tolist(), i[0].tolist()) for m, i in zip(cell.matched, cell.ignored)], cell.num_truth.tolist()


def test_nothing():
    assert match([], [], []) == ([([], []), ([], [])], [0, 0])
    assert match([], truths(5, 50), []) == ([([], []), ([], [])], [2, 1])


def test_without_ground_truth_only_the_area_decides():
    outcome, _ = match(detections(5, 50), [], [])
    assert outcome == [([False, False], [False, False]), ([False, False], [False, True])]


@pytest.mark.parametrize("iou, matched", [(0.5, True), (np.nextafter(0.5, 0), False)])
def test_the_threshold_itself_is_enough(iou, matched):
    assert match(detections(5), truths(5), [[iou]])[0][0] == ([matched], [False])


def test_a_threshold_of_one_leaves_room_for_rounding():
    params = EvalParams(iou_thresholds=np.array([1.0]), area_ranges=(("all", 0, 100),))
    assert match(detections(5, 5), truths(5, 5), np.eye(2) - 1e-11, params=params)[0] == [([True, True], [False] * 2)]


def test_the_last_of_equal_overlaps_wins():
    # the first detection takes ground truth 1, so that the second one, which reaches only 0, finds it free
    assert match(detections(5, 5), truths(5, 5), [[0.7, 0.7], [0.6, 0]])[0][0] == ([True, True], [False, False])
    assert match(detections(5, 5), truths(5, 5), [[0.7, 0.7], [0, 0.6]])[0][0] == ([True, False], [False, False])


def test_a_ground_truth_is_taken_once_by_the_better_score():
    assert match(detections(5, 5), truths(5), [[0.6], [0.9]])[0][0] == ([True, False], [False, False])


def test_a_crowd_takes_any_number_and_none_of_them_counts():
    outcome, count = match(detections(5, 5, 5), truths(5, crowd={0}), [[0.6], [0.9], [0.1]])
    assert outcome[0] == ([True, True, False], [True, True, False])
    assert count == [0, 0]


def test_one_that_counts_is_preferred_to_a_crowd_with_more_overlap():
    assert match(detections(5), truths(5, 5, crowd={0}), [[0.9, 0.5]])[0][0] == ([True], [False])
    assert match(detections(5), truths(5, 5, crowd={0}), [[0.9, 0.4]])[0][0] == ([True], [True])


def test_ground_truth_outside_the_range_is_taken_once():
    # in the range of up to 10 pixels the ground truth of 50 is ignored; the second detection is left without
    outcome, count = match(detections(5, 5), truths(50), [[0.9], [0.8]])
    assert outcome[1] == ([True, False], [True, False])
    assert count == [1, 0]


def test_ranges_hold_their_ends():
    assert match(detections(10), truths(10, 100), [[0, 0]])[1] == [2, 1]
    assert match(detections(10), [], [])[0][1] == ([False], [False])


def test_annotation_zero():
    assert match(detections(5, 5), truths(5), [[0.9], [0.9]])[0][0] == ([True, False], [False, False])
    found = match(detections(5, 5), truths(5), [[0.9], [0.9]], official_quirks=True)
    assert found[0][0] == ([False, False], [False, False])
