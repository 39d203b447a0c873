import json
from math import sqrt

import numpy as np
import pytest

from tests.evaluation.five_frames import world
from vis_projects.evaluation.frame_overlaps import FrameOverlaps
from vis_projects.evaluation.tracking_sums import TrackingSums, tracking_sums


def sums(name, crowd=None):
    iou, truths, found = world(name)
    return tracking_sums(FrameOverlaps(iou, truths.astype(np.int64), found.astype(np.int64)), crowd)


def test_all_scores_of_one_world():
    # one switch: see test_hota, test_identity, test_clear_mot
    scores = sums("one switch").scores()
    assert scores["HOTA"] == pytest.approx(sqrt(13 / 25)) and scores["IDF1"] == pytest.approx(6 / 10)
    assert [scores[k] for k in ("IDSW", "Frag", "objects", "tracks")] == [1, 0, 1, 2]


def test_worlds_add_up_and_go_through_json():
    total = sums("one switch") + sums("missed frames")
    # IDTP 3 + 3, IDFN 2 + 2, IDFP 2 + 0: IDF1 = 12 / (12 + 4 + 2)
    assert total.scores()["IDF1"] == pytest.approx(12 / 18)
    assert [total.scores()[k] for k in ("IDSW", "Frag", "objects", "tracks")] == [1, 1, 2, 3]
    again = TrackingSums.from_json(json.loads(json.dumps(total.to_json())))
    assert again.scores() == total.scores() and (TrackingSums() + total).scores() == total.scores()


def test_crowds_are_no_objects_and_hide_what_lies_on_them():
    # object 0 found throughout; object 1 is a crowd that prediction 1 lies on: nothing is wrong
    scores = sums("no confusion", np.array([False, True])).scores()
    assert [scores[k] for k in ("HOTA", "IDF1", "objects", "tracks")] == [1, 1, 1, 1]
    # a prediction that fits an object better than the crowd keeps its frames
    iou, truths, found = world("no confusion")
    iou[:, 1, 0] = 0.6
    scores = tracking_sums(FrameOverlaps(iou, truths * 1, found * 1), np.array([False, True])).scores()
    assert scores["HOTA"] == 1
    # one that overlaps a crowd by less than half is a false one: 5 right, 5 wrong
    iou[:, 1, 1] = 0.4
    scores = tracking_sums(FrameOverlaps(iou, truths * 1, found * 1), np.array([False, True])).scores()
    assert scores["DetA"] == pytest.approx(1 / 2) and scores["tracks"] == 2


def test_nothing():
    empty = tracking_sums(FrameOverlaps(np.zeros((0, 0, 0)), np.zeros((0, 0)), np.zeros((0, 0)))).scores()
    assert empty["HOTA"] == empty["IDF1"] == empty["objects"] == 0
