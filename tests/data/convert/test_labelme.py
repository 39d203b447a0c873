"""labelme folders: shapes, which of them are one object, frames with and without labels, broken files."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.data.convert.worlds import read, save_images, save_json, shown
from vis_projects.data.convert.labelme import read_labelme
from vis_projects.data.errors import DatasetError


def shape(label, points, group=None, kind="polygon", **more):
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}, **more}


def box(x1, y1, x2, y2):
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def frame(folder, stem, *shapes, size=(4, 6), image=None):
    """One json; `imageData` is no picture, which must not matter."""
    data = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": image or f"{stem}.jpg",
            "imageData": "not base64", "imageHeight": size[0], "imageWidth": size[1]}
    return save_json(data, folder / f"{stem}.json")


def test_objects_over_frames(tmp_path):
    clip = tmp_path / "set" / "clip"
    frame(clip, "f10", shape("cat", box(0, 0, 2, 2), 1), shape("cat", box(4, 0, 6, 2), 2))
    frame(clip, "f9", shape("cat", box(0, 1, 2, 3), 1), shape("cat", box(3, 3, 4, 4), 1),
          shape("dog", box(0, 0, 1, 1), 1))
    frame(clip, "f11")
    data, notes = read(read_labelme, tmp_path / "set", tmp_path)
    # f9 comes before f10; the name of the image is that of imagePath
    assert data["videos"] == [{"id": 1, "width": 6, "height": 4, "length": 3,
                               "file_names": ["clip/f9.jpg", "clip/f10.jpg", "clip/f11.jpg"]}]
    assert [(c["id"], c["name"]) for c in data["categories"]] == [(1, "cat"), (2, "dog")]
    found = {a["source_id"]: (a["category_id"], shown(a)) for a in data["annotations"]}
    assert found == {
        # two shapes of cat 1 in f9 are parts of one object
        "cat 1": (1, ["...... 11.... 11.... ...1..", "11.... 11.... ...... ......", None]),
        "cat 2": (1, [None, "....11 ....11 ...... ......", None]),
        "dog 1": (2, ["1..... ...... ...... ......", None, None]),  # another label, another object
    }
    assert notes.lines() == [] and notes.image_root == str(tmp_path / "set")


def test_every_kind_of_shape(tmp_path):
    png = io.BytesIO()
    Image.fromarray(np.array([[1, 0], [1, 1]], dtype=np.uint8) * 255).save(png, "PNG")
    mask = base64.b64encode(png.getvalue()).decode()
    frame(tmp_path / "clip", "0", shape("rectangle", [[3, 2], [1, 0]], kind="rectangle"),
          shape("circle", [[3, 2], [3, 3.6]], kind="circle"), shape("mask", [[4, 1], [5, 2]], kind="mask", mask=mask),
          {"label": "old", "points": box(0, 3, 1, 4)},  # files without shape_type hold polygons
          shape("line", [[0, 0], [3, 3]], kind="linestrip"), shape("dot", [[1, 1]], kind="point"))
    data, notes = read(read_labelme, tmp_path / "clip", tmp_path)
    assert {a["source_id"]: shown(a)[0] for a in data["annotations"]} == {
        "rectangle": ".11... .11... ...... ......",
        "circle": "..11.. .1111. .1111. ..11..",  # radius 1.6 around (3, 2): centres up to 1.58 away are in
        "mask": "...... ....1. ....11 ......",
        "old": "...... ...... ...... 1.....",
    }
    assert set(notes.lines()) == {
        "note: video clip: shapes without group_id are one object for each label (circle, mask, old, rectangle)",
        "left out: 1 shapes of type linestrip, which have no area",
        "left out: 1 shapes of type point, which have no area"}
    assert notes.image_root == str(tmp_path)  # the folder of the one video is part of file_names


def test_frames_are_the_images_beside_the_json_files(tmp_path):
    save_images(tmp_path / "set" / "b" / "clip", ["0.png", "1.png", "2.png"])
    frame(tmp_path / "set" / "b" / "clip", "1", shape("cat", box(0, 0, 1, 1)), image="C:\\pictures\\1.png")
    save_images(tmp_path / "set" / "other", ["x.png"], (2, 2))
    frame(tmp_path / "set" / "other", "x", size=(None, None))
    frame(tmp_path / "set" / ".ipynb_checkpoints", "x")  # hidden
    data, _ = read(read_labelme, tmp_path / "set", tmp_path)
    assert [v["file_names"] for v in data["videos"]] == [
        ["b/clip/0.png", "b/clip/1.png", "b/clip/2.png"], ["other/x.png"]]
    assert [(v["height"], v["width"]) for v in data["videos"]] == [(4, 6), (2, 2)]
    assert shown(data["annotations"][0]) == [None, "1..... ...... ...... ......", None]


def test_images_elsewhere_and_given_classes(tmp_path):
    frame(tmp_path / "set", "1", shape("cat", box(0, 0, 1, 1)), size=(None, None))
    images = save_images(tmp_path / "JPEGImages" / "set", ["0.png", "1.png"])
    classes = save_json({"cat": 7, "dog": 3}, tmp_path / "c.json")
    data, notes = read(read_labelme, tmp_path / "set", tmp_path, images=images, categories=classes)
    assert data["videos"][0]["file_names"] == ["set/0.png", "set/1.png"]
    assert [c["id"] for c in data["categories"]] == [7, 3] and data["annotations"][0]["category_id"] == 7
    assert notes.image_root == str(tmp_path / "JPEGImages")


def test_no_shapes(tmp_path):
    frame(tmp_path / "set", "1")
    with pytest.raises(DatasetError, match="shapes: there is no shape with an area, so no class. Remedy: name the"):
        read(read_labelme, tmp_path / "set", tmp_path)
    data, _ = read(read_labelme, tmp_path / "set", tmp_path, categories=save_json(["cat"], tmp_path / "c.json"))
    assert data["annotations"] == [] and data["videos"][0]["length"] == 1


CAT = box(0, 0, 1, 1)
BROKEN = [
    (shape("cat", CAT, kind="star"), r"shapes\[0\]\.shape_type: is 'star'\. Remedy: draw a polygon"),
    (shape("", CAT), r"shapes\[0\]\.label: is missing or empty\. Remedy"),
    (shape("cat", CAT, group=1.5), r"shapes\[0\]\.group_id: is 1\.5\. Remedy: write a whole number"),
    (shape("cat", CAT[:2]), r"shapes\[0\] \(polygon\): has 2 points, a polygon needs three\. Remedy"),
    (shape("cat", CAT, kind="circle"), r"shapes\[0\]\.points: has 4 points, a circle has 2\. Remedy"),
    (shape("cat", [[1, "2"], [3, 4]]), r"shapes\[0\]\.points: is .*Remedy: write \[\[x, y\]"),
    (shape("cat", []), r"shapes\[0\]\.points: is \[\]\. Remedy"),
    (shape("cat", [[0, 0], [1, 999], [1, 1]]), r"shapes\[0\] \(polygon\): has the coordinate 999, .*Remedy"),
    (shape("cat", [[1, 1], [1, 3]], kind="rectangle"), r"shapes\[0\] \(rectangle\): has width 0 .*Remedy"),
    (shape("cat", [[1, 1], [2, 2]], kind="mask", mask="?"), r"shapes\[0\]\.mask: is no png in base64 .*Remedy"),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_broken_shapes(tmp_path, broken, message):
    frame(tmp_path / "set", "1", broken)
    with pytest.raises(DatasetError, match=rf"1\.json: {message}"):
        read(read_labelme, tmp_path / "set", tmp_path)


def test_two_shapes_of_a_label_without_group_id(tmp_path):
    frame(tmp_path / "set", "1", shape("cat", CAT), shape("dog", CAT), shape("cat", box(3, 3, 4, 4)))
    with pytest.raises(DatasetError, match=r"1\.json: shapes\[2\]\.group_id: is .*shapes\[0\] is 'cat'.*Remedy"):
        read(read_labelme, tmp_path / "set", tmp_path)


def two_sizes(root):
    frame(root, "2", size=(4, 7))


def half_a_size(root):
    frame(root, "2", size=(4, None))


def no_shapes_key(root):
    save_json({"images": []}, root / "2.json")


def both_levels(root):
    frame(root / "below", "2")


def one_image_twice(root):
    frame(root, "2", image="1.jpg")


def image_missing(root):
    save_images(root, ["2.png"])


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (two_sizes, r"2\.json: imageHeight, imageWidth: are 4, 7, the video set is 4, 6\. Remedy"),
        (half_a_size, r"2\.json: imageHeight, imageWidth: are 4, None\. Remedy"),
        (no_shapes_key, r"2\.json: shapes: is no list\. Remedy"),
        (both_levels, r"set: folder: holds json files and a folder with json files \(below\)\. Remedy"),
        (one_image_twice, r"2\.json: imagePath: is '1\.jpg', and so it is in .*1\.json\. Remedy"),
        (image_missing, r"1\.json: imagePath: is '1\.jpg', the video has no such frame\. Remedy"),
    ],
)
def test_broken_folders(tmp_path, break_it, message):
    frame(tmp_path / "set", "1", shape("cat", CAT))
    break_it(tmp_path / "set")
    with pytest.raises(DatasetError, match=message):
        read(read_labelme, tmp_path / "set", tmp_path)


def test_size_unknown_and_nothing_there(tmp_path):
    frame(tmp_path / "set", "1", shape("cat", CAT), size=(None, None))
    with pytest.raises(DatasetError, match="imageHeight, imageWidth: are missing. Remedy: .* --images"):
        read(read_labelme, tmp_path / "set", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="folder: there is no json file below it. Remedy"):
        read(read_labelme, tmp_path / "empty", tmp_path)
