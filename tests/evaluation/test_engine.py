"""The native engine against the Python path: equal to the last bit, from files, from objects and from both mixed."""

import copy
import json
import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.worlds import bar, found, ground_truth, random_world, rle, truth, world_json
from vis_projects.evaluation import EvalParams, EvaluationInputError, NoGroundTruthError, evaluate_json
from vis_projects.evaluation.engine import has_engine

FULL = bar(0, 10)
SMALL_RANGES = (("all", 0, 1e10), ("small", 0, 5), ("medium", 5, 9), ("large", 9, 1e10))
FEW = EvalParams(np.array([0.3, 0.5, 0.75, 1.0]), np.linspace(0, 1, 11), SMALL_RANGES, (1, 2, 3))
WRITINGS = ({}, {"separators": (",", ":")}, {"indent": 1}, {"indent": 2, "sort_keys": True})
ENGINE = "native" if has_engine() else "auto"  # without it, the tests show that "auto" is the Python path


def assert_equal(a, b) -> None:
    for name in ("precision", "recall", "scores"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert list(a.stats.items()) == list(b.stats.items())
    assert (a.per_class, a.num_truth, a.category_ids) == (b.per_class, b.num_truth, b.category_ids)


def write(path, content, **writing):
    path.write_text(json.dumps(content, default=bytes.decode, **writing))
    return path


def odd_world(seed: int) -> tuple[dict, list, dict]:
    """Ground truth, results and arguments: a random world with missing fields, odd sizes, id 0, subsets, own params."""
    rng = np.random.default_rng(seed)
    gt, results = world_json(random_world(seed), seed)
    for item in gt["annotations"]:
        for key in ("areas", "iscrowd"):
            if rng.random() < 0.1:
                del item[key]
    if gt["annotations"] and rng.random() < 0.3:
        gt["annotations"][0]["id"] = 0
    for item in results if rng.random() < 0.3 else ():
        masks = item["segmentations"]
        for t in np.flatnonzero(rng.random(len(masks)) < 0.3):
            masks[t] = rle(rng.random((4, 3)) < rng.choice([0.0, 0.5]))
    for video in gt["videos"] if rng.random() < 0.3 else ():
        video["file_names"] = ["x"] * video.pop("length")
    if rng.random() < 0.2:
        gt["categories"].append({"id": 77})
    options = {
        "params": [None, EvalParams(area_ranges=SMALL_RANGES), FEW][rng.integers(3)],
        "official_quirks": bool(rng.random() < 0.5),
        "category_ids": None if rng.random() < 0.7 else [int(c) for c in rng.choice([2, 5, 9, 77], 2)],
    }
    return gt, results, options


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), writing=st.sampled_from(WRITINGS))
def test_equals_the_python_path(tmp_path_factory, seed, writing):
    gt, results, options = odd_world(seed)
    if not gt["annotations"]:
        return
    folder = tmp_path_factory.mktemp("world")
    gt_path, results_path = write(folder / "gt.json", gt, **writing), write(folder / "results.json", results, **writing)
    before = copy.deepcopy((gt, results))
    expected = evaluate_json(results, gt, engine="python", **options)
    for sources in ((results, gt), (results_path, gt_path), (results, gt_path), (results_path, str(gt_path))):
        assert_equal(evaluate_json(*sources, engine=ENGINE, **options), expected)
    assert (gt, results) == before, "the inputs are not changed"


@pytest.mark.parametrize("seed", range(12))
def test_equal_results_with_one_and_two_threads(seed):
    gt, results, options = odd_world(seed + 5000)
    gt["annotations"].append(truth(99, [FULL], video=gt["videos"][0]["id"], category=gt["categories"][0]["id"]))
    threads, outcomes = torch.get_num_threads(), []
    for count in (1, 2):
        torch.set_num_threads(count)
        outcomes.append(evaluate_json(results, gt, engine=ENGINE, **options))
    torch.set_num_threads(threads)
    assert_equal(*outcomes)


def test_the_same_warnings(caplog, tmp_path):
    # entry 1: other size, entry 2: a frame short and other size, entry 3: of a class that is left out
    gt = ground_truth([truth(1, [FULL] * 4)])
    odd = np.ones((5, 5), dtype=bool)
    results = [found([FULL] * 4), found([odd, FULL, FULL, None]), found([FULL, odd, FULL]), found([odd], category=9)]
    path = write(tmp_path / "results.json", results)
    for source, name in ((results, "results"), (path, str(path))):
        texts = []
        for engine in ("python", ENGINE):
            caplog.clear()
            with caplog.at_level(logging.WARNING, logger="vis_projects"):
                evaluate_json(source, gt, engine=engine)
            texts.append([record.getMessage() for record in caplog.records])
        assert texts[0] == texts[1] and len(texts[0]) == 2
        lengths, sizes = texts[0]
        assert lengths.startswith("1 results have another number of frames") and f"{name}: entry 2 (3" in lengths
        assert sizes.startswith("2 results have masks of another size") and f"{name}: entry 1 (video" in sizes


