"""YouTube-VIS json (2019, 2021, OVIS and one's own) -> one dict per video.

Letters: T frames of a video. A loaded video has `file_names` [T], `height`, `width`, `length`, `video_id`, `fps` where
the json has it and, with ground truth, `annotations` [T] of lists of dicts with `id`, `bbox` (XYWH, absolute),
`bbox_mode`, `category_id` (contiguous), `segmentation` (polygons or compressed RLE) and `iscrowd`.
"""

import json
import os
from collections.abc import Mapping

from detectron2.data import MetadataCatalog
from detectron2.structures import BoxMode
from detectron2.utils.file_io import PathManager
from pycocotools import mask as coco_mask

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import json_faults
from vis_projects.layers import to_compressed


def load_ytvis_json(json_file: str, image_root: str, dataset_name: str | None = None) -> list[dict]:
    """Reads and checks a json.

    Args:
        json_file: path of the annotations.
        image_root: folder that `file_names` are relative to.
        dataset_name: registered name; its metadata gets `thing_classes`, `thing_dataset_id_to_contiguous_id` and
            `num_identities`.

    Returns:
        dicts as the module describes them, in the order of the file. Where `annotations` is missing or null they have
        no `annotations`.

    Raises:
        FileNotFoundError: if the json is not there.
        DatasetError: if the json is broken, naming the first fault.
    """
    data = read_ytvis_json(json_file, dataset_name)
    for fault in json_faults(data):
        raise DatasetError(f"{json_file}: {fault} `vis check-data` lists all faults of a file.")
    categories = sorted(data["categories"], key=lambda category: category["id"])
    contiguous = {category["id"]: index for index, category in enumerate(categories)}
    if dataset_name is not None:
        MetadataCatalog.get(dataset_name).set(
            thing_classes=[category["name"] for category in categories],
            thing_dataset_id_to_contiguous_id=contiguous,
            num_identities=len(data.get("annotations") or ()),
        )
    records = {video["id"]: _video_record(video, image_root) for video in data["videos"]}
    if data.get("annotations") is not None:
        for record in records.values():
            record["annotations"] = [[] for _ in range(record["length"])]
        for annotation in data["annotations"]:
            _enter_track(records[annotation["video_id"]], annotation, contiguous)
    return list(records.values())


def read_ytvis_json(json_file: str, dataset_name: str | None = None) -> object:
    """The parsed json.

    Raises:
        FileNotFoundError: naming the path, the split and how to get it.
        DatasetError: if the file is not json.
    """
    if not PathManager.isfile(json_file):
        split = f"split {dataset_name!r}: " if dataset_name else ""
        advice = MetadataCatalog.get(dataset_name).get("how_to_get", None) if dataset_name else None
        raise FileNotFoundError(
            f"{split}the annotation file {json_file} does not exist. {advice or 'Correct the path of the json.'}"
        )
    try:
        with PathManager.open(json_file, "r", encoding="utf-8") as file:
            return json.load(file)
    except ValueError as error:  # bad json, bad text encoding
        raise DatasetError(f"{json_file} is not a json file ({error}). Remedy: write or download it again.") from error


def _video_record(video: Mapping, image_root: str) -> dict:
    root = image_root if "://" in image_root else os.path.abspath(image_root)
    record = {
        "file_names": [os.path.join(root, name) for name in video["file_names"]],
        "height": video["height"],
        "width": video["width"],
        "length": len(video["file_names"]),
        "video_id": video["id"],
    }
    if video.get("fps"):
        record["fps"] = float(video["fps"])
    return record


def _enter_track(record: dict, annotation: Mapping, contiguous: Mapping[int, int]) -> None:
    """Adds one object to each frame in which it is present: both mask and box there, the box at least 1 x 1 px."""
    boxes = annotation.get("bboxes") or [None] * record["length"]
    derived = annotation.get("bboxes") is None
    for t, mask in enumerate(annotation["segmentations"]):
        if not mask:
            continue
        if isinstance(mask, Mapping) and isinstance(mask["counts"], list):
            compressed = coco_mask.frPyObjects(mask, record["height"], record["width"])
            mask = {"size": mask["size"], "counts": compressed["counts"].decode("ascii")}
        box = _box_of(mask, record["height"], record["width"]) if derived else boxes[t]
        if not box or box[2] < 1 or box[3] < 1:
            continue
        record["annotations"][t].append({
            "id": annotation["id"],
            "bbox": [float(value) for value in box],
            "bbox_mode": BoxMode.XYWH_ABS,
            "category_id": contiguous[annotation["category_id"]],
            "segmentation": mask,
            "iscrowd": int(annotation.get("iscrowd", 0)),
        })


def _box_of(mask: Mapping | list, height: int, width: int) -> list[float]:
    """XYWH box around a mask."""
    rle = to_compressed(mask) if isinstance(mask, Mapping) else coco_mask.merge(
        coco_mask.frPyObjects(mask, height, width))
    return coco_mask.toBbox(rle).tolist()
