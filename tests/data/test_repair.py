"""The repaired copy: each repairable fault is gone, each repair is said, the original stays, the rest is left."""

import copy
import json

import pytest

from tests.data.toy_json import rle, small_json, write_json
from tests.toy_ytvis import write_toy_ytvis
from vis_projects.data import check_dataset, repair_dataset
from vis_projects.data.errors import DatasetError

EMPTY = rle(size=(4, 6))


def repaired(tmp_path, change):
    data = small_json()
    data["annotations"][2].update(bboxes=[[1, 1, 3, 2]], areas=[6], iscrowd=0)
    change(data)
    source, target = write_json(tmp_path, data), str(tmp_path / "fixed.json")
    before = open(source).read()
    done = repair_dataset(source, target)
    assert open(source).read() == before
    return done, json.loads(open(target).read()), check_dataset(target)


def test_a_sound_file_is_copied(tmp_path):
    done, data, faults = repaired(tmp_path, lambda data: None)
    assert done == [] and faults == [] and data["videos"] == small_json()["videos"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d["videos"][0].update(length=2), "length: 2 became 3"),
        (lambda d: d["annotations"][1].update(id=11), "id: 11 became 22"),
        (lambda d: d["annotations"][1].pop("id"), "id: missing or null became 22"),
        (lambda d: d["annotations"].append({**copy.deepcopy(d["annotations"][0]), "id": 99, "video_id": 77}),
         "dropped, no video has the id 77"),
        (lambda d: d["annotations"][0]["segmentations"].__setitem__(0, EMPTY), "mask without a pixel became null"),
        (lambda d: d["annotations"][0]["segmentations"].__setitem__(0, None),
         "bboxes: dropped in 1 frame without a mask"),
        (lambda d: d["annotations"][0]["bboxes"].__setitem__(0, [5, 3, 1, 1]),
         "bboxes: written after the masks in 1 frame"),
        (lambda d: d["annotations"][0]["bboxes"].__setitem__(0, None), "bboxes: written after the masks in 1 frame"),
        (lambda d: d["annotations"][0]["areas"].__setitem__(0, 24), "areas: written after the masks in 1 frame"),
        (lambda d: d["annotations"][0].update(bboxes=[[1, 1, 2, 1]]), "bboxes: written after the masks in 2 frames"),
        (lambda d: d["annotations"][0].update(segmentations=[None] * 3, bboxes=[None] * 3), "absent in every frame"),
        (lambda d: d["annotations"][2].update(segmentations=[[[1, 1, 40, 1, 40, 3, 1, 3]]]),
         "polygon drawn as RLE inside the frame in 1 frame"),
    ],
)
def test_what_needs_no_guess_is_repaired_and_said(tmp_path, change, word):
    done, _, faults = repaired(tmp_path, change)
    assert faults == [] and any(word in line for line in done), done


def test_boxes_and_areas_come_from_the_masks(tmp_path):
    _, data, _ = repaired(tmp_path, lambda d: [d["annotations"][0].pop(key) for key in ("bboxes", "areas")])
    assert data["annotations"][0]["bboxes"] == [[1, 1, 2, 1], None, [5, 3, 1, 1]]
    assert data["annotations"][0]["areas"] == [2, None, 1]


def test_what_would_be_a_guess_is_left(tmp_path):
    done, _, faults = repaired(tmp_path, lambda d: d["annotations"][0]["segmentations"].pop())
    assert done == [] and [fault.field for fault in faults] == ["segmentations"]
    _, _, faults = repaired(tmp_path, lambda d: d["annotations"][0].update(category_id=8))
    assert [fault.field for fault in faults] == ["category_id"]


def test_sizes_come_from_the_frames(tmp_path):
    json_file, images = write_toy_ytvis(tmp_path, videos=1, frames=2)
    data = json.loads(open(json_file).read())
    del data["videos"][0]["height"]
    source, target = write_json(tmp_path, data, "broken.json"), str(tmp_path / "new" / "fixed.json")
    assert repair_dataset(source, target, images) == ["video 1, height: missing or null became 48"]
    assert check_dataset(target, images) == []


def test_the_original_is_never_replaced(tmp_path):
    source = write_json(tmp_path)
    with pytest.raises(DatasetError, match="is the file that is to be repaired"):
        repair_dataset(source, str(tmp_path / "." / "instances.json"))
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(DatasetError, match="no object with lists"):
        repair_dataset(str(tmp_path / "list.json"), str(tmp_path / "out.json"))


def test_ids_become_integers(tmp_path):
    def change(data):
        data["videos"][0]["id"], data["videos"][1]["id"] = "cat walks", "5"
        data["categories"][1]["id"] = 7.0
        for annotation, video in zip(data["annotations"], ("cat walks", "cat walks", 5.0)):
            annotation["video_id"] = video
        data["annotations"][0]["category_id"] = "cat"

    done, data, faults = repaired(tmp_path, change)
    assert faults == [] and "videos[0].id: 'cat walks' became 6" in done and "videos[1].id: '5' became 5" in done
    assert [a["video_id"] for a in data["annotations"]] == [6, 6, 5] and data["annotations"][0]["category_id"] == 7


@pytest.mark.parametrize("form", [
    [1, 1, 4, 1, 4, 3, 1, 3], [[1, 1], [4, 1], [4, 3], [1, 3]], [[[1, 1], [4, 1], [4, 3], [1, 3]]],
    [[1, 1, 4, 1, 4, 3, 1, 3], [2, 2]],
])
def test_polygons_of_other_forms_are_read(tmp_path, form):
    done, data, faults = repaired(tmp_path, lambda d: d["annotations"][2].update(segmentations=[form]))
    assert faults == [] and done == ["video 5, annotation 21, segmentations: form corrected in 1 frame"]
    assert data["annotations"][2]["segmentations"] == [[[1, 1, 4, 1, 4, 3, 1, 3]]]


def test_bytes_in_text_and_runs_as_floats_are_read(tmp_path):
    mask = rle((1, 1), (1, 2))
    for broken in ({**mask, "counts": str(mask["counts"].encode())}, {**mask, "size": [4.0, "6"]}):
        _, data, faults = repaired(tmp_path, lambda d: d["annotations"][0]["segmentations"].__setitem__(0, broken))
        assert faults == [] and data["annotations"][0]["segmentations"][0] == mask


def test_frames_are_found_under_another_spelling(tmp_path):
    json_file, images = write_toy_ytvis(tmp_path, videos=1, frames=3)
    data = json.loads(open(json_file).read())
    names = data["videos"][0]["file_names"]
    data["videos"][0]["file_names"] = ["JPEGImages/" + names[0], names[1].replace("/", "\\"), names[2][:-3] + "png"]
    source, target = write_json(tmp_path, data, "broken.json"), str(tmp_path / "fixed.json")
    (line,) = repair_dataset(source, target, images)
    assert "3 frames are there under another name: JPEGImages/video0/00000.jpg became video0/00000.jpg" in line
    assert json.loads(open(target).read())["videos"][0]["file_names"] == names and check_dataset(target, images) == []


def test_a_turned_mask_without_a_box_is_left(tmp_path):
    def change(data):
        data["annotations"][0]["segmentations"][0] = {**rle((1, 1), (1, 2)), "size": [6, 4]}
        data["annotations"][0]["bboxes"] = None

    _, _, faults = repaired(tmp_path, change)
    assert [fault.kind for fault in faults] == ["mask size"]