def test_more_detections_than_the_cut_and_ties():
    # 130 detections of equal score: the file's order decides which 100 are kept, and the 101st is perfect
    gt = ground_truth([truth(1, [bar(0, 5)] * 4)])
    wrong = [found([bar(5, 10)] * 4, 0.5) for _ in range(130)]
    for place, recall in ((99, 1), (100, 0)):
        results = [*wrong[:place], found([bar(0, 5)] * 4, 0.5), *wrong[place:]]
        outcome = evaluate_json(results, gt, engine=ENGINE)
        assert outcome.stats["AR100"] == pytest.approx(recall)
        assert_equal(outcome, evaluate_json(results, gt, engine="python"))


def test_nothing_found():
    gt = ground_truth([truth(1, [FULL] * 4), truth(2, [None] * 4, category=2)], categories=(1, 2, 3))
    for results in ([], [found([None] * 4)], [found([], category=2)], [found([FULL] * 4, category=44)]):
        assert_equal(evaluate_json(results, gt, engine=ENGINE), evaluate_json(results, gt, engine="python"))
    assert evaluate_json([], gt, engine=ENGINE).stats["AP"] == 0


def test_classes_that_are_not_there():
    gt = ground_truth([truth(1, [FULL] * 4)])
    outcome = evaluate_json([found([FULL] * 4)], gt, category_ids=[], engine=ENGINE)
    assert outcome.stats["AP"] == -1 and outcome.category_ids == []
    assert_equal(outcome, evaluate_json([found([FULL] * 4)], gt, category_ids=[], engine="python"))


BEYOND_PLAIN = {
    "polygons": lambda gt, results: results[0].update(segmentations=[[[0, 0, 4, 0, 4, 3]]]),
    "text as video id": lambda gt, results: (gt["videos"][0].update(id="a"), gt["annotations"][0].update(video_id="a"),
                                             results[0].update(video_id="a")),
    "float as class": lambda gt, results: results[0].update(category_id=1.0),
    "broken area": lambda gt, results: gt["annotations"][0].update(areas=[5.5, 7.25, 0.1, None]),
    "empty runs": lambda gt, results: results[0]["segmentations"][0].update(counts=[0, 4, 0, 36]),
    "two empty runs": lambda gt, results: [item["segmentations"][0].update(counts=[0, 4, 0, 0, 36])
                                           for item in (results[0], gt["annotations"][0])],
    "zero as mask": lambda gt, results: results[0]["segmentations"].append(0),
    "broken mask of an unknown class": lambda gt, results: results.append(found([FULL], category=7) | {
        "segmentations": [{"size": [4, 10], "counts": "PP"}]}),
    "text as a mask's size, class unknown": lambda gt, results: results.append(found([FULL], category=7) | {
        "segmentations": [{"size": "4x10", "counts": "0"}]}),
}


@pytest.mark.parametrize("change", BEYOND_PLAIN.values(), ids=BEYOND_PLAIN)
def test_what_is_beyond_the_plain_form_runs_on_the_python_path(change, tmp_path):
    gt, results = ground_truth([truth(1, [FULL] * 4)]), [found([FULL] * 4)]
    change(gt, results)
    paths = write(tmp_path / "results.json", results), write(tmp_path / "gt.json", gt)
    expected = evaluate_json(results, gt, engine="python")
    assert_equal(evaluate_json(results, gt), expected)
    assert_equal(evaluate_json(*paths), expected)


def test_native_insists():
    gt, results = ground_truth([truth(1, [FULL] * 4)]), [found([FULL] * 4, category=1) | {"category_id": 1.0}]
    with pytest.raises(RuntimeError, match="engine='native' cannot evaluate this"):
        evaluate_json(results, gt, engine="native")
    with pytest.raises(RuntimeError, match="boxes|not compiled"):
        evaluate_json(results, gt, iou_type="bbox", engine="native")
    with pytest.raises(ValueError, match="engine is 'fast'; choose one of"):
        evaluate_json(results, gt, engine="fast")


