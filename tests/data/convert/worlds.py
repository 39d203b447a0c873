"""Small hand-made sources for the tests of the converters, and a look into what came out."""

import copy
import functools
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from vis_projects.data import check_dataset
from vis_projects.data.convert import ConvertNotes, ConvertOptions
from vis_projects.data.synth import SynthVIS

SIZE = (4, 6)  # height, width of the hand-made frames


def picture(text: str) -> np.ndarray:
    """uint16 label map of rows of digits, "." is 0: picture("..1 .22") is 2 x 3."""
    return np.array([[0 if sign == "." else int(sign) for sign in row] for row in text.split()], dtype=np.uint16)


def save(array: np.ndarray, path: Path, palette: bool = False) -> str:
    """Writes a png with these pixel values, with a palette where asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette:
        image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
    image.save(path)
    return str(path)


def save_images(folder: Path, names: list[str], size: tuple[int, int] = SIZE) -> str:
    """Writes black frames and returns the folder."""
    for name in names:
        save(np.zeros((*size, 3), dtype=np.uint8), folder / name)
    return str(folder)


def save_json(data: object, path: Path) -> str:
    """Writes a json and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return str(path)


def rle_of(array: np.ndarray) -> dict:
    """Compressed RLE of a mask."""
    rle = coco_mask.encode(np.asfortranarray(array.astype(np.uint8)))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode()}


def read(reader, source, tmp_path: Path, **options):
    """Runs a reader and checks what it made as `vis check-data` does, also whether it is json.

    Returns:
        the dict and the notes.
    """
    notes = ConvertNotes()
    data = reader(str(source), ConvertOptions(**options), notes)
    written = save_json(data, tmp_path / "checked" / "instances.json")
    assert check_dataset(written) == []
    assert json.loads(Path(written).read_text()) == data
    return data, notes


def write(writer, data: dict, target, **options) -> ConvertNotes:
    """Runs a writer, which must leave its input as it is; returns the notes."""
    notes, before = ConvertNotes(), copy.deepcopy(data)
    writer(data, str(target), ConvertOptions(**options), notes)
    assert data == before
    return notes


def masks(annotation: dict) -> list[np.ndarray | None]:
    """uint8 (H, W) mask of each frame, None where absent."""
    return [None if rle is None else coco_mask.decode(rle) for rle in annotation["segmentations"]]


def shown(annotation: dict) -> list[str | None]:
    """Mask of each frame as rows of "." and "1", None where absent."""
    return [None if mask is None else " ".join("".join(".1"[value] for value in row) for row in mask)
            for mask in masks(annotation)]


def same_tracks(a: dict, b: dict) -> bool:
    """Whether two dicts have the same objects with the same classes, masks, boxes and areas, in any order."""
    return _track_set(a) == _track_set(b)


def _track_set(data: dict) -> set[str]:
    names = {category["id"]: category["name"] for category in data["categories"]}
    files = {video["id"]: video["file_names"] for video in data["videos"]}
    return {json.dumps([files[a["video_id"]], names[a["category_id"]], a["iscrowd"], a["segmentations"], a["bboxes"],
                        a["areas"]]) for a in data["annotations"]}


@functools.lru_cache
def _synth_text() -> str:
    return json.dumps(SynthVIS("tiny", "val", num_videos=2).ground_truth())


def synth() -> dict:
    """Labels of two generated videos; no two masks overlap."""
    return json.loads(_synth_text())


def overlapping() -> dict:
    """One video of two frames: in frame 0 a 2 x 4 bar (category 7) and a 2 x 2 square (category 1001) share 2 pixels.

    In frame 1 the square, category 1001, is alone; a crowd region of category 7 fills the last column of frame 0.
    """
    bar, square, crowd = (rle_of(picture(text)) for text in (
        "1111.. 1111.. ...... ......", "...... ..11.. ..11.. ......", ".....1 .....1 .....1 .....1"))
    common = {"video_id": 3, "height": 4, "width": 6, "length": 2}
    return {
        "info": {}, "licenses": [],
        "categories": [{"id": 7, "name": "bar", "supercategory": "x"}, {"id": 1001, "name": "square"}],
        "videos": [{"id": 3, "height": 4, "width": 6, "length": 2, "file_names": ["clip/5.jpg", "clip/10.jpg"]}],
        "annotations": [
            {"id": 4, "category_id": 7, "iscrowd": 0, **common, "segmentations": [bar, None],
             "bboxes": [[0.0, 0.0, 4.0, 2.0], None], "areas": [8, None]},
            {"id": 9, "category_id": 1001, "iscrowd": 0, **common, "segmentations": [square, square],
             "bboxes": [[2.0, 1.0, 2.0, 2.0]] * 2, "areas": [4, 4]},
            {"id": 10, "category_id": 7, "iscrowd": 1, **common, "segmentations": [crowd, None],
             "bboxes": [[5.0, 0.0, 1.0, 4.0], None], "areas": [4, None]},
        ],
    }
