import copy
import json
import logging

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.evaluation import brute_force
from tests.evaluation.worlds import bar, found, ground_truth, random_world, rle, truth, world_json
from vis_projects.evaluation import EvalParams, EvaluationInputError, NoGroundTruthError, evaluate_json

FULL = bar(0, 10)
SMALL_RANGES = (("all", 0, 1e10), ("small", 0, 5), ("medium", 5, 9), ("large", 9, 1e10))


def stats(results, gt, **kwargs) -> dict:
    return evaluate_json(results, gt, **kwargs).stats


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6))
def test_equals_the_brute_force_evaluator(seed):
    world = random_world(seed)
    gt, results = world_json(world, seed)
    assume(gt["annotations"])
    for track in world["truths"]:
        track["area"] = brute_force.mean_area(track["areas"])
    expected = brute_force.evaluate(world, SMALL_RANGES)
    before = copy.deepcopy((gt, results))
    outcome = evaluate_json(results, gt, params=EvalParams(area_ranges=SMALL_RANGES))
    assert brute_force.largest_difference(outcome.stats, expected) < 1e-12
    assert (gt, results) == before, "the inputs are not changed"


def test_no_results_score_zero_where_there_is_ground_truth():
    outcome = evaluate_json([], ground_truth([truth(1, [FULL] * 4)], categories=(1, 2)))
    assert [outcome.stats[k] for k in ("AP", "AP50", "AR100", "APs")] == [0, 0, 0, 0]
    assert outcome.stats["APl"] == -1  # 10 pixels are small: no other range has ground truth
    assert outcome.per_class["class1"]["AP"] == 0 and outcome.per_class["class2"]["AP"] == -1


def test_ground_truth_as_prediction_is_perfect():
    tracks = [([bar(0, 5)] * 4, 1), ([None, bar(5, 9), bar(4, 8), None], 2)]
    gt = ground_truth([truth(k + 1, m, category=c) for k, (m, c) in enumerate(tracks)], categories=(1, 2))
    outcome = stats([found(m, category=c) for m, c in tracks], gt)
    assert [outcome[k] for k in ("AP", "AP50", "AP75", "AR1", "AR100")] == pytest.approx([1] * 5, abs=1e-12)


def test_one_swapped_id():
    # two objects of 5 pixels, 4 frames; the detections change places in the last frame:
    # I = 3 * 5, U = 3 * 5 + (5 + 5), IoU = 15 / 25 = 0.6 -> right at 0.5, 0.55, 0.6: 3 of 10 thresholds
    a, b = bar(0, 5), bar(5, 10)
    gt = ground_truth([truth(1, [a] * 4), truth(2, [b] * 4)])
    outcome = stats([found([a, a, a, b], 0.9), found([b, b, b, a], 0.8)], gt)
    assert [outcome[k] for k in ("AP", "AP50", "AP75", "AR100")] == pytest.approx([3 / 10, 1, 0, 3 / 10], abs=1e-12)
    assert outcome["AR1"] == pytest.approx(3 / 20, abs=1e-12)  # one of two objects


def test_one_missing_frame():
    # found in 3 of 4 frames: IoU = 3/4 -> right at 0.5 ... 0.75: 6 of 10 thresholds
    gt = ground_truth([truth(1, [FULL] * 4)])
    outcome = stats([found([FULL, FULL, None, FULL])], gt)
    assert [outcome[k] for k in ("AP", "AP75", "AR1")] == pytest.approx([6 / 10, 1, 6 / 10], abs=1e-12)


def test_one_wrong_class():
    # class 1: one of two found, nothing wrong: recall 1/2, precision 1 at recall 0, 0.01, ..., 0.5: 51 of 101 points
    # class 2: its one track found behind one wrong with a higher score: precision 1/2 everywhere
    a, b = [bar(0, 5)] * 4, [bar(5, 10)] * 4
    gt = ground_truth([truth(1, a), truth(2, b), truth(3, a, category=2)], categories=(1, 2))
    results = [found(a, 0.9), found(b, 0.8, category=2), found(a, 0.7, category=2)]
    outcome = evaluate_json(results, gt)
    assert outcome.per_class["class1"]["AP"] == pytest.approx(51 / 101, abs=1e-12)
    assert outcome.per_class["class2"]["AP"] == pytest.approx(1 / 2, abs=1e-12)
    assert outcome.stats["AP"] == pytest.approx((51 / 101 + 1 / 2) / 2, abs=1e-12)
    assert outcome.stats["AR10"] == pytest.approx((1 / 2 + 1) / 2, abs=1e-12)


