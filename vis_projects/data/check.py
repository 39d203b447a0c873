"""Finds everything that is wrong with a data set before it is used: the json, the image files, their sizes."""

import os
from collections.abc import Iterator, Mapping

from PIL import Image
from pycocotools import mask as coco_mask

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import Fault, json_faults
from vis_projects.data.ytvis_json import read_ytvis_json
from vis_projects.layers import to_compressed

JPEG_END = b"\xff\xd9"


def check_dataset(json_file: str, image_root: str | None = None) -> list[Fault]:
    """All faults of a YouTube-VIS data set; an empty list means that it can be used.

    Args:
        json_file: path of the annotations.
        image_root: folder that `file_names` are relative to; None takes `JPEGImages` beside the json where that is
            there, and looks at no image elsewhere.

    Returns:
        faults; those with `fatal` false do not keep the data set from being used.

    Raises:
        FileNotFoundError: if the json is not there.
    """
    try:
        data = read_ytvis_json(json_file)
    except DatasetError as error:
        return [Fault(None, "json", str(error), "write or download the file again")]
    faults = list(json_faults(data))
    if image_root is None:
        beside = os.path.join(os.path.dirname(os.path.abspath(json_file)), "JPEGImages")
        image_root = beside if os.path.isdir(beside) else None
    videos = _sound_videos(data)
    if image_root is not None:
        faults += [fault for video in videos.values() for fault in _image_faults(video, image_root)]
    broken = {fault.annotation for fault in faults}
    for annotation in (data.get("annotations") if isinstance(data, Mapping) else None) or ():
        if isinstance(annotation, Mapping) and annotation.get("id") not in broken:
            if annotation.get("video_id") in videos:
                faults += _track_faults(annotation, videos[annotation["video_id"]])
    return faults


def _sound_videos(data: object) -> dict[int, Mapping]:
    """Videos whose own fields are fine, by id."""
    videos = data.get("videos") if isinstance(data, Mapping) else None
    if not isinstance(videos, list):
        return {}
    broken = {fault.video for fault in json_faults({"videos": videos, "categories": [{"id": 1, "name": "any"}]})}
    with_id = [video for video in videos if isinstance(video, Mapping) and isinstance(video.get("id"), int)]
    return {video["id"]: video for video in with_id if video["id"] not in broken}


def _image_faults(video: Mapping, image_root: str) -> Iterator[Fault]:
    """Missing, cut-off and wrongly sized frames; one fault of each kind for a video."""
    seen = set()
    for t, name in enumerate(video["file_names"]):
        kind_and_fault = _image_fault(video, t, os.path.join(image_root, name))
        if kind_and_fault and kind_and_fault[0] not in seen:
            seen.add(kind_and_fault[0])
            yield kind_and_fault[1]


def _image_fault(video: Mapping, t: int, path: str) -> tuple[str, Fault] | None:
    field = f"file_names[{t}]"
    if not os.path.isfile(path):
        return "missing", Fault(video["id"], field, f"{path} does not exist", "put the frame there or correct its name")
    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.format == "JPEG" and not _ends_as_jpeg(path):
                image.load()
    except (OSError, SyntaxError) as error:
        return "broken", Fault(video["id"], field, f"{path} cannot be decoded ({error})", "copy or download it again")
    if (height, width) != (video["height"], video["width"]):
        return "size", Fault(
            video["id"], field,
            f"{path} is {height} x {width} (height x width), the video says {video['height']} x {video['width']}",
            "correct height and width of the video, or use the frames that the json was made for",
        )
    return None


def _ends_as_jpeg(path: str) -> bool:
    with open(path, "rb") as file:
        file.seek(-min(64, os.path.getsize(path)), os.SEEK_END)
        return JPEG_END in file.read()


def _track_faults(annotation: Mapping, video: Mapping) -> Iterator[Fault]:
    """What is odd about a well-formed track; nothing of it is fatal."""
    masks, boxes = annotation["segmentations"], annotation.get("bboxes")
    if not any(masks):
        yield _odd(annotation, "segmentations", "the object is absent in every frame", "drop the annotation")
    for t, mask in enumerate(masks):
        box = boxes[t] if boxes is not None else None
        if boxes is not None and bool(mask) != bool(box):
            there, missing = ("segmentations", "bboxes") if mask else ("bboxes", "segmentations")
            yield _odd(annotation, f"{missing}[{t}]", f"is null although {there}[{t}] is there",
                       "write both, or null for both; the frame counts as one without the object")
            return
        if box and not _box_inside(box, video):
            yield _odd(annotation, f"bboxes[{t}]",
                       f"{box} reaches beyond the frame of {video['width']} x {video['height']} pixels",
                       "write [x, y, width, height] inside the frame")
            return
        if isinstance(mask, Mapping) and coco_mask.area(to_compressed(mask)) == 0:
            yield _odd(annotation, f"segmentations[{t}]", "the mask has no pixel",
                       "write null where the object is absent")
            return


def _box_inside(box: list[float], video: Mapping, tolerance: float = 1.0) -> bool:
    x, y, width, height = box
    return (x >= -tolerance and y >= -tolerance and x + width <= video["width"] + tolerance
            and y + height <= video["height"] + tolerance)


def _odd(annotation: Mapping, field: str, message: str, remedy: str) -> Fault:
    return Fault(annotation["video_id"], field, message, remedy, annotation["id"], fatal=False)
