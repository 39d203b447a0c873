import copy

import numpy as np
import pytest

from tests.evaluation.worlds import bar, found, ground_truth, rle, truth
from vis_projects.evaluation import evaluate_json
from vis_projects.evaluation.identity_oracle import identity_oracle, match_identities

A, B = bar(0, 5), bar(5, 10)
TWO = [truth(1, [A] * 4), truth(2, [B] * 4)]


def ap(results, gt, **kwargs):
    return evaluate_json(results, gt, **kwargs).stats["AP"]


def test_no_predictions_and_no_objects_in_a_video():
    assert identity_oracle([], ground_truth(TWO)) == []
    alone = [found([A] * 4, 0.4, video=2)]
    assert identity_oracle(alone, ground_truth(TWO, videos=2)) == alone


def test_changed_places_are_put_right():
    gt, results = ground_truth(TWO), [found([A, A, A, B], 0.9), found([B, B, B, A], 0.5)]
    before = copy.deepcopy((gt, results))
    assert ap(results, gt) == pytest.approx(3 / 10)  # IoU 0.6, see test_evaluate
    records = identity_oracle(results, gt)
    assert ap(records, gt) == pytest.approx(1)
    # the score is the mean of the frames': (3 * 0.9 + 0.5) / 4 and (3 * 0.5 + 0.9) / 4
    assert [record["score"] for record in records] == pytest.approx([0.8, 0.6])
    assert [record["segmentations"] for record in records] == [[rle(A)] * 4, [rle(B)] * 4]
    assert (gt, results) == before, "the inputs are not changed"


def test_pieces_are_joined_and_masks_stay_as_they_are():
    results = [found([A, A, None, None], 0.9), found([None, None, A, None], 0.6)]
    (record,) = identity_oracle(results, ground_truth([truth(1, [A] * 4)]))
    assert record["segmentations"] == [rle(A), rle(A), rle(A), None] and record["score"] == pytest.approx(0.8)


def test_the_class_is_the_most_frequent_one_the_smallest_among_equals():
    gt = ground_truth([truth(1, [A] * 4, category=3)], categories=(1, 2, 3))
    pieces = [found([A, A, A, None], category=2), found([None, None, None, A], category=1)]
    assert [record["category_id"] for record in identity_oracle(pieces, gt)] == [2]
    pieces = [found([A, A, None, None], category=2), found([None, None, A, A], category=1)]
    assert [record["category_id"] for record in identity_oracle(pieces, gt)] == [1]


def test_a_prediction_of_the_right_class_goes_before_a_better_mask():
    gt = ground_truth([truth(1, [A] * 4)], categories=(1, 2))
    results = [found([A] * 4, 0.9, category=2), found([bar(0, 4)] * 4, 0.3)]
    mine, other = identity_oracle(results, gt)
    assert mine["category_id"] == 1 and mine["segmentations"][0] == rle(bar(0, 4))
    assert other == results[0], "the one that is left over stays as it was"


def test_false_finds_and_duplicates_stay_and_stray_frames_are_dropped():
    gt = ground_truth([truth(1, [A, A, A, None])])
    results = [found([A] * 4, 0.9), found([A] * 4, 0.8), found([B] * 4, 0.7)]
    records = identity_oracle(results, gt)
    assert records[0]["segmentations"] == [rle(A), rle(A), rle(A), None], "frame 3 is on no object"
    assert records[1:] == results[1:]
    # one right before two wrong ones
    assert ap(records, gt) == pytest.approx(1)


def test_crowds_are_no_objects():
    results = [found([A] * 4)]
    gt = ground_truth([{**truth(1, [A] * 4), "iscrowd": 1}, truth(2, [B] * 4)])
    assert identity_oracle(results, gt) == results


def test_boxes():
    gt = ground_truth([{**truth(1, [None] * 2), "bboxes": [[0, 0, 4, 2], [4, 0, 4, 2]]}], length=2)
    results = [{**found([None] * 2, 0.9), "bboxes": [[0, 0, 4, 2], None]},
               {**found([None] * 2, 0.7), "bboxes": [None, [4, 0, 4, 1]]}]
    (record,) = identity_oracle(results, gt, "bbox")
    assert record["bboxes"] == [[0, 0, 4, 2], [4, 0, 4, 1]] and record["score"] == pytest.approx(0.8)
    # I = 8 + 4, U = 8 + 8: right at 0.5 ... 0.75
    assert ap([record], gt, iou_type="bbox") == pytest.approx(6 / 10)


@pytest.mark.parametrize(
    ("overlap", "same_class", "scores", "expected"),
    [
        ([[0.05]], [[True]], [0.9], [-1]),
        ([[0.1]], [[False]], [0.9], [0]),
        # both fit alike: the higher score
        ([[0.6, 0.6]], [[True, True]], [0.5, 0.9], [-1, 0]),
        # the sum of the overlaps is largest: 0.5 + 0.6 against 0.7
        ([[0.7, 0.5], [0.6, 0.0]], [[True, True], [True, True]], [0.9, 0.9], [1, 0]),
        # object 0 has a prediction of its class, object 1 takes what is left
        ([[0.3, 0.9], [0.0, 0.4]], [[True, False], [False, False]], [0.9, 0.9], [0, 1]),
    ],
)
def test_pairs_of_a_frame(overlap, same_class, scores, expected):
    assert match_identities(np.array(overlap), np.array(same_class), np.array(scores)).tolist() == expected


def test_frames_without_objects_or_predictions():
    for shape in ((0, 2), (2, 0), (0, 0)):
        assert match_identities(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape[1])).tolist() == [-1] * shape[1]
