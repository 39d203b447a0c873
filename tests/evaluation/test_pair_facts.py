import json

import numpy as np
import pytest

from tests.evaluation.loaded_world import loaded_world
from tests.evaluation.worlds import bar, found, ground_truth, truth
from vis_projects.evaluation.pair_facts import PairFacts

A, B = bar(0, 5), bar(5, 10)


def facts(truths, results, length=4):
    return loaded_world(results, ground_truth(truths, length=length)).facts[1].pairs


def test_nothing_on_one_side():
    alone = facts([truth(1, [A] * 4)], [])
    assert alone.track_iou.shape == alone.mended_iou.shape == (0, 1) and alone.frames_beside.shape == (0, 0)
    lonely = loaded_world([found([A] * 4, video=2)], ground_truth([truth(1, [A] * 4)], videos=2)).facts[2].pairs
    assert lonely.own_iou.shape == (1, 0) and lonely.frames_beside.tolist() == [[0]]


def test_a_piece_fits_in_its_own_frames_and_is_mended_by_the_other_piece():
    # two pieces of one object: frames 0-2 and 3; the whole is there if both are joined
    pairs = facts([truth(1, [A] * 4)], [found([A, A, A, None]), found([None, None, None, A], 0.8)])
    assert pairs.track_iou[:, 0].tolist() == [3 / 4, 1 / 4]
    assert pairs.own_iou[:, 0].tolist() == [1, 1] and pairs.mended_iou[:, 0].tolist() == [1, 1]
    assert pairs.frames_on[:, 0].tolist() == [3, 1] and pairs.frames_beside.tolist() == [[3, 0], [0, 1]]


def test_a_missing_frame_that_nobody_has_stays_missing():
    pairs = facts([truth(1, [A] * 4)], [found([A, None, A, A])])
    assert (pairs.track_iou[0, 0], pairs.own_iou[0, 0], pairs.mended_iou[0, 0]) == (3 / 4, 1, 3 / 4)


def test_changed_places_are_mended():
    # frames 0-2 on one object, frame 3 on the other: I = 15, U = 15 + 5 + 5
    pairs = facts([truth(1, [A] * 4), truth(2, [B] * 4)], [found([A, A, A, B]), found([B, B, B, A], 0.8)])
    assert pairs.track_iou == pytest.approx(np.array([[0.6, 5 / 35], [5 / 35, 0.6]]))
    # the frames of a detection are all four
    assert pairs.own_iou == pytest.approx(pairs.track_iou)
    assert pairs.mended_iou.tolist() == [[1, 1], [1, 1]]
    assert pairs.frames_on.tolist() == [[3, 1], [1, 3]] and pairs.frames_beside.tolist() == [[4, 0], [0, 4]]


def test_poor_masks_are_not_replaced():
    # overlap 2 of 5 throughout: it lies on nothing, stays as it is, although another detection fits
    pairs = facts([truth(1, [A] * 4)], [found([bar(0, 2)] * 4), found([A] * 4, 0.8)])
    assert pairs.mended_iou[:, 0].tolist() == [2 / 5, 1] and pairs.frames_on[:, 0].tolist() == [0, 4]
    assert pairs.frames_beside.tolist() == [[0, 0], [0, 4]]


def test_frames_beyond_the_object_count_against_it():
    # the object leaves after frame 1, the detection goes on: I = 10, U = 20; nothing to mend with
    pairs = facts([truth(1, [A, A, None, None])], [found([A] * 4)])
    assert (pairs.track_iou[0, 0], pairs.mended_iou[0, 0]) == (1 / 2, 1 / 2)


def test_through_json_and_back():
    pairs = facts([truth(1, [A] * 4), truth(2, [bar(1, 8)] * 4)], [found([A, bar(0, 7), A, B]), found([B] * 4)])
    again = PairFacts.from_json(json.loads(json.dumps(pairs.to_json())))
    for name, array in vars(pairs).items():
        assert np.array_equal(array, getattr(again, name)) and array.dtype == getattr(again, name).dtype, name
