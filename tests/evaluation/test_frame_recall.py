"""Recall of frames on worlds of four frames."""

import math

import pytest

from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation import EvaluationInputError, frame_recall

A, B = bar(0, 4), bar(5, 9)


def recall(results, annotations, meta=None, **settings):
    gt = ground_truth(annotations, categories=(1, 2))
    gt["videos"][0]["meta"] = meta or {}
    return frame_recall(results, gt, **settings)


def test_nothing_predicted():
    report = recall([], [truth(1, [A, None, A, A])])
    assert report.groups == {"all": (3, 0)} and report.false == 0 and report.recall() == 0


def test_frames_count_one_by_one_whatever_the_track():
    # 0 ... 3 against 0 ... 3, 1 ... 3 (3/4), nothing, 2 ... 3 (1/2, enough); the second track has frame 2
    tracks = [found([A, bar(1, 4), None, bar(2, 4)]), found([None, None, A, None], 0.5)]
    report = recall(tracks, [truth(1, [A] * 4)])
    assert report.groups["all"] == (4, 4) and report.false == 0
    # 2/4 is below 0.6
    assert recall(tracks, [truth(1, [A] * 4)], threshold=0.6).groups["all"] == (4, 3)


def test_one_prediction_stands_for_one_object():
    both = [truth(1, [A] * 4), truth(2, [A] * 4)]
    report = recall([found([A] * 4)], both)
    assert report.groups["all"] == (8, 4)
    report = recall([found([A] * 4), found([A] * 4, 0.5), found([B] * 4, 0.4)], both)
    assert report.groups["all"] == (8, 8) and report.false == 4


def test_the_class_has_to_be_right_and_crowds_do_not_count():
    report = recall([found([A] * 4, category=2)], [truth(1, [A] * 4)])
    assert report.groups["all"] == (4, 0) and report.false == 4
    assert recall([], [truth(1, [A] * 4), truth(2, [B] * 4, iscrowd=1)]).groups["all"] == (4, 0)


def test_only_the_best_tracks_of_a_video_take_part():
    tracks = [found([A] * 4, 0.3), found([B] * 4, 0.9, category=2)]
    assert recall(tracks, [truth(1, [A] * 4)], max_tracks=1).groups["all"] == (4, 0)
    assert recall(tracks, [truth(1, [A] * 4)], max_tracks=2).groups["all"] == (4, 4)


def test_groups_of_visibility():
    report = recall([found([A, None, None, A])], [truth(1, [A] * 4, visibility=[1.0, 0.75, 0.6, 0.3])])
    assert report.groups == {
        "all": (4, 2), "visible to 75 % or more": (2, 1), "to 50 - 75 %": (1, 0), "to less than 50 %": (1, 1),
    }


def test_groups_of_occlusion_words():
    words = ["no_occlusion", None, "severe_occlusion", "severe_occlusion"]
    report = recall([found([A, None, A, None])], [truth(1, [A, None, A, A], occlusion=words)])
    assert report.groups == {
        "all": (3, 2), "no_occlusion": (1, 1), "slight_occlusion": (0, 0), "severe_occlusion": (2, 1),
    }
    assert math.isnan(report.recall("slight_occlusion"))


def test_groups_of_motion_blur():
    # The middle goes (3, 0), (3, 4), (0, 0): steps 3, 5, 0; means of both sides 3, 4, 5/2, 0; half a frame open.
    boxes = [[0, 0, 4, 4], [3, 0, 4, 4], [6, 4, 4, 4], [6, 4, 4, 4]]
    report = recall([found([None, A, A, A])], [truth(1, [A] * 4, bboxes=boxes)], {"exposure": 0.5})
    # 3/2, 2, 5/4, 0 pixels
    assert report.groups == {
        "all": (4, 3), "smeared over less than 1 px": (1, 1), "over 1 - 2 px": (2, 1), "over 2 px or more": (1, 1),
    }
    # alone between absences there is no step, and no group
    lonely = recall([], [truth(1, [A, None, A, None], bboxes=[boxes[0], None, boxes[2], None])], {"exposure": 0.5})
    assert [pairs for pairs, _ in lonely.groups.values()] == [2, 0, 0, 0]


def test_a_list_of_another_length_is_named():
    with pytest.raises(EvaluationInputError, match="annotation 1: visibility has 2 entries, its video 4"):
        recall([], [truth(1, [A] * 4, visibility=[1.0, 1.0])])


def test_text_is_in_percent_with_a_dash_for_an_empty_group():
    text = recall([found([A, None, None, A])], [truth(1, [A] * 4, visibility=[1.0] * 4)]).text()
    rows = {line.rsplit(None, 2)[0]: line.split()[-2:] for line in text.splitlines()[3:]}
    assert rows["all"] == ["4", "50.0"] and rows["to less than 50 %"] == ["0", "-"]
