"""HOTA in worlds of five frames. A pair of frames in common c, of an object of n frames and a prediction of m, weighs
c * c / (n + m - c) in the sum that AssA is the mean of, over all matched frames."""

from math import sqrt

import numpy as np
import pytest

from tests.evaluation.five_frames import WORLDS, overlaps, present, world
from vis_projects.evaluation.hota import ALPHAS, SCORE_NAMES, HotaSums, hota_sums

# world -> DetA, AssA, DetRe, DetPr, AssRe, AssPr; overlaps are 1, so every alpha gives the same
EXPECTED = {
    "no confusion": (1, 1, 1, 1, 1, 1),
    # all 5 frames matched; pairs of 3 and 2 of the object's 5 frames: (3 * 3/5 + 2 * 2/5) / 5 = 13/25; each prediction
    # is with its object in all of its frames
    "one switch": (1, 13 / 25, 1, 1, 13 / 25, 1),
    # two pairs of 3 frames, each 3 / (5 + 5 - 3), two of 2 frames, each 2 / (5 + 5 - 2), 10 matches:
    # 2 * (3 * 3/7 + 2 * 2/8) / 10 = (18/7 + 1) / 10 = 25/70; recall, precision: 2 * (3 * 3/5 + 2 * 2/5) / 10 = 13/25
    "swapped": (1, 25 / 70, 1, 1, 13 / 25, 13 / 25),
    # 2 / (2 + 5 - 2) and 3 / (3 + 5 - 3): (2 * 2/5 + 3 * 3/5) / 5; each object is with the prediction throughout
    "joined": (1, 13 / 25, 1, 1, 1, 13 / 25),
    # 3 of 5 frames, nothing wrong: DetA 3/5, pair 3 / (5 + 3 - 3)
    "missed frames": (3 / 5, 3 / 5, 3 / 5, 1, 3 / 5, 1),
    # 5 right, 2 wrong
    "false frames": (5 / 7, 1, 1, 5 / 7, 1, 1),
    # pairs of 1 of the object's 2 frames: (1/2 + 1/2) / 2
    "returns": (1, 1 / 2, 1, 1, 1 / 2, 1),
    # 3 of 5 frames; pairs 2 / (5 + 2 - 2) and 1 / 5: (2 * 2/5 + 1/5) / 3 = 1/3
    "on and off": (3 / 5, 1 / 3, 3 / 5, 1, 1 / 3, 1),
    "nothing found": (0, 0, 0, 0, 0, 0),
    "nothing there": (0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_of_five_frames(name):
    scores = hota_sums(*world(name)).scores()
    found = [scores[key] for key in ("DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr")]
    assert found == pytest.approx(EXPECTED[name], abs=1e-12)
    assert scores["HOTA"] == pytest.approx(sqrt(EXPECTED[name][0] * EXPECTED[name][1]), abs=1e-12)
    assert scores["LocA"] == 1


def test_no_frames_and_no_tracks():
    empty = hota_sums(np.zeros((0, 0, 0)), np.zeros((0, 0), bool), np.zeros((0, 0), bool)).scores()
    assert set(empty) == set(SCORE_NAMES) and empty["HOTA"] == 0 and empty["LocA"] == 1


def test_every_threshold_counts():
    # overlap 0.6 throughout: matched at 0.05 ... 0.6, which are 12 of 19 thresholds, and perfect there;
    # LocA: 0.6 at these 12, 1 (a mean of nothing) at the other 7
    frames = range(5)
    sums = hota_sums(overlaps({(0, 0): dict.fromkeys(frames, 0.6)}, 1, 1), present(frames), present(frames))
    scores = sums.scores()
    assert [scores[k] for k in ("HOTA", "DetA", "AssA")] == pytest.approx([12 / 19] * 3)
    assert scores["LocA"] == pytest.approx((12 * 0.6 + 7) / 19)
    assert len(ALPHAS) == 19 and sums.tp.tolist() == [5] * 12 + [0] * 7 and sums.fn.tolist() == [0] * 12 + [5] * 7


def test_some_frames_reach_a_threshold_and_some_do_not():
    # overlaps 0.5, 0.5, 0.9, 0.9, 0.9
    #   0.05 ... 0.5 (10 thresholds): 5 matched, DetA = AssA = 1, LocA = (2 * 0.5 + 3 * 0.9) / 5 = 0.74
    #   0.55 ... 0.9 (8): 3 matched, 2 missed, 2 wrong: DetA = 3/7, AssA = 3 / (5 + 5 - 3) = 3/7, LocA = 0.9
    #   0.95 (1): nothing; LocA 1
    frames = range(5)
    iou = overlaps({(0, 0): {0: 0.5, 1: 0.5, 2: 0.9, 3: 0.9, 4: 0.9}}, 1, 1)
    scores = hota_sums(iou, present(frames), present(frames)).scores()
    assert [scores[k] for k in ("HOTA", "DetA", "AssA")] == pytest.approx([(10 + 8 * 3 / 7) / 19] * 3)
    assert scores["LocA"] == pytest.approx((10 * 0.74 + 8 * 0.9 + 1) / 19)


def test_of_two_predictions_that_fit_alike_the_one_that_stays_is_matched():
    # prediction 0 is on the object in all frames (0.8), prediction 1 in frame 2 alone and better there (0.85)
    frames = range(5)
    iou = overlaps({(0, 0): dict.fromkeys(frames, 0.8), (0, 1): {2: 0.85}}, 1, 2)
    sums = hota_sums(iou, present(frames), present(frames, [2]))
    # at 0.05: the 5 frames of prediction 0; prediction 1 is the one wrong frame
    assert (sums.tp[0], sums.fn[0], sums.fp[0]) == (5, 0, 1) and sums.association[0] == 5
    assert sums.localisation[0] == pytest.approx(5 * 0.8)


def test_videos_add_up():
    # 5 right of "no confusion" twice (two objects), 3 of "missed frames":
    # DetA = 13 / (13 + 2), AssA = (10 * 1 + 3 * 3/5) / 13
    total = hota_sums(*world("no confusion")) + hota_sums(*world("missed frames")) + HotaSums.zero()
    scores = total.scores()
    assert scores["DetA"] == pytest.approx(13 / 15) and scores["AssA"] == pytest.approx((10 + 9 / 5) / 13)
