"""A config and registered toy sets for the tests of mappers and loaders."""

import json
import uuid

from tests.toy_ytvis import write_toy_ytvis
from vis_projects.config import get_vis_cfg
from vis_projects.data import register_ytvis


def toy_cfg(*train, test=()):
    """Config of small frames in this process, without flips, for registered names."""
    cfg = get_vis_cfg()
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = tuple(train), tuple(test)
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN = (24,), 100
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = 24, 100
    cfg.SOLVER.IMS_PER_BATCH = 2
    cfg.SEED = 7
    return cfg


def register_toy(folder, **options):
    """Writes and registers a toy video set; returns its new name."""
    name = f"toy_{uuid.uuid4()}"
    register_ytvis(name, *write_toy_ytvis(folder, **options))
    return name


def register_toy_images(folder, categories=((5, "square"), (6, "disc"))):
    """Writes and registers the frames of a toy set as a COCO image set; returns its new name."""
    from detectron2.data.datasets import register_coco_instances

    json_path, root = write_toy_ytvis(folder, videos=1, frames=3, categories=categories)
    with open(json_path) as file:
        data = json.load(file)
    video = data["videos"][0]
    coco = {"info": {}, "categories": data["categories"], "images": [], "annotations": []}
    for t, name in enumerate(video["file_names"]):
        coco["images"].append({"id": 100 + t, "file_name": name, "height": video["height"], "width": video["width"]})
        for track in data["annotations"]:
            if track["segmentations"][t]:
                coco["annotations"].append({
                    "id": len(coco["annotations"]) + 1, "image_id": 100 + t, "category_id": track["category_id"],
                    "bbox": track["bboxes"][t], "area": track["areas"][t], "iscrowd": 0,
                    "segmentation": track["segmentations"][t]})
    path = folder / "coco.json"
    path.write_text(json.dumps(coco))
    name = f"images_{uuid.uuid4()}"
    register_coco_instances(name, {}, str(path), root)
    return name
