import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.evaluation.worlds import bar, found, ground_truth, random_world, truth, world_json
from vis_projects.evaluation import EvaluationInputError, NoGroundTruthError, evaluate_in_full, evaluate_json
from vis_projects.evaluation.facts_cache import FactsCache
from vis_projects.evaluation.world import World

A, B = bar(0, 5), bar(5, 10)
VIDEOS = 4
GT = ground_truth([truth(v, [A] * 4, video=v, category=1 + v % 2) for v in range(1, VIDEOS + 1)], videos=VIDEOS,
                  categories=(1, 2))
RESULTS = [found([A, A, A, B], 0.5 + v / 10, video=v, category=1 + v % 2) for v in range(1, VIDEOS + 1)]


def perfect(gt):
    return [found([A] * 4, video=a["video_id"], category=a["category_id"]) for a in gt["annotations"]]


def test_ground_truth_as_prediction_is_perfect_in_every_number():
    report = evaluate_in_full(perfect(GT), GT)
    assert report.ap.stats["AP"] == pytest.approx(1) and report.errors.ap["AP"] == pytest.approx(1)
    assert all(report.tracking.pooled[k] == 1 for k in ("HOTA", "DetA", "AssA", "LocA", "IDF1", "IDP", "IDR"))
    assert report.tracking.class_mean["HOTA"] == 1
    assert report.tracking.pooled["IDSW"] == report.tracking.pooled["Frag"] == 0
    assert all(gain == pytest.approx(0) for gains in report.errors.gains.values() for gain in gains.values())
    for table in report.tables:
        assert all(row["AP"] == pytest.approx(1) for row in table.rows.values() if row["tracks"])


def test_one_missing_frame_and_one_swapped_identity_in_the_numbers_of_tracking():
    # one missing frame of 4: DetA = AssA = HOTA = 3/4, IDF1 = 2 * 3 / (2 * 3 + 1)
    gt = ground_truth([truth(1, [A] * 4)])
    pooled = evaluate_in_full([found([A, A, None, A])], gt).tracking.pooled
    assert [pooled[k] for k in ("HOTA", "IDF1", "Frag")] == pytest.approx([3 / 4, 6 / 7, 1])
    # two objects that change places in the last frame: 8 matches; pairs of 3 weigh 3 / (4 + 4 - 3), those of 1
    # weigh 1 / (4 + 4 - 1): AssA = 2 * (3 * 3/5 + 1/7) / 8 = 17/35
    gt = ground_truth([truth(1, [A] * 4), truth(2, [B] * 4)])
    pooled = evaluate_in_full([found([A, A, A, B], 0.9), found([B, B, B, A], 0.8)], gt).tracking.pooled
    assert [pooled[k] for k in ("DetA", "AssA", "IDF1", "IDSW")] == pytest.approx([1, 17 / 35, 3 / 4, 2])
    # one wrong class: the track is missed in one class and false in the other
    gt = ground_truth([truth(1, [A] * 4)], categories=(1, 2))
    pooled = evaluate_in_full([found([A] * 4, category=2)], gt).tracking.pooled
    assert [pooled[k] for k in ("HOTA", "IDF1")] == [0, 0]


def test_no_results():
    report = evaluate_in_full([], GT)
    assert report.ap.stats["AP"] == 0 and report.tracking.pooled["HOTA"] == 0
    assert report.errors.counts["missed"] == VIDEOS and report.errors.gains["missed"]["AP"] == 1