def test_a_class_without_ground_truth_costs_nothing():
    gt = ground_truth([truth(1, [FULL] * 4)], categories=(1, 2))
    results = [found([FULL] * 4), found([FULL] * 4, category=2), found([FULL] * 4, 1.0, category=77)]
    assert stats(results, gt)["AP"] == pytest.approx(1, abs=1e-12)


def test_only_unknown_categories_score_zero():
    assert stats([found([FULL] * 4, category=77)], ground_truth([truth(1, [FULL] * 4)]))["AP"] == 0


def test_the_cut_is_per_video_and_category():
    # 100 wrong detections with higher scores push the right one out of its own cell only
    wrong = [found([bar(5, 10)] * 4, 0.9) for _ in range(100)]
    gt = ground_truth([truth(1, [bar(0, 5)] * 4)])
    assert stats([*wrong, found([bar(0, 5)] * 4, 0.1)], gt)["AR100"] == 0
    assert stats([*wrong[:99], found([bar(0, 5)] * 4, 0.1)], gt)["AR100"] == pytest.approx(1)
    other = [{**item, "category_id": 2} for item in wrong]
    gt = ground_truth([truth(1, [bar(0, 5)] * 4)], categories=(1, 2))
    assert stats([*other, found([bar(0, 5)] * 4, 0.1)], gt)["AR1"] == pytest.approx(1)


def test_class_subset_leaves_the_other_classes_out():
    gt = ground_truth([truth(1, [FULL] * 4), truth(2, [FULL] * 4, category=2)], categories=(1, 2))
    results = [found([FULL] * 4), found([bar(0, 1)] * 4, category=2)]
    assert stats(results, gt)["AP"] == pytest.approx(1 / 2)
    outcome = evaluate_json(results, gt, category_ids=[1])
    assert outcome.stats["AP"] == pytest.approx(1) and list(outcome.per_class) == ["class1"]


def test_annotation_id_zero_counts_unless_official_quirks_are_asked_for():
    gt, results = ground_truth([truth(0, [FULL] * 4)]), [found([FULL] * 4)]
    assert stats(results, gt)["AP"] == pytest.approx(1)
    assert stats(results, gt, official_quirks=True)["AP"] == 0


def test_boxes_have_their_own_mode():
    # 6 of 8 columns in common, same row: I = 7, U = 9 -> 0.777..., right at 0.5 ... 0.75: 6 of 10
    gt = ground_truth([{**truth(1, [None]), "bboxes": [[0, 0, 8, 1]]}], length=1)
    results = [{**found([None]), "bboxes": [[1, 0, 8, 1]]}]
    assert stats(results, gt, iou_type="bbox")["AP"] == pytest.approx(6 / 10)
    # without boxes, those around the masks: equal ones here
    gt = ground_truth([truth(1, [bar(2, 6), None])], length=2)
    assert stats([found([bar(2, 6), None])], gt, iou_type="bbox")["AP"] == pytest.approx(1)
    with pytest.raises(ValueError, match="iou_type is 'keypoints'"):
        evaluate_json(results, gt, iou_type="keypoints")


def test_files_are_read_as_well(tmp_path):
    (tmp_path / "gt.json").write_text(json.dumps(ground_truth([truth(1, [FULL] * 4)])))
    (tmp_path / "results.json").write_text(json.dumps([found([FULL] * 4)]))
    assert stats(tmp_path / "results.json", str(tmp_path / "gt.json"))["AP"] == pytest.approx(1)
    (tmp_path / "cut.json").write_text('[{"video_id": 1, "sco')
    with pytest.raises(EvaluationInputError, match="cut.json: no complete json"):
        evaluate_json(tmp_path / "cut.json", tmp_path / "gt.json")
    with pytest.raises(EvaluationInputError, match="none.json: no such results file"):
        evaluate_json(tmp_path / "none.json", tmp_path / "gt.json")


@pytest.mark.parametrize("annotations", [None, []])
def test_without_ground_truth_it_says_so(annotations):
    with pytest.raises(NoGroundTruthError, match="no ground truth"):
        evaluate_json([], ground_truth(annotations))
    gt = ground_truth(annotations)
    del gt["annotations"]
    with pytest.raises(NoGroundTruthError, match="no ground truth"):
        evaluate_json([], gt)


