import numpy as np
import pytest

from tests.evaluation.five_frames import WORLDS, overlaps, present, world
from vis_projects.evaluation.identity import identity_counts, identity_scores

# world -> IDTP, IDFN, IDFP: frames of the best one-to-one pairing, frames of objects and predictions left over
EXPECTED = {
    "no confusion": (10, 0, 0),
    "one switch": (3, 2, 2),  # the prediction of 3 frames
    "swapped": (6, 4, 4),  # 3 frames of either
    "joined": (3, 2, 2),  # the object of 3 frames
    "missed frames": (3, 2, 0),
    "false frames": (5, 0, 2),
    "returns": (1, 1, 1),
    "on and off": (2, 3, 1),
    "nothing found": (0, 5, 0),
    "nothing there": (0, 0, 2),
}


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_of_five_frames(name):
    assert identity_counts(*world(name)) == EXPECTED[name]


def test_scores():
    # one switch: IDF1 = 2 * 3 / (2 * 3 + 2 + 2) = 6/10, IDP = IDR = 3/5; false frames: 10/12, 5/7, 1
    assert list(identity_scores(3, 2, 2).values()) == pytest.approx([6 / 10, 3 / 5, 3 / 5])
    assert list(identity_scores(5, 0, 2).values()) == pytest.approx([10 / 12, 5 / 7, 1])
    assert set(identity_scores(0, 0, 0).values()) == {0}


def test_pairs_below_the_threshold_do_not_count_and_equality_does():
    iou = overlaps({(0, 0): {0: 0.5, 1: 0.49, 2: 0.8}}, 1, 1)
    assert identity_counts(iou, present(range(5)), present(range(3))) == (2, 3, 1)


def test_the_pairing_is_the_best_of_all_not_the_best_of_each():
    # prediction 0 has 3 frames of object 0 and 2 of object 1, prediction 1 has 2 of object 0 and none of object 1:
    # 0-0 alone gives 3, 0-1 with 1-0 gives 4
    iou = overlaps({(0, 0): dict.fromkeys([0, 1, 2], 1.0), (1, 0): dict.fromkeys([3, 4], 1.0),
                    (0, 1): dict.fromkeys([3, 4], 1.0)}, 2, 2)
    everywhere = present(range(5), range(5))
    assert identity_counts(iou, everywhere, present(range(5), [3, 4])) == (4, 6, 3)
    assert identity_counts(np.zeros((0, 0, 0)), np.zeros((0, 0), bool), np.zeros((0, 0), bool)) == (0, 0, 0)
