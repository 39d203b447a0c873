"""Objects are bars of 5 pixels in a row of 10; `A` is the left half, `B` the right one; videos have 5 frames."""

import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.error_kinds import RIGHT, error_kinds

A, B = bar(0, 5), bar(5, 10)
ALL_A, ALL_B = [A] * 5, [B] * 5


def kinds(truths, results, threshold=0.5, videos=1):
    """(kind of each detection, number of missed tracks), detections by category, then video, then score."""
    gt = ground_truth(truths, categories=(1, 2), length=5, videos=videos)
    (outcome,) = error_kinds(loaded_world(results, gt), [threshold])
    return outcome.kinds.tolist(), int(outcome.missed.sum())


def test_nothing_found_is_missed():
    assert kinds([truth(1, ALL_A)], []) == ([], 1)


def test_right():
    assert kinds([truth(1, ALL_A)], [found(ALL_A)]) == ([RIGHT], 0)


def test_wrong_class():
    assert kinds([truth(1, ALL_A)], [found(ALL_A, category=2)]) == (["classification"], 0)
    # beside a right one too
    assert kinds([truth(1, ALL_A)], [found(ALL_A), found(ALL_A, 0.8, category=2)]) == ([RIGHT, "classification"], 0)


def test_masks_too_poor():
    # 2 of 5 pixels in all frames: IoU 0.4
    assert kinds([truth(1, ALL_A)], [found([bar(0, 2)] * 5)]) == (["segmentation"], 0)
    # 3 of 5: right at 0.5 and 0.6, not at 0.65
    assert kinds([truth(1, ALL_A)], [found([bar(0, 3)] * 5)], 0.6) == ([RIGHT], 0)
    assert kinds([truth(1, ALL_A)], [found([bar(0, 3)] * 5)], 0.65) == (["segmentation"], 0)


def test_frames_that_nobody_found_are_a_matter_of_masks():
    assert kinds([truth(1, ALL_A)], [found([A, A, None, None, None])]) == (["segmentation"], 0)


def test_pieces_of_one_object():
    # 3 + 2 frames: the longer piece is right at 0.6; at 0.65 both are pieces of a whole
    pieces = [found([A, A, A, None, None]), found([None, None, None, A, A], 0.8)]
    assert kinds([truth(1, ALL_A)], pieces, 0.6) == ([RIGHT, "association"], 0)
    assert kinds([truth(1, ALL_A)], pieces, 0.65) == (["association", "association"], 0)


def test_changed_places():
    # 4 frames of 5 on one object, the last one on the other: I = 20, U = 30
    swapped = [found([A, A, A, A, B]), found([B, B, B, B, A], 0.8)]
    truths = [truth(1, ALL_A), truth(2, ALL_B)]
    assert kinds(truths, swapped, 0.65) == ([RIGHT, RIGHT], 0)
    assert kinds(truths, swapped, 0.7) == (["association", "association"], 0)


def test_one_track_over_two_objects_one_after_the_other():
    # the second object is in nobody else's track: without the frames on it, the first one is whole
    truths = [truth(1, [A, A, A, None, None]), truth(2, [None, None, None, B, B])]
    assert kinds(truths, [found([A, A, A, B, B])], 0.65) == (["association"], 1)


def test_a_second_find():
    assert kinds([truth(1, ALL_A)], [found(ALL_A), found(ALL_A, 0.8)]) == ([RIGHT, "duplicate"], 0)
    # one that is less good (0.8) and short, in the frames of the right one
    second = found([bar(0, 4), bar(0, 4), None, None, None], 0.8)
    assert kinds([truth(1, ALL_A)], [found(ALL_A), second], 0.9) == ([RIGHT, "duplicate"], 0)


def test_two_things_wrong_at_once():
    assert kinds([truth(1, ALL_A)], [found([bar(0, 2)] * 5, category=2)]) == (["class and mask"], 1)


def test_on_nothing():
    assert kinds([truth(1, ALL_A)], [found(ALL_B)]) == (["background"], 1)
    # 1 of 10 pixels is enough to be on an object, 1 of 11 is not
    for stop, expected in ((9, ("segmentation", 0)), (10, ("background", 1))):
        size = (4, 12)
        gt = ground_truth([truth(1, [bar(0, 2, size)] * 5)], length=5, size=size)
        (outcome,) = error_kinds(loaded_world([found([bar(1, stop + 1, size)] * 5)], gt), [0.5])
        assert (outcome.kinds.tolist(), int(outcome.missed.sum())) == ([expected[0]], expected[1])


def test_an_object_of_the_same_class_goes_before_one_of_another():
    # overlaps both a little: 2 of 5 pixels of its class, and more of the other class
    truths = [truth(1, [bar(0, 2)] * 5), truth(2, [bar(2, 8)] * 5, category=2)]
    results = [found([bar(0, 6)] * 5)]  # 2/6 with class 1, 4/8 with class 2
    assert kinds(truths, results, 0.55) == (["segmentation"], 1)
    assert kinds(truths, results, 0.5) == (["classification"], 1), "a fit that reaches t goes first"


def test_crowds_count_for_nothing():
    crowd = {**truth(1, ALL_A), "iscrowd": 1}
    assert kinds([crowd], [found(ALL_A), found(ALL_A, 0.8)]) == (["", ""], 0)
    assert kinds([crowd], [found(ALL_A, category=2)]) == (["background"], 0)


def test_targets_and_order():
    truths = [truth(1, ALL_A, video=2), truth(2, ALL_B), truth(3, ALL_A, category=2)]
    gt = ground_truth(truths, categories=(1, 2), length=5, videos=2)
    results = [found(ALL_A, 0.4, video=2), found(ALL_B, 0.5), found(ALL_A, 0.6),
               found([bar(0, 2)] * 5, 0.7, category=2)]
    (outcome,) = error_kinds(loaded_world(results, gt), [0.5])
    # tracks: class 1 video 1 (B), class 1 video 2 (A), class 2 video 1 (A); detections: class 1 video 1 by score, ...
    assert outcome.truth_categories.tolist() == [0, 0, 1]
    assert outcome.kinds.tolist() == ["classification", RIGHT, RIGHT, "segmentation"]
    assert outcome.targets.tolist() == [2, 0, 1, 2] and outcome.matched.tolist() == [True, True, False]
    assert outcome.scores.tolist() == [0.6, 0.5, 0.4, 0.7] and outcome.videos.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("threshold", [0.5, 0.95])
def test_no_detections_and_no_videos_with_objects(threshold):
    assert kinds([truth(1, [None] * 5)], [found(ALL_A)], threshold) == (["background"], 1)