BROKEN = {
    "unknown video": (lambda gt, results: results[1].update(video_id=9), r"entry 1: video_id 9 is not in"),
    "nan": (lambda gt, results: results[1].update(score=float("nan")), "score is nan"),
    "cut text": (lambda gt, results: results[1]["segmentations"][2].update(counts="PPP"), r"\[2\].counts b'PPP' is no"),
    "short": (lambda gt, results: results[1]["segmentations"][2].update(counts="4"), "cover 4 pixels"),
    "negative run, text": (lambda gt, results: results[1]["segmentations"][2].update(counts="0]10^N"),
                           r"entry 1.segmentations\[2\].counts b'0\]10\^N' has a negative run"),
    "negative run, list": (lambda gt, results: gt["annotations"][0]["segmentations"][1].update(counts=[0, 45, 0, -5]),
                           r"\[1\].counts is \[0, 45, 0, -5\]; give .*>= 0"),
    "too long": (lambda gt, results: gt["annotations"][0]["segmentations"][1].update(counts=[40, 1]),
                 "cover 41 pixels"),
    "same id": (lambda gt, results: gt["annotations"].append(gt["annotations"][0]), "used twice"),
    "same video": (lambda gt, results: gt["videos"].append(gt["videos"][0]), "videos has an id twice"),
    "beyond the cut": (lambda gt, results: results.extend(
        [found([FULL] * 4)] * 120 + [found([FULL], 0.1) | {"segmentations": [{"size": [4, 10], "counts": "0"}]}]),
        "entry 122.*cover 0 pixels"),
}


@pytest.mark.parametrize("change, message", BROKEN.values(), ids=BROKEN)
def test_errors_are_those_of_the_python_path(change, message, tmp_path):
    gt, results = ground_truth([truth(1, [FULL] * 4)]), [found([FULL] * 4), found([FULL] * 4)]
    change(gt, results)
    for sources in ((results, gt), (write(tmp_path / "results.json", results), write(tmp_path / "gt.json", gt))):
        with pytest.raises(EvaluationInputError, match=message):
            evaluate_json(*sources)


@pytest.mark.parametrize("text", ["", "[", "[{]", "{}", "[]]", "null", "\ufeff[]", "[1]", '[{"video_id": 1}]'])
def test_broken_files_raise_as_on_the_python_path(text, tmp_path):
    gt_path = write(tmp_path / "gt.json", ground_truth([truth(1, [FULL] * 4)]))
    path = tmp_path / "results.json"
    path.write_text(text)
    outcomes = []
    for engine in ("python", "auto"):
        try:
            outcomes.append(list(evaluate_json(path, gt_path, engine=engine).stats.items()))
        except EvaluationInputError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_files_without_annotations_say_so(tmp_path):
    for annotations in (None, []):
        path = write(tmp_path / "gt.json", ground_truth(annotations))
        with pytest.raises(NoGroundTruthError, match="no ground truth"):
            evaluate_json([], path)


TOKENS = ["null", "true", "{}", "[]", '""', "0", "-1", "1.5", "1e2", "NaN", "\\\\", '\\"', "\\u0041", '"id": 1, ', ",",
          "]", "}", '"', " ", "\n", "\x00", "ä", "01", "-0", "9" * 20, '"size": [3, 4], ', " 1",
          '"areas": null, ', "o", "P"]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_damaged_files(tmp_path_factory, seed, data):
    # whatever the engine takes, the Python path takes, with the same result; "auto" never does anything else
    world = random_world(seed)
    gt, results = world_json(world, seed)
    if not gt["annotations"]:
        return
    folder = tmp_path_factory.mktemp("damaged")
    texts = [json.dumps(content, default=bytes.decode) for content in (results, gt)]
    which = data.draw(st.integers(0, 1))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(texts[which])))
        kept = texts[which][at + data.draw(st.integers(0, 3)) :] if data.draw(st.integers(0, 9)) else ""
        texts[which] = texts[which][:at] + data.draw(st.sampled_from(TOKENS)) + kept
    paths = [folder / "results.json", folder / "gt.json"]
    for path, text in zip(paths, texts):
        path.write_text(text, encoding="utf-8")
    outcomes = []
    for engine in ("python", "auto"):
        try:
            outcomes.append(evaluate_json(*paths, engine=engine))
        except Exception as error:  # some damage is beyond what the Python path names; it is the same on both
            outcomes.append((type(error), str(error)))
    if isinstance(outcomes[0], tuple):
        assert outcomes[0] == outcomes[1]
    else:
        assert_equal(*outcomes)
