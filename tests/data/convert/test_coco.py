"""COCO with track ids: both spellings, both ways to name a video; broken files; round trips."""

import copy
import json

import pytest

from tests.data.convert.worlds import overlapping, picture, read, rle_of, same_tracks, save_json, shown, synth, write
from vis_projects.data.convert.coco import read_coco, write_coco
from vis_projects.data.errors import DatasetError

A, B = rle_of(picture("11.. 1...")), rle_of(picture("...1 ...1"))
SQUARE = [[1, 0, 3, 0, 3, 2, 1, 2]]


def coco(track="track_id", frame="frame_id", video="video_id"):
    """Videos 5 (frames out of order in the file) and 2; object 30 leaves and returns, object 31 is a crowd region."""
    images = [(11, "v/2.jpg", 5, 2), (12, "v/0.jpg", 5, 0), (13, "v/1.jpg", 5, 1), (14, "w/0.jpg", 2, 0)]
    marks = [(1, 12, 30, 7, A, 0), (2, 11, 30, 7, B, 0), (3, 13, 31, 9, B, 1), (4, 14, 32, 9, SQUARE, 0)]
    return {
        "info": {"year": 2024}, "categories": [{"id": 9, "name": "cat"}, {"id": 7, "name": "dog"}],
        "videos": [{"id": 5, "name": "v", "fps": 6}],
        "images": [{"id": i, "file_name": f, "height": 2, "width": 4, **({video: v} if video else {}),
                    **({frame: t} if frame else {})} for i, f, v, t in images],
        "annotations": [{"id": i, "image_id": image, track: number, "category_id": c, "segmentation": s,
                         "iscrowd": crowd, "bbox": [0, 0, 4, 2]} for i, image, number, c, s, crowd in marks],
    }


EXPECTED = {30: (7, 0, ["11.. 1...", None, "...1 ...1"]), 31: (9, 1, [None, "...1 ...1", None]),
            32: (9, 0, [".11. .11."])}


def tracks(data):
    return {a["id"]: (a["category_id"], a["iscrowd"], shown(a)) for a in data["annotations"]}


@pytest.mark.parametrize("track", ["track_id", "instance_id"])
@pytest.mark.parametrize("frame", ["frame_id", "frame_index"])
def test_videos_by_id(tmp_path, track, frame):
    data, notes = read(read_coco, save_json(coco(track, frame), tmp_path / "c.json"), tmp_path)
    assert [(v["id"], v["file_names"]) for v in data["videos"]] == [
        (5, ["v/0.jpg", "v/1.jpg", "v/2.jpg"]), (2, ["w/0.jpg"])]
    assert data["videos"][0]["fps"] == 6 and data["videos"][0]["name"] == "v"
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(9, "cat"), (7, "dog")]
    assert data["info"] == {"year": 2024}
    assert tracks(data) == EXPECTED
    assert data["annotations"][0]["bboxes"] == [[0, 0, 2, 2], None, [3, 0, 1, 2]]  # of the masks, not of the source
    assert notes.lines() == []


def test_videos_by_folder_and_order_by_name(tmp_path):
    data, _ = read(read_coco, save_json(coco(frame=None, video=None), tmp_path / "c.json"), tmp_path)
    assert [(v["id"], v["file_names"]) for v in data["videos"]] == [
        (1, ["v/0.jpg", "v/1.jpg", "v/2.jpg"]), (2, ["w/0.jpg"])]
    assert tracks(data) == EXPECTED


def test_gaps_between_frame_ids_are_no_gaps(tmp_path):
    source = coco()
    for image in source["images"]:
        image["frame_id"] = 5 * image["frame_id"] + 2
    data, _ = read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)
    assert tracks(data) == EXPECTED


def test_ids_that_repeat_between_videos_or_are_names(tmp_path):
    source = coco()
    source["annotations"][3]["track_id"] = 30
    data, notes = read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)
    assert [a["id"] for a in data["annotations"]] == [1, 2, 3]
    assert "numbered 1, 2" in notes.lines()[0]
    for annotation in source["annotations"]:
        annotation["track_id"] = f"t{annotation['track_id']}"
    data, notes = read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)
    assert [(a["id"], a["source_id"]) for a in data["annotations"]] == [(1, "t30"), (2, "t31"), (3, "t30")]


@pytest.mark.parametrize("number", [0, -1])
def test_ids_that_no_annotation_may_have(tmp_path, number):
    """The official evaluator takes id 0 for no object."""
    source = coco()
    source["annotations"][3]["track_id"] = number
    data, notes = read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)
    assert [(a["id"], a.get("source_id")) for a in data["annotations"]] == [(1, None), (2, None), (3, number)]
    assert "numbered 1, 2" in notes.lines()[0]


def test_no_objects_and_other_fields(tmp_path):
    source = coco()
    source["annotations"][0]["occluded"] = True
    assert read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)[1].lines() == [
        "left out: 1 fields 'occluded' of annotations"]
    source["annotations"] = []
    data, _ = read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)
    assert data["annotations"] == [] and len(data["videos"]) == 2


def test_boxes_only_where_they_are_asked_for(tmp_path):
    source = coco()
    del source["annotations"][3]["segmentation"]
    source["annotations"][3]["bbox"] = [1, 0, 2, 1]
    path = save_json(source, tmp_path / "c.json")
    with pytest.raises(DatasetError, match=r"c\.json: annotations\[3\]\.segmentation: .* Remedy: .* --boxes-as-masks"):
        read(read_coco, path, tmp_path)
    data, _ = read(read_coco, path, tmp_path, boxes_as_masks=True)
    assert tracks(data)[32][2] == [".11. ...."]


