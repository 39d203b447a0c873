import pytest

from tests.evaluation.five_frames import WORLDS, overlaps, present, world
from vis_projects.evaluation.clear_mot import switches_and_fragments

# world -> switches, fragmentations
EXPECTED = {
    "no confusion": (0, 0),
    "one switch": (1, 0),
    "swapped": (2, 0),
    "joined": (0, 0),  # each object has one prediction
    "missed frames": (0, 1),
    "false frames": (0, 0),
    "returns": (1, 0),  # another id, but nothing was missed while it was there
    "on and off": (1, 2),  # lost in frames 1 and 3
    "nothing found": (0, 0),
    "nothing there": (0, 0),
}


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_of_five_frames(name):
    iou, truths, _ = world(name)
    assert switches_and_fragments(iou, truths) == EXPECTED[name]


def test_a_better_newcomer_is_no_switch_while_the_old_one_still_fits():
    iou = overlaps({(0, 0): dict.fromkeys(range(5), 0.6), (0, 1): {2: 0.9, 3: 0.9}}, 1, 2)
    assert switches_and_fragments(iou, present(range(5))) == (0, 0)


def test_there_and_back_are_two_switches_and_a_threshold_breaks_a_track():
    iou = overlaps({(0, 0): {0: 1.0, 1: 0.4, 2: 0.4, 3: 0.4, 4: 1.0}, (0, 1): {2: 0.5}}, 1, 2)
    # 0 matched, 1 lost, 2 by the other one, 3 lost, 4 by the first one
    assert switches_and_fragments(iou, present(range(5))) == (2, 2)
    # of the last frames, in which it is lost for good, no track comes back
    assert switches_and_fragments(iou[:4], present(range(4), num_frames=4)) == (1, 1)


def test_never_found_is_not_broken():
    iou = overlaps({(0, 0): {3: 1.0, 4: 1.0}}, 1, 1)
    assert switches_and_fragments(iou, present(range(5))) == (0, 0)
