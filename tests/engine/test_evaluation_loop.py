"""Evaluation: interrupted and resumed, never mixed with other weights."""

import json
import logging

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.evaluation import DatasetEvaluator

from tests.engine.toy_model import ToyVIS, register_toy_set, toy_cfg
from vis_projects.engine.errors import ConfigError, DataError
from vis_projects.engine.evaluation_loop import (
    evaluate_datasets,
    inference_fingerprint,
    run_evaluation,
    weights_fingerprint,
)


@pytest.fixture
def toy_set(tmp_path):
    name = register_toy_set(tmp_path / "data", "toy_evaluation", videos=3)
    yield name
    for known in [n for n in DatasetCatalog.list() if n.startswith(name)]:
        DatasetCatalog.remove(known)
        MetadataCatalog.remove(known)


def results_of(folder, name):
    return json.loads((folder / "inference" / name / "results.json").read_text())


class Counter(DatasetEvaluator):
    """Counts the items that it is given."""

    def reset(self):
        self.items = 0

    def process(self, inputs, outputs):
        self.items += len(inputs)

    def evaluate(self):
        return {"items": self.items}


class Reader(torch.nn.Module):
    """Reads all frames."""

    def forward(self, items):
        return [list(item["image"]) for item in items]


@pytest.mark.parametrize("unit, image", [("image", torch.zeros(3, 4, 4)), ("video", ["frame"] * 5)])
def test_videos_count_by_their_frames_and_images_when_they_are_done(unit, image, caplog):
    with caplog.at_level(logging.INFO, logger="vis_projects"):
        outcome = run_evaluation(Reader(), [[{"image": image}]] * 2, Counter(), title="round", unit=unit)
    assert outcome == {"items": 2} and f"round: 2/2 {unit}s, " in caplog.text


def test_interrupted_evaluation_keeps_what_it_had_and_resumes(toy_set, tmp_path, caplog):
    model = ToyVIS()
    whole = evaluate_datasets(toy_cfg(toy_set, tmp_path / "whole"), model)
    cfg = toy_cfg(toy_set, tmp_path / "cut")
    model.stop_at_video = 2
    with pytest.raises(KeyboardInterrupt):
        evaluate_datasets(cfg, model)
    assert f"evaluate {toy_set}: interrupted; finished videos are kept" in caplog.text
    shards = list((tmp_path / "cut" / "inference" / toy_set / "shards").iterdir())
    assert shards and shards[0].stat().st_size > 0
    model.stop_at_video = 1  # would stop again if video 1 were run again
    resumed = evaluate_datasets(cfg, model, resume=True)
    assert str(resumed) == str(whole)  # as text, since some metrics are nan
    assert results_of(tmp_path / "cut", toy_set) == results_of(tmp_path / "whole", toy_set)


def test_without_resume_everything_runs_again(toy_set, tmp_path):
    cfg, model = toy_cfg(toy_set, tmp_path), ToyVIS()
    evaluate_datasets(cfg, model)
    model.stop_at_video = 1
    with pytest.raises(KeyboardInterrupt):
        evaluate_datasets(cfg, model)


def test_resume_with_other_weights_or_settings_is_refused(toy_set, tmp_path):
    cfg = toy_cfg(toy_set, tmp_path)
    evaluate_datasets(cfg, ToyVIS())
    evaluate_datasets(cfg, ToyVIS(), resume=True)
    torch.save({}, tmp_path / "other.pth")
    for key, value in (("MODEL.WEIGHTS", str(tmp_path / "other.pth")), ("INPUT.MIN_SIZE_TEST", 24)):
        changed = toy_cfg(toy_set, tmp_path, opts=[key, value])
        with pytest.raises(DataError, match="another run"):
            evaluate_datasets(changed, ToyVIS(), resume=True)


def test_fingerprints_leave_out_what_does_not_matter(tmp_path):
    cfg = toy_cfg("none", tmp_path)
    before = inference_fingerprint(cfg)
    cfg.SOLVER.BASE_LR, cfg.MODEL.DEVICE = 9.0, "cuda"
    assert inference_fingerprint(cfg) == before
    cfg.MODEL.VIS.TRACKER.NAME = "Other"
    assert inference_fingerprint(cfg) != before
    assert weights_fingerprint(cfg) == ""


def test_the_mode_of_the_model_is_kept(toy_set, tmp_path):
    model = ToyVIS().train()
    evaluate_datasets(toy_cfg(toy_set, tmp_path), model)
    assert model.training


def test_several_sets_are_kept_apart(toy_set, tmp_path):
    other = register_toy_set(tmp_path / "other", toy_set + "_other", videos=1)
    results = evaluate_datasets(toy_cfg(toy_set, tmp_path, opts=["DATASETS.TEST", (toy_set, other)]), ToyVIS())
    assert list(results) == [toy_set, other] and "AP" in results[other]["segm"]


def test_a_truncated_frame_is_named_and_finished_videos_stay(toy_set, tmp_path):
    frame = tmp_path / "data" / "JPEGImages" / "video1" / "00001.jpg"
    frame.write_bytes(frame.read_bytes()[:100])
    with pytest.raises(DataError, match="video 2.*00001.jpg"):
        evaluate_datasets(toy_cfg(toy_set, tmp_path), ToyVIS())
    shards = list((tmp_path / "inference" / toy_set / "shards").iterdir())
    assert shards and shards[0].stat().st_size > 0


def test_a_set_of_another_kind_cannot_be_evaluated(tmp_path):
    MetadataCatalog.get("toy_panoptic").set(evaluator_type="coco_panoptic_seg")
    with pytest.raises(ConfigError, match="toy_panoptic is no video set"):
        evaluate_datasets(toy_cfg("toy_panoptic", tmp_path), ToyVIS())
    MetadataCatalog.remove("toy_panoptic")


@pytest.mark.parametrize("opts", [["TEST.VIDEO.ORACLE", "image"], ["DATASETS.CLASS_SUBSET", ("a",)]])
def test_options_for_videos_are_refused_for_images(tmp_path, opts):
    MetadataCatalog.get("toy_images").set(evaluator_type="coco")
    with pytest.raises(ConfigError, match=f"{opts[0]}.*toy_images of DATASETS.TEST holds images"):
        evaluate_datasets(toy_cfg("toy_images", tmp_path, opts=opts), ToyVIS())
    MetadataCatalog.remove("toy_images")


def test_a_class_subset_is_evaluated_on_its_own(toy_set, tmp_path):
    cfg = toy_cfg(toy_set, tmp_path, opts=["DATASETS.CLASS_SUBSET", ("square", "disc", "bar")])
    assert "AP" in evaluate_datasets(cfg, ToyVIS())["segm"]