def test_the_twelve_are_those_of_evaluate_json():
    for iou_type in ("segm", "bbox"):
        assert evaluate_in_full(RESULTS, GT, iou_type=iou_type).ap.stats == pytest.approx(
            evaluate_json(RESULTS, GT, iou_type=iou_type).stats, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_every_notation_crowds_short_lists_and_odd_areas_are_taken(seed):
    gt, results = world_json(random_world(seed), seed)
    assume(gt["annotations"])
    report = evaluate_in_full(results, gt)
    assert report.ap.stats == pytest.approx(evaluate_json(results, gt).stats, abs=1e-12)
    assert json.dumps(report.to_json(), allow_nan=False) and report.text()


def test_crowds_alone_are_no_objects():
    report = evaluate_in_full([found([A] * 4)], ground_truth([{**truth(1, [A] * 4), "iscrowd": 1}]))
    assert report.ap.stats["AP"] == -1 and report.tracking.class_mean == {} and report.errors.ap["AP"] == 0
    assert "Per class" in report.text() and report.to_json()["stats"]["AP"] is None


POLYGON = [[0, 0, 5, 0, 5, 1, 0, 1]]  # the first five pixels of a row


@pytest.mark.parametrize(("results", "gt_change", "ap", "hota"), [
    ([found([None] * 4)], {}, 0, 0),
    ([found([A] * 4, category=77)], {}, 0, 0),
    ([{**found([A]), "segmentations": [POLYGON] * 4}], {}, 1, 1),
    ([{**found([A]), "segmentations": [{"size": [4, 10], "counts": [0, *[1, 3] * 4, 1, 23]}] * 4}], {}, 1, 1),
    ([{**found([A] * 4), "id": 3, "areas": [0], "iscrowd": 1}], {}, 1, 1),
    ([found([A] * 4)], {"iscrowd": None, "areas": None}, 1, 1),
    ([found([A] * 4)], {"segmentations": [POLYGON] * 4, "areas": None}, 1, 1),
])
def test_what_other_programs_write(results, gt_change, ap, hota):
    annotation = {**truth(1, [A] * 4), **gt_change}
    annotation = {key: value for key, value in annotation.items() if value is not None}
    report = evaluate_in_full(results, ground_truth([annotation]))
    assert report.ap.stats["AP"] == pytest.approx(ap) and report.tracking.pooled["HOTA"] == pytest.approx(hota)


@pytest.mark.parametrize(("change", "message"), [
    ({"video_id": 9}, "video_id 9 is not in the ground truth"), ({"score": float("nan")}, "score is nan"),
    ({"score": None}, "score is None"), ({"segmentations": None}, "no segmentations"),
])
def test_broken_results_are_named(change, message):
    with pytest.raises(EvaluationInputError, match=message):
        evaluate_in_full([{**found([A] * 4), **change}], ground_truth([truth(1, [A] * 4)]))


def test_without_ground_truth_it_says_so():
    with pytest.raises(NoGroundTruthError):
        evaluate_in_full([], ground_truth(None))


def test_text_and_json_hold_everything(tmp_path):
    report = evaluate_in_full(RESULTS, GT)
    text = report.text()
    for words in ("maxDets=100", "Per class", "Per size", "Per length", "HOTA", "Where AP is lost"):
        assert words in text
    content = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert content["stats"]["AP"] == report.ap.stats["AP"] and content["stats"]["APl"] is None
    assert content["tables"][0]["rows"]["large"] == {
        "tracks": 0, "AP": None, "AP50": None, "AP75": None, "AR1": None, "AR10": None,
    }
    assert content["tracking"]["pooled"]["IDF1"] == report.tracking.pooled["IDF1"]
    assert content["errors"]["counts"].keys() == report.errors.counts.keys()


def test_files_are_read_as_well(tmp_path):
    for name, content in (("gt.json", GT), ("results.json", RESULTS)):
        (tmp_path / name).write_text(json.dumps(content))
    report = evaluate_in_full(tmp_path / "results.json", str(tmp_path / "gt.json"))
    assert report.to_json() == evaluate_in_full(RESULTS, GT).to_json()


def test_an_evaluation_that_is_cut_off_goes_on(tmp_path, monkeypatch):
    whole, looked_at, look_at = evaluate_in_full(RESULTS, GT), [], World.look_at

    def counted(world, video_id, track_score):
        if video_id == stop_at:
            raise KeyboardInterrupt
        looked_at.append(video_id)
        return look_at(world, video_id, track_score)

    monkeypatch.setattr(World, "look_at", counted)
    stop_at = 3
    cache = FactsCache(tmp_path, {"inputs": "these"})
    with pytest.raises(KeyboardInterrupt):
        evaluate_in_full(RESULTS, GT, cache=cache)
    cache.close()
    stop_at, steps = 1, []  # video 1 would stop it again if it were looked at
    cache = FactsCache(tmp_path, {"inputs": "these"})
    resumed = evaluate_in_full(RESULTS, GT, cache=cache, on_video=lambda *step: steps.append(step))
    assert looked_at == [1, 2, 3, 4] and steps == [(VIDEOS, 4)] * VIDEOS
    assert resumed.to_json() == whole.to_json() and resumed.text() == whole.text()
