"""Small hand-made YouTube-VIS jsons and records for the tests of the data room."""

import copy
import json

import numpy as np
from pycocotools import mask as coco_mask

SIZE = (4, 6)


def rle(*pixels, size=SIZE, plain=False):
    """RLE of the (y, x) pixels, compressed text or a plain list."""
    mask = np.zeros(size, dtype=np.uint8)
    for y, x in pixels:
        mask[y, x] = 1
    if not plain:
        encoded = coco_mask.encode(np.asfortranarray(mask))
        return {"size": list(size), "counts": encoded["counts"].decode()}
    column_major = mask.flatten(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate(([0], column_major, [2]))))
    return {"size": list(size), "counts": np.diff(np.concatenate(([0], edges))).tolist()}


def small_json():
    """Two 4 x 6 videos of three frames and one frame, categories 7, 40 and 1001, one track of each mask kind.

    Track 11 (cat, compressed) is absent in frame 1, track 12 (dog, plain counts) in frame 0, track 21 (bird) is a
    polygon and has no boxes.
    """
    return {
        "info": {"description": "toy"},
        "categories": [{"id": 1001, "name": "bird"}, {"id": 7, "name": "cat"}, {"id": 40, "name": "dog"}],
        "videos": [
            {"id": 3, "height": 4, "width": 6, "length": 3, "file_names": ["a/0.jpg", "a/1.jpg", "a/2.jpg"], "fps": 6},
            {"id": 5, "height": 4, "width": 6, "length": 1, "file_names": ["b/0.jpg"]},
        ],
        "annotations": [
            {"id": 11, "video_id": 3, "category_id": 7, "iscrowd": 0, "areas": [2, None, 1],
             "bboxes": [[1, 1, 2, 1], None, [5, 3, 1, 1]],
             "segmentations": [rle((1, 1), (1, 2)), None, rle((3, 5))]},
            {"id": 12, "video_id": 3, "category_id": 40, "iscrowd": 0, "areas": [None, 1, 1],
             "bboxes": [None, [0, 0, 1, 1], [0, 0, 1, 1]],
             "segmentations": [None, rle((0, 0), plain=True), rle((0, 0), plain=True)]},
            {"id": 21, "video_id": 5, "category_id": 1001, "segmentations": [[[1, 1, 4, 1, 4, 3, 1, 3]]]},
        ],
    }


def write_json(folder, data=None, name="instances.json"):
    """Writes a json into a folder and returns its path."""
    path = folder / name
    path.write_text(json.dumps(small_json() if data is None else data))
    return str(path)


def edited(*path, value):
    """`small_json` with one entry replaced, or removed where `value` is the ellipsis."""
    data = copy.deepcopy(small_json())
    place = data
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data
