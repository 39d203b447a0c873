"""Broken sets with one fault each: the check names video, field and remedy, and the repair mends or leaves each."""

import json
import os

import pytest
from PIL import Image

from tests.data.toy_json import rle
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data import check_dataset, dataset_notes, load_ytvis_json, repair_dataset, split_dataset


def first(data):
    return data["annotations"][0]


def edit(key, t, value):
    """Replaces one entry of a list of the first annotation, of video 1."""
    return lambda data, root: first(data)[key].__setitem__(t, value)


def put(key, value):
    return lambda data, root: first(data).update({key: value})


def video(**fields):
    return lambda data, root: data["videos"][0].update(fields)


def truncate(data, root):
    with open(os.path.join(root, "video0", "00001.jpg"), "r+b") as file:
        file.truncate(300)


def turn(data, root):
    """The first mask of the first track says [width, height]."""
    first(data)["segmentations"][0] = {**first(data)["segmentations"][0], "size": [64, 48]}


def resize(data, root):
    for t in range(3):
        Image.new("RGB", (32, 24)).save(os.path.join(root, "video0", f"{t:05d}.jpg"))


def copy_names(data, root):
    data["videos"][1]["file_names"] = list(data["videos"][0]["file_names"])


# what is broken, then video, field, kind, a word of the message, and whether it can be repaired
FAULTS = {
    "missing file": (lambda d, r: os.remove(os.path.join(r, "video0", "00002.jpg")),
                     1, "file_names[2]", "image missing", "does not exist", False),
    "cut-off jpg": (truncate, 1, "file_names[1]", "image broken", "cannot be decoded", False),
    "frames of another size": (resize, 1, "file_names[0]", "image size", "is 24 x 32", False),
    "size of the video": (video(height=50), 1, "file_names[0]", "image size", "the video says 50 x 64", True),
    "length of the video": (video(length=9), 1, "length", "video length", "is 9", True),
    "one file in two videos": (copy_names, 2, "file_names[0]", "shared frames", "frame 0 of video 1", False),
    "short list": (lambda d, r: first(d)["segmentations"].pop(), 1, "segmentations", "list length",
                   "has 2 entries", False),
    "long list": (lambda d, r: first(d)["segmentations"].append(None), 1, "segmentations", "list length",
                  "has 4", True),
    "used annotation id": (lambda d, r: d["annotations"][1].update(id=1), 1, "annotations[1].id", "annotation id",
                           "1 is used twice", True),
    "used video id": (lambda d, r: d["videos"].append(d["videos"][0]), 1, "videos[2].id", "video id", "twice", False),
    "unknown video": (put("video_id", 77), 77, "video_id", "unknown video", "is 77", True),
    "unknown category": (put("category_id", 8), 1, "category_id", "unknown category", "is 8", False),
    "category id as text": (put("category_id", "7"), 1, "category_id", "unknown category", "is '7'", True),
    "mask size": (edit("segmentations", 0, rle((0, 0), size=(9, 9))), 1, "segmentations[0].size", "mask size",
                  "is [9, 9]", False),
    "turned mask": (turn, 1, "segmentations[0].size", "mask size", "swapped", True),
    "broken runs": (edit("segmentations", 0, {"size": [48, 64], "counts": [5, 6]}), 1, "segmentations[0].counts",
                    "mask", "runs of 11 pixels", False),
    "flat polygon": (edit("segmentations", 0, [5, 5, 20, 5, 20, 20]), 1, "segmentations[0]", "mask", "polygon", True),
    "polygon of two points": (edit("segmentations", 0, [[5, 5, 20, 5]]), 1, "segmentations[0]", "mask",
                              "4 numbers", False),
    "mask beyond the frame": (edit("segmentations", 0, [[50, 5, 90, 5, 90, 20]]), 1, "segmentations[0]", "mask outside",
                              "26 pixels beyond", True),
    "empty mask": (edit("segmentations", 0, rle(size=(48, 64))), 1, "segmentations[0]", "empty mask", "no pixel", True),
    "empty track": (lambda d, r: first(d).update(segmentations=[None] * 3, bboxes=[None] * 3, areas=[None] * 3), 1,
                    "segmentations", "empty track", "every frame", True),
    "box elsewhere": (edit("bboxes", 1, [3, 3, 6, 6]), 1, "bboxes[1]", "box and mask differ", "[3, 3, 6, 6]", True),
    "box beyond the frame": (edit("bboxes", 1, [60, 3, 9, 6]), 1, "bboxes[1]", "box outside", "64 x 48", True),
    "no box": (edit("bboxes", 1, None), 1, "bboxes[1]", "mask or box missing", "is null although", True),
    "area": (edit("areas", 1, 7), 1, "areas[1]", "area and mask differ", "is 7", True),
    "area as text": (edit("areas", 1, "7"), 1, "areas[1]", "area", "is '7'", True),
    "size of the annotation": (put("height", 99), 1, "height", "annotation size", "is 99", True),
}


