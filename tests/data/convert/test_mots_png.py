"""MOTS png: hand-made pixels in, exact masks out; round trips."""

import numpy as np
import pytest
from PIL import Image

from tests.data.convert.worlds import overlapping, picture, read, same_tracks, save, save_json, shown, synth, write
from vis_projects.data.convert.mots_png import read_mots_png, write_mots_png
from vis_projects.data.errors import DatasetError

NUMBERS = np.array([0, 1005, 2000, 10000], dtype=np.uint16)  # a car, a pedestrian, a region to ignore


def mots(root, frames=("11.3 1123", "..23 ..2.", ".... ...1")):
    for t, text in enumerate(frames):
        save(NUMBERS[picture(text)], root / "0002" / f"{t:06d}.png")
    return root


def test_masks_classes_and_regions_to_ignore(tmp_path):
    data, notes = read(read_mots_png, mots(tmp_path / "instances").parent, tmp_path)
    assert data["videos"][0]["file_names"] == [f"0002/{t:06d}.jpg" for t in range(3)]
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "car"), (2, "pedestrian")]
    assert [(a["source_id"], a["category_id"], a["iscrowd"], *shown(a)) for a in data["annotations"]] == [
        (1005, 1, 0, "11.. 11..", None, ".... ...1"),
        (2000, 2, 0, ".... ..1.", "..1. ..1.", None),
        (10000, 1, 1, "...1 ...1", "...1 ....", None),  # once for each class that has objects
        (10000, 2, 1, "...1 ...1", "...1 ....", None),
    ]
    assert any("crowd region of every class" in line for line in notes.lines())
    assert any("class 1 is car" in line for line in notes.lines())


def test_ignore_alone_and_nothing_at_all(tmp_path):
    data, _ = read(read_mots_png, mots(tmp_path / "a", ("3...",)), tmp_path)
    assert [(a["category_id"], a["iscrowd"]) for a in data["annotations"]] == [(1, 1)]
    data, _ = read(read_mots_png, mots(tmp_path / "b", ("....",)), tmp_path)
    assert data["annotations"] == []


def test_own_classes(tmp_path):
    path = save_json({"categories": [{"id": 2, "name": "cat"}, {"id": 1, "name": "dog"}]}, tmp_path / "c.json")
    data, _ = read(read_mots_png, mots(tmp_path / "a"), tmp_path, categories=path)
    assert {a["source_id"]: a["category_id"] for a in data["annotations"] if not a["iscrowd"]} == {1005: 1, 2000: 2}
    assert [c["name"] for c in data["categories"]] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, r"000001\.png: pixels: has object 7 of class 0\. Remedy: write 1000 \* class \+ instance"),
        (10005, r"000001\.png: pixels: has object 10005 of class 10\. Remedy"),
        (3001, r"000001\.png: pixels: has class 3, MOTS has \[1, 2\]\. Remedy: give a json with the names"),
    ],
)
def test_broken_numbers(tmp_path, value, message):
    save(np.full((2, 4), value, dtype=np.uint16), mots(tmp_path / "a") / "0002" / "000001.png")
    with pytest.raises(DatasetError, match=message):
        read(read_mots_png, tmp_path / "a", tmp_path)


def test_eight_bits(tmp_path):
    save(picture("11.. 112.").astype(np.uint8), mots(tmp_path / "a") / "0002" / "000001.png", palette=True)
    with pytest.raises(DatasetError, match=r"000001\.png: pixel format: is P .* Remedy: write .* --from davis"):
        read(read_mots_png, tmp_path / "a", tmp_path)


def test_round_trip_of_generated_videos(tmp_path):
    data = synth()
    notes = write(write_mots_png, data, tmp_path / "out")
    assert set(notes.dropped) == {"fields 'attributes' of annotations", "fields 'visibility' of annotations"}
    back, notes = read(read_mots_png, tmp_path / "out", tmp_path)
    assert same_tracks(data, back)
    assert back["videos"] == data["videos"] and [c["id"] for c in back["categories"]] == [1, 2, 3, 4]
    assert not notes.dropped


def test_overlaps_lose_pixels_and_are_counted(tmp_path):
    data = overlapping()
    notes = write(write_mots_png, data, tmp_path / "out")
    values = np.asarray(Image.open(tmp_path / "out" / "instances" / "clip" / "5.png"))
    assert values.dtype == np.uint16
    # the square (4 pixels) covers 2 of the bar's 8; the crowd region lies below all objects
    expected = picture("1111.3 1122.3 ..22.3 .....3")
    np.testing.assert_array_equal(values, np.array([0, 7001, 1001, 10000])[expected])
    assert notes.dropped == {"pixels that a smaller object covers": 2}
    back, _ = read(read_mots_png, tmp_path / "out", tmp_path)
    assert [video["id"] for video in back["videos"]] == [3]
    found = {(a["category_id"], a["iscrowd"]): shown(a) for a in back["annotations"]}
    assert found == {(7, 0): ["1111.. 11.... ...... ......", None],
                     (1001, 0): ["...... ..11.. ..11.. ......"] * 2,
                     (7, 1): [".....1 .....1 .....1 .....1", None],
                     (1001, 1): [".....1 .....1 .....1 .....1", None]}


def test_hidden_masks_and_refused_overlaps(tmp_path):
    data = overlapping()
    data["annotations"][0]["segmentations"][0] = data["annotations"][1]["segmentations"][0]
    data["annotations"][0]["areas"][0] = 4
    notes = write(write_mots_png, data, tmp_path / "out")  # equal areas: the later annotation is above
    assert notes.dropped == {"pixels that a smaller object covers": 4, "masks that smaller objects cover altogether": 1}
    with pytest.raises(DatasetError, match="--keep-overlaps: a png holds one object a pixel. Remedy: convert"):
        write(write_mots_png, data, tmp_path / "other", keep_overlaps=True)