def test_masks_of_another_size_or_length_are_used_as_far_as_they_fit_and_reported(caplog):
    # frame 0 does not count (other size), frame 3 is beyond the list: frames 1, 2 are equal, IoU 1
    gt = ground_truth([truth(1, [FULL] * 4)])
    other = np.ones((5, 5), dtype=bool)
    with caplog.at_level(logging.WARNING, logger="vis_projects"):
        outcome = stats([found([other, FULL, FULL])], gt)
    assert outcome["AP"] == pytest.approx(1)
    assert "another number of frames" in caplog.text and "another size" in caplog.text


BROKEN = {
    "unknown video": ({"video_id": 9}, r"entry 1: video_id 9 is not in the ground truth"),
    "list as id": ({"video_id": [1]}, r"entry 1: video_id is \[1\]"),
    "no category": ({"category_id": None}, r"entry 1: category_id is None"),
    "no score": ({"score": None}, r"entry 1 \(video 1\): score is None"),
    "text score": ({"score": "0.9"}, r"score is '0.9'; give a finite number"),
    "nan score": ({"score": float("nan")}, r"score is nan"),
    "no masks": ({"segmentations": None}, r"entry 1 \(video 1\): no segmentations"),
    "text masks": ({"segmentations": "x"}, r"entry 1.segmentations is 'x'"),
    "number as mask": ({"segmentations": [5]}, r"segmentations\[0\] is 5"),
    "no size": ({"segmentations": [None, {"counts": "0"}]}, r"segmentations\[1\].size is None"),
    "float counts": ({"segmentations": [{"size": [4, 10], "counts": [0.5]}]}, r"counts is \[0.5\]"),
    "short list counts": (
        {"segmentations": [{"size": [4, 10], "counts": [3, 4]}]}, r"cover 7 pixels, size 4 x 10 has 40"
    ),
    # 0 + 45 + 0 - 5 = 40 = 4 x 10
    "negative run, list": (
        {"segmentations": [None, {"size": [4, 10], "counts": [0, 45, 0, -5]}]},
        r"entry 1.segmentations\[1\].counts is \[0, 45, 0, -5\]; give .* a list of run lengths >= 0",
    ),
    # in 64 bits 4 * 2^62 + 40 = 40
    "overflowing list": (
        {"segmentations": [{"size": [4, 10], "counts": [2**62] * 4 + [40]}]}, r"cover 18446744073709551616 pixels, size"
    ),
    # the same runs: 45 = 13 + 32 * 1 is "]1" and the difference -5 - 45 = -50 = 14 - 32 * 2 is "^N"
    "negative run, text": (
        {"segmentations": [None, {"size": [4, 10], "counts": "0]10^N"}]},
        r"entry 1.segmentations\[1\].counts b'0\]10\^N' has a negative run; write what pycocotools.mask.encode",
    ),
    "short text counts": ({"segmentations": [{**rle(FULL), "size": [4, 11]}]}, r"cover 40 pixels, size 4 x 11 has 44"),
    "no rle text": ({"segmentations": [{"size": [4, 10], "counts": "P P"}]}, r"no compressed RLE text"),
    "cut rle text": ({"segmentations": [{"size": [4, 10], "counts": "PPP"}]}, r"no compressed RLE text"),
    "not ascii": ({"segmentations": [{"size": [4, 10], "counts": "ä"}]}, r"no RLE text"),
    "two corners": ({"segmentations": [[[0, 0, 1, 1]]]}, r"segmentations\[0\]\[0\] is \[0, 0, 1, 1\]; a polygon"),
}


@pytest.mark.parametrize("change, message", BROKEN.values(), ids=BROKEN)
def test_broken_results_are_refused_with_the_place(change, message):
    gt = ground_truth([truth(1, [FULL] * 4)])
    with pytest.raises(EvaluationInputError, match=message):
        evaluate_json([found([FULL] * 4), {**found([FULL] * 4), **change}], gt)


@pytest.mark.parametrize("results", [{"a": 1}, "text", [3]])
def test_results_that_are_no_list_of_objects_are_refused(results):
    with pytest.raises(EvaluationInputError, match="give|no such"):
        evaluate_json(results, ground_truth([truth(1, [FULL] * 4)]))
