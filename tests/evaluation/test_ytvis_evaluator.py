import json
import logging
import zipfile

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.engine import launch
from detectron2.evaluation import DatasetEvaluators, print_csv_format

from tests.evaluation.two_processes import FULL, evaluate_part, item, result, run
from tests.evaluation.worlds import ground_truth, truth
from vis_projects.evaluation import EvaluationInputError, YTVISEvaluator
from vis_projects.structures import VideoResults

NAME = "evaluator_toy"


@pytest.fixture
def dataset(tmp_path):
    """A set of three videos of two frames, one object in each, with the json categories 7 and 40."""
    path = tmp_path / "gt.json"
    annotations = [truth(v, [FULL, FULL], video=v, category=c) for v, c in ((1, 7), (2, 7), (3, 40))]
    path.write_text(json.dumps(ground_truth(annotations, videos=3, categories=(7, 40), length=2)))
    MetadataCatalog.get(NAME).set(evaluator_type="ytvis", json_file=str(path),
                                  thing_dataset_id_to_contiguous_id={7: 0, 40: 1})
    yield path
    MetadataCatalog.pop(NAME)


def test_perfect_results(dataset, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        metrics = run(YTVISEvaluator(NAME, tmp_path / "out"), [(2, 0), (1, 0), (3, 1)])
    assert list(metrics) == ["segm"]
    assert metrics["segm"]["AP"] == pytest.approx(100) and metrics["segm"]["AP-class40"] == pytest.approx(100)
    print_csv_format(metrics)
    assert "Average Precision  (AP) @[ IoU=0.50:0.95" in caplog.text
    records = json.loads((tmp_path / "out/results.json").read_text())
    assert [(r["video_id"], r["category_id"]) for r in records] == [(1, 7), (2, 7), (3, 40)], "in the order of the json"
    assert zipfile.ZipFile(tmp_path / "out/results.zip").namelist() == ["results.json"]


def test_no_objects_found_and_nothing_kept(dataset):
    evaluator = YTVISEvaluator(NAME)
    evaluator.process([item(1)], [VideoResults(1, 4, 10, 2)])
    assert evaluator.evaluate()["segm"]["AP"] == 0
    assert run(evaluator, [(1, 0), (2, 0), (3, 1)])["segm"]["AP"] == pytest.approx(100), "a second round starts anew"


def test_it_works_among_other_evaluators(dataset, tmp_path):
    evaluators = DatasetEvaluators([YTVISEvaluator(NAME, tmp_path)])
    evaluators.reset()
    evaluators.process([item(3)], [result(3, 1)])
    # class 7 has no result, class 40 is perfect
    assert evaluators.evaluate()["segm"]["AP"] == pytest.approx(50)


def test_how_videos_were_run_stands_beside_the_results(dataset, tmp_path, caplog):
    path = tmp_path / "out/inference_mode.json"
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        run(YTVISEvaluator(NAME, tmp_path / "out"), [(1, 0), (2, 0), (3, 1)])
    assert json.loads(path.read_text()) == ["online"] and "inference was" not in caplog.text
    evaluator = YTVISEvaluator(NAME, tmp_path / "out")
    evaluator.process([item(1)], [VideoResults(1, 4, 10, 2, inference_mode="offline, all of it seen")])
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        evaluator.evaluate()
    assert json.loads(path.read_text()) == ["offline, all of it seen"]
    assert "inference was offline, all of it seen" in caplog.text


def test_videos_without_result_are_named(dataset, tmp_path, caplog):
    run(YTVISEvaluator(NAME, tmp_path), [(1, 0)])
    assert "2 of 3 videos have no result, the first is 2" in caplog.text


@pytest.mark.parametrize("annotations", ["missing", None, []])
def test_without_ground_truth_only_the_results_are_written(dataset, tmp_path, caplog, annotations):
    content = json.loads(dataset.read_text())
    content["annotations"] = annotations
    if annotations == "missing":
        del content["annotations"]
    dataset.write_text(json.dumps(content))
    assert run(YTVISEvaluator(NAME, tmp_path / "out"), [(1, 0), (2, 0), (3, 1)]) == {}
    assert f"{NAME} has no ground truth" in caplog.text
    assert len(json.loads((tmp_path / "out/results.json").read_text())) == 3


def test_ids_come_from_the_json_where_the_set_was_not_loaded(dataset, tmp_path):
    MetadataCatalog.pop(NAME)
    MetadataCatalog.get(NAME).json_file = str(dataset)
    assert run(YTVISEvaluator(NAME, tmp_path), [(1, 0), (2, 0), (3, 1)])["segm"]["AP"] == pytest.approx(100)
    assert NAME not in DatasetCatalog.list()


def test_a_class_subset_scores_its_own_classes(dataset, tmp_path):
    MetadataCatalog.pop(NAME)
    MetadataCatalog.get(NAME).set(json_file=str(dataset), thing_dataset_id_to_contiguous_id={40: 0})
    evaluator = YTVISEvaluator(NAME, tmp_path)
    metrics = run(evaluator, [(3, 0)])["segm"]
    assert metrics["AP"] == pytest.approx(100) and "AP-class7" not in metrics
    assert json.loads((tmp_path / "results.json").read_text())[0]["category_id"] == 40


def test_a_result_of_another_video_is_refused(dataset, tmp_path):
    evaluator = YTVISEvaluator(NAME, tmp_path)
    with pytest.raises(ValueError, match="result of video 2 with 2 frames for video 1 with 2 frames"):
        evaluator.process([item(1)], [result(2, 0)])
    with pytest.raises(ValueError, match="for video 1 with 3 frames"):
        evaluator.process([{"video_id": 1, "length": 3}], [result(1, 0)])
    with pytest.raises(ValueError):
        evaluator.process([item(1), item(2)], [result(1, 0)])


def test_an_interrupted_run_goes_on(dataset, tmp_path, caplog):
    first = YTVISEvaluator(NAME, tmp_path, run_key="weights")
    first.reset()
    for video_id in (1, 2):
        first.process([item(video_id)], [result(video_id, 0)])
    shard = tmp_path / "shards/rank0.jsonl"
    shard.write_bytes(shard.read_bytes()[:-20])  # killed while writing video 2
    second = YTVISEvaluator(NAME, tmp_path, resume=True, run_key="weights")
    assert second.done_video_ids() == {1}
    assert "half written" in caplog.text
    assert run(second, [(2, 0), (3, 1)])["segm"]["AP"] == pytest.approx(100)
    third = YTVISEvaluator(NAME, tmp_path, resume=True, run_key="weights")
    assert third.done_video_ids() == {1, 2, 3}
    assert run(third, [])["segm"]["AP"] == pytest.approx(100), "nothing left to run"


def test_results_of_more_processes_are_taken_up(dataset, tmp_path):
    run(YTVISEvaluator(NAME, tmp_path), [(1, 0)])
    (tmp_path / "shards/rank0.jsonl").rename(tmp_path / "shards/rank5.jsonl")
    evaluator = YTVISEvaluator(NAME, tmp_path, resume=True)
    assert evaluator.done_video_ids() == {1}
    assert run(evaluator, [(2, 0), (3, 1)])["segm"]["AP"] == pytest.approx(100)


def test_without_resume_old_shards_go(dataset, tmp_path):
    run(YTVISEvaluator(NAME, tmp_path), [(1, 0)])
    (tmp_path / "shards/rank0.jsonl").rename(tmp_path / "shards/rank5.jsonl")
    evaluator = YTVISEvaluator(NAME, tmp_path)
    assert evaluator.done_video_ids() == set()
    run(evaluator, [(3, 1)])
    assert [r["video_id"] for r in json.loads((tmp_path / "results.json").read_text())] == [3]


def test_resume_refuses_another_run(dataset, tmp_path):
    run(YTVISEvaluator(NAME, tmp_path, run_key="a"), [(1, 0)])
    with pytest.raises(EvaluationInputError, match="another run"):
        YTVISEvaluator(NAME, tmp_path, resume=True, run_key="b")
    dataset.write_text(dataset.read_text() + " ")
    with pytest.raises(EvaluationInputError, match="another run"):
        YTVISEvaluator(NAME, tmp_path, resume=True, run_key="a")


def test_a_missing_json_is_named_with_the_remedy():
    MetadataCatalog.get("evaluator_none").set(json_file="nowhere/x.json", how_to_get="Ask the authors.")
    message = "'evaluator_none': the annotation file nowhere/x.json.*Ask the authors"
    with pytest.raises(FileNotFoundError, match=message):
        YTVISEvaluator("evaluator_none")
    with pytest.raises(EvaluationInputError, match="register_ytvis"):
        YTVISEvaluator("evaluator_unknown")
    MetadataCatalog.pop("evaluator_none")
    MetadataCatalog.pop("evaluator_unknown")


def test_two_processes_equal_one(dataset, tmp_path, monkeypatch):
    single = run(YTVISEvaluator(NAME, tmp_path / "one"), [(1, 0), (2, 0), (3, 1)])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    launch(evaluate_part, 2, dist_url="auto", args=(NAME, str(dataset), str(tmp_path)))
    first, second = (json.loads((tmp_path / f"metrics{rank}.json").read_text()) for rank in (0, 1))
    assert json.dumps(first) == json.dumps([single, single]) and second == [{}, {}]  # as text: nan equals nan there
    assert (tmp_path / "two/results.json").read_bytes() == (tmp_path / "one/results.json").read_bytes()
