"""YouTube-VIS json as a source: every kind of mask becomes compressed RLE, boxes and areas are those of the masks."""

import json

import pytest

from tests.data.convert.worlds import picture, read, rle_of, shown, write
from tests.data.toy_json import edited, small_json, write_json
from vis_projects.data.convert.ytvis import read_ytvis, write_ytvis
from vis_projects.data.errors import DatasetError


def test_all_kinds_of_masks(tmp_path):
    data, notes = read(read_ytvis, write_json(tmp_path), tmp_path, images="frames")
    source = small_json()
    assert data["videos"] == source["videos"] and data["categories"] == source["categories"]
    compressed, plain, polygon = data["annotations"]
    assert compressed["segmentations"] == source["annotations"][0]["segmentations"]
    assert plain["segmentations"][1] == rle_of(picture("1..... ...... ...... ......"))
    assert shown(polygon) == ["...... .111.. .111.. ......"]
    assert polygon["bboxes"] == [[1, 1, 3, 2]] and polygon["areas"] == [6] and polygon["iscrowd"] == 0
    assert notes.image_root == "frames" and notes.lines() == []


def test_empty_masks_are_counted(tmp_path):
    empty = rle_of(picture("...... ...... ...... ......"))
    path = write_json(tmp_path, edited("annotations", 0, "segmentations", value=[empty, None, empty]))
    data, notes = read(read_ytvis, path, tmp_path)
    assert [a["id"] for a in data["annotations"]] == [12, 21]
    assert notes.dropped == {"masks without a pixel in the frame": 2, "objects without a single mask": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (edited("annotations", value=None), "annotations: is missing or null. Remedy: give a json with labels"),
        (edited("annotations", 0, "category_id", value=8), "annotation 11, category_id: is 8, .* Remedy"),
        (edited("annotations", 2, "segmentations", value=[[[1, 1, 4, 1, 999, 3]]]),
         "annotation 21, segmentations: has the coordinate 999, the frame is 6 x 4 pixels. Remedy"),
    ],
)
def test_broken_files(tmp_path, data, message):
    with pytest.raises(DatasetError, match=f"instances.json: .*{message}"):
        read(read_ytvis, write_json(tmp_path, data), tmp_path)


def test_writer(tmp_path):
    write(write_ytvis, small_json(), tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == small_json()
