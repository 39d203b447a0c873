"""Labels of every kind train every method: ids with gaps, a one-frame video, polygons and both kinds of RLE."""

import argparse
import json

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from pycocotools import mask as coco_mask

from tests.test_every_config import SMALL
from tests.toy_ytvis import write_toy_ytvis
from vis_projects import model_zoo, register_ytvis
from vis_projects.engine import VISTrainer, load_config, setup

NAME = "toy_of_mixed_labels"
QUICK = [name for name in model_zoo.list_configs() if name.startswith("quick_schedules/") and "Base-" not in name]


def plain_runs(rle: dict) -> dict:
    """The same mask as an uncompressed RLE."""
    runs, value = [0], 0
    for pixel in coco_mask.decode(rle).flatten(order="F").tolist():
        if pixel != value:
            runs, value = [*runs, 0], pixel
        runs[-1] += 1
    return {"size": rle["size"], "counts": runs}


def rectangle(box: list[int]) -> list[list[int]]:
    """A box as a polygon."""
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Video 1 of three frames and video 2 of one; categories 7 (polygons), 40 (runs) and 1001 (compressed)."""
    root = tmp_path_factory.mktemp("mixed")
    json_file, images = write_toy_ytvis(root, videos=2, frames=3)
    data = json.loads(open(json_file).read())
    data["videos"][1].update(length=1, file_names=data["videos"][1]["file_names"][1:2])
    for annotation in data["annotations"]:
        if annotation["video_id"] == 2:
            for key in ("segmentations", "bboxes", "areas"):
                annotation[key] = annotation[key][1:2]
        masks, boxes = annotation["segmentations"], annotation["bboxes"]
        if annotation["category_id"] == 7:
            annotation["segmentations"] = [box and rectangle(box) for box in boxes]
        if annotation["category_id"] == 40:
            annotation["segmentations"] = [mask and plain_runs(mask) for mask in masks]
    (root / "mixed.json").write_text(json.dumps(data))
    register_ytvis(NAME, str(root / "mixed.json"), images)
    yield NAME
    DatasetCatalog.remove(NAME)
    MetadataCatalog.remove(NAME)


@pytest.mark.parametrize("config", QUICK)
def test_every_method_trains_two_iterations_on_them(config, dataset, tmp_path):
    trains_a_tracker = not load_config(config).DATASETS.TEST  # such a network finds nothing by itself
    test_sets = "()" if trains_a_tracker else f"('{dataset}',)"
    opts = [*SMALL, "DATASETS.TRAIN", f"('{dataset}',)", "DATASETS.TEST", test_sets, "OUTPUT_DIR", str(tmp_path)]
    cfg = setup(argparse.Namespace(config_file=model_zoo.get_config_file(config), opts=opts, eval_only=False,
                                   resume=False))
    assert cfg.MODEL.VIS.NUM_CLASSES == 3 and cfg.MODEL.VIS.NUM_IDENTITIES == 6
    trainer = VISTrainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()
    assert trainer.iter == 2
    if not trains_a_tracker:
        assert "AP" in str(trainer.test(cfg, trainer.model))