BROKEN = [  # place, value, message
    (("images",), None, r"images: is missing or null\. Remedy: give a list"),
    (("images",), [], r"images: is \[\]\. Remedy"),
    (("images", 0, "id"), 12, r"images\[1\]\.id: 12 is used twice\. Remedy"),
    (("images", 1, "height"), 0, r"image 12, height: is 0\. Remedy"),
    (("images", 1, "file_name"), None, r"image 12, file_name: is missing or null\. Remedy"),
    (("images", 1, "video_id"), "v", r"image 12, video_id: is 'v'\. Remedy"),
    (("images", 1, "video_id"), ..., r"image 12, video_id: is missing, other images have one\. Remedy"),
    (("images", 1, "frame_id"), 2, r"image 12, frame_id: is 2, as image 11 of the same video\. Remedy"),
    (("images", 1, "frame_id"), [0], r"image 12, frame_id: is \[0\]\. Remedy"),
    (("images", 1, "width"), 5, r"image 12, height and width: are 2 and 5, those of image 11 .* 2 and 4\. Remedy"),
    (("categories", 0, "name"), "dog", r"categories\[1\]\.name: 'dog' is used twice\. Remedy"),
    (("annotations", 1, "image_id"), 99, r"annotations\[1\]\.image_id: is 99, nothing has this id\. Remedy"),
    (("annotations", 1, "category_id"), 8, r"annotations\[1\]\.category_id: is 8, nothing has this id\. Remedy"),
    (("annotations", 1, "track_id"), ..., r"annotations\[1\]\.track_id: is missing\. Remedy: .* coco-images"),
    (("annotations", 1, "track_id"), None, r"annotations\[1\]\.track_id: is missing\. Remedy"),
    (("annotations", 1, "track_id"), 3.5, r"annotations\[1\]\.track_id: is 3.5\. Remedy"),
    (("annotations", 1, "image_id"), 12, r"annotations\[1\]: object 30 is in image 12 twice\. Remedy: unite"),
    (("annotations", 1, "category_id"), 9, r"annotations\[1\]: object 30 has category and iscrowd \(9, 0\), before"),
    (("annotations", 1, "iscrowd"), 2, r"annotations\[1\]\.iscrowd: is 2\. Remedy"),
    (("annotations", 1, "segmentation"), [[1, 1, 2, 2]], r"annotations\[1\]\.segmentation: has a polygon of 4 numbers"),
    (("annotations", 1, "segmentation"), [[0, 0, 1, 1, 999, 0]],
     r"annotations\[1\]\.segmentation: has the coordinate 999.*Remedy"),
    (("annotations", 1, "segmentation", "size"), [4, 2], r"annotations\[1\]\.segmentation\.size: .*swapped.*Remedy"),
    (("annotations", 1), 7, r"annotations\[1\]: is 7\. Remedy"),
]


@pytest.mark.parametrize(("place", "value", "message"), BROKEN)
def test_broken_files(tmp_path, place, value, message):
    source = copy.deepcopy(coco())
    entry = source
    for key in place[:-1]:
        entry = entry[key]
    if value is ...:
        del entry[place[-1]]
    else:
        entry[place[-1]] = value
    with pytest.raises(DatasetError, match=rf"c\.json: {message}"):
        read(read_coco, save_json(source, tmp_path / "c.json"), tmp_path)


def test_not_an_object(tmp_path):
    with pytest.raises(DatasetError, match=r"c\.json: json: the file holds a list\. Remedy"):
        read(read_coco, save_json([], tmp_path / "c.json"), tmp_path)


@pytest.mark.parametrize("world", [synth, overlapping])
def test_round_trip_keeps_everything_but_own_fields(tmp_path, world):
    data = world()
    for annotation in data["annotations"]:
        annotation.pop("attributes", None), annotation.pop("visibility", None)
    notes = write(write_coco, data, tmp_path / "coco.json")
    back, _ = read(read_coco, tmp_path / "coco.json", tmp_path)
    assert same_tracks(data, back) and not notes.dropped
    assert [a["id"] for a in back["annotations"]] == [a["id"] for a in data["annotations"]]
    assert [{key: value for key, value in video.items() if key != "name"} for video in back["videos"]] == data["videos"]
    assert [(c["id"], c["name"]) for c in back["categories"]] == [(c["id"], c["name"]) for c in data["categories"]]


def test_what_is_written(tmp_path):
    write(write_coco, overlapping(), tmp_path / "coco.json")
    written = json.loads((tmp_path / "coco.json").read_text())
    assert written["images"] == [
        {"id": 1, "file_name": "clip/5.jpg", "height": 4, "width": 6, "video_id": 3, "frame_id": 0},
        {"id": 2, "file_name": "clip/10.jpg", "height": 4, "width": 6, "video_id": 3, "frame_id": 1}]
    assert [(a["id"], a["image_id"], a["track_id"], a["category_id"], a["bbox"], a["area"], a["iscrowd"])
            for a in written["annotations"]] == [
        (1, 1, 4, 7, [0, 0, 4, 2], 8, 0), (2, 1, 9, 1001, [2, 1, 2, 2], 4, 0), (3, 1, 10, 7, [5, 0, 1, 4], 4, 1),
        (4, 2, 9, 1001, [2, 1, 2, 2], 4, 0)]
    assert written["videos"] == [{"name": "clip", "id": 3, "height": 4, "width": 6, "length": 2}]
