"""AP of images: by hand, and with nothing found."""

import json
import math

import pytest
import torch
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.structures import Boxes, Instances
from pycocotools import mask as coco_mask

from tests.data.toy_cfg import register_toy_images
from vis_projects.evaluation import COCOImageEvaluator, EvaluationInputError
from vis_projects.evaluation.coco_images import METRICS, coco_results


@pytest.fixture
def dataset(tmp_path):
    """Three images of a square (category 5) and a disc (6); the disc is not in the first."""
    name = register_toy_images(tmp_path)
    yield name
    DatasetCatalog.remove(name)
    MetadataCatalog.remove(name)


def truth(dataset, skip=()):
    """image id -> what a perfect model finds, without the images of `skip`."""
    outputs = {}
    for record in DatasetCatalog.get(dataset):
        annotations = [a for a in record["annotations"] if record["image_id"] not in skip]
        found = Instances((record["height"], record["width"]))
        boxes = torch.tensor([a["bbox"] for a in annotations], dtype=torch.float32).view(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        found.pred_boxes = Boxes(boxes)
        found.scores = torch.linspace(0.9, 0.5, len(annotations))
        found.pred_classes = torch.tensor([a["category_id"] for a in annotations], dtype=torch.int64)
        masks = [torch.from_numpy(coco_mask.decode(a["segmentation"])).bool() for a in annotations]
        found.pred_masks = torch.stack(masks) if masks else torch.zeros(0, *found.image_size, dtype=torch.bool)
        outputs[record["image_id"]] = found
    return outputs


def score(dataset, folder, outputs, change=lambda instances: None):
    DatasetCatalog.get(dataset)
    evaluator = COCOImageEvaluator(dataset, folder)
    evaluator.reset()
    for image_id, found in outputs.items():
        change(found)
        evaluator.process([{"image_id": image_id}], [{"instances": found}])
    return evaluator.evaluate()


def test_all_found(dataset, tmp_path):
    results = score(dataset, tmp_path / "out", truth(dataset))
    assert set(results) == {"bbox", "segm"}
    for kind in results.values():
        assert kind["AP"] == kind["AP50"] == kind["AP-square"] == kind["AP-disc"] == pytest.approx(100)
        assert math.isnan(kind["APl"])  # no object is as large
    saved = json.loads((tmp_path / "out" / "results.json").read_text())
    assert len(saved) == 5 and {entry["category_id"] for entry in saved} == {5, 6}


def test_one_image_missed_by_hand(dataset, tmp_path):
    # 2 of 3 squares and 1 of 2 discs, all right. Precision is 1 at the recall points 0, 0.01, ..., 0.66 (67 of 101)
    # and 0, ..., 0.50 (51 of 101), 0 beyond.
    results = score(dataset, tmp_path, truth(dataset, skip={102}))
    for kind in ("bbox", "segm"):
        assert results[kind]["AP-square"] == pytest.approx(100 * 67 / 101)
        assert results[kind]["AP-disc"] == pytest.approx(100 * 51 / 101)
        assert results[kind]["AP"] == pytest.approx(100 * (67 + 51) / 202)


def test_models_of_boxes_have_no_mask_numbers(dataset, tmp_path):
    results = score(dataset, tmp_path, truth(dataset), lambda found: found.remove("pred_masks"))
    assert list(results) == ["bbox"] and results["bbox"]["AP"] == pytest.approx(100)


def test_nothing_found_is_zero(dataset, tmp_path):
    results = score(dataset, tmp_path, truth(dataset, skip={100, 101, 102}))
    assert set(results["segm"]) == {*METRICS, "AP-square", "AP-disc"} and set(results["segm"].values()) == {0.0}
    assert coco_results(truth(dataset, skip={100})[100], 100, [5, 6]) == []


def test_a_set_that_says_nothing_of_its_classes(tmp_path):
    with pytest.raises(EvaluationInputError, match="'unknown_set'.*register_coco_instances"):
        COCOImageEvaluator("unknown_set", tmp_path)
