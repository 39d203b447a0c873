"""check_dataset: a sound set has no fault; files and odd tracks are found beside what the json itself shows."""

import json
import os

import pytest
from PIL import Image
from tests.toy_ytvis import write_toy_ytvis

from tests.data.toy_json import edited, rle, write_json
from vis_projects.data.check import check_dataset


@pytest.fixture
def toy(tmp_path):
    json_path, root = write_toy_ytvis(tmp_path, videos=2, frames=3)
    return json_path, root


def change(json_path, edit):
    with open(json_path) as file:
        data = json.load(file)
    edit(data)
    with open(json_path, "w") as file:
        json.dump(data, file)


def only_fault(*arguments):
    faults = check_dataset(*arguments)
    assert len(faults) == 1
    return faults[0]


def test_a_sound_set_has_no_fault(toy):
    assert check_dataset(*toy) == []
    assert check_dataset(toy[0]) == []  # finds JPEGImages beside the json


def test_without_an_image_folder_the_json_alone_is_checked(tmp_path):
    assert check_dataset(write_json(tmp_path)) == []


def test_a_missing_json_and_one_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.json"):
        check_dataset(str(tmp_path / "gone.json"))
    (tmp_path / "bad.json").write_text("{")
    assert only_fault(str(tmp_path / "bad.json")).field == "json"
    (tmp_path / "bad.json").write_text("[1]")
    assert only_fault(str(tmp_path / "bad.json")).field == "json"


def test_every_fault_of_the_json_is_listed(tmp_path):
    data = edited("annotations", 0, "category_id", value=8)
    data["videos"][1]["height"] = 0
    faults = check_dataset(write_json(tmp_path, data))
    assert {(f.video, f.field) for f in faults} == {(3, "category_id"), (5, "height")}


def test_missing_frames_are_named_once_per_video(toy):
    for t in (1, 2):
        os.remove(os.path.join(toy[1], "video1", f"{t:05d}.jpg"))
    fault = only_fault(*toy)
    assert (fault.video, fault.field) == (2, "file_names[1]") and "00001.jpg does not exist" in fault.message


@pytest.mark.parametrize("size", [0, 10, 600])
def test_a_cut_off_frame_is_found(toy, size):
    with open(os.path.join(toy[1], "video0", "00002.jpg"), "r+b") as file:
        file.truncate(size)
    fault = only_fault(*toy)
    assert (fault.video, fault.field) == (1, "file_names[2]") and "cannot be decoded" in fault.message


def test_a_frame_of_another_size_is_found(toy):
    Image.new("RGB", (48, 64)).save(os.path.join(toy[1], "video0", "00000.jpg"))
    fault = only_fault(*toy)
    assert (fault.video, fault.field) == (1, "file_names[0]") and "64 x 48" in fault.message and fault.fatal


def test_a_png_named_frame_is_not_searched_for_a_jpeg_end(toy):
    path = os.path.join(toy[1], "video0", "00000.jpg")
    Image.new("RGB", (64, 48)).save(path, format="PNG")
    assert check_dataset(*toy) == []


@pytest.mark.parametrize(("edit", "field", "word"), [
    (lambda a: a.update(segmentations=[None] * 3, bboxes=[None] * 3), "segmentations", "every frame"),
    (lambda a: a["bboxes"].__setitem__(1, None), "bboxes[1]", "null although segmentations[1]"),
    (lambda a: a["segmentations"].__setitem__(1, None), "segmentations[1]", "null although bboxes[1]"),
    (lambda a: a["bboxes"].__setitem__(2, [60, 40, 20, 20]), "bboxes[2]", "beyond the frame of 64 x 48"),
    (lambda a: a["segmentations"].__setitem__(0, rle(size=(48, 64))), "segmentations[0]", "no pixel"),
])
def test_odd_tracks_are_named_but_not_fatal(toy, edit, field, word):
    change(toy[0], lambda data: edit(data["annotations"][0]))
    fault = only_fault(*toy)
    assert (fault.video, fault.annotation, fault.field) == (1, 1, field)
    assert word in fault.message and fault.remedy and not fault.fatal
