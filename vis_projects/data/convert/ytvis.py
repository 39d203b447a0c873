"""YouTube-VIS json as a source (every writer's input) and as the target of all readers."""

import json
from collections.abc import Mapping

from vis_projects.data.convert.builder import track_lists
from vis_projects.data.convert.files import source_error
from vis_projects.data.convert.masks import segmentation_rle
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import json_faults
from vis_projects.data.ytvis_json import read_ytvis_json


def read_ytvis(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """Reads and checks a json; masks of every kind become compressed RLE, boxes and areas are those of the masks.

    Raises:
        FileNotFoundError: the file is not there.
        DatasetError: it is broken or has no annotations.
    """
    data = read_ytvis_json(source)
    for fault in json_faults(data):
        raise DatasetError(f"{source}: {fault}")
    if data.get("annotations") is None:
        raise source_error(source, "annotations", "is missing or null", "give a json with labels")
    videos = {video["id"]: video for video in data["videos"]}
    annotations = []
    for annotation in options.progress(data["annotations"], "masks"):
        video = videos[annotation["video_id"]]
        try:
            masks = [segmentation_rle(mask, video["height"], video["width"]) if mask else None
                     for mask in annotation["segmentations"]]
        except ValueError as error:
            raise source_error(source, f"annotation {annotation['id']}, segmentations", str(error),
                               "draw the mask in pixels") from error
        lists, empty = track_lists(masks)
        notes.drop("masks without a pixel in the frame", empty)
        if any(lists["areas"]):
            annotations.append({**annotation, "iscrowd": int(annotation.get("iscrowd", 0)), **lists})
        else:
            notes.drop("objects without a single mask")
    if options.images:
        notes.image_root = options.images
    return {**data, "annotations": annotations}


def write_ytvis(data: Mapping, target: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes a dict as a json file.

    Args:
        data: what a reader returned.
        target: file to write; its folder is there.
        options: not used.
        notes: not used.
    """
    write_json(data, target)


def write_json(data: object, path: str) -> None:
    """Writes json without superfluous spaces."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(data, separators=(",", ":")))  # several times faster than json.dump