@pytest.fixture(params=FAULTS)
def broken(request, tmp_path):
    path, root = write_toy_ytvis(tmp_path, videos=2, frames=3)
    change, *expected = FAULTS[request.param]
    with open(path) as file:
        data = json.load(file)
    change(data, root)
    with open(path, "w") as file:
        json.dump(data, file)
    return path, root, expected


def test_each_fault_is_named_and_mended_or_left(broken, tmp_path):
    path, root, (video_id, field, kind, word, can_be_repaired) = broken
    faults = check_dataset(path, root)
    named = [f for f in faults if (f.video, f.field, f.kind) == (video_id, field, kind)]
    assert len(named) == 1 and word in named[0].message and named[0].remedy
    assert f"video {video_id}" in str(named[0]) and field in str(named[0]) and "Remedy: " in str(named[0])
    with open(path, "rb") as file:
        before = file.read()
    repairs = repair_dataset(path, str(tmp_path / "fixed.json"), root)
    with open(path, "rb") as file:
        assert file.read() == before
    left = check_dataset(str(tmp_path / "fixed.json"), root)
    if can_be_repaired:
        assert left == [] and repairs
        assert load_ytvis_json(str(tmp_path / "fixed.json"), root)
    else:
        assert kind in {fault.kind for fault in left}


def test_a_set_of_every_mask_kind_is_checked_split_and_loaded(tmp_path):
    # three classes with ids 7, 40 and 1001, videos of one frame, polygons and both kinds of RLE
    masks = [[[[1, 1, 4, 1, 4, 3, 1, 3]]], [rle((1, 1), (2, 2))], [rle((0, 3), plain=True)]]
    data = {"categories": [{"id": c, "name": f"c{c}"} for c in (7, 40, 1001)], "videos": [], "annotations": []}
    for v in range(1, 7):
        data["videos"].append({"id": v, "height": 4, "width": 6, "file_names": [f"{v}/0.jpg"]})
        path = tmp_path / "JPEGImages" / str(v) / "0.jpg"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (6, 4)).save(path)
        data["annotations"].append({"id": v, "video_id": v, "category_id": (7, 40, 1001)[v % 3],
                                    "segmentations": masks[v % 3]})
    (tmp_path / "own.json").write_text(json.dumps(data))
    assert check_dataset(str(tmp_path / "own.json")) == []
    halves = split_dataset(str(tmp_path / "own.json"), 0.5)
    for half in halves:
        records = load_ytvis_json(half, str(tmp_path / "JPEGImages"))
        assert sorted(r["annotations"][0][0]["category_id"] for r in records) == [0, 1, 2]


def test_notes_are_no_faults(tmp_path):
    path, root = write_toy_ytvis(tmp_path, videos=1, frames=3)
    Image.new("RGB", (64, 48)).save(os.path.join(root, "video0", "99999.jpg"))
    with open(path) as file:
        data = json.load(file)
    data["categories"].append({"id": 2000, "name": "unicorn"})
    data["annotations"][0].update(id=0)
    del data["videos"][0]["length"], data["annotations"][0]["iscrowd"]
    with open(path, "w") as file:
        json.dump(data, file)
    assert check_dataset(path, root) == []
    notes = {note.kind: note.message for note in dataset_notes(path, root)}
    assert set(notes) == {"category ids", "class without objects", "annotation id 0", "optional field", "unused images"}
    assert "unicorn (2000)" in notes["class without objects"] and "99999.jpg" in notes["unused images"]
